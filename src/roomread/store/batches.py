"""Which recordings became lessons in a batch, and how far each is: so that none becomes two, whoever works on it."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from roomread.errors import ClaimLostError, StoreError
from roomread.store.lessons import LessonStore
from roomread.store.schema import batches_table
from roomread.types import Lesson, Observation

RUNNING, COMPLETE, STOPPED, FAILED = "running", "complete", "stopped", "failed"
STALE = 120.0  # seconds without a beat after which a run on another machine counts as dead
BEAT = 10.0  # seconds between two beats


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What of a recording could not be analysed.

    damaged: parts that could not be decoded. gaps: (start, end, reason) of the pieces that were lost, in seconds; the
    end is None where the recording ends. notes: what else its source says.
    """

    damaged: int = 0
    gaps: tuple[tuple[float, float | None, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One recording and how far it is; see the table's columns."""

    key: str
    seconds: float
    owner: str
    lesson: int | None = None
    state: str = RUNNING
    joined: int = 0
    lost: Lost = field(default_factory=Lost)
    reason: str = ""


class Batches:
    """The recordings of one store that batches were at work on, as one run sees them."""

    def __init__(self, store: LessonStore, now: Callable[[], float] = time.time) -> None:
        self.store, self.now = store, now
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex}"

    def complete(self, key: str) -> int | None:
        """Return the number of the lesson that a recording has become; None while it has not."""
        batch = self._read(key)
        return None if batch is None or batch.state != COMPLETE else batch.lesson

    def claim(self, key: str, seconds: float) -> Batch:
        """Take a recording to work on unless it is done, or a run that lives is at it: `owner` says whose it is.

        Args:
            key: of the recording and its settings.
            seconds: that a piece shall be long, where it is begun now.
        """
        table, fresh = batches_table, Batch(key=key, seconds=seconds, owner=self.owner)
        try:
            with self.store.transaction() as connection:
                connection.execute(table.insert().values(key=key, beat=self.now(), **self._values(fresh)))
            return fresh
        except StoreError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
        before = self._read(key)
        dead = "" if before is None or _may_live(before.owner) else before.owner
        left = table.c.state.in_((STOPPED, FAILED)) | (table.c.owner == dead) | (table.c.beat < self.now() - STALE)
        with self.store.transaction() as connection:
            connection.execute(
                table.update()
                .where((table.c.key == key) & (table.c.state != COMPLETE) & left)
                .values(owner=self.owner, beat=self.now(), state=RUNNING, reason="")
            )
        return self._read(key) or self.claim(key, seconds)  # it was removed meanwhile, with its lesson

    def keep(self, batch: Batch, lesson: Lesson, seen: Sequence[Observation] = ()) -> Lesson:
        """Write how far a recording is, with its lesson and what was newly seen, all or nothing; return the lesson.

        It may be done again where it is not known whether it was kept, and then makes nothing twice.

        Raises:
            ClaimLostError: the recording is not this run's any more.
        """

        def also(connection: sa.Connection, number: int) -> None:
            self._note(connection, dataclasses.replace(batch, lesson=number))

        if not lesson.number:
            before = self._read(batch.key, wait=True)  # it names the lesson where an earlier try was kept
            if before is None or before.lesson is None:
                return self.store.add(lesson, seen, also)
            lesson = dataclasses.replace(lesson, number=before.lesson)
        self.store.append(lesson, seen, also)
        return lesson

    def note(self, batch: Batch) -> None:
        """Write how far a recording is of which nothing was seen yet.

        Raises:
            ClaimLostError: likewise.
        """
        with self.store.transaction() as connection:
            self._note(connection, batch)

    def _note(self, connection: sa.Connection, batch: Batch) -> None:
        table = batches_table
        going = table.c.state.in_((RUNNING, batch.state))  # in its new state already where an earlier try was kept
        mine = (table.c.key == batch.key) & (table.c.owner == self.owner) & going
        step = table.update().where(mine).values(beat=self.now(), **self._values(batch))
        if connection.execute(step).rowcount != 1:
            raise ClaimLostError("Another run has taken the recording over, or its lesson was deleted.")

    def beat(self) -> None:
        """Say that this run lives."""
        table = batches_table
        mine = (table.c.owner == self.owner) & (table.c.state == RUNNING)
        with self.store.transaction() as connection:
            connection.execute(table.update().where(mine).values(beat=self.now()))

    def _read(self, key: str, *, wait: bool = False) -> Batch | None:
        """Return a recording, or None; where asked to wait, only after whoever is just writing it has done so."""
        with self.store.transaction() as connection:
            query = batches_table.select().where(batches_table.c.key == key)
            query = query.with_for_update() if wait else query
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        lost = row["lost"]
        gaps = tuple((start, end, reason) for start, end, reason in lost["gaps"])
        values = {name: row[name] for name in ("key", "seconds", "owner", "lesson", "state", "joined", "reason")}
        return Batch(**values, lost=Lost(damaged=lost["damaged"], gaps=gaps, notes=tuple(lost["notes"])))

    @staticmethod
    def _values(batch: Batch) -> dict[str, Any]:
        values = dataclasses.asdict(batch)
        del values["key"]
        return values


def _may_live(owner: str) -> bool:
    """Return whether the process that an owner names may still run; of this machine's own it is known."""
    host, number, _ = owner.split("/")
    if host != socket.gethostname() or os.name != "posix":
        return True
    try:
        os.kill(int(number), 0)  # which only asks
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
