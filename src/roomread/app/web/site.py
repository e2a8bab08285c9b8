"""What every page shares: the studio, the words, the templates, overviews, and how what went wrong is told."""

from __future__ import annotations

import json
import threading
import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from roomread import __version__, style
from roomread.app.overviews import asked_mapping, kept_overview, overview_of
from roomread.app.studio import Studio
from roomread.engagement.mappings import Mapping
from roomread.errors import LessonNotFoundError, PrivacyError, RecordingNotFoundError, RoomreadError
from roomread.output import FORMATS
from roomread.page import page_environment
from roomread.review.drawings import FILTERS, figures
from roomread.review.overview import Overview
from roomread.types import EMOTIONS, Lesson

Purpose = Literal["research", "self-study"]  # of real people; the demo has its own command
Key = Annotated[int, Field(ge=0, le=2**63 - 1)]  # what a store can number
REFUSED: dict[int | str, dict[str, Any]] = {"4XX": {"description": "Refused", "content": {"text/html": {}}}}  # of pages


class Refusal(BaseModel):
    """What went wrong, in words."""

    error: str


class Site:
    """What the pages work on, and what they are made of.

    studio: store, running lesson and recordings. words: of the pages, by section and name. figure: macros that draw.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio, self.store = studio, studio.store
        self.words = _words()
        self._templates = _templates()
        self.figure = figures()
        self._making = threading.Lock()

    def text(self, template: str, **values: Any) -> str:
        """Return a template with its values; it knows of the store whether it is `shared`."""
        page: str = self._templates.get_template(template).render(shared=self.store.file is None, **values)
        return page

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page: `active` names the entry of the navigation that is shown as the present one."""
        return HTMLResponse(self.text(template, **{"active": "", **values}), status)

    def overview(self, lesson: Lesson, name: str | None = None) -> tuple[Mapping, Overview]:
        """Return a mapping by its name, None the default one, and what may be seen of a lesson by it.

        An overview that is missing is made once, however many ask.

        Raises:
            SettingsError: the panel has no such mapping.
        """
        mapping = asked_mapping(lesson, name)
        kept = kept_overview(self.store, lesson, mapping)
        if kept is not None:
            return mapping, kept
        with self._making:
            return mapping, overview_of(self.store, lesson, mapping)

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """Return what went wrong, without this machine's folders: JSON for the API, a page for a browser."""
        message = self.studio.without_folders(message)
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": message}, status)
        return self.page("message.html", status, message=message)


@cache
def _templates() -> Any:
    """Return the templates of the pages with what all of them may name."""
    environment = page_environment("roomread.app.web", *FILTERS)
    environment.globals |= {
        "words": _words(),
        "style": style,
        "emotions": EMOTIONS,
        "formats": FORMATS,
        "version": __version__,
        "data": data,
    }
    return environment


@cache
def _words() -> dict[str, Any]:
    """Return the words of the pages by section and name."""
    text = (resources.files("roomread.app.web") / "words" / "en.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def data(value: Any) -> str:
    """Return a value as JSON that can stand inside a page's script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def points(notice: str) -> list[str]:
    """Return the first sentence of a notice and then its points, each on one line, as a page breaks lines by itself."""
    return [" ".join(point.split()) for point in notice.split("\n- ")]


def add_refusals(app: FastAPI, site: Site) -> None:
    """Answer every error that a user can meet in words, and none with a traceback."""

    @app.exception_handler(RoomreadError)
    def refuse_known(request: Request, error: Exception) -> Response:
        missing = isinstance(error, (LessonNotFoundError, RecordingNotFoundError))
        status = 404 if missing else 403 if isinstance(error, PrivacyError) else 400
        return site.refuse(request, status, str(error))

    @app.exception_handler(HTTPException)
    def refuse_http(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        words = site.words["errors"]
        return site.refuse(request, status, words["missing"] if status == 404 else str(getattr(error, "detail", "")))

    @app.exception_handler(ClientDisconnect)
    def refuse_slow(request: Request, error: Exception) -> Response:
        return site.refuse(request, 408, site.words["errors"]["slow"])

    @app.exception_handler(Exception)
    def refuse_unforeseen(request: Request, error: Exception) -> Response:
        return site.refuse(request, 500, site.words["errors"]["unforeseen"])

    @app.exception_handler(RequestValidationError)
    def refuse_form(request: Request, error: Exception) -> Response:
        found: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
        if found and all(each["loc"][0] == "path" for each in found):  # which is no number, so nothing stands there
            return site.refuse(request, 404, site.words["errors"]["missing"])
        told = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in found)
        return site.refuse(request, 422, f"The request is not understood. {told}")
