"""What all live sources share: settings, the slot, the state, the notes, and the frames that come out."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from roomread.errors import SourceError
from roomread.types import Frame
from roomread.watch import outages
from roomread.watch.outages import Outages, by_clock
from roomread.watch.slot import Make, Slot, Waiting

APART = 120.0  # seconds by which a sender's clock may go before or behind ours; no picture is as long on its way

State = Literal["opening", "live", "waiting", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """How a live source is watched, and how long one that fails is waited for."""

    fps: float = 5.0  # frames analysed per second at most; NATIVE takes the newest whenever there is time
    stall: float = 5.0  # seconds without a picture after which a stream is opened again; more than its slowest beat
    opening: float = 10.0  # seconds that opening may take; some cameras send a whole picture only every few seconds
    first_wait: float = 0.5  # seconds until a broken stream is opened again; doubled each time that fails ...
    longest_wait: float = 15.0  # ... up to this
    give_up: float | None = None  # seconds without a picture after which the source ends; None: never
    size: tuple[int, int] = (1920, 1080)  # pixels, width and height asked of a camera; it may give others
    threads: int = 2  # processor threads for decoding

    def __post_init__(self) -> None:
        for name in ("fps", "stall", "opening", "first_wait", "longest_wait"):
            if not getattr(self, name) >= 0.001:
                raise ValueError(f"{name} must be at least 0.001. Received: {getattr(self, name)}.")
        if self.give_up is not None and not self.give_up > 0:
            raise ValueError(f"give_up must be above 0 seconds, or None for never. Received: {self.give_up}.")
        if self.threads < 1 or min(self.size) < 1:
            raise ValueError(f"threads and size must be at least 1. Received: {self.threads}, {self.size}.")


class LiveSource:
    """Frames that come by themselves, at times from a monotonic clock; a `Source` as in `watch.frames`.

    name: what is watched, without user, password or query.
    notes: outages and a change of size as they come; complete once the source is closed.
    delivered: frames that were yielded.
    error: why nothing can come at all; `frames` raises it.
    """

    def __init__(self, name: str, settings: LiveSettings) -> None:
        self.name, self.settings = name, settings
        self.notes: list[str] = []
        self.delivered = self._spoilt = 0
        self.error: SourceError | None = None
        self._slot = Slot(settings.fps)
        self._outages = Outages(self.notes, settings.stall)
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._origin = 0.0  # what the clock of the pictures said at the first one
        self._began = 0.0  # what our own clock said then
        self._time = -math.inf  # seconds, of the newest picture
        self._size: tuple[int, int] | None = None
        self._resized = False

    @property
    def length(self) -> float | None:
        """None: nobody knows how long it will last."""
        return None

    @property
    def dropped(self) -> int:
        """Frames that were due and were overtaken by newer ones before anybody took them."""
        return self._slot.dropped

    @property
    def damaged(self) -> int:
        """Frames that could not be decoded."""
        return self._spoilt

    @property
    def state(self) -> State:
        """Return "opening" before the first picture, "live", "waiting" in an outage, or "closed"."""
        if self._closed.is_set() or self._slot.ended:
            return "closed"
        if self._size is None:
            return "opening"
        return "waiting" if self._outages.on else "live"

    def start(self) -> None:
        """Begin to receive; `frames` does so too. Earlier, a camera can warm up while models are loaded."""

    def frames(self) -> Iterator[Frame]:
        """Yield the newest frame whenever one is due, until the source ends or is closed; both complete `notes`.

        Raises:
            SourceError: the source could not be opened, or gave nothing before it was given up.
        """
        with self._lock:
            if self._size is None:
                self._outages.begin()
            self._slot.ask()
            self.start()
        try:
            while (taken := self._next()) is not None:
                try:
                    image = taken.make()
                except SourceError:
                    self._spoilt += 1
                    continue
                self.delivered += 1
                yield Frame(image, taken.time, taken.index)
        finally:
            self.close()
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """End the source and complete `notes`; from any thread, any number of times, within a second."""
        self._slot.end(at_once=True)
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            if self._size is not None:
                self._outages.close()
            if self.dropped:
                self.notes.append(
                    f"{_frames(self.dropped)} not looked at, as newer ones came before there was time; "
                    f"{_frames(self.delivered)} delivered."
                )
            if self.damaged:
                self.notes.append(f"{_frames(self.damaged)} damaged and left out.")

    def _end(self) -> None:
        """Say that the source has come to its end by itself; a picture that waits is still delivered."""
        with self._lock:
            if self._size is not None and not self._closed.is_set():
                self._outages.close()
        self._slot.end()

    def _next(self) -> Waiting | None:
        """Wait for a picture and return it, or None once no more will come."""
        while True:
            ended = self._slot.ended  # asked first: the last picture may come with the end
            taken = self._slot.take()
            if taken is not None or ended or self._given_up():
                return taken

    def _given_up(self) -> bool:
        limit = self.settings.give_up
        if limit is None or self._outages.waited <= limit:
            return False
        with self._lock:
            if self._size is not None:
                self._outages.close("until it was given up at")
            else:
                self.error = SourceError(
                    f"{self.name} sent no picture. Expected: one within {limit:g} seconds. Received: none."
                )
        return True

    def _arrive(self, make: Make, size: tuple[int, int], moment: float | None = None) -> None:
        """Take in a picture that has just come.

        Args:
            make: makes it.
            size: pixels, width and height.
            moment: seconds by the sender's clock; None takes this machine's. A picture that is not later than the
                newest one has been overtaken by it and is dropped.
        """
        with self._lock:
            if self._closed.is_set():
                return
            ours = outages.now()
            now = ours if moment is None else moment
            if self._size is None:  # the first picture may take longer than later ones
                self._origin, self._began = now, ours
                self._outages.begin()
            self._outages.over()
            self._note_size(size)
            elapsed = now - self._origin
            if abs(elapsed - (ours - self._began)) > APART:  # the sender's clock was set, or stood still in a sleep
                elapsed = ours - self._began
                self._origin = now - elapsed
            if moment is not None and elapsed <= self._time:
                self._slot.drop()
                return
            self._time = max(elapsed, math.nextafter(self._time, math.inf))  # a clock may be coarser than the pictures
            self._slot.put(make, self._time)

    def _note_size(self, size: tuple[int, int]) -> None:
        """Note once that the size has changed; a source that keeps changing it would fill the notes."""
        before, self._size = self._size, size
        if before is not None and before != size and not self._resized:
            self._resized = True
            self.notes.append(
                f"The picture changed its size at {by_clock(datetime.now())}, from {before[0]} x {before[1]} to "
                f"{size[0]} x {size[1]} pixels: seats before and after cannot be compared."
            )


def _frames(n: int) -> str:
    return f"{n} frame was" if n == 1 else f"{n} frames were"
