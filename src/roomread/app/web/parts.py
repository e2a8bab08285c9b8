"""The parts and markers of a lesson: told, added, changed, removed, read from a file's text, compared."""

from __future__ import annotations

import math

from fastapi import APIRouter

from roomread.app.names import LONGEST_NAME, check_name
from roomread.app.overviews import asked_mapping
from roomread.app.web.lesson_answers import Agenda, PartAsked, PartChanged, PartsCompared, PartsTold, PartTold, part_of
from roomread.app.web.site import Key, Site
from roomread.errors import LessonNotFoundError, StructureError
from roomread.review.agenda import TIME_FORMS, Structure, parse_structure, seconds_of
from roomread.review.structure import compare
from roomread.store.privacy import open_gate
from roomread.types import ACTIVITY, MARKER, PAUSE, SPEECH, Part

KINDS = (ACTIVITY, MARKER, SPEECH, PAUSE)
MOST_PARTS = 2000  # of a lesson; captions of an hour make some hundred
LATEST = 1e6  # seconds, eleven days: later times are mistakes


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router, store = APIRouter(tags=["parts"]), site.store

    def told(number: int) -> PartsTold:
        kept = store.parts(store.numbered(number))
        notes = Structure(tuple(kept.values())).notes
        return PartsTold(parts=[part_of(key, part) for key, part in kept.items()], notes=list(notes))

    @router.get("/api/lessons/{number}/parts", summary="The parts of a lesson, markers included")
    def parts(number: Key) -> PartsTold:
        return told(number)

    @router.post("/api/lessons/{number}/parts", status_code=201, summary="Add a part or a marker")
    def add(number: Key, asked: PartAsked) -> PartTold:
        lesson, part = store.numbered(number), part_from(asked)
        _check_room(len(store.parts(lesson)) + 1)
        return part_of(store.add_parts(lesson, [part])[0], part)

    @router.post("/api/lessons/{number}/agenda", status_code=201, summary="Add the parts that a file's text names")
    def agenda(number: Key, asked: Agenda) -> PartsTold:
        lesson = store.numbered(number)
        read = parse_structure(asked.text, asked.file.strip() or "The file")
        _check_room(len(store.parts(lesson)) + len(read.parts))
        store.add_parts(lesson, [_shortened(part) for part in read.parts])
        return told(number)

    @router.get("/api/lessons/{number}/parts/{part}", summary="One part")
    def one(number: Key, part: Key) -> PartTold:
        found = store.parts(store.numbered(number))
        if part not in found:
            raise LessonNotFoundError(f"Lesson {number} has no part {part}.")
        return part_of(part, found[part])

    @router.put("/api/lessons/{number}/parts/{part}", summary="Put another part in the place of one")
    def change(number: Key, part: Key, asked: PartAsked) -> PartTold:
        made = part_from(asked)
        store.change_part(store.numbered(number), part, made)
        return part_of(part, made)

    @router.delete("/api/lessons/{number}/parts/{part}", status_code=204, summary="Remove a part")
    def remove(number: Key, part: Key) -> None:
        store.change_part(store.numbered(number), part, None)

    @router.get("/api/lessons/{number}/comparison", summary="How each part differs from the rest of the lesson")
    def comparison(number: Key, mapping: str | None = None) -> PartsCompared:
        lesson = store.numbered(number)
        kept = store.parts(lesson)
        made = compare(open_gate(store, lesson), asked_mapping(lesson, mapping), Structure(tuple(kept.values())))
        plain = made.as_dict()
        rows = [PartChanged(part=key, **row) for key, row in zip(kept, plain.pop("parts"), strict=True)]
        return PartsCompared(parts=rows, **plain)

    return router


def part_from(asked: PartAsked) -> Part:
    """Return a part as somebody asked for it.

    Raises:
        SettingsError: its name cannot be shown.
        StructureError: its times or its kind make no part.
    """
    check_name("The part's name", asked.name)
    if asked.kind not in KINDS:
        raise StructureError(f"There is no kind {asked.kind[:80]!r} of part. Expected one of: {', '.join(KINDS)}.")
    start = _seconds(asked.start)
    open_end = asked.end is None or (isinstance(asked.end, str) and not asked.end.strip())
    end = start if asked.kind == MARKER else math.inf if open_end or asked.end is None else _seconds(asked.end)
    if end <= start and asked.kind != MARKER:
        raise StructureError(
            f"The part ends before it starts. Expected: an end after {start:g} s. Received: {end:g} s."
        )
    return Part(asked.name.strip(), start, end, asked.kind)


def _seconds(asked: float | str) -> float:
    seconds = seconds_of(asked) if isinstance(asked, str) else float(asked)
    if seconds is None or not 0 <= seconds <= LATEST:
        raise StructureError(f"This is no time in a lesson. Expected: {TIME_FORMS}. Received: {str(asked)[:40]!r}.")
    return seconds


def _shortened(part: Part) -> Part:
    """Return a part of a file with a name that a page can show."""
    name = "".join(letter if letter.isprintable() else " " for letter in part.name)
    return Part(" ".join(name.split())[:LONGEST_NAME] or part.kind, part.start, part.end, part.kind)


def _check_room(n: int) -> None:
    if n > MOST_PARTS:
        raise StructureError(f"A lesson holds at most {MOST_PARTS} parts. Received: {n}. Remove some first.")
