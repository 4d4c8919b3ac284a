"""resnet50.py FOLDER: writes two ResNet-50 of random weights (a, b) and kernel weights for them (weights), as safetensors."""
import hashlib
import json
import os
import struct
import sys

import numpy

CLASSES = 1000
folder = sys.argv[1]


def layers():
    """Name, batch norm and kernel shape of each convolution, in the state dictionary's order."""
    yield "conv1", "bn1", (64, 3, 7, 7)
    inputs = 64
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], 1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            yield f"{name}.conv1", f"{name}.bn1", (width, inputs, 1, 1)
            yield f"{name}.conv2", f"{name}.bn2", (width, width, 3, 3)
            yield f"{name}.conv3", f"{name}.bn3", (4 * width, width, 1, 1)
            if block == 0:
                yield f"{name}.downsample.0", f"{name}.downsample.1", (4 * width, inputs, 1, 1)
            inputs = 4 * width


def write(name, tensors, metadata):
    types = {"float32": "F32", "float64": "F64", "int64": "I64"}
    header, offset = {"__metadata__": metadata}, 0
    for key, value in tensors.items():
        header[key] = {"dtype": types[str(value.dtype)], "shape": value.shape, "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    start = json.dumps(header).encode()
    start += b" " * (-len(start) % 8)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack("<Q", len(start)) + start)
        for value in tensors.values():
            file.write(value.tobytes())


def draw_model(seed):
    random = numpy.random.default_rng(seed)
    model = {}
    for layer, norm, shape in layers():
        out = shape[0]
        model[f"{layer}.weight"] = (random.standard_normal(shape) * (2 / (out * shape[2] * shape[3])) ** 0.5).astype("float32")
        for part, low, high in ("weight", 0.5, 1.5), ("bias", -0.5, 0.5), ("running_mean", -0.5, 0.5), ("running_var", 0.5, 2):
            model[f"{norm}.{part}"] = random.uniform(low, high, out).astype("float32")
        model[f"{norm}.num_batches_tracked"] = numpy.array(0, "int64")
    model["fc.weight"] = random.standard_normal((CLASSES, 2048), "float32") / 50
    model["fc.bias"] = numpy.zeros(CLASSES, "float32")
    return model


def hash_backbone(model):
    digest = hashlib.sha256()
    for name, value in model.items():
        if not name.startswith("fc.") and value.dtype == "float32":
            digest.update(name.encode())
            digest.update(value.tobytes())
    return digest.hexdigest()


os.makedirs(folder, exist_ok=True)
sources = {"a": draw_model(1), "b": draw_model(2)}
for name, model in sources.items():
    write(name, model, {"format": "pt"})
random, target, weights = numpy.random.default_rng(3), draw_model(4), {}
for layer, norm, shape in layers():
    share = random.uniform(0, 1, shape[0])
    weights[f"alpha.{layer}"] = numpy.stack([share, 1 - share])
    weights[f"norm.{layer}"] = numpy.sqrt((sources["a"][f"{layer}.weight"].astype("float64") ** 2).sum((1, 2, 3))).astype("float32")
    for part in "running_mean", "running_var":
        weights[f"{norm}.{part}"] = target[f"{norm}.{part}"]
for part in "weight", "bias":
    weights[f"fc.{part}"] = target[f"fc.{part}"]
described = [{"Name": name, "Sha256": hash_backbone(model)} for name, model in sources.items()]
write("weights", weights, {
    "format": "medmerge kernel weights 1",
    "architecture": "resnet50",
    "width": "1",
    "granularity": "filter",
    "target": "random numbers",
    "sources": json.dumps(described),
})
