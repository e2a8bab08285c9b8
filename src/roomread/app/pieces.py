"""A piece of a recording: what a worker sees in it, and how it is joined to what was seen before, seats and all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from roomread.app.analyze import AnalyzeSettings
from roomread.app.observing import Observer
from roomread.types import N_EMOTIONS, N_SIGNALS, NO_SEAT, Array, Observation, Readings, Tracks
from roomread.watch.frames import WHOLE, PictureSource, Piece, VideoSource, open_source
from roomread.watch.track import SeatTracker


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen in a piece; its seats are the piece's own.

    indices: int64 (f,), of each row of `readings.times` the number of the frame within the source.
    size: pixels, width and height. notes: what its source says. damaged: see `VideoSource`, and 0 of the whole, whose
    notes say it. lone_gap: seconds that a single frame stands for.
    """

    readings: Readings
    indices: Array
    size: tuple[int, int]
    notes: tuple[str, ...]
    damaged: int
    lone_gap: float


def look_at(path: Path, settings: AnalyzeSettings, piece: Piece = WHOLE) -> Seen:
    """Return what is seen in a piece of a recording; no picture is kept.

    Raises:
        SourceError: it cannot be read.
        ModelError: a model cannot be used.
    """
    source = open_source(path, settings.frames(), piece)
    observer, seen, size = _opened(dataclasses.replace(settings, name=None, began=None)), list[Observation](), (0, 0)
    observer.forget()
    for frame, observation in observer.observe(source.frames()):
        size = (frame.image.shape[1], frame.image.shape[0])
        seen.append(observation)
    damaged = source.damaged if isinstance(source, VideoSource) and piece != WHOLE else 0
    lone_gap = 0.0 if isinstance(source, PictureSource) else 1 / settings.fps
    indices = np.array([each.index for each in seen], np.int64)
    return Seen(_readings(seen), indices, size, tuple(source.notes), damaged, lone_gap)


@lru_cache(maxsize=1)
def _opened(settings: AnalyzeSettings) -> Observer:
    """Return the networks; the process of a worker opens them once, not for each of its pieces."""
    return Observer(settings, side_by_side=True)


def _readings(seen: Sequence[Observation]) -> Readings:
    if seen:
        return Readings.of_observations(seen)
    nothing, boxes = np.zeros(0, np.float32), np.zeros((0, 4), np.float32)
    emotions, signals = np.zeros((0, N_EMOTIONS), np.float32), np.zeros((0, N_SIGNALS), np.float32)
    rows = nothing.astype(np.int64)
    return Readings(nothing.astype(np.float64), rows, rows, boxes, nothing, nothing, emotions, signals)


def seat(tracker: SeatTracker, readings: Readings) -> Array:
    """Return the seat of each face, int64 (n,), by a tracker that has seen everything before and now sees this too."""
    seats = [
        tracker.update(readings.boxes[rows], float(time))
        for time, rows in zip(readings.times, _rows(readings), strict=True)
    ]
    return np.concatenate([np.zeros(0, np.int64), *seats])


def joined(tracker: SeatTracker, seen: Seen, begins: bool) -> list[Observation]:
    """Return the observations of a piece with the seats of the whole recording.

    Args:
        tracker: has seen the pieces before this one, in order.
        seen: the piece.
        begins: the recording begins with it, so that its own seats are those of the whole.
    """
    readings = seen.readings
    seats = seat(tracker, readings)
    signals = (
        readings.signals if begins else np.where((seats == NO_SEAT)[:, None], np.float32(np.nan), readings.signals)
    )
    return [
        Observation(
            float(readings.times[row]),
            int(seen.indices[row]),
            Tracks(seats[rows], readings.boxes[rows], readings.scores[rows]),
            readings.emotions[rows],
            readings.sharpness[rows],
            signals[rows],
        )
        for row, rows in enumerate(_rows(readings))
    ]


def _rows(readings: Readings) -> Iterator[slice]:
    """Yield which rows are of each frame, in order."""
    ends = np.searchsorted(readings.frames, np.arange(len(readings.times)), side="right").tolist()
    yield from map(slice, [0, *ends], ends)
