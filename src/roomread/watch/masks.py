"""Zones of the picture that nobody looks at: a seat that opted out, a poster, the projection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw

from roomread.types import Array, Frame

GRAY = 127  # gray level of what is covered

Zone = tuple[float, ...]  # a rectangle (left, top, right, bottom), or a polygon (x, y, x, y, x, y, ...)

MOST_PIXELS = 100_000  # of a picture's side, and more than any has: what draws a zone errs on numbers beyond 2^31


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSettings:
    """Which zones are covered before anything looks at a frame: they are never seen, read, drawn or kept."""

    fractions: tuple[Zone, ...] = ()  # of the picture's width and height, 0 to 1: rectangles (left, top, right, bottom)
    # or polygons (x, y, x, y, x, y, ...)
    pixels: tuple[Zone, ...] = ()  # likewise, in pixels of the picture

    def __post_init__(self) -> None:
        for zones, most in ((self.fractions, 1), (self.pixels, MOST_PIXELS)):
            for zone in zones:
                _check(zone, most)


def _check(zone: Zone, most: float) -> None:
    shaped = len(zone) >= 4 and len(zone) % 2 == 0
    ordered = len(zone) != 4 or (zone[0] < zone[2] and zone[1] < zone[3])
    if not (shaped and ordered and all(0 <= number <= most for number in zone)):
        raise ValueError(
            f"A mask must be a rectangle (left, top, right, bottom) or a polygon (x, y, x, y, x, y, ...) of numbers "
            f"from 0 to {most:g}. Received: {list(zone)}."
        )


def covered(frames: Iterable[Frame], settings: MaskSettings) -> Iterator[Frame]:
    """Yield frames whose masked zones are flat gray; without a mask, the frames as they are."""
    zone: Array = np.zeros((0, 0), bool)
    for frame in frames:
        if settings.fractions or settings.pixels:
            height, width = frame.image.shape[:2]
            if zone.shape != (height, width):
                zone = draw_zones(settings, width, height)
            hidden = frame.image.copy()
            hidden[zone] = GRAY
            frame = replace(frame, image=hidden)
        yield frame


def draw_zones(settings: MaskSettings, width: int, height: int) -> Array:
    """Return which pixels of a picture of so many pixels are covered: bool (height, width)."""
    drawn = Pictures.new("1", (width, height))
    pen = ImageDraw.Draw(drawn)
    for zones, across, down in ((settings.fractions, width, height), (settings.pixels, 1, 1)):
        for zone in zones:
            x, y = [number * across for number in zone[::2]], [number * down for number in zone[1::2]]
            if len(zone) == 4:
                x, y = [x[0], x[1], x[1], x[0]], [y[0], y[0], y[1], y[1]]
            pen.polygon(list(zip(x, y, strict=True)), fill=1)
    return np.asarray(drawn)
