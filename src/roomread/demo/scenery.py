"""The drawn part of the synthetic room: walls, windows, chairs and desks.

Everything is drawn larger than needed and reduced, so that edges are smooth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pictures
from PIL import ImageChops, ImageDraw

from roomread.demo.figures import FINER, shade
from roomread.demo.layout import DESK, DESK_FOOT, DESK_FRONT, Seat
from roomread.demo.script import RoomSettings
from roomread.types import Image

Box = tuple[float, float, float, float]  # left, top, right, bottom

WALL, WALL_LOW, CEILING, FLOOR, FRAME = (
    (214, 208, 194),
    (186, 192, 182),
    (232, 229, 221),
    (150, 128, 104),
    (244, 242, 236),
)
SKY, TREES, BOARD, WOOD, WOOD_EDGE = (186, 208, 224), (142, 166, 132), (74, 98, 90), (196, 160, 116), (150, 116, 80)
METAL, CHAIR = (92, 96, 102), (104, 116, 124)
BACK = (0.165, 0.135, 0.835, 0.47)  # back wall: left, top, right, lowest bottom, in shares of the picture


def draw_room(settings: RoomSettings, seats: Sequence[Seat]) -> Image:
    """Draw the room with its chairs and desks and nobody in it, uint8 (height, width, 3)."""
    width, height = settings.width * FINER, settings.height * FINER
    picture = Pictures.new("RGB", (width, height), WALL)
    draw = ImageDraw.Draw(picture)
    feet = seats[0].y + DESK_FOOT * seats[0].face_width  # of the far row, which stands on the floor
    bottom = min(BACK[3], feet / settings.height - 0.02)
    back = (BACK[0] * width, BACK[1] * height, BACK[2] * width, bottom * height)
    _draw_floor(draw, picture.size, back)
    _draw_walls(draw, picture.size, back)
    _draw_lamps(draw, picture.size)
    _draw_windows(draw, picture.size, back)
    _draw_back_wall(draw, back)
    picture = _light(picture)
    draw = ImageDraw.Draw(picture, "RGBA")
    for seat in seats:
        _draw_chair(draw, seat)
        _draw_desk(draw, seat)
    return np.asarray(picture.resize((settings.width, settings.height), Pictures.Resampling.BOX), np.uint8)


def _draw_floor(draw: ImageDraw.ImageDraw, size: tuple[int, int], back: Box) -> None:
    """Draw floorboards that run towards the back wall."""
    (width, height), (left, _, right, bottom) = size, back
    draw.rectangle((0, bottom, width, height), fill=FLOOR)
    for share in np.linspace(-1.2, 2.2, 44):
        far = left + (right - left) * (0.5 + (share - 0.5) * 0.62)
        draw.line([(share * width, height), (far, bottom)], fill=shade(FLOOR, 0.93), width=FINER)


def _draw_walls(draw: ImageDraw.ImageDraw, size: tuple[int, int], back: Box) -> None:
    """Draw side walls and ceiling, which run from the picture's corners to those of the back wall."""
    (width, height), (left, top, right, bottom) = size, back
    draw.polygon([(0, 0), (left, top), (left, bottom), (0, height)], fill=shade(WALL, 0.93))
    draw.polygon([(width, 0), (right, top), (right, bottom), (width, height)], fill=shade(WALL, 0.86))
    draw.polygon([(0, 0), (width, 0), (right, top), (left, top)], fill=CEILING)


def _draw_lamps(draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    for middle in (0.36, 0.64):
        far, near = 0.5 + (middle - 0.5) * 0.8, 0.5 + (middle - 0.5) * 1.5
        lamp = [(far - 0.02, 0.105), (far + 0.02, 0.105), (near + 0.045, 0.015), (near - 0.045, 0.015)]
        points = [(x * size[0], y * size[1]) for x, y in lamp]
        draw.polygon(points, fill=(250, 248, 240), outline=shade(CEILING, 0.88))


def _draw_windows(draw: ImageDraw.ImageDraw, size: tuple[int, int], back: Box) -> None:
    """Draw three windows into the left wall, which grows towards the camera."""

    def at(depth: float, up: float) -> tuple[float, float]:
        far = depth**1.35
        top, bottom = back[1] * far, size[1] + (back[3] - size[1]) * far
        return back[0] * far, bottom + (top - bottom) * up

    for near, far in ((0.02, 0.34), (0.42, 0.64), (0.7, 0.88)):
        draw.polygon([at(near, 0.44), at(far, 0.44), at(far, 0.86), at(near, 0.86)], fill=FRAME)
        pad, middle = 0.06 * (far - near), (near + far) / 2
        for a, b in ((near + pad, middle - pad / 2), (middle + pad / 2, far - pad)):
            draw.polygon([at(a, 0.46), at(b, 0.46), at(b, 0.84), at(a, 0.84)], fill=SKY)
            draw.polygon([at(a, 0.46), at(b, 0.46), at(b, 0.57), at(a, 0.6)], fill=TREES)


def _draw_back_wall(draw: ImageDraw.ImageDraw, box: Box) -> None:
    """Draw a board, a door, a shelf and a painted lower wall."""
    left, top, right, bottom = box
    wide, tall = right - left, bottom - top

    def area(a: float, b: float, c: float, d: float) -> tuple[float, float, float, float]:
        return left + a * wide, top + b * tall, left + c * wide, top + d * tall

    draw.rectangle(box, fill=shade(WALL, 1.03))
    draw.rectangle(area(0, 0.66, 1, 1), fill=WALL_LOW)
    draw.rectangle(area(0, 0.655, 1, 0.67), fill=shade(WALL_LOW, 0.85))
    draw.rectangle(area(0.2, 0.1, 0.62, 0.58), fill=WOOD_EDGE)
    draw.rectangle(area(0.207, 0.12, 0.613, 0.56), fill=BOARD)
    for row, (start, end) in enumerate(((0.23, 0.42), (0.23, 0.36), (0.23, 0.47))):
        draw.line(
            [area(start, 0.2 + 0.09 * row, 0, 0)[:2], area(end, 0.2 + 0.09 * row, 0, 0)[:2]],
            fill=(150, 168, 158),
            width=FINER,
        )
    draw.line(
        [area(0.5, 0.5, 0, 0)[:2], area(0.53, 0.26, 0, 0)[:2], area(0.59, 0.46, 0, 0)[:2]],
        fill=(150, 168, 158),
        width=FINER,
    )
    draw.rectangle(area(0.84, 0.14, 0.95, 1), fill=shade(WOOD, 0.86), outline=shade(WOOD_EDGE, 0.9), width=FINER)
    draw.rectangle(area(0.86, 0.6, 0.875, 0.62), fill=METAL)
    draw.rectangle(area(0.03, 0.3, 0.15, 1), fill=shade(WOOD, 0.78))
    for shelf in range(4):
        draw.rectangle(area(0.04, 0.33 + 0.165 * shelf, 0.14, 0.47 + 0.165 * shelf), fill=shade(WOOD, 0.55))
        for book in range(7):
            colour = ((128, 84, 72), (88, 106, 126), (164, 148, 108), (104, 122, 98))[(book * 3 + shelf) % 4]
            x = 0.043 + 0.0135 * book
            draw.rectangle(
                area(x, 0.35 + 0.165 * shelf + 0.01 * (book % 3), x + 0.011, 0.47 + 0.165 * shelf), fill=colour
            )
    for sheet, colour in enumerate(((226, 214, 180), (190, 206, 214), (222, 196, 184))):
        draw.rectangle(
            area(0.66 + 0.055 * sheet, 0.18 + 0.03 * (sheet % 2), 0.705 + 0.055 * sheet, 0.38 + 0.03 * (sheet % 2)),
            fill=colour,
        )


def _draw_chair(draw: ImageDraw.ImageDraw, seat: Seat) -> None:
    unit, x, y = seat.face_width * FINER, seat.x * FINER, seat.y * FINER
    for side in (-1, 1):
        draw.line(
            [(x + side * 0.6 * unit, y + 1.05 * unit), (x + side * 0.6 * unit, y + 2.4 * unit)],
            fill=METAL,
            width=int(0.08 * unit),
        )
    back = (x - 0.8 * unit, y + 0.92 * unit, x + 0.8 * unit, y + 1.46 * unit)
    draw.rounded_rectangle(back, 0.14 * unit, fill=CHAIR, outline=shade(CHAIR, 0.8), width=FINER)


def _draw_desk(draw: ImageDraw.ImageDraw, seat: Seat) -> None:
    """Draw a desk with its shadow, and a book or a sheet on it."""
    unit, x, y = seat.face_width * FINER, seat.x * FINER, seat.y * FINER

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + a * unit, y + b * unit) for a, b in points]

    draw.polygon(
        at((-1.35, DESK_FOOT - 0.1), (1.35, DESK_FOOT - 0.1), (1.5, DESK_FOOT + 0.12), (-1.5, DESK_FOOT + 0.12)),
        fill=(60, 46, 34, 60),
    )
    for side in (-1, 1):
        draw.line(
            at((side * 1.16, DESK_FRONT), (side * 1.16, DESK_FOOT)), fill=shade(METAL, 0.9), width=int(0.09 * unit)
        )
    draw.polygon(
        at((-1.12, DESK_FRONT), (1.12, DESK_FRONT), (1.12, DESK_FRONT + 0.5), (-1.12, DESK_FRONT + 0.5)),
        fill=shade(WOOD, 0.78),
    )
    draw.polygon(at((-1.16, DESK), (1.16, DESK), (1.3, DESK_FRONT), (-1.3, DESK_FRONT)), fill=WOOD)
    draw.line(at((-1.16, DESK), (1.16, DESK)), fill=shade(WOOD, 1.12), width=FINER)
    draw.polygon(
        at((-1.3, DESK_FRONT), (1.3, DESK_FRONT), (1.3, DESK_FRONT + 0.08), (-1.3, DESK_FRONT + 0.08)), fill=WOOD_EDGE
    )
    if seat.number % 3 == 0:  # an open book
        draw.polygon(at((-0.42, 1.72), (0.38, 1.72), (0.42, 2.0), (-0.46, 2.0)), fill=(240, 236, 224))
        draw.line(at((-0.02, 1.72), (-0.02, 2.0)), fill=(190, 182, 166), width=FINER)
    elif seat.number % 3 == 1:  # a sheet and a pencil
        draw.polygon(at((-0.1, 1.7), (0.36, 1.7), (0.42, 2.0), (-0.1, 2.0)), fill=(244, 243, 238))
        draw.line(at((0.55, 1.75), (0.66, 1.95)), fill=(198, 92, 62), width=max(2, int(0.03 * unit)))
    else:  # a closed exercise book
        draw.polygon(at((-0.5, 1.72), (-0.02, 1.72), (-0.05, 2.02), (-0.56, 2.02)), fill=shade(seat.clothes, 1.15))


def _light(picture: Pictures.Image) -> Pictures.Image:
    """Let daylight fall in from the left and the corners grow a little darker."""
    wide, tall = 64, 36
    x, y = np.meshgrid(np.linspace(0, 1, wide), np.linspace(0, 1, tall))
    light = 1.05 - 0.12 * x - 0.1 * (x - 0.5) ** 2 - 0.16 * (y - 0.4) ** 2
    veil = Pictures.fromarray(np.clip(light * 246, 0, 255).astype(np.uint8)).resize(
        picture.size, Pictures.Resampling.BICUBIC
    )
    return ImageChops.multiply(picture, Pictures.merge("RGB", (veil, veil, veil)))
