"""How the `validation` part was chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from roomread.learn import split
from roomread.learn.datasets import LabelledFaces
from roomread.learn.split import NEAR, choose, hashes, near_groups

pytest.importorskip("imagehash")


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


def test_whole_groups_are_chosen_up_to_the_share_of_each_class() -> None:
    noise = np.random.default_rng(1)
    labels = noise.choice(7, 2000, p=[0.1, 0.02, 0.2, 0.3, 0.2, 0.08, 0.1])
    groups = np.arange(2000)
    groups[1::5] = groups[0::5]  # every fifth face has a twin
    groups = np.unique(groups, return_inverse=True)[1]
    chosen = choose(labels, groups)
    for group in np.unique(groups[chosen]):
        assert chosen[groups == group].all()
    wanted = np.round(0.1 * np.bincount(labels))
    assert_array_equal(np.bincount(labels[chosen], minlength=7), wanted)


def test_a_group_that_would_pass_the_share_is_left_out() -> None:
    labels, groups = np.zeros(20, np.int64), np.repeat([0, 1], [15, 5])
    assert_array_equal(choose(labels, groups, share=0.25), groups == 1)


def test_the_choice_depends_on_the_seed_alone() -> None:
    labels, groups = np.arange(700) % 7, np.arange(700)
    assert_array_equal(choose(labels, groups, seed=3), choose(labels, groups, seed=3))
    assert (choose(labels, groups, seed=3) != choose(labels, groups, seed=4)).any()


def test_the_list_is_printed_as_rows_of_training(
    labelled_faces: LabelledFaces, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(split, "read_parquet", lambda path: labelled_faces)
    monkeypatch.setattr(split, "hashes", lambda faces: np.random.default_rng(0).integers(0, 256, (len(faces), 8), "u1"))
    split.main(Path("fer2013.parquet"))
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("#")
    rows = [int(line) for line in lines]
    assert len(rows) == 7  # a tenth of six of each class, rounded
    assert set(rows) <= set(labelled_faces.split("Training").rows.tolist())
