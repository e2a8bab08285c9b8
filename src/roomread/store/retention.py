"""For how long lessons are kept, and forgetting those whose time is over: in the database, whoever opens it."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import sqlalchemy as sa

from roomread.errors import SettingsError
from roomread.store.lessons import LessonStore
from roomread.store.schema import lessons_table, store_table
from roomread.types import Lesson

MOST_DAYS = 36_500


def keep_days(store: LessonStore) -> int | None:
    """Return for how many days lessons are kept; None: until somebody deletes them."""
    with store.transaction() as connection:
        days: int | None = connection.scalar(sa.select(store_table.c.keep_days))
    return days


def set_keep_days(store: LessonStore, days: int | None) -> None:
    """Say for how many days lessons are kept, those that are there included; None: until somebody deletes them.

    Raises:
        SettingsError: it is no such number.
    """
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise SettingsError(f"Lessons are kept for 1 to {MOST_DAYS} days. Received: {days}.")
    with store.transaction() as connection:
        connection.execute(store_table.update().values(keep_days=days))


def parse_day(text: str) -> date:
    """Return a day that is given as text.

    Raises:
        SettingsError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"A lesson's last day is a date such as 2027-07-31. Received: {text[:40]!r}.") from error


def set_keep_until(store: LessonStore, lesson: Lesson, day: date | None) -> Lesson:
    """Give a lesson a last day of its own, None: as the store says for all, and return it."""
    changed = dataclasses.replace(lesson, keep_until=None if day is None else day.isoformat())
    table = lessons_table
    with store.transaction() as connection:
        here = table.c.number == lesson.number
        connection.execute(table.update().where(here).values(keep_until=changed.keep_until))
    return changed


def kept_until(lesson: Lesson, days: int | None) -> date | None:
    """Return the last day on which a lesson is kept; None: until somebody deletes it.

    Args:
        lesson: of which.
        days: for which lessons of its store are kept.
    """
    if lesson.keep_until is not None:
        return date.fromisoformat(lesson.keep_until)
    return None if days is None else date.fromisoformat(lesson.created[:10]) + timedelta(days)


def due_lessons(store: LessonStore, today: date | None = None) -> list[int]:
    """Return the numbers of the lessons whose time is over, ascending; today is this machine's where none is given."""
    number, over = lessons_table.c.number, _over(keep_days(store), today)
    with store.transaction() as connection:
        return list(connection.scalars(sa.select(number).where(over).order_by(number)))


def forget_due(store: LessonStore, today: date | None = None) -> list[int]:
    """Delete the lessons whose time is over as `LessonStore.delete` does, and return their numbers.

    A lesson that is running stays: see `upkeep.tidy`. Where nothing is due, nothing is written.
    """
    return store.delete_where(_over(keep_days(store), today)) if due_lessons(store, today) else []


def _over(days: int | None, today: date | None) -> sa.ColumnElement[bool]:
    """Return what is true of a lesson whose time is over; dates in ISO 8601 are ordered as text."""
    table, day = lessons_table.c, date.today() if today is None else today
    over = table.keep_until < day.isoformat()
    if days is not None:
        last = (day - timedelta(days)).isoformat()
        over |= table.keep_until.is_(None) & (sa.func.substr(table.created, 1, 10) < last)
    return over & (table.state != "running")
