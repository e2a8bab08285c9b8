"""Other ways to show a face to a model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from roomread.learn.datasets import LabelledFaces
from roomread.learn.views import VIEWS, Viewed, blurred, mirrored, shrunk
from roomread.types import N_EMOTIONS

NO_FACE = np.empty((0, 48, 48, 1), np.uint8)


class LeftBright:
    """A model that says how bright the left and the right half of a face are, and keeps what it was asked."""

    name = "left"

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def predict_faces(self, faces: np.ndarray) -> np.ndarray:
        self.asked.append(faces)
        halves = faces[..., 0].reshape(-1, 48, 2, 24).mean(axis=(1, 3)) / 255
        rest = np.repeat(1 - halves.mean(axis=1, keepdims=True), N_EMOTIONS - 2, axis=1) / (N_EMOTIONS - 2)
        return np.concatenate([halves / 2, rest], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("views", "n", "name"), [("none", 1, "left"), ("flip", 2, "left, 2 views"), ("ten", 10, "left, 10 views")]
)
def test_the_answer_is_the_mean_over_the_views(labelled_faces: LabelledFaces, views: str, n: int, name: str) -> None:
    model = LeftBright()
    viewed = Viewed(model, views)
    probabilities = viewed.predict_faces(labelled_faces.images)
    asked = list(model.asked)
    assert (len(asked), viewed.name) == (n, name)
    assert all(view.shape == labelled_faces.images.shape and view.dtype == np.uint8 for view in asked)
    assert_allclose(probabilities, np.mean([model.predict_faces(view) for view in asked], axis=0), atol=1e-6)
    assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert probabilities.dtype == np.float32


@pytest.mark.parametrize("views", ["flip", "ten"])
def test_a_face_and_its_mirror_image_get_the_same_answer(labelled_faces: LabelledFaces, views: str) -> None:
    viewed = Viewed(LeftBright(), views)
    here, there = (viewed.predict_faces(x) for x in (labelled_faces.images, mirrored(labelled_faces.images)))
    assert_allclose(here, there, atol=0.002)  # enlarging rounds to gray levels


def test_the_ten_views_are_the_corners_the_middle_and_their_mirrors() -> None:
    face = np.zeros((1, 48, 48, 1), np.uint8)
    face[0, :3, :3] = 255  # seen only in the crop of its corner
    model = LeftBright()
    Viewed(model, "ten").predict_faces(face)
    assert [int(view.max()) > 0 for view in model.asked] == [True, True] + [False] * 8
    assert model.asked[0][0, 0, 0, 0] == 255
    for view, mirror in zip(model.asked[::2], model.asked[1::2], strict=True):
        assert_array_equal(mirror, view[:, :, ::-1])


@pytest.mark.parametrize("views", VIEWS)
def test_no_face_gives_no_answer(views: str) -> None:
    assert Viewed(LeftBright(), views).predict_faces(NO_FACE).shape == (0, N_EMOTIONS)


def test_unknown_views_are_refused() -> None:
    with pytest.raises(ValueError, match="There are no views 'five'"):
        Viewed(LeftBright(), "five")


def test_a_shrunk_face_holds_the_means_of_its_blocks(labelled_faces: LabelledFaces) -> None:
    faces = labelled_faces.images[:3]
    one = shrunk(faces, 1)
    assert_allclose(one[:, 0, 0, 0], faces.mean(axis=(1, 2, 3)), atol=1)
    assert (one == one[:, :1, :1]).all()
    assert_array_equal(shrunk(faces, 48), faces)
    assert shrunk(faces, 16).std() < shrunk(faces, 32).std() < faces.std()
    with pytest.raises(ValueError, match="1 to 48 pixels"):
        shrunk(faces, 0)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_the_blur_is_gaussian(labelled_faces: LabelledFaces, sigma: float) -> None:
    face = labelled_faces.images[:1]
    expected = gaussian_filter(face[0, ..., 0].astype(float), sigma, mode="nearest")
    assert np.abs(blurred(face, sigma)[0, ..., 0] - expected).mean() < 4  # Pillow blurs in three even steps


def test_no_blur_and_no_face_change_nothing(labelled_faces: LabelledFaces) -> None:
    assert_array_equal(blurred(labelled_faces.images[:2], 0), labelled_faces.images[:2])
    assert blurred(NO_FACE, 1).shape == shrunk(NO_FACE, 16).shape == NO_FACE.shape
