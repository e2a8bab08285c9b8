"""Labelled faces, their splits, and what a network is to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from roomread.errors import DataError
from roomread.preprocess import FACE_SIZE
from roomread.types import N_EMOTIONS, Array, check_shape

SPLITS = ("Training", "validation", "PublicTest", "PrivateTest", "test")
TRAINING_WITHOUT_VALIDATION = "training"  # what a run fits on; no name of a split that is reported

# FER+'s columns for FER-2013's seven classes, in the order of EMOTIONS; the three others say that it is none of them.
VOTES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
OTHER_VOTES = ("contempt", "unknown", "nf")
VOTES_IN_FILE = VOTES + OTHER_VOTES


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces with labels, one row each.

    images: uint8 (n, 48, 48, 1), gray, 0 to 255.
    labels: int64 (n,), index into EMOTIONS.
    rows: int64 (n,), number of the row in the original data set; of folders, a running number.
    usages: str (n,), the data set's own name of the split.
    votes: float32 (n, 10), FER+ votes: the seven of EMOTIONS, then contempt, unknown, not a face; NaN where unknown.
    fer2013: whether the rows are those of fer2013.csv; a list then says which of them are `validation`.
    """

    images: Array
    labels: Array
    rows: Array
    usages: Array
    votes: Array
    fer2013: bool = False

    def __post_init__(self) -> None:
        n = len(self.labels)
        check_shape("images", self.images, (n, FACE_SIZE, FACE_SIZE, 1))
        check_shape("rows", self.rows, (n,))
        check_shape("usages", self.usages, (n,))
        check_shape("votes", self.votes, (n, len(VOTES_IN_FILE)))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, keep: Array) -> LabelledFaces:
        """Return the faces that a mask or an index array keeps."""
        parts = ("images", "labels", "rows", "usages", "votes")
        return replace(self, **{part: getattr(self, part)[keep] for part in parts})

    def split(self, name: str) -> LabelledFaces:
        """Return the faces of one split.

        Training holds `validation`; `training` is Training less `validation`. `test` is what class folders call so, and
        PublicTest and PrivateTest together where the data holds both; one of them alone is never called so.

        Raises:
            DataError: no such split, or the data holds no face of it.
        """
        if name not in (*SPLITS, TRAINING_WITHOUT_VALIDATION):
            raise DataError(f"There is no split {name!r}. Expected one of: {', '.join(SPLITS)}.")
        mask = self._mask(name)
        if not mask.any():
            held = ", ".join(sorted(set(self.usages.tolist()))) or "nothing"
            raise DataError(f"The data holds no face of the split {name!r}. It holds: {held}.")
        return self[mask]

    def _mask(self, name: str) -> Array:
        validation = self.usages == "validation"
        whole = (self.usages == "Training") | validation
        if self.fer2013 and not validation.any():
            validation = whole & np.isin(self.rows, validation_rows())
        public, private = self.usages == "PublicTest", self.usages == "PrivateTest"
        both = public | private if public.any() and private.any() else np.zeros(len(self), bool)
        parts = {
            "Training": whole,
            "validation": validation,
            TRAINING_WITHOUT_VALIDATION: whole & ~validation,
            "test": (self.usages == "test") | both,
        }
        mask: Array = parts.get(name, self.usages == name)
        return mask

    def counts(self) -> dict[str, Array]:
        """Return how many faces of each class the splits hold that are there: split → int64 (7,)."""
        masks = {name: self._mask(name) for name in SPLITS}
        return {n: np.bincount(self.labels[mask], minlength=N_EMOTIONS) for n, mask in masks.items() if mask.any()}


def validation_rows() -> Array:
    """Return the rows of FER-2013's Training that are set apart for choosing: int64 (n,), ascending."""
    text = resources.files("roomread.learn").joinpath("validation-rows.txt").read_text(encoding="ascii")
    return np.array([int(line) for line in text.splitlines() if not line.startswith("#")], np.int64)


def soft_targets(faces: LabelledFaces, ferplus_share: float) -> Array:
    """Return what the network is to answer: the label, mixed with how FER+'s ten taggers voted.

    target = (1 - share) * one_hot(label) + share * votes / sum of the votes for the seven classes; a face without such
    votes keeps its label alone.

    Args:
        faces: labelled faces.
        ferplus_share: 0 to 1. Below 0.5 the label stays the likeliest class of every row, but not of what a network
            answers over faces that look alike: the taggers lean to neutral, and so does the shipped network (share
            0.4). Of `validation` it calls 751 neutral, where 496 are labelled so, and 216 fear of 410.

    Returns:
        float32 (n, 7), each row sums to 1.
    """
    hard = np.eye(N_EMOTIONS, dtype=np.float32)[faces.labels]
    votes = np.nan_to_num(faces.votes[:, :N_EMOTIONS])
    total = votes.sum(axis=1, keepdims=True)
    mixed = (1 - ferplus_share) * hard + ferplus_share * votes / np.maximum(total, 1)
    return np.where(total > 0, mixed, hard).astype(np.float32)
