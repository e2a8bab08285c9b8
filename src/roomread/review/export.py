"""Tables that leave: CSV, Parquet or JSON, each with a data dictionary beside it."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd

from roomread.engagement.attention import ATTENTION, attention
from roomread.engagement.mappings import Mapping
from roomread.errors import SettingsError
from roomread.output import FORMATS, TABLES, write_whole
from roomread.review.summary import LessonSummary, summarise
from roomread.store.privacy import Gate
from roomread.types import EMOTIONS, SIGNALS, Array, Lesson

MAX_NAME = 150  # bytes; file systems take 255 with everything that is added


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table holds: its type, unit and range, and its meaning in words."""

    name: str
    type: str
    unit: str
    meaning: str


_TIME = Column("time", "float64", "seconds", "from the start of the source")
_CLOCK = Column("clock", "text", "ISO 8601", "the same by the clock, where the lesson's beginning is known")
_PROBABILITIES = tuple(
    Column(name, "float64", "0 to 1", f"probability of the expression {name}; the seven sum to 1; empty: not readable")
    for name in EMOTIONS
)

_SIGNALS = {  # unit and meaning
    "presence": (
        "0 to 1",
        "how sure the face mesh is; below 0.5 the rest is not to be trusted; empty: not read in this frame",
    ),
    "yaw": ("degrees", "where the face points, positive to the picture's right, 0 into the camera"),
    "pitch": ("degrees", "likewise, positive downwards; a person's own 0 may be off by about 8"),
    "roll": ("degrees", "how far the head is tilted, positive clockwise in the picture"),
    "eyes": ("height / width", "opening between the lids; open about 0.3, closed under 0.15; compare within a seat"),
    "gaze": ("degrees", "of the eyes relative to the head, sideways; rough, compare within a seat"),
    "mouth": ("eye distances", "opening of the lips; closed about 0.01, a yawn above 0.3"),
    "upper_lid": ("eye widths", "height of the upper lid over the line between the eye's corners"),
    "lower_lid": ("eye widths", "how far the lower lid is below that line"),
    "upper_lip": ("eye distances", "height of the upper lip"),
    "lips": ("eye distances", "height of both lips with what is between them"),
}

CLASS_COLUMNS = (
    _TIME,
    _CLOCK,
    Column("seconds", "float64", "seconds", "length of the time bin that begins at `time`"),
    Column("status", "text", "", "ok, or why the bin has no numbers: too few, no face, unreadable, not analysed"),
    Column("engagement", "float64", "0 to 1", "mean over seats of the named mapping; empty: see status"),
    Column("engagement_low", "float64", "0 to 1", "lower end of its band"),
    Column("engagement_high", "float64", "0 to 1", "upper end of its band"),
    *_PROBABILITIES,
    Column("seats", "float64", "count", "seats with a score in the bin"),
    Column("readable", "float64", "faces per frame", "faces that could be read"),
    Column("unreadable", "float64", "faces per frame", "faces found that could not be read"),
    Column(
        "facing", "float64", "0 to 1", "share of the seats' readings that face what the room faces; empty: not known"
    ),
    Column("facing_low", "float64", "0 to 1", "lower end of the 95% interval of that mean over seats"),
    Column("facing_high", "float64", "0 to 1", "its upper end"),
    Column("eyes_closed", "float64", "0 to 1", "share of the seats' readings with closed eyes; empty: not known"),
    Column("eyes_closed_low", "float64", "0 to 1", "lower end of the 95% interval of that mean over seats"),
    Column("eyes_closed_high", "float64", "0 to 1", "its upper end"),
    Column(
        "change", "float64", "-1 to 1", "time line: mean distance of the seats from their own usual levels, over 20 s"
    ),
    Column("change_low", "float64", "-1 to 1", "lower end of its 95% interval; empty, like the change: not told"),
    Column("change_high", "float64", "-1 to 1", "its upper end"),
    Column(
        "episode", "text", "", "drop or rise: the time line reports one that meets the bin; empty: none, or not told"
    ),
)
SEAT_COLUMNS = (
    _TIME,
    _CLOCK,
    Column("seat", "int64", "", "number of the seat, from 1; 0: a face that has not stayed at a place"),
    Column("FaceRectX", "float64", "pixels", "left edge of the face"),
    Column("FaceRectY", "float64", "pixels", "upper edge of the face"),
    Column("FaceRectWidth", "float64", "pixels", "width of the face"),
    Column("FaceRectHeight", "float64", "pixels", "height of the face"),
    Column("score", "float64", "0 to 1", "how sure the detector is that this is a face"),
    Column("sharpness", "float64", "gray levels squared", "variance of the face's Laplacian; low: blurred"),
    *_PROBABILITIES,
    Column("engagement", "float64", "0 to 1", "the named mapping of this one face; empty: what it needs was not read"),
    *(Column(name, "float64", *_SIGNALS[name]) for name in SIGNALS),
    Column("facing", "float64", "0 or 1", "whether the face points to what the room faces; empty: not known"),
    Column("eyes_closed", "float64", "0 or 1", "against how open the seat's eyes usually are; empty: not known"),
    Column("eyes_closed_minute", "float64", "0 to 1", "share of the seat's readings in the minute up to this one"),
    Column("head_spread", "float64", "degrees", "standard deviation of the yaw in the ten seconds up to this reading"),
    Column("talking", "float64", "0 or 1", "whether the mouth moves as in talk, chewing or laughter"),
)
_PARQUET = {"compression": "SNAPPY", "write_index": False, "object_encoding": "utf8"}  # empty columns are text too
_COLUMNS = {"class": CLASS_COLUMNS, "seats": SEAT_COLUMNS}


def class_table(summary: LessonSummary) -> pd.DataFrame:
    """Return the class over time, one row per bin, with the columns of CLASS_COLUMNS."""
    line = summary.timeline
    return pd.DataFrame(
        {
            "time": line.starts,
            "clock": clock_times(summary.lesson, line.starts),
            "seconds": line.bin_seconds,
            "status": line.status.astype(str),
            "engagement": line.engagement,
            "engagement_low": line.low,
            "engagement_high": line.high,
            **{name: line.emotions[:, number] for number, name in enumerate(EMOTIONS)},
            "seats": line.seats,
            "readable": line.readable,
            "unreadable": line.unreadable,
            **{
                f"{name}{end}": values
                for name, share in summary.shares.items()
                for end, values in (("", share.value), ("_low", share.low), ("_high", share.high))
            },
            **dict(zip(("change", "change_low", "change_high"), _changes(summary), strict=True)),
            "episode": _episodes(summary),
        }
    )


def _changes(summary: LessonSummary) -> Array:
    """Return the time line and its interval at the middle of each bin: float64 (3, n), NaN where not told."""
    line, middles = summary.over_time, summary.timeline.starts + summary.timeline.bin_seconds / 2
    rows = np.maximum(np.searchsorted(line.starts, middles, side="right") - 1, 0)
    steps = np.stack([line.change, line.low, line.high])
    changes: Array = np.where(middles < line.starts[rows] + line.step, steps[:, rows], np.nan)
    return changes


def _episodes(summary: LessonSummary) -> list[str | None]:
    """Return the kind of the first episode that meets each bin, None where there is none."""
    line = summary.timeline
    return [
        next((e.kind for e in summary.episodes if e.start < start + line.bin_seconds and e.end > start), None)
        for start in line.starts.tolist()
    ]


def seat_table(gate: Gate, mapping: Mapping) -> pd.DataFrame:
    """Return every reading, one row per analysed frame and face, with the columns of SEAT_COLUMNS.

    Raises:
        PrivacyError: single seats may not be seen.
    """
    rows = gate.rows()
    times = rows.times[rows.frames]
    left, top, right, bottom = rows.boxes.astype(np.float64).T
    return pd.DataFrame(
        {
            "time": times,
            "clock": clock_times(gate.lesson, times),
            "seat": rows.seats,
            "FaceRectX": left,
            "FaceRectY": top,
            "FaceRectWidth": right - left,
            "FaceRectHeight": bottom - top,
            "score": rows.scores.astype(np.float64),
            "sharpness": rows.sharpness.astype(np.float64),
            **{name: rows.emotions[:, number].astype(np.float64) for number, name in enumerate(EMOTIONS)},
            "engagement": mapping.score(rows.emotions, rows.signals),
            **dict(zip(SIGNALS, rows.signals.astype(np.float64).T, strict=True)),
            **dict(zip(ATTENTION, attention(rows).T, strict=True)),
        }
    )


def clock_times(lesson: Lesson, times: Array) -> list[str | None]:
    """Return moments in ISO 8601 with milliseconds, or None for each where the lesson's beginning is not known."""
    if lesson.began is None:
        return [None] * len(times)
    began = datetime.fromisoformat(lesson.began)
    return [(began + timedelta(seconds=float(time))).isoformat(timespec="milliseconds") for time in times]


def table_of(gate: Gate, mapping: Mapping, table: str) -> pd.DataFrame:
    """Return one of TABLES.

    Raises:
        SettingsError: there is no such table.
        PrivacyError: the purpose does not allow it.
    """
    _check_table(table)
    return class_table(summarise(gate, mapping)) if table == "class" else seat_table(gate, mapping)


def export(gate: Gate, mapping: Mapping, form: str, table: str, folder: Path) -> tuple[Path, Path]:
    """Write a table and its data dictionary; return both paths. Neither is written when one cannot be.

    Args:
        gate: the lesson.
        mapping: of the engagement column.
        form: one of FORMATS.
        table: one of TABLES.
        folder: where to; made when missing.

    Raises:
        SettingsError: an unknown form or table.
        PrivacyError: the purpose does not allow the table.
        OutputError: the folder cannot be written.
    """
    _check_form(form)
    frame = table_of(gate, mapping, table)
    stem = file_stem(gate.lesson, table)
    words = dictionary(gate, mapping, table)
    target, beside = folder / f"{stem}.{form}", folder / f"{stem}.dictionary.json"
    write_whole({target: partial(_write, frame, form), beside: lambda path: path.write_text(words, encoding="utf-8")})
    return target, beside


def exported(gate: Gate, mapping: Mapping, form: str, table: str) -> bytes:
    """Return a table as the bytes of its file, which is written nowhere.

    Raises:
        SettingsError: an unknown form or table.
        PrivacyError: the purpose does not allow the table.
    """
    _check_form(form)
    return as_bytes(table_of(gate, mapping, table), form)


def as_bytes(frame: pd.DataFrame, form: str) -> bytes:
    """Return a table as the bytes of a file of one of FORMATS."""
    held = _Held()
    _write(frame, form, held)
    return held.getvalue()


def dictionary(gate: Gate, mapping: Mapping, table: str) -> str:
    """Return what the columns of a table mean and how they were made, as JSON.

    Raises:
        SettingsError: there is no such table.
    """
    _check_table(table)
    lesson = gate.lesson
    told = {
        "table": table,
        "lesson": lesson.name,
        "source": lesson.source,
        "purpose": lesson.purpose,
        "reference": lesson.reference,
        "rule": gate.allowance.rule,
        "engagement": {"mapping": mapping.name, "formula": mapping.formula, "validity": mapping.validity},
        "made_with": lesson.made_with,
        "columns": [
            {"name": column.name, "type": column.type, "unit": column.unit, "meaning": column.meaning}
            for column in _COLUMNS[table]
        ],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


class _Held(io.BytesIO):
    """Bytes that stay when a writer closes their file."""

    def close(self) -> None:
        """Keep them."""


def _write(frame: pd.DataFrame, form: str, target: Path | _Held) -> None:
    if form == "csv":
        frame.to_csv(target, index=False)
    elif form == "json":
        frame.to_json(target, orient="records", indent=1, double_precision=6)
    elif isinstance(target, Path):
        fastparquet.write(str(target), frame, **_PARQUET)
    else:
        fastparquet.write("", frame, open_with=lambda *_: target, **_PARQUET)


def _check_form(form: str) -> None:
    if form not in FORMATS:
        raise SettingsError(f"There is no format {form!r}. Expected one of: {', '.join(FORMATS)}.")


def _check_table(table: str) -> None:
    if table not in TABLES:
        raise SettingsError(f"There is no table {table!r}. Expected one of: {', '.join(TABLES)}.")


def file_stem(lesson: Lesson, what: str) -> str:
    """Return a file name without ending that every platform takes."""
    name = re.sub(r"[^\w.-]+", "-", lesson.name).strip("-.") or "lesson"
    name = name.encode()[:MAX_NAME].decode(errors="ignore")
    return f"{name}-{lesson.number}-{what}"
