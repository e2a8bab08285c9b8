"""Zones of the picture that nobody looks at: a seat that opted out, a poster, the projection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw

from roomread.types import Array, Detections, Image

GRAY = 127  # gray level of what is covered

Zone = tuple[float, ...]  # a rectangle (left, top, right, bottom), or a polygon (x, y, x, y, x, y, ...)


def check_zones(name: str, zones: Sequence[Zone], most: float) -> None:
    """Refuse zones that are neither rectangle nor polygon, or reach beyond 0 to `most`.

    Raises:
        ValueError: a zone does not fit.
    """
    for zone in zones:
        shaped = len(zone) >= 4 and len(zone) % 2 == 0
        ordered = len(zone) != 4 or (zone[0] < zone[2] and zone[1] < zone[3])
        if not (shaped and ordered and all(0 <= number <= most for number in zone)):
            raise ValueError(
                f"Each zone of {name} must be a rectangle (left, top, right, bottom) or a polygon (x, y, x, y, x, y, "
                f"...) of numbers from 0 to {most:g}. Received: {list(zone)}."
            )


def draw_zones(fractions: Sequence[Zone], pixels: Sequence[Zone], width: int, height: int) -> Array:
    """Return which pixels of a picture are covered: bool (height, width).

    Args:
        fractions: zones in fractions of the picture's width and height.
        pixels: zones in pixels of the picture.
        width: pixels, of the picture.
        height: pixels, of the picture.
    """
    drawn = Pictures.new("1", (width, height))
    pen = ImageDraw.Draw(drawn)
    for zones, across, down in ((fractions, width, height), (pixels, 1, 1)):
        for zone in zones:
            x, y = [number * across for number in zone[::2]], [number * down for number in zone[1::2]]
            if len(zone) == 4:
                x, y = [x[0], x[1], x[1], x[0]], [y[0], y[0], y[1], y[1]]
            pen.polygon(list(zip(x, y, strict=True)), fill=1)
    return np.asarray(drawn)


def cover(image: Image, zone: Array) -> Image:
    """Return a copy of a picture, uint8 (height, width, 3), in which the zone, bool (height, width), is flat gray."""
    covered = image.copy()
    covered[zone] = GRAY
    return covered


def outside(faces: Detections, zone: Array) -> Detections:
    """Return the faces that lie at least half outside the zone; their boxes must lie within the picture."""
    rows = [
        row
        for row, (left, top, right, bottom) in enumerate(faces.boxes.astype(int).tolist())
        if zone[top : max(bottom, top + 1), left : max(right, left + 1)].mean() <= 0.5
    ]
    return faces[np.array(rows, np.int64)]
