"""How well two gradings agree."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from roomread.engagement.measures import (
    DRAWS,
    area_under_curve,
    bootstrap,
    cohens_kappa,
    drawn_groups,
    folds_of,
    intraclass_correlation,
    ranks,
    spearman,
)
from roomread.types import Array

# Shrout and Fleiss 1979, table 2: six targets, four judges. Their ICC(2, 1) is .29.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def two_gradings(seed: int = 0, n: int = 200, n_levels: int = 4) -> tuple[Array, Array]:
    """Return levels and other levels that often agree with them."""
    draw = np.random.default_rng(seed)
    first = draw.integers(0, n_levels, n)
    return first, np.clip(first + draw.integers(-1, 2, n), 0, n_levels - 1)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert_allclose(ranks(np.array([0.5, 0.1, 0.5, 0.9])), [2.5, 1, 2.5, 4])


def test_the_area_is_scikit_learns_with_ties_too() -> None:
    levels, noise = two_gradings()
    scores = np.round(levels + np.random.default_rng(1).normal(0, 2, len(levels)))
    assert_allclose(area_under_curve(scores, noise == 0), roc_auc_score(noise == 0, scores), rtol=1e-12)


def test_the_area_of_a_hand_counted_example() -> None:
    scores, positive = np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True])
    assert area_under_curve(scores, positive) == (1 + 0.5 + 1 + 1) / 4


@pytest.mark.parametrize("positive", [[], [True, True], [False, False]], ids=["nothing", "all", "none"])
def test_without_a_pair_there_is_no_area(positive: list[bool]) -> None:
    assert np.isnan(area_under_curve(np.zeros(len(positive)), np.array(positive, bool)))


def test_spearman_of_a_hand_counted_example() -> None:
    first, second = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 50])
    assert_allclose(spearman(first, second), 1 - 6 * 4 / (5 * 24), rtol=1e-12)
    assert_allclose(spearman(first, -second), -(1 - 6 * 4 / (5 * 24)), rtol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_what_does_not_vary_has_no_correlation(n: int) -> None:
    assert np.isnan(spearman(np.ones(n), np.arange(n)))


@pytest.mark.parametrize("quadratic", [False, True])
def test_kappa_is_scikit_learns(quadratic: bool) -> None:
    first, second = two_gradings()
    expected = cohen_kappa_score(first, second, weights="quadratic" if quadratic else None)
    assert_allclose(cohens_kappa(first, second, 4, quadratic), expected, rtol=1e-12)


def test_kappa_of_a_hand_counted_example() -> None:
    first, second = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    assert_allclose(cohens_kappa(first, second, 2), (0.7 - 0.5) / (1 - 0.5), rtol=1e-12)


def test_a_level_that_nobody_names_changes_no_kappa() -> None:
    first, second = two_gradings()
    assert_allclose(cohens_kappa(first, second, 9, True), cohens_kappa(first, second, 4, True), rtol=1e-12)


@pytest.mark.parametrize("n", [0, 5])
def test_one_level_throughout_has_no_kappa(n: int) -> None:
    assert np.isnan(cohens_kappa(np.zeros(n, np.int64), np.zeros(n, np.int64), 3))


def test_the_intraclass_correlation_of_the_published_example() -> None:
    assert round(intraclass_correlation(JUDGES), 2) == 0.29
    assert_allclose(intraclass_correlation(JUDGES), 0.2897638, rtol=1e-6)


def test_a_thing_that_one_rater_left_out_is_left_out_of_the_intraclass_correlation() -> None:
    more = np.concatenate([JUDGES, [[1, np.nan, 9, 9]]])
    assert_allclose(intraclass_correlation(more), intraclass_correlation(JUDGES))


def test_a_rater_who_is_always_stricter_lowers_the_intraclass_correlation() -> None:
    same = np.array([[0.0, 0], [1, 1], [2, 2]])
    assert_allclose(intraclass_correlation(same), 1)
    assert_allclose(intraclass_correlation(same + np.array([0, 1])), 2 / 3)


@pytest.mark.parametrize(
    "values",
    [np.empty((0, 2)), np.ones((1, 2)), np.arange(3.0)[:, None], np.ones((3, 2)), np.array([[0.0, 1], [1, 0]])],
    ids=["nothing", "one row", "one rater", "all alike", "neither rows nor raters differ"],
)
def test_where_nothing_can_be_told_there_is_no_intraclass_correlation(values: Array) -> None:
    assert np.isnan(intraclass_correlation(values))


def test_the_interval_of_a_mean_is_as_wide_as_its_theory_says() -> None:
    values = np.random.default_rng(3).normal(0, 1, 400)
    low, high = bootstrap(lambda rows: float(values[rows].mean()), np.arange(400))
    half = 1.96 * values.std() / 20
    assert_allclose([low, high], [values.mean() - half, values.mean() + half], atol=0.015)


def test_whole_groups_are_drawn_so_that_rows_alike_do_not_narrow_the_interval() -> None:
    people = np.random.default_rng(4).normal(0, 1, 30)
    often = np.repeat(people, 20)
    one = bootstrap(lambda rows: float(people[rows].mean()), np.arange(30))
    many = bootstrap(lambda rows: float(often[rows].mean()), np.repeat(np.arange(30), 20))
    assert_allclose(one, many)


def test_the_same_seed_draws_the_same_interval() -> None:
    values = np.arange(20.0)

    def spread(rows: Array) -> float:
        return float(values[rows].std())

    assert bootstrap(spread, values) == bootstrap(spread, values)


def test_one_group_or_a_figure_that_is_never_known_has_no_interval() -> None:
    assert np.isnan(bootstrap(lambda rows: 1.0, np.zeros(5))).all()
    assert np.isnan(bootstrap(lambda rows: float("nan"), np.arange(5))).all()


@pytest.mark.parametrize(("counts", "told"), [((2, 2), False), ((3, 5), True)])  # 12% and 2% of the draws lack one
def test_draws_in_which_a_figure_is_not_known_are_left_out_if_they_are_few(counts: tuple[int, int], told: bool) -> None:
    positive, scores = np.repeat([False, True], counts), np.arange(float(sum(counts))) % 4
    low, high = bootstrap(lambda rows: area_under_curve(scores[rows], positive[rows]), np.arange(sum(counts)))
    assert (low < high) == told and np.isnan([low, high]).all() != told


def test_draws_that_all_give_one_figure_tell_no_interval() -> None:
    levels = np.repeat([0, 1], 10)
    assert np.isnan(bootstrap(lambda rows: area_under_curve(levels[rows], levels[rows] == 1), np.arange(20))).all()


def test_two_pairs_are_enough_for_a_correlation_of_ranks() -> None:
    assert spearman(np.array([1.0, 5]), np.array([2.0, 3])) == pytest.approx(1)
    assert spearman(np.array([1.0, 5]), np.array([3.0, 2])) == pytest.approx(-1)


def test_disagreements_count_alike_unless_their_squares_are_asked_for() -> None:
    first, second = two_gradings()
    assert_allclose(cohens_kappa(first, second, 4), cohen_kappa_score(first, second), rtol=1e-12)


def test_a_single_disagreement_is_what_chance_gives() -> None:
    assert cohens_kappa(np.array([0]), np.array([1]), 2) == 0


def test_two_things_are_enough_for_an_intraclass_correlation_and_opposite_orders_are_far_below_chance() -> None:
    assert_allclose(intraclass_correlation(np.array([[0.0, 0], [1, 1]])), 1)
    assert_allclose(intraclass_correlation(np.array([[0.0, 2], [1, 1], [2, 0]])), -3)
    with pytest.raises(ValueError, match=r"^`values` "):
        intraclass_correlation(np.zeros(3))


def test_every_group_is_drawn_with_all_its_rows_and_alike_each_time() -> None:
    groups = np.array([7, 3, 7, 3, 3])
    drawn = list(drawn_groups(groups, 200))
    assert len(drawn) == 200 and len(list(drawn_groups(groups))) == DRAWS
    assert {tuple(sorted(rows)) for rows in drawn} == {(0, 0, 2, 2), (0, 1, 2, 3, 4), (1, 1, 3, 3, 4, 4)}
    again = drawn_groups(groups, 200)
    assert all(np.array_equal(one, other) for one, other in zip(drawn, again, strict=True))


def test_two_groups_have_an_interval_that_leaves_out_a_fortieth_of_the_draws_at_either_end() -> None:
    values = np.random.default_rng(5).normal(0, 1, 60)
    assert np.isfinite(bootstrap(lambda rows: float(rows.mean()), np.repeat([0, 1], 30))).all()
    figures: list[float] = []

    def figure(rows: Array) -> float:
        figures.append(float(values[rows].mean()))
        return figures[-1]

    low, high = bootstrap(figure, np.arange(60))
    assert (sum(each < low for each in figures), sum(each > high for each in figures)) == (25, 25)


def test_groups_are_dealt_to_as_many_folds_as_there_are_or_each_has_its_own() -> None:
    assert set(np.bincount(folds_of(np.arange(12), 5))) == {2, 3}
    assert sorted(folds_of(np.arange(3), 5)) == [0, 1, 2]
    assert np.array_equal(folds_of(np.arange(12), 5), folds_of(np.arange(12), 5))
