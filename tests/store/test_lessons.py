"""Lessons and their observations, kept and read back."""

from __future__ import annotations

import dataclasses
import math
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from numpy.testing import assert_array_equal

from roomread.errors import LessonNotFoundError, StoreError
from roomread.store.engine import default_store
from roomread.store.lessons import LessonStore
from roomread.store.schema import VERSION, folded
from roomread.types import ACTIVITY, MARKER, NO_SEAT, SIGNALS, Lesson, Observation, Part

MakeLesson = Callable[..., Lesson]
MakeObservation = Callable[..., Observation]


def query(path: Path, text: str) -> list[Any]:
    """Return the rows of one SQL statement, past the store's own code."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(text).fetchall()
        connection.commit()
    return rows


def ask(store: LessonStore, text: str) -> list[Any]:
    """Return the rows of one SQL statement on a store of either kind."""
    with store.transaction() as connection:
        found = connection.exec_driver_sql(text)
        return [tuple(row) for row in found] if found.returns_rows else []


@pytest.fixture
def pragma() -> Iterator[Callable[[str], None]]:
    """A function that sets a SQLite pragma on every connection from now on."""
    listeners = []

    def switch(text: str) -> None:
        def prepare(connection: Any, _: Any) -> None:
            connection.execute(f"PRAGMA {text}")

        sa.event.listen(sa.pool.Pool, "connect", prepare)
        listeners.append(prepare)

    yield switch
    for listener in listeners:
        sa.event.remove(sa.pool.Pool, "connect", listener)


@pytest.fixture
def observations(observation: MakeObservation) -> list[Observation]:
    """Four frames, the second without a face, with readable, unreadable and unseated faces."""
    return [
        observation(3, 0.1, [(1, "happy"), (2, None)]),
        observation(6, 0.2),
        observation(9, 0.30000000000000004, [(2, [0.1, 0.2, 0.05, 0.05, 0.3, 0.2, 0.1]), (NO_SEAT, None)]),
        observation(12, 0.4, [(7, "sad")]),
    ]


def test_a_new_store_is_empty_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "lessons.sqlite"
    assert LessonStore(path).lessons() == []
    assert path.is_file()


def test_opening_a_store_twice_keeps_what_is_in_it(store: LessonStore, lesson: MakeLesson) -> None:
    kept = store.add(lesson())
    assert LessonStore(store.name).lessons() == [kept]
    assert ask(store, "SELECT version FROM store") == [(VERSION,)]


def test_the_default_store_lies_in_the_users_data() -> None:
    assert default_store().name == "lessons.sqlite"
    assert "roomread" in default_store().parts


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="ordinary"),
        pytest.param({"reference": "EC 12/26", "sample": True, "began": "2026-11-22T09:15:00+01:00"}, id="everything"),
        pytest.param({"name": "Größe ✓ 'quoted'", "notes": ("one", "two"), "state": "stopped"}, id="words"),
        pytest.param({"duration": 0.30000000000000004, "made_with": {"a": {"b": [1, 2.5, None, "ü"]}}}, id="numbers"),
    ],
)
def test_a_lesson_comes_back_as_it_was_kept(store: LessonStore, lesson: MakeLesson, changes: dict[str, Any]) -> None:
    kept = store.add(lesson(number=99, **changes))
    assert kept == lesson(number=1, **changes)
    assert store.find("1") == kept
    assert isinstance(store.find("1").sample, bool)


def test_observations_come_back_exactly(
    store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    kept = store.add(lesson())
    store.append(kept, observations[:1])
    store.append(kept, observations[1:])
    back = store.readings(kept)
    assert_array_equal(back.times, [seen.time for seen in observations])
    assert_array_equal(back.frames, [0, 0, 2, 2, 3])
    assert_array_equal(back.seats, np.concatenate([seen.tracks.seats for seen in observations]))
    for name, parts in {
        "boxes": [seen.tracks.boxes for seen in observations],
        "scores": [seen.tracks.scores for seen in observations],
        "sharpness": [seen.sharpness for seen in observations],
        "emotions": [seen.emotions for seen in observations],
        "signals": [seen.signals for seen in observations],
    }.items():
        values = getattr(back, name)
        assert values.dtype == np.float32, name
        assert_array_equal(values, np.concatenate(parts), err_msg=name)
    assert np.isnan(back.emotions[[1, 3]]).all()


def test_a_lesson_of_frames_without_a_face_comes_back(
    store: LessonStore, lesson: MakeLesson, observation: MakeObservation
) -> None:
    kept = store.add(lesson())
    store.append(kept, [observation(0, 0.0), observation(1, 0.2)])
    back = store.readings(kept)
    assert_array_equal(back.times, [0.0, 0.2])
    assert back.emotions.shape == (0, 7)
    assert back.boxes.shape == (0, 4)


def test_a_lesson_without_a_frame_comes_back(store: LessonStore, lesson: MakeLesson) -> None:
    back = store.readings(store.add(lesson()))
    assert len(back) == 0
    assert len(back.times) == 0


def test_the_record_is_kept_as_it_stands_with_each_observation(
    store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    running = store.add(lesson(state="running", duration=0.0, width=0, height=0))
    done = dataclasses.replace(running, state="complete", duration=0.5, width=640, height=360, notes=("cut off",))
    store.append(done, observations)
    assert store.find("1") == done


def test_each_lesson_has_its_own_readings(
    store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    first, second = store.add(lesson(name="first")), store.add(lesson(name="second"))
    store.append(first, observations)
    store.append(second, observations[-1:])
    assert [len(store.readings(kept)) for kept in (first, second)] == [5, 1]
    assert_array_equal(store.readings(second).frames, [0])


def test_nothing_of_a_failed_append_is_kept(
    store: LessonStore, lesson: MakeLesson, observation: MakeObservation
) -> None:
    kept = store.add(lesson(state="running"))
    store.append(kept, [observation(0, 0.0, [(1, "happy")])])
    again = [observation(1, 0.2, [(1, "sad")]), observation(0, 0.4, [(1, "sad")])]  # frame 0 is there already
    with pytest.raises(StoreError, match="Nothing of this step was kept"):
        store.append(dataclasses.replace(kept, state="complete"), again)
    assert store.find("1").state == "running"
    assert_array_equal(store.readings(kept).times, [0.0])
    assert len(store.readings(kept)) == 1


def test_a_full_disk_is_a_store_error_and_loses_nothing(
    file_store: LessonStore, lesson: MakeLesson, observation: MakeObservation, pragma: Callable[[str], None]
) -> None:
    kept = file_store.add(lesson())
    file_store.append(kept, [observation(0, 0.0, [(1, "happy")])])
    pragma("max_page_count = 1")  # SQLite raises it to what the file has already
    many = [observation(index, index / 5, [(seat, "happy") for seat in range(1, 40)]) for index in range(1, 200)]
    with pytest.raises(StoreError, match=r"full.*what was stored before is untouched"):
        file_store.append(kept, many)
    assert_array_equal(file_store.readings(kept).times, [0.0])


def test_a_store_that_cannot_be_written_is_a_store_error(
    file_store: LessonStore, lesson: MakeLesson, pragma: Callable[[str], None]
) -> None:
    pragma("query_only = ON")
    with pytest.raises(StoreError, match=r"lessons\.sqlite cannot be used: .*readonly.*Free disk space, check"):
        file_store.add(lesson())


def test_lessons_are_listed_newest_first(store: LessonStore, lesson: MakeLesson) -> None:
    kept = [store.add(lesson(name=name)) for name in ("a", "b", "c")]
    assert store.lessons() == kept[::-1]


@pytest.mark.parametrize(
    ("key", "number"),
    [("2", 2), ("Monday", 1), ("last", 4), ("3", 3), ("77", 4)],
    ids=["number", "name", "last", "a number before a name", "a name that is a number"],
)
def test_a_lesson_is_found_by_number_name_or_as_the_last(
    store: LessonStore, lesson: MakeLesson, key: str, number: int
) -> None:
    for name in ("Monday", "Tuesday", "2", "77"):
        store.add(lesson(name=name))
    assert store.find(key).number == number


def test_a_name_that_several_lessons_have_is_refused_with_their_numbers(store: LessonStore, lesson: MakeLesson) -> None:
    for name in ("Monday", "Tuesday", "Monday"):
        store.add(lesson(name=name))
    with pytest.raises(LessonNotFoundError, match=r"Several lessons are named 'Monday'.*: 3, 1\."):
        store.find("Monday")


@pytest.mark.parametrize("key", ["5", "Sunday", "", "0", "-1"], ids=["number", "name", "empty", "zero", "negative"])
def test_a_lesson_that_is_not_there_is_refused(store: LessonStore, lesson: MakeLesson, key: str) -> None:
    store.add(lesson())
    with pytest.raises(LessonNotFoundError, match=f"There is no lesson '{key}' in .*roomread lessons"):
        store.find(key)


def test_an_empty_store_has_no_last_lesson(store: LessonStore) -> None:
    with pytest.raises(LessonNotFoundError, match="There is no lesson 'last'"):
        store.find("last")


def test_deleting_a_lesson_deletes_all_its_rows_and_no_others(
    store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    first, second = store.add(lesson(name="first")), store.add(lesson(name="second"))
    for kept in (first, second):
        store.append(kept, observations)
    store.delete(first)
    assert store.lessons() == [second]
    for table in ("frames", "faces"):
        assert ask(store, f"SELECT DISTINCT lesson FROM {table}") == [(second.number,)]
    assert len(store.readings(second)) == 5


def test_what_was_deleted_is_not_left_in_the_file(file_store: LessonStore, lesson: MakeLesson, tmp_path: Path) -> None:
    file_store.delete(file_store.add(lesson(name="Unmistakable")))
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Unmistakable" not in held


def test_the_number_of_a_deleted_lesson_is_not_given_again(store: LessonStore, lesson: MakeLesson) -> None:
    for _ in range(2):
        store.delete(store.add(lesson()))
    assert store.add(lesson()).number == 3


def test_a_deleted_lesson_takes_no_more_observations(
    store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    kept = store.add(lesson())
    store.delete(kept)
    with pytest.raises(StoreError):
        store.append(kept, observations)
    assert ask(store, "SELECT count(*) FROM faces") == [(0,)]


def make_old(store: LessonStore, version: int) -> None:
    """Give a store the tables that a version had."""
    known = {1: 0, 2: 7}.get(version, len(SIGNALS))
    gone = {"faces": [*SIGNALS[known:]], "lessons": ["keep_until", "written", "folded"], "store": ["keep_days"]}
    tables = ["codes"]
    if version < 4:
        gone["lessons"].append("remarks")
        tables += ["parts", "summaries", "recordings"]
    else:
        gone["recordings"] = ["spool"]
    for table, columns in gone.items():
        for column in columns:
            ask(store, f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in tables:
        ask(store, f"DROP TABLE {table}")
    ask(store, f"UPDATE store SET version = {version}")


@pytest.mark.parametrize(("version", "known"), [(1, 0), (2, 7), (3, 11), (4, 11)])
def test_a_store_of_an_earlier_version_keeps_what_it_has_and_takes_all_signals(
    version: int, known: int, store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    kept = store.add(lesson(), observations)
    before = store.readings(kept)
    make_old(store, version)
    again = LessonStore(store.name)
    after = again.readings(kept)
    assert_array_equal(after.emotions, before.emotions)
    assert_array_equal(after.signals[:, :known], before.signals[:, :known])
    assert np.isnan(after.signals[:, known:]).all()
    assert again.find("1").remarks == "" and again.parts(kept) == {}
    assert ask(store, "SELECT folded FROM lessons WHERE number = 1") == [(folded(kept.name, kept.source),)]
    assert_array_equal(again.readings(again.add(lesson(), observations)).signals, before.signals)
    assert ask(store, "SELECT version FROM store") == [(VERSION,)]


def at_once(work: str, *arguments: list[str]) -> list[subprocess.Popen[str]]:
    """Start a process for each list of arguments, and let all begin their work at the same moment."""
    begin = "import sys\nfrom tests.store.rooms import *\nprint(flush=True)\ninput()\n"
    about: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([sys.executable, "-c", begin + work, *each], **about) for each in arguments]
    for process in started:
        assert process.stdout is not None and process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return started


def ended_well(processes: list[subprocess.Popen[str]]) -> bool:
    for process in processes:
        process.communicate(timeout=60)
    return all(process.returncode == 0 for process in processes)


@pytest.mark.parametrize("version", [0, 1], ids=["empty", "version 1"])
def test_tables_are_made_and_changed_once_however_many_processes_begin(
    version: int, db: str, lesson: MakeLesson, observations: list[Observation]
) -> None:
    if version:
        store = LessonStore(db)
        store.add(lesson(), observations)
        make_old(store, version)
    assert ended_well(at_once("LessonStore(sys.argv[1]).add(record('new'))", *[[db]] * 4))
    store = LessonStore(db)
    assert ask(store, "SELECT version FROM store") == [(VERSION,)]
    assert len(store.lessons()) == 4 + (version > 0)


def test_several_rooms_write_at_once_while_somebody_reads(store: LessonStore) -> None:
    names = [f"room {room}" for room in range(3)]
    rooms = at_once("write_lesson(*sys.argv[1:])", *([store.name, name] for name in names))
    while any(room.poll() is None for room in rooms):
        for one in store.lessons():
            seen = store.readings(one)
            assert len(seen.times) % 4 == 0 and len(seen) == 5 * len(seen.times)  # whole pieces alone
    assert ended_well(rooms)
    found = store.lessons()
    assert sorted(one.name for one in found) == names
    assert {(one.state, len(store.readings(one))) for one in found} == {("complete", 400)}


def test_parts_of_a_lesson_are_kept_changed_and_removed_with_it(store: LessonStore, lesson: MakeLesson) -> None:
    kept, other = store.add(lesson()), store.add(lesson(name="other"))
    talk, bell = Part("Talk", 60.0, math.inf, ACTIVITY), Part("Bell", 30.0, 30.0, MARKER)
    first, second = store.add_parts(kept, [talk, bell])
    assert store.parts(kept) == {second: bell, first: talk} and list(store.parts(kept)) == [second, first]
    assert store.parts(other) == {}
    with pytest.raises(LessonNotFoundError, match=rf"Lesson {other.number} has no part {first}"):
        store.change_part(other, first, None)
    later = Part("Bell", 90.0, 90.0, MARKER)
    store.change_part(kept, second, later)
    assert list(store.parts(kept).values()) == [talk, later]
    store.change_part(kept, first, None)
    assert store.parts(kept) == {second: later}
    store.delete(kept)
    assert ask(store, "SELECT count(*) FROM parts") == [(0,)]


def test_a_lesson_gets_another_name_and_remarks(
    store: LessonStore, lesson: MakeLesson, observations: list[Observation]
) -> None:
    kept = store.add(lesson())
    renamed = store.rename(kept, "Physics", "Projector failed")
    store.append(kept, observations)  # which knows only the old record
    assert store.find("Physics") == renamed and renamed.remarks == "Projector failed"


def test_a_store_of_a_later_version_is_refused_and_not_changed(store: LessonStore) -> None:
    ask(store, f"UPDATE store SET version = {VERSION + 1}")
    ask(store, "DROP TABLE faces")  # a later version may keep its faces elsewhere
    with pytest.raises(StoreError, match=rf"later version.*version {VERSION} or earlier\. Received: {VERSION + 1}\."):
        LessonStore(store.name)
    with store.transaction() as connection:
        assert "faces" not in sa.inspect(connection).get_table_names()


def test_the_database_of_another_program_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    query(path, "CREATE TABLE places (url TEXT)")
    with pytest.raises(StoreError):
        LessonStore(path)
    assert query(path, "SELECT name FROM sqlite_master") == [("places",)]


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is a folder\. Expected: a file\. Use --db FILE"):
        LessonStore(tmp_path)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs a system with devices")
def test_a_device_is_no_store() -> None:
    with pytest.raises(StoreError, match=r"is a device, a pipe or a socket\. Expected: a file\. Use --db FILE"):
        LessonStore(Path("/dev/null"))


def test_a_store_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match=r"The folder .*taken cannot be made"):
        LessonStore(tmp_path / "taken" / "lessons.sqlite")


def test_a_file_that_is_no_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    path.write_bytes(b"not a database " * 200)
    with pytest.raises(StoreError, match=r"lessons\.sqlite cannot be used: file is not a database"):
        LessonStore(path)
    assert path.read_bytes() == b"not a database " * 200


def test_a_store_damaged_while_open_is_a_store_error(file_store: LessonStore, lesson: MakeLesson) -> None:
    file_store.add(lesson())
    Path(file_store.name).write_bytes(b"\0" * 4096)
    with pytest.raises(StoreError):
        file_store.lessons()
