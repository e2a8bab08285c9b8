"""Recordings are analysed one after the other, across restarts, and no copy stays."""

from __future__ import annotations

import stat
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Postgres

from roomread.app import queue as queues
from roomread.app import recording
from roomread.app.queue import BROKEN, DELETED, KEPT, LOST, ONCE_MORE, RecordingQueue
from roomread.errors import ModelError, RecordingNotFoundError, SettingsError, SourceError, StoreBusyError
from roomread.store.lessons import LessonStore
from roomread.store.recordings import Recording, Recordings

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def queue(store: LessonStore) -> Iterator[RecordingQueue]:
    made = RecordingQueue(store)
    yield made
    made.close()


def give(queue: RecordingQueue, clip: Path, name: str = "room.mp4", **about: Any) -> Recording:
    """Put a copy of the clip into the queue, as an upload does."""
    asked = Recording(**{"name": name, "purpose": "research", "reference": None, "settings": {"fps": 5.0}, **about})
    with queue.upload() as upload:
        upload.write(clip.read_bytes())
        return queue.add(upload, asked)


def files(queue: RecordingQueue) -> set[str]:
    return {path.name for path in queue.spool.folder.iterdir()} - {"lock"}


def state(queue: RecordingQueue, number: int = 1) -> str:
    return queue.rows.find(number).state


def test_a_recording_becomes_a_lesson_and_its_copy_is_deleted(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    before = clip.read_bytes(), clip.stat().st_mtime_ns
    seen: list[int] = []

    def step(number: int) -> None:
        (copy,) = files(queue)
        seen.append(stat.S_IMODE((queue.spool.folder / copy).stat().st_mode))
        assert copy == "1"

    looking.step = step
    made = give(queue, clip, "7b Tuesday.mp4", reference="EC 12/26")
    until(lambda: state(queue) == "done" and not files(queue))
    row = queue.rows.find(made.number)
    (lesson,) = queue.store.lessons()
    assert (lesson.name, lesson.source, lesson.state) == ("7b Tuesday", "7b Tuesday.mp4", "complete")
    assert (lesson.purpose, lesson.reference, lesson.made_with["settings"]["fps"]) == ("research", "EC 12/26", 5.0)
    assert row.lesson == lesson.number and row.done == row.length == pytest.approx(3.0, abs=0.2)
    assert (clip.read_bytes(), clip.stat().st_mtime_ns) == before
    if sys.platform != "win32":
        assert set(seen) == {0o600}
        assert stat.S_IMODE(queue.spool.folder.stat().st_mode) == 0o700


def test_recordings_are_analysed_in_the_order_in_which_they_came(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    go = threading.Event()
    looking.step = lambda number: go.wait(20) or None
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        give(queue, clip, name)
    until(lambda: [state(queue, number) for number in (1, 2, 3)] == ["running", "waiting", "waiting"])
    assert files(queue) == {"1", "2", "3"}
    go.set()
    until(lambda: not files(queue))
    assert [lesson.name for lesson in queue.store.lessons()] == ["c", "b", "a"]


def test_a_recording_that_was_cut_short_by_the_end_begins_anew_with_the_next_start(
    store: LessonStore, clip: Path, looking: Any, until: Until
) -> None:
    first = RecordingQueue(store)
    reached, go = threading.Event(), threading.Event()

    def step(number: int) -> None:
        if number == 3:
            reached.set()
            go.wait(20)

    looking.step = step
    give(first, clip)
    assert reached.wait(20)
    assert [lesson.state for lesson in store.lessons()] == ["running"]
    closing = threading.Thread(target=first.close)
    closing.start()
    until(lambda: first._closing)
    go.set()
    closing.join()
    assert (state(first), store.lessons(), files(first)) == ("waiting", [], {"1"})
    second = RecordingQueue(LessonStore(store.name))
    assert second.start()
    until(lambda: state(second) == "done" and not files(second))
    assert [lesson.state for lesson in store.lessons()] == ["complete"]
    second.close()


def test_after_a_kill_half_made_lessons_and_stray_files_go_and_lost_ones_are_told(
    store: LessonStore, clip: Path, looking: Any, until: Until, lesson: Callable[..., Any]
) -> None:
    half, cancelled, kept = (store.add(lesson(state="running", name=name)) for name in ("half", "cancelled", "1"))
    rows = Recordings(store)
    queue = RecordingQueue(store)
    assert queue.spool.own()
    about: dict[str, Any] = {"purpose": "self-study", "reference": None, "settings": {"fps": 5.0}}
    about["spool"] = queue.spool.key
    rows.add(Recording(name="half.mp4", state="running", done=2.0, lesson=half.number, **about))
    rows.add(Recording(name="cancelled.mp4", state="cancelled", lesson=cancelled.number, **about))
    rows.add(Recording(name="lost.mp4", state="running", **about))
    for name in ("1", "2", "77", "in-abc"):
        queue.spool.file(0).with_name(name).write_bytes(clip.read_bytes())
    assert queue.start()
    until(lambda: state(queue, 1) == "done" and not files(queue))
    assert rows.find(3).state == "failed" and rows.find(3).message == LOST
    assert {one.name for one in store.lessons()} == {"half", "1"}  # the half one anew, and what is none of the queue's
    assert kept.number in {one.number for one in store.lessons()}
    assert rows.find(2).lesson is None
    queue.close()


def test_a_recording_names_its_lesson_as_soon_as_there_is_one(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill at any moment leaves no lesson that belongs to nobody."""
    add, named = queue.store.add, list[tuple[int, int | None]]()

    def look(*given: Any, **how: Any) -> Any:
        made = add(*given, **how)
        named.append((made.number, queue.rows.find(1).lesson))
        return made

    monkeypatch.setattr(queue.store, "add", look)
    give(queue, clip)
    until(lambda: state(queue) == "done")
    (lesson,) = queue.store.lessons()
    assert named == [(lesson.number, lesson.number)]


def test_what_is_cancelled_while_it_is_analysed_leaves_neither_copy_nor_lesson(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    reached, go = threading.Event(), threading.Event()

    def step(number: int) -> None:
        if number == 2:
            reached.set()
            go.wait(20)

    looking.step = step
    give(queue, clip, "a.mp4")
    give(queue, clip, "b.mp4")
    give(queue, clip, "c.mp4")
    assert reached.wait(20)
    for number in (1, 2):  # the one that runs, and one that waits
        found = queue.remove(number)
        assert found is not None and found.state == "cancelled"
    go.set()
    until(lambda: state(queue, 3) == "done" and not files(queue))
    assert [lesson.name for lesson in queue.store.lessons()] == ["c"]
    assert [state(queue, number) for number in (1, 2)] == ["cancelled", "cancelled"]
    assert queue.remove(1) is None and queue.remove(3) is None
    assert [row.number for row in queue.rows.all()] == [2]
    assert [lesson.name for lesson in queue.store.lessons()] == ["c"]  # forgetting a row keeps its lesson
    with pytest.raises(RecordingNotFoundError, match="no recording 3"):
        queue.remove(3)


def test_a_failure_is_told_without_folders_and_the_next_one_is_analysed(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    def step(number: int) -> None:
        if queue.rows.find(1).state == "running":
            raise ModelError(f"{queue.spool.file(1)} is too much beside {queue.spool.file(7)}.")

    looking.step = step
    give(queue, clip, "a.mp4")
    give(queue, clip, "b.mp4")
    until(lambda: state(queue, 2) == "done" and not files(queue))
    beside = Path(queue.spool.folder.name, "7")
    assert queue.rows.find(1).message == f"a.mp4 is too much beside {beside}."
    assert [lesson.name for lesson in queue.store.lessons()] == ["b"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_something_unforeseen_ends_one_analysis_and_not_the_queue(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    def step(number: int) -> None:
        if number == 4 and queue.rows.find(1).state == "running":
            raise ZeroDivisionError

    looking.step = step
    give(queue, clip, "a.mp4")
    give(queue, clip, "b.mp4")
    until(lambda: state(queue, 2) == "done" and not files(queue))
    assert (state(queue, 1), queue.rows.find(1).message) == ("failed", BROKEN)
    assert [lesson.name for lesson in queue.store.lessons()] == ["b"]


def test_progress_is_written_as_it_goes_and_at_most_once_a_second(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    update = Recordings.update

    def count(self: Recordings, number: int, **values: Any) -> None:
        if "done" in values and "state" not in values:
            told.append(values["done"])
        update(self, number, **values)

    monkeypatch.setattr(Recordings, "update", count)
    give(queue, clip)
    until(lambda: state(queue) == "done")
    assert told == [0.0]
    monkeypatch.setattr(queues, "TELL_EVERY", 0.0)
    give(queue, clip)
    until(lambda: state(queue, 2) == "done")
    assert len(told) == 1 + 15 and told[1:] == sorted(told[1:])


def test_recordings_wait_while_a_lesson_runs(store: LessonStore, clip: Path, looking: Any, until: Until) -> None:
    busy = threading.Event()
    busy.set()
    queue = RecordingQueue(store, held=busy.is_set)
    steps: list[int] = []
    looking.step = steps.append
    give(queue, clip)
    until(lambda: steps)
    assert state(queue) == "running" and steps == [0]
    busy.clear()
    until(lambda: state(queue) == "done")
    assert len(steps) == 15
    queue.close()


def test_one_process_at_a_time_works_on_the_recordings(
    queue: RecordingQueue, clip: Path, looking: Any, store: LessonStore, until: Until
) -> None:
    assert queue.start()
    other = RecordingQueue(LessonStore(store.name))
    assert not other.start()
    with pytest.raises(SettingsError, match="Another roomread"):
        other.upload()
    assert other.rows.all() == []
    queue.close()
    give(other, clip)  # it takes over as soon as it can
    until(lambda: state(other) == "done")
    other.close()


@pytest.mark.parametrize(
    "content", [b"", b"Dear diary\n" * 500, bytes(range(256)) * 40], ids=["empty", "text", "noise"]
)
def test_what_is_no_video_is_refused_by_its_content(queue: RecordingQueue, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "diary.mp4").write_bytes(content)
    with pytest.raises(SourceError, match=r"^diary\.mp4 ") as told:
        give(queue, tmp_path / "diary.mp4", "diary.mp4")
    assert str(queue.spool.folder) not in str(told.value)
    assert files(queue) == set() and queue.rows.all() == []


@pytest.mark.parametrize("content", ["ffconcat version 1.0\nfile room.mp4\n", "#EXTM3U\n#EXTINF:3\nroom.mp4\n"])
def test_a_list_that_names_other_files_is_no_video(queue: RecordingQueue, clip: Path, content: str) -> None:
    clip.with_name("list.mp4").write_text(content)
    with pytest.raises(SourceError, match="cannot be opened as a video"):
        give(queue, clip.with_name("list.mp4"))


def test_two_machines_on_one_store_leave_each_others_recordings_alone(
    postgres: Postgres, clip: Path, looking: Any, until: Until, tmp_path: Path
) -> None:
    db = postgres.new_store()
    here, there = (RecordingQueue(LessonStore(db), tmp_path / name) for name in ("here", "there"))
    go = threading.Event()
    looking.step = lambda number: go.wait(20) or None
    given = give(here, clip, "here.mp4")
    until(lambda: state(here) == "running")
    assert there.start() and there.spool.key not in ("", here.spool.key)
    assert [row.number for row in there.rows.all()] == [given.number] and files(there) == set()
    with pytest.raises(SettingsError, match=r"here\.mp4 is on another machine"):
        there.remove(given.number)
    assert state(here) == "running"
    give(there, clip, "there.mp4")
    until(lambda: state(there, 2) == "running")
    go.set()
    until(lambda: state(here) == state(here, 2) == "done")
    assert sorted(lesson.name for lesson in here.store.lessons()) == ["here", "there"]
    again, key = RecordingQueue(LessonStore(db), tmp_path / "here"), here.spool.key
    for queue in (here, there):
        queue.close()
    assert again.start() and again.spool.key == key
    again.close()


def test_a_store_that_was_busy_at_the_first_frame_loses_no_lesson(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, calls = queue.store.add, list[int]()

    def busy(*given: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise StoreBusyError("The store cannot be used: database is locked.")
        return add(*given, **how)

    monkeypatch.setattr(queue.store, "add", busy)
    made = give(queue, clip)
    until(lambda: state(queue) == "done" and not files(queue))
    (lesson,) = queue.store.lessons()
    assert len(calls) == 2 and queue.rows.find(made.number).lesson == lesson.number


def test_a_store_that_is_away_for_a_while_costs_no_recording(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "AGAIN", 0.01)
    monkeypatch.setattr(queues, "TELL_EVERY", 0.0)
    update, failed = Recordings.update, Counter[str]()

    def away(self: Recordings, number: int, **values: Any) -> None:
        what = values.get("state", "progress")
        failed[what] += 1
        if failed[what] <= 3:
            raise StoreBusyError("The store cannot be used: the server is away.")
        update(self, number, **values)

    monkeypatch.setattr(Recordings, "update", away)
    made = give(queue, clip)
    until(lambda: state(queue) == "done" and not files(queue))
    (lesson,) = queue.store.lessons()
    assert lesson.state == "complete" and queue.rows.find(made.number).lesson == lesson.number
    assert min(failed[what] for what in ("running", "progress", "done")) > 3
    threads = [thread for thread in threading.enumerate() if thread.name == "recordings"]
    assert len(threads) <= 1


@pytest.fixture
def full(queue: RecordingQueue, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While it is set, the store has no room for a lesson."""
    add, full = queue.store.add, threading.Event()

    def fail(*given: Any, **how: Any) -> Any:
        if full.is_set():
            raise StoreBusyError("The store cannot be used: database or disk is full.")
        return add(*given, **how)

    monkeypatch.setattr(recording, "HOLD", 0.0)
    monkeypatch.setattr(queue.store, "add", fail)
    full.set()
    return full


def test_a_store_that_stays_full_is_told_and_the_copy_is_kept_to_be_tried_again(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, full: threading.Event
) -> None:
    told: list[str] = []
    looking.step = lambda number: told.append(queue.rows.find(1).message) if number == 0 else None
    give(queue, clip)
    until(lambda: state(queue) == "failed")
    assert told == ["", f"The store cannot be used: database or disk is full. {ONCE_MORE}"]
    row = queue.rows.find(1)
    assert row.message == f"The store cannot be used: database or disk is full. {KEPT}"
    assert files(queue) == {"1"} and queue.keeps(row) and queue.store.lessons() == []
    queue.close()
    assert queue.start() and files(queue) == {"1"}  # it outlasts a restart
    full.clear()
    assert queue.try_again(1).state == "waiting"
    until(lambda: state(queue) == "done" and not files(queue))
    assert queue.rows.find(1).message == "" and len(queue.store.lessons()) == 1
    with pytest.raises(SettingsError, match=r"room\.mp4 cannot be tried again, as no copy"):
        queue.try_again(1)


def test_a_copy_that_is_kept_goes_with_its_recording(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, full: threading.Event
) -> None:
    give(queue, clip)
    until(lambda: state(queue) == "failed")
    assert files(queue) == {"1"}
    assert queue.remove(1) is None and files(queue) == set() and queue.rows.all() == []


def test_a_lesson_that_is_deleted_while_it_is_made_costs_no_recording(
    queue: RecordingQueue, clip: Path, looking: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)

    def delete(number: int) -> None:
        if number == 5:
            store = LessonStore(queue.store.name)  # as `roomread delete` does
            store.delete(store.find("last"))

    looking.step = delete
    give(queue, clip)
    until(lambda: state(queue) == "failed")
    assert queue.rows.find(1).message == DELETED
    assert files(queue) == {"1"} and queue.store.lessons() == []
    looking.step = lambda number: None
    queue.try_again(1)
    until(lambda: state(queue) == "done" and not files(queue))
    assert len(queue.store.lessons()) == 1
