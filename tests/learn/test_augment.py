"""Random changes to training faces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.learn.augment import Augment, AugmentSettings
from roomread.types import Array

pytestmark = pytest.mark.learn

OFF: dict[str, Any] = {
    "flip": False, "rotation": 0.0, "zoom": 0.0, "shift": 0.0, "contrast": 0.0, "brightness": 0.0, "erase": 0.0,
    "distant": 0.0, "blur": 0.0,
}  # fmt: skip
STRONGEST: dict[str, Any] = {
    "rotation": 45.0, "zoom": 0.4, "shift": 0.4, "contrast": 0.9, "brightness": 200.0, "erase": 1.0, "distant": 1.0,
    "blur": 20.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def faces() -> Array:
    """Sixteen smooth pictures that are not their own mirror: float32 (16, 48, 48, 1), 0 to 255."""
    x, y = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 48))
    shapes = [128 + 100 * np.sin(3 * x + number) * np.cos(5 * y - number) + 20 * x for number in range(16)]
    return np.clip(np.array(shapes), 0, 255).astype(np.float32)[..., None]


def change(faces: Array, training: bool = True, seed: int = 0, **settings: Any) -> Array:
    return np.asarray(Augment(AugmentSettings(**settings), seed)(faces, training=training))


@pytest.mark.parametrize("settings", [{}, STRONGEST], ids=["defaults", "strongest"])
def test_changed_faces_keep_their_shape_and_stay_between_0_and_255(faces: Array, settings: dict[str, Any]) -> None:
    changed = change(faces, **settings)
    assert changed.shape == faces.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert not np.allclose(changed, faces)


def test_nothing_is_changed_unless_training(faces: Array) -> None:
    assert_array_equal(change(faces, training=False, **STRONGEST), faces)


def test_nothing_is_changed_with_every_change_switched_off(faces: Array) -> None:
    assert_allclose(change(faces, **OFF), faces, atol=1e-3)


@pytest.mark.parametrize("name", [name for name in OFF if name != "flip"])
def test_every_change_works_alone(faces: Array, name: str) -> None:
    changed = change(faces, **(OFF | {name: STRONGEST[name]}))
    assert (np.abs(changed - faces).max(axis=(1, 2, 3)) > 1).mean() > 0.8


@pytest.mark.parametrize("name", [name for name in OFF if name != "blur"])
def test_every_change_can_be_switched_off(faces: Array, name: str) -> None:
    changed = change(faces, **{name: OFF[name]})
    assert changed.shape == faces.shape
    assert not np.allclose(changed, faces)


def test_a_flip_gives_the_face_or_its_mirror(faces: Array) -> None:
    changed = change(np.repeat(faces, 4, axis=0), **(OFF | {"flip": True}))
    own = np.abs(changed - np.repeat(faces, 4, axis=0)).max(axis=(1, 2, 3)) < 1e-2
    mirrored = np.abs(changed - np.repeat(faces, 4, axis=0)[:, :, ::-1]).max(axis=(1, 2, 3)) < 1e-2
    assert (own ^ mirrored).all()
    assert 0.25 < mirrored.mean() < 0.75


def test_a_shift_moves_the_face_by_no_more_than_it_says() -> None:
    dot = np.zeros((64, 48, 48, 1), np.float32)
    dot[:, 23:25, 23:25] = 255
    changed = change(dot, **(OFF | {"shift": 0.1}))[..., 0]
    weight, along = changed.sum(axis=(1, 2)), np.arange(48)
    rows = (changed.sum(axis=2) * along).sum(axis=1) / weight - 23.5
    columns = (changed.sum(axis=1) * along).sum(axis=1) / weight - 23.5
    assert np.abs([rows, columns]).max() <= 4.8 + 0.1
    assert (np.std(rows) > 1) and (np.std(columns) > 1)
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.5


def test_light_changes_every_pixel_alike_and_keeps_the_order(faces: Array) -> None:
    changed = change(faces, **(OFF | {"contrast": 0.2, "brightness": 10.0}))
    for before, after in zip(faces.reshape(16, -1), changed.reshape(16, -1), strict=True):
        inside = (after > 0) & (after < 255)
        assert np.corrcoef(before[inside], after[inside])[0, 1] > 0.9999


def test_brightness_is_no_more_than_it_says(faces: Array) -> None:
    middle = faces / 2 + 64  # far enough from 0 and 255
    assert_allclose(np.ptp(change(middle, **(OFF | {"brightness": 20.0})) - middle, axis=(1, 2, 3)), 0, atol=1e-2)
    assert np.abs(change(middle, **(OFF | {"brightness": 20.0})) - middle).max() <= 20.01


@pytest.mark.parametrize(("name", "share"), [("erase", 0.5), ("distant", 0.5)])
def test_only_the_share_of_faces_named_is_changed(faces: Array, name: str, share: float) -> None:
    many = np.tile(faces, (16, 1, 1, 1))
    changed = np.abs(change(many, **(OFF | {name: share})) - many).max(axis=(1, 2, 3)) > 0.5
    assert 0.35 < changed.mean() < 0.65


def test_blur_is_off_unless_asked_for() -> None:
    assert AugmentSettings().blur == 0


def test_blur_keeps_the_light_and_loses_the_detail() -> None:
    checks = (np.indices((48, 48)).sum(axis=0) % 2 * 255).astype(np.float32)[None, ..., None]
    blurred = change(np.repeat(checks, 64, axis=0), **(OFF | {"blur": 3.0}))
    assert_allclose(blurred.mean(axis=(1, 2, 3)), 127.5, atol=1.5)
    spread = blurred.std(axis=(1, 2, 3))
    assert spread.min() < 1 and spread.max() > 50


def test_an_erased_part_is_a_rectangle_of_one_gray() -> None:
    flat = np.full((32, 48, 48, 1), 300, np.float32)  # no gray that is painted
    layer = Augment(AugmentSettings(**(OFF | {"erase": 1.0})))
    for face in np.asarray(layer.erase(flat))[..., 0]:
        rows, columns = np.nonzero(face != 300)
        part = face[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert part.min() == part.max()
        assert max(part.shape) <= 0.35 * 48 + 1


def test_the_same_seed_gives_the_same_faces_and_another_seed_others(faces: Array) -> None:
    assert_array_equal(change(faces, seed=3), change(faces, seed=3))
    assert not np.allclose(change(faces, seed=3), change(faces, seed=4))


def test_faces_are_changed_otherwise_every_time(faces: Array) -> None:
    layer = Augment(AugmentSettings())
    assert not np.allclose(layer(faces, training=True), layer(faces, training=True))


def test_no_faces_are_an_ordinary_batch() -> None:
    assert change(np.empty((0, 48, 48, 1), np.float32)).shape == (0, 48, 48, 1)


@pytest.mark.parametrize("name", ["rotation", "zoom", "shift", "contrast", "brightness", "blur"])
@pytest.mark.parametrize("value", [-0.1, float("nan")], ids=["negative", "nan"])
def test_a_range_must_not_be_negative(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must not be negative"):
        AugmentSettings(**{name: value})


@pytest.mark.parametrize("name", ["erase", "distant"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")], ids=str)
def test_a_share_lies_between_0_and_1(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must lie between 0 and 1"):
        AugmentSettings(**{name: value})
