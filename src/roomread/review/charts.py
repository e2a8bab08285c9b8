"""The report's charts and seat map as plain data for the template: where everything lies, no markup.

Every chart is made twice, WIDE for laptops and paper and NARROW for phones, so that its text keeps a readable size.
A bin without a score is shaded with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from roomread import style
from roomread.engagement.consensus import Consensus
from roomread.review.overview import SeatGlance
from roomread.review.shapes import (
    Box,
    Dot,
    Label,
    Layer,
    Plot,
    Size,
    Tick,
    area_path,
    gaps,
    keep,
    line_path,
    middle,
    runs,
    span,
    spread,
    time_ticks,
    value_ticks,
)
from roomread.types import EMOTIONS, NO_FACE, NOT_ANALYSED, OK, TOO_FEW, Array, Episode, Lesson, Share, Timeline

WIDE = Size(name="wide", width=880, height=290, left=46, right=104, time_labels=10, labelled=True)
NARROW = Size(name="narrow", width=360, height=230, left=40, right=30, time_labels=5, labelled=False)
LETTER = 6.6  # SVG units; a generous mean width of a letter
LABELLED_SHARE = (
    0.03  # a thinner layer is named by the legend alone; lower: more labels, pushed further from their layer
)
MOST_HOVERS = 720  # bins; beyond it a bin is narrower than a pointer can meet
ROOM_AROUND = 5  # empty bins on either side of a timeline that has one bin only
MOST_SPREAD = 4.0  # of a formula's own spread, drawn either way; what is further is drawn at the edge
LEAST_RADIUS = 12.0  # SVG units; a seat's number still fits inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is drawn of one chart at one size."""

    size: Size
    height: float
    plot: Plot
    times: tuple[Tick, ...]
    values: tuple[Tick, ...]
    axis: str
    gaps: tuple[Box, ...]
    areas: tuple[Layer, ...] = ()
    lines: tuple[Layer, ...] = ()
    dots: tuple[Dot, ...] = ()
    labels: tuple[Label, ...] = ()
    hovers: tuple[Box, ...] = ()
    strip: tuple[tuple[float, Box, str], ...] = ()  # the lesson's parts under the axis: top, box, words on pointing
    marks: tuple[Box, ...] = ()  # episodes


def engagement_chart(timeline: Timeline, size: Size, began: datetime | None) -> Chart:
    """Return the class's engagement with its band, the value axis fixed from 0 to 1."""
    empty = _frame(timeline, size, began, timeline.status != OK)
    plot, values = empty.plot, timeline.engagement
    stretches = runs(np.isfinite(values))
    alone = [first for first, end in stretches if end - first == 1]
    dots = tuple(
        Dot(middle(plot, timeline, i), *(plot.y(float(row[i])) for row in (values, timeline.high, timeline.low)))
        for i in alone
    )
    long = np.isfinite(values)
    long[alone] = False
    return replace(
        empty,
        values=tuple(Tick(plot.y(value), style.score(value)) for value in (0, 0.25, 0.5, 0.75, 1)),
        areas=(Layer(area_path(plot, timeline, *keep(long, timeline.low, timeline.high)), "band"),),
        lines=(Layer(line_path(plot, timeline, *keep(long, values)), "mean"),),
        dots=dots,
        labels=_labels(empty, timeline, [("mean", "mean", values)]),
    )


def consensus_chart(timeline: Timeline, told: Consensus, size: Size, began: datetime | None) -> Chart:
    """Return the band between the formulas' standings; where they contradict each other there is none, only gray."""
    empty = _frame(timeline, size, began, timeline.status != OK)
    empty = replace(empty, plot=replace(empty.plot, highest=2 * MOST_SPREAD))
    low, high = (np.clip(end, -MOST_SPREAD, MOST_SPREAD) + MOST_SPREAD for end in (told.low, told.high))
    gray = np.where(told.contradicted, 0.0, np.nan)
    words = {-2.0: "−2", 0.0: "0", 2.0: "+2"}
    return replace(
        empty,
        values=tuple(Tick(empty.plot.y(value + MOST_SPREAD), name) for value, name in words.items()),
        areas=(
            Layer(area_path(empty.plot, timeline, gray, gray + 2 * MOST_SPREAD), "contradicted"),
            Layer(area_path(empty.plot, timeline, *keep(~told.contradicted, low, high)), "band"),
        ),
        lines=(Layer(line_path(empty.plot, timeline, np.full(len(low), MOST_SPREAD)), "usual"),),
    )


def with_episodes(chart: Chart, episodes: tuple[Episode, ...]) -> Chart:
    """Return a chart with a mark for each episode, named where its width has room for the word."""
    plot, marks = chart.plot, []
    for episode in episodes:
        start, end = (min(max(plot.x(time), plot.left), plot.right) for time in (episode.start, episode.end))
        fits = end - start >= LETTER * len(episode.kind) + 8
        marks.append(Box(start, end - start, episode.kind if fits else "", episode.kind))
    return replace(chart, marks=tuple(marks))


def attention_chart(timeline: Timeline, shares: dict[str, Share], size: Size, began: datetime | None) -> Chart:
    """Return the shares of the class that face what the room faces, with their band, and whose eyes are closed."""
    empty = _frame(timeline, size, began, timeline.status != OK)
    plot, facing, closed = empty.plot, shares["facing"], shares["eyes_closed"].value
    return replace(
        empty,
        values=tuple(Tick(plot.y(value), style.percent(value)) for value in (0, 0.25, 0.5, 0.75, 1)),
        areas=(Layer(area_path(plot, timeline, facing.low, facing.high), "band"),),
        lines=(
            Layer(line_path(plot, timeline, facing.value), "facing"),
            Layer(line_path(plot, timeline, closed), "closed"),
        ),
        labels=_labels(empty, timeline, [("facing", "facing", facing.value), ("eyes closed", "closed", closed)]),
    )


def expressions_chart(timeline: Timeline, size: Size, began: datetime | None) -> Chart:
    """Return the seven expressions as layers that together fill 0 to 100%."""
    empty = _frame(timeline, size, began, timeline.status != OK)
    shares = timeline.emotions[:, [EMOTIONS.index(name) for name in style.STACK]]
    tops = np.cumsum(shares, axis=1)
    bottoms = tops - shares
    names = list(enumerate(style.STACK))
    last = np.flatnonzero(np.isfinite(tops[:, -1]))[-1:]
    told = [(i, name) for i, name in names if size.labelled and len(last) and shares[last[0], i] >= LABELLED_SHARE]
    return replace(
        empty,
        values=tuple(Tick(empty.plot.y(value), style.percent(value)) for value in (0, 0.25, 0.5, 0.75, 1)),
        areas=tuple(Layer(area_path(empty.plot, timeline, bottoms[:, i], tops[:, i]), f"e-{n}") for i, n in names),
        labels=_labels(empty, timeline, [(n, f"e-{n}", (bottoms[:, i] + tops[:, i]) / 2) for i, n in told]),
    )


def coverage_chart(timeline: Timeline, size: Size, began: datetime | None) -> Chart:
    """Return the faces per analysed frame, readable ones below and unreadable ones on top."""
    total = timeline.readable + timeline.unreadable
    unknown = ~np.isfinite(total) | np.isin(timeline.status, (TOO_FEW, NO_FACE, NOT_ANALYSED))
    empty = _frame(timeline, size, began, unknown & (timeline.status != OK))
    readable, total = (np.where(unknown, np.nan, row) for row in (timeline.readable, total))
    ticks = value_ticks(float(np.nanmax(total)) if np.isfinite(total).any() else 0.0)
    empty = replace(empty, plot=replace(empty.plot, highest=ticks[-1]))
    plot = empty.plot
    ends = [("readable", "readable", readable / 2)]
    if np.nanmax(np.append(timeline.unreadable, 0.0)) > 0:
        ends.append(("not readable", "unreadable", (readable + total) / 2))
    return replace(
        empty,
        values=tuple(Tick(plot.y(value), f"{value:g}") for value in (ticks if np.isfinite(total).any() else ())),
        areas=(
            Layer(area_path(plot, timeline, 0 * readable, readable), "readable"),
            Layer(area_path(plot, timeline, readable, total), "unreadable"),
        ),
        labels=_labels(empty, timeline, ends),
    )


def sparkline(timeline: Timeline, values: Array, width: float, height: float) -> tuple[Plot, str, tuple[Dot, ...]]:
    """Return the field, the path and the lone bins of one seat's engagement, 0 to 1 from bottom to top."""
    start, end = span(timeline)
    plot = Plot(left=2, right=width - 2, top=3, bottom=height - 3, start=start, end=end)
    alone = [first for first, stop in runs(np.isfinite(values)) if stop - first == 1]
    dots = (Dot(middle(plot, timeline, i), plot.y(float(values[i])), math.nan, math.nan) for i in alone)
    long = np.isfinite(values)
    long[alone] = False
    return plot, line_path(plot, timeline, *keep(long, values)), tuple(dots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A seat on the map; `fill` is None where its engagement is not known."""

    seat: int
    x: float
    y: float
    radius: float
    fill: str | None
    ink: str | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMap:
    """The seats at their places in the picture, whose proportion the map keeps."""

    size: Size
    width: float
    height: float
    marks: tuple[Mark, ...]


def seat_map(lesson: Lesson, seats: Sequence[SeatGlance], size: Size) -> SeatMap:
    """Return every seat as a circle of its face's size; large ones first, so that none hides a smaller one."""
    scale = min(0.8 * size.width / lesson.width if size.labelled else size.width / lesson.width, 440 / lesson.height)
    sides = scale * np.array([lesson.width, lesson.height, lesson.width, lesson.height])
    marks = []
    for seat in seats:
        left, top, right, bottom = (sides * seat.box).tolist()
        fill = style.engagement_colour(seat.engagement)
        score = "no score" if fill is None else f"engagement {style.score(seat.engagement)}"
        marks.append(
            Mark(
                seat=seat.seat,
                x=(left + right) / 2,
                y=(top + bottom) / 2,
                radius=max(LEAST_RADIUS, max(right - left, bottom - top) / 2),
                fill=fill,
                ink=fill and style.ink(fill),
                words=f"seat {seat.seat}: {score}",
            )
        )
    marks.sort(key=lambda mark: -mark.radius)
    return SeatMap(size=size, width=lesson.width * scale, height=lesson.height * scale, marks=tuple(marks))


def bin_words(timeline: Timeline, i: int) -> str:
    """Return what one bin says: its time, and its engagement or why there is none."""
    start = float(timeline.starts[i])
    when = f"{style.clock(start)} to {style.clock(start + timeline.bin_seconds)}"
    value, low, high = (float(row[i]) for row in (timeline.engagement, timeline.low, timeline.high))
    if timeline.status[i] != OK or math.isnan(value):
        return f"{when}: {style.MISSING.get(str(timeline.status[i]), 'no score')}"
    band = "" if math.isnan(low) or math.isnan(high) else f" ({style.score(low)} to {style.score(high)})"
    return f"{when}: engagement {style.score(value)}{band}"


def _frame(timeline: Timeline, size: Size, began: datetime | None, shaded: Array) -> Chart:
    """Return a chart with its time axis, gaps and pointer areas, and nothing drawn in it yet."""
    start, end = span(timeline)
    end = max(end, start + size.seconds)
    n = len(timeline.starts)
    alone = n == 1 and not size.seconds
    room = ROOM_AROUND * timeline.bin_seconds if alone else 0.0
    height = size.height + (16 if began and not alone else 0)
    plot = Plot(
        left=size.left,
        right=size.width - size.right,
        top=12,
        bottom=size.height - 48,
        start=start - room,
        end=end + room,
    )
    ticks = [] if alone else time_ticks(start, end, size.time_labels)
    long = end - start >= 3600
    unit = "h:mm" if long else "h:min:s" if end >= 3600 else "min:s"
    words = "a single moment" if alone else f"time from the start ({unit})"
    told = size.labelled and n <= MOST_HOVERS
    whole = [(plot.start, plot.end, str(status)) for status in timeline.status[:1]]
    missing = whole if alone and shaded[0] else gaps(timeline, shaded)
    return Chart(
        size=size,
        height=height,
        plot=plot,
        times=_time_ticks(plot, ticks, long, began),
        values=(),
        axis=words + (" and time of day" if began and not alone else ""),
        gaps=tuple(_gap(plot, gap) for gap in missing),
        hovers=tuple(_hover(plot, timeline, i) for i in range(n if told else 0)),
    )


def _time_ticks(plot: Plot, ticks: Sequence[float], long: bool, began: datetime | None) -> tuple[Tick, ...]:
    close = len(ticks) > 1 and ticks[1] - ticks[0] < 60
    made = []
    for seconds in ticks:
        words = style.hours_minutes(seconds) if long else style.clock(seconds)
        day = () if began is None else (style.time_of_day(began, seconds, with_seconds=close),)
        made.append(Tick(plot.x(seconds), words, *day))
    return tuple(made)


def _gap(plot: Plot, gap: tuple[float, float, str]) -> Box:
    """Return the shading of one gap, its words along or upwards, or none where they do not fit."""
    start, end, status = gap
    words, width = style.MISSING[status], plot.x(end) - plot.x(start)
    turned = width < LETTER * len(words) + 8
    return Box(plot.x(start), width, words if not turned or width > 14 else "", style.slug(status), turned)


def _hover(plot: Plot, timeline: Timeline, i: int) -> Box:
    start = float(timeline.starts[i])
    return Box(plot.x(start), plot.x(start + timeline.bin_seconds) - plot.x(start), bin_words(timeline, i))


def _labels(chart: Chart, timeline: Timeline, ends: list[tuple[str, str, Array]]) -> tuple[Label, ...]:
    """Return names beside the last known value of each row; `ends` holds (words, kind, values)."""
    plot, known = chart.plot, [(words, kind, row, np.flatnonzero(np.isfinite(row))[-1:]) for words, kind, row in ends]
    shown = [(words, kind, plot.y(float(row[last[0]])), int(last[0])) for words, kind, row, last in known if len(last)]
    if not chart.size.labelled or not shown:
        return ()
    heights = spread([at for _, _, at, _ in shown], plot.top + 4, plot.bottom - 2)
    made = []
    for (words, kind, at, last), height in zip(shown, heights, strict=True):
        end = plot.x(float(timeline.starts[last]) + timeline.bin_seconds)
        place = end if len(timeline.starts) == 1 else plot.x(span(timeline)[1])  # beside the last bin
        made.append(Label(x=place + 16, y=height, end=end, at=at, words=words, kind=kind))
    return tuple(made)
