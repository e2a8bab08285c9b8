"""Spans without a picture, each told in one note."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from roomread.watch import clock

MOST_NOTES = 20  # outages noted each by itself; a stream that fails all day has its further ones added up


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
        self._last, self._awake = clock.now(), time.monotonic()
        self.reopened, self.reason = 0, ""

    @property
    def seconds(self) -> float:
        """Seconds since the last picture, or since the beginning; those count in which the machine slept."""
        return clock.now() - self._last

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
        now = datetime.now()  # a clock on the wall may have been set meanwhile; how long it was is measured
        since = now - timedelta(seconds=self.seconds)
        self._notes.append(f"No picture from {by_clock(since)} {word} {by_clock(now)}{why}{again}.")


def by_clock(moment: datetime) -> str:
    """Return a moment as the clock on the wall shows it."""
    return f"{moment:%H:%M:%S}"
