"""What goes wrong while a lesson runs: told once, at the cost of its own span, and the lesson opens and reports."""

from __future__ import annotations

import contextlib
import itertools
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from tests.postgres import find_postgres, running_postgres

from roomread.app import observing, recording
from roomread.app.analyze import LessonHandle, analyze
from roomread.app.live import LiveLesson, LiveRequest, View
from roomread.app.watching import WatchSettings
from roomread.errors import RoomreadError, StoreError
from roomread.store.lessons import LessonStore
from roomread.types import N_EMOTIONS, N_SIGNALS, NOT_ANALYSED, OK, Frame, Observation, Tracks
from roomread.watch import outages
from roomread.watch.livesource import LiveSettings
from roomread.watch.push import PushSource

Until = Callable[[Callable[[], object]], None]
PICTURE = np.random.default_rng(0).integers(0, 255, (90, 160, 3)).astype(np.uint8)
LARGER = np.random.default_rng(0).integers(0, 255, (120, 240, 3)).astype(np.uint8)


@pytest.fixture
def store(tmp_path: Path) -> LessonStore:
    """An empty store in a file, which is what can be held, filled and spoilt."""
    return LessonStore(tmp_path / "store" / "lessons.sqlite")


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of this machine, to be set; it stands still otherwise."""
    now = [1000.0]
    monkeypatch.setattr(outages, "now", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[Frame], None]]:
    """Make every frame hold six faces; what is in the list is called with each frame before."""
    steps: list[Callable[[Frame], None]] = []

    def observe(frames: Iterator[Frame], *_: object) -> Iterator[tuple[Frame, Observation]]:
        for frame in frames:
            for step in steps:
                step(frame)
            boxes = np.array([[20 * k, 10, 20 * k + 15, 30] for k in range(6)], np.float32)
            tracks = Tracks(np.arange(1, 7), boxes, np.ones(6, np.float32))
            emotions = np.full((6, N_EMOTIONS), 1 / 7, np.float32)
            signals = np.full((6, N_SIGNALS), 0.5, np.float32)
            yield frame, Observation(frame.time, frame.index, tracks, emotions, np.ones(6, np.float32), signals)

    monkeypatch.setattr(observing, "observe", observe)
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)
    return steps


class Room:
    """A running lesson; pictures come half a second apart by our clock, and by the sender's where it has one."""

    def __init__(
        self, store: LessonStore, ours: list[float], *, timed: bool = True, give_up: float | None = None
    ) -> None:
        self.store, self.ours = store, ours
        self.sender = 50.0 if timed else None
        self.source = PushSource("page", LiveSettings(fps=1000.0, give_up=give_up))
        settings = WatchSettings(every=0.2, source=self.source.settings)
        self.lesson = LiveLesson(
            store, self.source, LiveRequest(name="Physics", purpose="self-study", settings=settings)
        )

    def see(self, n: int = 1, picture: np.ndarray = PICTURE) -> View:
        """Push so many pictures, one after the other was looked at; return the newest view."""
        for _ in range(n):
            version = self.lesson.view().version
            self.ours[0] += 0.5
            self.sender = None if self.sender is None else self.sender + 0.5
            self.source.push(picture, self.sender)
            view = self.lesson.wait(version, 20)
            assert view.version > version, view
        return view

    def see_until_told(self, what: str) -> View:
        """Push pictures until a note says so; return the newest view."""
        for _ in range(400):
            view = self.see()
            if view.glimpse is not None and any(what in note for note in view.glimpse.notes):
                return view
            time.sleep(0.01)  # whoever writes is another thread
        raise AssertionError("it was never told")

    def settle(self, n: int, until: Until) -> None:
        """Wait until so many frames are in the store."""
        until(lambda: self.store.lessons(1) and len(self.store.readings(self.store.find("last")).times) == n)

    def sleep(self, seconds: float) -> None:
        """Let our clock run on while the sender's stands still, as in a sleep."""
        self.ours[0] += seconds

    def end(self, tmp_path: Path) -> tuple[list[float], list[str], str]:
        """Stop, open and report the lesson; return its times, its notes and the report."""
        handle = LessonHandle(self.store, self.lesson.stop())
        assert (handle.lesson.state, self.lesson.view().error) == ("complete", "")
        report = handle.report(tmp_path / "report.html").read_text(encoding="utf-8")
        notes = [note for note in handle.lesson.notes if "not looked at" not in note]
        return self.store.readings(handle.lesson).times.tolist(), notes, report


@pytest.fixture
def room(store: LessonStore, ours: list[float]) -> Iterator[Room]:
    made = Room(store, ours)
    yield made
    made.lesson.stop()


def test_while_another_program_holds_the_store_what_is_seen_is_held(room: Room, until: Until, tmp_path: Path) -> None:
    room.see(2)
    room.settle(2, until)
    with contextlib.closing(sqlite3.connect(room.store.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        view = room.see_until_told("Nothing can be written")
        assert view.state == "running" and view.glimpse is not None
        (note,) = view.glimpse.notes
        assert "Nothing can be written to the store since 1 s (database is locked)" in note
        other.execute("COMMIT")
    room.see(3)
    times, notes, report = room.end(tmp_path)
    assert times == [0.5 * k for k in range(len(times))] and len(times) >= 6
    (note,) = notes
    assert re.fullmatch(
        r"The store could not be written from 1 s to \d+ s \(database is locked\); nothing was lost\.", note
    )
    assert note in report


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "broken off"])
def test_a_database_server_that_begins_anew_costs_nothing(
    ours: list[float], how: signal.Signals, until: Until, tmp_path: Path
) -> None:
    with running_postgres(find_postgres()) as server:
        room = Room(LessonStore(server.new_store()), ours)
        try:
            room.see(2)
            room.settle(2, until)
            server.stop(how)
            view = room.see_until_told("Nothing can be written")
            assert view.state == "running" and view.glimpse is not None
            (note,) = view.glimpse.notes
            assert "Nothing can be written to the store since 1 s" in note
            server.start()
            room.see(3)
            times, notes, _ = room.end(tmp_path)
        finally:
            room.lesson.stop()
    assert times == [0.5 * k for k in range(len(times))] and len(times) >= 6
    (note,) = notes
    assert re.fullmatch(r"The store could not be written from 1 s to \d+ s \(.+\); nothing was lost\.", note)


@pytest.fixture
def full(store: LessonStore) -> Iterator[list[bool]]:
    """Whether the disk is full: whatever makes the store grow fails then."""
    now = [False]

    def prepare(connection: sqlite3.Connection, _: object) -> None:
        if now[0]:
            connection.execute("PRAGMA max_page_count = 1")  # SQLite raises it to what the file has already

    sa.event.listen(store._engine, "connect", prepare)
    yield now
    now[0] = False


def test_a_disk_that_is_full_for_a_while_costs_nothing(room: Room, full: list[bool], tmp_path: Path) -> None:
    room.see(2)
    full[0] = True
    room.see_until_told("Nothing can be written")
    n = len(room.see(2).course)
    full[0] = False
    room.see(2)
    times, notes, report = room.end(tmp_path)
    assert times == [0.5 * k for k in range(len(times))] and n > 0
    (note,) = notes
    assert "is full); nothing was lost." in note and note in report


def test_a_disk_that_stays_full_ends_the_lesson_in_words(
    room: Room, full: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LAST_HOLD", 0.1)
    room.see(2)
    full[0] = True
    room.see_until_told("Nothing can be written")
    number = room.lesson.stop()
    view = room.lesson.view()
    assert view.state == "failed" and "is full" in view.error and "Free disk space" in view.error
    full[0] = False
    handle = LessonHandle(room.store, number)
    assert handle.summary().n_seats == 6 and handle.report(tmp_path / "report.html").is_file()


def test_a_disk_that_is_full_for_too_long_ends_the_lesson(
    room: Room, full: list[bool], until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LIVE_HOLD", 0.3)
    room.see(2)
    full[0] = True
    with contextlib.suppress(AssertionError, RoomreadError):
        room.see_until_told("not this")
    until(lambda: room.lesson.over)
    assert "is full" in room.lesson.view().error


def test_an_analysis_waits_for_a_store_that_is_held(
    clip: Path, store: LessonStore, scripted: list[Callable[[Frame], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "WAIT", 0.01)
    with contextlib.closing(sqlite3.connect(store.name, isolation_level=None)) as other:
        count = itertools.count()

        def hold(_: Frame) -> None:
            number = next(count)
            if number in (2, 6):
                other.execute("BEGIN IMMEDIATE" if number == 2 else "COMMIT")

        scripted.append(hold)
        lesson = analyze(clip, purpose="self-study", db=store.name).lesson
    assert lesson.state == "complete" and len(store.readings(lesson).times) == 15
    (note,) = lesson.notes
    assert "(database is locked); nothing was lost." in note


@pytest.mark.parametrize("timed", [True, False], ids=["the browser's camera", "a camera of this machine"])
def test_a_sleep_of_ten_minutes_is_a_gap(store: LessonStore, ours: list[float], timed: bool, tmp_path: Path) -> None:
    room = Room(store, ours, timed=timed, give_up=60.0)  # it counts waking time
    room.see(20)
    room.sleep(600)
    view = room.see(20)
    assert view.state == "running" and view.glimpse is not None and view.glimpse.now.status[0] == OK
    times, notes, report = room.end(tmp_path)
    assert times == [*(0.5 * k for k in range(20)), *(610 + 0.5 * k for k in range(20))]
    assert len(notes) == 1 and notes[0].startswith("No picture from ") and notes[0] in report
    handle = LessonHandle(store, 1)
    assert handle.lesson.duration == pytest.approx(635, abs=2)  # a last frame lasts as long as they lie apart
    line = handle.summary().timeline
    inside = (line.starts > 10) & (line.starts + line.bin_seconds < 610)
    assert inside.sum() > 10 and set(line.status[inside]) == {NOT_ANALYSED}
    assert np.isnan(line.engagement[inside]).all() and np.isnan(line.seats[inside]).all()


@pytest.mark.parametrize("jump", [-3600.0, 3600.0], ids=["back", "forth"])
def test_a_page_whose_clock_was_set_goes_on_where_it_was(room: Room, jump: float, tmp_path: Path) -> None:
    room.see(3)
    assert room.sender is not None
    room.sender += jump  # a page that is loaded again takes its beginning from the clock on the wall
    room.see(3)
    times, notes, _ = room.end(tmp_path)
    assert times == [0, 0.5, 1, 1.5, 2, 2.5] and notes == []


def test_a_picture_that_changes_its_size_is_told_and_the_lesson_goes_on(room: Room, tmp_path: Path) -> None:
    room.see(3)
    view = room.see(3, LARGER)
    assert view.state == "running"
    times, (note,), report = room.end(tmp_path)
    assert len(times) == 6 and "from 160 x 90 to 240 x 120 pixels" in note and note in report


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_program_is_told_and_what_was_kept_stays(
    room: Room, scripted: list[Callable[[Frame], None]], until: Until, tmp_path: Path
) -> None:
    room.see(2)
    room.lesson.pause(True)
    room.lesson.pause(False)
    room.see(1, LARGER)

    def fail(_: Frame) -> None:
        raise ZeroDivisionError

    scripted.append(fail)
    room.source.push(PICTURE, 100.0)
    until(lambda: room.lesson.over)
    view = room.lesson.view()
    assert (view.state, view.error) == ("failed", "It broke off by a fault in this program. Please report it.")
    handle = LessonHandle(room.store, room.lesson.stop())
    assert handle.lesson.state == "stopped"
    for what in ("to 240 x 120 pixels", "Paused from 0 s to 1 s.", "broke off"):  # the notes before it stay too
        assert any(what in note for note in handle.lesson.notes), what
    assert handle.report(tmp_path / "report.html").is_file() and handle.summary().n_seats == 6


def test_what_cannot_be_discarded_is_not_said_to_be_gone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.see(2)

    def fail(*_: object) -> None:
        raise StoreError("The store is locked.")

    monkeypatch.setattr(room.store, "delete", fail)
    room.lesson.stop(discard=True)
    view = room.lesson.view()
    assert view.state == "failed" and "still there. The store is locked." in view.error


def test_the_live_clock_runs_as_fast_as_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    before = outages.now(), time.monotonic()
    time.sleep(0.05)
    after = outages.now(), time.monotonic()
    assert after[0] - before[0] == pytest.approx(after[1] - before[1], abs=0.02)
