"""The drawn part of the people: shoulders and arms in each seat's colours, and a walker without a face.

Outlines are in units of a face's width; they become small pictures with smooth edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFilter

from roomread.demo.layout import Seat
from roomread.types import Image

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]

FINER = 3  # how much larger everything is drawn than it will be
BODY = (2.8, 0.4, 2.3)  # extent of a seated body's picture in face widths: width, top and bottom from the face's middle
ARMS = (1.28, 2.2)  # top and bottom of the picture of the arms on the desk, as wide as BODY
SKIN = (206, 164, 138)
WALKER = (2.1, 5.2)  # width and height of the walker's picture, in near face widths times WALKER_SIZE
WALKER_SIZE = 1.45  # the walker is nearer to the camera than the near row

COAT, TROUSERS, HAIR = (72, 78, 96), (55, 58, 61), (58, 46, 40)
TORSO = [
    (-0.36, 0.62), (-0.46, 0.74), (-0.86, 0.86), (-1.16, 0.98), (-1.3, 1.24), (-1.34, 1.6), (-1.36, 2.3),
    (1.36, 2.3), (1.34, 1.6), (1.3, 1.24), (1.16, 0.98), (0.86, 0.86), (0.46, 0.74), (0.36, 0.62),
]  # fmt: skip
FOREARM = [(1.0, 1.36), (1.34, 1.4), (1.34, 1.8), (1.08, 2.06), (0.3, 2.04), (0.28, 1.82), (0.82, 1.7)]
COAT_SHAPE = [
    (-0.2, 1.0), (-0.5, 1.05), (-0.72, 1.2), (-0.7, 1.8), (-0.62, 2.4), (-0.66, 3.3),
    (0.66, 3.3), (0.62, 2.4), (0.7, 1.8), (0.72, 1.2), (0.5, 1.05), (0.2, 1.0),
]  # fmt: skip
HAIR_SHAPE = [
    (0, 0.02), (-0.26, 0.08), (-0.42, 0.28), (-0.45, 0.52), (-0.4, 0.74), (-0.26, 0.86),
    (0, 0.9), (0.26, 0.86), (0.4, 0.74), (0.45, 0.52), (0.42, 0.28), (0.26, 0.08),
]  # fmt: skip


def draw_body(seat: Seat, scale: float) -> Image:
    """Draw the shoulders and arms of a seated person in the seat's clothes.

    Args:
        seat: whose clothes.
        scale: 1 at rest, larger when leaning forward.

    Returns:
        uint8 (height, width, 4), colour times alpha and alpha; the extent is BODY, the face's middle above its centre.
    """
    unit = seat.face_width * scale * FINER
    wide, tall = BODY[0], BODY[2] - BODY[1]
    size = (int(wide * unit / FINER) * FINER, int(tall * unit / FINER) * FINER)
    shape = Pictures.new("L", size)
    ImageDraw.Draw(shape).polygon(at(smooth(TORSO), unit, wide / 2, -BODY[1]), fill=255)
    picture = Pictures.new("RGB", size, seat.clothes)
    draw = ImageDraw.Draw(picture)
    for side in (-1, 1):  # the seams of the sleeves, and a fold
        seam = [(side * x, y) for x, y in ((0.98, 0.98), (0.9, 1.2), (0.9, 1.5), (0.94, 1.8))]
        draw.line(at(seam, unit, wide / 2, -BODY[1]), fill=shade(seat.clothes, 0.72), width=int(0.03 * unit) + 1)
        fold = [(side * 0.34, 1.2), (side * 0.44, 1.42), (side * 0.47, 1.8)]
        draw.line(at(fold, unit, wide / 2, -BODY[1]), fill=shade(seat.clothes, 0.86), width=int(0.04 * unit) + 1)
    collar = [(0.47 * np.cos(a), 0.64 + 0.2 * np.sin(a)) for a in np.linspace(-0.2, np.pi + 0.2, 24)]
    draw.line(at(collar, unit, wide / 2, -BODY[1]), fill=shade(seat.clothes, 0.74), width=int(0.09 * unit) + 1)
    return finish(picture, shape, top=1.14, bottom=0.8)


def draw_arms(seat: Seat, scale: float) -> Image:
    """Draw the forearms of a seated person, on the desk, as `draw_body` draws the rest; the extent is ARMS."""
    unit, wide = seat.face_width * scale * FINER, BODY[0]
    size = (int(wide * unit / FINER) * FINER, int((ARMS[1] - ARMS[0]) * unit / FINER) * FINER)
    shape, picture = Pictures.new("L", size), Pictures.new("RGB", size, seat.clothes)
    gains = np.asarray(SKIN) * seat.gain
    hand_colour = (int(min(gains[0], 255)), int(min(gains[1], 255)), int(min(gains[2], 255)))
    for side, colour in ((-1, shade(seat.clothes, 0.98)), (1, shade(seat.clothes, 0.9))):
        hand = [(side * x, y) for x, y in ((0.34, 1.82), (0.06, 1.86), (0.02, 2.0), (0.34, 2.02))]
        sleeve = [(side * x, y) for x, y in FOREARM]
        for outline, fill in ((smooth(hand), hand_colour), (smooth(sleeve), colour)):
            points = at(outline, unit, wide / 2, -ARMS[0])
            ImageDraw.Draw(shape).polygon(points, fill=255)
            ImageDraw.Draw(picture).polygon(points, fill=fill)
    return finish(picture, shape, top=1.0, bottom=0.9)


def draw_walker(face_width: float, phase: float, direction: int) -> Image:
    """Draw the one who walks by, seen from behind: a coat, hair, arms and legs that swing.

    Args:
        face_width: pixels, of the near row.
        phase: 0 to 1, of one double step.
        direction: -1 to the picture's left, 1 to its right.

    Returns:
        uint8 (height, width, 4), colour times alpha and alpha.
    """
    unit = face_width * WALKER_SIZE * FINER
    size = (int(WALKER[0] * unit / FINER) * FINER, int(WALKER[1] * unit / FINER) * FINER)
    middle, swing = WALKER[0] / 2, float(np.sin(2 * np.pi * phase))
    shape = Pictures.new("L", size)
    picture = Pictures.new("RGB", size, COAT)
    parts: list[tuple[list[tuple[float, float]], Colour]] = []
    for side in (-1, 1):
        step = 0.16 * swing * side * direction
        leg = [(side * 0.32, 2.9), (side * 0.02, 2.9), (side * 0.06 + step, 5.3), (side * 0.34 + step, 5.3)]
        parts.append((leg, TROUSERS))
        hand = side * 0.72 - 1.1 * step
        arm = [(side * 0.5, 1.0), (side * 0.74, 1.15), (hand + side * 0.13, 2.75), (hand - side * 0.13, 2.8)]
        parts.append((smooth(arm), shade(COAT, 0.8)))
    parts.append((smooth(COAT_SHAPE), COAT))
    parts.append(([(-0.17, 0.75), (0.17, 0.75), (0.2, 1.06), (-0.2, 1.06)], (176, 140, 118)))
    parts.append(
        (smooth([(-0.4, 0.98), (0, 0.92), (0.4, 0.98), (0.3, 1.12), (0, 1.16), (-0.3, 1.12)]), shade(COAT, 0.72))
    )
    parts.append((smooth(HAIR_SHAPE), HAIR))
    for outline, colour in parts:
        points = at(outline, unit, middle, 0.0)
        ImageDraw.Draw(shape).polygon(points, fill=255)
        ImageDraw.Draw(picture).polygon(points, fill=colour)
    draw = ImageDraw.Draw(picture)
    draw.line(at([(0, 1.2), (0.01 * swing, 3.0)], unit, middle, 0.0), fill=shade(COAT, 0.8), width=int(0.03 * unit) + 1)
    for strand in np.linspace(-0.34, 0.34, 9):
        line = [(0.25 * strand, 0.08), (0.9 * strand, 0.35), (strand, 0.72)]
        draw.line(at(line, unit, middle, 0.0), fill=shade(HAIR, 1.28), width=int(0.02 * unit) + 1)
    return finish(picture, shape, top=1.08, bottom=0.88)


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
