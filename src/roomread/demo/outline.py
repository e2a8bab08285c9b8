"""Outlines in units of a face's width, and what turns them into small pictures with smooth edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageFilter

from roomread.types import Image

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]

FINER = 3  # how much larger everything is drawn than it will be


def finish(picture: Pictures.Image, shape: Pictures.Image, top: float, bottom: float) -> Image:
    """Light a drawn figure from above and from the left, cut it out along its shape, and reduce it."""
    size = (picture.width // FINER, picture.height // FINER)
    small = picture.resize(size, Pictures.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.004 * size[0]))
    colours = np.asarray(small, np.float32)
    alpha = np.asarray(shape.resize(size, Pictures.Resampling.BOX), np.float32)[..., None]
    down = np.linspace(top, bottom, size[1])[:, None, None]
    across = np.linspace(1.07, 0.9, size[0])[None, :, None]
    lit = np.clip(colours * down * across, 0, 255) * alpha / 255
    return np.concatenate((lit, alpha), axis=-1).astype(np.uint8)


def at(points: Points, unit: float, right: float, down: float) -> list[tuple[float, float]]:
    """Move points by `right` and `down` and turn units into pixels."""
    return [((x + right) * unit, (y + down) * unit) for x, y in points]


def smooth(points: Points) -> list[tuple[float, float]]:
    """Round the corners of an outline: every corner is cut at a quarter of its sides, three times."""
    outline: npt.NDArray[np.float64] = np.asarray(points, np.float64)
    for _ in range(3):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack((0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following), axis=1).reshape(
            -1, 2
        )
    return [(float(x), float(y)) for x, y in outline]


def shade(colour: Colour, amount: float) -> Colour:
    """Return a darker colour (amount below 1) or a lighter one."""
    red, green, blue = (min(255, round(value * amount)) for value in colour)
    return red, green, blue
