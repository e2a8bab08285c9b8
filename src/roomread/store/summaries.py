"""What was made of lessons, kept so that a page needs no rows; every entry can be made again.

Whoever keeps an entry makes it through the gate. A lesson's purpose and reference never change, so what the gate let
through once it lets through again; the entry goes with its lesson.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from roomread.store.lessons import LessonStore, lesson_of
from roomread.store.schema import lessons_table, summaries_table
from roomread.types import Lesson

PAGE = 50  # lessons of one page


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry. key: of what made it. figures: of the whole lesson. series: over time."""

    key: str
    figures: dict[str, Any]
    series: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A lesson of the list, with the key and the figures of its entry; None where it has none."""

    lesson: Lesson
    key: str | None
    figures: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the lessons found, newest first. number: of the page, from 1. total: lessons found."""

    lessons: tuple[Listed, ...]
    number: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // PAGE))


def read_summary(store: LessonStore, lesson: Lesson, mapping: str, key: str) -> Kept | None:
    """Return what was made of a lesson under the same key; None where there is nothing, or something out of date."""
    table = summaries_table
    here = (table.c.lesson == lesson.number) & (table.c.mapping == mapping) & (table.c.key == key)
    with store.transaction() as connection:
        row = connection.execute(sa.select(table.c.key, table.c.figures, table.c.series).where(here)).first()
    return None if row is None else Kept(row.key, row.figures, row.series)


def write_summary(store: LessonStore, lesson: Lesson, mapping: str, made: Kept) -> None:
    """Keep what was made of a lesson in the place of what was there; nothing where the lesson was deleted meanwhile."""
    table, lessons = summaries_table, lessons_table
    there = sa.select(lessons.c.number).where(lessons.c.number == lesson.number)
    with store.transaction(alone=True) as connection:
        # Held where a database lets others write meanwhile, so that the lesson cannot go before this has ended.
        if connection.scalar(there.with_for_update(read=True, key_share=True)) is None:
            return
        connection.execute(table.delete().where((table.c.lesson == lesson.number) & (table.c.mapping == mapping)))
        values = {"key": made.key, "figures": made.figures, "series": made.series}
        connection.execute(table.insert().values(lesson=lesson.number, mapping=mapping, **values))


def list_lessons(store: LessonStore, mappings: tuple[str, str], search: str = "", number: int = 1) -> Page:
    """Return a page of the lessons whose name or source holds some words, with the figures kept of them.

    Args:
        store: where they lie.
        mappings: whose entry is wanted: of lessons in which heads were read, and of the others.
        search: the words; nothing finds all.
        number: of the page, from 1; beyond the last one it is the last.
    """
    with store.transaction() as connection:
        rows, total = _rows(connection, mappings, search, number)
        if not rows and number > 1:
            total = connection.scalar(sa.select(sa.func.count()).select_from(lessons_table).where(_holds(search))) or 0
            number = Page((), number, total).last
            rows, total = _rows(connection, mappings, search, number)
    listed = tuple(Listed(lesson_of(row), row["key"], row["figures"]) for row in rows)
    return Page(listed, number, total)


def _rows(
    connection: sa.Connection, mappings: tuple[str, str], search: str, number: int
) -> tuple[Sequence[sa.RowMapping], int]:
    """Return the rows of one page and how many there are in all, by one query that reads no series."""
    table = summaries_table
    total = sa.select(sa.func.count()).select_from(lessons_table).where(_holds(search)).scalar_subquery()
    lessons = (  # found first, so that the figures of no other lesson are read
        sa.select(lessons_table, total.label("total"))
        .where(_holds(search))
        .order_by(lessons_table.c.number.desc())
        .limit(PAGE)
        .offset(PAGE * (number - 1))
        .subquery()
    )
    heads = lessons.c.made_with["mesh"].as_string().is_not(None)
    wanted = sa.case((heads, mappings[0]), else_=mappings[1])
    query = (
        sa.select(lessons, table.c.key, table.c.figures)
        .select_from(lessons.outerjoin(table, (table.c.lesson == lessons.c.number) & (table.c.mapping == wanted)))
        .order_by(lessons.c.number.desc())
    )
    rows = connection.execute(query).mappings().all()
    return rows, rows[0]["total"] if rows else 0


def _holds(search: str) -> sa.ColumnElement[bool]:
    """Return what is true of a lesson whose name or source holds the words, whatever their case."""
    words = search.strip().casefold()
    if not words:
        return sa.true()
    return lessons_table.c.folded.contains(words, autoescape=True)
