"""Labelled faces from the forms in which data sets come."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from roomread.errors import DataError
from roomread.learn.readers import (
    USUAL,
    LabelMap,
    Rows,
    decode_face,
    read_csv,
    read_folders,
    read_label_map,
    read_votes,
)
from roomread.outside import read_apart
from roomread.preprocess import FACE_SIZE
from roomread.types import EMOTIONS, N_EMOTIONS, Array, check_shape

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("Training", "validation", "PublicTest", "PrivateTest", "test")
TRAINING_WITHOUT_VALIDATION = "training"  # what a run fits on; no name of a split that is reported

# FER+'s columns for FER-2013's seven classes, in the order of EMOTIONS; the three others say that it is none of them.
VOTES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
OTHER_VOTES = ("contempt", "unknown", "nf")
VOTES_IN_FILE = VOTES + OTHER_VOTES
FERPLUS_FILE = "fer2013new.csv"  # as Microsoft names it; joined on its own where it lies beside the CSV

# fastparquet does not survive some damaged files, see `outside.read_apart`.
READ_PARQUET = """
import fastparquet, pickle, sys
with open(sys.argv[1], "rb") as file:
    pickle.dump(fastparquet.ParquetFile(file).to_pandas(), sys.stdout.buffer, 5)
"""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces with labels, one row each.

    images: uint8 (n, 48, 48, 1), gray, 0 to 255.
    labels: int64 (n,), index into EMOTIONS.
    rows: int64 (n,), number of the row in the original data set.
    usages: str (n,), the data set's own name of the split.
    votes: float32 (n, 10), FER+ votes: the seven of EMOTIONS, then contempt, unknown, not a face; NaN where unknown.
    """

    images: Array
    labels: Array
    rows: Array
    usages: Array
    votes: Array

    def __post_init__(self) -> None:
        n = len(self.labels)
        check_shape("images", self.images, (n, FACE_SIZE, FACE_SIZE, 1))
        check_shape("rows", self.rows, (n,))
        check_shape("usages", self.usages, (n,))
        check_shape("votes", self.votes, (n, len(VOTES) + len(OTHER_VOTES)))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, keep: Array) -> LabelledFaces:
        """Return the faces that a mask or an index array keeps."""
        return LabelledFaces(self.images[keep], self.labels[keep], self.rows[keep], self.usages[keep], self.votes[keep])

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
        if not validation.any():
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


def read_faces(path: Path, label_map: Path | None = None, ferplus: Path | None = None) -> LabelledFaces:
    """Return the faces of a data set in any of its forms.

    Args:
        path: a folder (see `read_folders`), a `.csv` (see `read_csv`), or else a Parquet file (see `read_parquet`).
        label_map: a TOML file (see `read_label_map`); without it, the seven classes by their usual names, or 0 to 6.
        ferplus: FER+'s `fer2013new.csv`, joined by row; without it, the file of that name beside a CSV.

    Raises:
        DataError: the data is missing or of another form; the message names file and row.
    """
    names = USUAL if label_map is None else read_label_map(label_map)
    if path.is_dir():
        if ferplus is not None:
            raise DataError(f"{ferplus} cannot be joined to {path}: folders do not say which row a picture was.")
        return _without_votes(read_folders(path, names))
    if path.suffix.lower() != ".csv":
        faces = read_parquet(path, names)
    else:
        faces = _without_votes(read_csv(path, names))
        beside = path.with_name(FERPLUS_FILE)
        ferplus = beside if ferplus is None and beside.is_file() else ferplus
    return faces if ferplus is None else join_votes(faces, ferplus)


def join_votes(faces: LabelledFaces, path: Path) -> LabelledFaces:
    """Return the faces with FER+'s votes, which stand in the order of fer2013.csv.

    Raises:
        DataError: the file cannot be read, is too short, or puts a row into another split: it is of other faces.
    """
    votes, usages = read_votes(path, VOTES_IN_FILE)
    if len(faces) and faces.rows.max() >= len(votes):
        raise DataError(f"{path} has {len(votes)} rows, but the faces have a row {faces.rows.max()} of fer2013.csv.")
    if len(wrong := np.flatnonzero(usages[faces.rows] != faces.usages)):
        row = int(faces.rows[wrong[0]])
        raise DataError(f"{path}, row {row}: its Usage is {usages[row]}, the face's {faces.usages[wrong[0]]}.")
    return replace(faces, votes=votes[faces.rows])


def _without_votes(rows: Rows) -> LabelledFaces:
    unknown = np.full((len(rows.labels), len(VOTES_IN_FILE)), np.nan, np.float32)
    return LabelledFaces(rows.images, rows.labels, rows.rows, rows.usages, unknown)


def read_parquet(path: Path, names: LabelMap = USUAL) -> LabelledFaces:
    """Return the faces of a Parquet file.

    Its columns: `image` (encoded bytes), `label`, `usage`, and where known `row` and the ten `ferplus_*`.

    Raises:
        DataError: the file is missing, is no Parquet, lacks a column, or a row cannot be read.
    """
    table = _table_of(path)
    pictures = "image.bytes" if "image.bytes" in table else "image"
    for column in (pictures, "label", "usage"):
        if column not in table:
            raise DataError(f"{path} lacks the column {column!r}. It holds: {', '.join(map(str, table.columns))}.")
    labels = _label_numbers(table["label"].to_numpy(), path, names)
    images = np.empty((len(table), FACE_SIZE, FACE_SIZE, 1), np.uint8)
    for row, data in enumerate(table[pictures]):
        images[row, :, :, 0] = decode_face(data, f"{path}, row {row}")
    columns = [f"ferplus_{vote}" for vote in VOTES_IN_FILE]
    known = all(column in table for column in columns)
    votes = np.full((len(table), len(columns)), np.nan, np.float32)
    try:
        votes = table[columns].to_numpy(np.float32) if known else votes
        rows = table["row"].to_numpy(np.int64) if "row" in table else np.arange(len(table))
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: expected numbers in row and the votes. Received: {error}.") from error
    faces = LabelledFaces(images, np.abs(labels), rows, table["usage"].to_numpy(str), votes)
    return faces if (labels >= 0).all() else faces[labels >= 0]


def _table_of(path: Path) -> pd.DataFrame:
    """Return what a Parquet file holds.

    Raises:
        DataError: it is missing, or no whole Parquet file.
    """
    try:
        table: pd.DataFrame = pickle.loads(read_apart(path, READ_PARQUET))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {error.strerror}. "
            "Expected: a Parquet file with the columns image, label, usage."
        ) from error
    return table


def _label_numbers(labels: Array, path: Path, names: LabelMap) -> Array:
    """Return the classes of a Parquet column as int64 (n,), -1 where a label map leaves the row out."""
    if names is not USUAL:
        meant = [names.label(label, f"{path}, row {row}") for row, label in enumerate(labels)]
        return np.array([-1 if number is None else number for number in meant], np.int64)
    if len(wrong := np.flatnonzero(~np.isin(labels, np.arange(N_EMOTIONS)))):
        row = int(wrong[0])
        raise DataError(
            f"{path}, row {row}: label {labels[row]} is unknown. Expected: 0 to {N_EMOTIONS - 1}, "
            f"that is {', '.join(EMOTIONS)}."
        )
    return labels.astype(np.int64)


def soft_targets(faces: LabelledFaces, ferplus_share: float) -> Array:
    """Return what the network is to answer: the label, mixed with how FER+'s ten taggers voted.

    target = (1 - share) * one_hot(label) + share * votes / sum of the votes for the seven classes; a face without such
    votes keeps its label alone.

    Args:
        faces: labelled faces.
        ferplus_share: 0 to 1; below 0.5 the label stays the likeliest class of every row.

    Returns:
        float32 (n, 7), each row sums to 1.
    """
    hard = np.eye(N_EMOTIONS, dtype=np.float32)[faces.labels]
    votes = np.nan_to_num(faces.votes[:, :N_EMOTIONS])
    total = votes.sum(axis=1, keepdims=True)
    mixed = (1 - ferplus_share) * hard + ferplus_share * votes / np.maximum(total, 1)
    return np.where(total > 0, mixed, hard).astype(np.float32)
