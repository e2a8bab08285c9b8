"""A picture with what a model says of its faces, and what the model looked at."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roomread import style
from roomread.learn.figures import bare, empty_figure, save_figure, start_figure
from roomread.types import EMOTIONS, N_EMOTIONS, Array, Prediction

SHOWN = 6  # faces that get bars of their own, the largest; every face has its label in the picture
LOOKED = 3  # expressions of a face whose map is drawn, the likeliest
HEIGHT = 4.2  # inches, of the picture


def draw_prediction(prediction: Prediction, model: str, note: str, path: Path) -> Path:
    """Draw a picture with a label on each face, and beside it the probabilities of the largest; return the path.

    Args:
        prediction: what was read; where single faces may not be shown, all of them together are.
        model: what the model is called.
        note: how engagement was made of it and what that is worth.
        path: its ending names the format.

    Raises:
        OutputError: it cannot be written.
    """
    shown = _largest(prediction)
    rows = max(1, (len(shown) + 1) // 2)
    height, width = prediction.picture.shape[:2]
    wide = min(max(HEIGHT * width / height, 2.4), 7.5)
    columns = 2 if len(shown) > 1 else 1
    title = f"{prediction.name}: {_found(prediction)}"
    figure = empty_figure(wide + 2.7 * columns, max(HEIGHT, 1.75 * rows) + 1.1, title)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(wide, 2.7 * columns))[0]
    note = f"Bars: probability of each expression by {model}. {note[:1].upper()}{note[1:]}"
    figure.supxlabel("\n".join(textwrap.wrap(note, int(18 * (wide + 2.7 * columns)))), x=0.01, ha="left", fontsize=7)
    _draw_boxes(left.subplots(), prediction)
    panels = right.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels:
        bare(panel)
    if len(shown):
        for panel, face in zip(panels, shown, strict=False):
            words = f"{_label(face, prediction)}, engagement {style.score(prediction.engagement[face])}"
            _draw_bars(panel, prediction.emotions[face], words)
    elif np.isfinite(prediction.together).all():
        words = f"{prediction.n_readable} faces together, engagement {style.score(prediction.engagement_together)}"
        _draw_bars(panels[0], prediction.together, words)
    return save_figure(figure, path)


def _largest(prediction: Prediction) -> Array:
    """Return the faces that get bars: the largest of those that are shown, in the order of their numbers."""
    sizes = (prediction.boxes[:, 2:] - prediction.boxes[:, :2]).prod(axis=1)
    readable = np.flatnonzero(np.isfinite(prediction.emotions).all(axis=1))
    return np.sort(readable[np.argsort(-sizes[readable], kind="stable")][:SHOWN])


def _found(prediction: Prediction) -> str:
    n = len(prediction.boxes)
    if not n:
        return "no face found"
    unread = n - prediction.n_readable
    return f"{n} face{'s' * (n > 1)}" + (f", {unread} not readable" if unread else "")


def _label(face: int, prediction: Prediction) -> str:
    """Return the number of a face, if there are several, and its likeliest expression."""
    row = prediction.emotions[face]
    number = f"{face + 1} " if len(prediction.boxes) > 1 else ""
    if not np.isfinite(row).all():
        return number.strip()
    return f"{number}{EMOTIONS[row.argmax()]} {style.percent(float(row.max()))}"


def _draw_boxes(axis: Any, prediction: Prediction) -> None:
    bare(axis)
    axis.imshow(prediction.picture, extent=(0, prediction.picture.shape[1], prediction.picture.shape[0], 0))
    many = len(prediction.boxes) > SHOWN
    for face, (left, top, right, bottom) in enumerate(prediction.boxes):
        row = prediction.emotions[face]
        known = np.isfinite(row).all()
        colour = style.LIGHT.emotions[EMOTIONS[row.argmax()]] if known else style.LIGHT.muted
        sides = ([left, right, right, left, left], [top, top, bottom, bottom, top])
        axis.plot(*sides, color="#000000", linewidth=2.6)
        axis.plot(*sides, color=colour, linewidth=1.4)
        text = str(face + 1) if many or not known else _label(face, prediction)
        axis.annotate(
            text, (left, top), (0, 1.5), textcoords="offset points", va="bottom", fontsize=6 if many else 7.5,
            color=style.ink(colour), annotation_clip=False,
            bbox={"boxstyle": "square,pad=0.15", "facecolor": colour, "edgecolor": "none"},
        )  # fmt: skip
    axis.set_xlim(0, prediction.picture.shape[1])
    axis.set_ylim(prediction.picture.shape[0], 0)


def _draw_bars(axis: Any, row: Array, title: str) -> None:
    places = np.arange(N_EMOTIONS)
    axis.barh(places, row, height=0.72, color=[style.LIGHT.emotions[name] for name in EMOTIONS])
    for place, share in zip(places, row, strict=True):
        text = style.percent(float(share))
        axis.annotate(text, (share, place), (3, 0), textcoords="offset points", va="center", fontsize=6.5)
    axis.set_title(title, fontsize=8, fontweight="bold", loc="left")
    axis.set_yticks(places, EMOTIONS, fontsize=7)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, 1.18)
    axis.invert_yaxis()


def draw_looks(prediction: Prediction, look: Callable[[Array], Array], model: str, path: Path) -> Path:
    """Draw what a model looked at in the largest faces, for the likeliest expressions of each; return the path.

    Args:
        prediction: what was read, single faces shown.
        look: from a face, uint8 (48, 48, 1), to a map for each of EMOTIONS, float32 (7, 48, 48), 0 to 1.
        model: what the model is called.
        path: its ending names the format.

    Raises:
        OutputError: it cannot be written.
    """
    shown = _largest(prediction)
    rows, columns = max(len(shown), 1), LOOKED + 1
    title = f"{prediction.name}: what speaks for an expression"
    figure, axes = start_figure(1.7 * columns + 0.4, 1.95 * rows + 0.9, rows, columns, title)
    figure.supxlabel(
        f"Grad-CAM of {model}\nbright: speaks for the expression; each map is scaled to its own maximum",
        x=0.01,
        ha="left",
        fontsize=7,
    )
    for axis in axes.ravel():
        bare(axis)
    for line, face in zip(axes, shown, strict=False):
        _draw_looks(line, prediction, int(face), look)
    return save_figure(figure, path)


def _draw_looks(line: Sequence[Any], prediction: Prediction, face: int, look: Callable[[Array], Array]) -> None:
    picture, row = prediction.faces[face], prediction.emotions[face]
    line[0].imshow(picture[..., 0], cmap="gray", vmin=0, vmax=255)
    line[0].set_title(
        f"face {face + 1}, as the model sees it" if len(prediction.boxes) > 1 else "as the model sees it",
        fontsize=7.5,
        fontweight="normal",
    )
    maps = look(picture)
    for axis, emotion in zip(line[1:], np.argsort(-row, kind="stable")[:LOOKED], strict=True):
        axis.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=255)
        axis.imshow(maps[emotion], cmap="inferno", vmin=0, vmax=1, alpha=0.55)
        axis.set_title(f"{EMOTIONS[emotion]} {style.percent(float(row[emotion]))}", fontsize=7.5)
