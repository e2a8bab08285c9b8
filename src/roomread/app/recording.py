"""What is observed, written to the store a little later, so that little can be lost and the disk is left in peace."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import signal
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from roomread.errors import SourceError, StoreBusyError, StoreError
from roomread.store.engine import WAIT
from roomread.store.lessons import Also, LessonStore
from roomread.types import Lesson, Observation

KEEP_EVERY = 0.5  # seconds after which what was seen is written to the store; a disk that is busy takes as long again
HOLD = 60.0  # seconds of work that are held in memory where the store cannot be written
LIVE_HOLD = 600.0  # seconds likewise of a live lesson, which nobody can see again; some 20 MB
LAST_HOLD = 30.0  # seconds likewise once all was seen, as somebody waits for the end
BRIEF = 0.1  # seconds that a live lesson waits for another program's lock, so that it can soon be told
SILENT = 5.0  # seconds after which a store that does not answer is told; one that is only slow has answered by then
MOST_NOTES = 20  # times that the store could not be written, each noted by itself


def duration_of(first: float, last: float, frames: int, lone_gap: float) -> float:
    """Return the seconds that so many frames between two moments stand for; a single one stands for `lone_gap`."""
    return round(last - first + ((last - first) / (frames - 1) if frames > 1 else lone_gap), 3)


@contextlib.contextmanager
def unbroken() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back while the store is written and memory told so: else both would disagree."""
    came: list[int] = []
    ours = threading.current_thread() is threading.main_thread()
    held = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if ours else {}
    held = {number: handler for number, handler in held.items() if handler is not None}
    for number in held:
        signal.signal(number, lambda given, _: came.append(given))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


class Trouble(NamedTuple):
    """Since when the store cannot be written: seconds by the clock, and of the lesson, and why."""

    began: float
    since: float
    reason: str


class Recorder:
    """Writes the observations of one lesson; a kill loses the last second at most.

    Two threads may use it for a live lesson: one looks, takes, and never waits for the store; the other writes. Else
    one thread does both, as what it looks at stays where it is.
    """

    def __init__(
        self, store: LessonStore, record: Lesson, lone_gap: float, *, live: bool = False, also: Also | None = None
    ) -> None:
        """Begin a lesson, which the store knows once something was seen.

        Args:
            store: where it is kept.
            record: what is known of the lesson; number, duration, size, state and notes are filled in.
            lone_gap: seconds that a single frame stands for.
            live: what is not seen now cannot be seen again; another thread calls `keep_due` again and again.
            also: writes more together with the lesson's first rows.
        """
        self._live, self._also = live, also
        self._past_notes: list[str] = []
        self._trouble: Trouble | None = None
        self._under_way: tuple[float, float] | None = None  # the write: since when by the clock, and its first frame
        self._failure: StoreError | None = None  # why the other thread gave up
        self.store, self._record, self._lone_gap = store, record, lone_gap
        self.size = (0, 0)  # pixels, width and height of the newest frame
        self.told: tuple[str, ...] = ()  # notes of who looks, as they stand; written with what was seen
        self.last = 0.0  # seconds, time of the newest frame
        self._reserved: int | None = None  # number of the lesson that is being made
        self._first: float | None = None
        self._count = 0
        self._waiting: list[Observation] = []
        self._lock = threading.Lock()  # over all that is held; never while the store is waited for
        self._writing = threading.Lock()  # one write at a time; taken before the other lock where both are
        self._known = threading.Event()  # the lesson has its number
        # So that the first observation is written at once, and the lesson has its number.
        self._kept = -math.inf

    @property
    def lesson(self) -> Lesson:
        """The lesson as it was last kept; its number is 0 before that."""
        return self._record

    @property
    def number(self) -> int:
        """The lesson's number in the store; 0 before there is one."""
        return self._record.number

    @property
    def frames(self) -> int:
        """How many frames were seen."""
        return self._count

    @property
    def notes(self) -> tuple[str, ...]:
        """When the store could not be written, in words."""
        with self._lock:
            trouble = self._standing()
            if trouble is None:
                return tuple(self._past_notes)
            return (
                *self._past_notes,
                f"Nothing can be written to the store since {trouble.since:.0f} s ({trouble.reason}). What is seen is "
                "held, and written as soon as it can be.",
            )

    def begin(self, began: str) -> None:
        """Say when the clock of the observations began: ISO 8601; before the first of them is taken."""
        self._record = dataclasses.replace(self._record, began=began)

    def wait_for_number(self, seconds: float) -> None:
        """Wait until the lesson has its number, for so many seconds at most.

        Raises:
            StoreError: the store cannot be written at all.
        """
        self._known.wait(seconds)
        if self._failure is not None:
            raise self._failure

    def take(self, seen: Observation) -> None:
        """Hold an observation, to be written when it is time: here, or of a live lesson by the other thread.

        Raises:
            StoreError: the store cannot be written at all, or not for too long.
        """
        with self._lock:
            self._first = seen.time if self._first is None else self._first
            self.last, self._count = seen.time, self._count + 1
            self._waiting.append(seen)
            failure, under_way = self._failure, self._under_way
        if not self._live:
            self.keep_due()
        elif failure is not None:
            raise failure
        elif under_way is not None and time.monotonic() - under_way[0] >= LIVE_HOLD:
            raise self._silence()

    def keep_due(self) -> None:
        """Write what is held when it is time.

        Raises:
            StoreError: the store cannot be written at all, or not for too long; what is held stays so.
        """
        with self._writing:
            now = time.monotonic()
            if self._waiting and now - self._kept >= KEEP_EVERY:
                since = now if self._trouble is None else self._trouble.began
                self._keep_patiently("running", self.told, since + (LIVE_HOLD if self._live else HOLD))

    def finish(self, state: str, notes: list[str]) -> None:
        """Write what is left, and how the lesson ended.

        Raises:
            SourceError: nothing was ever seen, so that there is no lesson.
            StoreError: the store cannot be written at all, or not for too long.
        """
        if self._first is None:
            source, lost = self._record.source, " ".join(notes)
            missing = (
                f"No picture came from {source} before the lesson ended, so nothing of it is kept."
                if self._live
                else f"{source} holds no frame that could be read. Expected: at least one in the span asked for."
            )
            raise SourceError(f"{missing} {lost}".rstrip())
        with self._alone(LAST_HOLD):
            end = time.monotonic() + LAST_HOLD
            while not self._keep_patiently(state, tuple(notes), end):
                time.sleep(BRIEF)

    def abandon(self, notes: list[str]) -> None:
        """Write what is held, and that the lesson ends here, as far as the store still takes it.

        Args:
            notes: of the lesson, the last of which says why it ends.
        """
        if not self.number and not (self._live and self._waiting):  # what a file holds can be looked at again
            return
        with contextlib.suppress(StoreError), self._alone(BRIEF):
            end = time.monotonic() + (LAST_HOLD if self._trouble is None else 0.0)
            try:
                while not self._keep_patiently("stopped", tuple(notes), end):
                    time.sleep(BRIEF)
            except StoreError:
                lost = [f"What was seen from {self._unwritten():.0f} s on was lost."] if self._waiting else []
                if self.number:
                    said = (*notes, *self._past_notes, *lost)
                    self.store.append(dataclasses.replace(self._record, state="stopped", notes=said), [], wait=BRIEF)

    def discard(self) -> None:
        """Delete what was kept, also where the store could not say that it had.

        Raises:
            StoreError: it cannot be deleted.
        """
        if number := self.number or self._reserved:
            self.store.delete(dataclasses.replace(self._record, number=number))

    @contextlib.contextmanager
    def _alone(self, seconds: float) -> Iterator[None]:
        """Keep the other thread from writing, once what it is just writing has come to an end.

        Raises:
            StoreBusyError: that takes longer.
        """
        if not self._writing.acquire(timeout=seconds):
            raise self._silence()
        try:
            yield
        finally:
            self._writing.release()

    def _silence(self) -> StoreBusyError:
        return StoreBusyError(
            f"The store {self.store.name} does not answer. What was seen from {self._unwritten():.0f} s on is lost "
            "unless it takes that yet; what was stored before is untouched. Check server and network."
        )

    def _unwritten(self) -> float:
        """Return the time of the first frame that is held, in seconds."""
        held = self._waiting
        return held[0].time if held else self.last

    def _standing(self) -> Trouble | None:
        """Return since when nothing can be written; None where all is well. The lock is held."""
        if self._trouble is None and self._under_way is not None:
            began, since = self._under_way
            return Trouble(began, since, "no answer") if time.monotonic() - began >= SILENT else None
        return self._trouble

    def _keep_patiently(self, state: str, notes: tuple[str, ...], until: float) -> bool:
        """Write what is held, and tell whether that could be done.

        Args:
            state: of the lesson.
            notes: of the lesson, besides those of the store.
            until: seconds by the clock from which on it must be possible.
        """
        began, trouble, over = time.monotonic(), self._trouble, []
        if trouble is not None and len(self._past_notes) < MOST_NOTES:
            over.append(
                f"The store could not be written from {trouble.since:.0f} s to {self.last:.0f} s ({trouble.reason}); "
                "nothing was lost."
            )
        since = self._unwritten()
        try:
            self._under_way = (began, since)
            self._keep(state, (*notes, *self._past_notes, *over))
        except StoreError as error:
            self._kept = time.monotonic()
            late = not isinstance(error, StoreBusyError) or self._kept >= until
            with self._lock:
                reason = " ".join(str(getattr(error.__cause__, "orig", error)).split())  # a server says it in lines
                self._trouble = Trouble(began, since, reason) if trouble is None else trouble
                self._failure = error if late else None
            if late:
                self._known.set()  # as far as it will ever be
                raise
            return False
        finally:
            self._under_way = None
        with self._lock:
            self._past_notes += over
            self._trouble = self._failure = None
        return True

    def _keep(self, state: str, notes: tuple[str, ...]) -> None:
        """Write what is held at this moment; what is taken meanwhile is left for the next time."""
        with unbroken():
            with self._lock:
                held = self._waiting.copy()
                first = self.last if self._first is None else self._first
                record = dataclasses.replace(
                    self._record,
                    duration=duration_of(first, self.last, self._count, self._lone_gap),
                    width=self.size[0],
                    height=self.size[1],
                    state=state,
                    notes=notes,
                )
            wait = BRIEF if self._live else WAIT
            if not record.number:
                self._reserved = self.store.reserve() if self._reserved is None else self._reserved
                record = self.store.add(record, held, self._also, wait, self._reserved)
            else:
                self.store.append(record, held, wait=wait)
            with self._lock:
                self._record = record
                del self._waiting[: len(held)]
            self._known.set()
            self._kept = time.monotonic()
