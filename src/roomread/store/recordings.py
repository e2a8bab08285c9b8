"""Recordings that wait to be analysed, and what became of those that were: rows without a picture."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from roomread.errors import RecordingNotFoundError
from roomread.store.lessons import Also, LessonStore
from roomread.store.privacy import check_purpose
from roomread.store.schema import recordings_table

RecordingState = Literal["waiting", "running", "done", "failed", "cancelled"]

PENDING = ("waiting", "running")  # what has not come to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording and how far it is.

    number: 0 before the store has given one. name: of the file as its owner calls it, without folders.
    settings: how it is analysed. created: ISO 8601 with a time zone. done: seconds of the source that were analysed.
    length: seconds of the source; None where it is not known. message: why it failed, or is tried once more, in words.
    lesson: number of the lesson that it became, or is becoming; None before there is one.
    spool: whose copy it is, see `app.spool`.
    """

    number: int = 0
    name: str
    purpose: str
    reference: str | None
    settings: dict[str, Any]
    created: str = ""
    state: RecordingState = "waiting"
    done: float = 0.0
    length: float | None = None
    message: str = ""
    lesson: int | None = None
    spool: str = ""

    def __post_init__(self) -> None:
        check_purpose(self.purpose, self.reference)


class Recordings:
    """The recordings of one store."""

    def __init__(self, store: LessonStore) -> None:
        self.store = store

    def add(self, recording: Recording) -> Recording:
        """Keep a new recording, and return it with its number and the moment at which it came."""
        made = dataclasses.replace(recording, created=datetime.now(UTC).isoformat(timespec="seconds"))
        values = dataclasses.asdict(made)
        del values["number"]
        with self.store.transaction() as connection:
            key = connection.execute(recordings_table.insert().values(values)).inserted_primary_key
        return dataclasses.replace(made, number=0 if key is None else int(key[0]))

    def all(self) -> list[Recording]:
        """Return every recording, newest first."""
        with self.store.transaction() as connection:
            query = recordings_table.select().order_by(recordings_table.c.number.desc())
            return [Recording(**row) for row in connection.execute(query).mappings()]

    def find(self, number: int) -> Recording:
        """Return a recording by its number.

        Raises:
            RecordingNotFoundError: there is none.
        """
        with self.store.transaction() as connection:
            query = recordings_table.select().where(recordings_table.c.number == number)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise RecordingNotFoundError(f"There is no recording {number}. It may have been removed.")
        return Recording(**row)

    def update(self, number: int, **values: Any) -> None:
        """Change columns of a recording; one that was removed meanwhile stays removed."""
        with self.store.transaction() as connection:
            connection.execute(recordings_table.update().where(recordings_table.c.number == number).values(**values))

    def naming(self, number: int) -> Also:
        """Return what names a lesson in a recording's row, in the transaction in which the lesson is made."""

        def name(connection: sa.Connection, lesson: int) -> None:
            connection.execute(
                recordings_table.update().where(recordings_table.c.number == number).values(lesson=lesson)
            )

        return name

    def remove(self, number: int) -> None:
        """Forget a recording; the lesson that it became stays."""
        with self.store.transaction() as connection:
            connection.execute(recordings_table.delete().where(recordings_table.c.number == number))
