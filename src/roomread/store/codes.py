"""What observers coded at the pages, row by row: each answer is in the store before the next glance is told."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from roomread.store.lessons import LessonStore
from roomread.store.schema import codes_table
from roomread.types import WHOLE_CLASS, Lesson


@dataclass(frozen=True, slots=True)
class Code:
    """What an observer said of one glance.

    seat: or WHOLE_CLASS. start, end: seconds from the start of the source. where: the seat is in the picture, in words.
    level: from 0; None: skipped.
    """

    observer: str
    seat: int
    start: float
    end: float
    where: str
    level: int | None


def codes_of(store: LessonStore, lesson: Lesson, whole: bool, observer: str | None = None) -> list[Code]:
    """Return what was coded of a lesson, in the order in which it was said.

    Args:
        store: where it is kept.
        lesson: of which.
        whole: of the class as a whole, or else of single seats.
        observer: by whom; None: by anybody.
    """
    table = codes_table.c
    here = _of(lesson, whole) & (sa.true() if observer is None else table.observer == observer)
    columns = (table[name] for name in Code.__dataclass_fields__)
    with store.transaction() as connection:
        return [Code(*row) for row in connection.execute(sa.select(*columns).where(here).order_by(table.number))]


def add_code(store: LessonStore, lesson: Lesson, code: Code) -> bool:
    """Keep what an observer said, and return whether that could be done: a glance is coded once by each."""
    table = codes_table.c
    same = (table.observer == code.observer) & (table.seat == code.seat)
    same &= (table.start == code.start) & (table.end == code.end) & (table.lesson == lesson.number)
    values = {name: getattr(code, name) for name in Code.__dataclass_fields__}
    with store.transaction(alone=True) as connection:
        if connection.scalar(sa.select(table.number).where(same)) is not None:
            return False
        connection.execute(codes_table.insert().values(lesson=lesson.number, **values))
        return True


def take_back_code(store: LessonStore, lesson: Lesson, whole: bool, observer: str) -> bool:
    """Remove what an observer said last, and return whether there was anything."""
    table = codes_table.c
    last = sa.select(sa.func.max(table.number)).where(_of(lesson, whole) & (table.observer == observer))
    with store.transaction(alone=True) as connection:
        return connection.execute(codes_table.delete().where(table.number == last.scalar_subquery())).rowcount > 0


def _of(lesson: Lesson, whole: bool) -> sa.ColumnElement[bool]:
    table = codes_table.c
    return (table.lesson == lesson.number) & (table.seat == WHOLE_CLASS if whole else table.seat != WHOLE_CLASS)
