"""Charts of lessons as the pages show them, and when a lesson was."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Named
from datetime import datetime
from typing import Any

from roomread.review import charts
from roomread.review.overview import Overview, number
from roomread.review.part_charts import Stretch, with_strip
from roomread.review.shapes import Size
from roomread.review.structure import when
from roomread.types import Lesson, Part, Timeline

SIZES = {"wide": charts.WIDE, "narrow": charts.NARROW}


def timeline_chart(lesson: Lesson, seen: Overview, line: Timeline, parts: Named[int, Part], size: Size) -> charts.Chart:
    """Return the class's engagement over a stretch of a lesson with its episodes and parts."""
    chart = charts.engagement_chart(line, size, began(lesson))
    plot = chart.plot
    met = tuple(one for one in seen.episodes if one.start < plot.end and one.end > plot.start)
    numbered = enumerate(parts.values(), 1)
    strip = [Stretch(number, part, f"{part.name}, {when(part)}") for number, part in numbered]
    return with_strip(charts.with_episodes(chart, met), strip)


def numbers_of(figures: Named[str, Any]) -> dict[str, float]:
    """Return the numbers of an overview that a page tells first; NaN where not known."""
    names = ("engagement", "engagement_low", "engagement_high", "faces_per_frame", "readable", "measured")
    return {name: number(figures[name]) for name in names}


def on_scale(seconds: float) -> list[Size]:
    """Return both sizes of a chart with a time axis of at least so many seconds."""
    return [dataclasses.replace(size, seconds=seconds) for size in SIZES.values()]


def began(lesson: Lesson) -> datetime | None:
    """Return when a lesson began by the clock; None where it is not known."""
    return None if lesson.began is None else datetime.fromisoformat(lesson.began)


def moment(lesson: Lesson) -> tuple[datetime, bool]:
    """Return when a lesson began, else when it was analysed on this machine's clock, and whether it is the former."""
    known = began(lesson)
    if known is not None:
        return known.replace(tzinfo=None), True
    return datetime.fromisoformat(lesson.created).astimezone().replace(tzinfo=None), False


def plots() -> dict[str, Any]:
    """Return where the time axis of each chart lies, in its own units, for scripts."""
    return {name: {"left": one.left, "right": one.width - one.right, "width": one.width} for name, one in SIZES.items()}
