"""The additive model of ordered levels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.engagement.ordinal import (
    Curve,
    FitSettings,
    Graded,
    OrdinalModel,
    fit,
    level_probabilities,
    with_every_level,
)
from roomread.types import Array

CUTS = np.array([-1.0, 0.5])
LOOSE = FitSettings(knots=8, smoothness=0.01, flatness=0.001)


def logistic(values: Array | float) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.asarray(values))))


def drawn(latent: Array, cuts: Array, seed: int = 0) -> Array:
    """Draw a level for each latent value."""
    noise = np.random.default_rng(seed).logistic(size=len(latent))
    return np.asarray(((latent + noise)[:, None] > cuts).sum(axis=1))


def graded(inputs: Array, levels: Array) -> Graded:
    return Graded(inputs, levels, np.ones(len(levels)))


def test_a_curve_is_straight_between_its_knots_and_level_beyond_them() -> None:
    curve = Curve(knots=np.array([0.0, 1.0, 3.0]), values=np.array([0.0, 2.0, 0.0]), missing=-1.0)
    assert_allclose(curve(np.array([-5, 0.5, 2, 9, np.nan])), [0, 1, 1, 0, -1])


def test_knots_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        Curve(knots=np.array([0.0, 0.0]), values=np.zeros(2), missing=0.0)


def test_the_probabilities_of_levels_are_those_of_a_cumulative_logit_model() -> None:
    likely = level_probabilities(np.array([0.3]), CUTS)
    below = logistic(CUTS - 0.3)
    assert_allclose(likely, [[below[0], below[1] - below[0], 1 - below[1]]])
    assert_allclose(level_probabilities(np.linspace(-50, 50, 9), CUTS).sum(axis=1), 1)


def test_a_fit_finds_the_curves_and_cuts_that_the_levels_were_drawn_from() -> None:
    inputs = np.random.default_rng(1).uniform(-2, 2, (20000, 2))
    true = np.abs(inputs[:, 0]) * 1.5 - 0.7 * inputs[:, 1]
    model = fit(("bent", "straight"), graded(inputs, drawn(true, CUTS)), LOOSE)
    found = model.latent(inputs)
    assert np.corrcoef(found, true)[0, 1] > 0.995
    assert_allclose(np.diff(model.cuts), np.diff(CUTS), atol=0.08)
    assert_allclose(model.probabilities(inputs).mean(axis=0), np.bincount(drawn(true, CUTS)) / 20000, atol=0.005)


def test_a_fit_is_the_likeliest_there_is() -> None:
    inputs = np.random.default_rng(2).normal(size=(300, 1))
    data = graded(inputs, drawn(inputs[:, 0], CUTS))
    model = fit(("a",), data, FitSettings(knots=3, smoothness=0, flatness=0))

    def likelihood(values: Array, cuts: Array) -> float:
        other = OrdinalModel(curves={"a": Curve(knots=model.curves["a"].knots, values=values, missing=0.0)}, cuts=cuts)
        likely = other.probabilities(inputs)
        return float(np.log(likely[np.arange(300), data.levels]).sum())

    best = likelihood(model.curves["a"].values, model.cuts)
    for step in np.random.default_rng(3).normal(0, 0.2, (50, 5)):
        assert likelihood(model.curves["a"].values + step[:3], model.cuts + step[3:]) < best + 1e-3


def test_smoothness_makes_curves_straight_and_flatness_makes_them_count_less() -> None:
    inputs = np.random.default_rng(6).uniform(-2, 2, (2000, 1))
    data = graded(inputs, drawn(3 * np.sin(2 * inputs[:, 0]), CUTS))

    def values(smoothness: float, flatness: float) -> Array:
        return fit(("a",), data, FitSettings(smoothness=smoothness, flatness=flatness)).curves["a"].values

    assert np.abs(np.diff(values(1e6, 0), 2)).max() < 0.01 < np.abs(np.diff(values(0.1, 0), 2)).max()
    assert np.ptp(values(0.1, 1e6)) < 0.01


def test_what_is_missing_has_a_value_of_its_own() -> None:
    inputs = np.full((1000, 1), np.nan)
    inputs[:500, 0] = np.random.default_rng(7).normal(size=500)
    levels = np.concatenate([drawn(np.zeros(500), CUTS), drawn(np.full(500, -3.0), CUTS)])
    model = fit(("a",), graded(inputs, levels), LOOSE)
    likely = model.probabilities(np.array([[0.0], [np.nan]]))
    assert likely[1, 0] > 0.8 > 0.5 > likely[0, 0]
    average = model.with_missing_as_average(inputs)
    expected = average.curves["a"](inputs[:500, 0]).mean()
    assert average.curves["a"].missing == pytest.approx(expected)


def test_an_input_that_is_never_known_adds_nothing_that_breaks() -> None:
    inputs = np.column_stack([np.random.default_rng(8).normal(size=500), np.full(500, np.nan)])
    model = fit(("a", "never"), graded(inputs, drawn(inputs[:, 0], CUTS)))
    assert np.isfinite(model.latent(inputs)).all()


def test_a_weight_of_two_is_the_row_twice() -> None:
    inputs = np.random.default_rng(9).normal(size=(200, 1))
    levels = drawn(inputs[:, 0], CUTS)
    twice = fit(("a",), graded(np.tile(inputs, (2, 1)), np.tile(levels, 2)))
    heavy = fit(("a",), Graded(inputs, levels, np.full(200, 2.0)))
    assert_allclose(heavy.curves["a"].values, twice.curves["a"].values, atol=1e-4)


@pytest.mark.parametrize("levels", [[0, 0, 0], [0, 2, 2], [1, 1, 2]], ids=["one level", "a gap", "no lowest"])
def test_levels_that_do_not_occur_are_refused(levels: list[int]) -> None:
    with pytest.raises(ValueError, match="must occur"):
        fit(("a",), graded(np.zeros((3, 1)), np.array(levels)))


def test_a_model_is_the_same_after_being_written_and_read() -> None:
    inputs = np.random.default_rng(10).normal(size=(300, 1))
    model = fit(("a",), graded(inputs, drawn(inputs[:, 0], CUTS)))
    again = OrdinalModel.from_dict(model.as_dict())
    assert_allclose(again.probabilities(inputs), model.probabilities(inputs), atol=1e-4)
    assert again.as_dict() == model.as_dict()


@pytest.mark.parametrize("change", [{"knots": 1}, {"smoothness": -1.0}, {"flatness": -1.0}])
def test_settings_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least"):
        FitSettings(**change)  # type: ignore[arg-type]


def test_what_is_written_has_four_digits_and_what_is_read_is_made_of_floats() -> None:
    model = OrdinalModel(
        curves={"a": Curve(knots=np.array([0.0, 1.00004]), values=np.array([1 / 3, 2.0]), missing=2 / 3)},
        cuts=np.array([0.123456]),
    )
    plain = model.as_dict()
    assert plain == {
        "curves": {"a": {"knots": [0.0, 1.0], "values": [0.3333, 2.0], "missing": 0.6667}},
        "cuts": [0.1235],
    }
    whole = OrdinalModel.from_dict({"curves": {"a": {"knots": [0, 1], "values": [1, 2], "missing": 1}}, "cuts": [0]})
    curve = whole.curves["a"]
    assert {curve.knots.dtype, curve.values.dtype, whole.cuts.dtype} == {np.dtype(np.float64)}


def test_two_knots_and_no_penalty_are_the_least_there_is() -> None:
    assert FitSettings(knots=2, smoothness=0, flatness=0).knots == 2
    with pytest.raises(
        ValueError, match=r"^knots must be at least 2, smoothness and flatness at least 0\. Received: 1,"
    ):
        FitSettings(knots=1)


def test_a_curve_that_is_never_known_adds_nothing_when_missing_counts_as_average() -> None:
    curve = Curve(knots=np.array([0.0, 1.0]), values=np.array([1.0, 3.0]), missing=9.0)
    model = OrdinalModel(curves={"a": curve, "b": curve}, cuts=np.array([0.0]))
    average = model.with_missing_as_average(np.array([[0.0, np.nan], [0.5, np.nan], [np.nan, np.nan]]))
    assert [each.missing for each in average.curves.values()] == [1.5, 0.0]


def test_a_level_more_for_each_of_which_nothing_is_known_weighs_next_to_nothing() -> None:
    more = with_every_level(Graded(np.array([[1.0, 2.0]]), np.array([1]), np.array([2.0])), 3)
    assert more.levels.tolist() == [1, 0, 1, 2] and more.weights.tolist() == [2.0, 0.001, 0.001, 0.001]
    assert np.isnan(more.inputs).tolist() == [[False, False]] + [[True, True]] * 3


def test_the_sums_of_curves_need_a_column_for_each() -> None:
    model = one_input_model()
    assert_allclose(model.latent(np.array([[0.5], [np.nan]])), [0.5, -1])
    with pytest.raises(ValueError, match=r"^`inputs` "):
        model.latent(np.zeros((2, 3)))


def one_input_model() -> OrdinalModel:
    curve = Curve(knots=np.array([0.0, 1.0]), values=np.array([0.0, 1.0]), missing=-1.0)
    return OrdinalModel(curves={"a": curve}, cuts=np.array([0.0, 1.0]))


def test_a_fit_puts_its_knots_at_equal_shares_of_the_known_values_and_rounds_them() -> None:
    inputs = np.append(np.arange(101.0), np.nan)[:, None]
    levels = np.append(np.arange(101) // 40, 0)
    knots = fit(("a",), graded(inputs, levels), FitSettings(knots=3)).curves["a"].knots
    assert_allclose(knots, [1, 50, 99])
    fine = fit(("a",), graded(inputs / 1e4 / 3, levels), FitSettings(knots=2)).curves["a"].knots
    assert_allclose(fine, [0, 0.0033])


def test_the_penalties_pull_bends_and_slopes_as_strongly_as_they_say() -> None:
    """At the best solution the penalty's pull is the likelihood's: here its gradient, by small steps."""
    inputs = np.random.default_rng(11).normal(size=(400, 1))
    inputs[::7] = np.nan
    data = graded(inputs, drawn(np.nan_to_num(inputs[:, 0]), CUTS))
    settings = FitSettings(knots=4, smoothness=5.0, flatness=2.0)
    model = fit(("a",), data, settings)
    curve = model.curves["a"]

    def penalised(values: Array, missing: float, cuts: Array) -> float:
        other = OrdinalModel(curves={"a": Curve(knots=curve.knots, values=values, missing=missing)}, cuts=cuts)
        likely = other.probabilities(inputs)[np.arange(400), data.levels]
        slopes, bends = (float((np.diff(values, n) ** 2).sum()) for n in (1, 2))
        ridge = 1e-3 * float((values**2).sum() + missing**2)
        return float(np.log(likely).sum()) - (2.0 * (slopes + missing**2) + 5.0 * bends + ridge) / 2

    best = np.concatenate([curve.values, [curve.missing], model.cuts])
    for step in 1e-3 * np.eye(len(best)):
        above, below = (penalised(each[:4], float(each[4]), each[5:]) for each in (best + step, best - step))
        assert abs(above - below) / 2e-3 < 2e-3
