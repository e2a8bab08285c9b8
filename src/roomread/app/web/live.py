"""The page of the lesson that runs, its API, and the lines over which it lives."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from roomread.app.live import LiveLesson, LiveRequest, View
from roomread.app.names import LONGEST_NAME
from roomread.app.panel import panel
from roomread.app.studio import Studio
from roomread.app.watching import FIGURES
from roomread.app.web.site import Purpose, Site, points
from roomread.errors import SettingsError, SourceError
from roomread.review.summary import known
from roomread.store.privacy import NOTICE
from roomread.watch.address import SCHEMES
from roomread.watch.cameras import list_cameras
from roomread.watch.live import open_live
from roomread.watch.livesource import LiveSource
from roomread.watch.push import MOST_BYTES, PushSource

BROWSER, NAMED, ADDRESS = "browser", "named", "address"
WAIT = 1.0  # seconds that a viewer's line waits for news before it looks whether the viewer is still there
MOST_VIEWERS = 200  # that wait at a time; more take turns
TAKEN_OVER = 4001  # what closes the line of a page when another one sends the pictures
IDLE = 0.5  # seconds between two looks for a lesson that may begin
TIME = struct.Struct("<d")  # what stands before each pushed picture: its time in seconds, by the page's clock

Point = Annotated[list[float | None], Field(min_length=4, max_length=4)]
Mark = Annotated[list[float | str], Field(min_length=2, max_length=2)]
Text = Annotated[str, Field(max_length=LONGEST_NAME)]


class Begin(BaseModel):
    """What is asked of a lesson that begins."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    purpose: Purpose
    reference: Text | None = None
    notice: bool = Field(description="The notice was read: true, or nothing begins.")
    source: str = Field(
        max_length=40, description="browser, a camera such as camera:0, named (by the command line), or address"
    )
    address: Annotated[str, Field(max_length=2000)] | None = Field(None, description="rtsp:// or http://")
    mapping: Text | None = None


class Pause(BaseModel):
    """Whether to pause or to go on."""

    on: bool


class Marker(BaseModel):
    """What happened just now."""

    name: Text


class Number(BaseModel):
    """A lesson's number in the store; 0 where nothing was kept."""

    lesson: int


class LiveView(BaseModel):
    """What there is to see of the lesson that runs, or ran last; null is what is not known or may not be told."""

    version: int
    state: Literal["none", "opening", "running", "paused", "ended", "failed", "discarded"]
    lesson: int = Field(description="Its number in the store, 0 before anything was seen.")
    name: str
    mapping: str
    source: str = Field(description="opening, live, waiting (for a picture), closed")
    sends: bool = Field(description="Whether a page must send the pictures.")
    time: float | None = Field(description="Seconds, of the newest frame that was looked at.")
    status: str
    engagement: float | None
    low: float | None
    high: float | None
    emotions: dict[str, float] | None
    readable: float | None = Field(description="Faces that could be read, a frame.")
    unreadable: float | None
    seats: int | None
    rule: str
    notes: list[str]
    fps: float | None
    dropped: int
    delay: float | None = Field(description="Seconds from a frame's arrival to its number.")
    markers: list[Mark] = Field(description="Time, name.")
    course: list[Point] = Field(description="Time, engagement, low, high; about one a second.")
    error: str


def plain(studio: Studio, live: LiveLesson | None, view: View | None, since: float = -math.inf) -> LiveView:
    """Return a view as JSON can hold it.

    Args:
        studio: in which it runs.
        live: the lesson; None where there was none yet.
        view: of it.
        since: seconds; of the course the points from then on are told. The newest one may still change.
    """
    glimpse = None if view is None else view.glimpse
    points = [] if view is None else [point for point in view.course if point[0] >= since]
    nothing = dict.fromkeys(("time", *FIGURES, "emotions", "fps")) | {"status": "", "rule": "", "dropped": 0}
    now: dict[str, Any] = nothing if glimpse is None else glimpse.as_dict()
    return LiveView(
        version=0 if view is None else view.version,
        state="none" if view is None else view.state,
        lesson=0 if view is None else view.lesson,
        name="" if view is None else view.name,
        mapping="" if live is None else live.mapping.name,
        source="closed" if view is None else view.source,
        sends=live is not None and isinstance(live.source, PushSource),
        seats=None if view is None else view.seats,
        notes=[] if glimpse is None else list(glimpse.notes),
        delay=None if view is None else known(view.delay),
        markers=[] if view is None else [list(marker) for marker in view.markers],
        course=[[round(time, 1), known(mean), known(low), known(high)] for time, mean, low, high in points],
        error="" if view is None else studio.without_folders(view.error),
        **now,
    )


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter(tags=["live"])
    _add_pages(router, site)
    _add_orders(router, site)
    _add_lines(router, site.studio)
    return router


def _add_pages(router: APIRouter, site: Site) -> None:
    @router.get("/live", include_in_schema=False)
    def page() -> HTMLResponse:
        mappings = [(each.name, each.validity) for each in panel().values()]
        cameras = [(camera.word, camera.name) for camera in list_cameras()]
        return site.page(
            "live.html", active="live", cameras=cameras, named=site.studio.named, mappings=mappings,
            notice=points(NOTICE), missing=site.words["missing"],
        )  # fmt: skip

    @router.get("/live/notice", include_in_schema=False)
    def sheet() -> HTMLResponse:
        return site.page("notice.html", active="live")


def _add_orders(router: APIRouter, site: Site) -> None:
    """Add what is asked of the lesson that runs, and what is done to it."""
    studio = site.studio

    @router.get("/api/live", summary="The lesson that runs, or ran last")
    def now() -> LiveView:
        return plain(studio, studio.live, None if studio.live is None else studio.live.view())

    @router.post("/api/live", summary="Begin a lesson")
    def begin(asked: Begin) -> LiveView:
        if not asked.notice:
            raise SettingsError(site.words["live"]["read_first"])
        request = LiveRequest(
            name=asked.name, purpose=asked.purpose, reference=asked.reference or None, mapping=asked.mapping or None
        )
        source = open_source(asked, studio.named, request)
        try:
            live = studio.begin(source, request)
        except SettingsError:
            source.close()
            raise
        return plain(studio, live, live.view())

    @router.post("/api/live/pause", summary="Pause, or go on")
    def pause(asked: Pause) -> LiveView:
        live = studio.running()
        live.pause(asked.on)
        return plain(studio, live, live.view())

    @router.post("/api/live/markers", summary="Mark the moment")
    def mark(asked: Marker) -> LiveView:
        live = studio.running()
        live.mark(asked.name)
        return plain(studio, live, live.view())

    @router.post("/api/live/stop", summary="End the lesson and keep it")
    def stop() -> Number:
        return Number(lesson=studio.running().stop())

    @router.post("/api/live/discard", summary="End the lesson and keep nothing of it")
    def discard() -> Number:
        return Number(lesson=studio.running().stop(discard=True))

    @router.get(
        "/api/live/outline", summary="The newest picture, blurred beyond knowing anybody, with the faces' places"
    )
    def outline() -> dict[str, Any]:
        found = None if studio.live is None else studio.live.outline()
        if found is None:
            return {"picture": None, "faces": []}
        picture, faces = found
        return {"picture": "data:image/jpeg;base64," + base64.b64encode(picture).decode(), "faces": faces}


def _add_lines(router: APIRouter, studio: Studio) -> None:
    """Add the lines over which a viewer hears what is new, and a page sends its pictures."""
    viewers = ThreadPoolExecutor(MOST_VIEWERS, "viewer")  # who wait keep no thread from those who ask for pages

    @router.websocket("/api/live/view")
    async def view(line: WebSocket) -> None:
        await line.accept()
        try:
            await _tell(line, studio, viewers)
        except (WebSocketDisconnect, RuntimeError):  # the viewer has gone
            return

    senders: list[WebSocket] = []  # the page that sends, if any

    @router.websocket("/api/live/frames")
    async def frames(line: WebSocket) -> None:
        await line.accept()
        while senders:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone already
                await senders.pop().close(TAKEN_OVER, "Another page sends the pictures now.")
        senders.append(line)
        try:
            while True:
                message = await _heard(line)
                if line in senders:
                    await _take(message, studio.running().source)
        except WebSocketDisconnect:
            return
        except (SettingsError, SourceError) as error:  # the lesson has ended, or what came is no picture
            await line.close(4000, str(error)[:100])
        finally:
            if line in senders:
                senders.remove(line)


def open_source(asked: Begin, named: str | None, request: LiveRequest) -> LiveSource:
    """Return the source that a page asks for; a file only where the command line named it.

    Raises:
        SettingsError: there is no such source.
    """
    settings = request.settings.source
    if asked.source == BROWSER:
        return PushSource("browser camera", settings)
    if asked.source == NAMED and named is not None:
        return open_live(named, settings)
    if asked.source == ADDRESS and asked.address and asked.address.startswith(tuple(f"{each}://" for each in SCHEMES)):
        return open_live(asked.address, settings)
    if asked.source.startswith("camera:") and asked.source[7:].isdigit():
        return open_live(asked.source, settings)
    raise SettingsError(
        "There is no such source. Expected: browser, camera:0, named, or an address rtsp:// or http://. "
        f"Received: {asked.source!r}."
    )


async def _tell(line: WebSocket, studio: Studio, viewers: ThreadPoolExecutor) -> None:
    """Tell a viewer all, then whatever is new, of this lesson and of later ones."""
    live, version, since = None, -1, -math.inf
    while True:
        if studio.live is not live:
            live, version, since = studio.live, -1, -math.inf
        if live is None:
            await line.send_text(plain(studio, None, None).model_dump_json())
            while studio.live is None:
                await _listen(line, IDLE)
            continue
        seen = await asyncio.get_running_loop().run_in_executor(viewers, live.wait, version, WAIT)
        if seen.version > version:
            await line.send_text(plain(studio, live, seen, since).model_dump_json())
            version, since = seen.version, seen.course[-1][0] if seen.course else since
        if live.over:
            await _listen(line, IDLE)
        else:
            await _listen(line, 0.0)


async def _listen(line: WebSocket, seconds: float) -> None:
    """Wait; a viewer says nothing, but goes.

    Raises:
        WebSocketDisconnect: it has gone.
    """
    try:
        await asyncio.wait_for(_heard(line), max(seconds, 0.001))
    except TimeoutError:
        return


async def _heard(line: WebSocket) -> bytes:
    """Return what came over a line; of text, which nobody is asked for, nothing.

    Raises:
        WebSocketDisconnect: who sent has gone.
    """
    message = await line.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    return message.get("bytes") or b""


async def _take(message: bytes, source: LiveSource) -> None:
    """Hand a pushed picture over.

    Raises:
        SourceError: it is no picture.
        SettingsError: no page is asked for pictures.
    """
    if not isinstance(source, PushSource):
        raise SettingsError("The lesson that runs has a source of its own.")
    if not TIME.size < len(message) <= MOST_BYTES:
        raise SourceError(f"A pushed picture has a time before it and at most {MOST_BYTES} bytes.")
    (moment,) = TIME.unpack_from(message)
    if not math.isfinite(moment):
        raise SourceError("A pushed picture's time must be a number of seconds.")
    await run_in_threadpool(source.push, message[TIME.size :], moment)
