"""How well observers agree with each other, and mappings with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from roomread.app.panel import find_mapping
from roomread.errors import CodesError, PrivacyError
from roomread.review.agreement import Glances, agreement, cut_alike, figures, glance_scores, join, plain
from roomread.review.codes import Codes
from roomread.store.privacy import Gate, allowance
from roomread.types import WHOLE_CLASS, Array, Lesson, Readings

SHARMA = find_mapping("sharma")
HAPPY, SAD = 0.6 / 0.9, 0.3 / 0.9  # their scores by that mapping

Row = tuple[float, float, int, str, int]  # start, end, seat, observer, level
MakeGate = Callable[..., Gate]


def codes(*rows: Row) -> Codes:
    return Codes(*(np.array(column) for column in zip(*rows, strict=True)))


@pytest.fixture
def gate(lesson: Callable[..., Lesson], readings: Callable[..., Readings]) -> MakeGate:
    """A function that makes a lesson of 100 frames, one a second; its arguments are the lesson's.

    Six seats: odd ones happy and then sad from 50 s on, even ones the other way round; seat 6 is unreadable from 50 s.
    """

    def shown(time: int, seat: int) -> str | None:
        if seat == 6 and time >= 50:
            return None
        return "happy" if (time < 50) == (seat % 2 == 1) else "sad"

    def make(n_seats: int = 6, **about: object) -> Gate:
        faces = [(time, seat, shown(time, seat)) for time in range(100) for seat in range(1, n_seats + 1)]
        made = lesson(**{"reference": "EC 12/26", "duration": 100.0, **about})
        return Gate(made, allowance(made, n_seats), readings(range(100), faces))

    return make


def scores(gate: Gate, coded: Codes) -> Array:
    return glance_scores(gate, join(gate, coded), SHARMA.score)


def test_the_score_of_a_glance_is_the_mean_of_the_seats_readings_within_it(gate: MakeGate) -> None:
    found = scores(gate(), codes((0, 20, 1, "A", 0), (45, 55, 1, "A", 0), (48, 58, 2, "A", 0)))
    assert_allclose(found, [HAPPY, (HAPPY + SAD) / 2, 0.2 * SAD + 0.8 * HAPPY], atol=1e-9)


def test_a_glance_without_a_reading_is_missing_and_not_low(gate: MakeGate) -> None:
    coded = codes((0, 20, 6, "A", 0), (60, 80, 6, "A", 2), (60, 80, 1, "A", 0))
    assert_array_equal(np.isnan(scores(gate(), coded)), [False, False, True])  # seats in their order
    checked = agreement(gate(), coded, [SHARMA]).checked[0]
    assert (checked.n, checked.missing, checked.seats) == (2, 1, 2)


def test_the_class_as_a_whole_is_the_mean_over_its_seats(gate: MakeGate) -> None:
    coded = codes((0, 20, WHOLE_CLASS, "A", 0), (60, 80, WHOLE_CLASS, "A", 1))
    assert_allclose(scores(gate(reference=None), coded), [(HAPPY + SAD) / 2, 0.6 * SAD + 0.4 * HAPPY], atol=0.005)


def test_codes_of_single_seats_are_refused_where_those_must_not_be_seen(gate: MakeGate) -> None:
    with pytest.raises(PrivacyError, match="single seats"):
        agreement(gate(reference=None), codes((0, 20, 1, "A", 0)), [SHARMA])


def test_a_class_of_too_few_seats_has_no_score(gate: MakeGate) -> None:
    coded = codes((0, 20, WHOLE_CLASS, "A", 0))
    assert np.isnan(scores(gate(n_seats=4, reference=None), coded)).all()
    assert agreement(gate(n_seats=4, reference=None), coded, [SHARMA]).checked[0].missing == 1


def test_glances_of_two_observers_are_one_where_they_begin_and_end_within_a_second(gate: MakeGate) -> None:
    joined = join(
        gate(),
        codes((0, 20, 1, "B", 1), (0.8, 20.4, 1, "A", 0), (0, 20, 2, "A", 2), (22, 40, 2, "B", 2), (22, 40, 1, "B", 2)),
    )
    assert joined.observers == ("A", "B")
    assert_array_equal(joined.seats, [1, 1, 2, 2])
    assert_array_equal(joined.levels_by, [[0, 1], [np.nan, 2], [2, np.nan], [np.nan, 2]])
    mixed = join(gate(), codes((0, 20, 1, "A", 0), (0.2, 10, 1, "C", 2), (0.5, 20, 1, "B", 1), (3, 20, 1, "A", 2)))
    assert_array_equal(mixed.levels_by, [[0, 1, np.nan], [np.nan, np.nan, 2], [2, np.nan, np.nan]])
    short = join(gate(), codes(*((0.033 + n, 1.033 + n, 1, name, n % 2) for name in "AB" for n in range(4))))
    assert_array_equal(short.levels_by, [[0, 0], [1, 1]] * 2)  # neighbours are no further apart


@pytest.mark.parametrize(
    ("given", "level"),
    [([0, 0, 2], 0), ([0, 1], 1), ([0, 2], 1), ([1, 2, np.nan], 2), ([0, 1, 2], 1), ([2, 2, 0], 2)],
)
def test_most_votes_make_the_level_and_a_tie_its_mean(given: Sequence[float], level: int) -> None:
    names = tuple("ABC"[: len(given)])
    glances = Glances(np.zeros(1), np.ones(1), np.ones(1, np.int64), names, np.array([given], np.float64))
    assert glances.levels().tolist() == [level]
    assert_allclose(glances.means(), [np.nanmean(given)])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(0, 20, 9, "A", 0)], r"Expected one of its seats: 1, 2, 3, 4, 5, 6\. Received: 0:00–0:20 seat 9"),
        ([(100, 120, 1, "A", 0)], r"Expected: glances between 0:00 and 1:40\. Received: 1:40–2:00 seat 1"),
        ([(0, 20, 1, "A", 0), (0, 20, 1, "A", 1)], r"A coded 0:00–0:20 seat 1 twice"),
        ([(0, 20, 1, "A", 0), (0, 20, WHOLE_CLASS, "A", 1)], r"single seats and of the whole class"),
    ],
    ids=["no such seat", "after the end", "twice", "seats and class"],
)
def test_codes_that_do_not_fit_the_lesson_are_refused(gate: MakeGate, rows: list[Row], words: str) -> None:
    with pytest.raises(CodesError, match=words):
        agreement(gate(), codes(*rows), [SHARMA])


def test_two_observers_are_compared_on_the_glances_that_both_coded(gate: MakeGate) -> None:
    draw = np.random.default_rng(0)
    rows: list[Row] = [(10.0 * n, 10.0 * n + 10, seat, "A", n % 3) for n in range(10) for seat in range(1, 7)]
    other: list[Row] = [(*row[:3], "B", min(row[4] + int(draw.integers(0, 2)), 2)) for row in rows[:-6]]
    found = agreement(gate(), codes(*rows, *other), [])
    (pair,) = found.between
    first, second = [row[4] for row in rows[:-6]], [row[4] for row in other]
    assert (pair.observers, pair.n) == (("A", "B"), 54)
    assert_allclose(pair.kappa.value, cohen_kappa_score(first, second))
    assert_allclose(pair.quadratic.value, cohen_kappa_score(first, second, weights="quadratic"))
    assert 0 < pair.icc.low < pair.icc.value < pair.icc.high < 1
    assert sum(found.of_each) == 60


def test_one_observer_has_nobody_to_agree_with(gate: MakeGate) -> None:
    assert agreement(gate(), codes((0, 20, 1, "A", 0), (0, 20, 2, "B", 1)), []).between == ()


def test_figures_are_those_of_the_codes_and_scores(gate: MakeGate) -> None:
    rows: list[Row] = [
        (time, time + 10, seat, "A", (0 if (time < 50) == (seat % 2 == 0) else 2) if time < 80 else 1)
        for time in range(0, 100, 10)
        for seat in range(1, 6)
    ]
    (checked,) = agreement(gate(), codes(*rows), [SHARMA]).checked
    joined = join(gate(), codes(*rows))
    found, levels = glance_scores(gate(), joined, SHARMA.score), joined.levels()
    assert (checked.n, checked.missing) == (50, 0)
    assert_allclose(checked.figures.lowest.value, roc_auc_score(levels == 0, -found))
    assert_allclose(checked.figures.highest.value, roc_auc_score(levels == 2, found))
    assert checked.figures.spearman.low <= checked.figures.spearman.value <= checked.figures.spearman.high
    assert_allclose(checked.figures.off.value, abs(2 * found - levels).mean())


def test_scores_are_cut_where_each_level_is_as_frequent_as_in_the_codes() -> None:
    noise = np.random.default_rng(0)
    levels, found = noise.choice(4, 100, p=[0.1, 0.5, 0, 0.4]), noise.uniform(0, 1, 100)
    assert_array_equal(np.bincount(cut_alike(found, levels), minlength=4), np.bincount(levels, minlength=4))
    assert_array_equal(cut_alike(np.array([0.2, 0.9, 0.1, 0.5]), np.array([0, 1, 1, 2])), [1, 2, 0, 1])


def test_a_perfect_score_has_perfect_figures_and_a_reversed_one_the_opposite() -> None:
    levels, seats = np.tile([0, 1, 2], 20), np.repeat(np.arange(10), 6)
    right, wrong = (
        figures(scores, levels, levels.astype(float), seats, (0, 2)) for scores in (levels / 2, 1 - levels / 2)
    )
    assert (right.spearman.value, right.lowest.value, right.highest.value, right.quadratic.value) == (1, 1, 1, 1)
    assert right.off.value == 0
    assert (wrong.spearman.value, wrong.lowest.value, wrong.highest.value, wrong.quadratic.value) == (-1, 0, 0, -1)


def test_from_few_seats_or_few_glances_of_a_level_no_interval_is_told() -> None:
    noise = np.random.default_rng(0)
    levels, found = np.repeat([0, 1, 1, 1], 10), noise.uniform(0, 1, 40)
    few = figures(found, levels, levels.astype(float), np.arange(40) % 4, (0, 1))
    assert np.isfinite(few.spearman.value) and np.isnan(few.spearman.low)
    levels[4:] = 1
    rare = figures(found, levels, levels.astype(float), np.arange(40) % 10, (0, 1))
    assert np.isfinite(rare.lowest.value) and np.isnan(rare.lowest.low)
    assert np.isfinite(rare.spearman.low)
    levels = np.repeat([0, 1], [10, 110])  # ten glances, but all at one of twelve seats
    one = figures(found[levels], levels, levels.astype(float), np.repeat(np.arange(12), 10), (0, 1))
    assert np.isfinite(one.lowest.value) and np.isnan(one.lowest.low)


def test_the_distance_in_levels_is_told_of_levels_from_0_alone() -> None:
    levels, seats = np.tile([1, 2, 3, 4], 15), np.repeat(np.arange(10), 6)
    assert np.isnan(figures((levels - 1) / 3, levels, levels.astype(float), seats, (1, 4)).off.value)


def test_a_level_whose_glances_have_no_reading_is_not_replaced_by_the_next(gate: MakeGate) -> None:
    coded = codes((60, 80, 6, "A", 2), (0, 20, 1, "A", 0), (0, 20, 2, "A", 1))
    assert np.isnan(agreement(gate(), coded, [SHARMA]).checked[0].figures.highest.value)


def test_no_reading_at_all_leaves_every_figure_unknown(gate: MakeGate) -> None:
    found = agreement(gate(), codes((60, 80, 6, "A", 1)), [SHARMA])
    told = json.loads(json.dumps(plain(found), allow_nan=False))
    assert told["checked"][0]["n"] == 0
    assert told["checked"][0]["figures"]["spearman"] == {"value": None, "low": None, "high": None}
