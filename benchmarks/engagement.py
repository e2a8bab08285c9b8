"""How valid each engagement mapping is, on faces whose engagement people judged.

    python benchmarks/engagement.py --data daisee.parquet [--json]

The file has the columns `image` (encoded bytes), `subject` and `engagement` (levels from 0, low to high). Nothing is
fitted: the published formulas are read as they stand, over the shipped expression model. Each face is looked for in its
picture and cut out as in a lesson; where none is found the picture is missing, and counted. "lowest" is the lower half
of the levels against the rest (one of three, two of four), "highest" the highest level. Intervals: 95%, bootstrap over
subjects.
"""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
from PIL import Image as Pictures

from roomread.app.panel import panel
from roomread.faces.detector import YuNet
from roomread.faces.expression import ExpressionModel
from roomread.learn.metrics import area_under, roc_curve
from roomread.types import N_EMOTIONS, N_SIGNALS, Array, Image

ENLARGED, EDGE = 240, 80  # pixels: the pictures are tight crops, and the detector wants to see a face whole
DRAWS = 500  # of the bootstrap


def read(path: Path) -> tuple[list[Image], Array, Array]:
    """Return pictures, levels and subjects."""
    with path.open("rb") as file:
        table = fastparquet.ParquetFile(file).to_pandas()
    column = "image.bytes" if "image.bytes" in table else "image"
    pictures = [np.asarray(Pictures.open(io.BytesIO(data)).convert("RGB")) for data in table[column]]
    return pictures, table["engagement"].to_numpy(), table["subject"].to_numpy()


def emotions_of(pictures: list[Image]) -> Array:
    """Return float32 (n, 7), the expression of the surest face of each picture; NaN where none was found."""
    detector, reader = YuNet(), ExpressionModel()
    rows = np.full((len(pictures), N_EMOTIONS), np.nan, np.float32)
    for number, picture in enumerate(pictures):
        width = round(ENLARGED * picture.shape[1] / picture.shape[0])
        large = np.asarray(Pictures.fromarray(picture).resize((width, ENLARGED), Pictures.Resampling.BICUBIC))
        whole = np.pad(large, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="edge")
        faces = detector.detect(whole)
        if len(faces):
            rows[number] = reader.predict(whole, faces.boxes[:1])[0][0]
    return rows


def areas(scores: Array, levels: Array) -> tuple[float, float]:
    """Return the areas under the curve: lowest level(s) against the rest, highest against the rest."""
    n_low = (int(levels.max()) + 1) // 2  # one of three, two of four
    low = area_under(roc_curve(-scores, levels < n_low))
    return low, area_under(roc_curve(scores, levels == levels.max()))


def judge(scores: Array, levels: Array, subjects: Array) -> dict[str, Any]:
    """Return one mapping's figures with their intervals."""
    draw = np.random.default_rng(0)
    people = [np.flatnonzero(subjects == subject) for subject in np.unique(subjects)]
    drawn = []
    for _ in range(DRAWS):
        rows = np.concatenate([people[person] for person in draw.integers(0, len(people), len(people))])
        drawn.append(areas(scores[rows], levels[rows]))
    ends = np.nanquantile(np.array(drawn), [0.025, 0.975], axis=0)
    return {
        name: {"auc": round(value, 3), "interval": [round(float(end), 3) for end in ends[:, column]]}
        for column, (name, value) in enumerate(zip(("lowest", "highest"), areas(scores, levels), strict=True))
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pictures, levels, subjects = read(options.data)
    emotions = emotions_of(pictures)
    found = ~np.isnan(emotions[:, 0])
    figures: dict[str, Any] = {
        "data": options.data.name,
        "n": int(found.sum()),
        "without_face": int((~found).sum()),
        "subjects": len(np.unique(subjects)),
        "levels": np.bincount(levels[found]).tolist(),
        "mappings": {
            name: judge(
                mapping.score(emotions[found], np.full((int(found.sum()), N_SIGNALS), np.nan)),
                levels[found],
                subjects[found],
            )
            for name, mapping in panel().items()
        },
    }
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{options.data.name}: {figures['n']} faces of {figures['subjects']} people; {(~found).sum()} not found")
    for name, areas_of in figures["mappings"].items():
        for what, figure in areas_of.items():
            low, high = figure["interval"]
            print(f"{name:10} {what:8} AUC {figure['auc']:.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
