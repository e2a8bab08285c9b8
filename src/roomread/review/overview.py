"""What a page shows of a lesson without its rows: figures, the class over time in several widths, seats where allowed.

Everything is read through the gate when it is made, so that whoever keeps it keeps no more than may be seen.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomread.engagement import aggregate
from roomread.engagement.episodes import FALSE_PER_HOUR, EpisodeSettings
from roomread.engagement.mappings import Mapping, Score
from roomread.engagement.overtime import OverTimeSettings
from roomread.review.summary import LessonSummary, known, summarise
from roomread.store.privacy import DIGITS, MIN_SEATS, MOMENTS, Gate
from roomread.types import (
    EMOTIONS,
    LEVEL,
    NO_FACE,
    NOT_ANALYSED,
    NOT_ENOUGH,
    OK,
    TOO_FEW,
    UNREADABLE,
    Array,
    ClassLine,
    Episode,
    Lesson,
    Timeline,
)

VERSION = 3  # of what is kept; raised whenever it is made in another way
MOST_STEPS = 11_000  # bins of the finest line: seconds of about three hours
WIDTHS = (5.0, 15.0, 60.0)  # seconds; between the finest line and the report's, for pages that zoom
MOST_DRAWN = 240  # bins of one drawing; more lie closer than 3 units of a wide chart
MOST_SPARK = 60  # points of a line in a list
SCALE = 1000  # what is kept is whole thousandths: a third of the room, and finer than any interval
STATUSES = (OK, TOO_FEW, NO_FACE, UNREADABLE, NOT_ANALYSED, NOT_ENOUGH)  # by their digit; only ever appended to
OF_RECORD = ("lesson", "name", "source", "purpose", "state", "notes", "duration")  # of LessonSummary.as_dict
ROWS = ("engagement", "low", "high", "readable", "unreadable", "seats")
STEPS = ("change", "low", "high", "seats", "taken")


@dataclass(frozen=True, slots=True)
class SeatGlance:
    """One seat, where single seats may be seen.

    box: the median of its boxes, (left, top, right, bottom), 0 to 1 of the picture's width and height.
    engagement: 0 to 1, mean; NaN where it is not known.
    present: 0 to 1, share of the frames in which its face was found.
    leading: its strongest expression; None where it is not known.
    """

    seat: int
    box: tuple[float, float, float, float]
    engagement: float
    present: float
    leading: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overview:
    """All that a lesson's page shows.

    mapping: name of the formula. figures: of the whole lesson, as `LessonSummary.as_dict` without the lesson's record.
    band: what the band is, in words. single: whether single seats may be seen.
    lines: the class over time, the finest first, the report's last. over_time: see `ClassLine`.
    seats: empty where single ones may not be seen. spark: at most MOST_SPARK means of engagement, NaN: not known.
    """

    mapping: str
    figures: dict[str, Any]
    band: str
    single: bool
    lines: tuple[Timeline, ...]
    over_time: ClassLine
    seats: tuple[SeatGlance, ...]
    spark: Array

    @property
    def timeline(self) -> Timeline:
        """The finest line: a second a bin, wider in lessons of more than about three hours."""
        return self.lines[0]

    @property
    def whole(self) -> Timeline:
        """The line in the bins of the report."""
        return self.lines[-1]

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The drops and rises of the class in order of time."""
        return tuple(
            Episode(kind=one["kind"], start=one["start"], end=one["end"], change=number(one["change"]))
            for one in self.figures["over_time"]["episodes"]
        )

    def as_stored(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return figures and series as JSON can hold them, as `overview_from` reads them."""
        told = {
            "summary": self.figures,
            "band": self.band,
            "single": self.single,
            "spark": _whole(self.spark),
            "seats": [
                [one.seat, *(_whole(np.array([*one.box, one.engagement, one.present]))), one.leading]
                for one in self.seats
            ],
        }
        line = self.over_time
        over_time = {
            **_times(line.starts, line.step, line.status),
            **{name: _whole(getattr(line, name)) for name in STEPS},
            "usual": known(line.usual),
            "shared": known(line.shared),
        }
        return told, {"lines": [_packed(each) for each in self.lines], "over_time": over_time}


def overview(gate: Gate, mapping: Mapping) -> Overview:
    """Return what may be seen of a lesson, made from its rows."""
    once = dataclasses.replace(mapping, score=_remembering(mapping.score))
    summary = summarise(gate, once)
    duration, whole = gate.lesson.duration, summary.timeline
    widths = _widths(duration, gate.frames(), whole.bin_seconds, 0.0 if gate.allowance.single else gate.moment)
    finer = [
        gate.class_over_time(lambda readings, width=width: aggregate.timeline(readings, once.score, width))  # type: ignore[misc]
        for width in widths
    ]
    figures = {name: value for name, value in summary.as_dict().items() if name not in OF_RECORD}
    return Overview(
        mapping=mapping.name,
        figures=figures,
        band=summary.band,
        single=gate.allowance.single,
        lines=(*finer, whole),
        over_time=summary.over_time,
        seats=seat_glances(summary),
        spark=spark(whole),
    )


def overview_from(mapping: str, told: dict[str, Any], series: dict[str, Any]) -> Overview:
    """Return what `Overview.as_stored` made JSON of."""
    line = series["over_time"]
    starts, step, status = _read_times(line)
    return Overview(
        mapping=mapping,
        figures=told["summary"],
        band=told["band"],
        single=told["single"],
        lines=tuple(_unpacked(each) for each in series["lines"]),
        over_time=ClassLine(
            step=step,
            starts=starts,
            status=status,
            **{name: _fractions(line[name]) for name in STEPS},
            usual=number(line["usual"]),
            shared=number(line["shared"]),
        ),
        seats=tuple(_seat(row) for row in told["seats"]),
        spark=_fractions(told["spark"]),
    )


def overview_key(lesson: Lesson, mapping: Mapping) -> str:
    """Return a fingerprint of all that decides how an overview looks; one kept under another key is out of date."""
    made_by = (
        VERSION, mapping.name, mapping.formula, mapping.validity, mapping.coefficients, MIN_SEATS, DIGITS,
        tuple(MOMENTS.items()), WIDTHS, MOST_STEPS,
        aggregate.BIN_SECONDS, aggregate.MAX_BINS, LEVEL, FALSE_PER_HOUR,
        dataclasses.astuple(OverTimeSettings()), dataclasses.astuple(EpisodeSettings()),
        lesson.purpose, lesson.reference, lesson.sample, lesson.created, lesson.state, lesson.duration,
    )  # fmt: skip
    return hashlib.sha256(json.dumps(made_by).encode()).hexdigest()


def window(seen: Overview, start: float, end: float) -> Timeline:
    """Return the class between two moments, in the finest bins of which at most MOST_DRAWN meet it.

    Where no line is coarse enough it is the report's; there is always one bin at least.

    Args:
        seen: of the lesson.
        start: seconds from the start of the source.
        end: likewise, above `start`.
    """
    line = next((each for each in seen.lines if (end - start) / each.bin_seconds <= MOST_DRAWN), seen.whole)
    meets = (line.starts < end) & (line.starts + line.bin_seconds > start)
    if not meets.any():
        meets = np.arange(len(line.starts)) == np.argmin(abs(line.starts - start))
    parts: dict[str, Any] = {name: getattr(line, name)[meets] for name in (*ROWS, "starts", "status", "emotions")}
    return Timeline(bin_seconds=line.bin_seconds, **parts)


def shared_width(one: Overview, other: Overview, seconds: float) -> float | None:
    """Return the finest width of bin, in seconds, in which both lessons can be drawn over so long a time."""
    both = {line.bin_seconds for line in one.lines} & {line.bin_seconds for line in other.lines}
    return next((width for width in sorted(both) if seconds / width <= MOST_DRAWN), None)


def spark(line: Timeline) -> Array:
    """Return at most MOST_SPARK means of engagement over time, NaN where no bin of it has a score."""
    if not len(line.starts):
        return np.empty(0)
    each = -(-len(line.starts) // MOST_SPARK)
    rows = np.pad(line.engagement, (0, -len(line.starts) % each), constant_values=np.nan).reshape(-1, each)
    counts = np.isfinite(rows).sum(axis=1)
    means: Array = np.nansum(rows, axis=1) / np.where(counts > 0, counts, np.nan)
    return means


def spark_line(kept: Sequence[int | None]) -> Timeline:
    """Return a spark, as `Overview.as_stored` keeps it, as a timeline of a second a point, for the charts."""
    values = _fractions(kept)
    n = len(values)
    nothing = np.full(n, np.nan)
    status = np.where(np.isfinite(values), OK, NOT_ANALYSED)
    rows = (values, nothing, nothing, np.full((n, len(EMOTIONS)), np.nan), nothing, nothing, nothing)
    return Timeline(1.0, np.arange(n, dtype=np.float64), status, *rows)


def number(value: float | None) -> float:
    """Return a number of JSON; None is NaN."""
    return float("nan") if value is None else float(value)


def _remembering(score: Score) -> Score:
    """Return a score that is worked out once for the same rows, as every width asks for it anew."""
    last: list[tuple[Array, Array, Array]] = []

    def remembered(emotions: Array, signals: Array) -> Array:
        if not last or last[0][0] is not emotions or last[0][1] is not signals:
            last[:] = [(emotions, signals, score(emotions, signals))]
        return last[0][2]

    return remembered


def _widths(duration: float, frames: int, coarsest: float, shortest: float) -> list[float]:
    """Return the widths of bins that are finer than the report's, in seconds, ascending."""
    least = max(duration / max(frames, 1) - 1e-6, shortest)
    fitting = [width for width in aggregate.BIN_SECONDS if width >= least and duration <= width * MOST_STEPS]
    finest = min(fitting, default=coarsest)
    return [width for width in sorted({finest, *WIDTHS}) if finest <= width < coarsest]


def seat_glances(summary: LessonSummary) -> tuple[SeatGlance, ...]:
    """Return the seats of a summary as pages and the map show them."""
    lesson = summary.lesson
    sides = np.array([lesson.width, lesson.height, lesson.width, lesson.height], np.float64)
    made = []
    for seat in summary.seats:
        left, top, right, bottom = (seat.box / sides).tolist()
        leading = EMOTIONS[int(np.argmax(seat.emotions))] if np.isfinite(seat.emotions).all() else None
        made.append(SeatGlance(seat.seat, (left, top, right, bottom), seat.engagement, seat.present, leading))
    return tuple(made)


def _seat(row: Sequence[Any]) -> SeatGlance:
    left, top, right, bottom, engagement, present = _fractions(row[1:7]).tolist()
    return SeatGlance(int(row[0]), (left, top, right, bottom), engagement, present, row[7])


def _packed(line: Timeline) -> dict[str, Any]:
    rows = {name: _whole(getattr(line, name)) for name in ROWS}
    return {
        **_times(line.starts, line.bin_seconds, line.status),
        **rows,
        "emotions": [_whole(column) for column in line.emotions.T],
    }


def _unpacked(plain: dict[str, Any]) -> Timeline:
    starts, step, status = _read_times(plain)
    emotions = np.array([_fractions(column) for column in plain["emotions"]]).T
    rows = {name: _fractions(plain[name]) for name in ROWS}
    return Timeline(bin_seconds=step, starts=starts, status=status, emotions=emotions, **rows)


def _times(starts: Array, step: float, status: Array) -> dict[str, Any]:
    """Return evenly spaced starts by their first, and the status of each bin as a digit."""
    digits = "".join(str(STATUSES.index(each)) for each in status.tolist())
    return {"first": float(starts[0]) if len(starts) else 0.0, "step": step, "status": digits}


def _read_times(plain: dict[str, Any]) -> tuple[Array, float, Array]:
    status = np.array([STATUSES[int(digit)] for digit in plain["status"]], dtype=str)
    return plain["first"] + np.arange(len(status)) * plain["step"], plain["step"], status


def _whole(values: Array) -> list[int | None]:
    """Return numbers as whole thousandths, NaN as None."""
    thousandths = np.rint(np.asarray(values, np.float64) * SCALE)
    return [None if value != value else int(value) for value in thousandths.tolist()]


def _fractions(whole: Sequence[int | None]) -> Array:
    """Return whole thousandths as numbers: float64 (n,), None as NaN."""
    fractions: Array = np.array(whole, np.float64) / SCALE
    return fractions
