"""What is kept beside lessons, and the list that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from roomread.errors import LessonNotFoundError
from roomread.store.lessons import LessonStore
from roomread.store.schema import summaries_table
from roomread.store.summaries import PAGE, Kept, list_lessons, read_summary, write_summary
from roomread.types import Lesson

KEPT = Kept("key", {"spark": [1, None]}, {"lines": []})
DEFAULTS = ("glance", "sharma")
MakeLesson = Callable[..., Lesson]


def n_kept(store: LessonStore) -> int:
    with store.transaction() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(summaries_table)) or 0)


def test_what_was_kept_comes_back_under_its_key_alone(store: LessonStore, lesson: MakeLesson) -> None:
    kept = store.add(lesson())
    write_summary(store, kept, "sharma", KEPT)
    assert read_summary(store, kept, "sharma", "key") == KEPT
    assert read_summary(store, kept, "sharma", "another") is None
    assert read_summary(store, kept, "glance", "key") is None
    write_summary(store, kept, "sharma", Kept("newer", {}, {}))
    assert read_summary(store, kept, "sharma", "key") is None
    assert n_kept(store) == 1


def test_it_goes_with_its_lesson_and_does_not_come_back(store: LessonStore, lesson: MakeLesson) -> None:
    kept = store.add(lesson())
    write_summary(store, kept, "sharma", KEPT)
    store.delete(kept)
    assert n_kept(store) == 0
    write_summary(store, kept, "sharma", KEPT)  # made while the lesson was deleted
    assert n_kept(store) == 0
    with pytest.raises(LessonNotFoundError):
        store.numbered(kept.number)


def test_whoever_makes_the_same_entry_at_once_keeps_one(store: LessonStore, lesson: MakeLesson) -> None:
    kept = store.add(lesson())
    with ThreadPoolExecutor(8) as others:
        list(others.map(lambda n: write_summary(store, kept, "sharma", Kept(str(n), {}, {})), range(40)))
    assert n_kept(store) == 1


def test_the_list_has_pages_newest_first(store: LessonStore, lesson: MakeLesson) -> None:
    for number in range(PAGE + 3):
        store.add(lesson(name=f"Lesson {number}"))
    first = list_lessons(store, DEFAULTS)
    assert (first.total, first.number, first.last) == (PAGE + 3, 1, 2)
    assert [one.lesson.number for one in first.lessons[:2]] == [PAGE + 3, PAGE + 2]
    assert [one.lesson.number for one in list_lessons(store, DEFAULTS, "", 2).lessons] == [3, 2, 1]
    beyond = list_lessons(store, DEFAULTS, "", 99)
    assert (beyond.number, len(beyond.lessons)) == (2, 3)
    empty = list_lessons(store, DEFAULTS, "no such")
    assert (empty.lessons, empty.number, empty.total, empty.last) == ((), 1, 0, 1)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("übung", ["Übung 1"]),
        ("ÜBUNG", ["Übung 1"]),
        ("film", ["Physics"]),
        ("100%", ["100% maths"]),
        ("%", 1),
        ("", 3),
    ],
)
def test_a_search_meets_names_and_sources_in_any_case(
    store: LessonStore, lesson: MakeLesson, search: str, found: list[str] | int
) -> None:
    store.add(lesson(name="Übung 1", source="a.mp4"))
    store.add(lesson(name="100% maths", source="b.mp4"))
    store.add(lesson(name="Physics", source="Film.mov"))
    names = [one.lesson.name for one in list_lessons(store, DEFAULTS, search).lessons]
    assert names == found or len(names) == found


def test_each_lesson_is_listed_with_the_figures_of_its_own_default_mapping(
    store: LessonStore, lesson: MakeLesson
) -> None:
    heads, plain = store.add(lesson(made_with={"mesh": {}})), store.add(lesson())
    for one in (heads, plain):
        for name in DEFAULTS:
            write_summary(store, one, name, Kept("key", {"of": name}, {}))
    store.add(lesson(name="without"))
    listed = {one.lesson.number: one.figures for one in list_lessons(store, DEFAULTS).lessons}
    assert listed == {heads.number: {"of": "glance"}, plain.number: {"of": "sharma"}, 3: None}


def test_the_list_reads_no_series(store: LessonStore, lesson: MakeLesson) -> None:
    """What costs time is not asked for: rows, series, or a query for each lesson."""
    for _ in range(5):
        write_summary(store, store.add(lesson()), "sharma", KEPT)
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *more: object) -> None:
        if statement != "BEGIN":
            asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        list_lessons(store, DEFAULTS)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len(asked) == 1
    assert "series" not in asked[0] and "faces" not in asked[0]
