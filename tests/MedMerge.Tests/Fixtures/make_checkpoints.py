"""Writes the PyTorch checkpoints beside it: python3 make_checkpoints.py (any PyTorch since 1.6)."""
import argparse
import collections
import os

import numpy

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

# What training scripts save beside the state dictionary: PyTorch's own ImageNet example has a best_acc1, MultiStepLR a Counter.
optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
training = {
    "epoch": 3,
    "state_dict": {"a": torch.tensor([1.5, 2.5])},
    "best_acc1": torch.tensor(71.5),
    "optimizer": optimizer.state_dict(),
    "scheduler": {"milestones": collections.Counter([30, 60]), "history": collections.defaultdict(list, loss=[0.5])},
    "args": argparse.Namespace(lr=0.1, tensor=torch.ones(3)),
    "score": numpy.float64(0.5),
    "device": torch.device("cpu"),
    "seen": {1, 2},
    "phase": torch.ones(2, dtype=torch.complex64),
}
torch.save(training, os.path.join(here, "training.pt"))
del training["phase"]  # the old format can't be read past a storage whose type is not known
torch.save(training, os.path.join(here, "training-old.pt"), _use_new_zipfile_serialization=False)
torch.save(torch.nn.Conv2d(1, 1, 1), os.path.join(here, "module.pt"))
