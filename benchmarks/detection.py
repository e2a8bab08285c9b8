"""How many faces are found in labelled pictures, and how many boxes fit no label.

    python benchmarks/detection.py --images DIR --boxes CSV [--plain] [--threads 2] [--json]

The table of labels has the columns image, x, y, w, h (pixels), difficulty, and invalid. Sizes are the root of a label's
area in the picture at 1280 pixels of width; labels that are invalid, of the difficulty "ignore", or too small are not
looked for. A label is found by a box of an intersection over union of at least 0.4, one box for each; a box is
unmatched where it fits no label at all, not even one that is not looked for. Told for all pictures and for both halves
by name (every other one), at the settings' own threshold (*) and at others. `--plain` also measures YuNet alone, taking
turns.
"""

import argparse
import csv
import json
import statistics
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from roomread.faces.boxes import overlaps, sizes
from roomread.faces.detector import DetectorSettings, YuNet
from roomread.faces.onnx import Runtime
from roomread.pictures import read_picture
from roomread.types import Array, Detections

WIDTH = 1280  # pixels, for the sizes of labels
SMALLEST = (16, 32)  # pixels
SAME = 0.4  # intersection over union
THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
PLAIN = DetectorSettings(second_look=False, threshold=0.6)

Label = tuple[Array, Array, Array]  # of one picture: boxes (n, 4), whether each may be looked for (n,), sizes (n,)


def read_labels(path: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of the table for each picture, by the picture's name."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["image"]].append(row)
    return dict(sorted(rows.items()))


def labels_of(rows: list[dict[str, str]], width: int) -> Label:
    """Return the labels of a picture of this width."""
    x, y, w, h = (np.array([float(row[name]) for row in rows]) for name in ("x", "y", "w", "h"))
    boxes = np.stack([x, y, x + w, y + h], axis=1)
    valid = np.array([row["difficulty"] != "ignore" and row["invalid"] == "0" for row in rows])
    return boxes, valid, sizes(boxes) * WIDTH / width


def score(faces: Detections, label: Label, smallest: float) -> tuple[int, int, int]:
    """Return how many labels were found, how many were looked for, and how many boxes fit no label."""
    boxes, valid, size = label
    wanted = valid & (size >= smallest)
    fits = overlaps(faces.boxes[:, None].astype(float), boxes[None])
    found = np.zeros(len(boxes), bool)
    for row in np.argsort(-faces.scores, kind="stable"):
        left = np.where(wanted & ~found, fits[row], 0)
        found[left.argmax()] |= left.max() >= SAME
    return int(found.sum()), int(wanted.sum()), int((fits.max(axis=1) < SAME).sum())


def summarise(
    found: dict[str, Detections], labels: dict[str, Label], names: list[str], threshold: float
) -> dict[str, float]:
    """Return the figures of some pictures at one threshold."""
    figures: dict[str, float] = {"threshold": threshold, "pictures": len(names)}
    for smallest in SMALLEST:
        counts = [score(found[name][found[name].scores >= threshold], labels[name], smallest) for name in names]
        hits, wanted, unmatched = (sum(column) for column in zip(*counts, strict=True))
        figures |= {f"recall_{smallest}": hits / wanted, f"faces_{smallest}": wanted}
        figures["unmatched_per_20"] = 20 * unmatched / len(names)
    return figures


def measure(
    images: Path, labels: dict[str, list[dict[str, str]]], settings: list[DetectorSettings], threads: int
) -> tuple[list[dict[str, Detections]], dict[str, Label], list[float]]:
    """Return what each settings find in each picture, the labels, and median milliseconds a picture of each."""
    lowest = [
        YuNet(replace(each, threshold=min(each.threshold, *THRESHOLDS)), Runtime(threads=threads)) for each in settings
    ]
    found: list[dict[str, Detections]] = [{} for _ in settings]
    taken: list[list[float]] = [[] for _ in settings]
    truth = {}
    for name, rows in labels.items():
        picture = read_picture(images / name)
        truth[name] = labels_of(rows, picture.shape[1])
        for detector, faces, seconds in zip(lowest, found, taken, strict=True):
            start = time.perf_counter()
            faces[name] = detector.detect(picture)
            seconds.append(time.perf_counter() - start)
    return found, truth, [1000 * statistics.median(each) for each in taken]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--boxes", type=Path, required=True)
    parser.add_argument("--plain", action="store_true", help="also measure YuNet alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    settings = {"default": DetectorSettings()} | ({"plain YuNet": PLAIN} if chosen.plain else {})
    found, truth, taken = measure(chosen.images, read_labels(chosen.boxes), [*settings.values()], chosen.threads)
    names = list(truth)
    parts = {"all": names, "first half": names[::2], "second half": names[1::2]}
    results: dict[str, dict[str, Any]] = {
        what: {
            "threshold": own.threshold,
            "ms_per_picture": milliseconds,
            **{
                part: [summarise(faces, truth, of, each) for each in sorted({own.threshold, *THRESHOLDS})]
                for part, of in parts.items()
            },
        }
        for (what, own), faces, milliseconds in zip(settings.items(), found, taken, strict=True)
    }
    print(json.dumps(results, indent=2) if chosen.json else as_table(results, list(parts)))


def as_table(results: dict[str, dict[str, Any]], parts: list[str]) -> str:
    """Return the figures for people."""
    lines = []
    for what, result in results.items():
        lines.append(f"{what}, {result['ms_per_picture']:.1f} ms a picture")
        lines.append(
            f"{'':14}{'threshold':>10}"
            + "".join(f"{f'recall {each}+':>12}" for each in SMALLEST)
            + f"{'unmatched/20':>14}{'pictures':>10}"
        )
        for part in parts:
            for row in result[part]:
                own = "*" if row["threshold"] == result["threshold"] else ""
                recalls = "".join(f"{row[f'recall_{each}']:12.4f}" for each in SMALLEST)
                lines.append(
                    f"{part:14}{row['threshold']:9.2f}{own:1}{recalls}{row['unmatched_per_20']:14.2f}"
                    f"{row['pictures']:10}"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
