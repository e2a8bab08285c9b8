"""A store is checked, backed up and restored, and lessons that a killed program left open are ended."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from roomread.cli.main import main
from roomread.errors import OutputError, StoreError
from roomread.store.lessons import LessonStore
from roomread.store.retention import keep_days, set_keep_days
from roomread.store.schema import faces_table, frames_table, lessons_table
from roomread.store.upkeep import BROKEN_OFF, back_up, check_store, end_broken, restore, tidy
from roomread.types import Lesson, Observation

MakeLesson = Callable[..., Lesson]
MakeObservation = Callable[..., Observation]


def written(store: LessonStore, lesson: Lesson, ago: timedelta) -> None:
    moment = (datetime.now(UTC) - ago).isoformat(timespec="seconds")
    with store.transaction() as connection:
        here = lessons_table.c.number == lesson.number
        connection.execute(lessons_table.update().where(here).values(written=moment))


@pytest.fixture
def filled(tmp_path: Path, lesson: MakeLesson, observation: MakeObservation) -> LessonStore:
    """A store in a file, with two lessons."""
    store = LessonStore(tmp_path / "lessons.sqlite")
    for name in ("Monday", "Tuesday"):
        store.add(lesson(name=name), [observation(0, 0.0, [(1, "happy"), (2, None)]), observation(1, 0.2)])
    return store


def test_a_lesson_whose_program_was_killed_is_ended_with_a_note(store: LessonStore, lesson: MakeLesson) -> None:
    lost, paused, done = (
        store.add(lesson(name=name, state=state, notes=("One.",)))
        for name, state in (("lost", "running"), ("paused", "running"), ("done", "complete"))
    )
    for one, minutes in ((lost, 11), (paused, 9), (done, 99)):
        written(store, one, timedelta(minutes=minutes))
    assert end_broken(store) == [lost.number]
    ended = store.numbered(lost.number)
    assert (ended.state, ended.notes) == ("stopped", ("One.", BROKEN_OFF))
    assert [store.numbered(one.number).state for one in (paused, done)] == ["running", "complete"]
    assert end_broken(store) == []


def test_a_lesson_that_was_only_paused_for_long_runs_again_with_its_next_picture(
    store: LessonStore, lesson: MakeLesson, observation: MakeObservation
) -> None:
    kept = store.add(lesson(state="running"))
    written(store, kept, timedelta(hours=1))
    end_broken(store)
    store.append(kept, [observation(0, 0.0)])
    assert store.numbered(kept.number).state == "running"


def test_beginning_to_work_ends_what_was_broken_off_and_forgets_what_is_due(
    store: LessonStore, lesson: MakeLesson
) -> None:
    old = store.add(lesson(name="old", state="running", created="2001-01-01T00:00:00+00:00"))
    written(store, old, timedelta(hours=1))
    set_keep_days(store, 30)
    tidy(store)
    assert store.lessons() == []


def test_a_store_is_whole_until_something_is_missing(
    store: LessonStore, lesson: MakeLesson, observation: MakeObservation
) -> None:
    kept = store.add(lesson(), [observation(0, 0.0, [(1, "happy"), (2, None)])])
    assert check_store(store) == []
    with store.transaction() as connection:
        connection.execute(frames_table.delete().where(frames_table.c.lesson == kept.number))
    assert check_store(store) == ["2 faces belong to no frame."]


def test_a_damaged_file_is_told(filled: LessonStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert filled.file is not None
    with closing(sqlite3.connect(filled.file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert main(["store", "check", "--db", filled.name]) == 0
    assert capsys.readouterr().out == f"{filled.name}: 2 lessons, whole\n"
    with closing(sqlite3.connect(filled.file)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM lessons WHERE number = 1")
        connection.commit()
    assert main(["store", "check", "--db", filled.name]) == 1
    told = capsys.readouterr()
    assert told.err.count("belong to no lesson") == 1 and "damaged" in told.out and "store restore" in told.err


def test_a_backup_brings_back_what_was_deleted_and_keeps_what_was_there(
    filled: LessonStore, tmp_path: Path, lesson: MakeLesson, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "backup.sqlite"
    assert main(["store", "backup", str(backup), "--db", filled.name]) == 0
    assert backup.stat().st_mode & 0o777 == 0o600
    readings = filled.readings(filled.find("Monday"))
    filled.delete(filled.find("Monday"))
    filled.add(lesson(name="Wednesday"))
    assert main(["store", "restore", str(backup), "--db", filled.name]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main(["store", "restore", str(backup), "--db", filled.name, "--replace"]) == 0
    again = LessonStore(filled.name)
    assert [one.name for one in again.lessons()] == ["Tuesday", "Monday"]
    assert (again.readings(again.find("Monday")).boxes == readings.boxes).all()
    (beside,) = tmp_path.glob("lessons-replaced-*.sqlite")
    assert [one.name for one in LessonStore(beside).lessons()] == ["Wednesday", "Tuesday"]
    assert str(beside) in capsys.readouterr().out


def test_a_backup_taken_while_somebody_writes_is_of_one_moment(
    filled: LessonStore, tmp_path: Path, observation: MakeObservation
) -> None:
    with filled.transaction() as connection:
        connection.execute(faces_table.delete())  # not committed when the copy is made
        back_up(filled, tmp_path / "backup.sqlite")
    copy = LessonStore(tmp_path / "backup.sqlite")
    assert len(copy.readings(copy.find("Monday"))) == 2
    assert check_store(copy) == []


def test_no_backup_is_overwritten(filled: LessonStore, tmp_path: Path) -> None:
    (tmp_path / "backup.sqlite").write_bytes(b"precious")
    with pytest.raises(OutputError, match="is there already"):
        back_up(filled, tmp_path / "backup.sqlite")
    assert (tmp_path / "backup.sqlite").read_bytes() == b"precious"


def test_what_is_no_backup_replaces_nothing(filled: LessonStore, tmp_path: Path) -> None:
    assert filled.file is not None
    text, other = tmp_path / "text.sqlite", tmp_path / "other.sqlite"
    text.write_text("no store" * 100)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    for path, message in ((text, "is damaged"), (other, "no store of roomread"), (tmp_path / "none", "no backup")):
        with pytest.raises(StoreError, match=message):
            restore(path, filled.file, replace=True)
    assert len(LessonStore(filled.name).lessons()) == 2
    assert list(tmp_path.glob("lessons-replaced-*")) == []


def test_a_damaged_store_can_be_replaced(filled: LessonStore, tmp_path: Path) -> None:
    assert filled.file is not None
    back_up(filled, tmp_path / "backup.sqlite")
    filled.file.write_bytes(b"\0" * 10_000)
    moved = restore(tmp_path / "backup.sqlite", filled.file, replace=True)
    assert moved is not None and moved.read_bytes() == b"\0" * 10_000
    assert len(LessonStore(filled.name).lessons()) == 2


def test_a_store_in_use_is_not_replaced(filled: LessonStore, tmp_path: Path) -> None:
    assert filled.file is not None
    back_up(filled, tmp_path / "backup.sqlite")
    with filled.transaction() as connection:
        connection.execute(sa.select(lessons_table)).all()
        with pytest.raises(StoreError, match="is in use"):
            restore(tmp_path / "backup.sqlite", filled.file, replace=True)
    assert len(LessonStore(filled.name).lessons()) == 2


def test_a_store_whose_lesson_runs_is_not_replaced(filled: LessonStore, lesson: MakeLesson, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "backup.sqlite")
    runs = filled.add(lesson(name="Now", state="running"))
    with pytest.raises(StoreError, match=r"in use: lesson 3 runs, or .* last 10 minutes. Stop it, or wait"):
        restore(tmp_path / "backup.sqlite", tmp_path / "lessons.sqlite", replace=True)
    assert filled.numbered(3).name == "Now"
    written(filled, runs, timedelta(minutes=11))
    assert restore(tmp_path / "backup.sqlite", tmp_path / "lessons.sqlite", replace=True) is not None


@pytest.mark.parametrize("days", [30, None])
def test_for_how_long_lessons_are_kept_is_not_restored(filled: LessonStore, tmp_path: Path, days: int | None) -> None:
    set_keep_days(filled, 7)
    back_up(filled, tmp_path / "backup.sqlite")
    set_keep_days(filled, days)
    restore(tmp_path / "backup.sqlite", tmp_path / "lessons.sqlite", replace=True)
    assert keep_days(LessonStore(tmp_path / "lessons.sqlite")) == days
    restore(tmp_path / "backup.sqlite", tmp_path / "other.sqlite")
    assert keep_days(LessonStore(tmp_path / "other.sqlite")) == 7


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_store_and_its_copies_are_their_owners_alone(filled: LessonStore, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "backup.sqlite")
    restore(tmp_path / "backup.sqlite", tmp_path / "other.sqlite")
    made = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(made) >= 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}


def test_a_database_is_backed_up_by_its_own_tools(
    store: LessonStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if store.file is not None:
        pytest.skip("SQLite is copied by us")
    with pytest.raises(StoreError, match="pg_dump"):
        back_up(store, tmp_path / "backup")
    assert main(["store", "restore", str(tmp_path / "x"), "--db", "postgresql://me@host/rooms"]) == 1
    assert "pg_restore" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["check", "FILE"], ["backup"], ["restore"], ["backup", "FILE", "--replace"]])
def test_wrong_use_is_told(wrong: list[str], tmp_path: Path) -> None:
    assert main(["store", *wrong, "--db", str(tmp_path / "lessons.sqlite")]) == 1
    assert not (tmp_path / "lessons.sqlite").exists()


@pytest.mark.parametrize("what", [["check"], ["backup", "FILE"]])
def test_a_store_that_is_not_there_is_not_made_to_be_looked_after(
    what: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(tmp_path / part) if part == "FILE" else part for part in what]
    assert main(["store", *asked, "--db", str(tmp_path / "folder" / "typo.sqlite")]) == 1
    assert "There is no store" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_number_that_is_gone_deletes_no_lesson_that_is_named_so(
    filled: LessonStore, lesson: MakeLesson, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.add(lesson(name="1"))
    assert main(["delete", "1", "--db", filled.name]) == 0
    assert main(["delete", "1", "--db", filled.name]) == 1
    assert main(["retention", "1", "--until", "2030-01-01", "--db", filled.name]) == 1
    assert "There is no lesson 1" in capsys.readouterr().err
    assert [one.name for one in filled.lessons()] == ["1", "Tuesday"]


def test_a_command_that_is_refused_has_changed_nothing(filled: LessonStore) -> None:
    assert main(["retention", "1", "--until", "2030-01-01", "--days", "0", "--db", filled.name]) == 1
    assert filled.numbered(1).keep_until is None


def test_a_report_does_not_take_the_place_of_the_store(filled: LessonStore) -> None:
    assert main(["report", "last", "-o", filled.name, "--db", filled.name]) == 1
    assert len(LessonStore(filled.name).lessons()) == 2
