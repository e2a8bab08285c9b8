"""What shape each face has: 478 points in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image as Pictures

from roomread.faces.onnx import Runtime, open_network
from roomread.modelcard import MESH
from roomread.preprocess import cut
from roomread.types import Array, Image, check_shape

N_POINTS = 478  # 468 of the face, then five of each iris
SIDE = 256  # pixels; the network's input
SIDE_PER_BOX = 1.5  # side of the square over the box's longer side, as the network's makers cut it
TURN_BY = Pictures.Resampling.BILINEAR
LEVEL = np.radians(3)  # eyes that slope less are left as they are: turning takes longer than the rest of cutting out
NARROW_EYES = 0.15  # of the box's longer side; eyes nearer to each other are a profile's and do not tell what is level


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

    def __init__(self, runtime: Runtime | None = None) -> None:
        """Open the network.

        Raises:
            ModelError: the file or its card is missing, damaged, or for something else, or the device cannot be used.
        """
        self.network = open_network(MESH, "face mesh", runtime)

    def measure(self, image: Image, boxes: Array, points: Array) -> Meshes:
        """Return the shape of each face of one picture.

        Args:
            image: uint8 (height, width, 3), RGB.
            boxes: float32 (n, 4), pixels, (left, top, right, bottom).
            points: float32 (n, 5, 2), pixels, as in `Detections`.

        Raises:
            ValueError: a box is empty or lies wholly outside the picture.
        """
        squares = upright_squares(boxes, points)
        shapes = np.empty((len(boxes), N_POINTS, 3), np.float32)
        presence = np.empty(len(boxes), np.float32)
        for row in range(len(boxes)):  # together is no quicker: what passes between layers outgrows the caches
            outputs = self.network(crop_upright(image, squares[row : row + 1]))
            shapes[row], presence[row] = outputs["points"][0], outputs["presence"][0]
        return Meshes(_into_picture(shapes, squares), presence)


def upright_squares(boxes: Array, points: Array) -> Array:
    """Return for each face the square that the mesh looks at, turned so that the eyes are level.

    Args:
        boxes: float32 (n, 4), pixels, (left, top, right, bottom).
        points: float32 (n, 5, 2), pixels, as in `Detections`.

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
    return np.column_stack([(low + high) / 2, SIDE_PER_BOX * longer, turns])


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
    height, width = image.shape[:2]
    crops = np.empty((len(squares), SIDE, SIDE, 3), np.uint8)
    for row, (x, y, side, turn) in enumerate(squares.tolist()):
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        reach = side / 2 * (abs(cos) + abs(sin))
        left, top = int(np.floor(x - reach)), int(np.floor(y - reach))
        right, bottom = int(np.ceil(x + reach)), int(np.ceil(y + reach))
        if left >= width or top >= height or right <= 0 or bottom <= 0:
            raise ValueError(
                f"Each face must overlap the picture of {width} x {height} pixels. "
                f"Received: {left, top, right, bottom}."
            )
        part = Pictures.fromarray(cut(image, left, top, right, bottom))
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


def _into_picture(shapes: Array, squares: Array) -> Array:
    """Take points from pixels of the network's input to pixels of the picture."""
    middle, scale, turns = squares[:, None, :2], squares[:, None, 2:3] / SIDE, squares[:, None, 3]
    cos, sin = np.cos(turns), np.sin(turns)
    x, y, z = np.moveaxis((shapes - [SIDE / 2, SIDE / 2, 0]) * scale, 2, 0)
    turned = np.stack([x * cos - y * sin, x * sin + y * cos, z], axis=2)
    turned[..., :2] += middle
    placed: Array = turned.astype(np.float32)
    return placed
