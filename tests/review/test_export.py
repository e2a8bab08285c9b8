"""Tables that leave, and what explains them."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.app.panel import find_mapping
from roomread.engagement.attention import ATTENTION
from roomread.errors import OutputError, PrivacyError, SettingsError
from roomread.output import FORMATS, TABLES
from roomread.review.export import (
    CLASS_COLUMNS,
    SEAT_COLUMNS,
    class_table,
    clock_times,
    export,
    file_stem,
    seat_table,
    table_of,
)
from roomread.review.summary import summarise
from roomread.store.privacy import Gate, allowance
from roomread.types import DROP, EMOTIONS, NO_FACE, NO_SEAT, OK, SIGNALS, TOO_FEW, UNREADABLE, Episode, Lesson, Readings

MakeLesson = Callable[..., Lesson]
MakeReadings = Callable[..., Readings]
SHARMA = find_mapping("sharma")
READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": lambda path: pd.read_csv(path),
    "parquet": lambda path: fastparquet.ParquetFile(io.BytesIO(path.read_bytes())).to_pandas(),
    "json": lambda path: pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))),
}


@pytest.fixture
def seen(readings: MakeReadings) -> Readings:
    """Eight frames, two to a bin: six seats, six faces that cannot be read, one seat and a face without one, nobody."""
    shown: list[Any] = [[0.1, 0.05, 0.05, 0.3, 0.15, 0.05, 0.3]] * 3 + ["happy"] * 3
    faces: list[Any] = [(row, seat, shown[seat - 1]) for row in (0, 1) for seat in range(1, 7)]
    faces += [(row, seat, None) for row in (2, 3) for seat in range(1, 7)]
    faces += [(row, seat, "sad") for row in (4, 5) for seat in (1, NO_SEAT)]
    return readings(np.arange(8) / 2, faces)


@pytest.fixture
def make_gate(lesson: MakeLesson, seen: Readings) -> Callable[..., Gate]:
    """A function that opens a lesson of those readings as its purpose allows."""

    def build(**about: Any) -> Gate:
        chosen = lesson(**({"duration": 4.0} | about))
        return Gate(chosen, allowance(chosen, len(seen.established())), seen)

    return build


@pytest.fixture
def opened(make_gate: Callable[..., Gate]) -> Gate:
    return make_gate(reference="EC 12/26", began="2026-11-22T09:15:00+01:00")


def as_numbers(column: pd.Series) -> Any:
    return pd.to_numeric(column).to_numpy(np.float64)


def test_the_class_table_has_a_row_for_each_bin(make_gate: Callable[..., Gate]) -> None:
    table = class_table(summarise(make_gate(), SHARMA))
    assert_array_equal(table["time"], [0, 1, 2, 3])
    assert_array_equal(table["seconds"], [1, 1, 1, 1])
    assert list(table["status"]) == [OK, UNREADABLE, TOO_FEW, NO_FACE]
    assert_array_equal(table["seats"], [6, 0, np.nan, 0])
    assert_array_equal(table["readable"], [6, 0, np.nan, 0])
    assert_array_equal(table["unreadable"], [0, 6, np.nan, 0])
    assert_array_equal(np.isnan(table["engagement"]), [False, True, True, True])
    assert_allclose(table[list(EMOTIONS)].sum(axis=1, min_count=7), [1, np.nan, np.nan, np.nan], atol=0.035)


def test_the_class_table_shows_every_bin_where_single_seats_may_be_seen(opened: Gate) -> None:
    table = class_table(summarise(opened, SHARMA))
    assert list(table["status"]) == [OK, UNREADABLE, OK, NO_FACE]
    assert_array_equal(table["unreadable"], [0, 6, 0, 0])


def test_the_class_table_names_the_episode_that_meets_a_bin(make_gate: Callable[..., Gate]) -> None:
    told = summarise(make_gate(), SHARMA)
    assert list(class_table(told)["episode"]) == [None] * 4
    drop = Episode(kind=DROP, start=1.5, end=3.0, change=-0.2)
    column = class_table(replace(told, episodes=(drop,)))["episode"]
    assert list(column.isna()) == [True, False, False, True]
    assert list(column.dropna()) == [DROP, DROP]


def test_the_class_table_has_the_time_line_at_the_middle_of_each_bin(make_gate: Callable[..., Gate]) -> None:
    told = summarise(make_gate(), SHARMA)
    columns = ["change", "change_low", "change_high"]
    assert class_table(told)[columns].isna().all(axis=None)  # four seconds are not enough evidence
    line = replace(told.over_time, change=np.array([-0.1, 0.2]), low=np.array([-0.2, 0.1]), high=np.array([0.0, 0.3]))
    table = class_table(replace(told, over_time=line))  # bins of one second, steps of two
    assert_array_equal(table["change"], [-0.1, -0.1, 0.2, 0.2])
    assert_array_equal(table["change_low"], [-0.2, -0.2, 0.1, 0.1])
    assert_array_equal(table["change_high"], [0.0, 0.0, 0.3, 0.3])


def test_the_seat_table_has_a_row_for_each_face(opened: Gate, seen: Readings) -> None:
    table = seat_table(opened, SHARMA)
    assert len(table) == len(seen) == 28
    assert_array_equal(table["time"], seen.times[seen.frames])
    assert_array_equal(table["seat"], seen.seats)
    assert_array_equal(table["FaceRectX"], seen.boxes[:, 0])
    assert_array_equal(table["FaceRectY"], seen.boxes[:, 1])
    assert_array_equal(table["FaceRectX"] + table["FaceRectWidth"], seen.boxes[:, 2])
    assert_array_equal(table["FaceRectY"] + table["FaceRectHeight"], seen.boxes[:, 3])
    assert_array_equal(table[list(EMOTIONS)], seen.emotions)
    assert_allclose(table["engagement"], SHARMA.score(seen.emotions, seen.signals))


def test_the_seat_table_tells_signals_and_what_follows_from_them(lesson: MakeLesson, readings: MakeReadings) -> None:
    seen = readings(np.arange(0, 15, 0.5), [(row, seat, "sad") for row in range(30) for seat in range(1, 6)])
    seen.signals[:] = (1, 5, 2, 0, 0.3, 1, 0.01, 0.2, 0.1, 0.1, 0.3)
    seen.signals[-1] = np.nan
    chosen = lesson(reference="EC 12/26")
    table = seat_table(Gate(chosen, allowance(chosen, 5), seen), SHARMA)
    assert_array_equal(table[list(SIGNALS)], seen.signals)
    assert table.iloc[-2][list(ATTENTION)].tolist() == [1, 0, 0, pytest.approx(0, abs=1e-6), 0]
    assert table.iloc[-1][list(ATTENTION)].isna().all()


def test_a_lesson_without_a_face_gives_a_seat_table_without_rows(lesson: MakeLesson, readings: MakeReadings) -> None:
    chosen = lesson(reference="EC 12/26")
    table = seat_table(Gate(chosen, allowance(chosen, 0), readings(range(3))), SHARMA)
    assert len(table) == 0
    assert list(table.columns) == [column.name for column in SEAT_COLUMNS]


@pytest.mark.parametrize(("table", "columns"), [("class", CLASS_COLUMNS), ("seats", SEAT_COLUMNS)], ids=TABLES)
def test_the_dictionary_names_exactly_the_columns_and_their_types(opened: Gate, table: str, columns: Any) -> None:
    frame = table_of(opened, SHARMA, table)
    assert list(frame.columns) == [column.name for column in columns]
    for column in columns:
        kind = frame[column.name].dtype
        assert column.meaning
        if column.type == "text":
            assert str(kind) in ("object", "str"), column.name
        else:
            assert str(kind) == column.type, column.name


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("form", FORMATS)
def test_a_table_comes_back_from_its_file(opened: Gate, tmp_path: Path, form: str, table: str) -> None:
    written, beside = export(opened, SHARMA, form, table, tmp_path / "out")
    assert written.name == f"Tuesday-1-{table}.{form}"
    frame, back = table_of(opened, SHARMA, table), READERS[form](written)
    assert list(back.columns) == list(frame.columns)
    assert len(back) == len(frame)
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name].dtype):
            within = 1e-6 if form == "json" else 0
            assert_allclose(as_numbers(back[name]), as_numbers(frame[name]), rtol=0, atol=within, err_msg=name)
        else:
            assert list(back[name].dropna()) == list(frame[name].dropna()), name
            assert_array_equal(back[name].isna(), frame[name].isna())
    words = json.loads(beside.read_text(encoding="utf-8"))
    assert [column["name"] for column in words["columns"]] == list(back.columns)
    assert sorted(path.name for path in written.parent.iterdir()) == sorted([written.name, beside.name])


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_without_clock_times_and_without_rows_comes_back(
    lesson: MakeLesson, readings: MakeReadings, tmp_path: Path, form: str
) -> None:
    chosen = lesson(reference="EC 12/26", duration=3.0)
    empty = Gate(chosen, allowance(chosen, 0), readings(range(3)))
    for table, rows in (("class", 3), ("seats", 0)):
        back = READERS[form](export(empty, SHARMA, form, table, tmp_path)[0])
        assert len(back) == rows
        assert rows == 0 or back["clock"].isna().all()


@pytest.mark.parametrize("table", TABLES)
def test_the_dictionary_says_where_the_numbers_come_from(opened: Gate, tmp_path: Path, table: str) -> None:
    words = json.loads(export(opened, SHARMA, "csv", table, tmp_path)[1].read_text(encoding="utf-8"))
    assert (words["table"], words["lesson"], words["source"]) == (table, "Tuesday", "tuesday.mp4")
    assert (words["purpose"], words["reference"]) == ("research", "EC 12/26")
    assert words["engagement"] == {
        "mapping": "sharma",
        "formula": SHARMA.formula,
        "validity": SHARMA.validity,
    }
    assert words["made_with"] == {"roomread": "0.1.0"}
    assert "EC 12/26" in words["rule"]


def test_clock_times_have_a_zone_and_milliseconds(lesson: MakeLesson) -> None:
    assert clock_times(lesson(began="2026-11-22T09:15:00+01:00"), np.array([0.0, 0.2, 75.0335])) == [
        "2026-11-22T09:15:00.000+01:00",
        "2026-11-22T09:15:00.200+01:00",
        "2026-11-22T09:16:15.033+01:00",
    ]
    assert clock_times(lesson(), np.array([0.0, 0.2])) == [None, None]


def test_the_clock_of_a_table_runs_with_its_times(opened: Gate, tmp_path: Path) -> None:
    for table in TABLES:
        back = pd.read_csv(export(opened, SHARMA, "csv", table, tmp_path)[0])
        clock = [datetime.fromisoformat(text) for text in back["clock"]]
        assert all(moment.utcoffset() == timedelta(hours=1) for moment in clock)
        began = datetime.fromisoformat("2026-11-22T09:15:00+01:00")
        assert_allclose([(moment - began).total_seconds() for moment in clock], back["time"], atol=1e-3)


@pytest.mark.parametrize("form", FORMATS)
def test_a_refused_table_leaves_no_file(make_gate: Callable[..., Gate], tmp_path: Path, form: str) -> None:
    with pytest.raises(PrivacyError, match="Rows of single seats of lesson 1 are refused"):
        export(make_gate(), SHARMA, form, "seats", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "table", "message"),
    [
        pytest.param("xlsx", "class", "no format 'xlsx'. Expected one of: csv, json, parquet", id="format"),
        pytest.param("csv", "faces", "no table 'faces'. Expected one of: class, seats", id="table"),
    ],
)
def test_an_unknown_format_or_table_is_refused(
    opened: Gate, tmp_path: Path, form: str, table: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        export(opened, SHARMA, form, table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_half_written_is_left_when_the_disk_is_full(
    opened: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def to_csv(self: pd.DataFrame, path: Path, **_: Any) -> None:
        path.write_text("time,clock\n0.0,", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    old = export(opened, SHARMA, "csv", "class", tmp_path)
    before = {path: path.read_bytes() for path in old}
    monkeypatch.setattr(pd.DataFrame, "to_csv", to_csv)
    for table in TABLES:
        with pytest.raises(OutputError, match="No space left on device"):
            export(opened, SHARMA, "csv", table, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_table_without_its_dictionary_is_not_left(
    opened: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_text(self: Path, *_: Any, **__: Any) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(OutputError):
        export(opened, SHARMA, "csv", "class", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(opened: Gate, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        export(opened, SHARMA, "csv", "class", tmp_path / "taken")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        pytest.param("Tuesday", "Tuesday-1-class", id="plain"),
        pytest.param("Class 7b: maths", "Class-7b-maths-1-class", id="spaces and a colon"),
        pytest.param("../../etc/passwd", "etc-passwd-1-class", id="a way out of the folder"),
        pytest.param("Größe", "Größe-1-class", id="letters of other languages"),
        pytest.param("???", "lesson-1-class", id="nothing that a file name takes"),
        pytest.param("", "lesson-1-class", id="empty"),
    ],
)
def test_a_file_is_named_after_its_lesson(lesson: MakeLesson, name: str, stem: str) -> None:
    assert file_stem(lesson(name=name), "class") == stem


@pytest.mark.parametrize("letter", ["x", "ü", "漢"])
def test_a_long_name_still_makes_a_file_that_every_platform_takes(
    make_gate: Callable[..., Gate], tmp_path: Path, letter: str
) -> None:
    for path in export(make_gate(name=letter * 250), SHARMA, "csv", "class", tmp_path):
        assert path.is_file()
        assert "-1-class." in path.name
