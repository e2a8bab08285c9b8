"""What observers code at the pages: which glance is next, in a recording or while a lesson runs, and what was said."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from roomread.app.live import LiveLesson
from roomread.app.panel import panel
from roomread.errors import CodesError, SettingsError
from roomread.review.agreement import Agreement, agreement
from roomread.review.codes import Codes
from roomread.review.coding import GLANCE, THE_CLASS, Glance, Place, glances_to_code, observer_name, places
from roomread.store.codes import Code, add_code, codes_of, take_back_code
from roomread.store.lessons import LessonStore
from roomread.store.privacy import Gate, open_gate
from roomread.types import WHOLE_CLASS, Lesson

SHORTEST, LONGEST = 2.0, 60.0  # seconds of a glance; 20 is the longest that BROMP allows
MOST_LEVELS = 9  # as many as there are keys
LATE = 1.0  # seconds for which a glance of a running lesson may have begun before somebody is sent to it
KEPT_ROUNDS = 8  # lessons whose glances are held, as finding them means reading every face of a lesson


@dataclass(frozen=True, slots=True, kw_only=True)
class Coder:
    """Who codes, and how.

    observer: a name or sign, the last column of the form. seconds: of a glance. whole: the class as if it were one
    seat. live: the lesson as it runs.
    """

    observer: str
    seconds: float = GLANCE
    whole: bool = False
    live: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "observer", observer_name(self.observer))
        if not SHORTEST <= self.seconds <= LONGEST:
            raise SettingsError(
                f"A glance lasts {SHORTEST:g} to {LONGEST:g} seconds. Received: {self.seconds:g} seconds."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an observer is.

    total: glances there are; None while the lesson runs. coded, skipped: of them. next: None: there is no further one.
    last: what was said last. places: the seats; none where the class is coded as a whole. now: seconds of the running
    lesson; NaN without one. paused, over: the running lesson.
    """

    coded: int
    skipped: int
    last: Code | None
    total: int | None = None
    next: Glance | None = None
    places: tuple[Place, ...] = ()
    now: float = math.nan
    paused: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What observers said of a lesson.

    agreement: of all. strange: codes left out, see `fitting`.
    """

    agreement: Agreement
    strange: int


class CodingDesk:
    """Where observers code. Any number may at once; each answer is in the store before the next glance is told."""

    def __init__(self, store: LessonStore, running: Callable[[int], LiveLesson | None]) -> None:
        """Hold the desk of a store.

        Args:
            store: keeps what was coded.
            running: returns the lesson of a number while it runs.
        """
        self.store, self.running = store, running
        self._lock = threading.Lock()
        self._rounds: dict[tuple[object, ...], tuple[tuple[Glance, ...], tuple[Place, ...]]] = {}
        self._assigned: dict[tuple[int, float], dict[int, int]] = {}  # of a running lesson: seats by slot

    def gate(self, number: int) -> Gate:
        """Return a lesson as far as its purpose allows.

        Raises:
            LessonNotFoundError: there is none of that number.
        """
        return open_gate(self.store, self.store.numbered(number))

    def standing(self, number: int, coder: Coder, ahead: bool = True) -> Standing:
        """Return how far an observer is.

        Args:
            number: of the lesson.
            coder: who asks.
            ahead: send the observer to the next glance; of a running lesson a seat is used up by that.

        Raises:
            PrivacyError: single seats may not be seen.
            CodesError: there is nothing to code, or the observer coded other glances of the lesson.
        """
        with self._lock:
            return self._standing(self.store.numbered(number), coder, ahead)

    def code(self, number: int, coder: Coder, start: float, seat: int, level: int | None) -> Standing:
        """Keep what an observer said of a glance, None for one that is skipped, and return how far that is.

        Args:
            number: of the lesson.
            coder: who says it.
            start: when the glance begins, seconds.
            seat: or WHOLE_CLASS.
            level: from 0.

        Raises:
            PrivacyError: single seats may not be seen.
            CodesError: there is no such glance, it was coded before, or the running lesson is paused.
        """
        if level is not None and not 0 <= level < MOST_LEVELS:
            raise CodesError(f"There is no level {level}. Expected: 0 to {MOST_LEVELS - 1}.")
        with self._lock:
            lesson = self.store.numbered(number)
            before = self._standing(lesson, coder, ahead=False)  # refuses before anything is changed
            if before.paused:
                raise CodesError(f"Lesson {number} is paused, and nothing of a pause is kept. Code when it goes on.")
            glance = self._find(lesson, coder, start, seat)
            said = Code(coder.observer, glance.seat, glance.start, glance.end, glance.where, level)
            if not add_code(self.store, lesson, said):
                raise CodesError(f"{coder.observer} coded {glance.clock} {glance.name} already. Take it back first.")
            return self._standing(lesson, coder)

    def take_back(self, number: int, coder: Coder) -> Standing:
        """Remove what an observer said last, if anything, and return how far that is.

        Raises:
            PrivacyError: single seats may not be seen.
        """
        with self._lock:
            lesson = self.store.numbered(number)
            self._standing(lesson, coder, ahead=False)  # refuses before anything is changed
            take_back_code(self.store, lesson, coder.whole, coder.observer)
            return self._standing(lesson, coder)

    def answers(self, gate: Gate, whole: bool) -> Answers:
        """Return how far observers agree with each other, and every mapping with them, in a lesson.

        Raises:
            PrivacyError: single seats may not be seen.
            CodesError: nothing was coded.
        """
        said = [code for code in codes_of(self.store, gate.lesson, whole) if code.level is not None]
        kept = fitting(gate, said, whole)
        if not kept:
            raise CodesError(
                f"Nothing was coded of a seat and a time of lesson {gate.lesson.number} that were analysed."
            )
        columns = zip(*((one.start, one.end, one.seat, one.observer, one.level) for one in kept), strict=True)
        return Answers(agreement(gate, Codes(*map(np.array, columns)), panel().values()), len(said) - len(kept))

    def _standing(self, lesson: Lesson, coder: Coder, ahead: bool = True) -> Standing:
        if coder.live:
            return self._standing_live(lesson, coder, ahead)
        glances, seats = self._round(lesson, coder)
        said = codes_of(self.store, lesson, coder.whole, coder.observer)
        done = {glance_of(code).key for code in said}
        if done - {glance.key for glance in glances}:
            raise CodesError(
                f"{coder.observer} coded other glances of this lesson, of another length or while it ran. Go on with "
                "that length, or choose another name."
            )
        left = [glance for glance in glances if glance.key not in done]
        upcoming = left[0] if left and ahead else None
        return dataclasses.replace(_standing_after(said), total=len(glances), next=upcoming, places=seats)

    def _round(self, lesson: Lesson, coder: Coder) -> tuple[tuple[Glance, ...], tuple[Place, ...]]:
        """Return the glances of a recorded lesson and its seats; the lock is held."""
        key = (lesson.number, lesson.state, lesson.duration, coder.seconds, coder.whole)
        if key not in self._rounds:
            gate = self.gate(lesson.number)
            made = glances_to_code(gate, coder.seconds, coder.whole), () if coder.whole else places(gate)
            while len(self._rounds) >= KEPT_ROUNDS:
                del self._rounds[next(iter(self._rounds))]
            self._rounds[key] = made
        return self._rounds[key]

    def _standing_live(self, lesson: Lesson, coder: Coder, ahead: bool) -> Standing:
        said = codes_of(self.store, lesson, coder.whole, coder.observer)
        live = self.running(lesson.number)
        if live is None:
            return dataclasses.replace(_standing_after(said), over=True)
        found = () if coder.whole else tuple(Place(seat, *at) for seat, at in live.places().items())
        now, paused = live.clock(), live.view().state == "paused"
        standing = dataclasses.replace(_standing_after(said), places=found, now=now, paused=paused)
        if not ahead or math.isnan(now) or not (coder.whole or found):
            return standing
        after = max((code.end for code in said), default=0.0)
        slot = max(math.ceil((now - LATE) / coder.seconds), math.ceil(after / coder.seconds - 1e-6), 0)
        return dataclasses.replace(standing, next=self._slot(lesson, coder, slot, found))

    def _slot(self, lesson: Lesson, coder: Coder, slot: int, found: tuple[Place, ...]) -> Glance:
        """Return the glance of a slot of the running lesson: the same seat for every observer who is sent to it."""
        start = round(slot * coder.seconds, 3)
        end = round(start + coder.seconds, 3)
        if coder.whole:
            return Glance(start, end, WHOLE_CLASS, THE_CLASS)
        assigned = self._assigned.setdefault((lesson.number, coder.seconds), {})
        if slot not in assigned:
            before = max((other for other in assigned if other < slot), default=None)
            last = 0 if before is None else assigned[before]
            assigned[slot] = next((place.seat for place in found if place.seat > last), found[0].seat)
        where = next((str(place) for place in found if place.seat == assigned[slot]), "")
        return Glance(start, end, assigned[slot], where)

    def _find(self, lesson: Lesson, coder: Coder, start: float, seat: int) -> Glance:
        """Return the glance that an answer is about.

        Raises:
            CodesError: there is none, or it has not begun.
        """
        if not coder.live:
            for glance in self._round(lesson, coder)[0]:
                if abs(glance.start - start) < 1e-3 and glance.seat == seat:
                    return glance
        elif (live := self.running(lesson.number)) is not None:
            slot = round(start / coder.seconds)
            found = () if coder.whole else tuple(Place(number, *at) for number, at in live.places().items())
            sent = coder.whole or slot in self._assigned.get((lesson.number, coder.seconds), {})
            if sent and start <= live.clock() + LATE and abs(slot * coder.seconds - start) < 1e-3:
                glance = self._slot(lesson, coder, slot, found)
                if glance.seat == seat:
                    return glance
        what = "the class" if seat == WHOLE_CLASS else f"seat {seat}"
        raise CodesError(f"There is no glance at {what} at {start:g} s to be coded now.")


def glance_of(code: Code) -> Glance:
    """Return the glance that something was said of."""
    return Glance(code.start, code.end, code.seat, code.where)


def _standing_after(said: list[Code]) -> Standing:
    """Return how far an observer is who has said so much, of no glance in particular."""
    skipped = sum(code.level is None for code in said)
    return Standing(coded=len(said) - skipped, skipped=skipped, last=said[-1] if said else None)


def fitting(gate: Gate, said: Iterable[Code], whole: bool) -> list[Code]:
    """Return the codes that can be compared with what was seen.

    While a lesson ran, glances may have been coded in a pause, or at seats that were seen too seldom to be seats.

    Args:
        gate: of the lesson.
        said: of the class as a whole, or of seats.
        whole: which of the two.

    Raises:
        PrivacyError: single seats may not be seen.
    """
    begin, end = gate.span()
    seats = {WHOLE_CLASS} if whole else set(gate.rows().established().tolist())
    return [code for code in said if code.start < end and code.end > begin and code.seat in seats]
