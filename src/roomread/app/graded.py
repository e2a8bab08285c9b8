"""Pictures of faces whose engagement people graded, and what can be read of each as in a lesson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fastparquet
import numpy as np
from PIL import Image as Pictures

from roomread.errors import DataError
from roomread.faces.detector import open_detector
from roomread.faces.expression import ExpressionModel
from roomread.faces.head import HeadReader
from roomread.modelcard import sha256_of
from roomread.pictures import REFUSED, pixels_of
from roomread.types import N_EMOTIONS, N_SIGNALS, Array, Image, check_shape

HEIGHT = 240  # pixels, to which pictures are enlarged or reduced
MARGIN = (
    1 / 3
)  # of the height, of gray: the pictures are tight crops, and detector and mesh want to see a face whole, with
GRAY = 128  # something around it; repeated edges look like a covered face to the mesh
STATISTICS = ("mean", "contrast", "detail along", "detail across", "file size")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GradedPictures:
    """What was read of graded pictures, one row per picture.

    name: of the file. sha256: of the file.
    emotions: float32 (n, 7), in the order of EMOTIONS; NaN where no face was found or read.
    signals: float32 (n, 11), in the order of SIGNALS; NaN likewise.
    statistics: float64 (n, 5), in the order of STATISTICS, of the picture and not of the face.
    levels: int64 (n,), from 0, low to high. people: (n,), whose face it is.
    """

    name: str
    sha256: str
    emotions: Array
    signals: Array
    statistics: Array
    levels: Array
    people: Array

    def __post_init__(self) -> None:
        n = len(self.levels)
        check_shape("emotions", self.emotions, (n, N_EMOTIONS))
        check_shape("signals", self.signals, (n, N_SIGNALS))
        check_shape("statistics", self.statistics, (n, len(STATISTICS)))
        check_shape("people", self.people, (n,))

    def __getitem__(self, keep: Array) -> GradedPictures:
        """Return the pictures that a mask or an index array keeps, in its order."""
        parts = ("emotions", "signals", "statistics", "levels", "people")
        return GradedPictures(name=self.name, sha256=self.sha256, **{part: getattr(self, part)[keep] for part in parts})


def read_graded(path: Path, progress: Callable[[float], None] | None = None, height: int = HEIGHT) -> GradedPictures:
    """Look at every picture of a Parquet file.

    Args:
        path: with the columns `image` (an encoded picture), `subject` and `engagement` (levels from 0, low to high).
        progress: called with the share that is done, 0 to 1.
        height: pixels, to which pictures are enlarged or reduced; faces are about as large.

    Raises:
        DataError: it cannot be read, or lacks a column.
    """
    try:
        with path.open("rb") as file:
            table = fastparquet.ParquetFile(file).to_pandas()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read. Expected: a Parquet file. Received: {error}.") from error
    column = "image.bytes" if "image.bytes" in table else "image"
    for wanted in (column, "subject", "engagement"):
        if wanted not in table:
            raise DataError(f"{path} has no column {wanted}. Expected: image, subject and engagement.")
    detector, reader, head = open_detector(), ExpressionModel(), HeadReader()
    n = len(table)
    emotions, signals = (np.full((n, width), np.nan, np.float32) for width in (N_EMOTIONS, N_SIGNALS))
    statistics = np.empty((n, len(STATISTICS)))
    for row, data in enumerate(table[column]):
        picture = _open(data, path, row)
        statistics[row] = *_statistics(picture), len(data)
        whole = with_margin(picture, height)
        faces = detector.detect(whole)
        if len(faces):
            surest = faces[np.array([0])]
            emotions[row] = reader.predict(whole, surest.boxes, surest.points)[0][0]
            signals[row] = head.read(whole, surest.boxes, surest.points)[0]
        if progress is not None:
            progress((row + 1) / n)
    return GradedPictures(
        name=path.name,
        sha256=sha256_of(path),
        emotions=emotions,
        signals=signals,
        statistics=statistics,
        levels=table["engagement"].to_numpy().astype(np.int64),
        people=table["subject"].to_numpy(),
    )


def with_margin(picture: Image, height: int = HEIGHT) -> Image:
    """Return a tight crop of a face at another height, with gray around it."""
    width, margin = round(height * picture.shape[1] / picture.shape[0]), round(height * MARGIN)
    scaled = np.asarray(Pictures.fromarray(picture).resize((width, height), Pictures.Resampling.BICUBIC))
    whole: Image = np.pad(scaled, ((margin, margin), (margin, margin), (0, 0)), constant_values=GRAY)
    return whole


def _open(data: bytes, path: Path, row: int) -> Image:
    try:
        return pixels_of(data, "RGB")
    except (*REFUSED, TypeError) as error:  # a cell need not hold bytes
        raise DataError(f"Row {row} of {path} holds no picture that can be read: {error}.") from error


def _statistics(picture: Image) -> tuple[float, float, float, float]:
    gray = picture.mean(axis=2)
    along, across = (float(abs(np.diff(gray, axis=axis)).mean()) for axis in (1, 0))
    return float(gray.mean()), float(gray.std()), along, across
