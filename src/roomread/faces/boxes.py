"""Arithmetic of boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomread.types import Array, Detections


def join(parts: Sequence[Detections]) -> Detections:
    """Return the faces of all parts, one after the other."""
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.points for part in parts]),
    )


def sizes(boxes: Array) -> Array:
    """Return the root of each box's area: float32 (n,), pixels."""
    size: Array = np.sqrt((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
    return size


def overlaps(first: Array, second: Array) -> Array:
    """Return intersection over union of boxes, (..., 4) and (..., 4), with NumPy's broadcasting: 0 to 1, (...)."""
    corner = np.maximum(first[..., :2], second[..., :2])
    common = np.clip(np.minimum(first[..., 2:], second[..., 2:]) - corner, 0, None).prod(axis=-1)
    shared: Array = common / (sizes(first) ** 2 + sizes(second) ** 2 - common)
    return shared


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
