"""What can be taken along of a lesson: its report and its tables, made for the asker and written nowhere."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from roomread.app.overviews import asked_mapping
from roomread.app.panel import panel
from roomread.app.web.site import REFUSED, Key, Site
from roomread.errors import SettingsError
from roomread.output import FORMATS, TABLES
from roomread.review.agenda import Structure
from roomread.review.export import dictionary, exported, file_stem
from roomread.review.report import report_html
from roomread.review.structure import compare
from roomread.review.summary import summarise
from roomread.store.privacy import open_gate

DICTIONARY = "dictionary.json"


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter(tags=["lessons"])

    @router.get(
        "/lessons/{number}/report.html",
        summary="The report of a lesson with its parts, as one HTML file",
        response_class=HTMLResponse,
        responses=REFUSED,
    )
    def report(number: Key, mapping: str | None = None) -> Response:
        lesson = site.store.numbered(number)
        formula, parts = asked_mapping(lesson, mapping), site.store.parts(lesson)
        gate = open_gate(site.store, lesson)
        compared = compare(gate, formula, Structure(tuple(parts.values()))) if parts else None
        page = report_html(summarise(gate, formula, tuple(panel().values())), compared)
        return _file(page.encode("utf-8", "replace"), "text/html; charset=utf-8", f"{file_stem(lesson, 'report')}.html")

    @router.get(
        "/lessons/{number}/export/{name}",
        summary="A table of a lesson, or what its columns mean",
        response_class=Response,
        responses={**REFUSED, 200: {"content": {kind: {} for kind in FORMATS.values()}}},
    )
    def export(number: Key, name: str, mapping: str | None = None) -> Response:
        """Name a table, class or seats, and then .csv, .json, .parquet or .dictionary.json."""
        table, _, form = name.partition(".")
        if table not in TABLES or form not in (*FORMATS, DICTIONARY):
            raise SettingsError(
                f"There is no table {name[:80]!r}. Expected: {' or '.join(TABLES)}, then a dot and "
                f"one of: {', '.join((*FORMATS, DICTIONARY))}."
            )
        lesson = site.store.numbered(number)
        formula, gate = asked_mapping(lesson, mapping), open_gate(site.store, lesson)
        file = f"{file_stem(lesson, table)}.{form}"
        if form == DICTIONARY:
            return _file(dictionary(gate, formula, table).encode(), FORMATS["json"], file)
        return _file(exported(gate, formula, form, table), FORMATS[form], file)

    return router


def _file(content: bytes, kind: str, name: str) -> Response:
    """Return an answer that a browser saves under a name."""
    plain = name.encode("ascii", "replace").decode().replace("?", "-")
    saved = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=kind, headers={"content-disposition": saved})
