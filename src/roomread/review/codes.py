"""What observers said of glances: read from our own form, any table of ratings, ELAN's export and BORIS's."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomread.errors import CodesError
from roomread.outside import read_text
from roomread.review.agenda import seconds_of
from roomread.types import WHOLE_CLASS, Array, check_shape

MOST_LEVELS = 20  # a higher level is a slip of the keyboard
FORMS = (
    "the columns start, end (or time, duration), seat, observer and level; ELAN's tab-delimited export with tiers such "
    "as 'seat 3 (Anna)'; or BORIS's aggregated events"
)
BORIS = ("subject", "behavior", "start (s)", "stop (s)")
SEAT = re.compile(r"(?:seat\s*)?0*([1-9]\d{0,5})", re.IGNORECASE)
TIER = re.compile(r"(.*\S)\s*\(([^()]+)\)")
LEVEL = re.compile(r"\d{1,3}")
CLOCK = re.compile(r"\d+:\d\d(:\d\d)?([.,]\d+)?")

Words = Mapping[str, int]  # from what an observer wrote, in small letters, to a level


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Levels that observers gave, one row per glance and observer.

    starts, ends: float64 (n,), seconds from the start of the source.
    seats: int64 (n,), from 1, or WHOLE_CLASS.
    observers: str (n,).
    levels: int64 (n,), from 0, low to high.
    """

    starts: Array
    ends: Array
    seats: Array
    observers: Array
    levels: Array

    def __post_init__(self) -> None:
        for name in ("ends", "seats", "observers", "levels"):
            check_shape(name, getattr(self, name), (len(self.starts),))

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a text table, and the line it ends in."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of any form, as text."""

    line: int
    start: str
    end: str
    seat: str
    observer: str
    level: str
    duration: str = ""  # where a form has this instead of an end


def read_codes(paths: Sequence[Path], words: Words | None = None) -> Codes:
    """Return all that observers coded in some files; a row without a level is a glance that nobody coded.

    Args:
        paths: of one lesson.
        words: which level a word stands for; None: the files hold numbers from 0.

    Raises:
        CodesError: a file is missing, of another form, or a row says what cannot be.
    """
    found = [_typed(path, entry, words) for path in paths for entry in _entries(path) if entry.level]
    if not found:
        raise CodesError(
            f"{', '.join(map(str, paths))} holds no level. Expected: at least one glance with a level. Received: none."
        )
    starts, ends, seats, observers, levels = zip(*found, strict=True)
    return Codes(np.array(starts), np.array(ends), np.array(seats), np.array(observers), np.array(levels))


def parse_words(text: str | None) -> dict[str, int] | None:
    """Return what `low=0,high=1` says, or None of nothing.

    Raises:
        CodesError: the text is of another form.
    """
    if text is None:
        return None
    words = {}
    for part in text.split(","):
        word, _, level = part.rpartition("=")
        if not word.strip() or LEVEL.fullmatch(level.strip()) is None or int(level) >= MOST_LEVELS:
            raise CodesError(
                "The words of the levels cannot be read. Expected: words and whole numbers from 0, such as "
                f"low=0,high=1. Received: {part!r}."
            )
        words[word.strip().casefold()] = int(level)
    return words


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a text table that say anything, whatever separates the cells: comma, semicolon or tab.

    Raises:
        CodesError: it cannot be read as text.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise CodesError(
            f"The codes {path} cannot be read. Expected: a text file. Received: {error.strerror or error}."
        ) from error
    except UnicodeDecodeError as error:
        raise CodesError(
            f"The codes {path} are no text in UTF-8. Expected: a table saved as CSV UTF-8. Received: byte "
            f"{error.object[error.start]:#04x} at {error.start}."
        ) from error
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip('"').startswith("#")), "")
    reader = csv.reader(io.StringIO(text), delimiter=max("\t;,", key=first.count))
    try:
        rows = [Row(reader.line_num, tuple(cell.strip() for cell in cells)) for cells in reader]
    except csv.Error as error:
        raise CodesError(
            f"The codes {path} cannot be read, row {reader.line_num}. Expected: {FORMS}. Received: {error}."
        ) from error
    return [row for row in rows if any(row.cells) and not row.cells[0].startswith("#")]  # ELAN's file names have one


def _entries(path: Path) -> Iterator[_Entry]:
    """Yield the rows of a file, whichever its form is."""
    rows = read_rows(path)
    head = [cell.casefold() for cell in rows[0].cells] if rows else []
    if set(BORIS) <= set(head):
        return _boris(path, head, rows[1:])
    if {"level", "seat", "observer"} <= set(head) and (
        {"start", "end"} <= set(head) or {"time", "duration"} <= set(head)
    ):
        return _table(path, head, rows[1:])
    if any(cell.startswith("begin time") for cell in head):
        return _elan(path, rows[1:])
    if any(TIER.fullmatch(row.cells[0]) for row in rows[:1]) and len(head) >= 4:
        return _elan(path, rows)
    received = ", ".join(rows[0].cells) if rows else "nothing"
    raise CodesError(f"{path} holds no codes of a known form. Expected: {FORMS}. Received: {received}.")


def _cells(path: Path, head: list[str], row: Row) -> dict[str, str]:
    """Return the cells of a row by the names of their columns.

    Raises:
        CodesError: it has more cells than the head, and so perhaps all of them in the wrong column.
    """
    if any(row.cells[len(head) :]):
        raise CodesError(
            f"{path}, row {row.line}: there are more cells than columns. Expected: {len(head)}. Received: "
            f"{len(row.cells)}; a decimal comma, or a text that holds the separator, stands in quotes."
        )
    return dict(zip(head, row.cells, strict=False))


def _table(path: Path, head: list[str], rows: list[Row]) -> Iterator[_Entry]:
    """Yield the rows of a table of ratings, such as our own form."""
    for row in rows:
        cells = _cells(path, head, row)
        start = cells.get("start") or cells.get("time", "")
        yield _Entry(
            row.line,
            start,
            cells.get("end", ""),
            cells.get("seat", ""),
            cells.get("observer", ""),
            cells.get("level", ""),
            cells.get("duration", ""),
        )


def _boris(path: Path, head: list[str], rows: list[Row]) -> Iterator[_Entry]:
    """Yield BORIS's aggregated events: the behaviour is the level; an observer is a variable, or the observation."""
    for row in rows:
        cells = _cells(path, head, row)
        observer = cells.get("observer") or cells.get("observation id", "")
        subject, level, start, stop = (cells.get(name, "") for name in BORIS)
        yield _Entry(row.line, start, stop, subject, observer, level)


def _elan(path: Path, rows: list[Row]) -> Iterator[_Entry]:
    """Yield ELAN's annotations: tier, perhaps a participant, begin, end and duration in one or more ways, value."""
    for row in rows:
        times = [cell for cell in row.cells[1:-1] if CLOCK.fullmatch(cell) or re.fullmatch(r"\d+\.\d+", cell)]
        tier = TIER.fullmatch(row.cells[0])
        if tier is None or not times or len(times) % 3:
            raise CodesError(
                f"{path}, row {row.line}: this is no annotation of a seat. Expected: a tier such as 'seat 3 (Anna)', "
                "begin, end and duration as hh:mm:ss.ms or ss.msec, and the value, separated by tabs. "
                f"Received: {' | '.join(row.cells)}."
            )
        yield _Entry(row.line, times[0], times[len(times) // 3], tier[1], tier[2].strip(), row.cells[-1])


def _typed(path: Path, entry: _Entry, words: Words | None) -> tuple[float, float, int, str, int]:
    """Return start, end, seat, observer and level."""
    where = f"{path}, row {entry.line}"
    start = _seconds(where, "start", entry.start)
    if entry.end or not entry.duration:
        end = _seconds(where, "end", entry.end)
    else:
        end = start + _seconds(where, "duration", entry.duration)
    if not start < end < math.inf:
        raise CodesError(
            f"{where}: the glance takes no time. Expected: an end after the start. Received: {entry.start} to "
            f"{entry.end or entry.duration}."
        )
    if not entry.observer:
        raise CodesError(f"{where}: nobody is named. Expected: an observer's name or sign. Received: nothing.")
    return start, end, _seat(where, entry.seat), entry.observer, _level(where, entry.level, words)


def _seconds(where: str, what: str, text: str) -> float:
    """Return a time as `agenda.seconds_of` reads it."""
    seconds = seconds_of(text)
    if seconds is None:
        raise CodesError(
            f"{where}: the {what} cannot be read. Expected: seconds, m:ss or h:mm:ss. Received: {text or 'nothing'}."
        )
    return round(seconds, 3)


def _seat(where: str, text: str) -> int:
    """Return a seat's number, or WHOLE_CLASS."""
    if text.casefold() in ("class", "whole class"):
        return WHOLE_CLASS
    number = SEAT.fullmatch(text)
    if number is None:
        raise CodesError(
            f"{where}: this is no seat. Expected: its number from 1, such as 3 or 'seat 3', or the word class. "
            f"Received: {text or 'nothing'}."
        )
    return int(number[1])


def _level(where: str, text: str, words: Words | None) -> int:
    """Return a level, from 0."""
    if words is not None:
        if text.casefold() not in words:
            raise CodesError(
                f"{where}: the level is none of the words given. Expected one of: {', '.join(words)}. Received: {text}."
            )
        return words[text.casefold()]
    number = re.fullmatch(r"(\d{1,3})([.,]0+)?", text)  # a spreadsheet may write 2.0
    if number is None or int(number[1]) >= MOST_LEVELS:
        raise CodesError(
            f"{where}: this is no level. Expected: a whole number from 0 to {MOST_LEVELS - 1}, or a word and "
            f"--levels-map, which says what it stands for. Received: {text}."
        )
    return int(number[1])
