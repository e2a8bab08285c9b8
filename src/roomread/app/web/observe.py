"""Observer mode: glances at seats coded with the keyboard alone, and how far people and mappings agree."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from roomread.app.coding import LONGEST, MOST_LEVELS, SHORTEST, Answers, Coder, CodingDesk, Standing, glance_of
from roomread.app.web.site import Key, Site
from roomread.errors import CodesError, PrivacyError
from roomread.review.agreement import Figure, plain
from roomread.review.coding import GLANCE, Place
from roomread.store.privacy import Gate
from roomread.style import with_interval
from roomread.types import WHOLE_CLASS

NAMED = ("observer", "seconds", "whole", "live")


class Seat(BaseModel):
    """Where a seat is."""

    seat: int
    across: float = Field(description="0 to 1 of the picture's width, from the left")
    down: float = Field(description="0 to 1 of the picture's height, from the top")


class GlanceTold(BaseModel):
    """One look at one seat."""

    start: float = Field(description="seconds from the start of the source")
    end: float
    clock: str = Field(description="the same as text")
    seat: int | None = Field(description="null: the class as a whole")
    place: str = Field(description="where the seat is in the picture, in words")


class LastTold(BaseModel):
    """What an observer said last."""

    clock: str
    seat: int | None = Field(description="null: the class as a whole")
    level: int | None = Field(description="from 0; null: skipped")


class StandingTold(BaseModel):
    """How far an observer is."""

    total: int | None = Field(description="glances there are; null while the lesson runs")
    coded: int
    skipped: int
    next: GlanceTold | None = Field(description="null: there is none, or none yet")
    last: LastTold | None
    seats: list[Seat]
    now: float | None = Field(description="seconds of the running lesson")
    paused: bool = Field(description="whether the running lesson is paused")
    over: bool = Field(description="whether the lesson, asked for as running, runs no more")


class Who(BaseModel):
    """Who codes, and how."""

    observer: str = Field(max_length=200)
    seconds: float = Field(GLANCE, ge=SHORTEST, le=LONGEST, description="length of a glance")
    whole: bool = Field(False, description="the class as if it were one seat")
    live: bool = Field(False, description="while the lesson runs")

    def coder(self) -> Coder:
        """Return them as the desk knows them."""
        return Coder(**{name: getattr(self, name) for name in NAMED})


class Asking(Who):
    """Who asks how far they are."""

    ahead: bool = Field(True, description="tell the next glance; of a running lesson that uses a seat's turn up")


class Answer(Who):
    """What an observer says of a glance."""

    start: float = Field(description="when the glance begins, seconds")
    seat: int | None = Field(ge=1, description="null: the class as a whole")
    level: int | None = Field(ge=0, lt=MOST_LEVELS, description="from 0, low to high; null: skipped")


class FigureTold(BaseModel):
    """A figure with its 95% interval; null where it is not known."""

    value: float | None
    low: float | None
    high: float | None


class BetweenTold(BaseModel):
    """How far two observers agree."""

    observers: list[str] = Field(min_length=2, max_length=2)
    n: int
    kappa: FigureTold
    quadratic: FigureTold
    icc: FigureTold


class FiguresTold(BaseModel):
    """How far a mapping agrees with the observers."""

    spearman: FigureTold
    lowest: FigureTold
    highest: FigureTold
    quadratic: FigureTold
    off: FigureTold


class CheckedTold(BaseModel):
    """One mapping: n glances at so many seats had a reading, `missing` had none."""

    mapping: str
    n: int
    seats: int
    missing: int
    figures: FiguresTold


class AgreementTold(BaseModel):
    """All of one lesson, as `roomread agreement --json` tells it."""

    lesson: int
    name: str
    of_each: list[int] = Field(description="glances that were given each level, from 0")
    seats: int
    whole_class: bool
    between: list[BetweenTold]
    checked: list[CheckedTold]
    strange: int = Field(
        description="codes left out: of seats that were seen too seldom, or of a time that was not analysed"
    )


def routes(site: Site) -> APIRouter:
    """Return the routes of this module."""
    router = APIRouter(tags=["observers"])
    studio, words = site.studio, site.words["observe"]
    desk = CodingDesk(studio.store, studio.running_lesson)

    def answer(standing: Standing) -> StandingTold:
        return told(standing, words["place"])

    @router.get("/observe/{lesson}", include_in_schema=False)
    def page(lesson: Key) -> HTMLResponse:
        found = studio.store.numbered(lesson)
        seen = site.overview(found)[1]
        live = desk.running(lesson) is not None
        start = {"lesson": lesson, "live": live, "end": None if live else studio.store.span(found)[1]}
        limits = {"shortest": SHORTEST, "longest": LONGEST, "usual": GLANCE, "levels": MOST_LEVELS}
        allowed = {"single": seen.single, "rule": seen.figures["rule"]}
        return site.page("observe.html", lesson=found, allowed=allowed, start=start, limits=limits)

    @router.get("/observe/{lesson}/agreement", include_in_schema=False)
    def agreement_page(lesson: Key) -> HTMLResponse:
        return site.page("observe-agreement.html", lesson=studio.store.numbered(lesson))

    @router.get("/observe/{lesson}/agreement/tables", include_in_schema=False)
    def agreement_tables(lesson: Key) -> HTMLResponse:
        """Return what takes seconds to work out of an hour, for the page that waits for it."""
        gate = desk.gate(lesson)
        parts = [part for whole in (False, True) if (part := _part(desk, gate, whole)) is not None]
        return HTMLResponse(site.text("observe-tables.html", parts=parts))

    @router.get("/api/observe/{lesson}", summary="How far an observer is, and the next glance")
    def standing(lesson: Key, who: Annotated[Asking, Query()]) -> StandingTold:
        return answer(desk.standing(lesson, who.coder(), who.ahead))

    @router.post("/api/observe/{lesson}/codes", summary="Say what was seen in a glance")
    def code(lesson: Key, said: Answer) -> StandingTold:
        seat = WHOLE_CLASS if said.seat is None else said.seat
        return answer(desk.code(lesson, said.coder(), said.start, seat, said.level))

    @router.delete("/api/observe/{lesson}/codes/last", summary="Take back what an observer said last")
    def take_back(lesson: Key, who: Annotated[Who, Query()]) -> StandingTold:
        return answer(desk.take_back(lesson, who.coder()))

    @router.get("/api/observe/{lesson}/agreement", summary="How far observers and mappings agree")
    def agreement(
        lesson: Key, whole: Annotated[bool, Query(description="codes of the class as a whole")] = False
    ) -> AgreementTold:
        gate = desk.gate(lesson)
        found = desk.answers(gate, whole)
        more = {"lesson": gate.lesson.number, "name": gate.lesson.name, "strange": found.strange}
        return AgreementTold.model_validate({**plain(found.agreement), **more})

    return router


def told(standing: Standing, words: Any) -> StandingTold:
    """Return how far an observer is, with the place of the next seat in words."""
    where = {place.seat: place_words(place, words) for place in standing.places}
    glance, last = standing.next, standing.last
    return StandingTold(
        total=standing.total,
        coded=standing.coded,
        skipped=standing.skipped,
        next=None
        if glance is None
        else GlanceTold(
            start=glance.start,
            end=glance.end,
            clock=glance.clock,
            seat=None if glance.seat == WHOLE_CLASS else glance.seat,
            place=where.get(glance.seat, ""),
        ),
        last=None
        if last is None
        else LastTold(
            clock=glance_of(last).clock, seat=None if last.seat == WHOLE_CLASS else last.seat, level=last.level
        ),
        seats=[Seat(**dataclasses.asdict(place)) for place in standing.places],
        now=None if math.isnan(standing.now) else standing.now,
        paused=standing.paused,
        over=standing.over,
    )


def place_words(place: Place, words: Any) -> str:
    """Return the ninth of the picture in which a seat is."""
    down, across = (min(int(3 * part), 2) for part in (place.down, place.across))
    text: str = words[f"{('top', 'middle', 'bottom')[down]}_{('left', 'centre', 'right')[across]}"]
    return text


def _part(desk: CodingDesk, gate: Gate, whole: bool) -> dict[str, Any] | None:
    """Return one kind of codes for the page; None where there are none, or they must not be seen."""
    try:
        found = desk.answers(gate, whole)
    except (CodesError, PrivacyError):
        return None
    return {"whole": whole, **_rows(found)}


def _rows(found: Answers) -> dict[str, Any]:
    agreed = found.agreement
    between = [
        (" – ".join(pair.observers), pair.n, *map(_figure, (pair.kappa, pair.quadratic, pair.icc)))
        for pair in agreed.between
    ]
    checked = []
    for each in agreed.checked:
        shown = (each.figures.spearman, each.figures.lowest, each.figures.highest, each.figures.quadratic)
        checked.append((each.mapping, each.n, each.missing, *map(_figure, shown)))
    levels = list(enumerate(agreed.of_each, start=1))
    about = {"n": sum(agreed.of_each), "seats": agreed.seats, "levels": levels, "strange": found.strange}
    return {**about, "between": between, "checked": checked}


def _figure(figure: Figure) -> str:
    return with_interval(figure.value, figure.low, figure.high)
