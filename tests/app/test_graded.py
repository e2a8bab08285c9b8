"""Graded pictures are read as faces of a lesson are."""

from __future__ import annotations

import io
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pictures

from roomread.app.graded import STATISTICS, GradedPictures, read_graded, with_margin
from roomread.errors import DataError
from roomread.types import N_SIGNALS, Image


def encoded(picture: Image) -> bytes:
    file = io.BytesIO()
    Pictures.fromarray(picture).save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="module")
def face() -> Image:
    """A tight crop of a face in the public domain."""
    data = pytest.importorskip("skimage.data")
    picture: Image = data.astronaut()[60:190, 165:275]
    return picture


def write(path: Path, pictures: list[bytes], **columns: list[int]) -> Path:
    levels = {"subject": list(range(len(pictures))), "engagement": [0] * len(pictures)}
    fastparquet.write(str(path), pd.DataFrame({"image": pictures, **levels, **columns}))
    return path


def test_a_face_is_read_and_a_picture_without_one_is_missing(face: Image, tmp_path: Path) -> None:
    blank = np.full((100, 80, 3), 127, np.uint8)
    path = write(tmp_path / "graded.parquet", [encoded(face), encoded(blank)], engagement=[2, 0], subject=[7, 8])
    shares: list[float] = []
    told = read_graded(path, shares.append)
    assert told.levels.tolist() == [2, 0] and told.people.tolist() == [7, 8]
    assert told.signals[0, 0] > 0.5 and np.isfinite(told.emotions[0]).all()
    assert np.isnan(told.signals[1]).all() and np.isnan(told.emotions[1]).all()
    assert np.isfinite(told.statistics).all() and told.statistics[1, STATISTICS.index("contrast")] == 0
    assert shares == [0.5, 1.0] and len(told.sha256) == 64


def test_a_part_of_the_pictures_keeps_its_rows_together(face: Image, tmp_path: Path) -> None:
    told = read_graded(write(tmp_path / "graded.parquet", [encoded(face)] * 3, engagement=[0, 1, 2]))
    part = told[np.array([True, False, True])]
    assert part.levels.tolist() == [0, 2] and part.signals.shape == (2, N_SIGNALS) and part.sha256 == told.sha256


def test_a_tight_crop_is_enlarged_with_gray_around_it() -> None:
    whole = with_margin(np.zeros((100, 50, 3), np.uint8))
    assert whole.shape == (400, 280, 3) and with_margin(whole, 60).shape[0] == 100
    assert (whole[0] == 128).all() and (whole[200, 140] == 0).all()


def test_rows_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="signals"):
        GradedPictures(
            name="x", sha256="", emotions=np.empty((2, 7)), signals=np.empty((1, N_SIGNALS)),
            statistics=np.empty((2, 5)), levels=np.zeros(2, np.int64), people=np.zeros(2),
        )  # fmt: skip


def test_a_file_of_another_kind_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "no.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="Expected: a Parquet file"):
        read_graded(tmp_path / "no.parquet")
    fastparquet.write(str(tmp_path / "other.parquet"), pd.DataFrame({"image": [b"x"], "subject": [1]}))
    with pytest.raises(DataError, match="no column engagement"):
        read_graded(tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"Row 0 .* holds no picture"):
        read_graded(write(tmp_path / "damaged.parquet", [b"nothing"]))
