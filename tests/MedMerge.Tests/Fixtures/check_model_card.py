"""check_model_card.py FOLDER: runs the Python that README.md in FOLDER shows, there, prints the logits' shape, and compares the logits of the
images in images.safetensors with those in logits.safetensors.

Where the official safetensors is not installed, a reader of the published format stands in for it.
"""
import os
import re
import sys
import types

try:
    import safetensors.torch
except ImportError:
    from read_safetensors import read_safetensors
    module = types.ModuleType("safetensors.torch")
    module.load_file = read_safetensors
    sys.modules["safetensors"] = types.ModuleType("safetensors")
    sys.modules["safetensors.torch"] = module

os.chdir(sys.argv[1])
with open("README.md", encoding="utf-8") as file:
    code = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL).group(1)
variables = {}
exec(code, variables)
logits = variables["logits"]
images = variables["load_file"]("images.safetensors")["images"]
expected = variables["load_file"]("logits.safetensors")["logits"]
difference = ((variables["model"](images) - expected).abs().max() / expected.abs().max()).item()
assert difference < 1e-4, f"the logits differ by {difference} of the largest"
assert logits.isfinite().all()
print("logits", list(logits.shape), "mean", variables["mean"].flatten().tolist())
