"""How the parts of a lesson are drawn: a dot with its whisker for each, and a strip along a chart's time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from roomread.review.charts import LETTER, Chart
from roomread.review.shapes import Box, Plot, Size, Tick, value_ticks
from roomread.review.structure import PartChange, signed
from roomread.types import MARKER, OK, Part

LANE = 20.0  # SVG units; height of one row of the strip
MAX_LANES = 3  # of parts that overlap; further ones are in the figure and the table alone
LEAST_LIMIT = 0.05  # the axis reaches at least so far, so that a hundredth does not look like a landslide
WIDE_LETTER = 7.3  # SVG units; as LETTER, of the larger type that names have
MARK = 6.0  # SVG units; width of a marker in the strip


@dataclass(frozen=True, slots=True)
class Whisker:
    """One part in the figure: where its name, dot and interval lie; without evidence, words stand in their place."""

    y: float
    name: str
    result: str
    known: bool
    x: float
    low: float
    high: float
    hover: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsChart:
    """All that is drawn of the parts at one size; `above`: names stand over their whiskers, for narrow screens."""

    size: Size
    height: float
    plot: Plot
    values: tuple[Tick, ...]
    rows: tuple[Whisker, ...]
    above: bool


def parts_chart(rows: Sequence[PartChange], size: Size) -> PartsChart:
    """Return each part's difference with its interval around 0, in the order of time."""
    ends = [abs(end) for row in rows if row.status == OK for end in (row.low, row.high)]
    limit = min(value_ticks(max([LEAST_LIMIT, *ends]))[-1], 1.0)
    step, names, results = (28.0, 236.0, 176.0) if size.labelled else (44.0, 18.0, 18.0)
    bottom = 14 + step * len(rows)
    plot = Plot(left=names, right=size.width - results, top=8, bottom=bottom, start=-limit, end=limit)
    made = []
    for i, row in enumerate(rows):
        x, low, high = (plot.x(min(max(value, -limit), limit)) for value in (row.value, row.low, row.high))
        tail = "" if size.labelled else f": {row.words}"  # never cut, as the name may be
        letters = int((names if size.labelled else size.width) / WIDE_LETTER) - len(tail)
        made.append(
            Whisker(
                y=14 + step * (i + 0.5) + (0 if size.labelled else 9),
                name=shortened(f"{row.number} {row.part.name}", letters) + tail,
                result=row.words,
                known=row.status == OK,
                x=x,
                low=low,
                high=high,
                hover=pointed(row),
            )
        )
    ticks = tuple(Tick(plot.x(value), signed(value)) for value in (-limit, -limit / 2, 0.0, limit / 2, limit))
    return PartsChart(size=size, height=bottom + 44, plot=plot, values=ticks, rows=tuple(made), above=not size.labelled)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One part in the strip: its number, and what it says when it is pointed at."""

    number: int
    part: Part
    words: str


def with_strip(chart: Chart, rows: Sequence[Stretch]) -> Chart:
    """Return a chart with the parts as a strip under its time axis; the axis' words move down."""
    lanes: list[float] = []  # where each ends
    boxes = []
    for row in rows:
        moment = row.part.kind == MARKER
        start, end = (min(max(time, chart.plot.start), chart.plot.end) for time in (row.part.start, row.part.end))
        if row.part.start > chart.plot.end or row.part.end < chart.plot.start or (start == end and not moment):
            continue
        left = chart.plot.x(start) - MARK / 2 * moment
        width = MARK if moment else chart.plot.x(end) - left
        lane = next((i for i, reached in enumerate(lanes) if reached <= left + 0.01), len(lanes))
        if lane == MAX_LANES:
            continue
        lanes[lane:] = [left + width, *lanes[lane + 1 :]]
        kind = "moment" if moment else row.part.kind
        boxes.append((lane, Box(left, width, _fitting(row, width), kind), row.words))
    top = chart.plot.bottom + (42 if any(tick.more for tick in chart.times) else 26)
    strip = tuple((top + LANE * lane, box, hover) for lane, box, hover in boxes)
    return replace(chart, height=chart.height + LANE * len(lanes), strip=strip)


def pointed(row: PartChange) -> str:
    """Return what a part says when it is pointed at."""
    return f"{row.part.name}, {row.when}: {row.words}"


def shortened(words: str, letters: int) -> str:
    """Return words of at most so many letters, the cut marked."""
    return words if len(words) <= letters else words[: max(letters - 1, 1)].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _fitting(row: Stretch, width: float) -> str:
    """Return as much of a part's number and name as its box holds."""
    letters = int((width - 6) / LETTER)
    number = str(row.number)
    if letters < len(number):
        return ""
    return shortened(f"{number} {row.part.name}", letters) if letters >= len(number) + 4 else number
