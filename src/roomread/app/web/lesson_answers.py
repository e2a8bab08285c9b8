"""What the API takes and tells of lessons; what is not known, or must not be told, is null."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field

from roomread.app.names import LONGEST_NAME
from roomread.review.overview import STATUSES
from roomread.store.summaries import Listed
from roomread.types import EMOTIONS, Array, Lesson, Part, Timeline

LONGEST_REMARKS = 20_000  # letters


class LessonRecord(BaseModel):
    """A lesson's record."""

    number: int
    name: str
    source: str = Field(description="file name, camera or address without anything secret")
    purpose: str
    reference: str | None
    sample: bool = Field(description="the built-in synthetic room, which shows nobody")
    began: str | None = Field(description="moment, ISO 8601")
    created: str = Field(description="moment, ISO 8601")
    duration: float = Field(description="seconds")
    state: str = Field(description="running, complete or stopped")
    notes: list[str] = Field(description="what was lost or left out")
    remarks: str
    keep_until: str | None = Field(description="its own last day, ISO 8601; null: kept as the store says for all")


class LessonListed(LessonRecord):
    """A lesson of the list; its figures are null until its overview was made."""

    engagement: float | None
    engagement_low: float | None
    engagement_high: float | None
    measured: float | None = Field(description="0 to 1, share of the lesson with a score")
    seats: int | None = Field(description="null: not known, or too few to tell")


class LessonPage(BaseModel):
    """A page of the list, newest first."""

    lessons: list[LessonListed]
    page: int
    pages: int
    total: int


class LessonFigures(LessonRecord):
    """A lesson with its figures, as `roomread analyze --json` prints them."""

    width: int
    height: int
    made_with: dict[str, Any]
    figures: dict[str, Any]


class LessonLine(BaseModel):
    """The class over time, one entry a bin."""

    mapping: str
    seconds: float = Field(description="length of a bin")
    starts: list[float] = Field(description="seconds from the start of the source")
    status: list[str] = Field(description=f"one of: {', '.join(STATUSES[:5])}")
    engagement: list[float | None]
    low: list[float | None]
    high: list[float | None]
    emotions: dict[str, list[float | None]]
    readable: list[float | None] = Field(description="faces per analysed frame that could be read")
    unreadable: list[float | None]
    seats: list[float | None] = Field(description="seats with a score")


class LessonEdited(LessonRecord):
    """A lesson's record as it is now."""

    kept_until: date | None = Field(description="the last day, its own or the store's; null: until somebody deletes it")


class LessonEdit(BaseModel):
    """A lesson's new name, remarks and last day; what is left out stays."""

    name: str | None = Field(default=None, max_length=LONGEST_NAME)
    remarks: str | None = Field(default=None, max_length=LONGEST_REMARKS)
    keep_until: date | Literal[""] | None = Field(default=None, description='ISO 8601; "" for as the store says')


class PartAsked(BaseModel):
    """A part of a lesson. Times: seconds, or text such as 1:30; without an end it lasts to the end of the lesson."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    start: float | str
    end: float | str | None = None
    kind: str = Field(default="activity", description="activity, speech, pause or marker, which has no end")


class PartTold(BaseModel):
    """A part of a lesson; an end of null lasts to the end of the lesson."""

    part: int
    name: str
    start: float
    end: float | None
    kind: str


class PartsTold(BaseModel):
    """The parts of a lesson in the order of their times. notes: what a reader should know of them."""

    parts: list[PartTold]
    notes: list[str] = []


class Agenda(BaseModel):
    """What a file says that names parts: a table (CSV), WebVTT or SRT. file: what messages call it."""

    file: str = Field(max_length=LONGEST_NAME)
    text: str


class PartChanged(PartTold):
    """How a part differs from the rest of the lesson."""

    status: str
    words: str
    change: float | None
    change_low: float | None
    change_high: float | None
    seats: int | None
    covered: float | None


class PartsCompared(BaseModel):
    """All parts of a lesson, each compared with the rest of it."""

    mapping: str
    window: float = Field(description="seconds before and after a marker")
    method: str
    caution: str
    notes: list[str]
    parts: list[PartChanged]


def record_of(lesson: Lesson) -> dict[str, Any]:
    """Return the fields of a LessonRecord."""
    return {name: getattr(lesson, name) for name in LessonRecord.model_fields} | {"notes": list(lesson.notes)}


def listed_of(one: Listed) -> LessonListed:
    """Return a lesson of the list with what is known of it."""
    summary = one.figures["summary"] if one.figures is not None else {}
    own = [name for name in LessonListed.model_fields if name not in LessonRecord.model_fields]
    figures: dict[str, Any] = {name: summary.get(name) for name in own}
    return LessonListed(**record_of(one.lesson), **figures)


def line_of(mapping: str, line: Timeline) -> LessonLine:
    """Return the class over time as JSON can hold it."""
    names = ("engagement", "low", "high", "readable", "unreadable", "seats")
    rows = {name: _plain(getattr(line, name)) for name in names}
    return LessonLine(
        mapping=mapping,
        seconds=line.bin_seconds,
        starts=line.starts.tolist(),
        status=line.status.tolist(),
        emotions={name: _plain(line.emotions[:, column]) for column, name in enumerate(EMOTIONS)},
        **rows,
    )


def part_of(number: int, part: Part) -> PartTold:
    """Return a part as it is told."""
    plain = dataclasses.asdict(part) | {"end": None if math.isinf(part.end) else part.end}
    return PartTold(part=number, **plain)


def _plain(values: Array) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 4) for value in values.tolist()]
