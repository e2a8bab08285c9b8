"""Many recordings to lessons: pieces go out to workers, come back in any order, and are joined and kept in order."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from roomread.app.analyze import AnalyzeSettings, moment_now, name_of, parse_moment, plain_settings
from roomread.app.overviews import keep_overview
from roomread.app.pieces import Seen, joined, look_at, seat
from roomread.app.recording import HOLD, duration_of, unbroken
from roomread.app.sources import Entry, key_of
from roomread.errors import (
    ClaimLostError,
    LessonNotFoundError,
    RoomreadError,
    SourceError,
    StoreBusyError,
    StoreError,
)
from roomread.outside import printable, shown
from roomread.store.batches import BEAT, COMPLETE, FAILED, STOPPED, Batch, Batches, Lost
from roomread.store.lessons import LessonStore
from roomread.style import clock
from roomread.types import Lesson, Observation
from roomread.watch.frames import WHOLE, PictureSource, Piece, damage_note, open_source
from roomread.watch.pieces import cut
from roomread.watch.track import SeatTracker

AGAIN = 0.5  # seconds until a store that is held, or away, is tried again
AHEAD = 2  # pieces more than workers that are under way or wait for their turn: no worker idles, little is held
KNOWN, HELD = "known", "held"  # states of an outcome, beside those of a batch: done before; another run is at it


class Pool(Protocol):
    """Anything that works elsewhere, such as an executor of `concurrent.futures`."""

    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]:
        """Begin work; what it raises as a RoomreadError costs its piece alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a recording.

    state: complete, stopped, failed, known or held. lesson: its number, where there is one. reason: why there is none,
    or what is missing in it; else empty. seconds: of video that this run has looked at. length: of the lesson.
    """

    entry: Entry
    state: str
    lesson: int | None = None
    reason: str = ""
    seconds: float = 0.0
    length: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether something could not be analysed or written."""
        lacks = self.state in (COMPLETE, KNOWN) and self.lesson is not None and bool(self.reason)
        return self.state == FAILED or lacks


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is: seconds of video that are done, and of all it has to do; lessons that are done, failed, all."""

    done: float
    total: float
    lessons: int
    failed: int
    all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is done with every recording, and who is told.

    made_with: see `Observer.made_with`. seconds: that a piece shall be long. workers: of the pool. finished: is called
    with each lesson's number and its entry once it is complete. tell: how far the run is.
    """

    purpose: str
    reference: str | None
    settings: AnalyzeSettings
    made_with: dict[str, Any]
    seconds: float
    workers: int
    finished: Callable[[int, Entry], None] = lambda number, entry: None
    tell: Callable[[Standing], None] = lambda standing: None


@dataclass(eq=False)
class _Work:
    """One recording under way: the pieces to send, those that came before their turn, and the lesson so far."""

    entry: Entry
    length: float | None
    batch: Batch
    settings: AnalyzeSettings
    tracker: SeatTracker
    pieces: Sequence[Piece] | None = None  # None until they are known
    sent: int = 0
    came: dict[int, Seen | str] = field(default_factory=dict)  # by the number of the piece; a text says why it is lost
    lesson: Lesson | None = None
    frames: tuple[float, float, int] = (0.0, 0.0, 0)  # times of the first and the last one, and how many
    seconds: float = 0.0  # looked at in this run

    @property
    def number(self) -> int | None:
        """The lesson's number, once there is one."""
        return None if self.lesson is None else self.lesson.number

    def span(self, number: int) -> float:
        """Return how long a piece is, in seconds; 0 where that is not known."""
        piece = (self.pieces or (WHOLE,))[number]
        end = min(piece.end, self.settings.start + (self.length or 0.0))
        return max(end - max(piece.start, self.settings.start), 0.0)


class Run:
    """One run over many recordings. It alone writes to the store."""

    def __init__(self, order: Order, store: LessonStore, pool: Pool) -> None:
        self.order, self.store, self.pool = order, store, pool
        self.batches = Batches(store)
        self.outcomes: list[Outcome] = []
        self._waiting: deque[tuple[Entry, float | None, str]] = deque()
        self._works: list[_Work] = []
        self._flight: dict[Future[Any], tuple[_Work, int]] = {}  # the piece's number; -1: where the pieces are
        self._done = self._total = 0.0
        self._beaten = time.monotonic()

    def go(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Return what became of each recording, in the order in which that was known.

        Ctrl-C ends it; what was joined until then is kept, and the same run begun again goes on from there.

        Raises:
            StoreError: the store cannot be used.
        """
        self._list(entries)
        self._tell()
        try:
            while self._fill() or self._flight:
                came, _ = wait(self._flight, BEAT / 2, FIRST_COMPLETED)
                for future in came:
                    self._receive(future, *self._flight.pop(future))
                if time.monotonic() - self._beaten > BEAT:
                    with contextlib.suppress(StoreBusyError):  # several may be missed before it counts
                        self.batches.beat()
                    self._beaten = time.monotonic()
                self._tell()
        except KeyboardInterrupt:
            self._stop()
        except StoreError:
            with contextlib.suppress(StoreError):
                self._stop()
            raise
        return self.outcomes

    def _list(self, entries: Sequence[Entry]) -> None:
        """See what there is to do; what cannot be opened, or is done already, is settled here."""
        keys: dict[str, Entry] = {}
        for entry in entries:
            settings = self._settings(entry)
            try:
                length = open_source(entry.path, settings.frames()).length
                why = (self.order.purpose, self.order.reference)
                key = key_of(entry.path, settings, self.order.made_with, why)
            except RoomreadError as error:
                self.outcomes.append(Outcome(entry=entry, state=FAILED, reason=str(error)))
                continue
            if key in keys:
                self.outcomes.append(
                    Outcome(entry=entry, state=KNOWN, reason=f"The same recording as {keys[key].path}.")
                )
                continue
            keys[key], number = entry, self.batches.complete(key)
            if number is not None:
                self._complete(entry, KNOWN, number)
                continue
            self._waiting.append((entry, length, key))
            self._total += length or 0.0

    def _settings(self, entry: Entry) -> AnalyzeSettings:
        settings = self.order.settings
        return dataclasses.replace(settings, name=entry.name or settings.name, began=entry.began or settings.began)

    def _fill(self) -> bool:
        """Send out as much as there is room for; return whether something is left to wait for."""
        while len(self._flight) + sum(len(work.came) for work in self._works) < self.order.workers + AHEAD:
            work = next((work for work in self._works if work.pieces and work.sent < len(work.pieces)), None)
            if work is not None and work.pieces is not None:
                given = (look_at, work.entry.path.absolute(), work.settings, work.pieces[work.sent])
                self._flight[self.pool.submit(*given)] = (work, work.sent)
                work.sent += 1
            elif self._waiting:
                self._begin(*self._waiting.popleft())
            else:
                break
        return bool(self._works or self._waiting)

    def _begin(self, entry: Entry, length: float | None, key: str) -> None:
        """Claim a recording, and find out where to cut it."""
        batch = self.batches.claim(key, self.order.seconds)
        if batch.state == COMPLETE and batch.lesson is not None:
            self._total -= length or 0.0
            self._complete(entry, KNOWN, batch.lesson)
            return
        if batch.owner != self.batches.owner:
            self._total -= length or 0.0
            self.outcomes.append(
                Outcome(entry=entry, state=HELD, lesson=batch.lesson, reason="Another run is at work on it.")
            )
            return
        settings = self._settings(entry)
        work = _Work(entry, length, batch, settings, SeatTracker(settings.tracks))
        self._works.append(work)
        with self._owned(work):
            try:
                self._resume(work)
                source = open_source(entry.path, settings.frames())
            except (SourceError, LessonNotFoundError) as error:  # it was there when the run began
                self._total -= length or 0.0
                self._fail(work, printable(str(error)))
                return
            if isinstance(source, PictureSource) or (length is not None and length <= 1.5 * batch.seconds):
                self._cut(work, (WHOLE,))
            else:
                found = self.pool.submit(cut, entry.path.absolute(), settings.frames(), batch.seconds)
                self._flight[found] = (work, -1)

    def _resume(self, work: _Work) -> None:
        """Take up the lesson of a recording that was begun before."""
        if work.batch.lesson is None:
            return
        work.lesson = dataclasses.replace(self.store.numbered(work.batch.lesson), state="running")
        readings = self.store.readings(work.lesson)
        seat(work.tracker, readings)
        work.frames = (float(readings.times[0]), float(readings.times[-1]), len(readings.times))

    def _cut(self, work: _Work, pieces: Sequence[Piece]) -> None:
        work.pieces, work.sent = pieces, work.batch.joined
        self._total -= sum(map(work.span, range(work.sent)))
        self._join(work)

    def _receive(self, future: Future[Any], work: _Work, number: int) -> None:
        if work not in self._works:
            return  # it was given up meanwhile
        try:
            came = future.result()
        except RoomreadError as error:
            came = printable(str(error))
        with self._owned(work):
            if isinstance(came, str) and (gone := _gone(work)):
                self._fail(work, gone)  # to be gone on with when it is there again
            elif number >= 0:
                work.came[number] = came
                work.seconds += work.span(number)
                self._done += work.span(number)
                self._join(work)
            elif isinstance(came, str):
                self._fail(work, came)
            else:
                self._cut(work, came)

    @contextlib.contextmanager
    def _owned(self, work: _Work) -> Iterator[None]:
        """Let go of a recording that turns out to be another run's."""
        try:
            yield
        except ClaimLostError as error:
            self._works.remove(work)
            self.outcomes.append(Outcome(entry=work.entry, state=HELD, reason=str(error), seconds=work.seconds))

    def _join(self, work: _Work) -> None:
        """Join the pieces whose turn has come, and end the lesson after the last one."""
        pieces = work.pieces or ()
        while (number := work.batch.joined) in work.came:
            self._join_piece(work, pieces[number], work.came.pop(number), len(pieces))
        if work.batch.joined == len(pieces):
            self._finish(work)

    def _join_piece(self, work: _Work, piece: Piece, came: Seen | str, n: int) -> None:
        batch, lost = dataclasses.replace(work.batch, joined=work.batch.joined + 1), work.batch.lost
        if isinstance(came, str):
            gap = (piece.start, piece.end if piece.end < float("inf") else None, came)
            batch = dataclasses.replace(batch, lost=dataclasses.replace(lost, gaps=(*lost.gaps, gap)))
            self._keep(work, batch, "running")
            return
        lost = Lost(damaged=lost.damaged + came.damaged, gaps=lost.gaps, notes=(*lost.notes, *came.notes))
        batch = dataclasses.replace(batch, lost=lost)
        seen = joined(work.tracker, came, begins=not work.frames[2])
        if not seen:
            self._keep(work, batch, "running")
            return
        first, _, count = work.frames if work.frames[2] else (seen[0].time, 0.0, 0)
        frames = (first, seen[-1].time, count + len(seen))
        lesson = work.lesson or self._record(work, n)
        duration = duration_of(*frames, came.lone_gap)
        lesson = dataclasses.replace(lesson, duration=duration, width=came.size[0], height=came.size[1])
        self._write(work, batch, _noted(lesson, work, batch, "running"), seen)
        work.frames = frames

    def _keep(self, work: _Work, batch: Batch, state: str, notes: Sequence[str] = ()) -> None:
        """Write how far a recording is where nothing new was seen."""
        self._write(work, batch, None if work.lesson is None else _noted(work.lesson, work, batch, state, notes))

    def _write(self, work: _Work, batch: Batch, lesson: Lesson | None, seen: Sequence[Observation] = ()) -> None:
        """Write how far a recording is, again for a while where the store is held or away."""
        end = time.monotonic() + HOLD
        while True:
            try:
                with unbroken():
                    if lesson is None:
                        self.batches.note(batch)
                    else:
                        work.lesson = self.batches.keep(batch, lesson, seen)
                    work.batch = batch
                return
            except StoreBusyError:
                if time.monotonic() >= end:
                    raise
                time.sleep(AGAIN)

    def _record(self, work: _Work, pieces: int) -> Lesson:
        """Return what is known of a lesson before anything was seen."""
        order, entry = self.order, work.entry
        made_with = {**order.made_with, "settings": plain_settings(work.settings)}
        if pieces > 1:
            made_with["pieces"] = {"joined": pieces, "seconds": work.batch.seconds}
        return Lesson(
            name=work.settings.name or name_of(entry.path),
            source=shown(entry.path),
            purpose=order.purpose,
            reference=order.reference,
            began=parse_moment(work.settings.began),
            created=moment_now(),
            made_with=made_with,
        )

    def _finish(self, work: _Work) -> None:
        gaps = work.batch.lost.gaps
        if work.lesson is None:
            lost = " ".join(work.batch.lost.notes)
            empty = f"{shown(work.entry.path)} holds no frame that could be read. {lost}".rstrip()
            self._fail(work, gaps[0][2] if gaps else empty)
            return
        self._keep(work, dataclasses.replace(work.batch, state=COMPLETE), "complete")
        self._works.remove(work)
        keep_overview(self.store, work.lesson.number)
        self._complete(work.entry, COMPLETE, work.lesson.number, " ".join(map(_gap_note, gaps)), work.seconds)

    def _complete(self, entry: Entry, state: str, number: int, reason: str = "", seconds: float = 0.0) -> None:
        try:
            self.order.finished(number, entry)
        except RoomreadError as error:
            reason = f"{reason} The lesson is kept, but: {error}".lstrip()
        try:
            length = self.store.numbered(number).duration
        except LessonNotFoundError:  # somebody deleted it while its files were written, or since it was looked up
            gone = f"Its lesson {number} was deleted meanwhile. The same batch makes it anew."
            self.outcomes.append(Outcome(entry=entry, state=FAILED, reason=gone, seconds=seconds))
            return
        self.outcomes.append(
            Outcome(entry=entry, state=state, lesson=number, reason=reason, seconds=seconds, length=length)
        )

    def _fail(self, work: _Work, reason: str) -> None:
        batch = dataclasses.replace(work.batch, state=FAILED, reason=reason)
        if work.lesson is None:
            batch = dataclasses.replace(batch, joined=0, lost=Lost())  # the next run tries again from the beginning
        self._keep(work, batch, "stopped", [reason])
        self._works.remove(work)
        self.outcomes.append(
            Outcome(entry=work.entry, state=FAILED, lesson=work.number, reason=reason, seconds=work.seconds)
        )

    def _stop(self) -> None:
        """Let go of everything, so that any run may go on with it."""
        for work in self._works:
            batch, note = dataclasses.replace(work.batch, state=STOPPED), f"Stopped by hand at {work.frames[1]:.1f} s."
            with contextlib.suppress(ClaimLostError):
                self._keep(work, batch, "stopped", [note, "The same batch goes on from there."])
            length = 0.0 if work.lesson is None else work.lesson.duration
            outcome = Outcome(entry=work.entry, state=STOPPED, lesson=work.number, seconds=work.seconds, length=length)
            self.outcomes.append(dataclasses.replace(outcome, reason=note))
        for entry, _, _ in self._waiting:
            self.outcomes.append(Outcome(entry=entry, state=STOPPED, reason="Not begun."))

    def _tell(self) -> None:
        failed = sum(outcome.state == FAILED for outcome in self.outcomes)
        n = len(self.outcomes) + len(self._works) + len(self._waiting)
        self.order.tell(Standing(self._done, self._total, len(self.outcomes) - failed, failed, n))


def _gone(work: _Work) -> str:
    """Return in words why a recording cannot be opened any more; empty where it can."""
    try:
        open_source(work.entry.path, work.settings.frames())
    except SourceError as error:
        return printable(str(error))
    return ""


def _noted(lesson: Lesson, work: _Work, batch: Batch, state: str, more: Sequence[str] = ()) -> Lesson:
    """Return a lesson's record with its state, and with what was lost and what befell its seats so far."""
    lost = batch.lost
    damaged = [damage_note(lost.damaged)] if lost.damaged else []
    notes = (*damaged, *lost.notes, *map(_gap_note, lost.gaps), *work.tracker.notes, *more)
    return dataclasses.replace(lesson, state=state, notes=notes)


def _gap_note(gap: tuple[float, float | None, str]) -> str:
    start, end, reason = gap
    until = "the end" if end is None else clock(end)
    return f"Not analysed from {clock(start)} to {until}: {reason}"
