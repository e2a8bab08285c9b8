"""Where the faces are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from roomread.faces.boxes import clip, join, suppress
from roomread.faces.onnx import Network, Runtime, open_network
from roomread.faces.second_look import DOUBTFUL, SecondLook
from roomread.faces.tiles import SHARED, View, cut
from roomread.modelcard import DETECTOR
from roomread.pictures import scaled_planes
from roomread.types import Array, Detections, Image

STRIDES = (8, 16, 32)  # pixels; the detector's three grids
FOUND = 14  # pixels of the analysed picture, root of the box's area; from about this size most faces are found
ENLARGED = 1.5  # times; enlarging a picture further shows nothing more


class Detector(Protocol):
    """Anything that finds faces in a picture."""

    @property
    def networks(self) -> dict[str, Network]:
        """What it looks with, by what each is for: kept with every lesson."""
        ...

    def detect(self, image: Image) -> Detections:
        """Return the faces of one picture; none is an ordinary answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """How faces are looked for."""

    width: int = 1280  # pixels; pictures are analysed at it, narrower ones enlarged up to 1.5 times. Raising it finds
    # smaller faces and takes longer
    smallest_face: float | None = None  # pixels of the picture, root of the face's area; decides instead of the width,
    # so that such a face is analysed at 14 pixels
    tile: int = 1920  # pixels; what is larger when analysed is looked at in tiles of this size: lower, it saves memory
    threshold: float = 0.45  # 0 to 1, the score from which a box is a face. Raising it loses turned and covered faces,
    # lowering it finds faces in hands and posters: of the faces of 16 pixels and more in 255 photographs of WIDER FACE,
    # 0.4 finds 0.939 with 9 boxes in 20 photographs that nobody labelled, 0.45 0.933 with 6, 0.55 0.912 with 3
    second_look: bool = True  # whether another network judges doubtful boxes; without it, a threshold of 0.6 fits:
    # 0.915 with 8
    overlap: float = 0.3  # intersection over union, 0 to 1; above it two boxes are one face

    def __post_init__(self) -> None:
        if self.width < 32:
            raise ValueError(f"width must be at least 32 pixels. Received: {self.width}.")
        if self.smallest_face is not None and not 1 <= self.smallest_face <= 1000:
            raise ValueError(f"smallest_face must lie between 1 and 1000 pixels. Received: {self.smallest_face}.")
        if self.tile < 2 * SHARED:
            raise ValueError(f"tile must be at least {2 * SHARED} pixels. Received: {self.tile}.")
        for name in ("threshold", "overlap"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1. Received: {getattr(self, name)}.")

    def scale(self, width: int, height: int) -> float:
        """Return how many pixels of the analysed picture one pixel becomes; enlarging never goes beyond one tile."""
        wanted = self.width / width if self.smallest_face is None else FOUND / self.smallest_face
        return min(wanted, ENLARGED, max(1, self.tile / max(width, height)))


def open_detector(settings: DetectorSettings | None = None, runtime: Runtime | None = None) -> Detector:
    """Return the detector that faces are looked for with, wherever one is needed.

    Raises:
        ModelError: a network or its card is missing, damaged, or for something else, or the device cannot be used.
    """
    return YuNet(settings, runtime)


class YuNet:
    """YuNet (Wu et al. 2023, doi 10.1007/s11633-023-1423-y) on ONNX Runtime, with a second look at what it doubts."""

    def __init__(self, settings: DetectorSettings | None = None, runtime: Runtime | None = None) -> None:
        """Open the networks.

        Raises:
            ModelError: a file or its card is missing, damaged, or for something else.
        """
        self.settings = DetectorSettings() if settings is None else settings
        self.network = open_network(DETECTOR, "face detection", runtime)
        self.second = SecondLook(runtime) if self.settings.second_look else None

    @property
    def networks(self) -> dict[str, Network]:
        """Both networks, or the first alone."""
        return {"detector": self.network} | ({} if self.second is None else {"second_look": self.second.network})

    def detect(self, image: Image) -> Detections:
        """Return the faces of one picture, surest first, boxes clipped to the picture."""
        height, width = image.shape[:2]
        settings = self.settings
        views = cut(width, height, settings.scale(width, height), settings.tile)
        faces = join([self._look(image, view) for view in views])
        if len(views) > 1:
            faces = self._single(faces)
        if self.second is not None:
            faces = self.second.judge(image, faces)
        faces = self._single(faces[faces.scores >= settings.threshold])
        return clip(faces, width, height)

    def _single(self, faces: Detections) -> Detections:
        return faces[suppress(faces.boxes, faces.scores, self.settings.overlap)]

    def _look(self, image: Image, view: View) -> Detections:
        """Return the faces that a view owns, in pixels of the picture, as the first look has them."""
        pixels = _network_input(image, view)
        outputs = self.network(pixels)
        floor = self.settings.threshold if self.second is None else min(self.settings.threshold, DOUBTFUL[0])
        found = [_decode(outputs, stride, pixels.shape[3], floor) for stride in STRIDES]
        boxes, scores, points = (np.concatenate(part) for part in zip(*found, strict=True))
        left, top, right, bottom = view.part
        scale = np.array([(right - left) / view.size[0], (bottom - top) / view.size[1]], np.float32)
        corner = np.array([left, top], np.float32)
        boxes, points = boxes * np.tile(scale, 2) + np.tile(corner, 2), points * scale + corner
        faces = self._single(Detections(boxes, scores, points))
        return faces[view.owns(faces.boxes)]


def _network_input(image: Image, view: View) -> Array:
    """Return float32 (1, 3, h, w), BGR, 0 to 255, padded with black to whole multiples of 32 pixels."""
    left, top, right, bottom = view.part
    width, height = view.size
    padded = np.zeros((1, 3, -height % 32 + height, -width % 32 + width), np.float32)
    padded[0, :, :height, :width] = scaled_planes(image[top:bottom, left:right], view.size)[::-1]
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
