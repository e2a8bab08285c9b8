"""Labelled faces from files, their splits, and what a network is to answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image as Pictures

from roomread.errors import DataError
from roomread.learn.datasets import (
    OTHER_VOTES,
    SPLITS,
    VOTES,
    LabelledFaces,
    soft_targets,
    validation_rows,
)
from roomread.learn.readers import read_parquet
from roomread.types import EMOTIONS, N_EMOTIONS

WriteParquet = Callable[[pd.DataFrame], Path]
ARRAYS = ("images", "labels", "rows", "usages", "votes")


def encoded(gray: np.ndarray, kind: str = "PNG") -> bytes:
    import io

    file = io.BytesIO()
    Pictures.fromarray(gray).save(file, format=kind)
    return file.getvalue()


def test_faces_come_back_from_their_file(
    labelled_faces: LabelledFaces, fer_table: pd.DataFrame, write_parquet: WriteParquet
) -> None:
    faces = read_parquet(write_parquet(fer_table))
    for name in ARRAYS:
        assert_array_equal(getattr(faces, name), getattr(labelled_faces, name), err_msg=name)
    assert [str(part.dtype) for part in (faces.images, faces.labels, faces.votes)] == ["uint8", "int64", "float32"]


def test_pictures_may_stand_in_a_column_of_their_bytes(
    labelled_faces: LabelledFaces, fer_table: pd.DataFrame, write_parquet: WriteParquet
) -> None:
    faces = read_parquet(write_parquet(fer_table.rename(columns={"image": "image.bytes"})))
    assert_array_equal(faces.images, labelled_faces.images)


def test_what_is_not_known_is_filled_in(fer_table: pd.DataFrame, write_parquet: WriteParquet) -> None:
    faces = read_parquet(write_parquet(fer_table[["label", "usage", "image"]]))
    assert_array_equal(faces.rows, np.arange(len(fer_table)))
    assert np.isnan(faces.votes).all()
    assert faces.votes.shape == (len(fer_table), 10)


def test_a_picture_of_another_size_or_in_colour_becomes_a_gray_face(
    fer_table: pd.DataFrame, write_parquet: WriteParquet
) -> None:
    fer_table.at[0, "image"] = encoded(np.full((96, 64), 90, np.uint8))
    fer_table.at[1, "image"] = encoded(np.full((48, 48, 3), (255, 0, 0), np.uint8))
    faces = read_parquet(write_parquet(fer_table))
    assert_array_equal(np.unique(faces.images[0]), [90])
    assert_array_equal(np.unique(faces.images[1]), [76])


@pytest.mark.parametrize("name", ["none.parquet", ""], ids=["missing", "a folder"])
def test_a_missing_file_is_refused_by_its_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        DataError,
        match=r"cannot be read as Parquet: .*\. Expected: a Parquet file with the columns image, label, usage",
    ):
        read_parquet(tmp_path / name)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"emotion,pixels\n0,1 2 3\n", id="CSV"),
        pytest.param(lambda data: bytes(300), id="zeros"),
        pytest.param(lambda data: data[: len(data) // 2], id="second half missing"),
        pytest.param(lambda data: data[10:], id="beginning missing"),
        pytest.param(lambda data: data[:-8] + b"\xff\xff\xff\x7f" + b"PAR1", id="footer damaged"),
    ],
)
def test_a_file_that_is_no_parquet_is_refused_by_its_path(
    fer_table: pd.DataFrame, write_parquet: WriteParquet, spoil: Callable[[bytes], bytes]
) -> None:
    path = write_parquet(fer_table[["label", "usage", "image"]])
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=r"faces\.parquet cannot be read as Parquet"):
        read_parquet(path)


@pytest.mark.parametrize("column", ["image", "label", "usage"])
def test_a_missing_column_is_refused_by_its_name(
    fer_table: pd.DataFrame, write_parquet: WriteParquet, column: str
) -> None:
    with pytest.raises(DataError, match=rf"faces\.parquet lacks the column '{column}'\. It holds: row, "):
        read_parquet(write_parquet(fer_table.drop(columns=column)))


@pytest.mark.parametrize("label", [-1, N_EMOTIONS, 10**6])
def test_an_unknown_label_is_refused_with_its_row(
    fer_table: pd.DataFrame, write_parquet: WriteParquet, label: int
) -> None:
    fer_table.loc[3, "label"] = label
    with pytest.raises(DataError, match=rf"faces\.parquet, row 3: label {label} is unknown\. Expected one of: angry"):
        read_parquet(write_parquet(fer_table))


@pytest.mark.parametrize("label", [float("nan"), 1.5], ids=["missing", "a fraction"])
def test_a_label_that_is_no_whole_number_is_refused_with_its_row(
    fer_table: pd.DataFrame, write_parquet: WriteParquet, label: float
) -> None:
    labels = fer_table["label"].astype(float)
    labels[3] = label
    with pytest.raises(DataError, match=r"faces\.parquet, row 3: label"):
        read_parquet(write_parquet(fer_table.assign(label=labels)))


def test_labels_and_splits_may_be_words_and_whole_numbers_fractions(
    labelled_faces: LabelledFaces, fer_table: pd.DataFrame, write_parquet: WriteParquet
) -> None:
    words = pd.Series([EMOTIONS[label].upper() for label in labelled_faces.labels], dtype=object)
    splits = fer_table["usage"].replace("Training", "train")
    faces = read_parquet(write_parquet(fer_table.assign(label=words, usage=splits)))
    assert_array_equal(faces.labels, labelled_faces.labels)
    assert_array_equal(faces.usages, labelled_faces.usages)
    fractions = read_parquet(write_parquet(fer_table.assign(label=fer_table["label"].astype(float))))
    assert_array_equal(fractions.labels, labelled_faces.labels)


def test_an_unknown_split_of_a_row_is_refused(fer_table: pd.DataFrame, write_parquet: WriteParquet) -> None:
    fer_table.loc[3, "usage"] = "exam"
    with pytest.raises(DataError, match=r"faces\.parquet, row 3: split 'exam' is unknown"):
        read_parquet(write_parquet(fer_table))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"12 240 16 0", id="text"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut off"),
        pytest.param(lambda data: data[:35] + bytes([data[35] ^ 1]) + data[36:], id="length of the pixels damaged"),
        pytest.param(lambda data: data[:11] + b"\x0c" + data[12:], id="damaged head"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_with_its_row(
    fer_table: pd.DataFrame, write_parquet: WriteParquet, spoil: Callable[[bytes], bytes]
) -> None:
    fer_table.at[5, "image"] = spoil(bytes(fer_table["image"].iloc[5]))
    with pytest.raises(DataError, match=r"faces\.parquet, row 5: the picture cannot be read"):
        read_parquet(write_parquet(fer_table))


def test_a_missing_picture_is_refused_with_its_row(fer_table: pd.DataFrame, write_parquet: WriteParquet) -> None:
    fer_table.at[5, "image"] = None
    with pytest.raises(DataError, match=r"faces\.parquet, row 5: the picture cannot be read"):
        read_parquet(write_parquet(fer_table))


@pytest.mark.parametrize("name", ["Test", "train", "", "publictest"])
def test_an_unknown_split_is_refused_with_the_known_ones(labelled_faces: LabelledFaces, name: str) -> None:
    with pytest.raises(
        DataError, match=f"There is no split '{name}'. Expected one of: Training, validation, PublicTest"
    ):
        labelled_faces.split(name)


@pytest.mark.parametrize("name", ["Training", "training", "validation", "PrivateTest"])
def test_a_split_that_the_data_does_not_hold_is_refused(labelled_faces: LabelledFaces, name: str) -> None:
    part = labelled_faces.split("PublicTest")
    with pytest.raises(DataError, match=f"no face of the split '{name}'. It holds: PublicTest"):
        part.split(name)
    with pytest.raises(DataError, match="It holds: nothing"):
        part[np.zeros(len(part), bool)].split(name)


@pytest.mark.parametrize(
    ("name", "n"),
    [("Training", 42), ("training", 28), ("validation", 14), ("PublicTest", 7), ("PrivateTest", 7)],
)
def test_a_split_holds_its_own_faces(labelled_faces: LabelledFaces, name: str, n: int) -> None:
    assert len(labelled_faces.split(name)) == n


def test_no_face_of_validation_is_fitted_on(labelled_faces: LabelledFaces) -> None:
    fitting, validation = labelled_faces.split("training"), labelled_faces.split("validation")
    assert not set(fitting.rows) & set(validation_rows())
    assert set(validation.rows) <= set(validation_rows())
    assert_array_equal(
        np.sort(np.concatenate([fitting.rows, validation.rows])), np.sort(labelled_faces.split("Training").rows)
    )


def test_validation_is_of_training_whatever_the_row_says(labelled_faces: LabelledFaces) -> None:
    moved = dataclasses.replace(labelled_faces, usages=np.repeat(["PublicTest"], len(labelled_faces)))
    with pytest.raises(DataError, match="no face of the split 'validation'"):
        moved.split("validation")


def test_test_is_both_of_fer_2013s_tests_and_never_one_of_them_alone(labelled_faces: LabelledFaces) -> None:
    assert set(labelled_faces.split("test").usages) == {"PublicTest", "PrivateTest"}
    assert len(labelled_faces.split("test")) == 14
    with pytest.raises(DataError, match=r"no face of the split 'test'\. It holds: PublicTest, Training"):
        labelled_faces[labelled_faces.usages != "PrivateTest"].split("test")


def test_a_validation_of_the_datas_own_takes_the_place_of_fer_2013s_rows(labelled_faces: LabelledFaces) -> None:
    usages = labelled_faces.usages.copy()
    usages[:3] = "validation"
    faces = dataclasses.replace(labelled_faces, usages=usages)
    assert_array_equal(faces.split("validation").rows, faces.rows[:3])
    assert_array_equal(faces.split("training").rows, faces.rows[3:42])
    assert_array_equal(faces.split("Training").rows, faces.rows[:42])


def test_the_counts_are_of_every_split_that_is_there(labelled_faces: LabelledFaces) -> None:
    counts = labelled_faces.counts()
    assert {name: int(held.sum()) for name, held in counts.items()} == {
        "Training": 42, "validation": 14, "PublicTest": 7, "PrivateTest": 7, "test": 14,
    }  # fmt: skip
    assert_array_equal(counts["Training"], [6] * 7)
    assert labelled_faces[np.zeros(56, bool)].counts() == {}


def test_the_rows_of_validation_are_a_tenth_of_training() -> None:
    rows = validation_rows()
    assert len(rows) == 2872
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0
    assert rows[-1] < 28709


def test_faces_are_kept_with_all_that_belongs_to_them(labelled_faces: LabelledFaces) -> None:
    keep = np.array([5, 2])
    part = labelled_faces[keep]
    for name in ARRAYS:
        assert_array_equal(getattr(part, name), getattr(labelled_faces, name)[keep], err_msg=name)


@pytest.mark.parametrize("name", ["images", "rows", "usages", "votes"])
def test_faces_have_one_row_each(labelled_faces: LabelledFaces, name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        dataclasses.replace(labelled_faces, **{name: getattr(labelled_faces, name)[:-1]})


def with_votes(labels: list[int], votes: Any) -> LabelledFaces:
    n = len(labels)
    table = np.concatenate([np.asarray(votes, np.float32), np.zeros((n, len(OTHER_VOTES)), np.float32)], axis=1)
    images = np.zeros((n, 48, 48, 1), np.uint8)
    return LabelledFaces(images, np.array(labels), np.arange(n), np.array(["Training"] * n), table)


def test_a_target_mixes_the_label_with_the_votes() -> None:
    targets = soft_targets(with_votes([3], [[0, 0, 0, 6, 0, 2, 2]]), 0.3)
    assert_allclose(targets, [[0, 0, 0, 0.7 + 0.3 * 0.6, 0, 0.3 * 0.2, 0.3 * 0.2]], rtol=1e-6)
    assert targets.dtype == np.float32


@pytest.mark.parametrize("votes", [[0.0] * 7, [np.nan] * 7], ids=["all for something else", "unknown"])
def test_a_face_without_votes_keeps_its_label_alone(votes: list[float]) -> None:
    assert_array_equal(soft_targets(with_votes([4], [votes]), 0.3), [[0, 0, 0, 0, 1, 0, 0]])


def test_a_share_of_0_leaves_the_labels(labelled_faces: LabelledFaces) -> None:
    assert_array_equal(soft_targets(labelled_faces, 0.0), np.eye(7)[labelled_faces.labels])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.49])
def test_a_target_sums_to_1_and_keeps_the_label_as_the_likeliest(labelled_faces: LabelledFaces, share: float) -> None:
    against = with_votes([0] * 7, np.eye(7) * 10)  # everybody voted for each other class in turn
    for faces in (labelled_faces, against):
        targets = soft_targets(faces, share)
        assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
        assert_array_equal(targets.argmax(axis=1), faces.labels)


def test_the_names_of_splits_and_votes_are_fer_2013s_and_fer_pluss() -> None:
    assert SPLITS == ("Training", "validation", "PublicTest", "PrivateTest", "test")
    assert VOTES == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert OTHER_VOTES == ("contempt", "unknown", "nf")
