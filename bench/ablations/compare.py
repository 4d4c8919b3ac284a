"""Compares the values of a varied setting by the trials.csv of a run: paired by target, sources, method and seed.

    python3 bench/ablations/compare.py trials.csv kernelWeights.granularity filter

Prints for each target and set of sources the mean of the value given last, and the others' mean difference to it with a 95 % interval
(Student's t over seeds), in per cent of macro F1 and of AUC: of medmerge, or of a method that is named behind it.
"""
import collections
import csv
import math
import sys

# 0.975 quantiles of Student's t by degrees of freedom
QUANTILES = {4: 2.776, 9: 2.262, 19: 2.093}


def main():
    path, setting, base, *named = sys.argv[1:]
    method = named[0] if named else "medmerge"
    scores = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["method"] == method:
                target = f'{row["target"]}, {row["source"] or row["sources"]}'
                scores[target, row[setting]][row["seed"]] = row
    targets = sorted({target for target, _ in scores})
    values = list(dict.fromkeys(value for _, value in scores))
    for metric in ("test.macroF1", "test.auc"):
        print(metric, *targets, sep=" | ")
        for value in values:
            cells = []
            for target in targets:
                trials = scores[target, value]
                if value == base:
                    cells.append(f"{100 * sum(float(row[metric]) for row in trials.values()) / len(trials):.1f}")
                    continue
                changes = [float(row[metric]) - float(scores[target, base][seed][metric]) for seed, row in trials.items()]
                mean = sum(changes) / len(changes)
                deviation = math.sqrt(sum((change - mean) ** 2 for change in changes) / (len(changes) - 1))
                half = QUANTILES[len(changes) - 1] * deviation / math.sqrt(len(changes))
                cells.append(f"{100 * mean:+.1f} [{100 * (mean - half):+.1f}, {100 * (mean + half):+.1f}]")
            print(value, *cells, sep=" | ")


if __name__ == "__main__":
    main()
