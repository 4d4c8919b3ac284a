"""run.py MEDMERGE_BENCHMARKS_DLL FOLDER [ROUNDS]: reading images by class beside Pillow; prints bench/results/images.md's rows.

FOLDER holds JPEG files in a folder for each class. Every figure is a process's, after 200 images for warming up, and the median of the
rounds, which take turns. With one thread both are bound to one core.
"""
import os
import statistics
import subprocess
import sys

dll, folder = sys.argv[1], sys.argv[2]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
here = os.path.dirname(os.path.abspath(__file__))


def measure(program, size, threads, copies):
    command = {
        "medmerge": ["dotnet", dll, "read", folder, str(size), str(copies)],
        "pillow": [sys.executable, f"{here}/pillow.py", folder, str(size), str(threads), str(copies)],
    }[program]
    cores = ",".join(map(str, range(threads)))
    result = subprocess.run(["taskset", "-c", cores, *command], check=True, capture_output=True, text=True)
    return [float(word) for word in result.stdout.split()]


print("| to | threads | Pillow, images per second | medmerge | ratio |\n| --- | ---: | ---: | ---: | ---: |")
for size in 28, 64, 224:
    for threads in 1, 2:
        runs = {"pillow": [], "medmerge": []}
        for _ in range(ROUNDS):
            for program, figures in runs.items():
                figures.append(measure(program, size, threads, copies=16)[0])
        pillow, medmerge = (statistics.median(figures) for figures in runs.values())
        ratios = [ours / theirs for theirs, ours in zip(*runs.values())]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {size} × {size} | {threads} | {pillow:.0f} | {medmerge:.0f} | {spread} |", flush=True)

print("\n| images | the data set, MB | peak memory, MB | beyond the data set |\n| ---: | ---: | ---: | ---: |")
for copies in 1, 4, 16:
    _, peak, data = measure("medmerge", 224, 2, copies)
    print(f"| {1000 * copies} | {data:.0f} | {peak:.0f} | {peak - data:.0f} |", flush=True)
