"""A lesson as it runs, with scripted faces."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.app import live, observing
from roomread.app.live import LiveLesson, LiveRequest, View
from roomread.app.observing import Observer
from roomread.app.watching import WatchSettings
from roomread.errors import SettingsError, StoreError
from roomread.store.lessons import LessonStore
from roomread.types import MARKER, N_EMOTIONS, N_SIGNALS, OK, TOO_FEW, Frame, Observation, Part, Tracks
from roomread.watch.livesource import LiveSettings
from roomread.watch.push import PushSource

SETTINGS = WatchSettings(every=0.2, source=LiveSettings(fps=1000.0))
PICTURE = np.random.default_rng(0).integers(0, 255, (90, 160, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make every frame hold seven faces; the function changes how many."""
    faces = [7]

    def observe(frames: Iterator[Frame], *_: object) -> Iterator[tuple[Frame, Observation]]:
        for frame in frames:
            n = faces[0]
            boxes = np.array([[20 * k, 10, 20 * k + 15, 30] for k in range(n)], np.float32).reshape(n, 4)
            tracks = Tracks(np.arange(1, n + 1), boxes, np.ones(n, np.float32))
            emotions = np.full((n, N_EMOTIONS), 1 / 7, np.float32)
            signals = np.full((n, N_SIGNALS), 0.5, np.float32)
            yield frame, Observation(frame.time, frame.index, tracks, emotions, np.ones(n, np.float32), signals)

    monkeypatch.setattr(observing, "observe", observe)
    return lambda n: faces.__setitem__(0, n)


class Room:
    """A running lesson into which pictures are pushed, half a second apart by their own clock."""

    def __init__(self, store: LessonStore, purpose: str = "self-study", reference: str | None = None) -> None:
        self.source = PushSource("page", SETTINGS.source)
        request = LiveRequest(name="Physics", purpose=purpose, reference=reference, settings=SETTINGS)
        self.lesson = LiveLesson(store, self.source, request)
        self.clock = 100.0

    def see(self, n: int = 1) -> View:
        """Push so many pictures, one after the other was looked at; return the newest view."""
        for _ in range(n):
            version = self.lesson.view().version
            self.clock += 0.5
            self.source.push(PICTURE, self.clock)
            view = self.lesson.wait(version, 10)
            assert view.version > version
        return view

    def until(self, state: str) -> View:
        """Wait for a state."""
        end = time.monotonic() + 10
        while (view := self.lesson.view()).state != state:
            assert time.monotonic() < end, view
            view = self.lesson.wait(view.version, 0.2)
        return view


@pytest.fixture
def room(store: LessonStore) -> Iterator[Room]:
    """A running lesson for self-study."""
    made = Room(store)
    yield made
    made.lesson.stop()


def test_a_lesson_is_seen_and_kept_as_it_runs(room: Room, store: LessonStore) -> None:
    assert room.lesson.view().state == "opening"
    view = room.see(5)
    assert (view.state, view.name, view.source, view.seats) == ("running", "Physics", "live", 7)
    assert view.glimpse is not None and view.glimpse.now.status[0] == OK
    assert [point[0] for point in view.course] == [0.0, 1.0, 2.0]
    assert 0 <= view.course[-1][1] <= 1 and view.delay >= 0
    number = room.lesson.stop()
    lesson = store.find(str(number))
    assert (lesson.state, lesson.name, lesson.source, lesson.purpose) == ("complete", "Physics", "page", "self-study")
    assert lesson.duration == pytest.approx(2.5)
    assert store.readings(lesson).times.tolist() == [0, 0.5, 1, 1.5, 2]
    assert lesson.made_with["settings"]["every"] == 0.2
    assert room.lesson.view().state == "ended" and room.lesson.over


def test_a_lesson_begins_with_its_first_picture_however_long_the_networks_take(
    store: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()

    class Slow(Observer):
        def __init__(self, *given: Any, **how: Any) -> None:
            loaded.wait(20)
            super().__init__(*given, **how)

    monkeypatch.setattr(live, "Observer", Slow)
    before = datetime.now(UTC)
    room = Room(store)
    room.source.push(PICTURE, 50.0)
    time.sleep(2.2)
    room.source.push(PICTURE, 52.2)
    loaded.set()
    room.until("running")
    began = datetime.fromisoformat(str(store.find(str(room.lesson.stop())).began))
    assert abs((began - before).total_seconds()) < 1.5


def test_too_few_faces_are_told_in_a_word(room: Room, scripted: Callable[[int], None]) -> None:
    scripted(4)
    view = room.see(4)
    assert view.glimpse is not None and view.glimpse.now.status[0] == TOO_FEW
    assert view.seats is None
    assert np.isnan(view.course[-1][1:]).all()


def test_research_with_a_reference_sees_few_seats_too(store: LessonStore, scripted: Callable[[int], None]) -> None:
    scripted(2)
    room = Room(store, "research", "IRB 7")
    assert room.see(4).seats == 2
    room.lesson.stop()


def test_markers_are_kept_at_the_newest_frame(room: Room, store: LessonStore) -> None:
    with pytest.raises(SettingsError, match="needs a running lesson"):
        room.lesson.mark("Too early")
    room.see(3)
    room.lesson.mark("  Question ")
    for wrong in ("", "  ", "x" * 201, "two\nlines"):
        with pytest.raises(SettingsError, match="marker's name cannot be used"):
            room.lesson.mark(wrong)
    assert room.lesson.view().markers == ((1.0, "Question"),)
    lesson = store.find(str(room.lesson.stop()))
    assert list(store.parts(lesson).values()) == [Part("Question", 1.0, 1.0, MARKER)]
    with pytest.raises(SettingsError):
        room.lesson.mark("Too late")


def test_nothing_of_a_pause_is_looked_at_or_kept(room: Room, store: LessonStore) -> None:
    room.see(2)
    room.lesson.pause(True)
    room.until("paused")
    for _ in range(3):
        room.clock += 0.5
        room.source.push(PICTURE, room.clock)
        time.sleep(0.05)
    assert room.lesson.outline() is None
    room.lesson.pause(False)
    room.see(2)
    lesson = store.find(str(room.lesson.stop()))
    assert store.readings(lesson).times.tolist() == [0, 0.5, 2.5, 3]
    assert any(note.startswith("Paused from") for note in lesson.notes)


def test_a_pause_in_which_no_picture_comes_is_noted_too(room: Room, store: LessonStore) -> None:
    room.see(3)
    room.lesson.pause(True)
    room.clock += 60
    room.lesson.pause(False)
    room.see(2)
    room.lesson.pause(True)
    lesson = store.find(str(room.lesson.stop()))
    assert [note for note in lesson.notes if "Paused" in note] == [
        "Paused from 1 s to 62 s.",
        "Paused from 62 s to the end.",
    ]


def test_what_was_seen_is_kept_although_nothing_new_comes(room: Room, store: LessonStore) -> None:
    room.see(4)
    end = time.monotonic() + 10
    while len(store.readings(store.find("last")).times) < 4:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_is_discarded_leaves_nothing(room: Room, store: LessonStore) -> None:
    room.see(3)
    room.lesson.mark("Question")
    assert store.lessons()
    assert room.lesson.stop(discard=True) == 0
    assert room.lesson.view().state == "discarded"
    assert store.lessons() == []


def test_nothing_seen_is_told_as_a_failure_and_leaves_no_lesson(room: Room, store: LessonStore) -> None:
    assert room.lesson.stop() == 0
    view = room.lesson.view()
    assert view.state == "failed"
    assert view.error == "No picture came from page before the lesson ended, so nothing of it is kept."
    assert store.lessons() == []


def test_a_full_disk_ends_the_lesson_in_words(room: Room, store: LessonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    room.see(2)

    def fail(*_: object, **how: object) -> None:
        raise StoreError("The store cannot be used: disk is full.")

    monkeypatch.setattr(store, "append", fail)
    assert room.lesson.stop() > 0
    view = room.lesson.view()
    assert view.state == "failed" and "disk is full" in view.error


def test_every_viewer_sees_the_same(room: Room) -> None:
    room.see(3)
    one, other = room.lesson.view(), room.lesson.wait(-1, 5)
    assert one.version == other.version and one.course == other.course
    assert room.lesson.wait(one.version, 0.05).version == one.version


def test_nobody_can_be_known_in_the_picture(room: Room) -> None:
    assert room.lesson.outline() is None
    room.see()
    found = room.lesson.outline()
    assert found is not None
    picture, faces = found
    with Pictures.open(io.BytesIO(picture)) as opened:
        assert max(opened.size) == 40
    assert faces[0] == pytest.approx((0, 10 / 90, 15 / 160, 1 / 3), abs=1e-3)  # and not whose seat it is
    assert all(0 <= side <= 1 for place in faces for side in place)


@pytest.mark.parametrize(
    "values", [{"name": ""}, {"name": "x" * 201}, {"purpose": "fun"}, {"purpose": "research", "reference": " "}]
)
def test_a_request_without_name_or_purpose_is_refused(values: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        LiveRequest(**{"name": "Physics", "purpose": "self-study", **values})  # type: ignore[arg-type]
