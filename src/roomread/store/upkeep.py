"""A store looked after: checked, backed up, restored, and the lessons ended that nobody ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from roomread.errors import StoreError
from roomread.output import check_new, write_whole
from roomread.store.lessons import LessonStore
from roomread.store.retention import forget_due, set_keep_days
from roomread.store.schema import faces_table, frames_table, lessons_table

QUIET = timedelta(minutes=10)  # after so long without a row a lesson that says it is running is taken for broken off
BROKEN_OFF = "The program that recorded this ended without closing the lesson; all that it kept is here."


def end_broken(store: LessonStore) -> list[int]:
    """End the lessons whose program was killed, and return their numbers; whoever still records one begins it anew.

    A lesson that is paused, or whose camera is away, for longer than QUIET is ended too, and runs again with the next
    picture.
    """
    table = lessons_table
    quiet = (datetime.now(UTC) - QUIET).isoformat(timespec="seconds")
    lost = (table.c.state == "running") & (sa.func.coalesce(table.c.written, "") < quiet)
    with store.transaction() as connection:
        if connection.scalar(sa.select(sa.func.count()).select_from(table).where(lost)) == 0:
            return []
    with store.transaction(alone=True) as connection:
        rows = connection.execute(sa.select(table.c.number, table.c.notes).where(lost)).all()
        for number, notes in rows:
            values = {"state": "stopped", "notes": [*notes, BROKEN_OFF]}
            connection.execute(table.update().where((table.c.number == number) & lost).values(values))
    return [number for number, _ in rows]


def tidy(store: LessonStore) -> list[int]:
    """End what was broken off, forget what is due, and return the numbers of what was forgotten.

    So begins whatever works on a store.
    """
    end_broken(store)
    return forget_due(store)


def check_store(store: LessonStore) -> list[str]:
    """Return what is wrong with a store, in words; nothing where it is whole."""
    wrong = []
    if store.file is not None:
        wrong += _check_file(store.file)
    faces, frames = faces_table.c, frames_table.c
    framed = sa.exists().where((frames.lesson == faces.lesson) & (frames.frame == faces.frame))
    with store.transaction(still=True) as connection:
        n = connection.scalar(sa.select(sa.func.count()).select_from(faces_table).where(~framed))
    return wrong + ([f"{n} faces belong to no frame."] if n else [])


def back_up(store: LessonStore, path: Path) -> None:
    """Write a copy of a store as it stands at one moment, while others may use it, and check the copy.

    Raises:
        StoreError: the store is a PostgreSQL database, or damaged.
        OutputError: the copy cannot be written, or something is there already.
    """
    if store.file is None:
        raise StoreError(
            f"The store {store.name} is a PostgreSQL database, which its own tools back up: pg_dump --format=custom "
            "and pg_restore."
        )
    check_new(path, "and may be a backup")
    _copy(store.file, path)


def restore(backup: Path, file: Path, replace: bool = False) -> Path | None:
    """Put a backup in the place of a store, and return where the store that was there lies now.

    For how long lessons are kept stays as the store says that was there. Lessons whose time is over are forgotten;
    one that was deleted since the backup is there again.

    Args:
        backup: the file of `back_up`; it stays as it is.
        file: the store's.
        replace: whether there may be a store; it is kept under another name beside.

    Raises:
        StoreError: the backup is no store, or damaged; there is a store and it is not to be replaced, or is in use, or
            one of its lessons runs.
        OutputError: the file cannot be written.
    """
    if not backup.is_file():
        raise StoreError(f"There is no backup {backup}. Expected: a file of `roomread store backup`.")
    wrong = _check_file(backup)
    if wrong:
        raise StoreError(f"The backup {backup} is damaged: {' '.join(wrong)} Use an older one.")
    if not _is_store(backup):
        raise StoreError(f"{backup} is no store of roomread. Expected: a file of `roomread store backup`.")
    moved, rule = None, None
    if file.exists():
        if not replace:
            raise StoreError(f"There is a store {file}. Expected: none, or --replace, which keeps it beside.")
        _check_unused(file)
        rule = _rule_of(file)
        moved = file.with_name(f"{file.stem}-replaced-{datetime.now():%Y%m%d-%H%M%S}{file.suffix}")
        _copy(file, moved)
        for ending in ("-wal", "-shm"):  # gone before the backup comes: a log of another store would spoil it
            file.with_name(file.name + ending).unlink(missing_ok=True)
    _copy(backup, file)
    store = LessonStore(file)
    if rule is not None:
        set_keep_days(store, rule[0])
    tidy(store)
    return moved


def _check_file(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            told = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            loose = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [f"SQLite cannot read it: {error}."]
    wrong = [] if told == ["ok"] else [f"SQLite says: {line}." for line in told[:5]]
    return wrong + ([f"{len(loose)} rows belong to no lesson."] if loose else [])


def _is_store(path: Path) -> bool:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {"store", "lessons"} <= names


def _check_unused(path: Path) -> None:
    """Refuse a store that another process has open for writing just now, or writes a lesson to."""
    quiet = (datetime.now(UTC) - QUIET).isoformat(timespec="seconds")
    running: list[tuple[int]] = []
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            columns = [row[1] for row in connection.execute("PRAGMA table_info(lessons)")]
            if {"number", "state", "written"} <= set(columns):  # else it is damaged, or older than that
                lately = "SELECT number FROM lessons WHERE state = 'running' AND written >= ?"
                running = connection.execute(lately, (quiet,)).fetchall()
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"The store {path} is in use: {error}. Close `roomread serve` and whatever records."
        ) from error
    except sqlite3.DatabaseError:
        return  # damaged, which is why it is replaced
    if running:
        raise StoreError(
            f"The store {path} is in use: lesson {running[0][0]} runs, or its program was killed in the last "
            f"{QUIET.seconds // 60} minutes. Stop it, or wait."
        )


def _rule_of(path: Path) -> tuple[int | None] | None:
    """Return for how many days a store keeps its lessons, None for ever; None in place of that: it cannot be told."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            row: tuple[int | None] | None = connection.execute("SELECT keep_days FROM store").fetchone()
    except sqlite3.DatabaseError:
        return None
    return row


def _copy(source: Path, path: Path) -> None:
    """Copy a store as it stands at one moment; one that SQLite cannot read is copied as it is."""

    def write(part: Path) -> None:
        part.unlink(missing_ok=True)
        part.touch(0o600)  # before there is anything to read in it
        try:
            with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(part)) as copy:
                held.backup(copy)
        except sqlite3.DatabaseError:
            part.write_bytes(source.read_bytes())

    write_whole({path: write})
