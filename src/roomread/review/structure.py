"""The parts of a lesson, each compared with the class's own rest of the lesson, as far as the gate allows."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomread import style
from roomread.engagement.change import CHANGE, changes, false_alarms
from roomread.engagement.mappings import Mapping
from roomread.errors import SettingsError
from roomread.review.agenda import Structure
from roomread.review.summary import known
from roomread.store.privacy import Gate
from roomread.types import MARKER, NO_REST, NOT_ANALYSED, NOT_ENOUGH, OK, SPARSE, TOO_FEW, Part

WINDOW = 60.0  # seconds before and after a marker; shorter: noisier, longer: other things happen in it too
LONGEST = 86_400.0  # seconds; no lesson takes longer than a day
REASONS = {
    TOO_FEW: f"{NOT_ENOUGH}: too few seats",
    SPARSE: f"{NOT_ENOUGH}: too little measured",
    NO_REST: f"{NOT_ENOUGH}: nothing to compare with",
    NOT_ANALYSED: "not covered by the lesson",
}


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part and how it differs, see `types.Change`; `number` counts the parts in the order of their times."""

    number: int
    part: Part
    status: str
    value: float
    low: float
    high: float
    seats: float
    covered: float

    @property
    def words(self) -> str:
        """The difference with its interval, or why there is none."""
        if self.status != OK:
            return REASONS[self.status]
        return f"{signed(self.value)} ({signed(self.low)} to {signed(self.high)})"

    @property
    def when(self) -> str:
        """The part's times, in words."""
        return when(self.part)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All parts of a lesson, compared.

    mapping: name of the formula. window: seconds before and after a marker. notes: of the files, in words.
    """

    rows: tuple[PartChange, ...]
    mapping: str
    window: float
    notes: tuple[str, ...]

    @property
    def method(self) -> str:
        """How the numbers were made."""
        words = f"Differences of the mapping {self.mapping}: {CHANGE}."
        if any(row.part.kind == MARKER for row in self.rows):
            length = style.duration(self.window)
            words += f" For a marker, the {length} after it minus the {length} before it."
        return words

    @property
    def caution(self) -> str:
        """What comparing many parts does, and what a difference does not say."""
        n = sum(row.status == OK for row in self.rows)
        if not n:
            return f"No part could be compared: {NOT_ENOUGH}."
        parts = "1 part is" if n == 1 else f"{n} parts are"
        return (
            f"{parts} compared: had nothing changed at all, {false_alarms(n):.2g} of the intervals would still leave "
            "out 0 on average (per-family error rate; Frane 2021, doi 10.1177/2515245920985137). What the "
            "whole class shares, such as tiring or a lamp that is switched on, is in no interval, so in an ordinary "
            "lesson far more do so. A difference shows no effect of the activity, and one part that is high "
            "makes the rest of the lesson, with which the others are compared, high too."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; what is not known is None."""
        return {
            "mapping": self.mapping,
            "window": self.window,
            "method": self.method,
            "caution": self.caution,
            "notes": list(self.notes),
            "parts": [
                {
                    **dataclasses.asdict(row.part),
                    "status": row.status,
                    "words": row.words,
                    "change": known(row.value),
                    "change_low": known(row.low),
                    "change_high": known(row.high),
                    "seats": None if math.isnan(row.seats) else int(row.seats),
                    "covered": known(row.covered),
                }
                for row in self.rows
            ],
        }


def when(part: Part) -> str:
    """Write a part's times: a marker has one, and what lasts to the end of the lesson has no second one."""
    start = style.clock(part.start)
    if part.kind == MARKER:
        return start
    return f"{start}\N{EN DASH}" if math.isinf(part.end) else f"{start}\N{EN DASH}{style.clock(part.end)}"


def signed(value: float) -> str:
    """Write a difference with its sign and two digits; NaN gives an en dash."""
    if math.isnan(value):
        return style.UNKNOWN
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def compare(gate: Gate, mapping: Mapping, structure: Structure, window: float = WINDOW) -> Comparison:
    """Return how each part of a lesson differs from the rest of it, as far as the gate lets it be seen.

    Args:
        gate: the lesson.
        mapping: whose scores are compared.
        structure: the parts; one that lasts to the end of the lesson ends there.
        window: seconds before and after a marker that are compared.

    Raises:
        SettingsError: the window is no positive time, longer than a day, or shorter than the gate tells moments apart.
    """
    if not 0 < window <= LONGEST:
        raise SettingsError(f"The window must be above 0 and at most {LONGEST:g} seconds. Received: {window:g}.")
    if window < gate.moment and not gate.allowance.single:
        raise SettingsError(
            f"The window is too short. Expected: at least {gate.moment:g} s, as single seats may not be seen. "
            f"Received: {window:g} s."
        )
    end = gate.span()[1]
    parts = [
        dataclasses.replace(part, end=max(part.start, end)) if math.isinf(part.end) else part
        for part in structure.parts
    ]
    inside = np.empty((len(parts), 2))
    against = np.full((len(parts), 2), np.nan)
    for row, part in enumerate(parts):
        inside[row] = part.start, part.end
        if part.kind == MARKER:
            inside[row] = part.start, part.start + window
            against[row] = part.start - window, part.start
    notes, asked = structure.notes, inside
    inside, against = gate.moments(inside), gate.moments(against)
    if not np.array_equal(inside, asked):
        notes += (
            f"As single seats may not be seen, parts are compared from and to whole multiples of {gate.moment:g} s, up "
            f"to {gate.moment / 2:g} s from their own times.",
        )
    full = gate.changes(lambda readings: changes(readings, mapping.score, inside, against))
    columns = (full.value, full.low, full.high, full.seats, full.covered)
    rows = tuple(
        PartChange(row + 1, part, str(full.status[row]), *(float(column[row]) for column in columns))
        for row, part in enumerate(parts)
    )
    return Comparison(rows, mapping.name, window, notes)
