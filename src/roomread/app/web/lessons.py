"""The list of lessons, and what the API tells, changes and forgets of each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from roomread import style
from roomread.app.names import check_name
from roomread.app.overviews import listed_lessons
from roomread.app.web import compare, lesson, parts, takeaway
from roomread.app.web.lesson_answers import (
    LessonEdit,
    LessonEdited,
    LessonFigures,
    LessonPage,
    listed_of,
    record_of,
)
from roomread.app.web.lesson_charts import moment
from roomread.app.web.site import Key, Site
from roomread.errors import SettingsError
from roomread.review import charts
from roomread.review.drawings import figure_rules
from roomread.review.overview import number as known
from roomread.review.overview import spark_line
from roomread.store.retention import keep_days, kept_until, set_keep_until
from roomread.store.summaries import Listed

SPARK = (128.0, 26.0)  # SVG units
Search = Annotated[str, Query(max_length=200, description="words in the name or the source")]
PageNumber = Annotated[int, Query(ge=1, le=10_000_000)]


def routes(site: Site) -> APIRouter:
    """Return the routes of this module, and of the pages of each lesson."""
    router = APIRouter()
    _add_pages(router, site)
    _add_api(router, site)
    for more in (compare, lesson, parts, takeaway):
        router.include_router(more.routes(site))
    return router


def _add_pages(router: APIRouter, site: Site) -> None:
    @router.get("/lessons", include_in_schema=False)
    def lessons(search: Search = "", page: PageNumber = 1) -> HTMLResponse:
        found = listed_lessons(site.store, search, page)
        rows = [_row(one) for one in found.lessons]
        values: dict[str, Any] = {"found": found, "rows": rows, "search": search, "where": _where(site)}
        return site.page("lessons.html", active="lessons", figure=site.figure, **values)

    @router.get("/static/charts.css", include_in_schema=False)
    def rules() -> Response:
        return Response(figure_rules(), media_type="text/css", headers={"cache-control": "no-cache"})


def _add_api(router: APIRouter, site: Site) -> None:
    store = site.store

    @router.get("/api/lessons", tags=["lessons"], summary="List lessons, newest first, 50 a page")
    def listed(search: Search = "", page: PageNumber = 1) -> LessonPage:
        found = listed_lessons(store, search, page)
        return LessonPage(
            lessons=[listed_of(one) for one in found.lessons], page=found.number, pages=found.last, total=found.total
        )

    @router.get("/api/lessons/{number}", tags=["lessons"], summary="A lesson with its figures")
    def one(number: Key, mapping: str | None = None) -> LessonFigures:
        found = store.numbered(number)
        _, seen = site.overview(found, mapping)
        more: dict[str, Any] = {"width": found.width, "height": found.height, "made_with": found.made_with}
        return LessonFigures(**record_of(found), **more, figures=seen.figures)

    @router.patch("/api/lessons/{number}", tags=["lessons"], summary="Rename a lesson, remark, say its last day")
    def edit(number: Key, asked: LessonEdit) -> LessonEdited:
        found = store.numbered(number)
        name = found.name if asked.name is None else asked.name.strip()
        check_name("The lesson's name", name)
        remarks = found.remarks if asked.remarks is None else asked.remarks.strip()
        found = store.rename(found, name, remarks)
        if asked.keep_until is not None:
            found = set_keep_until(store, found, asked.keep_until or None)
        until = kept_until(found, keep_days(store))
        return LessonEdited(**record_of(found), kept_until=until)

    @router.delete("/api/lessons/{number}", tags=["lessons"], status_code=204, summary="Forget a lesson for good")
    def forget(number: Key) -> None:
        found = store.numbered(number)
        if site.studio.running_lesson(number) is not None:
            raise SettingsError(f"Lesson {number} is running. Stop it before it is deleted.")
        if (recording := site.studio.queue.becoming(number)) is not None:
            raise SettingsError(
                f"Lesson {number} is being made of the recording {recording.name}. Cancel the recording, which deletes "
                "the lesson too, or wait until it is done."
            )
        store.delete(found)


def _where(site: Site) -> str:
    """Return where lessons lie and for how long, in words."""
    store, words = site.store, site.words["lessons"]
    days = keep_days(store)
    kept = words["kept_all"] if days is None else words["kept_days"].format(days=days)
    text: str = words["where" if store.file else "where_shared"].format(path=store.name, kept=kept)
    return text


def _row(one: Listed) -> dict[str, Any]:
    """Return what a row of the list shows."""
    when, by_clock = moment(one.lesson)
    row = {"lesson": one.lesson, "when": style.date(when), "by_clock": by_clock, "spark": None}
    if one.figures is None:
        nothing = float("nan")
        return row | {"engagement": nothing, "low": nothing, "high": nothing, "measured": nothing}
    summary, line = one.figures["summary"], spark_line(one.figures["spark"])
    ends = (("engagement", ""), ("low", "_low"), ("high", "_high"))
    values = {name: known(summary[f"engagement{end}"]) for name, end in ends}
    plot, path, dots = charts.sparkline(line, line.engagement, *SPARK)
    return row | values | {"measured": known(summary["measured"]), "spark": {"plot": plot, "path": path, "dots": dots}}
