"""Write lessons and their observations; read them back."""

from __future__ import annotations

import dataclasses
import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from roomread.errors import LessonNotFoundError, StoreBusyError, StoreError
from roomread.store.engine import (
    WAIT,
    find_store,
    insert_unless_there,
    may_pass,
    open_engine,
    read_array,
    reserve_number,
    settle,
    shown,
    sweep,
    wait_for_locks,
    write_rows,
)
from roomread.store.schema import (
    VERSION,
    faces_table,
    folded,
    frames_table,
    lessons_table,
    metadata,
    parts_table,
    step_up,
    store_table,
)
from roomread.types import EMOTIONS, PURPOSES, SIGNALS, Lesson, Observation, Part, Readings

Also = Callable[[sa.Connection, int], None]  # writes more of a lesson, whose number it receives
_FACE_COLUMNS = ("seat", "left", "top", "right", "bottom", "score", "sharpness", *EMOTIONS, *SIGNALS)
DAMAGED = (ValueError, TypeError, RecursionError)  # what a row holds is not of its kind
_OF_LESSON = tuple(field.name for field in dataclasses.fields(Lesson))


class LessonStore:
    """Lessons in one SQLite file, or in one PostgreSQL database that many machines share.

    name: where it lies, as it may be shown. file: of SQLite; None: it is a PostgreSQL database.
    """

    def __init__(self, named: str | Path | None = None) -> None:
        """Open a store, and make it when there is none.

        Args:
            named: its file, or its address postgresql://user:password@host/database; None: see `engine.find_store`.

        Raises:
            StoreError: it cannot be opened or written, is no store, or was made by a later version.
            MissingExtraError: the driver for PostgreSQL is not installed.
        """
        where = find_store(named)
        self.name, self.file = shown(where), where if isinstance(where, Path) else None
        self._engine = open_engine(where)
        self.close = weakref.finalize(self, self._engine.dispose)  # connections end with the store at the latest
        with self.transaction() as connection:
            ready = self._version(connection) == VERSION
        if not ready:
            with self.transaction(alone=True) as connection:  # however many open it now, one makes its tables
                self._make(connection)

    def _version(self, connection: sa.Connection) -> int | None:
        """Return the version of the tables; None where there is no table at all."""
        tables = sa.inspect(connection).get_table_names()
        if tables and store_table.name not in tables:
            raise StoreError(f"{self.name} is no store of roomread. Expected: a store or a new file. Use --db FILE.")
        version = connection.scalar(sa.select(store_table.c.version)) if tables else None
        if version is not None and (not isinstance(version, int) or version < 1):
            raise StoreError(
                f"The store {self.name} is damaged. Expected: tables of version 1 to {VERSION}. Received: "
                f"{version!r}. Use a copy of it, or --db FILE."
            )
        if version is not None and version > VERSION:
            raise StoreError(
                f"The store {self.name} was made by a later version of roomread. Expected: tables of version "
                f"{VERSION} or earlier. Received: {version}. Install the newer version."
            )
        return version

    def _make(self, connection: sa.Connection) -> None:
        """Make the tables, or bring those of an earlier version to this one, unless another process just did."""
        version = self._version(connection)
        if version is None:
            metadata.create_all(connection)
            connection.execute(store_table.insert().values(version=VERSION))
        elif version < VERSION:
            step_up(connection)

    @contextmanager
    def transaction(self, *, alone: bool = False, still: bool = False) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are kept together or not at all.

        Args:
            alone: nobody else is in such a transaction meanwhile; for what reads first and then writes.
            still: nothing is written, and all is read as it stands at one moment.
        """
        try:
            with (
                self._engine.connect().execution_options(alone=alone, still=still) as connection,
                connection.begin(),
            ):
                settle(connection)
                yield connection
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error, *DAMAGED) as error:
            check = "Free disk space, check the permissions" if self.file else "Check server, network and role"
            raise (StoreBusyError if may_pass(error, self._engine) else StoreError)(
                f"The store {self.name} cannot be used: {_reason(error)}. Nothing of this step was kept; what was "
                f"stored before is untouched. {check}, or use --db FILE."
            ) from error

    def add(
        self,
        lesson: Lesson,
        observations: Sequence[Observation] = (),
        also: Also | None = None,
        wait: float = WAIT,
        reserved: int | None = None,
    ) -> Lesson:
        """Keep a new lesson with its first observations, and return it with the number it was given.

        Args:
            lesson: its record, whose number does not count.
            observations: the first ones.
            also: what it writes is kept together with them.
            wait: seconds that another program's lock is waited for.
            reserved: number that `reserve` gave for it. Where an earlier try was kept although its answer was lost on
                the way, this one takes its place, and no second lesson is made.

        Raises:
            StoreBusyError: see `append`.
        """
        values = dataclasses.asdict(lesson) | {"notes": list(lesson.notes), "written": _now()}
        del values["number"]
        values["folded"] = folded(lesson.name, lesson.source)
        with self.transaction() as connection:
            wait_for_locks(connection, wait)
            if reserved is None:
                key = connection.execute(lessons_table.insert().values(values)).inserted_primary_key
                kept = dataclasses.replace(lesson, number=key[0] if key is not None else 0)
            else:
                kept = dataclasses.replace(lesson, number=reserved)
                connection.execute(insert_unless_there(lessons_table, values | {"number": reserved}))
            _write(connection, kept, observations, also)
        return kept

    def reserve(self) -> int | None:
        """Return a number for a lesson that `add` will make; None where it needs none.

        A server may have kept what it was sent although the line broke before it said so; only by its number the lesson
        is found again.
        """
        with self.transaction() as connection:
            return reserve_number(connection, lessons_table.c.number)

    def append(
        self, lesson: Lesson, observations: Sequence[Observation], also: Also | None = None, wait: float = WAIT
    ) -> None:
        """Keep observations of a lesson, the lesson's record as it stands now, and what `also` writes, together.

        Args:
            lesson: its record.
            observations: later than those that were kept, or the same ones and later ones where it is not known whether
                an earlier try was kept; these take their place.
            also: see `add`.
            wait: seconds that another program's lock is waited for.

        Raises:
            StoreBusyError: the store is locked for longer, the disk is full, or a server is away.
        """
        with self.transaction() as connection:
            wait_for_locks(connection, wait)
            _write(connection, lesson, observations, also)

    def lessons(self, most: int | None = None) -> list[Lesson]:
        """Return every lesson, newest first, or so many of them at most."""
        with self.transaction() as connection:
            query = lessons_table.select().order_by(lessons_table.c.number.desc()).limit(most)
            rows = connection.execute(query).mappings()
            return [lesson_of(row) for row in rows]

    def numbers(self) -> set[int]:
        """Return the number of every lesson."""
        with self.transaction() as connection:
            return set(connection.scalars(sa.select(lessons_table.c.number)))

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
            f"There is no lesson {key!r} in {self.name}. Expected: a number or a name that `roomread lessons` lists, "
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
        frames, faces = frames_table.c, faces_table.c
        with self.transaction(still=True) as connection:
            seen = read_array(
                connection,
                sa.select(frames.frame, frames.time).where(frames.lesson == lesson.number).order_by(frames.frame),
            )
            table = read_array(
                connection,
                sa.select(faces.frame, *(faces[name] for name in _FACE_COLUMNS))
                .where(faces.lesson == lesson.number)
                .order_by(faces.frame, faces.face),
                np.float32,  # which holds the numbers of frames and seats exactly up to 16,777,216
            )
        return Readings(
            times=seen[:, 1],
            frames=np.searchsorted(seen[:, 0], table[:, 0]),
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
            values = {"name": name, "remarks": remarks, "folded": folded(name, lesson.source)}
            connection.execute(table.update().where(table.c.number == lesson.number).values(values))
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

    def delete(self, lesson: Lesson) -> None:
        """Forget a lesson and everything observed in it, by networks and by people at the pages."""
        self.delete_where(lessons_table.c.number == lesson.number)

    def delete_where(self, which: sa.ColumnElement[bool]) -> list[int]:
        """Forget lessons as `delete` does, and return their numbers."""
        with self.transaction() as connection:
            numbers = connection.execute(lessons_table.delete().where(which).returning(lessons_table.c.number))
            gone = sorted(numbers.scalars())
        if gone:
            try:
                sweep(self._engine, metadata.sorted_tables)
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                raise StoreError(
                    f"What was deleted from {self.name} may lie in its files until the next deletion: "
                    f"{_reason(error)}. For roomread it is gone."
                ) from error
        return gone


def is_new(named: str | Path | None) -> bool:
    """Return whether a store holds no lesson yet; a file that is not there is not made."""
    where = find_store(named)
    return not (where.exists() if isinstance(where, Path) else LessonStore(named).lessons(1))


def lesson_of(row: sa.RowMapping) -> Lesson:
    """Return the lesson that a row of its table tells of; further columns are left out.

    Raises:
        StoreError: the row is damaged.
    """
    values = {name: row[name] for name in _OF_LESSON}
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


def _reason(error: BaseException) -> str:
    """Return what a database says, on one line."""
    return " ".join(str(getattr(error, "orig", error)).split()).rstrip(".?")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _part_row(lesson: Lesson, part: Part) -> dict[str, Any]:
    end = None if math.isinf(part.end) else part.end
    return {"lesson": lesson.number, "start": part.start, "end": end, "name": part.name, "kind": part.kind}


def _write(connection: sa.Connection, lesson: Lesson, observations: Sequence[Observation], also: Also | None) -> None:
    """Write a lesson's record as it stands, what `also` writes, and the rows of observations."""
    connection.execute(  # before all else: it waits until an earlier try, whose line broke, is kept or is not
        lessons_table.update()
        .where(lessons_table.c.number == lesson.number)
        .values(
            duration=lesson.duration,
            width=lesson.width,
            height=lesson.height,
            state=lesson.state,
            notes=list(lesson.notes),
            written=_now(),
        )
    )
    if also is not None:
        also(connection, lesson.number)
    if observations:
        for table in (faces_table, frames_table):  # what an earlier try wrote
            newer = (table.c.lesson == lesson.number) & (table.c.frame >= observations[0].index)
            connection.execute(table.delete().where(newer))
    write_rows(connection, frames_table, [(lesson.number, seen.index, seen.time) for seen in observations])
    write_rows(connection, faces_table, _face_rows(lesson.number, observations))


def _face_rows(lesson: int, observations: Sequence[Observation]) -> list[tuple[Any, ...]]:
    """Return the rows of all faces in the order of their columns; what is missing becomes NULL."""
    if not observations:
        return []
    seen = Readings.of_observations(observations)
    numbers = np.array([each.index for each in observations])[seen.frames].tolist()
    faces = np.concatenate([np.arange(len(each.tracks)) for each in observations]).tolist()
    measured = np.column_stack([seen.boxes, seen.scores, seen.sharpness, seen.emotions, seen.signals])
    columns: list[list[Any]] = []
    for column in measured.astype(float).T:
        values = column.tolist()
        for place in np.flatnonzero(np.isnan(column)).tolist():
            values[place] = None
        columns.append(values)
    return list(zip([lesson] * len(numbers), numbers, faces, seen.seats.tolist(), *columns, strict=True))
