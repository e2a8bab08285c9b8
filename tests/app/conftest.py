"""What the tests of the application share: a short video, and a way to look at it that takes no time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roomread.app import queue
from roomread.types import N_EMOTIONS, N_SIGNALS, Frame, Image, Observation, Tracks

LONG = 20.0  # seconds; far more than anything takes, so that only a test that hangs ends by it


@pytest.fixture
def clip(tmp_path: Path, write_video: Callable[[Path, Iterable[Image], float], Path]) -> Path:
    """Three seconds of an empty gray room, ten frames a second."""
    return write_video(tmp_path / "room.mp4", [np.full((90, 160, 3), 120, np.uint8)] * 30, 10)


class Looking:
    """Takes the place of `Observer`: one seat in each frame; `step` runs before each frame is given on."""

    def __init__(self) -> None:
        self.notes: tuple[str, ...] = ()
        self.step: Callable[[int], None] = lambda number: None

    def __call__(self, *_: Any, **__: Any) -> Looking:
        return self

    def made_with(self) -> dict[str, Any]:
        return {"roomread": "0"}

    def observe(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Observation]]:
        for number, frame in enumerate(frames):
            self.step(number)
            tracks = Tracks(np.array([1]), np.array([[1, 1, 9, 9]], np.float32), np.array([1], np.float32))
            emotions = np.full((1, N_EMOTIONS), 1 / N_EMOTIONS, np.float32)
            signals = np.full((1, N_SIGNALS), np.nan, np.float32)
            yield frame, Observation(frame.time, frame.index, tracks, emotions, np.array([1], np.float32), signals)


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Looking:
    """What looks at recordings; no network is opened."""
    made = Looking()
    monkeypatch.setattr("roomread.app.analyze.Observer", made)
    monkeypatch.setattr(queue, "HOLD", 0.001)
    return made


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """A function that waits for something that another thread does."""

    def wait(true: Callable[[], object]) -> None:
        end = time.monotonic() + LONG
        while not true():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.005)

    return wait
