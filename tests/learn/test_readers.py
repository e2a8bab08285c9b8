"""A data set in each of its forms: what is read, and the line that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pictures

from roomread.errors import DataError
from roomread.learn import readers
from roomread.learn.datasets import OTHER_VOTES, VOTES, LabelledFaces, validation_rows
from roomread.learn.readers import join_votes, read_faces, read_label_map, set_apart
from roomread.types import EMOTIONS, Array

FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")


@pytest.fixture
def small(labelled_faces: LabelledFaces) -> LabelledFaces:
    """Fourteen of the faces: seven of Training, seven of PublicTest."""
    return labelled_faces[np.r_[0:7, 42:49]]


@pytest.fixture
def lines(small: LabelledFaces) -> list[str]:
    """The lines of `fer2013.csv` that hold these faces, to be spoilt by a test at will."""
    pixels = [" ".join(map(str, image.ravel())) for image in small.images]
    rows = zip(small.labels, pixels, small.usages, strict=True)
    return ["emotion,pixels,Usage", *(f"{label},{values},{usage}" for label, values, usage in rows)]


def write(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def votes_table(faces: LabelledFaces) -> list[str]:
    columns = [(VOTES + OTHER_VOTES).index(name.lower()) for name in FERPLUS]
    rows = [
        f"{usage},fer{row:07}.png," + ",".join(f"{vote:.0f}" for vote in votes[columns])
        for row, (usage, votes) in enumerate(zip(faces.usages, faces.votes, strict=True))
    ]
    return ["Usage,Image name," + ",".join(FERPLUS), *rows]


def picture(path: Path, gray: int, size: tuple[int, int] = (48, 48), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pictures.new("L", size, gray).convert(mode).save(path)


def folders(path: Path, classes: tuple[str, ...] = EMOTIONS, splits: tuple[str, ...] = ("train", "test")) -> Path:
    """Write one picture per class and split; its gray is 10 times the place of its class in `classes`."""
    for split in splits:
        for number, name in enumerate(classes):
            picture(path / split / name / "a.png", 10 * number)
    return path


def grays(faces: LabelledFaces) -> Array:
    return faces.images[:, 0, 0, 0]


def test_the_two_csv_files_of_fer_2013_give_the_same_faces(
    small: LabelledFaces, lines: list[str], tmp_path: Path
) -> None:
    split = [line.split(",") for line in lines]
    other = ["emotion, Usage, pixels", *(f"{label},{usage},{pixels}" for label, pixels, usage in split[1:])]
    for path in (write(tmp_path / "fer2013.csv", lines), write(tmp_path / "icml_face_data.csv", other)):
        faces = read_faces(path)
        for name in ("images", "labels", "usages"):
            assert_array_equal(getattr(faces, name), getattr(small, name), err_msg=name)
        assert_array_equal(faces.rows, np.arange(14))
        assert np.isnan(faces.votes).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("0,", "", r"row 0 \(line 2\): the row is short. Expected: 3 fields. Received: 2", id="short row"),
        pytest.param("0,", "7,", r"row 0 \(line 2\): label 7 is unknown. Expected one of: angry, .*6", id="label"),
        pytest.param("0,", ",", r"row 0 \(line 2\): label  is unknown", id="no label"),
        pytest.param(
            "0,", "0,256 ", r"row 0 \(line 2\): pixel 0 is 256\. Expected: a whole number of 0", id="too high"
        ),
        pytest.param("0,", "0,-1 ", r"pixel 0 is -1\.", id="negative"),
        pytest.param("0,", "0,1.5 ", r"pixel 0 is 1\.5\.", id="a fraction"),
        pytest.param("0,", "0,1 ", r"has 2305 pixels. Expected: 2304", id="one pixel more"),
        pytest.param("Training", "train2", r"row 0 \(line 2\): split 'train2' is unknown", id="split"),
    ],
)
def test_a_wrong_row_of_a_csv_is_refused_by_file_row_and_line(
    lines: list[str], tmp_path: Path, old: str, new: str, message: str
) -> None:
    lines[1] = lines[1].replace(old, new, 1)
    with pytest.raises(DataError, match=rf"fer2013\.csv, .*{message}"):
        read_faces(write(tmp_path / "fer2013.csv", lines))


@pytest.mark.parametrize("column", ["emotion", "pixels", "usage"])
def test_a_missing_column_of_a_csv_is_refused_by_its_name(lines: list[str], tmp_path: Path, column: str) -> None:
    lines[0] = lines[0].lower().replace(column, "other")
    with pytest.raises(DataError, match=rf"fer2013\.csv lacks the column '{column}'\. It holds: .*other"):
        read_faces(write(tmp_path / "fer2013.csv", lines))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "lacks the column 'emotion'. It holds: nothing"),
        (b"emotion,pixels,Usage\n", "holds no face"),
        (b"\xff\xfe\x00\x01", "is no CSV file that can be read"),
        (b"emotion,pixels,Usage\n0," + b"1" * 200_000, "is no CSV file that can be read: field larger"),
    ],
    ids=["empty", "no rows", "no text", "an endless field"],
)
def test_a_file_that_is_no_table_of_faces_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "fer2013.csv").write_bytes(data)
    with pytest.raises(DataError, match=rf"fer2013\.csv {message}"):
        read_faces(tmp_path / "fer2013.csv")


def test_a_csv_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv cannot be read: No such file"):
        read_faces(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["fer2013new.csv", "votes.csv"], ids=["beside", "given"])
def test_the_votes_of_ferplus_are_joined_by_row(
    small: LabelledFaces, lines: list[str], tmp_path: Path, name: str
) -> None:
    path = write(tmp_path / name, votes_table(small))
    faces = read_faces(write(tmp_path / "fer2013.csv", lines), ferplus=None if name == "fer2013new.csv" else path)
    assert_array_equal(faces.votes, small.votes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda rows: rows[:-1], "has 13 rows, but the faces have a row 13", id="too short"),
        pytest.param(lambda rows: [rows[0], *rows[:0:-1]], "row 0: its Usage is PublicTest, the face's", id="order"),
        pytest.param(lambda rows: [rows[0][:-3], *rows[1:]], "lacks the column 'nf'", id="column"),
        pytest.param(lambda rows: [rows[0], rows[1] + "x", *rows[2:]], r"row 0 .*expected 10 counts", id="no count"),
    ],
)
def test_votes_that_do_not_fit_are_refused(
    small: LabelledFaces, lines: list[str], tmp_path: Path, spoil: Callable[[list[str]], list[str]], message: str
) -> None:
    write(tmp_path / "fer2013new.csv", spoil(votes_table(small)))
    with pytest.raises(DataError, match=rf"fer2013new\.csv.*{message}"):
        read_faces(write(tmp_path / "fer2013.csv", lines))


def test_votes_join_a_parquet_file_too(
    small: LabelledFaces, fer_table: pd.DataFrame, write_parquet: Callable[[pd.DataFrame], Path], tmp_path: Path
) -> None:
    kept = fer_table[["label", "usage", "image"]].take([*range(7), *range(42, 49)]).reset_index(drop=True)
    faces = read_faces(write_parquet(kept), ferplus=write(tmp_path / "votes.csv", votes_table(small)))
    assert_array_equal(faces.votes, small.votes)
    assert_array_equal(join_votes(faces[np.array([3])], tmp_path / "votes.csv").votes, small.votes[[3]])


@pytest.mark.parametrize(
    "classes",
    [EMOTIONS, ("anger", "Disgust", "FEAR", "happiness", "sadness", "surprised", "neutral")],
    ids=["FER-2013", "FER+"],
)
def test_folders_are_classes_by_their_names(tmp_path: Path, classes: tuple[str, ...]) -> None:
    faces = read_faces(folders(tmp_path, classes))
    assert_array_equal(faces.labels, np.tile(np.arange(7), 2))
    assert_array_equal(grays(faces), 10 * faces.labels)  # made by name, whatever the alphabet says
    assert faces.usages.tolist() == ["Training"] * 7 + ["test"] * 7
    assert_array_equal(faces.rows, np.arange(14))


def test_folders_called_by_numbers_need_to_be_told_what_they_are(tmp_path: Path) -> None:
    """AffectNet begins with neutral, FER-2013 with angry."""
    path = folders(tmp_path / "faces", tuple("0123456"))
    with pytest.raises(DataError, match=r"0: which class a number stands for differs .* a label map"):
        read_faces(path)
    numbers = [f'{number} = "{name}"' for number, name in enumerate(("neutral", *EMOTIONS[:-1]))]
    faces = read_faces(path, write(tmp_path / "map.toml", ["[labels]", *numbers]))
    assert_array_equal(grays(faces) // 10, (faces.labels + 1) % 7)


def test_votes_of_other_faces_are_refused(small: LabelledFaces, lines: list[str], tmp_path: Path) -> None:
    for slip, refused in ((0, False), (1, True)):  # each face has its own class, or its neighbour's
        votes = np.pad(10 * np.eye(7, dtype=np.float32)[(small.labels + slip) % 7], [(0, 0), (0, 3)])
        write(tmp_path / "fer2013new.csv", votes_table(replace(small, votes=votes)))
        if not refused:
            assert_array_equal(read_faces(write(tmp_path / "fer2013.csv", lines)).votes, votes)
    with pytest.raises(DataError, match=r"is of other faces: its majorities agree with \d+% of the labels"):
        read_faces(write(tmp_path / "fer2013.csv", lines))


def test_pictures_of_any_format_size_and_colour_become_faces(tmp_path: Path) -> None:
    names = ("a.png", "b.jpg", "c.bmp", "d.webp", "e.gif", "f.tiff")
    for number, name in enumerate(names):
        picture(tmp_path / "train" / "happy" / name, 90, (30 + 20 * number, 64), "RGB" if number % 2 else "L")
    (tmp_path / "train" / "happy" / "Thumbs.db").write_bytes(b"left by a file manager")
    (tmp_path / "train" / ".DS_Store").write_bytes(b"left by a file manager")
    faces = read_faces(tmp_path)
    assert faces.images.shape == (6, 48, 48, 1)
    assert np.abs(faces.images.astype(int) - 90).max() <= 2


@pytest.mark.parametrize(("name", "usage"), [("set", "Training"), ("test", "test"), ("PrivateTest", "PrivateTest")])
def test_class_folders_alone_are_training_unless_their_folder_says_otherwise(
    tmp_path: Path, name: str, usage: str
) -> None:
    faces = read_faces(folders(tmp_path, splits=(name,)) / name)
    assert set(faces.usages) == {usage}


def spoil_folders(path: Path, what: str) -> None:
    if what == "empty":
        (path / "train" / "happy" / "a.png").unlink()
    elif what == "unknown class":
        (path / "train" / "happy").rename(path / "train" / "bored")
    elif what == "unknown split":
        (path / "test").rename(path / "extra")
    elif what == "no picture":
        (path / "train" / "sad" / "b.png").write_text("not a picture")
    elif what == "cut off":
        data = (path / "train" / "sad" / "a.png").read_bytes()
        (path / "train" / "sad" / "a.png").write_bytes(data[: len(data) // 2])
    elif what == "a folder":
        (path / "train" / "sad" / "more").mkdir()
    elif what == "a file":
        (path / "train" / "readme.txt").write_text("about")
    elif what == "no class":
        for place in (path / "test").iterdir():
            (place / "a.png").unlink()
            place.rmdir()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("empty", "The class folder .*train.happy is empty"),
        ("unknown class", r"train.bored: label bored is unknown\. Expected one of: angry"),
        ("unknown split", r"extra: split 'extra' is unknown\. Expected one of: train"),
        ("no picture", r"train.sad.b\.png: the picture cannot be read"),
        ("cut off", r"train.sad.a\.png: the picture cannot be read"),
        ("a folder", "train.sad.more: the picture cannot be read"),
        ("a file", r"readme\.txt is no folder"),
        ("no class", r"test is empty\. Expected: one folder per class"),
    ],
)
def test_a_wrong_folder_or_picture_is_refused_by_its_path(tmp_path: Path, what: str, message: str) -> None:
    spoil_folders(folders(tmp_path), what)
    with pytest.raises(DataError, match=message):
        read_faces(tmp_path)


def test_an_empty_folder_and_votes_for_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match=r"holds no folders\. Expected: train and test"):
        read_faces(tmp_path / "set")
    with pytest.raises(DataError, match="cannot be joined"):
        read_faces(tmp_path / "set", ferplus=tmp_path / "fer2013new.csv")


def test_a_tenth_of_each_class_is_set_apart_by_content_and_copies_stay_together(labelled_faces: LabelledFaces) -> None:
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (300, 48, 48, 1)).astype(np.uint8)
    images[200:] = images[:100]
    labels, among = np.arange(300) % 100 % 4, np.ones(300, bool)
    chosen = set_apart(images, labels, among)
    assert_array_equal(chosen[200:], chosen[:100])
    assert [int(chosen[:200][labels[:200] == label].sum()) for label in range(4)] == [5, 5, 5, 5]
    order = noise.permutation(300)
    assert_array_equal(set_apart(images[order], labels[order], among), chosen[order])
    assert not set_apart(images, labels, ~among).any()


def test_a_table_that_is_not_fer_2013_has_a_tenth_of_each_class_set_apart_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"] + [
        f"{row % 2 * 3},{' '.join(map(str, noise.integers(0, 256, 2304)))},Training" for row in range(60)
    ]
    path = write(tmp_path / "mine.csv", lines)
    faces = read_faces(path)
    assert_array_equal(np.bincount(faces.split("validation").labels), [3, 0, 0, 3])
    apart = set_apart(faces.images, faces.labels, np.ones(60, bool))
    assert_array_equal(faces.split("validation").rows, faces.rows[apart])
    assert len(faces.split("Training")) == 60
    monkeypatch.setattr(readers, "FER2013_TRAINING", 60)  # with as many it is taken for FER-2013, which has a list
    assert_array_equal(read_faces(path).split("validation").rows, np.intersect1d(np.arange(60), validation_rows()))


def test_what_is_left_of_fer_2013_by_a_label_map_keeps_its_list(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "FER2013_TRAINING", 7)
    names = ", ".join(f'"{index}" = "{EMOTIONS[index]}"' for index in range(1, 7))
    (tmp_path / "map.toml").write_text(f'labels = {{"0" = "-", {names}}}')
    faces = read_faces(write(tmp_path / "fer2013.csv", lines), tmp_path / "map.toml")
    assert faces.fer2013 and len(faces) == 12


def test_folders_with_a_validation_of_their_own_keep_it(tmp_path: Path) -> None:
    faces = read_faces(folders(tmp_path, splits=("train", "valid", "test")))
    assert faces.usages.tolist() == ["Training"] * 7 + ["validation"] * 7 + ["test"] * 7
    assert len(faces.split("Training")) == 14


def test_a_label_map_names_classes_and_splits_and_leaves_out(tmp_path: Path) -> None:
    table = '[labels]\n"1" = "surprise"\n"2" = "fear"\nContempt = "-"\n[splits]\nset_a = "Training"\n'
    (tmp_path / "map.toml").write_text(table)
    faces = read_faces(folders(tmp_path / "set", ("1", "2", "contempt"), ("set_a",)), tmp_path / "map.toml")
    assert [EMOTIONS[label] for label in faces.labels] == ["fear", "surprise"]
    assert_array_equal(grays(faces), [10, 0])


def test_a_label_map_counts_for_tables_too_and_rows_keep_their_numbers(
    lines: list[str], tmp_path: Path, fer_table: pd.DataFrame, write_parquet: Callable[[pd.DataFrame], Path]
) -> None:
    order = ", ".join(f'"{index}" = "{EMOTIONS[6 - index]}"' for index in range(1, 7))
    (tmp_path / "map.toml").write_text(f'labels = {{"0" = "-", {order}}}')
    faces = read_faces(write(tmp_path / "fer2013.csv", lines), tmp_path / "map.toml")
    assert_array_equal(faces.rows, [*range(1, 7), *range(8, 14)])
    assert_array_equal(faces.labels, np.tile(np.arange(5, -1, -1), 2))
    spoilt = fer_table.assign(usage=fer_table["usage"].replace("PublicTest", "set_a"))
    spoilt.at[0, "image"] = b"of a class that is left out"
    with (tmp_path / "map.toml").open("a") as file:
        file.write('\n[splits]\nset_a = "PublicTest"\n')
    table = read_faces(write_parquet(spoilt), tmp_path / "map.toml")
    assert (table.usages == "PublicTest").sum() == 6
    assert_array_equal(table.labels, np.tile(np.arange(5, -1, -1), 8))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected a table \[labels\]"),
        ("[labels", "is not valid TOML"),
        ('[labels]\na = "bored"', "'a' is mapped to 'bored'. Expected one of: angry"),
        ("[labels]\na = 3", "'a' is mapped to 3"),
        ('[labels]\na = "sad"\n[other]', r"It holds: labels, other"),
        ('[labels]\na = "sad"\n[splits]\nb = "exam"', "the split 'b' is mapped to 'exam'. Expected one of: Training"),
    ],
)
def test_a_wrong_label_map_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(DataError, match=rf"map\.toml.*{message}"):
        read_label_map(tmp_path / "map.toml")


def test_a_map_that_leaves_everything_out_or_is_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[labels]\nhappy = "-"')
    with pytest.raises(DataError, match="every class is left out"):
        read_faces(folders(tmp_path / "set", ("happy",)), tmp_path / "map.toml")
    with pytest.raises(DataError, match=r"none\.toml cannot be read"):
        read_label_map(tmp_path / "none.toml")
