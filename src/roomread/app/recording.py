"""What is observed, written to the store a little later, so that little can be lost and the disk is left in peace."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time

from roomread.errors import SourceError, StoreError
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

KEEP_EVERY = 1.0  # seconds after which what was seen is written to the store
OUTAGE = 120.0  # seconds for which a database beyond a network may be away; what is seen meanwhile waits in memory


def duration_of(first: float, last: float, frames: int, lone_gap: float) -> float:
    """Return the seconds that so many frames between two moments stand for; a single one stands for `lone_gap`."""
    return round(last - first + ((last - first) / (frames - 1) if frames > 1 else lone_gap), 3)


class Recorder:
    """Writes the observations of one lesson; a kill loses the last KEEP_EVERY seconds at most.

    Several threads may use it: one that looks, and one that keeps while nothing comes.
    """

    def __init__(self, store: LessonStore, record: Lesson, lone_gap: float) -> None:
        """Begin a lesson, which the store knows once something was seen.

        Args:
            store: where it is kept.
            record: what is known of the lesson; number, duration, size, state and notes are filled in.
            lone_gap: seconds that a single frame stands for.
        """
        self.store, self._record, self._lone_gap = store, record, lone_gap
        self.size = (0, 0)  # pixels, width and height of the newest frame
        self.last = 0.0  # seconds, time of the newest frame
        self._first: float | None = None
        self._count = 0
        self._waiting: list[Observation] = []
        self._lock = threading.RLock()
        # So that the first observation is written at once, and the lesson has its number.
        self._kept = self._tried = -math.inf

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

    def take(self, seen: Observation) -> None:
        """Hold an observation, and write what is held when it is time."""
        with self._lock:
            self._first = seen.time if self._first is None else self._first
            self.last, self._count = seen.time, self._count + 1
            self._waiting.append(seen)
            self.keep_due()

    def keep_due(self) -> None:
        """Write what is held when it is time.

        Raises:
            StoreError: it cannot be written, and a network that is away for a while is not the reason; it is held.
        """
        with self._lock:
            now = time.monotonic()
            if not self._waiting or now - self._tried < KEEP_EVERY:
                return
            try:
                self._keep("running", ())
            except StoreError:  # a network comes back by itself, a full disk does not
                if self.store.file is not None or now - self._kept > OUTAGE:
                    raise
            self._tried = time.monotonic()

    def finish(self, state: str, notes: list[str]) -> None:
        """Write what is left, and how the lesson ended.

        Raises:
            SourceError: nothing was ever seen, so that there is no lesson.
        """
        if self._first is None:
            lost = " ".join(notes)
            raise SourceError(
                f"{self._record.source} holds no frame that could be read. Expected: at least one in the span asked "
                f"for. {lost}".rstrip()
            )
        with self._lock:
            self._keep(state, tuple(notes))

    def abandon(self, note: str) -> None:
        """Say in the lesson, if the store still takes that much, that it ends with what was written before."""
        if self.number:
            with contextlib.suppress(StoreError):
                self.store.append(dataclasses.replace(self._record, state="stopped", notes=(note,)), [])

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
        if not record.number:
            record = self.store.add(record, self._waiting)
        else:
            self.store.append(record, self._waiting)
        self._record = record
        self._waiting = []
        self._kept = time.monotonic()
