"""check_safetensors.py FILE...: reads each file with the official safetensors package and prints its names, types, shapes and sums."""
import sys

from safetensors import safe_open

for path in sys.argv[1:]:
    with safe_open(path, framework="numpy") as file:
        print(sorted((file.metadata() or {}).items()))
        for name in file.keys():
            values = file.get_tensor(name)
            print(name, values.dtype, list(values.shape), float(values.astype("float64").sum()))
