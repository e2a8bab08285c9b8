"""Own recordings: taken in, analysed one after the other, and forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from roomread.app.names import file_name
from roomread.app.spool import TooLargeError, TooManyError, Upload, check_size
from roomread.app.web.guard import UPLOAD
from roomread.app.web.site import Key, Purpose, Site, points
from roomread.store.privacy import NOTICE
from roomread.store.recordings import PENDING, Recording, RecordingState

FPS = 5.0  # frames analysed per second where nobody says
PIECE = 1024 * 1024  # bytes that are written at once
BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"format": "binary"}}}}}


class Told(BaseModel):
    """A recording, and how far it is."""

    number: int
    name: str = Field(description="of the file as its owner calls it")
    purpose: str
    reference: str | None
    created: str = Field(description="ISO 8601")
    state: RecordingState
    done: float = Field(description="seconds of the recording that were analysed")
    length: float | None = Field(description="seconds; null where it is not known")
    message: str = Field(description="why it failed, or is tried once more")
    kept: bool = Field(description="whether it failed and its copy is kept, so that it can be tried again")
    lesson: int | None = Field(description="number of the lesson that it became; null before, and after its deletion")


class Queue(BaseModel):
    """All recordings, newest first."""

    recordings: list[Told]
    room: int = Field(description="bytes that a new recording may have")
    held: bool = Field(description="whether recordings wait because a lesson runs")


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter(tags=["recordings"])
    queue = site.studio.queue

    def all_told() -> list[Told]:
        lessons = site.store.numbers()
        return [told(recording, lessons, queue.keeps(recording)) for recording in queue.rows.all()]

    def shown() -> dict[str, Any]:
        return {"recordings": all_told(), "pending": PENDING, "held": site.studio.busy()}

    @router.get("/recordings", include_in_schema=False)
    def page() -> HTMLResponse:
        room = queue.spool.room()
        return site.page("recordings.html", active="recordings", notice=points(NOTICE), room=room, **shown())

    @router.get("/recordings/list", include_in_schema=False)
    def fragment() -> HTMLResponse:
        return site.page("recordings-list.html", **shown())

    @router.get(UPLOAD, summary="All recordings and how far they are")
    def every() -> Queue:
        return Queue(recordings=all_told(), room=queue.spool.room(), held=site.studio.busy())

    @router.post(UPLOAD, status_code=201, summary="Add a recording", openapi_extra=BODY)
    async def add(
        request: Request,
        name: Annotated[str, Query(max_length=1000, description="the file's name")],
        purpose: Annotated[Purpose, Query(description="stored with the lesson")],
        notice: Annotated[Literal["read"], Query(description="that the notice of the page was read")],
        reference: Annotated[str | None, Query(max_length=200, description="ethics or consent number")] = None,
        fps: Annotated[float, Query(ge=0.2, le=60, description="frames analysed per second")] = FPS,
    ) -> Told:
        recording = Recording(name=file_name(name), purpose=purpose, reference=reference, settings={"fps": fps})
        length = request.headers.get("content-length", "")
        try:
            with await run_in_threadpool(queue.upload) as upload:
                if length.isdecimal():
                    check_size(queue.spool, 0, int(length))
                await _receive(request, upload)
                return told(await run_in_threadpool(queue.add, upload, recording))
        except TooLargeError as error:
            raise HTTPException(413, str(error)) from error
        except TooManyError as error:
            raise HTTPException(429, str(error)) from error
        except ClientDisconnect as error:
            raise HTTPException(400, "The upload broke off. Nothing was kept.") from error

    @router.post(f"{UPLOAD}/{{number}}/again", summary="Try again a recording that has failed and whose copy is kept")
    def again(number: Key) -> Told:
        return told(queue.try_again(number))

    @router.delete(f"{UPLOAD}/{{number}}", summary="Cancel a recording that has not ended, or forget one that has")
    def remove(number: Key) -> Response:
        queue.remove(number)
        return Response(status_code=204)

    return router


def told(recording: Recording, lessons: Collection[int] = (), kept: bool = False) -> Told:
    """Return a recording as it is told: with its lesson where that is whole and one of those that are there."""
    values = dataclasses.asdict(recording)
    del values["settings"], values["spool"]
    shown = recording.state == "done" and recording.lesson in lessons
    return Told(**values | {"lesson": recording.lesson if shown else None, "kept": kept})


async def _receive(request: Request, upload: Upload) -> None:
    """Write a body as it comes, in a few large pieces.

    Raises:
        ClientDisconnect: it broke off.
        TooLargeError: it is too large.
    """
    held: list[bytes] = []
    size = 0
    async for piece in request.stream():
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            await run_in_threadpool(upload.write, b"".join(held))
            held, size = [], 0
    await run_in_threadpool(upload.write, b"".join(held))
