"""The page of one lesson, its line over time as JSON, and its charts for whoever zooms."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Named
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from roomread import style
from roomread.app.panel import mapping_of, panel
from roomread.app.web.lesson_answers import LessonLine, line_of
from roomread.app.web.lesson_charts import SIZES, began, moment, numbers_of, plots, timeline_chart
from roomread.app.web.site import Key, Site
from roomread.errors import SettingsError
from roomread.review import charts, overtime
from roomread.review.drawings import standalone
from roomread.review.overview import Overview, window
from roomread.review.overview import number as known
from roomread.review.report import closed, leading, sentence, why_missing
from roomread.review.shapes import span
from roomread.review.structure import when
from roomread.store.retention import keep_days, kept_until
from roomread.types import EMOTIONS, MARKER, Lesson, Part, Timeline

Formula = Annotated[str | None, Query(max_length=100, description="the formula's name; nothing takes the default one")]
From = Annotated[float | None, Query(alias="from", description="seconds from the start of the source")]
To = Annotated[float | None, Query(description="likewise; nothing takes the whole lesson")]
What = Literal["engagement", "expressions"]
SizeName = Literal["wide", "narrow"]


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter()

    @router.get("/lessons/{number}", include_in_schema=False)
    def page(number: Key, mapping: Formula = None, start: From = None, to: To = None) -> HTMLResponse:
        lesson = site.store.numbered(number)
        chosen, seen = site.overview(lesson, mapping)
        parts, days = site.store.parts(lesson), keep_days(site.store)
        words = site.words["lesson"]
        usual = dataclasses.replace(lesson, keep_until=None)
        values = {
            "lesson": lesson,
            "until": _until(words, kept_until(lesson, days)),
            "usual": _until(words, kept_until(usual, days)),
            "now": f"{datetime.now():%H:%M:%S}",
            "mappings": [*panel().values()],
            "default": mapping_of(lesson).name,
            "chosen": chosen,
            "parts": [_part_row(key, part) for key, part in parts.items()],
            "kept": kept_for(lesson, datetime.now(UTC)),
            **_told(lesson, seen),
            **_drawn(lesson, seen, parts, _stretch(seen, start, to)),
        }
        return site.page(
            "lesson.html", active="lessons", figure=site.figure, sentence=sentence, closed=closed, **values
        )

    @router.get("/api/lessons/{number}/timeline", tags=["lessons"], summary="The class over time, in the finest bins")
    def timeline(number: Key, mapping: Formula = None) -> LessonLine:
        chosen, seen = site.overview(site.store.numbered(number), mapping)
        return line_of(chosen.name, seen.timeline)

    @router.get(
        "/api/lessons/{number}/chart",
        tags=["lessons"],
        summary="A chart of a stretch of a lesson, as SVG",
        description="Colours come from /static/charts.css; the headers x-from and x-to tell the seconds that are drawn",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}}},
    )
    def chart(
        number: Key,
        mapping: Formula = None,
        start: From = None,
        to: To = None,
        what: What = "engagement",
        size: SizeName = "wide",
    ) -> Response:
        lesson = site.store.numbered(number)
        _, seen = site.overview(lesson, mapping)
        line = _stretch(seen, start, to)
        made = _chart(what, lesson, seen, line, site.store.parts(lesson), size)
        words = site.words["lesson"]
        title, told = words[f"{what}_title"], words["table_words"]
        drawn = standalone(str(site.figure.chart(made, f"{what}-{size}", title, told)))
        first, last = span(line)
        return Response(drawn, media_type="image/svg+xml", headers={"x-from": f"{first:g}", "x-to": f"{last:g}"})

    return router


def kept_for(lesson: Lesson, now: datetime) -> int:
    """Return for how many whole days a lesson has been kept."""
    return max(0, (now - datetime.fromisoformat(lesson.created).astimezone(UTC)).days)


def _until(words: dict[str, Any], day: date | None) -> str:
    """Return until when a lesson is kept, in words."""
    text: str = words["kept_forever"] if day is None else words["kept_until"].format(day=day.isoformat())
    return text


def _stretch(seen: Overview, start: float | None, to: float | None) -> Timeline:
    """Return what is drawn between two moments, or the whole lesson in the report's bins."""
    if start is None and to is None:
        return seen.whole
    first, last = span(seen.whole)
    begin, end = (first if start is None else start), (last if to is None else to)
    if not begin < end:
        raise SettingsError(f"A chart needs from below to, in seconds. Received: {begin:g} and {end:g}.")
    return window(seen, max(begin, first), min(end, last)) if begin < last and end > first else seen.whole


def _chart(
    what: What, lesson: Lesson, seen: Overview, line: Timeline, parts: Named[int, Part], size: str
) -> charts.Chart:
    if what == "expressions":
        return charts.expressions_chart(line, SIZES[size], began(lesson))
    return timeline_chart(lesson, seen, line, parts, SIZES[size])


def _drawn(lesson: Lesson, seen: Overview, parts: Named[int, Part], line: Timeline) -> dict[str, Any]:
    """Return charts, and what the page says beside them."""
    first, last = span(seen.whole)
    begin, end = span(line)
    return {
        "engagement": [_chart("engagement", lesson, seen, line, parts, size) for size in SIZES],
        "expressions": [_chart("expressions", lesson, seen, line, parts, size) for size in SIZES],
        "statuses": [status for status in style.MISSING if any(status in each.status for each in seen.lines)],
        "banded": bool((seen.whole.low == seen.whole.low).any()),
        "maps": [charts.seat_map(lesson, seen.seats, size) for size in SIZES.values()] if seen.seats else [],
        "plots": plots(),
        "zoom": {"first": first, "last": last, "from": begin, "to": end, "finest": seen.timeline.bin_seconds},
    }


def _told(lesson: Lesson, seen: Overview) -> dict[str, Any]:
    """Return the words and figures of a lesson's page."""
    figures, reason = seen.figures, why_missing(seen.whole)
    at, by_clock = moment(lesson)
    emotions = [known(figures["emotions"][name]) for name in EMOTIONS]
    return {
        "seen": seen,
        "figures": figures,
        "numbers": numbers_of(figures),
        "facing": known(figures["attention"]["facing"]),
        "leading": leading(np.array(emotions)),
        "reason": reason,
        "when": style.date(at),
        "by_clock": by_clock,
        "episodes": [overtime.episode_words(one) for one in seen.episodes],
        "kinds": sorted({one.kind for one in seen.episodes}),
        "false_alarms": overtime.false_alarms(known(figures["over_time"]["expected_false"])),
        "untold": overtime.untold(seen.over_time, why_missing(seen.over_time)),
        "what_over_time": overtime.WHAT,
    }


def _exact(seconds: float) -> str:
    """Write a moment so that it is read back as it is, to the millisecond."""
    told = round(seconds, 3)
    return style.clock(told) if told == round(told) else f"{told:.3f}".rstrip("0")


def _part_row(key: int, part: Part) -> dict[str, Any]:
    """Return what a row of the parts table shows, and what its form begins with."""
    lasts = part.kind == MARKER or part.end == float("inf")
    return {
        "key": key,
        "part": part,
        "when": when(part),
        "start": _exact(part.start),
        "end": "" if lasts else _exact(part.end),
    }
