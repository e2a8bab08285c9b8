"""A source watched as it runs: the class in the seconds just past, again and again; nothing is stored."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from roomread.app.observing import Observer, ObserveSettings
from roomread.app.panel import find_mapping
from roomread.engagement.aggregate import timeline
from roomread.engagement.mappings import Mapping
from roomread.review.summary import known
from roomread.store.privacy import allowance_for, check_purpose, just_past
from roomread.types import EMOTIONS, NO_SEAT, Observation, Readings, Timeline, frames_needed
from roomread.watch.livesource import LiveSettings, LiveSource

FIGURES = ("engagement", "low", "high", "readable", "unreadable")  # of a timeline's bin


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings(ObserveSettings):
    """How a running source is watched."""

    window: float = 5.0  # seconds that each glimpse looks back; longer is calmer, shorter is prompter
    every: float = 1.0  # seconds from one glimpse to the next
    source: LiveSettings = field(default_factory=LiveSettings)

    def __post_init__(self) -> None:
        ObserveSettings.__post_init__(self)
        for name in ("window", "every"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be above 0, and have an end. Received: {getattr(self, name)}.")


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """The class in the seconds just past, as far as the purpose lets it be seen.

    time: seconds since the first frame.
    now: a timeline of one bin, the window.
    rule: what may be seen, and why, in one sentence.
    fps: frames looked at per second of the window.
    dropped: frames so far that newer ones overtook.
    notes: what was lost so far and what befell all seats at once, in words.
    """

    time: float
    now: Timeline
    rule: str
    fps: float
    dropped: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold, without the notes; what is not known is None."""
        now = self.now
        figures = {name: known(getattr(now, name)[0]) for name in FIGURES}
        emotions = {name: known(share) for name, share in zip(EMOTIONS, now.emotions[0], strict=True)}
        return {
            "time": round(self.time, 3),
            "status": str(now.status[0]),
            "rule": self.rule,
            **figures,
            "emotions": None if np.isnan(now.emotions[0, 0]) else emotions,
            "fps": known(self.fps),
            "dropped": self.dropped,
        }


class Lookback:
    """The seconds just past, and a glimpse of them whenever one is due."""

    def __init__(self, purpose: str, reference: str | None, mapping: Mapping, window: float, every: float) -> None:
        """Begin.

        Args:
            purpose: one of PURPOSES; decides what may be seen.
            reference: ethics or consent number; with it, research may see single seats.
            mapping: the engagement formula.
            window: seconds that each glimpse looks back.
            every: seconds from one glimpse to the next.
        """
        self.purpose, self.reference, self.mapping = purpose, reference, mapping
        self.window, self.every = window, every
        self._past: deque[Observation] = deque()
        self._due = -np.inf
        self._frames, self._seen_in = 0, Counter[int]()  # since the beginning; of each seat

    def seats(self) -> list[int]:
        """Return the seats that were seen often enough so far to be seats, ascending."""
        needed = frames_needed(self._frames)
        return sorted(seat for seat, n in self._seen_in.items() if n >= needed)

    def add(self, seen: Observation, dropped: int = 0, notes: tuple[str, ...] = ()) -> Glimpse | None:
        """Take an observation; return a glimpse if one is due.

        Who may see single seats is decided by all that was seen so far, as it will be of the stored lesson.

        Args:
            seen: later than all before.
            dropped: frames so far that newer ones overtook.
            notes: what was lost so far and what befell all seats at once.
        """
        past = self._past
        past.append(seen)
        self._frames += 1
        self._seen_in.update(seat for seat in seen.tracks.seats.tolist() if seat != NO_SEAT)
        while seen.time - past[0].time > self.window:
            past.popleft()
        if seen.time < self._due:
            return None
        self._due = seen.time + self.every
        readings = Readings.of_observations(past)
        begin = float(readings.times[0])

        def one_bin(counted: Readings) -> Timeline:
            from_zero = replace(counted, times=counted.times - begin)
            made = timeline(from_zero, self.mapping.score, 2 * self.window)
            return replace(made, starts=made.starts + begin)

        seats = self.seats()
        allowed = allowance_for(self.purpose, self.reference, len(seats))
        if self.purpose == "self-study" and allowed.single:
            readings = readings.of(np.isin(readings.seats, seats))  # not who walks by
        now = just_past(readings, allowed, one_bin)
        span = max(seen.time - begin, 1e-9)
        fps = (len(past) - 1) / span if len(past) > 1 else float("nan")
        return Glimpse(seen.time, now, allowed.rule, fps, dropped, notes)


def watch(
    source: LiveSource,
    purpose: str | None,
    reference: str | None = None,
    mapping: str | None = None,
    settings: WatchSettings | None = None,
) -> Generator[Glimpse, None, None]:
    """Yield a glimpse of the class with the first frame and then every `settings.every` seconds, until the source ends.

    The source is closed at the end, however that comes; its `notes` are complete then.

    Args:
        source: see `watch.live.open_live`.
        purpose: one of PURPOSES; decides what may be seen.
        reference: ethics or consent number; with it, research may see single seats.
        mapping: name of the engagement formula; None takes the default one.
        settings: how to watch.

    Raises:
        SettingsError: no proper purpose.
        SourceError: the source cannot be opened.
        ModelError: a model cannot be used.
    """
    check_purpose(purpose, reference)
    settings = WatchSettings() if settings is None else settings
    formula = find_mapping(mapping, signals=settings.signals.rate > 0)
    source.start()  # a camera warms up while the networks are opened
    try:
        observer = Observer(settings, side_by_side=False)
        past = Lookback(purpose or "", reference, formula, settings.window, settings.every)
        for _, seen in observer.observe(source.frames()):
            glimpse = past.add(seen, source.dropped, (*source.notes, *observer.notes))
            if glimpse is not None:
                yield glimpse
    finally:
        source.close()
