"""Packs the NIH chest X-rays (a folder with manifest.csv: image, label, patient) into one .npz in MedMNIST's layout.

    python3 bench/ablations/nih-npz.py $MEDMERGE_DATA/nih_cxr_224 nih-64.npz --side 64

Needs NumPy and Pillow (Debian: python3-numpy, python3-pil). The split is by patient, so that no patient is on two sides of it: a patient's
split is drawn from the SHA-256 of the patient's number, 60 % train, 15 % val, 25 % test. Labels: 0 no finding, 1 pneumonia.
"""
import argparse
import csv
import hashlib
import pathlib

import numpy
from PIL import Image

SHARES = (("train", 0.60), ("val", 0.75), ("test", 1.00))


def choose_split(patient):
    draw = int.from_bytes(hashlib.sha256(patient.encode()).digest()[:8], "big") / 2**64
    return next(name for name, end in SHARES if draw < end)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--side", type=int, default=64)
    arguments = parser.parse_args()

    images = {name: [] for name, _ in SHARES}
    labels = {name: [] for name, _ in SHARES}
    with open(arguments.folder / "manifest.csv", newline="") as manifest:
        rows = sorted(csv.DictReader(manifest), key=lambda row: row["image"])
    names = sorted({row["label"] for row in rows})
    for row in rows:
        split = choose_split(row["patient"])
        image = Image.open(arguments.folder / row["image"]).convert("L")
        image = image.resize((arguments.side, arguments.side), Image.Resampling.BOX, reducing_gap=None)
        images[split].append(numpy.asarray(image, numpy.uint8))
        labels[split].append([names.index(row["label"])])

    arrays = {}
    for name, _ in SHARES:
        arrays[name + "_images"] = numpy.stack(images[name])
        arrays[name + "_labels"] = numpy.array(labels[name], numpy.uint8)
        counts = numpy.bincount(arrays[name + "_labels"].ravel(), minlength=len(names))
        print(name, len(images[name]), dict(zip(names, counts.tolist())))
    numpy.savez_compressed(arguments.output, **arrays)


if __name__ == "__main__":
    main()
