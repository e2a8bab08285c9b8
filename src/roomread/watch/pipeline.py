"""The way of one frame: faces and expressions, then seats, then signals; only seats need the frames in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import numpy as np

from roomread.faces.detector import Detector
from roomread.faces.expression import ExpressionReader
from roomread.types import N_SIGNALS, Array, Detections, Frame, Observation, Tracks
from roomread.watch.signals import SignalReader
from roomread.watch.track import SeatTracker

Given = TypeVar("Given")
Made = TypeVar("Made")


def observe(
    frames: Iterable[Frame],
    detector: Detector,
    tracker: SeatTracker,
    reader: ExpressionReader,
    signals: SignalReader | None = None,
    workers: int = 1,
) -> Iterator[tuple[Frame, Observation]]:
    """Yield each frame with what was observed in it, in order; a frame without a face gives one without rows.

    Args:
        frames: in the order of their times.
        detector: finds the faces of a frame.
        tracker: knows where the seats are.
        reader: reads the faces.
        signals: reads heads, eyes and mouths, each seat's at its own moments; None leaves them unknown.
        workers: frames that are looked at side by side, each by one thread; seats are told apart in order all the same.
    """

    def look(frame: Frame) -> tuple[Frame, Detections, Array, Array]:
        faces = detector.detect(frame.image)
        return frame, faces, *reader.predict(frame.image, faces.boxes, faces.points)

    def seat(looked: tuple[Frame, Detections, Array, Array]) -> tuple[Frame, Observation, Array, Array]:
        frame, faces, emotions, sharp = looked
        tracks = Tracks(tracker.update(faces.boxes, frame.time), faces.boxes, faces.scores)
        unread = np.full((len(tracks), N_SIGNALS), np.nan, np.float32)
        due = np.zeros(len(tracks), bool) if signals is None else signals.due(tracks.seats, frame.time)
        return frame, Observation(frame.time, frame.index, tracks, emotions, sharp, unread), faces.points, due

    def read(seated: tuple[Frame, Observation, Array, Array]) -> tuple[Frame, Observation]:
        frame, seen, points, due = seated
        if signals is None:
            return frame, seen
        return frame, replace(seen, signals=signals.read(frame.image, seen.tracks.boxes, points, due))

    seated = map(seat, in_order(look, frames, workers))
    yield from in_order(read, seated, 1 if signals is None else workers)


def in_order(work: Callable[[Given], Made], items: Iterable[Given], workers: int) -> Generator[Made, None, None]:
    """Yield what `work` makes of each item, in the order of the items, with at most `workers` + 1 of them in hand.

    What `work` raises is raised here when its turn has come.
    """
    if workers == 1:
        yield from map(work, items)
        return
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
