"""Whether formulas tell the same story."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.engagement.consensus import Consensus, consensus
from roomread.types import OK, Timeline


def line(values: list[float], half: float = 0.01) -> Timeline:
    """Return a timeline of these scores, each with an interval of `half` to either side."""
    scores, n = np.array(values, np.float64), len(values)
    return Timeline(
        bin_seconds=1.0, starts=np.arange(n, dtype=np.float64), status=np.array([OK] * n), engagement=scores,
        low=scores - half, high=scores + half, emotions=np.full((n, 7), 1 / 7), readable=np.ones(n),
        unreadable=np.zeros(n), seats=np.ones(n),
    )  # fmt: skip


def test_formulas_of_other_scales_that_move_alike_agree() -> None:
    told = consensus([line([0.5, 0.5, 0.9, 0.1, 0.55]), line([0.2, 0.2, 0.28, 0.12, 0.21], 0.002)])
    assert told is not None
    assert_allclose(told.low, told.high)
    assert_allclose(told.low[[0, 1]], 0)
    assert told.low[2] > 0 > told.high[3]
    assert not told.contradicted.any()


def test_a_moment_that_one_finds_high_and_another_low_is_contradicted() -> None:
    told = consensus([line([0.5, 0.5, 0.9, 0.1, 0.55]), line([0.5, 0.5, 0.1, 0.1, 0.55])])
    assert told is not None
    assert_array_equal(told.contradicted, [False, False, True, False, False])
    assert told.low[2] < 0 < told.high[2]


def test_a_difference_within_the_intervals_contradicts_nothing() -> None:
    told = consensus([line([0.5, 0.5, 0.9, 0.1, 0.55], 0.5), line([0.5, 0.5, 0.1, 0.1, 0.55])])
    assert told is not None
    assert not told.contradicted.any()


def test_where_one_formula_knows_nothing_the_others_are_told() -> None:
    nan = float("nan")
    told = consensus([line([0.5, nan, 0.9, 0.1, nan, 0.6]), line([0.5, 0.4, 0.9, 0.1, nan, 0.6])])
    assert told is not None
    assert np.isfinite(told.low[1]) and np.isnan(told.low[4]) and np.isnan(told.high[4])


def test_with_fewer_than_two_formulas_that_vary_there_is_nothing_to_agree_on() -> None:
    moving = line([0.5, 0.6, 0.7, 0.5])
    assert consensus([]) is None
    assert consensus([moving]) is None
    assert consensus([moving, line([0.5] * 4)]) is None
    assert consensus([moving, line([0.5, 0.6] + [float("nan")] * 2)]) is None


def test_a_standing_is_the_distance_from_the_median_in_median_distances() -> None:
    told = consensus([line([0.1, 0.3, 0.5, 0.6, 0.9]), line([0.1, 0.3, 0.5, 0.6, 0.9])])
    assert told is not None
    assert_allclose(told.low, (np.array([0.1, 0.3, 0.5, 0.6, 0.9]) - 0.5) / (1.4826 * 0.2))


def test_where_most_bins_are_alike_the_spread_is_the_standard_deviation() -> None:
    values = [0.5, 0.5, 0.5, 0.5, 0.9]
    told = consensus([line(values), line(values)])
    assert told is not None
    assert_allclose(told.high[4], 0.4 / np.std(values))


def test_three_known_bins_are_enough_and_a_formula_that_knows_less_is_passed_over() -> None:
    nan = float("nan")
    short, full = line([0.5, 0.6, 0.9, nan]), line([0.4, 0.5, 0.3, 0.9])
    assert consensus([short, full]) is not None
    told = consensus([line([0.5, nan, 0.9, nan]), line([0.5] * 4), short, full])
    assert told is not None and np.isfinite(told.low).all()


def test_an_interval_that_touches_the_usual_level_says_neither_above_nor_below() -> None:
    above, below = line([0.5, 0.5, 0.75, 0.5, 0.6], 0.25), line([0.5, 0.5, 0.25, 0.5, 0.6], 0.01)
    told = consensus([above, below])
    assert told is not None and not told.contradicted.any()
    told = consensus([line([0.5, 0.5, 0.75, 0.5, 0.6], 0.01), line([0.5, 0.5, 0.25, 0.5, 0.6], 0.25)])
    assert told is not None and not told.contradicted.any()


@pytest.mark.parametrize("name", ["high", "contradicted"])
def test_its_columns_are_as_long_as_each_other(name: str) -> None:
    columns = {"low": np.zeros(3), "high": np.zeros(3), "contradicted": np.zeros(3, bool)}
    with pytest.raises(ValueError, match=f"^`{name}` "):
        Consensus(**(columns | {name: np.zeros(2)}))
