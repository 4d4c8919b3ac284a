"""Reads safetensors by its published format, with every check of the reference implementation (safetensors/src/tensor.rs)."""
import json
import struct

import torch

TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}
MAX_HEADER = 100_000_000


def read_safetensors(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    assert length <= MAX_HEADER and 8 + length <= len(data), "the header's length"
    assert data[8:9] == b"{", "the header's start"
    header = json.loads(data[8:8 + length].decode("utf-8"), object_pairs_hook=unique)
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values()), "metadata are texts"
    at, tensors = 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert set(entry) == {"dtype", "shape", "data_offsets"}, name
        begin, end = entry["data_offsets"]
        elements = 1
        for size in entry["shape"]:
            elements *= size
        dtype = TYPES[entry["dtype"]]
        assert begin == at and end - begin == elements * torch.empty(0, dtype=dtype).element_size(), name
        at = end
        raw = bytearray(data[8 + length + begin:8 + length + end])
        empty = torch.empty(entry["shape"], dtype=dtype)
        tensors[name] = torch.frombuffer(raw, dtype=dtype).reshape(entry["shape"]) if raw else empty
    assert 8 + length + at == len(data), "the file's end"
    return tensors


def unique(pairs):
    assert len({name for name, _ in pairs}) == len(pairs), "a name is there twice"
    return dict(pairs)
