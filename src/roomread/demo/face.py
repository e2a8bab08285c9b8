"""One photographed head, turned in three dimensions and with lids that close: a depth map over the 478 mesh points.

The head is cut out of the photograph along its own colours, without the neck, which is a layer of its own that stays
where it is. A pose is drawn by moving whole rows (yaw), then whole columns (pitch): along such a line a surface seen
from one side hides whatever it has moved across, which the running maximum of `_inverse` finds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFilter

from roomread.errors import MissingExtraError
from roomread.types import Image

Floats = npt.NDArray[np.float32]

LEFT, TOP, RIGHT, BOTTOM = 130, 2, 326, 202  # pixels of the photograph: the head with some air around it
AXIS = (226.0, 138.0, 46.0)  # where the head turns: between the ears, above the neck (x, y, z as in the mesh)
JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)  # left to right
LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)  # upper and lower edge of either eye, from the picture's left to its right
BACKDROP = (20.0, 38.0)  # red minus blue: the gray backdrop lies below, hair and skin lie above, their edge between
HEAD_MIDDLE, HEAD_RADIUS = (228.0, 88.0), (75.0, 73.0, 68.0)  # the ellipsoid that hair and skull follow, pixels
LID = 7.0  # pixels above the eye where the closing lid begins to stretch; more would pull the brow down
EARS = 135  # pixels from the photograph's top: lower edge of the ears, and of the hair
NECK = (186.5, 254.5, 116.0)  # pixels: left, right and top of the neck as far as a turn may bring it into view
COLLAR = ((186.0, 200.0, 230.0, 255.0), (177.0, 181.0, 186.0, 181.0))  # where the collar begins: columns, rows


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The photographed head, ready to be turned.

    scale: pixels of the arrays below to one pixel of the photograph.
    layers: float32 (3, height, width, 4), colour times alpha and alpha, 0 to 255; lids open, half closed, closed.
    heights: float32 (height, width), pixels of the arrays towards the viewer, from the axis.
    neck: float32 (height, width, 4), as a layer; it does not turn.
    face_width: pixels of the arrays.
    middle: (x, y) of the face's middle, pixels of the arrays.
    """

    scale: float
    layers: Floats
    heights: Floats
    neck: Floats
    face_width: float
    middle: tuple[float, float]


def read_mesh() -> Floats:
    """Return the mesh of the photograph's face, float32 (478, 3), pixels of the photograph."""
    text = resources.files("roomread.demo").joinpath("astronaut-mesh.json").read_text(encoding="utf-8")
    return np.asarray(json.loads(text)["points"], np.float32)


def face_middle(mesh: Floats) -> tuple[Floats, float]:
    """Return middle (2,) and width of the face, pixels of the photograph."""
    low, high = mesh[:468, :2].min(axis=0), mesh[:468, :2].max(axis=0)
    return (low + high) / 2, float(high[0] - low[0])


def turn_points(points: Floats, yaw: float, pitch: float) -> Floats:
    """Return where mesh points are after a turn of the head, float32 (n, 3), pixels of the photograph.

    Args:
        points: float32 (n, 3).
        yaw: degrees, positive towards the picture's right.
        pitch: degrees, positive downwards.
    """
    x, y, height = points[:, 0] - AXIS[0], points[:, 1] - AXIS[1], AXIS[2] - points[:, 2]
    (sin, cos), (sin_p, cos_p) = _sin_cos(yaw), _sin_cos(pitch)
    x, height = x * cos + height * sin, height * cos - x * sin
    y, height = y * cos_p + height * sin_p, height * cos_p - y * sin_p
    return np.stack((x + AXIS[0], y + AXIS[1], AXIS[2] - height), axis=1).astype(np.float32)


def load_head(scale: float) -> Head:
    """Cut the head out of the photograph.

    Args:
        scale: pixels drawn for one pixel of the photograph, whose face is 91 wide.

    Raises:
        MissingExtraError: scikit-image, which carries the photograph, is not installed.
    """
    mesh = read_mesh()
    colours, alpha = _cut_out(_photograph().astype(np.float32))
    size = (round((RIGHT - LEFT) * scale), round((BOTTOM - TOP) * scale))
    jaw = _above_jaw(mesh)
    picture = _enlarge(np.dstack((colours, alpha * jaw)), size)
    layers = np.stack([_premultiply(close_lids(picture, mesh, scale, amount)) for amount in (0.0, 0.5, 1.0)])
    neck = _premultiply(_enlarge(_neck(colours, jaw), size))
    (x, y), width = face_middle(mesh)
    middle = (float(x) - LEFT) * scale, (float(y) - TOP) * scale
    return Head(scale, layers, _enlarge(_depth(mesh), size) * scale, neck, width * scale, middle)


def draw_pose(head: Head, yaw: float, pitch: float, lids: float) -> Image:
    """Draw the head in one pose.

    Args:
        head: from `load_head`.
        yaw: degrees, up to about 45 either way, positive towards the picture's right.
        pitch: degrees, up to about 20 either way, positive downwards.
        lids: 0, 0.5 or 1 (closed).

    Returns:
        uint8 (height, width, 4), colour times alpha and alpha; the same extent as the layers of `head`.
    """
    layer = np.dstack((head.layers[round(lids * 2)], head.heights))
    layer = _turn_rows(layer, (AXIS[0] - LEFT) * head.scale, yaw)
    layer = _turn_rows(layer.transpose(1, 0, 2), (AXIS[1] - TOP) * head.scale, pitch).transpose(1, 0, 2)
    over = np.clip(layer[..., :4], 0, 255)
    return np.clip(over + head.neck * (1 - over[..., 3:] / 255) + 0.5, 0, 255).astype(np.uint8)


def _turn_rows(layer: Floats, axis: float, angle: float) -> Floats:
    """Turn a layer with heights about the vertical axis at column `axis`; channels: colour, alpha, height."""
    if angle == 0:
        return layer
    sin, cos = _sin_cos(angle)
    columns = np.arange(layer.shape[1], dtype=np.float32)
    heights = _hold_outside(layer[..., 4], layer[..., 3])
    across = (columns - axis) * cos + heights * sin
    turned = layer.copy()
    turned[..., 4] = heights * cos - (columns - axis) * sin
    sources = _inverse((across + axis).astype(np.float32), sin > 0)
    lows = np.clip(sources.astype(np.intp), 0, layer.shape[1] - 2)
    parts = (sources - lows)[..., None]
    rows = np.arange(layer.shape[0])[:, None]
    return np.asarray(turned[rows, lows] * (1 - parts) + turned[rows, lows + 1] * parts, np.float32)


def _inverse(across: Floats, from_left: bool) -> Floats:
    """Return for every target pixel the source column that is seen there; the nearer surface hides the farther."""
    width = across.shape[1]
    columns = np.arange(width, dtype=np.float32)
    if from_left:
        ordered = np.maximum.accumulate(across, axis=1)
    else:
        ordered = np.minimum.accumulate(across[:, ::-1], axis=1)[:, ::-1]
    ordered = ordered + columns * 1e-3  # hidden stretches must rise too, or their inverse would be undefined
    return np.stack([np.interp(columns, row, columns) for row in ordered]).astype(np.float32)


def _photograph() -> Image:
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise MissingExtraError(
            "The demonstration room needs scikit-image, whose wheel carries the photograph. "
            'Expected: an installation with the part "demo". Received: none. Run: pip install "roomread[demo]"'
        ) from error
    load: Any = astronaut  # carries no types
    return np.asarray(load()[TOP:BOTTOM, LEFT:RIGHT], np.uint8)


def _cut_out(photo: Floats) -> tuple[Floats, Floats]:
    """Part the head from its backdrop: colours free of the backdrop (h, w, 3), and alpha from 0 to 1 (h, w)."""
    low, high = BACKDROP
    alpha = np.clip((_blur(photo[..., 0] - photo[..., 2]) - low) / (high - low), 0, 1)
    columns = np.arange(photo.shape[1])
    dark = (photo.max(-1) < 110) & (np.arange(len(photo))[:, None] < EARS - TOP)  # hair; further down it is the suit
    solid = (alpha > 0.9) | dark
    starts = np.where(solid.any(1), solid.argmax(1), photo.shape[1])[:, None]
    ends = np.where(solid.any(1), photo.shape[1] - 1 - solid[:, ::-1].argmax(1), -1)[:, None]
    alpha[(columns >= starts) & (columns <= ends)] = 1  # eyes, teeth and dark hair are no backdrop
    alpha[(columns < starts - 3) | (columns > ends + 3)] = 0
    inner = np.clip(columns, np.minimum(starts + 2, ends - 2), np.maximum(ends - 2, 0))
    rows = np.arange(photo.shape[0])[:, None]
    return photo[rows, np.clip(inner, 0, photo.shape[1] - 1)], alpha.astype(np.float32)


def _depth(mesh: Floats) -> Floats:
    """Return the head's heights towards the viewer, float32 (h, w), pixels from the axis: a face within rounded hair.

    A thin-plate spline through all points is evaluated on a coarse grid; the finer one is interpolated from it.
    """
    angles = np.radians(np.arange(-210, 31, 15))
    hair = [
        (HEAD_MIDDLE[0] + r * HEAD_RADIUS[0] * np.cos(a), HEAD_MIDDLE[1] + r * HEAD_RADIUS[1] * np.sin(a), height)
        for r, height in ((0.55, 57.0), (0.75, 45.0), (0.88, 32.0), (0.96, 16.0), (1.02, -14.0))  # rounder than a ball
        for a in angles
    ]
    known = [(x, y, AXIS[2] - z) for x, y, z in mesh[:468]]
    spots = np.array(known)
    known += [point for point in hair if np.hypot(*(spots[:, :2] - point[:2]).T).min() > 7]
    spots = np.array(known)
    kernel = _spline_kernel(spots[:, :2], spots[:, :2]) + 2.0 * np.eye(len(spots))  # a little slack keeps it smooth
    plane = np.column_stack((np.ones(len(spots)), spots[:, :2]))
    system = np.block([[kernel, plane], [plane.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.concatenate((spots[:, 2], np.zeros(3))))
    rows, columns = np.mgrid[TOP + 2 : BOTTOM : 4, LEFT + 2 : RIGHT : 4]
    grid = np.column_stack((columns.ravel(), rows.ravel())).astype(np.float64)
    heights = np.column_stack((_spline_kernel(grid, spots[:, :2]), np.ones(len(grid)), grid)) @ weights
    return heights.reshape(rows.shape).astype(np.float32)


def _spline_kernel(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    squares = ((a[:, None] - b[None]) ** 2).sum(-1)
    return np.asarray(0.5 * squares * np.log(squares + 1e-9) * 1e-2, np.float64)


def _hold_outside(heights: Floats, alpha: Floats) -> Floats:
    """Keep the heights beside the head at those of its edge, so that nothing unseen hides what is seen."""
    seen = alpha > 0.02
    starts, ends = seen.argmax(1), heights.shape[1] - 1 - seen[:, ::-1].argmax(1)
    columns = np.clip(np.arange(heights.shape[1])[None], starts[:, None], ends[:, None])
    return np.asarray(heights[np.arange(len(heights))[:, None], columns], np.float32)


def _above_jaw(mesh: Floats) -> Floats:
    """Return the share of every pixel that is head and not neck, float32 (h, w), 0 to 1."""
    jaw = [(x, y) for x, y, _ in mesh[list(JAW)]]
    outline = [(LEFT, TOP), (RIGHT, TOP), (RIGHT, jaw[-1][1]), *jaw[::-1], (LEFT, jaw[0][1])]
    picture = Pictures.new("L", (4 * (RIGHT - LEFT), 4 * (BOTTOM - TOP)))
    ImageDraw.Draw(picture).polygon([(4 * (x - LEFT), 4 * (y - TOP)) for x, y in outline], fill=255)
    picture = picture.filter(ImageFilter.GaussianBlur(3)).resize((RIGHT - LEFT, BOTTOM - TOP), Pictures.Resampling.BOX)
    return np.asarray(np.asarray(picture) / 255, np.float32)


def _neck(colours: Floats, jaw: Floats) -> Floats:
    """Return the neck as a layer (h, w, 4), alpha 0 to 1; what the chin hides continues what is seen below it."""
    rows, columns = np.mgrid[TOP:BOTTOM, LEFT:RIGHT].astype(np.float32)
    below = len(jaw) - (jaw[::-1] > 0.01).argmax(0) + 1
    lines = np.arange(len(jaw))[:, None]
    sources = np.minimum(np.maximum(lines, below), np.interp(columns[0], *COLLAR).astype(np.intp) - TOP - 1)
    skin = np.mean([np.roll(colours, shift, axis=1) for shift in range(-4, 5)], axis=0)  # no stripes
    shade = np.clip(1 - 0.012 * (sources - lines), 0.62, 1)  # the chin's shadow
    sides = np.clip(np.minimum(columns - NECK[0], NECK[1] - columns) / 3, 0, 1)
    ends = np.clip((rows - NECK[2]) / 8, 0, 1) * np.clip(_neckline(columns) - rows, 0, 1)
    shaded = skin[sources, np.arange(colours.shape[1])] * shade[..., None]
    return np.asarray(np.dstack((shaded, sides * ends)), np.float32)


def _neckline(columns: Floats) -> Floats:
    """Return the lower edge of the neck, pixels from the photograph's top: the round collar of what is worn."""
    middle, half = (NECK[0] + NECK[1]) / 2, (NECK[1] - NECK[0]) / 2
    return np.asarray(183 + 8 * (1 - ((columns - middle) / half) ** 2), np.float32)


def close_lids(picture: Floats, mesh: Floats, scale: float, amount: float) -> Floats:
    """Draw the upper lids further down: the skin above the eye stretches, the lashes move, the eye stays behind."""
    closed = picture.copy()
    for upper, lower in LIDS:
        above = (mesh[list(upper), :2] - (LEFT, TOP)) * scale
        under = (mesh[list(lower), :2] - (LEFT, TOP)) * scale
        columns = np.arange(int(above[0, 0]), int(above[-1, 0]) + 2)
        edge = np.interp(columns, above[:, 0], above[:, 1])
        target = edge + amount * (np.interp(columns, under[:, 0], under[:, 1]) - edge)
        top = edge.min() - LID * scale
        rows = np.arange(int(top), int(under[:, 1].max() + 2 * scale))[:, None]
        stretch = (edge - top) / (target - top)
        sources = np.where((rows >= top) & (rows < target), top + (rows - top) * stretch, rows)
        lows = sources.astype(np.intp)
        parts = (sources - lows)[..., None]
        closed[rows, columns] = picture[lows, columns] * (1 - parts) + picture[lows + 1, columns] * parts
    return closed


def _enlarge(layer: Floats, size: tuple[int, int]) -> Floats:
    """Resize every channel to (width, height)."""
    planes = layer[..., None] if layer.ndim == 2 else layer
    made = [
        Pictures.fromarray(np.ascontiguousarray(planes[..., i]), "F").resize(size, Pictures.Resampling.BICUBIC)
        for i in range(planes.shape[-1])
    ]
    stacked = np.stack([np.asarray(plane, np.float32) for plane in made], axis=-1)
    return stacked[..., 0] if layer.ndim == 2 else stacked


def _premultiply(layer: Floats) -> Floats:
    """Turn colours of 0 to 255 and alpha of 0 to 1 into colours times alpha, and alpha from 0 to 255."""
    alpha = np.clip(layer[..., 3:], 0, 1)
    return np.concatenate((np.clip(layer[..., :3], 0, 255) * alpha, alpha * 255), axis=-1)


def _blur(plane: Floats) -> Floats:
    """Return the mean of every pixel's 3 x 3 neighbourhood."""
    padded = np.pad(plane, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9, np.float32)


def _sin_cos(degrees: float) -> tuple[float, float]:
    return float(np.sin(np.radians(degrees))), float(np.cos(np.radians(degrees)))
