"""Write lessons and their observations; read them back."""

from __future__ import annotations

import dataclasses
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from platformdirs import user_data_path
from sqlalchemy.exc import SQLAlchemyError

from roomread.errors import LessonNotFoundError, StoreBusyError, StoreError
from roomread.store.schema import (
    VERSION,
    faces_table,
    frames_table,
    lessons_table,
    metadata,
    parts_table,
    step_up,
    store_table,
)
from roomread.types import EMOTIONS, PURPOSES, SIGNALS, Array, Lesson, Observation, Part, Readings

_FACE_COLUMNS = ("seat", "left", "top", "right", "bottom", "score", "sharpness", *EMOTIONS, *SIGNALS)

WAIT = 5.0  # seconds that another program's lock is waited for
# What may pass by itself, or once somebody has made room; a code's further bits say where it happened.
PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def default_store() -> Path:
    """Return where lessons are kept when nothing else is said: the platform's folder for a user's data."""
    return user_data_path("roomread", appauthor=False) / "lessons.sqlite"


class LessonStore:
    """Lessons in one SQLite file."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a store, and make it when there is none.

        Raises:
            StoreError: the file cannot be opened or written, is no store, or was made by a later version.
        """
        self.path = default_store() if path is None else path
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {self.path.parent} cannot be made: {error.strerror}. Use --db FILE."
            ) from error
        if self.path.is_dir():
            raise StoreError(f"The store {self.path} is a folder. Expected: a file. Use --db FILE.")
        self._engine = sa.create_engine(f"sqlite:///{self.path}", poolclass=sa.pool.NullPool)
        sa.event.listen(self._engine, "connect", _prepare)
        with self.transaction() as connection:
            tables = sa.inspect(connection).get_table_names()
            if tables and store_table.name not in tables:
                raise StoreError(
                    f"{self.path} is no store of roomread. Expected: a store or a new file. Use --db FILE."
                )
            version = connection.scalar(sa.select(store_table.c.version)) if tables else None
            if version is None:
                metadata.create_all(connection)
                connection.execute(store_table.insert().values(version=VERSION))
            elif not isinstance(version, int) or version < 1:
                raise StoreError(
                    f"The store {self.path} is damaged. Expected: tables of version 1 to {VERSION}. Received: "
                    f"{version!r}. Use a copy of it, or --db FILE."
                )
            elif version > VERSION:
                raise StoreError(
                    f"The store {self.path} was made by a later version of roomread. Expected: tables of version "
                    f"{VERSION} or earlier. Received: {version}. Install the newer version."
                )
            elif version < VERSION:
                step_up(connection, version)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are kept together or not at all."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, ValueError, TypeError) as error:  # the two last: what a row holds is not of its kind
            cause = getattr(error, "orig", error)
            reason = str(cause)
            kind = StoreBusyError if getattr(cause, "sqlite_errorcode", 0) & 0xFF in PASSING else StoreError
            raise kind(
                f"The store {self.path} cannot be used: {reason}. Nothing of this step was kept; what was stored "
                "before is untouched. Free disk space, check the permissions, or use --db FILE."
            ) from error

    def add(self, lesson: Lesson, observations: Sequence[Observation] = ()) -> Lesson:
        """Keep a new lesson with its first observations, and return it with the number it was given."""
        values = dataclasses.asdict(lesson)
        del values["number"]
        with self.transaction() as connection:
            result = connection.execute(lessons_table.insert().values(values | {"notes": list(lesson.notes)}))
            key = result.inserted_primary_key
            number = key[0] if key is not None else 0
            _insert(connection, number, observations)
        return dataclasses.replace(lesson, number=number)

    def append(self, lesson: Lesson, observations: Sequence[Observation], wait: float = WAIT) -> None:
        """Keep observations of a lesson and the lesson's record as it stands now, together.

        Args:
            lesson: its record.
            observations: later than those that were kept.
            wait: seconds that another program's lock is waited for.

        Raises:
            StoreBusyError: the store is locked for longer, or the disk is full.
        """
        with self.transaction() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * wait)}")
            _insert(connection, lesson.number, observations)
            connection.execute(
                lessons_table.update()
                .where(lessons_table.c.number == lesson.number)
                .values(
                    duration=lesson.duration,
                    width=lesson.width,
                    height=lesson.height,
                    state=lesson.state,
                    notes=list(lesson.notes),
                )
            )

    def lessons(self, most: int | None = None) -> list[Lesson]:
        """Return every lesson, newest first, or so many of them at most."""
        with self.transaction() as connection:
            query = lessons_table.select().order_by(lessons_table.c.number.desc()).limit(most)
            rows = connection.execute(query).mappings()
            return [lesson_of(row) for row in rows]

    def find(self, key: str) -> Lesson:
        """Return a lesson by its number, its name, or the word `last`.

        Raises:
            LessonNotFoundError: there is none, or several have that name.
        """
        table = lessons_table
        query = table.select().order_by(table.c.number.desc())
        with self.transaction() as connection:
            if key == "last":
                newest = connection.execute(query.limit(1)).mappings().first()
                if newest is not None:
                    return lesson_of(newest)
            # By their numbers alone where there is one: a name may look like a number.
            for here in (sa.cast(table.c.number, sa.String) == key, table.c.name == key):
                rows = connection.execute(query.where(here)).mappings().all()
                if rows:
                    break
        if len(rows) == 1:
            return lesson_of(rows[0])
        if rows:
            numbers = ", ".join(str(row["number"]) for row in rows)
            raise LessonNotFoundError(f"Several lessons are named {key!r}. Name one by its number: {numbers}.")
        raise LessonNotFoundError(
            f"There is no lesson {key!r} in {self.path}. Expected: a number or a name that `roomread lessons` lists, "
            "or `last`."
        )

    def numbered(self, number: int) -> Lesson:
        """Return a lesson by its number.

        Raises:
            LessonNotFoundError: there is none.
        """
        with self.transaction() as connection:
            query = lessons_table.select().where(lessons_table.c.number == number)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise LessonNotFoundError(f"There is no lesson {number}. It may have been deleted.")
        return lesson_of(row)

    def span(self, lesson: Lesson) -> tuple[float, float]:
        """Return when the analysed frames begin and end: seconds from the start of the source."""
        times = sa.select(sa.func.min(frames_table.c.time)).where(frames_table.c.lesson == lesson.number)
        with self.transaction() as connection:
            begin = float(connection.scalar(times) or 0.0)
        return begin, begin + lesson.duration

    def readings(self, lesson: Lesson) -> Readings:
        """Return all that was observed in a lesson."""
        with self.transaction() as connection:
            frames = _table(
                connection,
                sa.select(frames_table.c.frame, frames_table.c.time)
                .where(frames_table.c.lesson == lesson.number)
                .order_by(frames_table.c.frame),
            )
            table = _table(
                connection,
                sa.select(faces_table.c.frame, *(faces_table.c[name] for name in _FACE_COLUMNS))
                .where(faces_table.c.lesson == lesson.number)
                .order_by(faces_table.c.frame, faces_table.c.face),
                np.float32,  # which holds the numbers of frames and seats exactly up to 16,777,216
            )
        return Readings(
            times=frames[:, 1],
            frames=np.searchsorted(frames[:, 0], table[:, 0]),
            seats=table[:, 1].astype(np.int64),
            boxes=table[:, 2:6],
            scores=table[:, 6],
            sharpness=table[:, 7],
            emotions=table[:, 8:15],
            signals=table[:, 15:],
        )

    def rename(self, lesson: Lesson, name: str, remarks: str) -> Lesson:
        """Give a lesson another name and other remarks, and return it."""
        with self.transaction() as connection:
            table = lessons_table
            connection.execute(table.update().where(table.c.number == lesson.number).values(name=name, remarks=remarks))
        return dataclasses.replace(lesson, name=name, remarks=remarks)

    def parts(self, lesson: Lesson) -> dict[int, Part]:
        """Return what a lesson was made of, markers included, by the parts' numbers, in the order of their times."""
        table = parts_table
        with self.transaction() as connection:
            rows = connection.execute(
                table.select().where(table.c.lesson == lesson.number).order_by(table.c.start, table.c.number)
            ).all()
        return {
            row.number: Part(row.name, row.start, math.inf if row.end is None else row.end, row.kind) for row in rows
        }

    def add_parts(self, lesson: Lesson, parts: Sequence[Part]) -> list[int]:
        """Keep parts of a lesson together, and return the numbers that they were given."""
        with self.transaction() as connection:
            made = [connection.execute(parts_table.insert().values(_part_row(lesson, part))) for part in parts]
            return [int(result.inserted_primary_key[0]) for result in made if result.inserted_primary_key is not None]

    def change_part(self, lesson: Lesson, number: int, part: Part | None) -> None:
        """Put another part in the place of one, or nothing, which removes it.

        Raises:
            LessonNotFoundError: the lesson has no such part.
        """
        table = parts_table
        here = (table.c.lesson == lesson.number) & (table.c.number == number)
        step = table.delete() if part is None else table.update().values(_part_row(lesson, part))
        with self.transaction() as connection:
            if connection.execute(step.where(here)).rowcount == 0:
                raise LessonNotFoundError(f"Lesson {lesson.number} has no part {number}.")

    def codes_file(self, lesson: Lesson, whole_class: bool) -> Path:
        """Return where the pages keep what observers coded of a lesson: at single seats, or of the class as a whole."""
        folder = self.path.with_name(f"{self.path.stem}-codes")
        return folder / f"{lesson.number}{'-class' if whole_class else ''}.csv"

    def delete(self, lesson: Lesson) -> None:
        """Forget a lesson and everything observed in it, by networks and by people at the pages."""
        for whole_class in (False, True):
            try:
                self.codes_file(lesson, whole_class).unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"What was coded of lesson {lesson.number} cannot be deleted: {error}.") from error
        with self.transaction() as connection:
            connection.execute(lessons_table.delete().where(lessons_table.c.number == lesson.number))
        with self._engine.connect() as connection:  # what was deleted must not stay in the write-ahead log either
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def lesson_of(row: sa.RowMapping) -> Lesson:
    """Return the lesson that a row of its table tells of; further columns are left out.

    Raises:
        StoreError: the row is damaged.
    """
    values = {column.name: row[column.name] for column in lessons_table.columns}
    if (
        values["purpose"] not in PURPOSES
        or not isinstance(values["notes"], list)
        or not isinstance(values["name"], str)
    ):
        raise StoreError(
            f"Lesson {values['number']} of the store is damaged. Expected: a name, a purpose and notes. Received: "
            f"{values['name']!r}, {values['purpose']!r}, {values['notes']!r}. Delete it, or use a copy of the store."
        )
    return Lesson(**{**values, "notes": tuple(values["notes"])})


def _part_row(lesson: Lesson, part: Part) -> dict[str, Any]:
    end = None if math.isinf(part.end) else part.end
    return {"lesson": lesson.number, "start": part.start, "end": end, "name": part.name, "kind": part.kind}


def _prepare(connection: Any, _: Any) -> None:
    """Set up one SQLite connection: deletion overwrites, references hold, a reader does not wait for a writer."""
    cursor = connection.cursor()
    for pragma in ("foreign_keys=ON", "secure_delete=ON", "journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("folded", 1, str.casefold, deterministic=True)  # SQLite folds the case of ASCII alone


def _table(connection: sa.Connection, query: sa.Select[Any], kind: type[np.floating[Any]] = np.float64) -> Array:
    """Return rows as an array (n, columns), NULL as NaN; read in parts, so that Python holds few at a time."""
    n = connection.execute(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    table, start = np.empty((n, len(query.selected_columns)), kind), 0
    for rows in connection.execute(query).partitions(5_000):
        table[start : start + len(rows)] = [tuple(row) for row in rows]
        start += len(rows)
    return table


def _insert(connection: sa.Connection, lesson: int, observations: Sequence[Observation]) -> None:
    """Write the rows of observations."""
    frames = [{"lesson": lesson, "frame": seen.index, "time": seen.time} for seen in observations]
    faces = [row for seen in observations for row in _face_rows(lesson, seen)]
    for table, rows in ((frames_table, frames), (faces_table, faces)):
        if rows:
            connection.execute(table.insert(), rows)


def _face_rows(lesson: int, seen: Observation) -> list[dict[str, Any]]:
    """Return the rows of one observation; what is missing becomes NULL."""
    tracks = seen.tracks
    numbers = np.column_stack([tracks.boxes, tracks.scores, seen.sharpness, seen.emotions, seen.signals]).astype(float)
    values = numbers.astype(object)
    values[np.isnan(numbers)] = None
    return [
        {"lesson": lesson, "frame": seen.index, "face": face} | dict(zip(_FACE_COLUMNS, (seat, *row), strict=True))
        for face, (seat, row) in enumerate(zip(tracks.seats.tolist(), values.tolist(), strict=True))
    ]
