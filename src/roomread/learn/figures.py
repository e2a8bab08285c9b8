"""The one way to draw a figure: the house's colours and type, written whole as PNG or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

from roomread import style
from roomread.output import write_whole

LOOK = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": style.LIGHT.muted,
    "axes.labelcolor": style.LIGHT.text,
    "text.color": style.LIGHT.text,
    "xtick.color": style.LIGHT.muted,
    "ytick.color": style.LIGHT.muted,
    "grid.color": style.LIGHT.grid,
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "roomread",  # the same figure gives the same file
}


def start_figure(width: float, height: float, rows: int = 1, columns: int = 1, title: str = "") -> tuple[Figure, Any]:
    """Return an empty figure in the house's look, and its axes as an array (rows, columns).

    Args:
        width: inches.
        height: inches.
        rows: of axes.
        columns: of axes.
        title: of the whole figure.
    """
    figure = empty_figure(width, height, title)
    with matplotlib.rc_context(LOOK):
        return figure, figure.subplots(rows, columns, squeeze=False)


def empty_figure(width: float, height: float, title: str = "") -> Figure:
    """Return a figure of so many inches in the house's look, to be divided otherwise."""
    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=(width, height))
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def bare(axis: Any) -> None:
    """Take ticks and frame from an axis that holds a picture or a row of them."""
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, SVG or PDF, by the path's ending, without the time. Return the path.

    Raises:
        OutputError: it cannot be written.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # two dollar signs in the name of a file or a model are no formula
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    with matplotlib.rc_context(LOOK):
        write_whole({path: lambda new: figure.savefig(new, metadata=undated)})
    return path
