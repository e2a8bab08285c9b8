"""What is wrong with a data set, and the table by which rows are left out."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from roomread.errors import DataError, OutputError
from roomread.learn.audit import FINDINGS, NEAR, Audit, audit, hashes, near_groups, rows_to_drop, write_audit
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
    assert rows_to_drop(faces, write_audit(of, tmp_path / "audit.csv")).shape == (0,)


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
    assert_array_equal(rows_to_drop(bad, path), [103, 104, 107, 110])
    assert rows_to_drop(bad, path).dtype == np.int64


def test_without_the_rows_of_a_table_one_of_each_copy_stays(bad: LabelledFaces, tmp_path: Path) -> None:
    path = write_audit(audit(bad), tmp_path / "audit.csv")
    left = bad[~np.isin(bad.rows, rows_to_drop(bad, path))]
    assert_array_equal(left.rows, [100, 101, 102, 105, 106, 108, 109, 111])
    assert len(audit(left)) == 0
    assert_array_equal(rows_to_drop(bad.split("PublicTest"), path), [110])


def test_a_line_that_is_deleted_keeps_its_face(bad: LabelledFaces, tmp_path: Path) -> None:
    path = write_audit(audit(bad), tmp_path / "audit.csv")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if ",blank," not in line))
    assert 107 not in rows_to_drop(bad, path)


def test_a_list_of_rows_by_hand_will_do(bad: LabelledFaces, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("row,finding\n101,blank\n")
    assert_array_equal(rows_to_drop(bad, tmp_path / "mine.csv"), [101])


@pytest.mark.parametrize("change", [{"labels": {4: 0}}, {"usages": {4: "test"}}], ids=["label", "split"])
def test_a_table_of_other_faces_is_refused(bad: LabelledFaces, tmp_path: Path, change: dict[str, Any]) -> None:
    path = write_audit(audit(bad), tmp_path / "audit.csv")
    with pytest.raises(DataError, match=r"audit\.csv was made of other faces: row 104 is Training, happy there and"):
        rows_to_drop(changed(bad, **change), path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column 'row'"),
        ("row,usage\n1,Training\n", "lacks the column 'finding'"),
        ("row,finding\n1,ugly\n", r"line 2: 'ugly' is no finding\. Expected: blank"),
        ("row,finding\nx,blank\n", "line 2: 'x' is no row"),
        ("row,finding\n3\n", "line 2: '' is no finding"),
        ("row,finding\n-3,blank\n", "line 2: '-3' is no row"),
        ("finding,row\nblank\n", "line 2: '' is no row"),
    ],
)
def test_a_table_that_is_none_is_refused_by_its_line(
    faces: LabelledFaces, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "audit.csv").write_text(text)
    with pytest.raises(DataError, match=rf"audit\.csv.* ?{message}"):
        rows_to_drop(faces, tmp_path / "audit.csv")


def test_a_missing_table_a_pipe_and_a_wrong_place_are_refused(bad: LabelledFaces, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("none.csv", "pipe.csv"):
        with pytest.raises(DataError, match=rf"{name} cannot be read"):
            rows_to_drop(bad, tmp_path / name)
    with pytest.raises(OutputError):
        write_audit(audit(bad), tmp_path)


def code(*bits: int) -> np.ndarray:
    """Return a hash of 64 bits of which those named are set."""
    whole = np.zeros(64, bool)
    whole[list(bits)] = True
    return np.packbits(whole)


def test_a_hash_has_64_bits_and_depends_on_the_picture_alone(labelled_faces: LabelledFaces) -> None:
    codes = hashes(labelled_faces)
    assert codes.shape == (len(labelled_faces), 8)
    assert codes.dtype == np.uint8
    assert_array_equal(hashes(labelled_faces[np.array([3, 3])]), codes[[3, 3]])


def test_a_little_light_hardly_changes_a_hash(labelled_faces: LabelledFaces) -> None:
    lit = LabelledFaces(
        (labelled_faces.images // 2 + 30).astype(np.uint8),
        *(getattr(labelled_faces, name) for name in ("labels", "rows", "usages", "votes")),
    )
    before, after = hashes(labelled_faces), hashes(lit)
    assert np.bitwise_count(before ^ after).sum(axis=1).mean() < 4
    assert np.bitwise_count(before[:-1] ^ after[1:]).sum(axis=1).mean() > 10  # another class


@pytest.mark.parametrize(
    ("codes", "groups"),
    [
        pytest.param([code(), code(), code(1)], 1, id="copies"),
        pytest.param([code(), code(*range(NEAR))], 1, id="as far as near goes"),
        pytest.param([code(), code(*range(NEAR + 1))], 2, id="one bit further"),
        pytest.param([code(), code(*range(6)), code(*range(12)), code(*range(18))], 1, id="a chain"),
        pytest.param([code(0, 9, 18, 27, 36, 45, 54, 63), code()], 2, id="bits of every byte"),
    ],
)
def test_hashes_within_few_bits_form_a_group(codes: list[np.ndarray], groups: int) -> None:
    assert len(np.unique(near_groups(np.stack(codes)))) == groups


def test_groups_do_not_depend_on_the_order_and_span_blocks() -> None:
    noise = np.random.default_rng(0)
    codes = np.concatenate([noise.integers(0, 256, (600, 8)).astype(np.uint8)] * 2)  # more than a block of 512
    groups = near_groups(codes)
    assert_array_equal(groups[:600], groups[600:])
    order = noise.permutation(len(codes))
    shuffled = near_groups(codes[order])
    for number in range(len(np.unique(groups))):
        assert len(np.unique(shuffled[groups[order] == number])) == 1
