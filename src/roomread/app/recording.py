"""What is observed, written to the store a little later, so that little can be lost and the disk is left in peace."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import signal
import threading
import time
from collections.abc import Iterator

from roomread.errors import SourceError, StoreBusyError, StoreError
from roomread.store.engine import WAIT
from roomread.store.lessons import Also, LessonStore
from roomread.types import Lesson, Observation

KEEP_EVERY = 0.5  # seconds after which what was seen is written to the store; a disk that is busy takes as long again
HOLD = 60.0  # seconds of work that are held in memory where the store cannot be written
LIVE_HOLD = 600.0  # seconds likewise of a live lesson, which nobody can see again; some 20 MB
LAST_HOLD = 30.0  # seconds likewise once all was seen, as somebody waits for the end
BRIEF = 0.1  # seconds that a live lesson waits for another program's lock, as pictures pass meanwhile
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


class Recorder:
    """Writes the observations of one lesson; a kill loses the last second at most.

    Several threads may use it: one that looks, and one that keeps while nothing comes.
    """

    def __init__(
        self, store: LessonStore, record: Lesson, lone_gap: float, *, live: bool = False, also: Also | None = None
    ) -> None:
        """Begin a lesson, which the store knows once something was seen.

        Args:
            store: where it is kept.
            record: what is known of the lesson; number, duration, size, state and notes are filled in.
            lone_gap: seconds that a single frame stands for.
            live: what is not seen now cannot be seen again.
            also: writes more together with the lesson's first rows.
        """
        self._live, self._also = live, also
        self._past_notes: list[str] = []
        self._trouble: tuple[float, float, str] | None = None  # by the clock, and of the lesson; the reason
        self.store, self._record, self._lone_gap = store, record, lone_gap
        self.size = (0, 0)  # pixels, width and height of the newest frame
        self.last = 0.0  # seconds, time of the newest frame
        self._first: float | None = None
        self._count = 0
        self._waiting: list[Observation] = []
        self._lock = threading.RLock()
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
        if self._trouble is None:
            return tuple(self._past_notes)
        _, since, reason = self._trouble
        return (
            *self._past_notes,
            f"Nothing can be written to the store since {since:.0f} s ({reason}). What is seen is held, and written "
            "as soon as it can be.",
        )

    def begin(self, began: str) -> None:
        """Say when the clock of the observations began: ISO 8601; before the first of them is taken."""
        self._record = dataclasses.replace(self._record, began=began)

    def take(self, seen: Observation) -> None:
        """Hold an observation, and write what is held when it is time.

        Raises:
            StoreError: the store cannot be written at all, or not for too long.
        """
        with self._lock:
            self._first = seen.time if self._first is None else self._first
            self.last, self._count = seen.time, self._count + 1
            self._waiting.append(seen)
            self.keep_due()

    def keep_due(self) -> None:
        """Write what is held when it is time.

        Raises:
            StoreError: the store cannot be written at all, or not for too long; what is held stays so.
        """
        with self._lock:
            now = time.monotonic()
            if self._waiting and now - self._kept >= KEEP_EVERY:
                since = now if self._trouble is None else self._trouble[0]
                self._keep_patiently("running", (), since + (LIVE_HOLD if self._live else HOLD))

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
        end = time.monotonic() + LAST_HOLD
        with self._lock:
            while not self._keep_patiently(state, tuple(notes), end):
                time.sleep(BRIEF)

    def abandon(self, note: str) -> None:
        """Say in the lesson, if the store still takes that much, that it ends with what was written before."""
        if self.number:
            with contextlib.suppress(StoreError):
                self.store.append(dataclasses.replace(self._record, state="stopped", notes=(note,)), [])

    def _keep_patiently(self, state: str, notes: tuple[str, ...], until: float) -> bool:
        """Write what is held, and tell whether that could be done.

        Args:
            state: of the lesson.
            notes: of the lesson, besides those of the store.
            until: seconds by the clock from which on it must be possible.
        """
        now, trouble = time.monotonic(), self._trouble
        over = []
        if trouble is not None and len(self._past_notes) < MOST_NOTES:
            _, since, reason = trouble
            over.append(
                f"The store could not be written from {since:.0f} s to {self.last:.0f} s ({reason}); nothing was lost."
            )
        try:
            self._keep(state, (*notes, *self._past_notes, *over))
        except StoreBusyError as error:
            reason = " ".join(str(getattr(error.__cause__, "orig", error)).split())  # a server says it in several lines
            self._trouble = (now, self.last, reason) if trouble is None else trouble
            self._kept = now
            if now >= until:
                raise
            return False
        self._past_notes += over
        self._trouble = None
        return True

    def _keep(self, state: str, notes: tuple[str, ...]) -> None:
        first = self.last if self._first is None else self._first
        record = dataclasses.replace(
            self._record,
            duration=duration_of(first, self.last, self._count, self._lone_gap),
            width=self.size[0],
            height=self.size[1],
            state=state,
            notes=notes,
        )
        with unbroken():
            if not record.number:
                record = self.store.add(record, self._waiting, self._also)
            else:
                self.store.append(record, self._waiting, wait=BRIEF if self._live else WAIT)
            self._record = record
            self._waiting = []
            self._kept = time.monotonic()
