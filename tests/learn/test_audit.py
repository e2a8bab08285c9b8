"""What is wrong with a data set, and the table by which rows are left out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from roomread.errors import DataError, OutputError
from roomread.learn.audit import FINDINGS, Audit, audit, leave_out, read_drop, write_audit
from roomread.learn.datasets import OTHER_VOTES, VOTES, LabelledFaces

N = 12


@pytest.fixture
def faces() -> LabelledFaces:
    """Twelve faces of noise, rows 100 to 111: the first eight of Training, four of PublicTest; all happy."""
    x, y = np.meshgrid(np.arange(48), np.arange(48))
    noise = np.random.default_rng(0)
    waves = [
        sum(40 * np.sin(a * x / 8 + b * y / 8 + c) for a, b, c in noise.uniform(-3, 3, (6, 3))) + 128 for _ in range(N)
    ]
    images = np.clip(np.array(waves), 0, 255).astype(np.uint8)[..., None]
    usages = np.repeat(["Training", "PublicTest"], [8, 4])
    votes = np.zeros((N, 10), np.float32)
    votes[:, VOTES.index("happiness")] = 10
    return LabelledFaces(images, np.full(N, 3), 100 + np.arange(N), usages, votes)


def changed(faces: LabelledFaces, **arrays: dict[int, Any]) -> LabelledFaces:
    new = {}
    for name, values in arrays.items():
        new[name] = getattr(faces, name).copy()
        for row, value in values.items():
            new[name][row] = value
    return dataclasses.replace(faces, **new)


def found(of: Audit) -> dict[str, list[tuple[int, int]]]:
    """Return the rows of each finding, each with its group."""
    table: dict[str, list[tuple[int, int]]] = {}
    for finding, row, group in zip(of.findings, of.rows, of.groups, strict=True):
        table.setdefault(str(finding), []).append((int(row), int(group)))
    return table


def test_nothing_is_wrong_with_good_faces(faces: LabelledFaces) -> None:
    assert found(audit(faces)) == {}
    assert audit(faces).n == N


@pytest.mark.parametrize(("noise", "blank"), [(0, True), (3, True), (60, False)])
def test_a_face_of_one_gray_is_blank_and_nothing_else(faces: LabelledFaces, noise: int, blank: bool) -> None:
    gray = np.full((48, 48, 1), 90, np.uint8)
    gray[0] += noise
    seen = found(audit(changed(faces, images={1: gray, 9: gray})))
    assert ("blank" in seen) is blank
    assert ("duplicate" in seen) is not blank
    if blank:
        assert seen == {"blank": [(101, 101), (109, 109)]}


def test_of_copies_the_lowest_row_stays_whatever_the_order(faces: LabelledFaces) -> None:
    copied = changed(faces, images={4: faces.images[2], 6: faces.images[2]})
    for order in (np.arange(N), np.arange(N)[::-1]):
        seen = found(audit(copied[order]))
        assert {finding: sorted(rows) for finding, rows in seen.items()} == {"duplicate": [(104, 102), (106, 102)]}


def test_a_crop_of_the_same_photograph_is_a_near_duplicate_of_the_lowest_row(faces: LabelledFaces) -> None:
    nearly = np.clip(faces.images[2].astype(int) + 6, 0, 255).astype(np.uint8)
    assert found(audit(changed(faces, images={5: nearly}))) == {"near duplicate": [(105, 102)]}


def test_every_copy_in_two_splits_is_found(faces: LabelledFaces) -> None:
    seen = found(audit(changed(faces, images={3: faces.images[2], 10: faces.images[2]})))
    assert seen == {"duplicate": [(103, 102), (110, 102)], "two splits": [(102, 102), (103, 102), (110, 102)]}


def test_every_copy_with_contradicting_labels_is_found(faces: LabelledFaces) -> None:
    seen = found(audit(changed(faces, images={3: faces.images[2]}, labels={3: 4})))
    assert seen == {"duplicate": [(103, 102)], "contradiction": [(102, 102), (103, 102)]}


@pytest.mark.parametrize(
    ("votes", "out"),
    [
        ({"nf": 6, "happiness": 4}, True),
        ({"nf": 5, "happiness": 5}, False),
        ({"nf": 4, "sadness": 6}, False),
        ({}, False),
    ],
    ids=["most", "a tie", "less", "no votes"],
)
def test_more_votes_for_not_a_face_than_for_anything_else_are_found(
    faces: LabelledFaces, votes: dict[str, int], out: bool
) -> None:
    row = [votes.get(name, 0) for name in VOTES + OTHER_VOTES]
    assert found(audit(changed(faces, votes={7: row}))) == ({"not a face": [(107, 107)]} if out else {})


def test_without_votes_it_is_unknown_which_are_no_faces(faces: LabelledFaces) -> None:
    of = audit(dataclasses.replace(faces, votes=np.full((N, 10), np.nan, np.float32)))
    assert of.unknown == ("not a face",)
    assert of.counts()["not a face"] is None
    assert audit(faces).unknown == ()


@pytest.mark.parametrize("n", [0, 1])
def test_few_faces_are_an_ordinary_data_set(faces: LabelledFaces, n: int, tmp_path: Path) -> None:
    of = audit(faces[np.arange(n)])
    assert (len(of), of.n) == (0, n)
    assert read_drop(write_audit(of, tmp_path / "audit.csv")).shape == (0,)


def test_blank_faces_alone_are_an_ordinary_data_set(faces: LabelledFaces) -> None:
    blank = dataclasses.replace(faces, images=np.zeros_like(faces.images))
    assert list(found(audit(blank))) == ["blank"]


@pytest.fixture
def bad(faces: LabelledFaces) -> LabelledFaces:
    """The same faces: row 104 is a copy of 102, 110 of 103 with another label, 107 is blank."""
    images = {4: faces.images[2], 10: faces.images[3], 7: np.zeros((48, 48, 1), np.uint8)}
    return changed(faces, images=images, labels={10: 0})


def test_the_counts_are_of_faces_groups_and_splits(bad: LabelledFaces) -> None:
    counts = audit(bad).counts()
    assert list(counts) == list(FINDINGS)
    assert counts["duplicate"] == {"faces": 2, "groups": 2, "PublicTest": 1, "Training": 1}
    assert counts["two splits"] == {"faces": 2, "groups": 1, "PublicTest": 1, "Training": 1}
    assert counts["near duplicate"] == {"faces": 0, "groups": 0, "PublicTest": 0, "Training": 0}


def test_the_table_comes_back_as_the_rows_it_names(bad: LabelledFaces, tmp_path: Path) -> None:
    path = write_audit(audit(bad), tmp_path / "made" / "audit.csv")
    assert path.read_text().splitlines()[:3] == [
        "row,usage,label,finding,group",
        "107,Training,happy,blank,107",
        "104,Training,happy,duplicate,102",
    ]
    assert_array_equal(read_drop(path), [103, 104, 107, 110])
    assert_array_equal(read_drop(path, ["blank", "contradiction"]), [103, 107, 110])
    assert read_drop(path).dtype == np.int64


def test_the_rows_of_a_table_are_left_out_and_one_of_each_copy_stays(bad: LabelledFaces, tmp_path: Path) -> None:
    path = write_audit(audit(bad), tmp_path / "audit.csv")
    assert_array_equal(leave_out(bad, path).rows, [100, 101, 102, 105, 106, 108, 109, 111])
    assert_array_equal(leave_out(bad, path, ["duplicate"]).rows, np.setdiff1d(bad.rows, [104, 110]))
    assert len(audit(leave_out(bad, path))) == 0
    part = bad.split("PublicTest")
    assert_array_equal(leave_out(part, path).rows, [108, 109, 111])


def test_a_line_that_is_deleted_keeps_its_face(bad: LabelledFaces, tmp_path: Path) -> None:
    path = write_audit(audit(bad), tmp_path / "audit.csv")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if ",blank," not in line))
    assert 107 in leave_out(bad, path).rows


def test_a_list_of_rows_by_hand_will_do(bad: LabelledFaces, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("row,finding\n101,blank\n")
    assert_array_equal(leave_out(bad, tmp_path / "mine.csv").rows, np.setdiff1d(bad.rows, [101]))


@pytest.mark.parametrize("change", [{"labels": {4: 0}}, {"usages": {4: "test"}}], ids=["label", "split"])
def test_a_table_of_other_faces_is_refused(bad: LabelledFaces, tmp_path: Path, change: dict[str, Any]) -> None:
    path = write_audit(audit(bad), tmp_path / "audit.csv")
    with pytest.raises(DataError, match=r"audit\.csv was made of other faces: row 104 is Training, happy there and"):
        leave_out(changed(bad, **change), path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column 'row'"),
        ("row,usage\n1,Training\n", "lacks the column 'finding'"),
        ("row,finding\n1,ugly\n", r"line 2: 'ugly' is no finding\. Expected: blank"),
        ("row,finding\nx,blank\n", "line 2: 'x' is no row"),
        ("row,finding\n3\n", "line 2: None is no finding"),
        ("row,finding\n-3,blank\n", "line 2: '-3' is no row"),
    ],
)
def test_a_table_that_is_none_is_refused_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "audit.csv").write_text(text)
    with pytest.raises(DataError, match=rf"audit\.csv.* ?{message}"):
        read_drop(tmp_path / "audit.csv")


def test_a_missing_table_an_unknown_finding_and_a_wrong_place_are_refused(bad: LabelledFaces, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv cannot be read"):
        read_drop(tmp_path / "none.csv")
    with pytest.raises(DataError, match="There is no finding 'ugly'"):
        read_drop(tmp_path / "none.csv", ["ugly"])
    with pytest.raises(OutputError):
        write_audit(audit(bad), tmp_path)
