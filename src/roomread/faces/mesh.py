"""What shape each face has: 478 points in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from roomread.faces.onnx import Runtime, open_network
from roomread.modelcard import WEIGHTS
from roomread.types import Array, Image, check_shape

MESH = WEIGHTS / "face_mesh.onnx"
N_POINTS = 478  # 468 of the face, then five of each iris
SIDE = 256  # pixels; the network's input
TURN_BY = Pictures.Resampling.BILINEAR
LEVEL = np.radians(3)  # eyes that slope less are left as they are: turning takes longer than the rest of cutting out
NARROW_EYES = 0.15  # of the box's longer side; eyes nearer to each other are a profile's and do not tell what is level


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshSettings:
    """How faces are cut out for the mesh."""

    side_per_box: float = 1.5  # side of the square over the box's longer side, as the network's makers cut it
    batch_size: int = 1  # faces at a time; more are no quicker, as what passes between the layers outgrows the caches

    def __post_init__(self) -> None:
        if self.side_per_box < 1 or self.batch_size < 1:
            raise ValueError(
                f"side_per_box and batch_size must be at least 1. Received: {self.side_per_box}, {self.batch_size}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Meshes:
    """The shapes of some faces of one picture.

    points: float32 (n, 478, 3), pixels of the picture: x to the right, y downwards, z away from the viewer.
    presence: float32 (n,), 0 to 1, how sure the network is that it saw a face.
    """

    points: Array
    presence: Array

    def __post_init__(self) -> None:
        check_shape("presence", self.presence, (None,))
        check_shape("points", self.points, (len(self.presence), N_POINTS, 3))

    def __len__(self) -> int:
        return len(self.presence)


class FaceMesh:
    """MediaPipe's face mesh (Kartynnik et al. 2019, arXiv 1907.06724) on ONNX Runtime."""

    def __init__(self, settings: MeshSettings | None = None, runtime: Runtime | None = None, path: Path = MESH) -> None:
        """Open the network.

        Raises:
            ModelError: the file or its card is missing, damaged, or for something else, or the device cannot be used.
        """
        self.settings = MeshSettings() if settings is None else settings
        self.network = open_network(path, "face mesh", runtime)

    def measure(self, image: Image, boxes: Array, points: Array) -> Meshes:
        """Return the shape of each face of one picture.

        Args:
            image: uint8 (height, width, 3), RGB.
            boxes: float32 (n, 4), pixels, (left, top, right, bottom).
            points: float32 (n, 5, 2), pixels, as in `Detections`.

        Raises:
            ValueError: a box is empty or lies wholly outside the picture.
        """
        squares = upright_squares(boxes, points, self.settings.side_per_box)
        shapes = np.empty((len(boxes), N_POINTS, 3), np.float32)
        presence = np.empty(len(boxes), np.float32)
        for start in range(0, len(boxes), self.settings.batch_size):
            part = slice(start, start + self.settings.batch_size)
            outputs = self.network(crop_upright(image, squares[part]))
            shapes[part], presence[part] = outputs["points"], outputs["presence"]
        return Meshes(_into_picture(shapes, squares), presence)


def upright_squares(boxes: Array, points: Array, side_per_box: float) -> Array:
    """Return for each face the square that the mesh looks at, turned so that the eyes are level.

    Args:
        boxes: float32 (n, 4), pixels, (left, top, right, bottom).
        points: float32 (n, 5, 2), pixels, as in `Detections`.
        side_per_box: side of the square over the longer side of the box.

    Returns:
        float64 (n, 4): x and y of the middle and side in pixels, turn in radians, clockwise.

    Raises:
        ValueError: a box is empty.
    """
    check_shape("boxes", boxes, (None, 4))
    check_shape("points", points, (len(boxes), 5, 2))
    low, high = boxes[:, :2].astype(np.float64), boxes[:, 2:].astype(np.float64)
    for box in boxes[(high <= low).any(axis=1)]:
        raise ValueError(f"Each box must have an extent. Received: {box.tolist()}.")
    longer = (high - low).max(axis=1)
    across = (points[:, 1] - points[:, 0]).astype(np.float64)  # from the person's right eye to the left one
    turns = np.arctan2(across[:, 1], across[:, 0])
    turns[(np.hypot(*across.T) < NARROW_EYES * longer) | (abs(turns) < LEVEL)] = 0
    return np.column_stack([(low + high) / 2, side_per_box * longer, turns])


def crop_upright(image: Image, squares: Array) -> Array:
    """Cut squares out of a picture and make them the mesh's input.

    Args:
        image: uint8 (height, width, 3), RGB.
        squares: float64 (n, 4), from `upright_squares`; what lies outside the picture is filled with the colour of its
            edge.

    Returns:
        uint8 (n, 256, 256, 3), RGB. No squares give (0, 256, 256, 3).

    Raises:
        ValueError: a square lies wholly outside the picture.
    """
    check_shape("image", image, (None, None, 3))
    crops = np.empty((len(squares), SIDE, SIDE, 3), np.uint8)
    for row, (x, y, side, turn) in enumerate(squares.tolist()):
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        reach = side / 2 * (abs(cos) + abs(sin))
        left, top = int(np.floor(x - reach)), int(np.floor(y - reach))
        part = Pictures.fromarray(_part(image, left, top, int(np.ceil(x + reach)), int(np.ceil(y + reach))))
        extent = int(np.ceil(2 * reach / side * SIDE))  # resizing is smooth and quick, turning then need not be smooth
        start = max(x - left - reach, 0.0), max(y - top - reach, 0.0)  # rounding must not lead out of the part
        end = min(x - left + reach, part.width), min(y - top + reach, part.height)
        large = part.resize((extent, extent), Pictures.Resampling.BICUBIC, box=(*start, *end))
        if turn != 0:
            scale, middle = extent * side / (2 * reach * SIDE), extent / 2
            cos, sin = cos * scale, sin * scale
            way = (cos, -sin, middle - SIDE / 2 * (cos - sin), sin, cos, middle - SIDE / 2 * (sin + cos))
            large = large.transform((SIDE, SIDE), Pictures.Transform.AFFINE, way, TURN_BY)
        crops[row] = np.asarray(large)
    return crops


def _part(image: Image, left: int, top: int, right: int, bottom: int) -> Image:
    """Return a rectangle of the picture; what lies outside has the colour of the edge."""
    height, width = image.shape[:2]
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise ValueError(
            f"Each face must overlap the picture of {width} x {height} pixels. Received: {left, top, right, bottom}."
        )
    part = image[max(top, 0) : bottom, max(left, 0) : right]
    over = [(max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0)]
    return np.pad(part, over, mode="edge") if any(map(any, over)) else part


def _into_picture(shapes: Array, squares: Array) -> Array:
    """Take points from pixels of the network's input to pixels of the picture."""
    middle, scale, turns = squares[:, None, :2], squares[:, None, 2:3] / SIDE, squares[:, None, 3]
    cos, sin = np.cos(turns), np.sin(turns)
    x, y, z = np.moveaxis((shapes - [SIDE / 2, SIDE / 2, 0]) * scale, 2, 0)
    turned = np.stack([x * cos - y * sin, x * sin + y * cos, z], axis=2)
    turned[..., :2] += middle
    placed: Array = turned.astype(np.float32)
    return placed
