"""What no two answers about a class tell together: nothing of moments in which fewer than five seats were read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.engagement import aggregate
from roomread.engagement.mappings import PUBLISHED
from roomread.review.agenda import Structure
from roomread.review.agreement import Glances, glance_scores
from roomread.review.export import class_table
from roomread.review.overview import overview
from roomread.review.structure import compare
from roomread.review.summary import summarise
from roomread.store.privacy import MIN_SEATS, MOMENTS, Gate, allowance, together
from roomread.types import ACTIVITY, MARKER, N_SIGNALS, OK, SIGNALS, TOO_FEW, WHOLE_CLASS, Lesson, Part, Readings

SHARMA = next(mapping for mapping in PUBLISHED if mapping.name == "sharma")
SECONDS = 600
MakeLesson = Callable[..., Lesson]


def class_with_gaps(seed: int) -> Readings:
    """Return ten minutes of nine seats of which some look up at some moments; each is read twice a second."""
    chance = np.random.default_rng(seed)
    times = np.arange(0, SECONDS, 0.5)
    up = chance.random((SECONDS // 5, 9)) < np.linspace(0.95, 0.2, SECONDS // 5)[:, None]
    n = len(times) * 9
    emotions = chance.dirichlet(np.ones(7), n).astype(np.float32)
    signals = chance.random((n, N_SIGNALS), np.float32)
    hidden = ~np.repeat(up, 10, axis=0).ravel()
    emotions[hidden] = signals[hidden] = np.nan
    return Readings(
        times=times,
        frames=np.repeat(np.arange(len(times)), 9),
        seats=np.tile(np.arange(1, 10), len(times)),
        boxes=np.tile(np.array([0, 0, 40, 40], np.float32), (n, 1)),
        scores=np.ones(n, np.float32),
        sharpness=np.ones(n, np.float32),
        emotions=emotions,
        signals=signals,
    )


def with_others_in_thin_moments(seen: Readings, seed: int) -> tuple[Readings, np.ndarray[Any, Any]]:
    """Return the same class with other faces wherever fewer than five seats were read, and the moments' mask."""
    chance = np.random.default_rng(seed + 1000)
    read = ~np.isnan(seen.emotions[:, 0])
    moments = (seen.times // 5).astype(int)[seen.frames]
    seats = np.array([len(np.unique(seen.seats[read & (moments == each)])) for each in range(SECONDS // 5)])
    thin = read & (seats < MIN_SEATS)[moments]
    emotions, signals = seen.emotions.copy(), seen.signals.copy()
    emotions[thin] = chance.dirichlet(np.ones(7), thin.sum())
    signals[thin] = chance.random((thin.sum(), N_SIGNALS))
    return dataclasses.replace(seen, emotions=emotions, signals=signals), thin


def gate_of(lesson: Lesson, seen: Readings) -> Gate:
    return Gate(lesson, allowance(lesson, len(seen.established())), seen)


def coded(spans: np.ndarray[Any, Any]) -> Glances:
    """Return glances at the whole class, all given the same level."""
    n = len(spans)
    return Glances(spans[:, 0], spans[:, 1], np.full(n, WHOLE_CLASS), ("Anna",), np.zeros((n, 1)))


def everything_told(lesson: Lesson, seen: Readings, seed: int) -> list[Any]:
    """Return all that leaves of a lesson: summary, table, overview at every width, parts and glances cut anywhere."""
    gate = gate_of(lesson, seen)
    chance = np.random.default_rng(seed)
    cuts = np.sort(chance.uniform(0, SECONDS, (30, 2)), axis=1)
    parts = [Part(str(k), start, end, ACTIVITY) for k, (start, end) in enumerate(cuts)]
    parts += [Part("bell", moment, moment, MARKER) for moment in chance.uniform(0, SECONDS, 10)]
    told = [
        [compare(gate, formula, Structure(tuple(parts)), window).as_dict() for window in (7.3, 60.0)]
        for formula in PUBLISHED
    ]
    told += [glance_scores(gate, coded(cuts), formula.score).tolist() for formula in PUBLISHED]
    summary = summarise(gate, SHARMA, PUBLISHED)
    table = class_table(summary)
    return [told, summary.as_dict(), table.to_json(), *overview(gate, SHARMA).as_stored()]


@pytest.mark.parametrize("purpose", ["research", "self-study"])
@pytest.mark.parametrize("seed", range(4))
def test_no_answer_depends_on_faces_of_moments_with_fewer_than_five(
    lesson: MakeLesson, purpose: str, seed: int
) -> None:
    about = lesson(purpose=purpose, duration=float(SECONDS))
    seen = class_with_gaps(seed)
    other, thin = with_others_in_thin_moments(seen, seed)
    assert 0.05 < thin.mean() < 0.5
    one, two = (json.dumps(everything_told(about, each, seed), default=str) for each in (seen, other))
    assert one == two


@pytest.mark.parametrize("seed", range(2))
def test_no_answer_depends_on_eyes_of_the_few_whose_heads_are_up(lesson: MakeLesson, seed: int) -> None:
    """All nine are read throughout, but from one moment to the next others look down, whose eyes are not trusted."""
    chance = np.random.default_rng(seed)
    seen = class_with_gaps(seed)
    down = np.repeat(chance.random((SECONDS // 5, 9)) < np.linspace(0, 0.9, SECONDS // 5)[:, None], 10, axis=0)
    signals = chance.random(seen.signals.shape, np.float32) / 2
    signals[:, SIGNALS.index("presence")] = 1
    signals[down.ravel(), SIGNALS.index("pitch")] = 40
    emotions = chance.dirichlet(np.ones(7), len(signals)).astype(np.float32)
    few = (~down).sum(axis=1) < MIN_SEATS
    alone = np.repeat(few, 9) & ~down.ravel()
    assert 0.05 < alone.mean() < 0.5
    other = signals.copy()
    other[alone, SIGNALS.index("eyes")] = 0
    one, two = (
        json.dumps(everything_told(lesson(duration=float(SECONDS)), each, seed), default=str)
        for each in (dataclasses.replace(seen, emotions=emotions, signals=read) for read in (signals, other))
    )
    assert one == two


def test_the_same_answers_differ_where_single_seats_may_be_seen(lesson: MakeLesson) -> None:
    about = lesson(purpose="research", reference="EC 12/26", duration=float(SECONDS))
    seen = class_with_gaps(0)
    other, _ = with_others_in_thin_moments(seen, 0)
    one, two = (json.dumps(everything_told(about, each, 0), default=str) for each in (seen, other))
    assert one != two


def test_the_few_who_stay_cannot_be_worked_out_from_the_lesson_and_its_beginning(lesson: MakeLesson) -> None:
    """Nine seats for eight minutes, two of them for two more: the whole and the part say the same."""
    seen = class_with_gaps(0)
    late = (seen.times >= 480)[seen.frames]
    emotions = seen.emotions.copy()
    emotions[~np.isnan(emotions).any(axis=1)] = 1 / 7
    emotions[late] = np.nan
    few = late & (seen.seats <= 2)
    emotions[few] = np.eye(7, dtype=np.float32)[0]
    seen = dataclasses.replace(seen, emotions=emotions)
    gate = gate_of(lesson(duration=float(SECONDS)), seen)
    overall = gate.whole_class(lambda readings: aggregate.overall(readings, SHARMA.score))
    line = gate.class_over_time(lambda readings: aggregate.timeline(readings, SHARMA.score, 5.0))
    assert set(line.status[96:]) == {TOO_FEW}
    first = line.engagement[line.status == OK]
    assert_allclose(overall.engagement, first.mean(), atol=0.005)
    assert_allclose(overall.emotions, 1 / 7, atol=0.005)


@pytest.mark.parametrize("duration", [1, 60, 120, 121, 240, 241, 600, 3600, 7200, 36000])
def test_every_bin_of_a_lesson_holds_whole_moments(lesson: MakeLesson, duration: float) -> None:
    moment = Gate(lesson(duration=float(duration)), allowance(lesson(), 9), class_with_gaps(0)).moment
    width = aggregate.bin_seconds_for(duration, 10**6)
    assert moment in MOMENTS.values() and width % moment == 0


def test_parts_are_cut_between_moments_and_never_vanish(lesson: MakeLesson) -> None:
    seen = class_with_gaps(0)
    gate = gate_of(lesson(duration=float(SECONDS)), seen)
    spans = np.array([[12.4, 301.0], [12.6, 13.0], [np.nan, np.nan]])
    assert_array_equal(gate.moments(spans), [[10, 300], [15, 20], [np.nan, np.nan]])
    research = lesson(reference="EC 12/26", duration=float(SECONDS))
    assert_array_equal(gate_of(research, seen).moments(spans), spans)


def test_codes_of_the_class_are_compared_with_whole_moments(lesson: MakeLesson) -> None:
    """Two observers' glances that differ by one reading at their edge cannot tell what that reading was."""
    gate = gate_of(lesson(duration=float(SECONDS)), class_with_gaps(0))
    starts = np.arange(10.0, 310.0, 10.0)
    one, other = (
        glance_scores(gate, coded(np.stack([starts + shift, starts + 10 + shift], axis=1)), SHARMA.score)
        for shift in (0.4, 2.4)
    )
    assert np.isfinite(one).all()
    assert_array_equal(one, other)


def test_numbers_of_a_class_have_two_digits(lesson: MakeLesson) -> None:
    table = class_table(summarise(gate_of(lesson(duration=float(SECONDS)), class_with_gaps(1)), SHARMA))
    told: pd.Series[float] = table["engagement"].dropna()
    assert len(told) > 10
    assert_allclose(told, told.round(2), atol=0)


def test_a_value_counts_only_where_five_seats_have_that_value() -> None:
    """Expressions of all nine seats are read, heads of four: the heads are left out, the expressions are not."""
    seen = class_with_gaps(0)
    signals, emotions = np.full_like(seen.signals, np.nan), np.full_like(seen.emotions, 1 / 7)
    signals[seen.seats <= 4] = 0.5
    kept, lost = together(dataclasses.replace(seen, emotions=emotions, signals=signals), 5.0)
    assert not lost.any() and not np.isnan(kept.emotions).any()
    assert np.isnan(kept.signals).all()


def test_a_lesson_without_a_face_passes() -> None:
    seen = class_with_gaps(0).of(np.zeros(len(class_with_gaps(0)), bool))
    kept, lost = together(seen, 5.0)
    assert len(kept) == len(lost) == 0
