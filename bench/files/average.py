"""average.py numpy|torch OUT A B …: the mean of safetensors files of float32, as a plain script does it."""
import json
import struct
import sys


def read(path):
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return header, data


def average_numpy(entry, files):
    import numpy
    begin, end = entry["data_offsets"]
    total = sum(numpy.frombuffer(data[begin:end], "<f4").astype(numpy.float64) for _, data in files)
    return (total / len(files)).astype(numpy.float32).tobytes()


def average_torch(entry, files):
    import torch
    begin, end = entry["data_offsets"]
    total = sum(torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).double() for _, data in files)
    return (total / len(files)).float().numpy().tobytes()


average = {"numpy": average_numpy, "torch": average_torch}[sys.argv[1]]
files = [read(path) for path in sys.argv[3:]]
header = files[0][0]
start = json.dumps(header).encode()
start += b" " * (-len(start) % 8)
with open(sys.argv[2], "wb") as out:
    out.write(struct.pack("<Q", len(start)) + start)
    for entry in sorted(header.values(), key=lambda entry: entry["data_offsets"]):
        values = entry["dtype"] == "F32" and entry["data_offsets"][0] < entry["data_offsets"][1]
        begin, end = entry["data_offsets"]
        out.write(average(entry, files) if values else files[0][1][begin:end])
