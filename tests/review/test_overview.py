"""What pages show of a lesson, kept as whole thousandths: no more than the gate lets through."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.engagement.mappings import PUBLISHED
from roomread.review.overview import (
    MOST_DRAWN,
    MOST_SPARK,
    MOST_STEPS,
    Overview,
    overview,
    overview_from,
    overview_key,
    shared_width,
    spark,
    spark_line,
    window,
)
from roomread.store.privacy import Gate, allowance
from roomread.types import OK, TOO_FEW, Lesson, Readings

SHARMA = next(mapping for mapping in PUBLISHED if mapping.name == "sharma")
MakeLesson = Callable[..., Lesson]
MakeReadings = Callable[..., Readings]


@pytest.fixture
def look(lesson: MakeLesson, readings: MakeReadings) -> Callable[..., Overview]:
    """A function that returns the overview of so many seats, seen at so many moments."""

    def look(seats: int, seconds: int = 300, every: float = 1.0, **changes: Any) -> Overview:
        times = np.arange(0, seconds, every)
        faces = [(row, seat + 1, "happy" if row % 3 else "sad") for row in range(len(times)) for seat in range(seats)]
        seen = readings(times, faces)
        about = lesson(**({"duration": float(seconds)} | changes))
        return overview(Gate(about, allowance(about, len(seen.established())), seen), SHARMA)

    return look


def again(seen: Overview) -> Overview:
    """Return an overview after it went through JSON."""
    told, series = json.loads(json.dumps(seen.as_stored(), allow_nan=False))
    return overview_from(seen.mapping, told, series)


@pytest.mark.parametrize("changes", [{"reference": "EC 12/26"}, {"purpose": "demo", "sample": True}, {}])
def test_what_is_kept_is_what_was_made_to_the_thousandth(look: Callable[..., Overview], changes: Any) -> None:
    made = look(6, **changes)
    kept = again(made)
    for one, other in zip(made.lines, kept.lines, strict=True):
        assert one.bin_seconds == other.bin_seconds
        assert_array_equal(one.starts, other.starts)
        assert_array_equal(one.status, other.status)
        for name in ("engagement", "low", "high", "emotions", "readable", "unreadable", "seats"):
            assert_allclose(getattr(one, name), getattr(other, name), atol=0.0005)
    assert kept.figures == made.figures and kept.band == made.band and kept.episodes == made.episodes
    assert [seat.seat for seat in kept.seats] == [seat.seat for seat in made.seats]
    assert kept.single == bool(changes)
    assert_allclose(kept.spark, made.spark, atol=0.0005)


def test_single_seats_are_kept_only_where_they_may_be_seen(look: Callable[..., Overview]) -> None:
    assert len(look(6, reference="EC 12/26").seats) == 6
    hidden = look(6)
    assert hidden.seats == () and not hidden.single
    assert hidden.figures["single_seats"] == [] and hidden.figures["over_time"]["seats"] == {}


def test_of_too_few_seats_nothing_is_kept_but_the_word_for_it(look: Callable[..., Overview]) -> None:
    told, series = look(4).as_stored()
    kept = overview_from("sharma", told, series)
    for line in kept.lines:
        assert set(line.status.tolist()) == {TOO_FEW}
        assert np.isnan(np.column_stack([line.engagement, line.readable, line.seats, line.emotions])).all()
    assert np.isnan(kept.spark).all()
    assert told["summary"]["engagement"] is None and told["summary"]["seats"] is None
    numbers = [value for row in series["lines"] for name in ("engagement", "seats", "readable") for value in row[name]]
    assert set(numbers) == {None}


def test_the_finest_line_has_a_second_a_bin_and_the_last_is_the_report_s(look: Callable[..., Overview]) -> None:
    seen = look(6, 600, reference="EC 12/26")
    assert [line.bin_seconds for line in seen.lines] == [1, 5]
    assert [line.bin_seconds for line in look(6, 600).lines] == [5]  # no bin is shorter than a moment
    assert seen.timeline is seen.lines[0] and seen.whole is seen.lines[-1]
    assert (seen.whole.status == OK).all()


def test_a_long_lesson_has_wider_steps(look: Callable[..., Overview]) -> None:
    seen = look(5, 4 * 3600, every=60.0)
    assert seen.timeline.bin_seconds == 60 and len(seen.timeline.starts) <= MOST_STEPS


def test_a_window_is_drawn_in_the_finest_bins_that_are_few_enough(look: Callable[..., Overview]) -> None:
    seen = look(6, 1500, reference="EC 12/26")
    assert window(seen, 0, 1500).bin_seconds == 15
    near = window(seen, 100, 160.5)
    assert near.bin_seconds == 1
    assert near.starts.tolist() == list(range(100, 161))
    assert len(window(seen, 0, 1200).starts) <= MOST_DRAWN
    assert len(window(seen, 9000, 9001).starts) == 1  # beyond the lesson: its last bin


def test_two_lessons_share_the_finest_bins_that_both_have(look: Callable[..., Overview]) -> None:
    short, long = (look(6, seconds, reference="EC 12/26") for seconds in (300, 1500))
    assert shared_width(short, long, 200) == 1
    assert shared_width(short, long, 1500) is None  # the short one has no such wide bins


def test_a_spark_keeps_its_gaps(look: Callable[..., Overview]) -> None:
    line = look(6, 110).whole
    holed = dataclasses.replace(line, engagement=np.where(np.arange(110) // 2 == 3, np.nan, line.engagement))
    points = spark(holed)
    assert len(points) == 55 <= MOST_SPARK
    assert np.flatnonzero(np.isnan(points)).tolist() == [3]
    kept = dataclasses.replace(look(6, 110), spark=points).as_stored()[0]
    assert spark_line(kept["spark"]).status.tolist().count(OK) == 54
    assert len(spark(look(0, 1).whole)) == 1


def test_the_key_tells_whatever_would_make_another_overview(lesson: MakeLesson) -> None:
    plain = lesson()
    key = overview_key(plain, SHARMA)
    assert key == overview_key(lesson(name="Renamed", remarks="A note"), SHARMA)
    assert key != overview_key(lesson(duration=11.0), SHARMA)
    assert key != overview_key(lesson(reference="EC 12/26"), SHARMA)
    assert key != overview_key(plain, dataclasses.replace(SHARMA, formula="another"))
    assert key != overview_key(plain, dataclasses.replace(SHARMA, coefficients="fitted anew"))
