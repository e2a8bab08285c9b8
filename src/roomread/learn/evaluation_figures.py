"""The figures of an evaluation as shapes, in the units of an SVG; the template draws them in the page's colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomread import style
from roomread.learn.evaluation import BLUR, SIZE, Evaluation
from roomread.learn.metrics import wilson
from roomread.preprocess import FACE_SIZE
from roomread.types import EMOTIONS, Array

STYLES = 6  # ways to draw a model's line that differ in colour and in dashes; a seventh model begins anew
BARS = 44.0  # SVG units, height of the tallest bar of a histogram
FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
WORSE = {  # title, axis, and the amount of a face as it is
    SIZE: ("Face size", "pixels from side to side", float(FACE_SIZE)),
    BLUR: ("Blur", "standard deviation, pixels of 48", 0.0),
}
INTERVAL_WIDTH = 180.0  # SVG units, of the strip that shows an accuracy and its interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One measured value; low and high are the ends of its interval, SVG units."""

    kind: str
    x: float
    y: float
    low: float
    high: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a histogram, SVG units."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart with two axes.

    x_ticks, y_ticks: (place in SVG units, words).
    lines: (class of the line, path).
    """

    title: str
    words: str
    width: float
    height: float
    left: float
    right: float
    bottom: float
    x_axis: str
    y_axis: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[tuple[str, str], ...] = ()
    dots: tuple[Dot, ...] = ()
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Where values lie in a panel: x from x_low to x_high, y from 0 to 1."""

    width: float
    height: float
    x_low: float = 0.0
    x_high: float = 1.0
    foot: float = 0.0  # SVG units kept free below the plot, for a histogram

    left, top, right_margin, bottom_margin = 46.0, 26.0, 12.0, 44.0

    @property
    def right(self) -> float:
        """SVG units of x_high."""
        return self.width - self.right_margin

    @property
    def bottom(self) -> float:
        """SVG units of y = 0."""
        return self.height - self.bottom_margin - self.foot

    def x(self, value: float) -> float:
        """Return the place of a value from left to right."""
        return round(self.left + (value - self.x_low) / (self.x_high - self.x_low) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """Return the place of a value of 0 to 1 from top to bottom."""
        return round(self.bottom - value * (self.bottom - self.top), 1)

    def frame(self, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> dict[str, Any]:
        """Return the fields of a `Panel` that say where its axes and their ticks lie."""
        return {
            "width": self.width,
            "height": self.height,
            "left": self.left,
            "right": self.right,
            "bottom": self.bottom + self.foot,
            "x_ticks": tuple((self.x(tick), f"{tick:g}") for tick in x_ticks),
            "y_ticks": tuple((self.y(tick), f"{tick:g}") for tick in y_ticks),
        }

    def dot(self, kind: str, place: tuple[float, float], interval: tuple[float, float], words: str) -> Dot:
        """Return a value, (x, y), with the ends of its interval of y."""
        low, high = interval
        return Dot(kind=kind, x=self.x(place[0]), y=self.y(place[1]), low=self.y(low), high=self.y(high), words=words)

    def path(self, xs: Sequence[float] | Array, ys: Sequence[float] | Array) -> str:
        """Return a line through points, those left out that fall on the same place; "" without a point."""
        places = dict.fromkeys(f"{self.x(float(x))},{self.y(float(y))}" for x, y in zip(xs, ys, strict=True))
        return "M" + " L".join(places) if places else ""


def roc_panel(evaluations: Sequence[Evaluation], emotion: int) -> Panel:
    """Return one class's ROC curve of each model, with the line of chance; a class without one has an empty panel."""
    axes = Axes(width=230, height=236)
    told = ", ".join(style.score(each.curves.auc[emotion], 3) for each in evaluations)
    lines = [("chance", axes.path([0, 1], [0, 1]))]
    lines += [(_kind(i), axes.path(*each.curves.roc[emotion])) for i, each in enumerate(evaluations)]
    return Panel(
        title=EMOTIONS[emotion] if len(evaluations) > 1 else f"{EMOTIONS[emotion]}, AUC {told}",
        words=f"ROC curve of {EMOTIONS[emotion]} against the rest; area under the curve: {told}.",
        x_axis="false positive rate",
        y_axis="true positive rate",
        lines=tuple(lines),
        **axes.frame((0, 0.5, 1), (0, 0.5, 1)),
    )


def calibration_panel(evaluation: Evaluation, place: int) -> Panel:
    """Return how often a model's answers are right by how sure it is, and below how many answers are how sure.

    Args:
        evaluation: of the model.
        place: of the model among those shown, from 0; decides its colour.
    """
    axes = Axes(width=400, height=374, foot=BARS + 12)
    bins = evaluation.curves.calibration
    dots, bars = [], []
    for i, (sure, right, n) in enumerate(bins.tolist()):
        if not n:
            continue
        low, high = wilson(right * n, n)
        words = f"{n:.0f} faces, mean confidence {sure:.3f}, right {right:.3f} (95% interval {low:.3f} to {high:.3f})"
        dots.append(axes.dot(_kind(place), (sure, right), (low, high), words))
        left, end = axes.x(i / len(bins)), axes.x((i + 1) / len(bins))
        tall = round(max(1.0, BARS * n / bins[:, 2].max()), 1)
        foot = axes.bottom + axes.foot
        bars.append(Bar(x=left, y=round(foot - tall, 1), width=round(end - left - 1, 1), height=tall, words=words))
    return Panel(
        title=f"calibration error {evaluation.calibration_error:.3f}",
        words=f"Share of right answers of {evaluation.model} by confidence, on {evaluation.split}, n = {evaluation.n}.",
        x_axis="confidence; bars: number of faces",
        y_axis="share of right answers",
        lines=(("chance", axes.path([0, 1], [0, 1])),),
        dots=tuple(dots),
        bars=tuple(bars),
        **axes.frame(FIFTHS, FIFTHS),
    )


def worse_panel(evaluations: Sequence[Evaluation], kind: str) -> Panel | None:
    """Return the accuracy by face size (SIZE) or by blur (BLUR) of each model; None where nobody asked for it."""
    amounts = {part.amount for each in evaluations for part in each.parts.get(kind, ())}
    if not amounts:
        return None
    head, x_axis, untouched = WORSE[kind]
    ticks = sorted({*amounts, untouched})
    margin = 0.06 * (ticks[-1] - ticks[0]) or 1.0
    axes = Axes(width=400, height=300, x_low=ticks[0] - margin, x_high=ticks[-1] + margin)
    commonest = float(evaluations[0].support.max() / evaluations[0].n)
    lines = [("chance", axes.path([axes.x_low, axes.x_high], [commonest, commonest]))]
    dots = []
    step = margin * min(0.25, 1.6 / len(evaluations))  # so that one model's interval does not hide another's
    for i, each in enumerate(evaluations):
        points = {part.amount: part for part in each.parts.get(kind, ())} | {untouched: each}
        aside = (i - (len(evaluations) - 1) / 2) * step
        shown = [points[amount] for amount in sorted(points)]
        places = [(amount + aside, points[amount].accuracy) for amount in sorted(points)]
        lines.append((_kind(i), axes.path(*zip(*places, strict=True))))
        for place, part in zip(places, shown, strict=True):
            words = f"{part.model}, {part.faces}: {part.accuracy:.3f} (n = {part.n})"
            dots.append(axes.dot(_kind(i), place, part.accuracy_interval, words))
    return Panel(
        title=head,
        words=f"Accuracy by {head.lower()} on {evaluations[0].split}, n = {evaluations[0].n}.",
        x_axis=x_axis,
        y_axis="accuracy",
        lines=tuple(lines),
        dots=tuple(dots),
        **axes.frame(ticks, FIFTHS),
    )


def interval_range(evaluations: Sequence[Evaluation]) -> tuple[float, float]:
    """Return the ends, 0 to 1, of an axis in steps of 0.05 that holds every interval of the accuracies."""
    lows, highs = zip(*(each.accuracy_interval for each in evaluations), strict=True)
    return max(0.0, np.floor(min(lows) * 20) / 20), min(1.0, np.ceil(max(highs) * 20) / 20)


def interval_strip(evaluation: Evaluation, ends: tuple[float, float]) -> tuple[float, float, float]:
    """Return where low, accuracy and high lie on a strip of INTERVAL_WIDTH between the ends of its axis."""
    inner = INTERVAL_WIDTH - 12  # the dot's radius on both sides
    low, high = evaluation.accuracy_interval
    places = ((value - ends[0]) / (ends[1] - ends[0]) for value in (low, evaluation.accuracy, high))
    first, middle, last = (round(6 + inner * min(max(place, 0.0), 1.0), 1) for place in places)
    return first, middle, last


def _kind(place: int) -> str:
    return f"m{place % STYLES}"
