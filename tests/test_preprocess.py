"""Pixels and boxes to the expression model's input."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image as Pictures

from roomread.preprocess import (
    FACE_SIZE,
    MIDDLE_ABOVE_BOX,
    SIDE_PER_BOX,
    contrast,
    crop_faces,
    face_squares,
    sharpness,
    whole_face,
)
from roomread.types import Array, Image


def boxes_of(*boxes: tuple[float, float, float, float]) -> Array:
    return np.array(boxes, np.float32).reshape(-1, 4)


def box_framed_by(left: float, top: float, side: float) -> tuple[float, float, float, float]:
    """Return the square face box whose frame is the square named."""
    box = side / SIDE_PER_BOX
    x, y = left + side / 2, top + side / 2 + MIDDLE_ABOVE_BOX * box
    return x - box / 2, y - box / 2, x + box / 2, y + box / 2


def noise(height: int = 120, width: int = 160) -> Image:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_frame_is_a_square_about_the_box_a_little_above_its_middle() -> None:
    square = face_squares(boxes_of((100, 100, 200, 200)))[0]
    x, y, half = 150, 150 - 100 * MIDDLE_ABOVE_BOX, 50 * SIDE_PER_BOX
    assert_allclose(square, [x - half, y - half, x + half, y + half], rtol=1e-6)
    assert (square[1] + square[3]) / 2 < 150


def test_a_frame_is_as_large_as_the_area_of_its_box_says() -> None:
    tall, wide = face_squares(boxes_of((0, 0, 50, 200), (0, 0, 200, 50)))
    for square in (tall, wide):
        assert_allclose(square[2:] - square[:2], 100 * SIDE_PER_BOX, rtol=1e-6)


def test_no_boxes_give_no_faces() -> None:
    assert face_squares(boxes_of()).shape == (0, 4)
    faces = crop_faces(noise(), boxes_of())
    assert faces.shape == (0, FACE_SIZE, FACE_SIZE, 1)
    assert faces.dtype == np.uint8


def test_a_frame_of_the_models_size_is_taken_as_it_is() -> None:
    gray = np.random.default_rng(0).integers(0, 256, (100, 100)).astype(np.uint8)
    face = crop_faces(np.repeat(gray[..., None], 3, axis=2), boxes_of(box_framed_by(20, 30, FACE_SIZE)))[0, ..., 0]
    assert_allclose(face.astype(int), gray[30:78, 20:68].astype(int), atol=1)


def test_a_face_is_sampled_from_the_picture_as_if_its_edge_went_on_for_ever() -> None:
    """Compared with one sampling of a far larger picture; the outermost pixels of a face may look beyond its frame."""
    boxes = boxes_of(
        (30.2, 40.7, 70.9, 95.1), (60, 20, 75, 38), (-35, -20, 41, 30), (131.5, 90.5, 171.5, 139.5),
        (40, -30, 90, 15.3), (-100, -90, 250, 200),
    )  # fmt: skip
    wide = Pictures.fromarray(np.pad(noise(), ((400, 400), (400, 400), (0, 0)), mode="edge")).convert("L")
    for face, square in zip(crop_faces(noise(), boxes), face_squares(boxes).astype(float) + 400, strict=True):
        sampled = wide.resize((FACE_SIZE, FACE_SIZE), Pictures.Resampling.BICUBIC, box=tuple(square.tolist()))
        assert_allclose(face[3:-3, 3:-3, 0].astype(int), np.asarray(sampled)[3:-3, 3:-3].astype(int), atol=1)


@pytest.mark.parametrize("side", [16, 48, 100, 333.3], ids=str)
def test_faces_come_in_one_size_whatever_their_own(side: float) -> None:
    image = np.full((400, 400, 3), 77, np.uint8)
    faces = crop_faces(image, boxes_of((20, 20, 20 + side, 20 + side)))
    assert_array_equal(faces, np.full((1, FACE_SIZE, FACE_SIZE, 1), 77, np.uint8))


@pytest.mark.parametrize(
    ("colour", "gray"),
    [((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29), ((255, 255, 255), 255)],
    ids=["red", "green", "blue", "white"],
)
def test_gray_weighs_red_green_and_blue_as_itu_r_601(colour: tuple[int, int, int], gray: int) -> None:
    image = np.broadcast_to(np.array(colour, np.uint8), (60, 60, 3))
    assert_array_equal(np.unique(crop_faces(image, boxes_of((5, 5, 50, 50)))), [gray])


def test_each_face_is_cut_out_as_if_it_were_alone() -> None:
    boxes = boxes_of((10, 10, 60, 70), (90, 50, 130, 100), (-20, -10, 30, 40), (120, 80, 170, 140))
    alone = [crop_faces(noise(), box[None])[0] for box in boxes]
    assert_array_equal(crop_faces(noise(), boxes), np.stack(alone))


def test_neither_the_picture_nor_the_boxes_are_changed() -> None:
    image, boxes = noise(), boxes_of((-20, -10, 30, 40))
    crop_faces(image, boxes)
    assert_array_equal(image, noise())
    assert_array_equal(boxes, boxes_of((-20, -10, 30, 40)))


def test_what_lies_outside_the_picture_takes_the_colour_of_its_edge() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[:, :50], image[:, 50:] = 40, 200
    left, right = crop_faces(image, boxes_of((-30, 30, 30, 70), (70, 30, 130, 70)))
    assert_array_equal(np.unique(left), [40])
    assert_array_equal(np.unique(right), [200])


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((-90, 40, 10, 44), id="left"),
        pytest.param((90, 40, 190, 44), id="right"),
        pytest.param((40, -90, 44, 10), id="above"),
        pytest.param((40, 90, 44, 190), id="below"),
    ],
)
def test_a_thin_box_whose_frame_lies_outside_shows_the_edge_alone(box: tuple[float, float, float, float]) -> None:
    image = noise(100, 100)
    face = crop_faces(image, boxes_of(box))
    assert np.ptp(face, axis=2 if box[2] - box[0] > 50 else 1).max() == 0
    inner = image.copy()
    inner[1:-1, 1:-1] = 0
    assert_array_equal(crop_faces(inner, boxes_of(box)), face)


@pytest.mark.parametrize("box", [(-50, 10, 0.5, 50), (10, -50, 50, 0.5), (159.5, 10, 200, 50), (10, 119.5, 50, 160)])
def test_a_box_that_shows_the_least_of_the_picture_is_taken(box: tuple[float, float, float, float]) -> None:
    assert crop_faces(noise(), boxes_of(box)).shape == (1, FACE_SIZE, FACE_SIZE, 1)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((30, 30, 30, 60), id="no width"),
        pytest.param((30, 60, 60, 30), id="upside down"),
        pytest.param((160, 10, 200, 50), id="right of the picture"),
        pytest.param((-50, 10, 0, 50), id="left of the picture"),
        pytest.param((10, 120, 50, 160), id="below the picture"),
        pytest.param((10, -50, 50, 0), id="above the picture"),
        pytest.param((np.nan, 10, 50, 50), id="unknown"),
    ],
)
def test_a_box_that_shows_nothing_of_the_picture_is_refused(box: tuple[float, float, float, float]) -> None:
    named = re.escape(str(list(map(float, box))))
    with pytest.raises(ValueError, match=f"overlap the picture of 160 x 120 pixels. Received: {named}"):
        crop_faces(noise(), boxes_of((10, 10, 60, 60), box))


@pytest.mark.parametrize("way", [face_squares, lambda boxes: crop_faces(noise(), boxes)], ids=["frames", "faces"])
def test_boxes_must_have_four_sides(way: Callable[[Array], Array]) -> None:
    with pytest.raises(ValueError, match=r"^`boxes` "):
        way(np.zeros((2, 5), np.float32))


@pytest.mark.parametrize("shape", [(60, 60), (60, 60, 1), (60, 60, 4)], ids=["gray", "one channel", "four channels"])
def test_a_picture_must_have_three_colours(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^`image` "):
        crop_faces(np.zeros(shape, np.uint8), boxes_of((5, 5, 50, 50)))


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    faces = np.zeros((3, FACE_SIZE, FACE_SIZE, 1), np.uint8)
    faces[1] = 200
    faces[2, 24, 24] = 46  # Laplacian: -4 * 46 once, 46 four times, 0 elsewhere of 46 x 46
    assert_allclose(sharpness(faces), [0, 0, 20], rtol=1e-6)
    assert sharpness(faces).dtype == np.float32


def test_a_ramp_is_not_sharp_but_noise_is() -> None:
    ramp = np.broadcast_to(np.arange(0, 192, 4, dtype=np.uint8)[None, :, None], (1, FACE_SIZE, FACE_SIZE, 1))
    speckle = np.random.default_rng(0).integers(0, 256, (1, FACE_SIZE, FACE_SIZE, 1)).astype(np.uint8)
    assert sharpness(ramp)[0] == 0
    assert sharpness(speckle)[0] > 10_000


def test_no_faces_have_no_sharpness() -> None:
    assert sharpness(np.empty((0, FACE_SIZE, FACE_SIZE, 1), np.uint8)).shape == (0,)


def test_contrast_is_the_deviation_of_each_face_by_itself() -> None:
    faces = np.full((3, FACE_SIZE, FACE_SIZE, 1), 90, np.uint8)
    faces[1, :24], faces[2, :, :24] = 110, 50
    assert_allclose(contrast(faces), [0, 10, 20])
    assert contrast(faces).dtype == np.float32


def test_a_picture_that_is_a_face_already_stays_as_it_is_and_others_are_made_square() -> None:
    gray = noise(FACE_SIZE, FACE_SIZE)[..., :1]
    assert_array_equal(whole_face(np.repeat(gray, 3, axis=2)), gray)
    image = noise(100, 60)
    scaled = Pictures.fromarray(image).convert("L").resize((FACE_SIZE, FACE_SIZE), Pictures.Resampling.BICUBIC)
    assert_array_equal(whole_face(image)[..., 0], np.asarray(scaled))
