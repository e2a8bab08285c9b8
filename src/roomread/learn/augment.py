"""Random changes to training faces, inside the training graph, on whatever device trains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from roomread.preprocess import FACE_SIZE
from roomread.types import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentSettings:
    """How far a training face may be changed; 0 switches a change off.

    Raising a range makes training slower to fit and less eager to memorise; beyond what real faces show, it costs
    accuracy.
    """

    flip: bool = True  # mirror every other face: turning the head left or right
    rotation: float = 12.0  # degrees to either side: head tilt
    zoom: float = 0.12  # to either side of 1: distance from the camera
    shift: float = 0.08  # share of the face's width and height: where the face box lies
    contrast: float = 0.3  # to either side of 1: light
    brightness: float = 25.0  # gray levels to either side: light
    erase: float = 0.25  # share of faces that lose a rectangle: hands, hair, the pupil in front
    blur: float = 0.0  # pixels, standard deviation at most: a camera out of focus, a head in motion
    distant: float = 0.15  # share of faces shrunk to 16, 24 or 32 pixels and back: the last row

    def __post_init__(self) -> None:
        for name in ("rotation", "zoom", "shift", "contrast", "brightness", "blur"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative. Received: {getattr(self, name)}.")
        for name in ("erase", "distant"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1. Received: {getattr(self, name)}.")


DISTANT_SIZES = (16, 24, 32)  # pixels; below 16 nobody can read an expression
ERASED_SIDE = (0.1, 0.35)  # share of the face's side


class Augment(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """Change each face at random while training; hand it on unchanged otherwise. It is no part of what is saved.

    Input and output: float32 (n, 48, 48, 1), gray, 0 to 255.
    """

    def __init__(self, settings: AugmentSettings, seed: int = 0) -> None:
        super().__init__(dtype="float32")
        self.settings = settings
        self.seed = keras.random.SeedGenerator(seed)
        self.distant = np.stack([*map(_shrunk, DISTANT_SIZES), np.eye(FACE_SIZE, dtype=np.float32)])

    def call(self, faces: Any, training: bool = False) -> Any:
        """Return the changed faces."""
        if not training:
            return faces
        faces = self.move(ops.cast(faces, "float32"))
        if self.settings.distant:
            faces = self.make_distant(faces)
        if self.settings.blur:
            faces = self.blur(faces)
        faces = self.light(faces)
        if self.settings.erase:
            faces = self.erase(faces)
        return ops.clip(faces, 0.0, 255.0)

    def draw(self, faces: Any, spread: float, shape: tuple[int, ...] = ()) -> Any:
        """Return one number per face (and per entry of `shape`), even between -spread and spread."""
        return keras.random.uniform((ops.shape(faces)[0], *shape), -spread, spread, seed=self.seed)

    def move(self, faces: Any) -> Any:
        """Flip, rotate, zoom and shift in one step, so that each face is interpolated once."""
        angle = self.draw(faces, math.radians(self.settings.rotation))
        scale = 1.0 + self.draw(faces, self.settings.zoom)
        shift_x = self.draw(faces, self.settings.shift) * FACE_SIZE
        shift_y = self.draw(faces, self.settings.shift) * FACE_SIZE
        mirror = ops.sign(self.draw(faces, 1.0)) if self.settings.flip else ops.ones_like(angle)
        middle = (FACE_SIZE - 1) / 2
        # From a point of the new face to one of the old: about the middle, (mirror, rotate, zoom), then shift.
        a, b = ops.cos(angle) * scale * mirror, -ops.sin(angle) * scale
        c, d = ops.sin(angle) * scale * mirror, ops.cos(angle) * scale
        left = middle - (a + b) * middle + shift_x
        top = middle - (c + d) * middle + shift_y
        zeros = ops.zeros_like(a)
        transform = ops.stack([a, b, left, c, d, top, zeros, zeros], axis=1)
        return ops.image.affine_transform(faces, transform, interpolation="bilinear", fill_mode="reflect")

    def make_distant(self, faces: Any) -> Any:
        """Shrink some faces to the size of a distant one and enlarge them again."""
        pick = (self.draw(faces, 0.5) + 0.5) * len(DISTANT_SIZES) / self.settings.distant
        which = ops.cast(ops.minimum(pick, len(DISTANT_SIZES)), "int32")  # the last leaves a face as it is
        across = ops.take(ops.convert_to_tensor(self.distant), which, axis=0)
        return ops.matmul(ops.matmul(across, faces[..., 0]), ops.transpose(across, (0, 2, 1)))[..., None]

    def blur(self, faces: Any) -> Any:
        """Blur each face by a Gaussian of its own width."""
        along = ops.arange(FACE_SIZE, dtype="float32")
        width = ops.maximum(ops.abs(self.draw(faces, self.settings.blur, (1, 1))), 0.05)  # 0.05 changes nothing
        weights = ops.exp(-ops.square((along[:, None] - along) / width) / 2)
        weights = weights / ops.sum(weights, axis=2, keepdims=True)
        return ops.matmul(ops.matmul(weights, faces[..., 0]), ops.transpose(weights, (0, 2, 1)))[..., None]

    def light(self, faces: Any) -> Any:
        """Change contrast about each face's own mean, and brightness."""
        mean = ops.mean(faces, axis=(1, 2, 3), keepdims=True)
        contrast = 1.0 + self.draw(faces, self.settings.contrast, (1, 1, 1))
        return (faces - mean) * contrast + mean + self.draw(faces, self.settings.brightness, (1, 1, 1))

    def erase(self, faces: Any) -> Any:
        """Paint a rectangle of one gray over some faces."""
        along = ops.arange(FACE_SIZE, dtype="float32") / FACE_SIZE

        def stripe() -> Any:
            middle = self.draw(faces, 0.5, (1,)) + 0.5
            low, high = ERASED_SIDE
            half = (low + high) / 4 + self.draw(faces, (high - low) / 4, (1,))
            return ops.abs(along - middle) < half

        inside = ops.logical_and(stripe()[:, :, None, None], stripe()[:, None, :, None])
        chosen = self.draw(faces, 0.5, (1, 1, 1)) + 0.5 < self.settings.erase
        gray = self.draw(faces, 127.5, (1, 1, 1)) + 127.5
        return ops.where(ops.logical_and(inside, chosen), gray, faces)


def _shrunk(size: int) -> Array:
    """Return the matrix that shrinks a row of a face to `size` pixels and enlarges it again: float32 (48, 48).

    Both steps are linear, and the same along rows and columns: two products take a tenth of the time of resizing.
    """
    smooth = keras.backend.backend() == "torch"  # enlarging smooths nothing, but so its cubic is the others'
    row = ops.eye(FACE_SIZE)[..., None]
    small = ops.image.resize(row, (size, FACE_SIZE), interpolation="bilinear", antialias=True)
    again = ops.image.resize(small, (FACE_SIZE, FACE_SIZE), interpolation="bicubic", antialias=smooth)
    return np.asarray(ops.convert_to_numpy(again)[..., 0], np.float32)
