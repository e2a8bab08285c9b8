"""Measure how FER-2013 frames its faces, in terms of the detector's box: the constants of `preprocess`.

    python tools/measure_crop.py --data fer2013.parquet [--n 1500]

Each picture of Training is enlarged to 96 x 96, its edge is drawn out to 160 x 160, and the surest face of at least 0.7
is compared with the picture's own square.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from roomread.faces.detector import YuNet
from roomread.learn.readers import read_parquet

SIDE, EDGE = 96, 32  # pixels


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--n", type=int, default=1500)
    options = parser.parse_args()
    faces = read_parquet(options.data).split("Training")
    detector = YuNet()
    boxes = []
    for row in np.random.default_rng(0).choice(len(faces), options.n, replace=False):
        large = np.asarray(Image.fromarray(faces.images[row, ..., 0]).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        drawn_out = np.pad(large, EDGE, mode="edge")
        found = detector.detect(np.repeat(drawn_out[..., None], 3, axis=2))
        if len(found) and found.scores[0] >= 0.7:
            boxes.append((found.boxes[0] - EDGE) / SIDE)
    left, top, right, bottom = np.array(boxes).T
    print(f"faces found: {len(boxes)} of {options.n}")
    print(f"picture's side per root of the box's area: {np.median(1 / np.sqrt((right - left) * (bottom - top))):.3f}")
    above = ((top + bottom) / 2 - 0.5) / (bottom - top)
    print(f"picture's middle above the box's, in box heights: {np.median(above):.3f}")


if __name__ == "__main__":
    main()
