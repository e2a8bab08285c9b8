"""Parts of a picture that is too large to be looked at in one piece."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from roomread.faces.boxes import sizes
from roomread.types import Array

SHARED = 256  # pixels of the network's input that neighbours have in common
MARGIN = 64  # pixels of the network's input next to a seam; a face whose middle lies there belongs to the neighbour
LARGEST = 100  # pixels of the network's input; a larger face may be cut by a seam although its middle is off the margin


@dataclass(frozen=True, slots=True)
class View:
    """A part of a picture, as it is looked at.

    part: pixels of the picture, (left, top, right, bottom).
    size: pixels of the network's input, (width, height).
    own: pixels of the picture, (left, top, right, bottom); a face belongs to the views in which its middle lies here.
    largest: pixels of the picture, root of the box's area; larger faces belong to the view of the whole.
    """

    part: tuple[int, int, int, int]
    size: tuple[int, int]
    own: tuple[float, float, float, float]
    largest: float = math.inf

    def owns(self, boxes: Array) -> Array:
        """Return which faces are this view's: bool (n,), for boxes float32 (n, 4), pixels of the picture."""
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        inside = (middle >= self.own[:2]) & (middle <= self.own[2:])
        kept: Array = inside.all(axis=1) & (sizes(boxes) <= self.largest)
        return kept


def cut(width: int, height: int, scale: float, side: int) -> list[View]:
    """Return the views by which a picture is looked at.

    A picture that fits is one view. A larger one is cut into tiles that share 256 pixels, and is also looked at as a
    whole, reduced, for the faces that are too large for the tiles. Every face lies uncut in a view that owns it.

    Args:
        width: pixels, of the picture.
        height: pixels, of the picture.
        scale: pixels of the network's input for one of the picture's.
        side: pixels; the longest side of a view.
    """
    longest = max(round(width * scale), round(height * scale))
    reduced = scale * min(1, side / longest)
    size = (max(1, round(width * reduced)), max(1, round(height * reduced)))
    whole = View((0, 0, width, height), size, (-math.inf, -math.inf, math.inf, math.inf))
    if longest <= side:
        return [whole]
    across, down = (_spans(length, scale, side) for length in (width, height))
    tiles = []
    for (top, bottom, high, low), (left, right, near, far) in itertools.product(down, across):
        size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        tiles.append(View((left, top, right, bottom), size, (near, high, far, low), LARGEST / scale))
    return [whole, *tiles]


def _spans(length: int, scale: float, side: int) -> list[tuple[int, int, float, float]]:
    """Return for each tile along one side of a picture where it begins and ends, and where what it owns does."""
    n = max(1, math.ceil((length * scale - SHARED) / (side - SHARED)))
    shared, margin = SHARED / scale, MARGIN / scale
    each = (length + (n - 1) * shared) / n
    spans = []
    for tile in range(n):
        start = round(tile * (each - shared))
        end = min(round(start + each), length)
        spans.append((start, end, start + margin if tile else -math.inf, end - margin if tile < n - 1 else math.inf))
    return spans
