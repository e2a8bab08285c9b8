"""The parts of a lesson compared, as far as the gate allows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.app.panel import find_mapping
from roomread.errors import SettingsError
from roomread.review.agenda import Structure
from roomread.review.structure import Comparison, compare, signed
from roomread.store.privacy import Gate, allowance
from roomread.types import ACTIVITY, MARKER, NO_REST, NOT_ANALYSED, OK, SPARSE, TOO_FEW, Lesson, Part, Readings

MakeLesson = Callable[..., Lesson]
MakeReadings = Callable[..., Readings]

RISE = (0.9 - 0.3) / 0.9  # of a face that is neutral instead of sad, by the mapping sharma
STRUCTURE = Structure(
    (
        Part("Talk", 0, 30, ACTIVITY),
        Part("Task", 30, 60, ACTIVITY),
        Part("Bell", 30, 30, MARKER),
        Part("End", 90, math.inf, ACTIVITY),
        Part("Homework", 200, 260, ACTIVITY),
    ),
)


def compared(
    lesson: MakeLesson,
    readings: MakeReadings,
    seats: int = 6,
    structure: Structure = STRUCTURE,
    window: float = 20.0,
    reference: str | None = None,
) -> Comparison:
    """Compare the parts of 120 seconds in which each seat rises by RISE from 30 s to 60 s."""
    faces = [(row, seat, "neutral" if 30 <= row < 60 else "sad") for row in range(120) for seat in range(1, seats + 1)]
    found = readings(range(120), faces)
    about = lesson(duration=120.0, reference=reference)
    return compare(Gate(about, allowance(about, seats), found), find_mapping("sharma"), structure, window)


def test_each_part_is_compared_with_the_rest_and_a_marker_with_what_went_before(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    talk, task, bell, end, homework = compared(lesson, readings).rows
    assert [row.number for row in (talk, task, bell, end, homework)] == [1, 2, 3, 4, 5]
    assert_allclose([talk.value, task.value, bell.value, end.value], [-RISE / 3, RISE, RISE, -RISE / 3], atol=0.005)
    assert {row.status for row in (talk, task, bell, end)} == {OK}
    assert (end.part.end, end.seats, end.covered) == (120.0, 6, 1)
    assert (homework.status, homework.words) == (NOT_ANALYSED, "not covered by the lesson")
    assert math.isnan(homework.value)


def test_a_class_of_four_shows_nothing_but_the_word(lesson: MakeLesson, readings: MakeReadings) -> None:
    found = compared(lesson, readings, seats=4)
    assert [row.status for row in found.rows] == [TOO_FEW] * 4 + [NOT_ANALYSED]
    assert found.rows[0].words == "not enough evidence: too few seats"
    for part in found.as_dict()["parts"][:4]:
        assert [part[name] for name in ("change", "change_low", "change_high", "seats", "covered")] == [None] * 5
    assert found.caution == "No part could be compared: not enough evidence."


def test_the_words_tell_difference_interval_and_time(lesson: MakeLesson, readings: MakeReadings) -> None:
    talk, task, bell, *_ = compared(lesson, readings).rows
    assert task.words == "+0.67 (+0.67 to +0.67)"
    assert talk.words.startswith("−0.22 (")
    assert (talk.when, bell.when) == ("0:00–0:30", "0:30")


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "+0.12"), (-0.1, "−0.10"), (0.001, "0.00"), (-0.001, "0.00"), (math.nan, "–")]
)
def test_a_difference_is_written_with_its_sign(value: float, text: str) -> None:
    assert signed(value) == text


def test_the_caution_counts_what_was_compared(lesson: MakeLesson, readings: MakeReadings) -> None:
    found = compared(lesson, readings)
    assert found.caution.startswith("4 parts are compared: had nothing changed at all, 0.2 of the intervals")
    assert "shows no effect" in found.caution
    assert "the 20 s after it minus the 20 s before it" in found.method
    one = compared(lesson, readings, structure=Structure((Part("Task", 30, 60, ACTIVITY),)))
    assert one.caution.startswith("1 part is compared")
    assert "marker" not in one.method


def test_a_part_that_lasts_to_the_end_of_a_lesson_that_ended_before_is_not_covered(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    late = Structure((Part("Late", 500, math.inf, ACTIVITY),))
    (row,) = compared(lesson, readings, structure=late).rows
    assert (row.status, row.when) == (NOT_ANALYSED, "8:20–8:20")


def test_the_plain_values_pass_through_json(lesson: MakeLesson, readings: MakeReadings) -> None:
    values = json.loads(json.dumps(compared(lesson, readings).as_dict(), allow_nan=False))
    assert values["parts"][1]["change"] == pytest.approx(RISE, abs=0.005)
    assert values["parts"][1]["name"] == "Task"
    assert values["parts"][4]["change"] is None
    assert [note.split(" (")[0] for note in values["notes"]] == ["One part begins before an earlier one has ended"]


def test_where_parts_are_moved_to_whole_moments_it_is_said(lesson: MakeLesson, readings: MakeReadings) -> None:
    talk = Structure((Part("Talk", 0.4, 30, ACTIVITY),))
    (note,) = compared(lesson, readings, structure=talk).notes
    assert "whole multiples of 1 s, up to 0.5 s from their own times" in note
    assert compared(lesson, readings, structure=talk, reference="EC 12/26").notes == ()


def test_a_window_is_no_shorter_than_what_is_told_apart(lesson: MakeLesson, readings: MakeReadings) -> None:
    with pytest.raises(SettingsError, match=r"at least 1 s, as single seats .* Received: 0.4 s"):
        compared(lesson, readings, window=0.4)
    assert compared(lesson, readings, window=0.4, reference="EC 12/26").rows


@pytest.mark.parametrize("window", [0, -1, math.nan, math.inf, 1e300])
def test_a_window_must_be_a_time(lesson: MakeLesson, readings: MakeReadings, window: float) -> None:
    with pytest.raises(SettingsError, match="window must be above 0"):
        compared(lesson, readings, window=window)


def test_a_lesson_without_a_frame_and_a_lesson_of_one_part_have_nothing_to_compare(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    nothing = lesson(duration=0.0)
    gate = Gate(nothing, allowance(nothing, 0), readings([]))
    assert {row.status for row in compare(gate, find_mapping("sharma"), STRUCTURE).rows} == {NOT_ANALYSED}
    whole = Structure((Part("All", 0, math.inf, ACTIVITY),))
    assert compared(lesson, readings, structure=whole).rows[0].status == NO_REST


def test_what_was_measured_too_little_says_so_without_a_number(lesson: MakeLesson, readings: MakeReadings) -> None:
    longer = Structure((Part("Long", 60, 600, ACTIVITY),))
    (row,) = compared(lesson, readings, structure=longer).rows
    assert (row.status, row.seats) == (SPARSE, 6)
    assert row.covered == pytest.approx(60 / 540)
    assert np.isnan([row.value, row.low, row.high]).all()
