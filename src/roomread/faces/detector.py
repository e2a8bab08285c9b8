"""Where the faces are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image as Pictures

from roomread.faces.onnx import open_network
from roomread.modelcard import DETECTOR
from roomread.types import Array, Detections, Image

STRIDES = (8, 16, 32)  # pixels; the detector's three grids


class Detector(Protocol):
    """Anything that finds faces in a picture."""

    def detect(self, image: Image) -> Detections:
        """Return the faces of one picture; none is an ordinary answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """How faces are looked for."""

    width: int = 1280  # pixels; wider pictures are reduced to it. Raising it finds smaller faces and takes longer
    threshold: float = 0.6  # 0 to 1; raising it loses distant and turned faces, lowering it finds faces in posters
    overlap: float = 0.3  # intersection over union, 0 to 1; above it two boxes are one face

    def __post_init__(self) -> None:
        if self.width < 32:
            raise ValueError(f"width must be at least 32 pixels. Received: {self.width}.")
        for name in ("threshold", "overlap"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1. Received: {getattr(self, name)}.")


class YuNet:
    """YuNet (Wu et al. 2023, doi 10.1007/s11633-023-1423-y) on ONNX Runtime."""

    def __init__(
        self, settings: DetectorSettings | None = None, threads: int | None = None, path: Path = DETECTOR
    ) -> None:
        """Open the network.

        Raises:
            ModelError: the file or its card is missing, damaged, or for something else.
        """
        self.settings = DetectorSettings() if settings is None else settings
        self.network = open_network(path, "face detection", threads)

    def detect(self, image: Image) -> Detections:
        """Return the faces of one picture, surest first, boxes clipped to the picture."""
        height, width = image.shape[:2]
        scale = min(1.0, self.settings.width / width)
        pixels = _network_input(image, scale)
        outputs = self.network(pixels)
        found = [_decode(outputs, stride, pixels.shape[3], self.settings.threshold) for stride in STRIDES]
        boxes, scores, points = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = suppress(boxes, scores, self.settings.overlap)
        faces = Detections(boxes[kept] / scale, scores[kept], points[kept] / scale)
        return clip(faces, width, height)


def _network_input(image: Image, scale: float) -> Array:
    """Return float32 (1, 3, h, w), BGR, 0 to 255, padded with black to whole multiples of 32 pixels."""
    if scale < 1:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = np.asarray(Pictures.fromarray(image).resize(size, Pictures.Resampling.BILINEAR, reducing_gap=1.0))
    height, width = image.shape[:2]
    padded = np.zeros((1, 3, -height % 32 + height, -width % 32 + width), np.float32)
    padded[0, :, :height, :width] = image.transpose(2, 0, 1)[::-1]
    return padded


def _decode(outputs: dict[str, Array], stride: int, width: int, threshold: float) -> tuple[Array, Array, Array]:
    """Return boxes, scores and points of one grid, in pixels of the network's input."""
    scores = np.sqrt(outputs[f"cls_{stride}"][0, :, 0].clip(0, 1) * outputs[f"obj_{stride}"][0, :, 0].clip(0, 1))
    rows = np.flatnonzero(scores >= threshold)
    columns = width // stride
    corner = np.stack([rows % columns, rows // columns], axis=1)
    shape = outputs[f"bbox_{stride}"][0, rows]
    middle = (corner + shape[:, :2]) * stride
    half = np.exp(shape[:, 2:]) * stride / 2
    points = (corner[:, None] + outputs[f"kps_{stride}"][0, rows].reshape(-1, 5, 2)) * stride
    return np.concatenate([middle - half, middle + half], axis=1), scores[rows], points


def suppress(boxes: Array, scores: Array, overlap: float) -> Array:
    """Return the rows of the boxes that no surer box covers, surest first: int64 (k,).

    Args:
        boxes: float32 (n, 4), pixels, (left, top, right, bottom).
        scores: float32 (n,).
        overlap: intersection over union above which the less sure box goes.
    """
    order = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(int(first))
        corner = np.maximum(boxes[first, :2], boxes[rest, :2])
        common = np.clip(np.minimum(boxes[first, 2:], boxes[rest, 2:]) - corner, 0, None).prod(axis=1)
        order = rest[common <= overlap * (areas[first] + areas[rest] - common)]
    return np.array(kept, np.int64)


def clip(faces: Detections, width: int, height: int) -> Detections:
    """Cut boxes at the picture's edge and leave out those of which nothing is left."""
    edge = np.array([width, height, width, height], np.float32)
    boxes = np.clip(faces.boxes, 0, edge).astype(np.float32)
    left = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
    return Detections(boxes[left], faces.scores[left].astype(np.float32), faces.points[left].astype(np.float32))
