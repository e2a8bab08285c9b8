"""Room for one picture: the newest wins, what is overtaken is counted."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from roomread.types import Image

POLL = 0.2  # seconds; Windows takes no Ctrl-C within a wait, so no wait is longer
SLACK = 0.25  # of the time between two frames: so much too early still counts as due, as a camera's beat is not exact

Make = Callable[[], Image]  # makes the picture; called for delivered ones alone. Raises SourceError where it is damaged


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A picture that nobody has taken yet. time: seconds from the first one. index: its number."""

    make: Make
    time: float
    index: int


class Slot:
    """Holds one picture between the thread that receives and the one that looks; both may call it at any time.

    n: pictures that came. dropped: those that were due at the rate asked for and were overtaken before anybody took
    them; what came before `ask` does not count. ended: no more will come.
    """

    def __init__(self, fps: float) -> None:
        self.n = self.dropped = 0
        self.ended = False
        self._period = 1 / fps  # 0 for NATIVE
        self._due = -math.inf
        self._room: Waiting | None = None
        self._asked = False
        self._changed = threading.Condition()

    def _is_due(self, time: float) -> bool:
        return time >= self._due - SLACK * self._period

    def wants(self, time: float) -> bool:
        """Tell whether a picture of this moment is worth decoding, as it is due or a waiting one has grown old.

        One that is not is counted.
        """
        with self._changed:
            old = self._room is not None and time >= self._room.time + self._period / 2
            wanted = old or self._is_due(time)
            self.n += not wanted
            return wanted

    def ask(self) -> None:
        """Say that somebody looks from now on, so that what is overtaken counts."""
        with self._changed:
            self._asked = True

    def drop(self) -> None:
        """Count a picture that came after a newer one."""
        with self._changed:
            self.n, self.dropped = self.n + 1, self.dropped + 1

    def put(self, make: Make, time: float) -> None:
        """Take a picture in, in place of an older one; one that is not due only refreshes one that waits."""
        with self._changed:
            index, self.n = self.n, self.n + 1
            if self._is_due(time):
                self.dropped += self._asked and self._room is not None
                self._due = max(self._due, time) + self._period
            elif self._room is None:
                return
            self._room = Waiting(make, time, index)
            self._changed.notify_all()

    def take(self) -> Waiting | None:
        """Return the picture that waits, or the next one to come; None after a moment without, or when all is over."""
        with self._changed:
            if self._room is None and not self.ended:
                self._changed.wait(POLL)
            taken, self._room = self._room, None
            if taken is not None:
                self._due = max(self._due, taken.time + self._period)
            return taken

    def end(self, *, at_once: bool = False) -> None:
        """Say that no more will come. at_once: a picture that still waits is not wanted either."""
        with self._changed:
            self.ended = True
            if at_once:
                self._room = None
            self._changed.notify_all()
