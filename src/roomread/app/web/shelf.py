"""Lessons as the pages show them: records, overviews, charts. A missing overview is made once, however many ask."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping as Named
from datetime import datetime
from typing import Any

from roomread.app.overviews import kept_overview, named_mapping, overview_of
from roomread.app.web.studio import Studio
from roomread.engagement.mappings import Mapping
from roomread.errors import SettingsError
from roomread.review import charts
from roomread.review.drawings import figures
from roomread.review.overview import Overview
from roomread.review.part_charts import Stretch, with_strip
from roomread.review.shapes import Size
from roomread.review.structure import when
from roomread.types import Lesson, Part, Timeline

SIZES = {"wide": charts.WIDE, "narrow": charts.NARROW}


class Shelf:
    """The lessons of one studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.store = studio, studio.store
        self.figure = figures()
        self._making = threading.Lock()

    def overview(self, lesson: Lesson, name: str | None = None) -> tuple[Mapping, Overview]:
        """Return a mapping by its name, None the default one, and what may be seen of a lesson by it.

        Raises:
            SettingsError: the panel has no such mapping.
        """
        mapping = named_mapping(lesson, name)
        kept = kept_overview(self.store, lesson, mapping)
        if kept is not None:
            return mapping, kept
        with self._making:
            return mapping, overview_of(self.store, lesson, mapping)

    def delete(self, number: int) -> None:
        """Forget a lesson.

        Raises:
            LessonNotFoundError: there is none.
            SettingsError: it is running.
        """
        lesson, live = self.store.numbered(number), self.studio.live
        if live is not None and not live.over and live.view().lesson == number:
            raise SettingsError(f"Lesson {number} is running. Stop it before it is deleted.")
        self.store.delete(lesson)


def timeline_chart(lesson: Lesson, seen: Overview, line: Timeline, parts: Named[int, Part], size: Size) -> charts.Chart:
    """Return the class's engagement over a stretch of a lesson with its episodes and parts."""
    chart = charts.engagement_chart(line, size, began(lesson))
    plot = chart.plot
    met = tuple(one for one in seen.episodes if one.start < plot.end and one.end > plot.start)
    numbered = enumerate(parts.values(), 1)
    strip = [Stretch(number, part, f"{part.name}, {when(part)}") for number, part in numbered]
    return with_strip(charts.with_episodes(chart, met), strip)


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


def plots(sizes: Named[str, Size] = SIZES) -> dict[str, Any]:
    """Return where the time axis of each chart lies, in its own units, for scripts."""
    return {name: {"left": one.left, "right": one.width - one.right, "width": one.width} for name, one in sizes.items()}
