"""The `validation` part of FER-2013: a stratified tenth of Training, near-duplicates kept together.

    python -m roomread.learn.split fer2013.parquet > src/roomread/learn/validation-rows.txt

The list is committed, so that every run chooses on the same faces; this module says how it was made.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from roomread.learn.datasets import LabelledFaces, read_parquet
from roomread.types import N_EMOTIONS, Array

HEAD = (
    "# rows of FER-2013 (index in fer2013.csv), a stratified tenth of Training with near-duplicates kept together; "
    "made by roomread.learn.split, see there"
)
NEAR = 6  # bits of 64; at 6 or fewer two FER-2013 pictures are nearly always two crops or copies of one photograph


def hashes(faces: LabelledFaces) -> Array:
    """Return the perceptual hash (DCT) of each face: uint8 (n, 8), 64 bits packed."""
    import imagehash
    from PIL import Image as Pictures

    bits = [imagehash.phash(Pictures.fromarray(image[..., 0])).hash.reshape(-1) for image in faces.images]
    return np.packbits(np.array(bits, bool), axis=1)


def near_groups(codes: Array, near: int = NEAR) -> Array:
    """Return for each hash the number of its group; two hashes within `near` bits share one: int64 (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    words = codes.copy().view(np.uint64)[:, 0]
    left, right = [], []
    for start in range(0, len(words), 512):  # 512 rows against all: 28,709 fit into 120 MB
        distance = np.bitwise_count(words[start : start + 512, None] ^ words[None, :])
        a, b = np.nonzero(distance <= near)
        left.append(a + start)
        right.append(b)
    pairs = (np.concatenate(left), np.concatenate(right))
    graph = coo_array((np.ones(len(pairs[0]), bool), pairs), shape=(len(words), len(words)))
    groups: Array = connected_components(graph, directed=False)[1]
    return groups.astype(np.int64)


def choose(labels: Array, groups: Array, share: float = 0.1, seed: int = 0) -> Array:
    """Return a mask of whole groups that holds `share` of each class.

    Groups are visited in a seeded order; one is taken when none of its classes would pass its share by it.

    Args:
        labels: int64 (n,), class of each face.
        groups: int64 (n,), group of each face.
        share: 0 to 1.
        seed: of the order.

    Returns:
        bool (n,).
    """
    counts = np.zeros((groups.max() + 1, N_EMOTIONS), np.int64)
    np.add.at(counts, (groups, labels), 1)
    left = np.round(share * counts.sum(axis=0)).astype(np.int64)
    taken = np.zeros(len(counts), bool)
    for group in np.random.default_rng(seed).permutation(len(counts)):
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
