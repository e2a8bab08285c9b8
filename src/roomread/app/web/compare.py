"""Two lessons beside each other, on one scale of time and one of engagement."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from roomread import style
from roomread.app.overviews import asked_mapping
from roomread.app.panel import WITHOUT_SIGNALS, panel
from roomread.app.web.lesson_charts import began, moment, numbers_of, on_scale, timeline_chart
from roomread.app.web.site import Key, Site
from roomread.review import charts
from roomread.review.overview import Overview, shared_width
from roomread.review.overview import number as known
from roomread.review.shapes import Size, span
from roomread.types import EMOTIONS, Lesson, Timeline

MADE_BY = ("detector", "second_look", "expression", "mesh")  # of `made_with`: what decides what is measured
Number = Annotated[Key | None, Query(description="a lesson's number")]
Ticked = Annotated[list[Key] | None, Query()]


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter(include_in_schema=False)

    @router.get("/lessons/compare")
    def page(a: Number = None, b: Number = None, lesson: Ticked = None, mapping: str | None = None) -> Response:
        if lesson is not None and len(lesson) == 2:  # as the list's form asks, without a script
            return RedirectResponse(f"/lessons/compare?a={lesson[0]}&b={lesson[1]}", 303)
        if a is None or b is None or a == b:
            return site.page("message.html", 400, active="lessons", message=site.words["compare"]["two"])
        lessons = [site.store.numbered(number) for number in (a, b)]
        name = mapping or shared_mapping(*lessons)
        seen = [site.overview(each, name)[1] for each in lessons]
        longest = max(_length(each.whole) for each in seen)
        width, sizes = shared_width(seen[0], seen[1], longest), on_scale(longest)
        sides = [_side(site, one, each, width, sizes) for one, each in zip(lessons, seen, strict=True)]
        values: dict[str, Any] = {
            "sides": sides,
            "chosen": asked_mapping(lessons[0], name),
            "mappings": [*panel().values()],
        }
        statuses = [status for status in style.MISSING if any(status in each["line"].status for each in sides)]
        return site.page(
            "compare.html",
            active="lessons",
            figure=site.figure,
            statuses=statuses,
            same_bins=len({each["line"].bin_seconds for each in sides}) == 1,
            same_models=len({_models(one) for one in lessons}) == 1,
            **values,
        )

    return router


def shared_mapping(one: Lesson, other: Lesson) -> str:
    """Return the name of the default mapping that both lessons can be seen by."""
    names = {asked_mapping(each, None).name for each in (one, other)}
    return names.pop() if len(names) == 1 else WITHOUT_SIGNALS


def _length(line: Timeline) -> float:
    start, end = span(line)
    return end - start


def _models(lesson: Lesson) -> str:
    return json.dumps({name: lesson.made_with.get(name) for name in MADE_BY}, sort_keys=True, default=str)


def _side(site: Site, lesson: Lesson, seen: Overview, width: float | None, sizes: list[Size]) -> dict[str, Any]:
    """Return what one of the two shows."""
    line = next((each for each in seen.lines if each.bin_seconds == width), seen.whole)
    figures, parts = seen.figures, site.store.parts(lesson)
    return {
        "lesson": lesson,
        "when": style.date(moment(lesson)[0]),
        "line": line,
        "numbers": numbers_of(figures),
        "emotions": {name: known(figures["emotions"][name]) for name in EMOTIONS},
        "facing": known(figures["attention"]["facing"]),
        "seats": figures["seats"],
        "engagement": [timeline_chart(lesson, seen, line, parts, size) for size in sizes],
        "expressions": [charts.expressions_chart(line, size, began(lesson)) for size in sizes],
    }
