"""The way of one frame: faces, seats, expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from roomread.faces.detector import Detector
from roomread.faces.expression import ExpressionReader
from roomread.preprocess import sharpness
from roomread.types import Frame, Observation, Tracks
from roomread.watch.track import SeatTracker


def observe(
    frames: Iterable[Frame], detector: Detector, tracker: SeatTracker, reader: ExpressionReader
) -> Iterator[Observation]:
    """Yield one observation for each frame, in order; a frame without a face gives one without rows."""
    for frame in frames:
        faces = detector.detect(frame.image)
        seats = tracker.update(faces.boxes, faces.scores, frame.time)
        tracks = Tracks(seats, faces.boxes, faces.scores)
        emotions, crops = reader.predict(frame.image, tracks.boxes)
        yield Observation(frame.time, frame.index, tracks, emotions, sharpness(crops))
