"""The first page, which explains itself, the look of all pages, and the login where a token is asked for."""

from __future__ import annotations

import math
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from roomread import style
from roomread.app.web.access import SESSION, Access
from roomread.app.web.guard import COOKIE, caller
from roomread.app.web.lesson_charts import moment
from roomread.app.web.site import Site, points
from roomread.store.privacy import NOTICE

N_LATEST = 5  # lessons that the first page names


def routes(site: Site, access: Access | None) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def home() -> HTMLResponse:
        live = site.studio.running_lesson()
        running = None if live is None else live.view()
        latest = [(lesson, style.date(moment(lesson)[0])) for lesson in site.store.lessons(N_LATEST)]
        return site.page("home.html", active="home", latest=latest, running=running, notice=points(NOTICE))

    @router.get("/static/app.css")
    def look() -> Response:
        return Response(site.text("app.css"), media_type="text/css", headers={"cache-control": "no-cache"})

    @router.get("/login")
    def login() -> HTMLResponse:
        return site.page("login.html", wrong="")

    @router.post("/login")
    async def enter(request: Request) -> Response:
        if access is None:
            return RedirectResponse("/", 303)
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [""])[0]
        words, wait = site.words["login"], access.wait(caller(request.scope))
        if wait:
            return site.page("login.html", 429, wrong=f"{words['wait']} {math.ceil(wait)} s.")
        if not access.accepts(given, caller(request.scope)):
            return site.page("login.html", 401, wrong=words["wrong"])
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, access.session(), SESSION, httponly=True, secure=secure, samesite="strict")
        return answer

    return router
