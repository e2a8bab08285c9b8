"""A second look at what the detector doubts, by another network."""

from __future__ import annotations

import numpy as np
from PIL import Image as Pictures

from roomread.faces.boxes import overlaps, sizes
from roomread.faces.onnx import Runtime, open_network
from roomread.modelcard import SECOND_LOOK
from roomread.types import Array, Detections, Image

DOUBTFUL = (0.4, 0.75)  # scores; below, few boxes are faces, and from there on nearly all are
WIDE, HIGH = 96, 128  # pixels; what the network sees of a face and around it, of which what lies beside tells least
FACE = 44  # pixels; root of the box's area within the tile
CELL = 4  # pixels; the network's grid
SAME = 0.4  # intersection over union above which both looks mean the same face


class SecondLook:
    """CenterFace (Xu et al. 2019, arXiv 1911.03599) on ONNX Runtime, for single doubtful boxes.

    Two networks that were made apart seldom take the same thing for a face, so the mean of both is worth more than
    either; and as only doubtful boxes are looked at again, this costs little.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        """Open the network.

        Raises:
            ModelError: the file or its card is missing, damaged, or for something else.
        """
        self.network = open_network(SECOND_LOOK, "second look", runtime)

    def judge(self, image: Image, faces: Detections) -> Detections:
        """Return the same faces, in the same order; where the score is doubtful, score and box are those of both looks.

        The score is the mean of both, 0 for the second look where that one sees no face; the box is the mean of both
        boxes, weighted by the scores.
        """
        doubtful = (faces.scores >= DOUBTFUL[0]) & (faces.scores < DOUBTFUL[1])
        if not doubtful.any():
            return faces
        first = faces[doubtful]
        places = _places(first.boxes)
        strip = np.concatenate([_tile(image, place) for place in places.tolist()], axis=1)
        outputs = self.network(strip.transpose(2, 0, 1)[None])
        seen, scores = _find(outputs, places, first.boxes)
        weight = (scores / (first.scores + scores))[:, None]
        boxes, both = faces.boxes.copy(), faces.scores.copy()
        boxes[doubtful] = first.boxes * (1 - weight) + seen * weight
        both[doubtful] = (first.scores + scores) / 2
        return Detections(boxes, both, faces.points)


def _places(boxes: Array) -> Array:
    """Return what part of the picture becomes each box's tile: int64 (n, 4), pixels, (left, top, right, bottom)."""
    half = np.outer(sizes(boxes) / FACE, [WIDE / 2, HIGH / 2])
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    corner = np.rint(middle - half)
    return np.concatenate([corner, corner + np.maximum(np.rint(2 * half), 1)], axis=1).astype(np.int64)


def _tile(image: Image, place: list[int]) -> Image:
    """Return uint8 (128, 96, 3), RGB: a part of the picture, black where it reaches beyond the edge."""
    left, top, right, bottom = place
    part = np.zeros((bottom - top, right - left, 3), np.uint8)
    inner = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    down, across = max(-top, 0), max(-left, 0)
    part[down : down + inner.shape[0], across : across + inner.shape[1]] = inner
    return np.asarray(Pictures.fromarray(part).resize((WIDE, HIGH), Pictures.Resampling.BILINEAR, reducing_gap=2.0))


def _find(outputs: dict[str, Array], places: Array, first: Array) -> tuple[Array, Array]:
    """Return what the second look sees of each face: boxes, float32 (n, 4), pixels of the picture, and scores (n,)."""
    n, high, wide = len(places), HIGH // CELL, WIDE // CELL

    def per_tile(values: Array) -> Array:  # (high, n * wide) → (n, high * wide)
        return values.reshape(high, n, wide).swapaxes(0, 1).reshape(n, -1)

    rows, columns = np.divmod(np.arange(high * wide), wide)
    middle = np.stack([columns + per_tile(outputs["offset"][0, 1]), rows + per_tile(outputs["offset"][0, 0])], -1) + 0.5
    half = np.exp(np.stack([per_tile(outputs["size"][0, 1]), per_tile(outputs["size"][0, 0])], -1)) / 2
    boxes = np.concatenate([middle - half, middle + half], axis=-1)  # (n, high * wide, 4), in cells of the tile
    cell = (places[:, 2:] - places[:, :2]) / [wide, high]  # pixels of the picture
    boxes = boxes * np.tile(cell, 2)[:, None] + np.tile(places[:, :2], 2)[:, None]
    presence = np.where(overlaps(boxes, first[:, None]) >= SAME, per_tile(outputs["presence"][0, 0]), 0)
    each, best = np.arange(n), presence.argmax(axis=1)
    return boxes[each, best].astype(np.float32), presence[each, best].astype(np.float32)
