"""Lessons whose time is over are forgotten, and no others."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa

from roomread.cli.main import main
from roomread.errors import SettingsError
from roomread.store.lessons import LessonStore
from roomread.store.retention import (
    due_lessons,
    forget_due,
    keep_days,
    kept_until,
    parse_day,
    set_keep_days,
    set_keep_until,
)
from roomread.store.schema import faces_table, lessons_table
from roomread.store.upkeep import tidy
from roomread.types import Lesson, Observation

MakeLesson = Callable[..., Lesson]
MADE = "2026-03-12T23:30:00+01:00"
LAST = date(2026, 4, 11)  # thirty days later


def test_nothing_is_forgotten_where_nobody_said_for_how_long(store: LessonStore, lesson: MakeLesson) -> None:
    store.add(lesson(created="1999-01-01T00:00:00+00:00"))
    assert keep_days(store) is None
    assert forget_due(store) == [] and len(store.lessons()) == 1


def test_a_lesson_goes_on_the_day_after_its_last_with_all_its_rows(
    store: LessonStore, lesson: MakeLesson, observation: Callable[..., Observation]
) -> None:
    kept = store.add(lesson(created=MADE), [observation(0, 0.0, [(1, "happy")])])
    set_keep_days(store, 30)
    assert kept_until(kept, keep_days(store)) == LAST
    assert forget_due(store, LAST) == []
    assert due_lessons(store, LAST.replace(day=12)) == [kept.number]
    assert forget_due(store, LAST.replace(day=12)) == [kept.number]
    with store.transaction() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(faces_table)) == 0


def test_a_lessons_own_last_day_counts_before_the_stores(store: LessonStore, lesson: MakeLesson) -> None:
    early, late, usual = (store.add(lesson(created=MADE, name=name)) for name in ("early", "late", "usual"))
    set_keep_days(store, 30)
    early, late = set_keep_until(store, early, date(2026, 3, 13)), set_keep_until(store, late, date(2030, 1, 1))
    assert store.find("early") == early and kept_until(late, 30) == date(2030, 1, 1)
    assert forget_due(store, date(2026, 3, 20)) == [early.number]
    assert forget_due(store, date(2029, 1, 1)) == [usual.number]
    late = set_keep_until(store, late, None)
    assert kept_until(late, None) is None and forget_due(store, date(2029, 1, 1)) == [late.number]


def test_a_lesson_that_runs_stays_and_one_that_broke_off_long_ago_does_not(
    store: LessonStore, lesson: MakeLesson
) -> None:
    running, dead = (store.add(lesson(created=MADE, state="running", name=name)) for name in ("running", "dead"))
    with store.transaction() as connection:
        here = lessons_table.c.number == dead.number
        connection.execute(lessons_table.update().where(here).values(written="2026-03-12T22:31:00+00:00"))
    set_keep_days(store, 1)
    assert forget_due(store) == []
    assert tidy(store) == [dead.number]
    store.append(dataclasses.replace(running, state="complete"), [])
    assert forget_due(store) == [running.number]


def test_what_was_forgotten_is_not_left_in_the_file(file_store: LessonStore, lesson: MakeLesson) -> None:
    file_store.add(lesson(name="Unmistakable", created=MADE))
    set_keep_days(file_store, 1)
    forget_due(file_store)
    assert file_store.file is not None
    assert b"Unmistakable" not in b"".join(path.read_bytes() for path in file_store.file.parent.iterdir())


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_a_number_of_days_that_cannot_be_meant_is_refused(store: LessonStore, days: int) -> None:
    with pytest.raises(SettingsError, match=f"Received: {days}"):
        set_keep_days(store, days)


def test_a_last_day_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"such as 2027-07-31\. Received: '31\.7\.2027'"):
        parse_day("31.7.2027")


def test_the_command_says_shows_and_runs(
    store: LessonStore, lesson: MakeLesson, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> str:
        assert main([*words, "--db", store.name]) == 0
        return capsys.readouterr().out

    store.add(lesson(created=MADE, name="old"))
    store.add(lesson(created=MADE, name="dear"))
    assert "until somebody deletes them" in run("retention")
    told = json.loads(run("retention", "dear", "--until", "2990-01-01", "--json"))
    assert told == {"days": None, "due": [], "deleted": [], "lesson": 2, "keep_until": "2990-01-01"}
    told = run("retention", "--days", "30")
    assert "for 30 days" in told and "Due: 1." in told and len(store.lessons()) == 2
    assert [one["kept_until"] for one in json.loads(run("lessons", "--json"))] == ["2990-01-01", "2026-04-11"]
    assert "2990-01-01  dear" in run("lessons") and "2026-04-11  old" in run("lessons")
    assert "Deleted: 1." in run("retention", "--run")
    assert "Lesson 2 is kept until 2990-01-02: dear" in run("retention", "dear", "--until", "2990-01-02")
    assert [one.name for one in store.lessons()] == ["dear"]
    assert "until somebody" in run("retention", "--keep-all")
    assert main(["retention", "dear", "--db", store.name]) == 1
