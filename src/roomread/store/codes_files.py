"""What earlier versions kept of observers' codes in files beside a SQLite store, taken over into its table."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from roomread.errors import StoreError
from roomread.store.schema import codes_table, lessons_table
from roomread.types import WHOLE_CLASS

COLUMNS = ["start", "end", "clock", "seat", "where", "level", "observer"]
OF_CLASS = "-class"  # ends the name of a file with codes of the class as a whole


def files(store: Path) -> dict[Path, int]:
    """Return the files of codes beside a store's file, each with the number of its lesson."""
    found = store.with_name(f"{store.stem}-codes").glob("*.csv")
    names = {path: path.stem.removesuffix(OF_CLASS) for path in found}
    return {path: int(name) for path, name in names.items() if name.isdecimal()}


def take_over(connection: sa.Connection, store: Path) -> list[Path]:
    """Put the rows of files into the table, and return the files of which nothing is left to be taken.

    A row that is in the table already is left out, so that it does no harm to do this twice. A file of another form,
    or of a lesson that is not there, stays as it is.
    """
    taken = []
    known = set(connection.scalars(sa.select(lessons_table.c.number)))
    for path, lesson in files(store).items():
        rows = _rows(path)
        if rows is None or lesson not in known:
            continue
        here = codes_table.select().where(codes_table.c.lesson == lesson)
        keys = ("observer", "seat", "start", "end")
        there = {tuple(row[key] for key in keys) for row in connection.execute(here).mappings()}
        new = {tuple(row[key] for key in keys): row | {"lesson": lesson} for row in rows}
        added = [row for key, row in new.items() if key not in there]
        if added:
            connection.execute(codes_table.insert(), added)
        taken.append(path)
    return taken


def forget(paths: Sequence[Path]) -> None:
    """Delete files, and their folder once it is empty.

    Raises:
        StoreError: one cannot be deleted.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The codes {path} cannot be deleted: {error.strerror}.") from error
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _rows(path: Path) -> list[dict[str, Any]] | None:
    """Return the rows of a file; None where it cannot be read as our own form."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            return list(_typed(lines)) if next(lines, None) == COLUMNS else None
    except (OSError, ValueError, csv.Error):
        return None


def _typed(lines: Iterator[list[str]]) -> Iterator[dict[str, Any]]:
    for cells in lines:
        if not any(cells):
            continue
        start, end, _, seat, where, level, observer = cells
        yield {
            "observer": observer,
            "seat": WHOLE_CLASS if seat == "class" else int(seat),
            "start": float(start),
            "end": float(end),
            "where": where,
            "level": int(level) if level else None,
        }
