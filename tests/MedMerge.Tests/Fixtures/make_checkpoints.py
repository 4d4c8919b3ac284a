"""Writes the PyTorch checkpoints beside it: python3 make_checkpoints.py (any PyTorch since 1.6)."""
import collections
import os

import torch

here = os.path.dirname(os.path.abspath(__file__))
shared = torch.arange(12, dtype=torch.float32) / 4
state = collections.OrderedDict([
    ("module.a.weight", shared[:6].view(2, 3)),
    ("module.a.bias", shared[6:8]),               # shares its storage with the weight
    ("module.transposed", shared.view(3, 4).t()),  # strides are not row-major
    ("module.half", torch.tensor([0.5, -2.0], dtype=torch.float16)),
    ("module.double", torch.tensor([[1e-300]], dtype=torch.float64)),
    ("module.count", torch.tensor(7, dtype=torch.int64)),
    ("module.parameter", torch.nn.Parameter(torch.tensor([3.0]))),
])
checkpoint = {"epoch": 3, "best": 91.5, "state_dict": state, "notes": ["a", ("b", None, True)], "big": 2 ** 70}
torch.save(checkpoint, os.path.join(here, "new.pt"))
torch.save(checkpoint, os.path.join(here, "old.pt"), _use_new_zipfile_serialization=False)
torch.save(state, os.path.join(here, "bare.pt"))


class Malicious:
    def __reduce__(self):
        return os.system, ("echo this must never run",)


torch.save({"state_dict": {"a": torch.ones(1)}, "args": Malicious()}, os.path.join(here, "malicious.pt"))
