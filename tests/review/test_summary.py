"""The lesson at a glance."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.app.panel import find_mapping
from roomread.engagement.aggregate import BAND_OF_ONE, BAND_OF_SEATS
from roomread.engagement.episodes import FALSE_PER_HOUR
from roomread.review.summary import LessonSummary, known, summarise
from roomread.store.privacy import Gate, allowance
from roomread.types import DROP, EMOTIONS, NO_FACE, NOT_ENOUGH, OK, SIGNALS, TOO_FEW, Lesson, Readings

MakeLesson = Callable[..., Lesson]
MakeReadings = Callable[..., Readings]

SHARMA = find_mapping("sharma")
HAPPY, SAD = 0.6 / 0.9, 0.3 / 0.9  # their scores by that mapping


def summary_of(lesson: Lesson, readings: Readings) -> LessonSummary:
    return summarise(Gate(lesson, allowance(lesson, len(readings.established())), readings), SHARMA)


def plain(value: Any) -> Any:
    """Return what is left of a value after a way through JSON, which knows no NaN."""
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.fixture
def two_seats(readings: MakeReadings) -> Readings:
    """Four frames: seat 1 happy in all, seat 2 sad, then unreadable, then gone, then sad."""
    happy = [(row, 1, "happy") for row in range(4)]
    return readings(range(4), [*happy, (0, 2, "sad"), (1, 2, None), (3, 2, "sad")])


@pytest.fixture
def class_of_six(readings: MakeReadings) -> Readings:
    """Four frames of six seats, three happy and three sad, and a fifth frame of nobody."""
    faces = [(row, seat, "happy" if seat < 4 else "sad") for row in range(4) for seat in range(1, 7)]
    return readings(range(5), faces)


def test_a_summary_tells_the_whole_lesson(lesson: MakeLesson, class_of_six: Readings) -> None:
    told = summary_of(lesson(duration=5.0), class_of_six)
    assert_allclose(told.engagement, (HAPPY + SAD) / 2)
    assert told.low < told.engagement < told.high
    assert_allclose(told.emotions, [0, 0, 0, 0.5, 0.5, 0, 0])
    assert (told.frames, told.n_seats, told.readable) == (5, 6, 1.0)
    assert_allclose(told.faces_per_frame, 24 / 5)
    assert_array_equal(told.timeline.status, [OK] * 4 + [NO_FACE])
    assert_allclose(told.measured, 0.8)
    assert told.band == BAND_OF_SEATS


def test_a_summary_says_by_what_it_was_made(lesson: MakeLesson, class_of_six: Readings) -> None:
    told = summary_of(lesson(duration=5.0), class_of_six)
    assert (told.mapping, told.formula, told.validity) == ("sharma", SHARMA.formula, SHARMA.validity)
    assert "at least 5 seats" in told.rule


def test_single_seats_are_left_out_where_they_may_not_be_seen(lesson: MakeLesson, class_of_six: Readings) -> None:
    told = summary_of(lesson(duration=5.0), class_of_six)
    assert told.seats == ()
    assert told.as_dict()["single_seats"] == []


def test_too_few_seats_leave_a_summary_without_numbers(lesson: MakeLesson, two_seats: Readings) -> None:
    told = summary_of(lesson(duration=4.0), two_seats)
    assert_array_equal(told.timeline.status, [TOO_FEW] * 4)
    assert (told.n_seats, told.seats, told.measured, told.frames) == (None, (), 0.0, 4)
    values = plain(told.as_dict())
    for name in ("engagement", "engagement_low", "engagement_high", "seats", "faces_per_frame", "readable"):
        assert values[name] is None, name
    assert values["emotions"] == dict.fromkeys(EMOTIONS)


def test_each_seat_is_told_where_single_seats_may_be_seen(lesson: MakeLesson, two_seats: Readings) -> None:
    told = summary_of(lesson(duration=4.0, reference="EC 12/26"), two_seats)
    first, second = told.seats
    assert (first.seat, second.seat) == (1, 2)
    assert_allclose([first.engagement, second.engagement], [HAPPY, SAD])
    assert_allclose([first.present, second.present], [1.0, 0.75])
    assert_allclose([first.readable, second.readable], [1.0, 0.5])
    assert_allclose(first.over_time, [HAPPY] * 4)
    assert_allclose(second.over_time, [SAD, np.nan, np.nan, SAD])
    assert_allclose(second.emotions, [0, 0, 0, 0, 1, 0, 0])
    assert_array_equal(first.box, two_seats.boxes[0])


def test_a_seat_that_could_never_be_read_has_no_score(lesson: MakeLesson, readings: MakeReadings) -> None:
    told = summary_of(lesson(duration=4.0, reference="EC"), readings(range(4), [(row, 5, None) for row in range(4)]))
    (seat,) = told.seats
    assert np.isnan(seat.engagement)
    assert np.isnan(seat.emotions).all()
    assert np.isnan(seat.over_time).all()
    assert (seat.present, seat.readable) == (1.0, 0.0)
    assert plain(told.as_dict())["single_seats"] == [
        {"seat": 5, "engagement": None, "present": 1.0, "readable": 0.0}
        | dict.fromkeys(("facing", "eyes_closed", "yawns", "blinks_per_minute"))
    ]


def test_the_bins_of_a_seat_are_those_of_the_class(lesson: MakeLesson, readings: MakeReadings) -> None:
    """From within a bin, and with a frame at the very end."""
    times = [61.5, 62.0, 63.0, 64.0]
    seen = readings(times, [(row, 1, "happy") for row in range(4)])
    told = summary_of(lesson(duration=2.5, purpose="self-study"), seen)
    (seat,) = told.seats
    assert len(seat.over_time) == len(told.timeline.starts)
    assert_allclose(seat.over_time, told.timeline.engagement)


def test_one_seat_has_the_band_of_its_own_readings(lesson: MakeLesson, readings: MakeReadings) -> None:
    seen = readings(range(4), [(row, 1, "happy") for row in range(4)])
    told = summary_of(lesson(duration=4.0, purpose="self-study"), seen)
    assert told.band == BAND_OF_ONE
    assert np.isnan([told.low, told.high]).all()


def test_a_lesson_without_a_face_is_an_ordinary_summary(lesson: MakeLesson, readings: MakeReadings) -> None:
    for about in ({}, {"reference": "EC 12/26"}):
        told = summary_of(lesson(duration=4.0, **about), readings(range(4)))
        assert_array_equal(told.timeline.status, [NO_FACE] * 4)
        assert (told.seats, told.measured) == ((), 0.0)
        plain(told.as_dict())


def test_a_summary_as_plain_values_names_what_a_machine_needs(lesson: MakeLesson, class_of_six: Readings) -> None:
    values = plain(summary_of(lesson(duration=4.99951, notes=("cut off",)), class_of_six).as_dict())
    assert values["engagement"] == 0.5
    assert values["duration"] == 5.0
    assert values["notes"] == ["cut off"]
    assert (values["lesson"], values["name"], values["purpose"], values["state"]) == (
        1,
        "Tuesday",
        "research",
        "complete",
    )
    assert values["emotions"] == dict.fromkeys(EMOTIONS, 0.0) | {"happy": 0.5, "sad": 0.5}
    assert (values["seats"], values["faces_per_frame"], values["measured"]) == (6, 4.8, 0.8)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.123456, 0.1235), (0.0, 0.0), (float("nan"), None), (np.float32(0.5), 0.5)], ids=str
)
def test_a_number_is_rounded_and_what_is_missing_is_none(value: float, expected: float | None) -> None:
    assert known(value) == expected
    assert not isinstance(known(value), np.generic)


def dropping_class(readings: MakeReadings, seats: int = 6) -> Readings:
    """Twenty minutes, a frame every two seconds: everybody is sad for two minutes, and neutral else."""
    moods = ["sad" if 300 <= row < 360 else "neutral" for row in range(600)]
    return readings(
        np.arange(600) * 2.0, [(row, seat, moods[row]) for row in range(600) for seat in range(1, seats + 1)]
    )


def test_a_drop_is_told_of_the_class_and_of_seats_where_single_ones_may_be_seen(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    seen = dropping_class(readings)
    told, opened = (summary_of(lesson(duration=1200.0, **about), seen) for about in ({}, {"reference": "EC"}))
    (drop,) = told.episodes
    assert (drop.kind, drop.start, drop.end) == (DROP, 600, 720)
    assert_allclose(drop.change, SAD - 1, atol=0.005)
    assert told.seat_episodes == {}
    assert [len(found) for found in opened.seat_episodes.values()] == [1] * 6
    assert_allclose(told.expected_false, FALSE_PER_HOUR / 3)
    over_time = plain(told.as_dict())["over_time"]
    assert over_time["episodes"] == [{"kind": DROP, "start": 600, "end": 720, "change": -0.67}]
    assert (over_time["told"], over_time["usual"], over_time["seats"]) == (1.0, 1.0, {})


def test_no_drop_is_told_of_fewer_than_five_seats(lesson: MakeLesson, readings: MakeReadings) -> None:
    told = summary_of(lesson(duration=1200.0), dropping_class(readings, 4))
    assert told.episodes == ()
    assert plain(told.as_dict())["over_time"] == {
        "told": 0.0, "usual": None, "episodes": [], "expected_false": None, "seats": {}
    }  # fmt: skip


def test_a_short_lesson_has_not_enough_evidence_over_time(lesson: MakeLesson, class_of_six: Readings) -> None:
    told = summary_of(lesson(duration=5.0), class_of_six)
    assert_array_equal(told.over_time.status, [NOT_ENOUGH] * 3)
    assert np.isnan(told.expected_false)


def test_heads_and_eyes_are_told_of_the_class_and_of_seats_where_single_ones_may_be_seen(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    seen = looking_class(readings)
    told = summary_of(lesson(duration=60.0, reference="EC"), seen)
    assert told.whole_shares["facing"].value[0] == pytest.approx(5.5 / 6, abs=0.01)
    assert told.whole_shares["eyes_closed"].value[0] == pytest.approx(0.5 / 6, abs=0.01)
    assert plain(told.as_dict())["attention"]["facing"] == pytest.approx(0.9167, abs=0.01)
    assert told.of_seats("facing") == ""
    blind = seen.of(seen.seats > 0)
    blind.signals[blind.seats == 6] = np.nan
    assert summary_of(lesson(duration=60.0), blind).of_seats("facing") == " (of 5 seats)"
    away, asleep = told.seats[0], told.seats[1]
    assert away.facing == pytest.approx(0.5, abs=0.02)
    assert away.yawns == 0
    assert asleep.eyes_closed == pytest.approx(0.5, abs=0.02)
    assert np.isnan(away.blinks)  # twice a second is too seldom


def test_the_share_of_fewer_than_five_seats_is_hidden(lesson: MakeLesson, readings: MakeReadings) -> None:
    seen = looking_class(readings)
    five = summary_of(lesson(duration=60.0), seen.of(seen.seats <= 5))
    four = summary_of(lesson(duration=60.0), seen.of(seen.seats <= 4))
    blind = seen.of(seen.seats <= 5)
    blind.signals[blind.seats == 5] = np.nan  # whose expression can be read all the same
    assert np.isfinite(five.whole_shares["facing"].value).all()
    for hidden in (four, summary_of(lesson(duration=60.0), blind)):
        for share in (*hidden.shares.values(), *hidden.whole_shares.values()):
            assert np.isnan([share.value, share.low, share.high, share.seats]).all()


def looking_class(readings: MakeReadings) -> Readings:
    """Six seats for a minute at two readings a second: the first looks away and the second sleeps, half the time."""
    seen = readings(np.arange(0, 60, 0.5), [(row, seat, "happy") for row in range(120) for seat in range(1, 7)])
    late = seen.frames >= 60
    seen.signals[:] = (1, 0, 0, 0, 0.3, 0, 0.01, 0.2, 0.1, 0.1, 0.3)
    seen.signals[late & (seen.seats == 1), SIGNALS.index("yaw")] = 50
    seen.signals[late & (seen.seats == 2), SIGNALS.index("eyes")] = 0.05
    return seen


def test_formulas_are_compared_where_they_may_be_seen(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [(row, seat, "happy" if (row + seat) % 3 else "neutral") for row in range(6) for seat in range(1, 7)]
    seen = readings(range(6), [*faces[:-6], *((5, seat, "sad") for seat in range(1, 7))])
    gate = Gate(lesson(duration=6.0), allowance(lesson(duration=6.0), 6), seen)
    told = summarise(gate, SHARMA, [find_mapping("smart-lms"), SHARMA])
    assert told.formulas == ("sharma", "smart-lms")
    assert told.consensus is not None and len(told.consensus.low) == len(told.timeline.starts)
    few = readings(range(6), [face for face in faces if face[1] < 4])
    assert (
        summarise(Gate(lesson(duration=6.0), allowance(lesson(duration=6.0), 3), few), SHARMA, [SHARMA]).consensus
        is None
    )
