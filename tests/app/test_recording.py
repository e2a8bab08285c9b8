"""What is seen is kept, across an outage of the store too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from roomread.app import recording
from roomread.app.recording import Recorder
from roomread.errors import StoreBusyError
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

Away = Callable[[bool], None]


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    """A function that takes the store away, or gives it back; everything is written at once."""
    append = LessonStore.append
    state = {"away": False}

    def fail(self: LessonStore, *what: Any, **how: Any) -> None:
        if state["away"]:
            raise StoreBusyError("the server closed the connection")
        append(self, *what, **how)

    monkeypatch.setattr(LessonStore, "append", fail)
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)
    return lambda gone: state.update(away=gone)


def test_a_short_outage_loses_nothing(
    store: LessonStore, lesson: Callable[..., Lesson], observation: Callable[..., Observation], away: Away
) -> None:
    recorder = Recorder(store, lesson(number=0), 0.2)
    recorder.take(observation(0, 0.0, [(1, "happy")]))
    away(True)
    for index in range(1, 5):
        recorder.take(observation(index, index / 5, [(1, "happy")]))
    assert "the server closed" in recorder.notes[-1]
    away(False)
    recorder.take(observation(5, 1.0, [(1, "happy")]))
    recorder.finish("complete", [])
    assert store.readings(recorder.lesson).times.tolist() == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_a_long_outage_is_told(
    store: LessonStore,
    lesson: Callable[..., Lesson],
    observation: Callable[..., Observation],
    away: Away,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "HOLD", -1.0)
    recorder = Recorder(store, lesson(number=0), 0.2)
    recorder.take(observation(0, 0.0, [(1, "happy")]))
    away(True)
    with pytest.raises(StoreBusyError, match="the server closed"):
        recorder.take(observation(1, 0.2, [(1, "happy")]))
