"""Positions and SVG paths from arrays: the arithmetic under the report's charts, no markup.

What is not known (NaN) breaks a line or an area; it is never drawn as a low value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomread.types import Array, Timeline

TIME_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 28800, 86400)  # seconds
LABEL_GAP = 16.0  # SVG units between the base lines of two labels; the text is 13 high


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The canvas of a chart and what fits on it; all in SVG units, one of which is about a CSS pixel."""

    name: str
    width: float
    height: float
    left: float
    right: float  # room for labels beside the lines, where labelled
    time_labels: int  # at most
    labelled: bool
    seconds: float = 0.0  # that the time axis spans at least, so that two lessons can share one scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The field of a chart: where a time (seconds) and a value lie, in SVG units from the top left."""

    left: float
    right: float
    top: float
    bottom: float
    start: float
    end: float
    highest: float = 1.0

    def x(self, time: float) -> float:
        """Return where a time lies across."""
        return self.left + (self.right - self.left) * (time - self.start) / (self.end - self.start)

    def y(self, value: float) -> float:
        """Return where a value lies, counted downwards."""
        return self.bottom - (self.bottom - self.top) * value / self.highest


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and its words; `more` is a second line, the time of day."""

    at: float
    words: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of time with words: the shading of a gap, or where a pointer meets a bin. `turned`: text upwards."""

    x: float
    width: float
    words: str
    kind: str = ""
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A bin without neighbours: a mark with an error bar where a line would be invisible; NaN ends: no bar."""

    x: float
    y: float
    high: float
    low: float


@dataclass(frozen=True, slots=True)
class Label:
    """A name at (x, y) beside the end of its line or layer, which lies at (end, at)."""

    x: float
    y: float
    end: float
    at: float
    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class Layer:
    """A filled or drawn path."""

    path: str
    kind: str


def runs(known: Array) -> list[tuple[int, int]]:
    """Return (first, last + 1) for each stretch of known bins that follow one another."""
    edges = np.flatnonzero(np.diff(np.pad(known, 1).astype(int))).reshape(-1, 2)
    return [(first, end) for first, end in edges.tolist()]


def line_path(plot: Plot, timeline: Timeline, values: Array) -> str:
    """Return the SVG path through the bins' middles; a value of NaN breaks it."""
    stretches = runs(np.isfinite(values))
    return " ".join("M" + _points(plot, timeline, values, stretch) for stretch in stretches)


def area_path(plot: Plot, timeline: Timeline, low: Array, high: Array) -> str:
    """Return the SVG path of the field between two rows of values; NaN in either breaks it."""
    parts = []
    for stretch in runs(np.isfinite(low) & np.isfinite(high)):
        back = _points(plot, timeline, low, stretch).split(" L")[::-1]
        parts.append("M" + _points(plot, timeline, high, stretch) + " L" + " L".join(back) + " Z")
    return " ".join(parts)


def gaps(timeline: Timeline, shaded: Array) -> list[tuple[float, float, str]]:
    """Return (start, end, status) of each stretch of one status to shade."""
    found: list[tuple[float, float, str]] = []
    for row in np.flatnonzero(shaded).tolist():
        start, status = float(timeline.starts[row]), str(timeline.status[row])
        joined = found and found[-1][2] == status and shaded[row - 1]
        if joined:
            start = found.pop()[0]
        found.append((start, float(timeline.starts[row]) + timeline.bin_seconds, status))
    return found


def span(timeline: Timeline) -> tuple[float, float]:
    """Return the first and the last moment of the timeline, in seconds; never of length 0."""
    if not len(timeline.starts):
        return 0.0, 1.0
    return float(timeline.starts[0]), float(timeline.starts[-1]) + timeline.bin_seconds


def time_ticks(start: float, end: float, most: int) -> list[float]:
    """Return at most `most` round times from start to end, in seconds."""
    step = next((step for step in TIME_STEPS if (end - start) / step < most), TIME_STEPS[-1])
    return [float(tick) for tick in np.arange(math.ceil(start / step), math.floor(end / step + 1e-9) + 1) * step]


def value_ticks(highest: float) -> list[float]:
    """Return three to six round values from 0 to `highest` or a little above it; 0 to 1 where nothing is known."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if power * factor * 5 >= highest)
    return [i * step for i in range(math.ceil(highest / step - 1e-9) + 1)]


def spread(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Return heights near the wanted ones, in their order, LABEL_GAP apart and between top and bottom if they fit."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    for above, i in zip([None, *order], order, strict=False):
        placed[i] = max(wanted[i], top if above is None else placed[above] + LABEL_GAP)
    for below, i in zip([None, *order[::-1]], order[::-1], strict=False):
        placed[i] = min(placed[i], bottom if below is None else placed[below] - LABEL_GAP)
    return placed


def middle(plot: Plot, timeline: Timeline, i: int) -> float:
    """Return where the middle of a bin lies across the plot."""
    return plot.x(float(timeline.starts[i]) + timeline.bin_seconds / 2)


def keep(known: Array, *rows: Array) -> list[Array]:
    """Return the rows with NaN wherever `known` is false."""
    return [np.where(known, row, np.nan) for row in rows]


def _points(plot: Plot, timeline: Timeline, values: Array, stretch: tuple[int, int]) -> str:
    """Return the points of one stretch, carried flat to the outer edges of its first and last bin."""
    first, end = stretch
    middles = timeline.starts[first:end] + timeline.bin_seconds / 2
    times = [timeline.starts[first], *middles, timeline.starts[end - 1] + timeline.bin_seconds]
    heights = [values[first], *values[first:end], values[end - 1]]
    pairs = zip(times, heights, strict=True)
    return " L".join(f"{plot.x(float(time)):.1f},{plot.y(float(height)):.1f}" for time, height in pairs)
