"""Other ways to show a face to a model: averaged views for a better answer, worse pictures for a harder question."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image as Pictures
from PIL import ImageFilter

from roomread.faces.expression import Classifier
from roomread.preprocess import FACE_SIZE
from roomread.types import N_EMOTIONS, Array

VIEWS = ("none", "flip", "ten")
CROP = 42  # pixels of 48; smaller crops differ more from each other and lose more of the face


class Viewed:
    """A model that answers with the mean of its probabilities over several views of each face.

    flip: the face and its mirror image.
    ten: the four corners and the middle, 42 x 42 pixels enlarged to 48 x 48, and their mirror images.
    """

    def __init__(self, model: Classifier, views: str) -> None:
        """Wrap a model.

        Raises:
            ValueError: there are no such views.
        """
        if views not in VIEWS:
            raise ValueError(f"There are no views {views!r}. Expected one of: {', '.join(VIEWS)}.")
        self.model = model
        self.views = views

    @property
    def name(self) -> str:
        """The model's name, and its views."""
        said = {"none": "", "flip": ", 2 views", "ten": ", 10 views"}
        return self.model.name + said[self.views]

    def predict_faces(self, faces: Array) -> Array:
        """Return float32 (n, 7), the mean probabilities for uint8 (n, 48, 48, 1), gray; one view is held at a time."""
        total, n_views = np.zeros((len(faces), N_EMOTIONS), np.float64), 0
        for view in _views(faces, self.views):
            total += self.model.predict_faces(view)
            n_views += 1
        return (total / n_views).astype(np.float32)


def _views(faces: Array, views: str) -> Iterator[Array]:
    if views != "ten":
        yield faces
        if views == "flip":
            yield mirrored(faces)
        return
    rest = FACE_SIZE - CROP
    for left, top in ((0, 0), (rest, 0), (0, rest), (rest, rest), (rest // 2, rest // 2)):
        crop = enlarged(faces[:, top : top + CROP, left : left + CROP])
        yield crop
        yield mirrored(crop)


def mirrored(faces: Array) -> Array:
    """Return the mirror image of each face: uint8 (n, 48, 48, 1), gray."""
    return np.ascontiguousarray(faces[:, :, ::-1])


def enlarged(faces: Array) -> Array:
    """Return faces of any size enlarged to the model's: uint8 (n, height, width, 1) gives (n, 48, 48, 1)."""
    size = (FACE_SIZE, FACE_SIZE)
    return _each(faces, lambda picture: picture.resize(size, Pictures.Resampling.BICUBIC))


def shrunk(faces: Array, size_px: int) -> Array:
    """Return faces as they would be from farther away: fewer pixels, then enlarged again.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        size_px: pixels left from side to side, 1 to 48. Each is the mean of what fell on it, as in a camera.

    Returns:
        uint8 (n, 48, 48, 1), gray.

    Raises:
        ValueError: the size is outside 1 to 48.
    """
    if not 1 <= size_px <= FACE_SIZE:
        raise ValueError(f"A face can be shrunk to 1 to {FACE_SIZE} pixels. Received: {size_px}.")
    small, size = (size_px, size_px), (FACE_SIZE, FACE_SIZE)
    box, bicubic = Pictures.Resampling.BOX, Pictures.Resampling.BICUBIC
    return _each(faces, lambda picture: picture.resize(small, box).resize(size, bicubic))


def blurred(faces: Array, sigma_px: float) -> Array:
    """Return faces under a Gaussian blur.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        sigma_px: pixels, standard deviation of the blur, 0 or more.

    Returns:
        uint8 (n, 48, 48, 1), gray.
    """
    return _each(faces, lambda picture: picture.filter(ImageFilter.GaussianBlur(sigma_px)))


def _each(faces: Array, change: Callable[[Pictures.Image], Pictures.Image]) -> Array:
    changed = np.empty((len(faces), FACE_SIZE, FACE_SIZE, 1), np.uint8)
    for row, face in enumerate(faces):
        changed[row, :, :, 0] = np.asarray(change(Pictures.fromarray(np.ascontiguousarray(face[..., 0]))))
    return changed
