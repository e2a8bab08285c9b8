"""Choose the `validation` part of FER-2013: a stratified tenth of Training, near-duplicates kept together.

    python tools/choose_validation.py fer2013.parquet > src/roomread/learn/validation-rows.txt

The list is committed, so that every run chooses on the same faces; this tool says how it was made.
"""

import sys
from pathlib import Path

import numpy as np

from roomread.learn.audit import hashes, near_groups
from roomread.learn.readers import read_parquet
from roomread.types import N_EMOTIONS, Array

HEAD = (
    "# rows of FER-2013 (index in fer2013.csv), a stratified tenth of Training with near-duplicates kept together; "
    "made by tools/choose_validation.py, see there"
)
SHARE = 0.1  # of each class


def choose(labels: Array, groups: Array) -> Array:
    """Return a mask of whole groups that holds SHARE of each class.

    Groups are visited in a seeded order; one is taken when none of its classes would pass its share by it.

    Args:
        labels: int64 (n,), class of each face.
        groups: int64 (n,), group of each face.

    Returns:
        bool (n,).
    """
    counts = np.zeros((groups.max() + 1, N_EMOTIONS), np.int64)
    np.add.at(counts, (groups, labels), 1)
    left = np.round(SHARE * counts.sum(axis=0)).astype(np.int64)
    taken = np.zeros(len(counts), bool)
    for group in np.random.default_rng(0).permutation(len(counts)):
        if (counts[group] <= left).all():
            taken[group] = True
            left -= counts[group]
    return taken[groups]


def main(path: Path) -> None:
    """Print the rows of `validation` for one FER-2013 Parquet file."""
    faces = read_parquet(path).split("Training")
    chosen = choose(faces.labels, near_groups(hashes(faces)))
    print(HEAD, *faces.rows[chosen], sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
