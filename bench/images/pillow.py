"""pillow.py FOLDER SIZE THREADS COPIES: reads, decodes and resizes the images of a folder as a plain script does it.

Prints images per second, the peak memory and the data set's size, both in MB.
"""
import glob
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
from PIL import Image

WARM_UP = 200
folder, size, threads, copies = sys.argv[1], *map(int, sys.argv[2:5])
files = sorted(glob.glob(os.path.join(folder, "*", "*.jpg")))


def read(path):
    image = Image.open(path).convert("L")
    return numpy.asarray(image.resize((size, size), Image.Resampling.BOX))


with ThreadPoolExecutor(threads) as pool:
    list(pool.map(read, files[:WARM_UP]))
    paths = files * copies
    data = numpy.empty((len(paths), size, size), numpy.uint8)
    begin = time.perf_counter()
    for i, pixels in enumerate(pool.map(read, paths)):
        data[i] = pixels
    taken = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(f"{len(paths) / taken:.0f} {peak:.0f} {data.nbytes / 1e6:.0f}")
