"""How long nothing came: the clock of everything live, how long a stream may be silent, and a note of each outage."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

MOST_BYTES = 64 * 1024 * 1024  # between two pictures; a raw one of 4096 x 4096 pixels has 48 MB
MOST_NOTES = 20  # outages noted each by itself; a stream that fails all day has its further ones added up

# Python's own monotonic clock stands still in a sleep on Linux and macOS: a lesson would close up over it.
_RUNNING = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def now() -> float:
    """Return seconds from any beginning: nobody sets this clock, and it goes on while the machine sleeps."""
    return time.monotonic() if _RUNNING is None else time.clock_gettime(_RUNNING)


class BrokenError(Exception):
    """A stream could not be opened, or gave out. Its text is a phrase for the user, and holds no address."""


class Patience:
    """Ends when what comes makes no picture for too long.

    limit: seconds without a picture that are allowed now. silence: seconds without a single byte.
    """

    def __init__(self, opening: float, stall: float) -> None:
        self.limit, self.silence = opening, min(opening, stall)
        self._stall, self._opened = stall, False
        self._since, self._bytes = time.monotonic(), 0

    @property
    def words(self) -> str:
        """What is to be said when it ends."""
        return f"{'no picture' if self._opened else 'no answer'} for {self.limit:g} s"

    @property
    def fresh(self) -> bool:
        """Whether there was a picture within the last second, or less where less is allowed."""
        return self._opened and time.monotonic() - self._since < min(1.0, self.limit / 2)

    def renew(self) -> None:
        """Begin anew, as the stream was opened or has given a picture."""
        self.limit, self._opened = self._stall, True
        self._since, self._bytes = time.monotonic(), 0

    def check(self, n_bytes: int = 0) -> None:
        """Take note of bytes that have come; raise BrokenError when there are too many, or it is too late."""
        self._bytes += n_bytes
        if self._bytes > MOST_BYTES:
            raise BrokenError(f"{MOST_BYTES // 1024**2} MB without a picture in them")
        if time.monotonic() - self._since > self.limit:
            raise BrokenError(self.words)


class Outages:
    """Knows when a live source had nothing to show, and writes it down.

    reopened: how often the stream was opened again in the outage that lasts now.
    """

    def __init__(self, notes: list[str], stall: float) -> None:
        self.reopened = 0
        self._notes, self._stall = notes, stall
        self._n, self._more, self._more_seconds, self._closed = 0, 0, 0.0, False
        self.begin()

    def begin(self) -> None:
        """Start to count from now."""
        self._last, self._awake = now(), time.monotonic()
        self.reopened, self.reason = 0, ""

    @property
    def seconds(self) -> float:
        """Seconds since the last picture, or since the beginning; those count in which the machine slept."""
        return now() - self._last

    @property
    def waited(self) -> float:
        """Seconds likewise of which the machine was awake, so that a picture could have come."""
        return time.monotonic() - self._awake

    @property
    def on(self) -> bool:
        """Whether the stream is broken, or has sent nothing for too long."""
        return bool(self.reason) or self.seconds > self._stall

    def broke(self, reason: str) -> None:
        """Take down why the stream gave out; within an outage the first reason stays."""
        self.reason = self.reason or reason

    def over(self) -> None:
        """Note the outage that a picture has just ended, if there was one."""
        if self.on:
            self._note("to")
        self.begin()

    def close(self, word: str = "until the end at") -> None:
        """Note the outage that lasts to the end, and those that were added up; once."""
        if self._closed:
            return
        self._closed = True
        if self.on:
            self._note(word)
        if self._more:
            self._notes.append(f"{self._more} more outages, {self._more_seconds:.0f} s in all, are not listed.")

    def _note(self, word: str) -> None:
        self._n += 1
        if self._n > MOST_NOTES:
            self._more, self._more_seconds = self._more + 1, self._more_seconds + self.seconds
            return
        why = f" ({self.reason})" if self.reason else ""
        times = "once" if self.reopened == 1 else f"{self.reopened} times"
        again = f"; the stream was opened again {times}" if self.reopened else ""
        end = datetime.now()  # a clock on the wall may have been set meanwhile; how long it was is measured
        since = end - timedelta(seconds=self.seconds)
        self._notes.append(f"No picture from {by_clock(since)} {word} {by_clock(end)}{why}{again}.")


def by_clock(moment: datetime) -> str:
    """Return a moment as the clock on the wall shows it."""
    return f"{moment:%H:%M:%S}"
