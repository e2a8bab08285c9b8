"""The picture of a room check: zones shaded by what can be measured there, faces hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from roomread import style
from roomread.app.check import COLUMNS, ROWS, RoomCheck, Zone
from roomread.output import write_whole
from roomread.watch.annotate import annotate

WIDTH = 1280  # pixels of the picture, at least, so that the words can be read
SHADE = 0.38  # how much of a zone is its colour
COLOURS = (style.LIGHT.unreadable, *style.SCALE[1:4])  # for nothing, then for each measure more


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_check(check: RoomCheck, title: str, path: Path) -> Path:
    """Write the picture, as PNG or JPEG by the path's ending; return the path.

    Raises:
        OutputError: it cannot be written.
    """
    picture = Pictures.fromarray(annotate(*check.last))
    if picture.width < WIDTH:
        height = round(WIDTH * picture.height / picture.width)
        picture = picture.resize((WIDTH, height), Pictures.Resampling.BICUBIC)
    unit = picture.width // 80
    font = ImageFont.load_default(unit)
    shaded = np.asarray(picture).astype(np.float32)
    boxes = {(zone.row, zone.column): _box(zone, picture.width, picture.height) for zone in check.zones}
    for zone in check.zones:
        left, top, right, bottom = boxes[zone.row, zone.column]
        colour = np.array([int(COLOURS[len(zone.measures)][i : i + 2], 16) for i in (1, 3, 5)], np.float32)
        part = shaded[top:bottom, left:right]
        part[...] = part * (1 - SHADE) + colour * SHADE
    sheet = Pictures.new("RGB", (picture.width, picture.height + 5 * unit), style.LIGHT.page)
    sheet.paste(Pictures.fromarray(shaded.astype(np.uint8)), (0, 2 * unit))
    draw = ImageDraw.Draw(sheet)
    draw.text((unit // 2, unit), title, font=ImageFont.load_default(1.2 * unit), anchor="lm", fill=style.LIGHT.text)
    for zone in check.zones:
        _label(draw, zone, boxes[zone.row, zone.column], font, unit)
    names = ["nothing measured", *(f"{name}, from {least:.0f} px" for name, least in check.sizes.items())]
    _legend(draw, names, sheet.height - 1.5 * unit, font, unit)
    write_whole(
        {path: lambda new: sheet.save(new, format="JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG")}
    )
    return path


def _box(zone: Zone, width: int, height: int) -> tuple[int, int, int, int]:
    return (
        zone.column * width // COLUMNS, zone.row * height // ROWS,
        (zone.column + 1) * width // COLUMNS, (zone.row + 1) * height // ROWS,
    )  # fmt: skip


def _label(draw: ImageDraw.ImageDraw, zone: Zone, box: tuple[int, int, int, int], font: Font, unit: int) -> None:
    left, top, right, bottom = (side + offset for side, offset in zip(box, (0, 2 * unit, 0, 2 * unit), strict=True))
    draw.rectangle((left, top, right - 1, bottom - 1), outline=style.LIGHT.page, width=max(1, unit // 8))
    words = [f"{zone.size:.0f} px, {style.count(zone.faces)} faces", ", ".join(zone.measures) or "nothing"]
    words += [line.split(":")[0] for line in zone.advice if not line.startswith("too small")]
    text = "\n".join(words)
    place = (left + unit // 2, bottom - unit // 2)
    around = draw.multiline_textbbox(place, text, font=font, anchor="ld")
    draw.rectangle((around[0] - 4, around[1] - 4, around[2] + 4, around[3] + 4), fill=style.LIGHT.page)
    draw.multiline_text(place, text, font=font, anchor="ld", fill=style.LIGHT.text)


def _legend(draw: ImageDraw.ImageDraw, names: list[str], y: float, font: Font, unit: int) -> None:
    x = unit / 2
    for name, colour in zip(names, COLOURS, strict=True):
        draw.rectangle((x, y - unit / 2, x + unit, y + unit / 2), fill=colour, outline=style.LIGHT.muted)
        draw.text((x + 1.5 * unit, y), name, font=font, anchor="lm", fill=style.LIGHT.text)
        x += 3 * unit + draw.textlength(name, font=font)
