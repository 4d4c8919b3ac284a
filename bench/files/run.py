"""run.py MEDMERGE_CLI_DLL FOLDER [RESNET18.safetensors]: times merging of weight files; prints bench/results/files.md's rows.

Every row is a process: wall-clock and CPU seconds (median of the rounds, which take turns), and the largest peak memory. The page cache is
warm. FOLDER needs 4 GB, which are freed again.
"""
import json
import os
import random
import statistics
import struct
import subprocess
import sys
import time

ROUNDS = 3
cli, folder = sys.argv[1], sys.argv[2]
here = os.path.dirname(os.path.abspath(__file__))
os.makedirs(folder, exist_ok=True)


def path(name):
    return os.path.join(folder, name)


def write_gigabyte(name, seed):
    """ResNet-like: 100 tensors of 2.36 million values and one of 14 million."""
    header, offset = {}, 0
    for i, size in enumerate([2_359_296] * 100 + [14_064_704]):
        header[f"layer{i}.weight"] = {"dtype": "F32", "shape": [size], "data_offsets": [offset, offset + 4 * size]}
        offset += 4 * size
    start = json.dumps(header).encode()
    start += b" " * (-len(start) % 8)
    block = struct.pack("<1000000f", *(random.Random(seed).gauss(0, 0.02) for _ in range(1_000_000)))
    with open(path(name), "wb") as file:
        file.write(struct.pack("<Q", len(start)) + start)
        while offset > 0:
            file.write(block[:offset])
            offset -= len(block)


def perturb(source, target):
    """The same file with other low bits of every value."""
    content = bytearray(open(source, "rb").read())
    data = 8 + struct.unpack("<Q", content[:8])[0]
    content[data::4] = bytes(len(content[data::4]))
    open(target, "wb").write(content)


def make(function, *arguments):
    """In a process of its own: the peak memory of a process begins with what its parent has."""
    child = os.fork()
    if child == 0:
        function(*arguments)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def measure(command):
    begin = time.perf_counter()
    process = subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def compare(title, a, b):
    c = path("out")
    rows = {
        "`cat A B > /dev/null`": f"cat {a} {b} > /dev/null",
        "`dd if=A of=OUT bs=1M`": f"dd if={a} of={c} bs=1M status=none",
        "the same, flushed to the disk": f"dd if={a} of={c} bs=1M conv=fsync status=none",
        "`medmerge average A B`": f"exec dotnet {cli} average {a} {b} --output {c}",
        "`medmerge slerp A B`": f"exec dotnet {cli} slerp {a} {b} --output {c}",
        "NumPy script": f"exec python3 {here}/average.py numpy {c} {a} {b}",
        "PyTorch script": f"exec python3 {here}/average.py torch {c} {a} {b}",
    }
    for command in rows.values():
        measure(command)
    taken = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, command in rows.items():
            if os.path.exists(c):
                os.remove(c)
            taken[name].append(measure(command))
    print(f"\n| {title} | seconds | CPU seconds | peak memory, MB |\n| --- | ---: | ---: | ---: |")
    for name, runs in taken.items():
        wall, cpu, memory = zip(*runs)
        print(f"| {name} | {statistics.median(wall):.2f} | {statistics.median(cpu):.2f} | {max(memory):.0f} |", flush=True)
    os.remove(c)


if len(sys.argv) > 3:
    make(perturb, sys.argv[3], path("b"))
    compare("two ResNet-18", sys.argv[3], path("b"))
    os.remove(path("b"))
make(write_gigabyte, "a", 1)
make(write_gigabyte, "b", 2)
compare("two files of 1 GB", path("a"), path("b"))
for name in ("a", "b"):
    os.remove(path(name))
