"""run.py MEDMERGE_CLI_DLL FOLDER [ROUNDS]: times merging of weight files; prints bench/results/files.md's rows.

Every row is a process: wall-clock and CPU seconds (median of the rounds, which take turns), and the largest peak memory. The page cache is
warm. FOLDER needs 5 GB, which are freed again.
"""
import json
import os
import random
import statistics
import struct
import subprocess
import sys
import time

cli, folder = sys.argv[1], sys.argv[2]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
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


def compare(title, a, b, weights=None):
    c, d = path("out"), path("out2")
    rows = {
        "`cp A A2 && cp B B2`": f"cp {a} {c} && cp {b} {d}",
        "`dd if=A of=OUT bs=1M`": f"dd if={a} of={c} bs=1M status=none",
        "copies of both, each flushed to the disk": (
            f"dd if={a} of={c} bs=1M conv=fsync status=none && dd if={b} of={d} bs=1M conv=fsync status=none"
        ),
        "`medmerge --version`": f"exec dotnet {cli} --version",
        "**`medmerge average A B`**": f"exec dotnet {cli} average {a} {b} --output {c}",
        "**`medmerge slerp A B`**": f"exec dotnet {cli} slerp {a} {b} --output {c}",
        "**`medmerge merge`**": f"exec dotnet {cli} merge {weights} --source a={a} --source b={b} --output {c}",
        "NumPy script": f"exec {sys.executable} {here}/average.py numpy {c} {a} {b}",
        "PyTorch script": f"exec {sys.executable} {here}/average.py torch {c} {a} {b}",
    }
    if weights is None:
        del rows["**`medmerge merge`**"]
    for command in rows.values():
        measure(command)
    taken = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, command in rows.items():
            for file in c, d:
                if os.path.exists(file):
                    os.remove(file)
            taken[name].append(measure(command))
    print(f"\n| {title} | seconds | CPU seconds | peak memory, MB |\n| --- | ---: | ---: | ---: |")
    for name, runs in taken.items():
        wall, cpu, memory = zip(*runs)
        spread = f"{statistics.median(wall):.2f} ({min(wall):.2f} to {max(wall):.2f})"
        print(f"| {name} | {spread} | {statistics.median(cpu):.2f} | {max(memory):.0f} |", flush=True)
    for file in c, d:
        if os.path.exists(file):
            os.remove(file)


subprocess.run([sys.executable, f"{here}/resnet50.py", folder], check=True)
compare("two ResNet-50 of 102 MB", path("a"), path("b"), path("weights"))
make(write_gigabyte, "a", 1)
make(write_gigabyte, "b", 2)
compare("two files of 1 GB", path("a"), path("b"))
for name in ("a", "b", "weights"):
    os.remove(path(name))
print(f"\nload average: {os.getloadavg()}")
