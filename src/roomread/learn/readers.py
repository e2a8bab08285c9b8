"""Labelled faces from the forms in which data sets come: one function per form, and a map from their words to ours."""

from __future__ import annotations

import csv
import pickle
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pictures

from roomread.errors import DataError
from roomread.learn.datasets import VOTES_IN_FILE, LabelledFaces
from roomread.outside import check_ordinary, read_apart, read_text
from roomread.pictures import REFUSED, pixels_of
from roomread.preprocess import FACE_SIZE
from roomread.types import EMOTIONS, N_EMOTIONS, Array

if TYPE_CHECKING:
    import pandas as pd

FER2013_TRAINING = 28_709  # rows of FER-2013's Training; a table with as many of them is taken for it
FERPLUS_FILE = "fer2013new.csv"  # as Microsoft names it; joined on its own where it lies beside the CSV

# fastparquet does not survive some damaged files, see `outside.read_apart`.
READ_PARQUET = """
import fastparquet, pickle, sys
with open(sys.argv[1], "rb") as file:
    pickle.dump(fastparquet.ParquetFile(file).to_pandas(), sys.stdout.buffer, 5)
"""

GRAYS = {str(gray): gray for gray in range(256)}  # half the time that `int` takes
PIXELS = FACE_SIZE * FACE_SIZE
LEAST_AGREEING = (
    0.5  # of FER+'s majorities with the labels; in FER-2013 four in five do, of rows that slipped one in six
)
LEFT_OUT = "-"  # as a class in a label map: faces with this label are not read

# Names of the classes, whatever their case; the number is FER-2013's own index. The order of folders says nothing.
LABELS = {name: index for index, name in enumerate(EMOTIONS)} | {
    "anger": 0, "disgusted": 1, "fearful": 2, "happiness": 3, "sadness": 4, "surprised": 5,
    **{str(index): index for index in range(N_EMOTIONS)},
}  # fmt: skip
# Names of the splits, whatever their case. FER-2013's class folders keep PublicTest and PrivateTest together as `test`.
SPLIT_NAMES = {
    "train": "Training", "training": "Training", "val": "validation", "valid": "validation",
    "validation": "validation", "publictest": "PublicTest", "privatetest": "PrivateTest", "test": "test",
}  # fmt: skip
NO_PICTURES = ("thumbs.db", "desktop.ini")  # and what begins with a dot: left by file managers
VALIDATION_SHARE = 0.1  # of the Training of data sets that bring no validation


@dataclass(frozen=True, slots=True)
class LabelMap:
    """How a data set's words become ours; keys in lower case.

    labels: its name of a class → index into EMOTIONS, None for a class that is left out.
    splits: its name of a split → Training, validation, PublicTest, PrivateTest or test.
    """

    labels: dict[str, int | None]
    splits: dict[str, str]

    def label(self, name: object, where: str) -> int | None:
        """Return the class of a name, None where it is left out; DataError, beginning with `where`, if unknown."""
        key = str(name).strip().lower()
        if key not in self.labels:
            raise DataError(f"{where}: label {name} is unknown. Expected one of: {', '.join(self.labels)}.")
        return self.labels[key]

    def is_training(self, name: str) -> bool:
        """Tell whether a name of a split means Training."""
        return self.splits.get(name.strip().lower()) == "Training"

    def split(self, name: str, where: str) -> str:
        """Return the split of a name; DataError, beginning with `where`, if unknown."""
        key = name.strip().lower()
        if key not in self.splits:
            raise DataError(f"{where}: split {name!r} is unknown. Expected one of: {', '.join(self.splits)}.")
        return self.splits[key]


USUAL = LabelMap(dict(LABELS), SPLIT_NAMES)


def read_faces(path: Path, label_map: Path | None = None, ferplus: Path | None = None) -> LabelledFaces:
    """Return the faces of a data set in any of its forms.

    Where no face is a validation, a tenth of each class of Training becomes it, chosen by the pictures' content: the
    same pictures again whatever they are called, and identical ones together. FER-2013 itself has a list of rows.

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
        faces = read_folders(path, names)
    elif path.suffix.lower() == ".csv":
        faces = read_csv(path, names)
        beside = path.with_name(FERPLUS_FILE)
        ferplus = beside if ferplus is None and beside.is_file() else ferplus
    else:
        faces = read_parquet(path, names)
    faces = faces if ferplus is None else join_votes(faces, ferplus)
    if faces.fer2013 or "validation" in faces.usages:
        return faces
    apart = set_apart(faces.images, faces.labels, faces.usages == "Training")
    return replace(faces, usages=np.where(apart, "validation", faces.usages))


def is_fer2013(faces: LabelledFaces) -> bool:
    """Tell whether these are FER-2013's faces, by their rows, or else, in folders, by how many it trains on."""
    return faces.fer2013 or len(faces.split("Training")) == FER2013_TRAINING


def join_votes(faces: LabelledFaces, path: Path) -> LabelledFaces:
    """Return the faces with FER+'s votes, which stand in the order of fer2013.csv.

    Raises:
        DataError: the file cannot be read, is too short, or puts a row into another split: it is of other faces.
    """
    votes, usages = read_votes(path)
    if len(faces) and faces.rows.max() >= len(votes):
        raise DataError(f"{path} has {len(votes)} rows, but the faces have a row {faces.rows.max()} of fer2013.csv.")
    if len(wrong := np.flatnonzero(usages[faces.rows] != faces.usages)):
        row = int(faces.rows[wrong[0]])
        raise DataError(f"{path}, row {row}: its Usage is {usages[row]}, the face's {faces.usages[wrong[0]]}.")
    joined = votes[faces.rows]
    clear = joined[:, :N_EMOTIONS].max(axis=1, initial=0) > joined.sum(axis=1) / 2
    agreeing = (joined[clear, :N_EMOTIONS].argmax(axis=1) == faces.labels[clear]).mean() if clear.any() else 1.0
    if agreeing < LEAST_AGREEING:
        raise DataError(
            f"{path} is of other faces: its majorities agree with {agreeing:.0%} of the labels. Expected: about 80%, "
            "every row of fer2013.csv in its place; where rows are missing, no such file beside them."
        )
    return replace(faces, votes=joined)


def read_label_map(path: Path) -> LabelMap:
    """Return the map that a TOML file describes.

    Its table [labels] maps each name of a class to one of EMOTIONS, or to "-" to leave the class out; a name that it
    does not mention is unknown, 0 to 6 included. Its table [splits], where there is one, adds names of splits.

    Raises:
        DataError: the file is missing, is no TOML, or maps to something unknown.
    """
    try:
        tables = tomllib.loads(read_text(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Expected: a label map in TOML.") from error
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, of a number too long, of too many brackets
        raise DataError(f"{path} is not valid TOML: {error}.") from error
    words, splits = tables.get("labels"), tables.get("splits", {})
    if not isinstance(words, dict) or not words or not isinstance(splits, dict) or set(tables) - {"labels", "splits"}:
        raise DataError(f"{path}: expected a table [labels] and perhaps [splits]. It holds: {', '.join(tables)}.")
    labels: dict[str, int | None] = {}
    for name, meant in words.items():
        if meant != LEFT_OUT and meant not in EMOTIONS:
            raise DataError(
                f"{path}: {name!r} is mapped to {meant!r}. Expected one of: {', '.join(EMOTIONS)}, {LEFT_OUT}."
            )
        labels[name.lower()] = None if meant == LEFT_OUT else EMOTIONS.index(meant)
    for name, meant in splits.items():
        if meant not in SPLIT_NAMES.values():
            known = ", ".join(dict.fromkeys(SPLIT_NAMES.values()))
            raise DataError(f"{path}: the split {name!r} is mapped to {meant!r}. Expected one of: {known}.")
    return LabelMap(labels, SPLIT_NAMES | {name.lower(): meant for name, meant in splits.items()})


def read_csv(path: Path, names: LabelMap = USUAL) -> LabelledFaces:
    """Return the faces of a table with the columns emotion, pixels and Usage, in any order and case.

    This is `fer2013.csv` as well as `icml_face_data.csv`.

    Raises:
        DataError: the file is missing or damaged, lacks a column, or a row is short, has a pixel out of range, or a
            label or split that is unknown; the message names file, row (from 0) and line (from 1).
    """
    pixels, labels, rows, usages, training = bytearray(), [], [], [], 0
    for row, where, (emotion, values, usage) in _table(path, ("emotion", "pixels", "usage")):
        training += names.is_training(usage)
        label = names.label(emotion, where)
        if label is None:
            continue
        pixels += _pixels(values, where)
        labels.append(label)
        rows.append(row)
        usages.append(names.split(usage, where))
    if not labels:
        raise DataError(f"{path} holds no face. Expected: rows with emotion, pixels and Usage.")
    images = np.frombuffer(pixels, np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE, 1)
    about = (np.array(labels, np.int64), np.array(rows, np.int64), np.array(usages))
    return LabelledFaces(images, *about, _no_votes(len(labels)), training == FER2013_TRAINING)


def _no_votes(n: int) -> Array:
    return np.full((n, len(VOTES_IN_FILE)), np.nan, np.float32)


def read_votes(path: Path) -> tuple[Array, Array]:
    """Return FER+'s votes, in the order of fer2013.csv: float32 (n, 10), and its splits: str (n,).

    Raises:
        DataError: the file is missing or damaged, lacks a column, or a row is short or holds no counts.
    """
    votes, usages = [], []
    for _, where, (usage, *values) in _table(path, ("usage", *VOTES_IN_FILE)):
        if not all(value.isdecimal() and len(value) < 5 for value in values):
            raise DataError(f"{where}: expected {len(VOTES_IN_FILE)} counts of votes. Received: {', '.join(values)}.")
        votes.append([int(value) for value in values])
        usages.append(USUAL.split(usage, where))
    return np.array(votes, np.float32).reshape(len(votes), len(VOTES_IN_FILE)), np.array(usages)


def _table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Yield for each row of a CSV file its number from 0, how a message names it, and the named columns' fields."""
    try:
        check_ordinary(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            head = [name.strip().lower() for name in next(lines, [])]
            for column in columns:
                if column not in head:
                    raise DataError(f"{path} lacks the column {column!r}. It holds: {', '.join(head) or 'nothing'}.")
            places = [head.index(column) for column in columns]
            for row, fields in enumerate(line for line in lines if line):
                where = f"{path}, row {row} (line {lines.line_num})"
                if len(fields) < len(head):
                    raise DataError(
                        f"{where}: the row is short. Expected: {len(head)} fields. Received: {len(fields)}."
                    )
                yield row, where, [fields[place].strip() for place in places]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Expected: a CSV file.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no CSV file that can be read: {error}.") from error


def _pixels(text: str, where: str) -> bytes:
    try:
        values = bytes(map(GRAYS.__getitem__, text.split()))
    except KeyError as error:
        wrong = str(error.args[0])
        raise DataError(
            f"{where}: pixel {text.split().index(wrong)} is {wrong[:20]}. Expected: a whole number of 0 to 255."
        ) from error
    if len(values) != PIXELS:
        raise DataError(f"{where}: the row has {len(values)} pixels. Expected: {PIXELS}, that is 48 x 48.")
    return values


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
    columns = [f"ferplus_{vote}" for vote in VOTES_IN_FILE]
    try:
        known = all(column in table for column in columns)
        votes = table[columns].to_numpy(np.float32) if known else _no_votes(len(table))
        rows = table["row"].astype(np.int64).to_numpy() if "row" in table else np.arange(len(table))
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: expected numbers in row and the votes. Received: {error}.") from error
    images, labels, usages, kept, training = [], [], [], [], 0
    for row, (data, word, usage) in enumerate(zip(*(table[c] for c in (pictures, "label", "usage")), strict=True)):
        where = f"{path}, row {row}"
        training += names.is_training(str(usage))
        label = names.label(f"{word:g}" if isinstance(word, float | np.floating) else word, where)  # 3.0 is 3
        if label is not None:
            images.append(decode_face(data, where))
            labels.append(label)
            usages.append(names.split(str(usage), where))
            kept.append(row)
    faces = np.array(images, np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE, 1)
    about = (np.array(labels, np.int64), rows[kept], np.array(usages, str))
    return LabelledFaces(faces, *about, votes[kept], training == FER2013_TRAINING)


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


def read_folders(path: Path, names: LabelMap = USUAL) -> LabelledFaces:
    """Return the faces of folders, one per class, inside folders, one per split (`train`, `test`, ...).

    Class folders without split folders around them are Training, unless `path` itself has the name of a split.

    Raises:
        DataError: a folder is unknown or empty, or a picture cannot be read; the message names it.
    """
    images, labels, usages = [], [], []
    for folder, usage in _split_folders(path, names):
        classes = _inside(folder)
        if not classes:
            raise DataError(f"{folder} is empty. Expected: one folder per class, as angry or happy.")
        for place in classes:
            if not place.is_dir():
                raise DataError(f"{place} is no folder. Expected beside it: one folder per class, as angry or happy.")
        for place in classes:
            if names is USUAL and place.name.isdecimal():  # 0 is angry in FER-2013, and neutral in AffectNet
                raise DataError(
                    f"{place}: which class a number stands for differs from data set to data set. Expected: names, as "
                    "angry or happy, or a label map that says it (--labels)."
                )
        known = [(names.label(place.name, str(place)), place) for place in classes]
        for label, place in sorted((label, place) for label, place in known if label is not None):
            files = _inside(place)
            if not files:
                raise DataError(f"The class folder {place} is empty. Expected: pictures.")
            images += [decode_face(file, str(file)) for file in files]
            labels += [label] * len(files)
            usages += [usage] * len(files)
    if not images:
        raise DataError(f"{path} holds no face: every class is left out by the label map.")
    about = (np.array(labels, np.int64), np.arange(len(labels)), np.array(usages))
    return LabelledFaces(np.array(images)[..., None], *about, _no_votes(len(labels)))


def _split_folders(path: Path, names: LabelMap) -> list[tuple[Path, str]]:
    """Return the folders that hold class folders, each with its split, Training first."""
    folders = [place for place in _inside(path) if place.is_dir()]
    if not folders:
        raise DataError(f"{path} holds no folders. Expected: train and test with one folder per class in each.")
    if not any(place.name.lower() in names.splits for place in folders):
        return [(path, names.splits.get(path.resolve().name.lower(), "Training"))]
    order = ("Training", "validation", "PublicTest", "PrivateTest", "test")
    found = [(place, names.split(place.name, str(place))) for place in folders]
    return sorted(found, key=lambda pair: order.index(pair[1]))


def _inside(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    return [place for place in found if not place.name.startswith(".") and place.name.lower() not in NO_PICTURES]


def set_apart(images: Array, labels: Array, among: Array) -> Array:
    """Return which faces become the validation: a tenth of each class, bool (n,), chosen by the pictures' content.

    Args:
        images: uint8 (n, 48, 48, 1).
        labels: int64 (n,), index into EMOTIONS.
        among: bool (n,), the faces to choose among.
    """
    codes = np.array([zlib.crc32(image.tobytes()) for image in images], np.uint32)
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        distinct = np.unique(codes[among & (labels == label)])  # ascending, as good as random
        chosen |= np.isin(codes, distinct[: round(VALIDATION_SHARE * len(distinct))])
    return chosen & among


def decode_face(data: Any, where: str) -> Array:
    """Return an encoded picture as uint8 (48, 48), gray; another size is resized as a whole, upright.

    Args:
        data: the encoded bytes, or the path of the file.
        where: how a message names it.

    Raises:
        DataError: it is no picture.
    """
    try:
        gray = pixels_of(data, "L")
    except (*REFUSED, TypeError) as error:
        raise DataError(f"{where}: the picture cannot be read: {error}.") from error
    if gray.shape != (FACE_SIZE, FACE_SIZE):
        picture = Pictures.fromarray(gray).resize((FACE_SIZE, FACE_SIZE), Pictures.Resampling.BICUBIC)
        gray = np.asarray(picture)
    return gray
