"""The one way from pixels and boxes to the expression model's input, framed as the faces that it was trained on."""

from __future__ import annotations

import numpy as np
from PIL import Image as Pictures

from roomread.types import Array, Image, check_shape

FACE_SIZE = 48  # pixels; FER-2013's own size
GRAY_LEVELS = "faces_0_to_255"  # name of the input of a network that takes gray levels as they are

# How a FER-2013 picture frames its face, measured with the detector on 1,261 faces of Training (tools/measure_crop.py):
# the picture is a square 1.16 times the root of the box's area, its middle 0.015 box heights above the box's.
SIDE_PER_BOX = 1.16
MIDDLE_ABOVE_BOX = 0.015


def face_squares(boxes: Array) -> Array:
    """Return for each face box the square that frames it as FER-2013 frames its faces.

    Args:
        boxes: float32 (n, 4), pixels, (left, top, right, bottom).

    Returns:
        float32 (n, 4), pixels, (left, top, right, bottom); may reach over the picture's edge.
    """
    check_shape("boxes", boxes, (None, 4))
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    half = SIDE_PER_BOX * np.sqrt(width * height) / 2
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2 - MIDDLE_ABOVE_BOX * height
    return np.stack([x - half, y - half, x + half, y + half], axis=1).astype(np.float32)


def crop_faces(image: Image, boxes: Array) -> Array:
    """Cut every face out of a picture and make it the expression model's input.

    Args:
        image: uint8 (height, width, 3), RGB.
        boxes: float32 (n, 4), pixels, (left, top, right, bottom), as the detector gives them; what lies outside the
            picture is filled with the colour of its edge.

    Returns:
        uint8 (n, 48, 48, 1), gray (ITU-R 601), 0 to 255. No boxes give (0, 48, 48, 1).

    Raises:
        ValueError: a box is empty or lies wholly outside the picture.
    """
    check_shape("image", image, (None, None, 3))
    height, width = image.shape[:2]
    check_shape("boxes", boxes, (None, 4))
    overlap = (boxes[:, :2] < [width, height]) & (boxes[:, 2:] > 0) & (boxes[:, 2:] > boxes[:, :2])
    for box in boxes[~overlap.all(axis=1)]:
        raise ValueError(f"Each box must overlap the picture of {width} x {height} pixels. Received: {box.tolist()}.")
    faces = np.empty((len(boxes), FACE_SIZE, FACE_SIZE, 1), np.uint8)
    for row, square in enumerate(face_squares(boxes)):
        left, top = np.floor(square[:2]).astype(int)
        right, bottom = np.ceil(square[2:]).astype(int)
        picture = Pictures.fromarray(cut(image, left, top, right, bottom)).convert("L")
        x0, y0, x1, y1 = (square - np.array([left, top, left, top], np.float32)).tolist()
        size = (FACE_SIZE, FACE_SIZE)
        faces[row, :, :, 0] = np.asarray(picture.resize(size, Pictures.Resampling.BICUBIC, box=(x0, y0, x1, y1)))
    return faces


def cut(image: Image, left: int, top: int, right: int, bottom: int) -> Image:
    """Return a rectangle of a picture, in pixels; what lies outside has the colour of the edge."""
    height, width = image.shape[:2]
    part = image[min(max(top, 0), height - 1) : max(bottom, 1), min(max(left, 0), width - 1) : max(right, 1)]
    over = [(max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0)]
    return np.pad(part, over, mode="edge") if any(map(any, over)) else part


def whole_face(image: Image) -> Array:
    """Return a whole picture as one face, for pictures that are cut out already: uint8 (48, 48, 1), gray (ITU-R 601).

    Args:
        image: uint8 (height, width, 3), RGB; one that is no square is made one, as class folders are read.
    """
    picture = Pictures.fromarray(image).convert("L")
    return np.asarray(picture.resize((FACE_SIZE, FACE_SIZE), Pictures.Resampling.BICUBIC))[..., None]


def contrast(faces: Array) -> Array:
    """Return how much light and dark each face has: float32 (n,), gray levels, the standard deviation.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
    """
    spread: Array = faces.std(axis=(1, 2, 3), dtype=np.float32)
    return spread


def sharpness(faces: Array) -> Array:
    """Return how sharp each face is: the variance of its Laplacian, low for blur and for few pixels made many.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.

    Returns:
        float32 (n,), gray levels squared.
    """
    gray = faces[..., 0].astype(np.float32)
    inner = gray[:, 1:-1, 1:-1]
    laplacian = gray[:, :-2, 1:-1] + gray[:, 2:, 1:-1] + gray[:, 1:-1, :-2] + gray[:, 1:-1, 2:] - 4 * inner
    variance: Array = laplacian.var(axis=(1, 2)).astype(np.float32)
    return variance
