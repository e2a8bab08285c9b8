"""What is seen is kept, across an outage of the store too."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from tests.postgres import Postgres

from roomread.app import recording
from roomread.app.recording import Recorder
from roomread.errors import StoreBusyError, StoreError
from roomread.store import lessons
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

Away = Callable[[bool], None]
LessonOf = Callable[..., Lesson]
Seen = Callable[..., Observation]


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


@contextmanager
def kept_up(recorder: Recorder) -> Iterator[None]:
    """Write what is taken in another thread, as a live lesson does."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(0.002):
            with contextlib.suppress(StoreError):
                recorder.keep_due()

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set, the store answers; cleared, whoever writes waits for it."""
    append, answers = LessonStore.append, threading.Event()

    def wait(self: LessonStore, *what: Any, **how: Any) -> None:
        assert answers.wait(20)
        append(self, *what, **how)

    monkeypatch.setattr(LessonStore, "append", wait)
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)
    monkeypatch.setattr(recording, "SILENT", 0.0)
    yield answers
    answers.set()


def test_who_looks_never_waits_for_a_store_that_does_not_answer(
    file_store: LessonStore, lesson: LessonOf, observation: Seen, silent: threading.Event
) -> None:
    recorder = Recorder(file_store, lesson(number=0), 0.2, live=True)
    with kept_up(recorder):
        recorder.take(observation(0, 0.0, [(1, "happy")]))
        recorder.wait_for_number(20)
        for index in range(1, 100):
            recorder.take(observation(index, index / 5, [(1, "happy")]))
            if index == 50:
                while not recorder.notes:
                    time.sleep(0.001)
        assert not silent.is_set() and "Nothing can be written to the store since 0 s (no answer)" in recorder.notes[-1]
        silent.set()
        recorder.finish("complete", [])
    kept = file_store.readings(recorder.lesson)
    assert kept.times.tolist() == [index / 5 for index in range(100)] and len(kept.seats) == 100
    assert recorder.lesson.duration == 20.0 and recorder.notes == ()


def test_a_store_that_does_not_answer_for_too_long_ends_the_lesson(
    file_store: LessonStore,
    lesson: LessonOf,
    observation: Seen,
    silent: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder(file_store, lesson(number=0), 0.2, live=True)
    with kept_up(recorder):
        recorder.take(observation(0, 0.0, [(1, "happy")]))
        recorder.wait_for_number(20)
        recorder.take(observation(1, 0.2, [(1, "happy")]))
        while not recorder.notes:
            time.sleep(0.001)
        monkeypatch.setattr(recording, "LAST_HOLD", 0.05)
        with pytest.raises(StoreBusyError, match=r"does not answer\. What was seen from 0 s on is lost"):
            recorder.finish("complete", [])
        monkeypatch.setattr(recording, "LIVE_HOLD", 0.0)
        with pytest.raises(StoreBusyError, match="does not answer"):
            recorder.take(observation(2, 0.4, [(1, "happy")]))
        silent.set()


def test_a_store_that_is_held_before_the_first_frame_is_told_at_once(
    file_store: LessonStore, lesson: LessonOf, observation: Seen
) -> None:
    recorder = Recorder(file_store, lesson(number=0), 0.2, live=True)
    with contextlib.closing(sqlite3.connect(file_store.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder.take(observation(0, 0.0, [(1, "happy")]))
        began = time.monotonic()
        recorder.keep_due()
        assert time.monotonic() - began < 15  # of the 30 seconds that others wait
        assert "database is locked" in recorder.notes[-1] and recorder.number == 0
        other.execute("COMMIT")
    recorder.finish("complete", [])
    assert file_store.readings(recorder.lesson).times.tolist() == [0.0]


def test_a_lesson_that_breaks_off_writes_what_is_held(
    file_store: LessonStore, lesson: LessonOf, observation: Seen
) -> None:
    recorder = Recorder(file_store, lesson(number=0), 0.2)
    for index in range(3):
        recorder.take(observation(index, index / 5, [(1, "happy")]))
    recorder.abandon(["The camera was moved.", "It broke off here."])
    kept = file_store.numbered(recorder.number)
    assert (kept.state, kept.notes) == ("stopped", ("The camera was moved.", "It broke off here."))
    assert file_store.readings(kept).times.tolist() == [0.0, 0.2, 0.4]


def test_a_lesson_that_breaks_off_says_what_was_lost(
    file_store: LessonStore, lesson: LessonOf, observation: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LessonStore.append

    def fail(self: LessonStore, record: Lesson, seen: Any, **how: Any) -> None:
        if seen:
            raise StoreError("it does not fit")
        append(self, record, seen, **how)

    recorder = Recorder(file_store, lesson(number=0), 0.2)
    for index in range(12):
        recorder.take(observation(index, float(index), [(1, "happy")]))
    monkeypatch.setattr(LessonStore, "append", fail)
    recorder.abandon(["The camera was moved.", "It broke off here."])
    kept = file_store.numbered(recorder.number)
    assert kept.notes == ("The camera was moved.", "It broke off here.", "What was seen from 1 s on was lost.")


def test_notes_are_written_with_what_they_are_about(
    file_store: LessonStore, lesson: LessonOf, observation: Seen, away: Away
) -> None:
    recorder = Recorder(file_store, lesson(number=0), 0.2)
    recorder.take(observation(0, 0.0, [(1, "happy")]))
    recorder.told = ("The camera was moved.",)
    recorder.take(observation(1, 0.2, [(1, "happy")]))
    kept = file_store.numbered(recorder.number)  # as a kill would leave it
    assert (kept.state, kept.notes) == ("running", ("The camera was moved.",))
    away(True)
    recorder.take(observation(2, 0.4, [(1, "happy")]))
    away(False)
    recorder.take(observation(3, 0.6, [(1, "happy")]))
    moved, outage = file_store.numbered(recorder.number).notes
    assert moved == "The camera was moved." and "could not be written from 0 s" in outage


@pytest.mark.parametrize("nth", [1, 2], ids=["of the lesson itself", "of later frames"])
def test_an_answer_that_is_lost_makes_nothing_twice(
    postgres: Postgres, lesson: LessonOf, observation: Seen, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    store, count = LessonStore(postgres.new_store()), itertools.count(1)
    written, lost = lessons._write, [False]

    def write(*what: Any) -> None:
        written(*what)
        lost[0] = next(count) == nth

    def lose(connection: Any) -> None:
        """Stop on the way back from a COMMIT, which the server has done."""
        if lost[0]:
            lost[0] = False
            connection.connection.driver_connection.execute("COMMIT")
            raise store._engine.dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(lessons, "_write", write)
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)
    sa.event.listen(store._engine, "commit", lose)
    recorder = Recorder(store, lesson(number=0), 0.2)
    for index in range(4):
        recorder.take(observation(index, index / 5, [(1, "happy")]))
    recorder.finish("complete", [])
    (kept,) = store.lessons()
    assert store.readings(kept).times.tolist() == [0.0, 0.2, 0.4, 0.6] and len(store.readings(kept).seats) == 4
    (note,) = kept.notes
    assert "closed the connection" in note
