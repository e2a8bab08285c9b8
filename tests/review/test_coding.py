"""Which glances are coded, and the form that keeps what was coded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from roomread.errors import CodesError, OutputError, PrivacyError, SettingsError
from roomread.review.codes import read_codes
from roomread.review.coding import (
    COLUMNS,
    Glance,
    glances_to_code,
    keep,
    observer_name,
    places,
    waiting,
    write_form,
)
from roomread.store.privacy import Gate, allowance
from roomread.types import WHOLE_CLASS, Lesson, Readings


@pytest.fixture
def gate(lesson: Callable[..., Lesson], readings: Callable[..., Readings]) -> Callable[..., Gate]:
    """A function that makes a lesson of 130 seconds with three seats; its arguments are the lesson's."""

    def make(**about: object) -> Gate:
        seen = readings(range(10, 140), [(row, seat, "happy") for row in range(130) for seat in (2, 5, 7)])
        made = lesson(**{"reference": "EC 12/26", "duration": 130.0, **about})
        return Gate(made, allowance(made, 3), seen)

    return make


@pytest.fixture
def glances(gate: Callable[..., Gate]) -> tuple[Glance, ...]:
    return glances_to_code(gate())


def test_seats_follow_each_other_round_after_round_from_the_lessons_first_frame(glances: tuple[Glance, ...]) -> None:
    assert [(glance.start, glance.end, glance.seat) for glance in glances] == [
        (10, 30, 2), (30, 50, 5), (50, 70, 7), (70, 90, 2), (90, 110, 5), (110, 130, 7),
    ]  # fmt: skip
    assert glances[0].where == "9% from the left, 31% from the top"


def test_the_class_can_be_coded_where_single_seats_may_not_be_seen(gate: Callable[..., Gate]) -> None:
    closed = gate(reference=None)
    with pytest.raises(PrivacyError, match=r"are refused\. .*The class can be coded as a whole\."):
        glances_to_code(closed)
    assert {glance.seat for glance in glances_to_code(closed, 10, whole_class=True)} == {WHOLE_CLASS}
    assert len(glances_to_code(closed, 10, whole_class=True)) == 13


@pytest.mark.parametrize("seconds", [0.0, -20.0, 131.0, float("nan")])
def test_a_glance_of_no_time_or_longer_than_the_lesson_is_refused(gate: Callable[..., Gate], seconds: float) -> None:
    with pytest.raises(SettingsError, match="does not fit lesson 1"):
        glances_to_code(gate(), seconds)


def test_a_lesson_without_a_seat_has_nothing_to_code(
    lesson: Callable[..., Lesson], readings: Callable[..., Readings]
) -> None:
    made = lesson(reference="EC 12/26", duration=40.0)
    with pytest.raises(CodesError, match="no seat to code"):
        glances_to_code(Gate(made, allowance(made, 0), readings(range(40))))


def test_a_form_that_is_filled_in_by_hand_is_read_back(glances: tuple[Glance, ...], tmp_path: Path) -> None:
    path = write_form(tmp_path / "sheet.csv", [glance.row() for glance in glances])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert lines[1] == '10,30,0:10–0:30,2,"9% from the left, 31% from the top",,'
    lines[2] = lines[2][:-1] + "1,Anna"
    path.write_text("\n".join(lines), encoding="utf-8")
    codes = read_codes([path])
    assert [part.tolist() for part in (codes.starts, codes.seats, codes.levels)] == [[30], [5], [1]]


def test_a_form_is_never_written_over(glances: tuple[Glance, ...], tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("Anna's work")
    with pytest.raises(OutputError, match="there already"):
        write_form(tmp_path / "sheet.csv", [glance.row() for glance in glances])
    assert (tmp_path / "sheet.csv").read_text() == "Anna's work"


def test_each_answer_is_kept_at_once_and_coding_goes_on_where_it_stopped(
    glances: tuple[Glance, ...], tmp_path: Path
) -> None:
    path = tmp_path / "codes.csv"
    assert waiting(path, glances, "Anna") == glances
    keep(path, glances[0], 2, "Anna")
    keep(path, glances[1], None, "Anna")
    assert waiting(path, glances, "Anna") == glances[2:]
    assert waiting(path, glances, "Ben") == glances
    keep(path, glances[0], 1, "Ben")
    assert read_codes([path]).levels.tolist() == [2, 1]


def test_the_form_of_another_lesson_is_not_gone_on_with(glances: tuple[Glance, ...], tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    waiting(path, glances, "Anna")
    keep(path, dataclasses.replace(glances[0], where="50% from the left, 50% from the top"), 2, "Anna")
    with pytest.raises(CodesError, match=r"other glances of Anna.*10 to 30 s, 2, 50% from the left"):
        waiting(path, glances, "Anna")
    assert waiting(path, glances, "Ben") == glances


@pytest.mark.parametrize("name", ["", " ", "=SUM(A1)", "Anna\udce9", "x" * 61])
def test_an_observer_has_a_name_that_a_table_can_hold(name: str) -> None:
    with pytest.raises(SettingsError, match="observer's name"):
        observer_name(name)


def test_a_last_line_that_an_editor_left_open_is_closed_first(glances: tuple[Glance, ...], tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    waiting(path, glances, "Anna")
    keep(path, glances[0], 2, "Anna")
    path.write_bytes(path.read_bytes().rstrip())
    keep(path, glances[1], 0, "Anna")
    assert read_codes([path]).levels.tolist() == [2, 0]


def test_a_form_with_glances_of_another_length_is_not_continued(gate: Callable[..., Gate], tmp_path: Path) -> None:
    path, glances = tmp_path / "codes.csv", glances_to_code(gate(), 10)
    waiting(path, glances, "Anna")
    keep(path, glances[0], 2, "Anna")
    with pytest.raises(CodesError, match=r"other glances of Anna\. .*Received: 10 to 20 s, 2"):
        waiting(path, glances_to_code(gate(), 20), "Anna")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", ";".join(COLUMNS) + "\n"], ids=["empty", "other", "semicolons"])
def test_a_file_of_another_form_is_not_continued(glances: tuple[Glance, ...], tmp_path: Path, text: str) -> None:
    (tmp_path / "codes.csv").write_text(text)
    with pytest.raises(CodesError, match="no form that can be continued"):
        waiting(tmp_path / "codes.csv", glances, "Anna")


def test_a_form_that_has_gone_is_told_in_words(glances: tuple[Glance, ...], tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        keep(tmp_path / "absent.csv", glances[0], 1, "Anna")


def test_places_are_the_middles_of_faces(gate: Callable[..., Gate]) -> None:
    first = places(gate())[0]
    assert (first.seat, str(first)) == (2, "9% from the left, 31% from the top")
    assert 0 < first.across < first.down < 1
