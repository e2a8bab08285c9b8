"""Which glances an observer codes, after BROMP's rules, and the form that keeps what was coded.

BROMP (Ocumpaugh, Baker and Rodrigo 2015): seats in a fixed order, round after round; one glance of up to 20 seconds at
each; the first state that is seen counts.
"""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomread.errors import CodesError, OutputError, PrivacyError, SettingsError
from roomread.output import check_new, write_whole
from roomread.review.codes import read_rows
from roomread.store.privacy import Gate
from roomread.style import clock
from roomread.types import WHOLE_CLASS

COLUMNS = ("start", "end", "clock", "seat", "where", "level", "observer")
ASKED = COLUMNS.index("level")  # so many columns say what is looked at
GLANCE = 20.0  # seconds, the longest that BROMP allows; shorter ones give more of them, each harder to judge
THE_CLASS = "the whole picture"  # where the class is
SHORTEST = 1.0  # seconds; nobody judges quicker
LONGEST_NAME = 60  # letters of an observer's name


@dataclass(frozen=True, slots=True)
class Place:
    """Where a seat is: the middle of its faces, 0 to 1 of the picture's width from the left and height from the top."""

    seat: int
    across: float
    down: float

    def __str__(self) -> str:
        return f"{self.across:.0%} from the left, {self.down:.0%} from the top"


@dataclass(frozen=True, slots=True)
class Glance:
    """One look at one seat: start and end in seconds from the start of the source, and where the seat is."""

    start: float
    end: float
    seat: int  # or WHOLE_CLASS
    where: str

    @property
    def clock(self) -> str:
        """The time as text."""
        return f"{clock(self.start)}–{clock(self.end)}"

    @property
    def name(self) -> str:
        """What is looked at."""
        return "class" if self.seat == WHOLE_CLASS else str(self.seat)

    def row(self, level: str = "", observer: str = "") -> tuple[str, ...]:
        """Return the row of the form, in the order of COLUMNS."""
        start, end = (f"{time:.3f}".rstrip("0").rstrip(".") for time in (self.start, self.end))
        return start, end, self.clock, self.name, self.where, level, observer

    @property
    def key(self) -> tuple[str, ...]:
        """What tells one glance from another in the form: all of it, as seats of two lessons are not in one place."""
        return self.row()[:ASKED]


def observer_name(text: str) -> str:
    """Return an observer's name or sign as it is kept.

    Raises:
        SettingsError: it is empty, too long, not printable, or a formula in a table.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name[0] in "=+-@":
        raise SettingsError(
            f"The observer's name cannot be used. Expected: 1 to {LONGEST_NAME} letters that begin with none of "
            f"= + - @. Received: {text[:80]!r}."
        )
    return name


def glances_to_code(gate: Gate, seconds: float = GLANCE, whole_class: bool = False) -> tuple[Glance, ...]:
    """Return every glance of a lesson: one seat after the other, by number, round after round.

    Args:
        gate: the lesson.
        seconds: length of a glance.
        whole_class: look at the class as if it were one seat.

    Raises:
        SettingsError: a glance is too short, or longer than the lesson.
        PrivacyError: single seats may not be seen.
        CodesError: there is no seat.
    """
    begin, end = gate.span()
    n = int((end - begin) / seconds + 1e-6) if seconds >= SHORTEST else 0
    if not n:
        raise SettingsError(
            f"A glance of {seconds:g} s does not fit lesson {gate.lesson.number}. Expected: {SHORTEST:g} to "
            f"{end - begin:g} s, the length of the lesson. Received: {seconds:g} s."
        )
    seats = [(WHOLE_CLASS, THE_CLASS)] if whole_class else [(place.seat, str(place)) for place in places(gate)]
    times = [round(begin + number * seconds, 3) for number in range(n + 1)]
    return tuple(Glance(times[number], times[number + 1], *seats[number % len(seats)]) for number in range(n))


def places(gate: Gate) -> tuple[Place, ...]:
    """Return where each seat is, in the order of the seats' numbers.

    Raises:
        PrivacyError: single seats may not be seen.
        CodesError: there is no seat.
    """
    try:
        rows = gate.rows()
    except PrivacyError as error:
        raise PrivacyError(f"{error} The class can be coded as a whole.") from error
    found = []
    for seat in rows.established():
        left, top, right, bottom = np.median(rows.boxes[rows.seats == seat], axis=0)
        across, down = (left + right) / 2 / gate.lesson.width, (top + bottom) / 2 / gate.lesson.height
        found.append(Place(int(seat), float(across), float(down)))
    if not found:
        raise CodesError(f"Lesson {gate.lesson.number} has no seat to code. Expected: at least one. Received: none.")
    return tuple(found)


def write_form(path: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    """Write a form with rows as `Glance.row` gives them, and return its path; no file is written over.

    Raises:
        OutputError: it is there already, or cannot be written.
    """
    check_new(path, "and may hold codes")
    text = _text(COLUMNS, *rows)
    write_whole({path: lambda new: new.write_text(text, encoding="utf-8", newline="")})
    return path


def waiting(path: Path, glances: tuple[Glance, ...], observer: str) -> tuple[Glance, ...]:
    """Return the glances that an observer has neither coded nor skipped yet, and begin the form where there is none.

    Raises:
        CodesError: the file is no form of ours, or the observer coded other glances in it.
        OutputError: it cannot be begun.
    """
    done = _coded(path, observer)
    other = done - {glance.key for glance in glances}
    if other:
        start, end, _, name, where = min(other)
        raise CodesError(
            f"{path} holds other glances of {observer}. Expected: those of this lesson, at this length of a glance. "
            f"Received: {start} to {end} s, {name}, {where}. Name another file."
        )
    return tuple(glance for glance in glances if glance.key not in done)


def _coded(path: Path, observer: str) -> set[tuple[str, ...]]:
    """Return the key of each glance that an observer coded or skipped, and begin the form where there is none."""
    if not path.exists():
        write_form(path, ())
    rows = read_rows(path)
    first = path.read_text(encoding="utf-8-sig").partition("\n")[0].strip()
    if first != ",".join(COLUMNS):  # other separators would not fit what is appended
        raise CodesError(
            f"{path} is no form that can be continued. Expected, as its first line: {','.join(COLUMNS)}. "
            f"Received: {first or 'nothing'}."
        )
    return {row.cells[:ASKED] for row in rows if len(row.cells) == len(COLUMNS) and row.cells[-1] == observer}


def keep(path: Path, glance: Glance, level: int | None, observer: str) -> None:
    """Append what an observer said of a glance, None for one that was skipped, and see that it is on the disk.

    Raises:
        OutputError: it cannot be written.
    """
    row = _text(glance.row("" if level is None else str(level), observer))
    try:
        with path.open("rb+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                row = row if file.read(1) == b"\n" else "\n" + row  # an editor may have left the last line open
            file.write(row.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written. Expected: a file with room that may be written to. Received: "
            f"{error.strerror or error}. All that was coded before is kept."
        ) from error


def _text(*rows: tuple[str, ...]) -> str:
    """Return rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
