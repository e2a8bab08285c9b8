"""What a room writes, in a process of its own that tests start."""

from __future__ import annotations

import dataclasses

import numpy as np

from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation, Tracks

__all__ = ["LessonStore", "record", "write_lesson"]

PIECES, FRAMES, FACES = 20, 4, 5


def record(name: str) -> Lesson:
    """Return a lesson that has just begun."""
    return Lesson(
        number=0,
        name=name,
        source="camera",
        purpose="research",
        reference=None,
        sample=False,
        began=None,
        created="2026-03-12T09:15:00+00:00",
        duration=0.0,
        width=9,
        height=9,
        state="running",
        notes=(),
        made_with={},
    )


def write_lesson(named: str, name: str) -> None:
    """Write a lesson piece by piece, as one room does."""
    store = LessonStore(named)
    kept = store.add(record(name))
    for piece in range(PIECES):
        store.append(kept, [observed(FRAMES * piece + frame) for frame in range(FRAMES)])
    store.append(dataclasses.replace(kept, state="complete"), [])


def observed(index: int) -> Observation:
    """Return what was seen in one frame."""
    tracks = Tracks(np.arange(1, FACES + 1), np.ones((FACES, 4), np.float32), np.ones(FACES, np.float32))
    emotions, signals = np.full((FACES, 7), 1 / 7, np.float32), np.full((FACES, 11), np.nan, np.float32)
    return Observation(index / 5, index, tracks, emotions, np.ones(FACES, np.float32), signals)
