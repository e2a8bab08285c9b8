"""What expression each face shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from roomread.faces.boxes import sizes
from roomread.faces.onnx import Runtime, multiplies_bytes, open_network
from roomread.modelcard import PUBLISHED, PUBLISHED_INT8
from roomread.preprocess import contrast, crop_faces, sharpness
from roomread.types import N_EMOTIONS, Array, Image


class ExpressionReader(Protocol):
    """Anything that reads expressions from faces."""

    def predict(self, image: Image, boxes: Array, points: Array | None = None) -> tuple[Array, Array]:
        """Return (probabilities, sharpness) as `read_expressions` does."""
        ...


class Classifier(Protocol):
    """Anything that tells expressions from faces that are cut out already."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def predict_faces(self, faces: Array) -> Array:
        """Return float32 (n, 7), probabilities in the order of EMOTIONS, for uint8 (n, 48, 48, 1), gray, 0 to 255."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionSettings:
    """Which faces are read."""

    min_size: float = 16.0  # pixels, root of the box's area; smaller faces are left out. Lowering it adds guesses:
    # on `validation` (n = 2,872) accuracy is 0.686 at full size, 0.666 at 21 and 0.598 at 14 pixels, which fill the 24
    # and 16 pixels of `roomread evaluate --sizes`
    min_contrast: float = 10.0  # gray levels, standard deviation of the face; less is too dark, or hidden by light:
    # with faces darkened to 14 and 7 gray levels, and a camera's noise of 3, accuracy is 0.58 and 0.35
    min_detail: float = 0.008  # sharpness by the square of the contrast; less is blurred: blurs of 1, 1.5 and 2 pixels
    # leave medians of 0.065, 0.020 and 0.010, and accuracies of 0.66, 0.60 and 0.53; with blurs of 2, 2.5 and 3 pixels
    # 66, 24 and 8 of 100 faces are read
    min_eyes: float = 0.15  # distance of the eyes over the box's width; less is a profile. Of the faces that the model
    # learned from 99.8 in 100 show more, so what it makes of others is not known: down to there accuracy is about 0.6,
    # and 0.72 for faces seen from the front, with 0.45 and more
    batch_size: int = 64  # faces at a time; bounds the memory, not the result
    precision: str = "auto"  # of the published model: float32; int8, rounded, which changes a probability by a few
    # hundredths; or auto: int8 where the processor is known to be quicker with it

    def __post_init__(self) -> None:
        if self.precision not in ("auto", "float32", "int8"):
            raise ValueError(f"precision must be auto, float32 or int8. Received: {self.precision}.")
        for name in ("min_contrast", "min_detail", "min_eyes"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative. Received: {getattr(self, name)}.")
        if self.min_size < 1 or self.batch_size < 1:
            raise ValueError(
                f"min_size and batch_size must be at least 1. Received: {self.min_size}, {self.batch_size}."
            )


def read_expressions(
    model: Classifier, faces: Array, boxes: Array, settings: ExpressionSettings, points: Array | None = None
) -> tuple[Array, Array]:
    """Read each face.

    Args:
        model: what reads them.
        faces: uint8 (n, 48, 48, 1), gray, from `crop_faces`.
        boxes: float32 (n, 4), pixels, (left, top, right, bottom).
        settings: which faces are left out.
        points: float32 (n, 5, 2), pixels, as in `Detections`; None where it is not known who is turned away.

    Returns:
        float32 (n, 7), 0 to 1, in the order of EMOTIONS, each row sums to 1; a row of NaN where the face is too small,
        too dark, too blurred or turned too far away to read. And float32 (n,), how sharp each face is.
    """
    probabilities = np.full((len(boxes), N_EMOTIONS), np.nan, np.float32)
    light, sharp = contrast(faces), sharpness(faces)
    detailed = sharp >= settings.min_detail * light**2
    readable = (sizes(boxes) >= settings.min_size) & (light >= settings.min_contrast) & detailed
    if points is not None:
        eyes = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
        readable &= eyes >= settings.min_eyes * (boxes[:, 2] - boxes[:, 0])
    probabilities[readable] = model.predict_faces(faces[readable])
    return probabilities, sharp


class ExpressionModel:
    """A network from faces to the probabilities of EMOTIONS."""

    def __init__(
        self, settings: ExpressionSettings | None = None, runtime: Runtime | None = None, path: Path | None = None
    ) -> None:
        """Open a network, the published one if `path` is None.

        Raises:
            ModelError: the file or its card is missing, damaged, or made for other classes.
        """
        self.settings = ExpressionSettings() if settings is None else settings
        if path is None:
            precision = self.settings.precision
            quicker = (runtime is None or runtime.device == "cpu") and multiplies_bytes()
            path = PUBLISHED_INT8 if precision == "int8" or (precision == "auto" and quicker) else PUBLISHED
        self.network = open_network(path, "expression", runtime)

    @property
    def name(self) -> str:
        """What its card calls it."""
        return self.network.card.name

    def predict(self, image: Image, boxes: Array, points: Array | None = None) -> tuple[Array, Array]:
        """Return what `read_expressions` does of the faces in a picture, by this model and its settings."""
        return read_expressions(self, crop_faces(image, boxes), boxes, self.settings, points)

    def predict_faces(self, faces: Array) -> Array:
        """Return float32 (n, 7), the probabilities for faces cut out already: uint8 (n, 48, 48, 1), gray."""
        step = self.settings.batch_size
        only = self.network.outputs[0]
        parts = [self.network(faces[start : start + step])[only] for start in range(0, len(faces), step)]
        return np.concatenate(parts) if parts else np.empty((0, N_EMOTIONS), np.float32)
