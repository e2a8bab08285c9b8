"""A mapping's score refitted to levels, and judged at seats that were left out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.engagement.fit import (
    FOLDS,
    check_enough,
    cross_validate,
    fit_curve,
    one_curve,
    refitted,
)
from roomread.engagement.measures import folds_of, spearman
from roomread.engagement.ordinal import OrdinalModel
from roomread.errors import CodesError
from roomread.types import Array


def expected(model: OrdinalModel, scores: Array) -> Array:
    """Return what a refitted score makes of a base score."""
    return refitted(lambda emotions, signals: emotions, model)(scores, scores)


def coded(n_seats: int = 12, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return a score that is high where nobody is engaged, levels in three, and seats; 20 glances each."""
    draw = np.random.default_rng(seed)
    truth = draw.uniform(0, 1, n_seats * 20)
    levels = np.digitize(truth + draw.normal(0, 0.1, len(truth)), [1 / 3, 2 / 3])
    return 1 - truth**2, levels, np.repeat(np.arange(n_seats), 20)


def test_a_reversed_score_is_turned_round() -> None:
    scores, levels, _ = coded()
    found = expected(fit_curve(scores, levels), scores)
    assert spearman(scores, levels) < -0.8
    assert spearman(found, levels) > 0.8
    assert abs(found * 2 - levels).mean() < 0.35
    assert ((found >= 0) & (found <= 1)).all()


def test_a_curve_of_a_score_has_five_knots() -> None:
    scores, levels, _ = coded()
    assert len(fit_curve(scores, levels).curves["score"].knots) == 5


def test_missing_stays_missing() -> None:
    scores, levels, _ = coded()
    assert_array_equal(np.isnan(expected(fit_curve(scores, levels), np.array([0.2, np.nan]))), [False, True])


def test_the_refitted_score_is_the_expected_level_over_the_highest() -> None:
    model = one_curve(np.array([0.0, 1.0]), np.array([-1.0, 1.0]), np.array([-0.5, 0.5]))
    likely = model.probabilities(np.array([[0.5]]))[0]
    assert_allclose(likely.sum(), 1)
    assert_allclose(expected(model, np.array([0.5])), [likely[1] / 2 + likely[2]])
    assert_allclose(expected(model, np.array([0.5])), [0.5])


def test_a_seats_glances_are_all_in_one_fold_and_folds_are_about_as_large() -> None:
    seats = np.repeat(np.arange(13), 7)
    folds = folds_of(seats, FOLDS)
    assert all(len(np.unique(folds[seats == seat])) == 1 for seat in range(13))
    assert set(np.bincount(folds) // 7) == {2, 3} and len(np.unique(folds)) == FOLDS


def test_a_seat_is_judged_by_a_curve_that_never_saw_it() -> None:
    """Each seat has one level and one score of its own, unlike any other's: nothing is to be learnt for a new seat."""
    draw = np.random.default_rng(1)
    seats = np.repeat(np.arange(40), 10)
    levels, scores = (draw.permutation(40) % 2)[seats], draw.permutation(40)[seats] / 40
    _, judged = cross_validate(scores, levels, seats, lambda model: expected(model, scores))
    assert spearman(expected(fit_curve(scores, levels), scores), levels) > spearman(judged, levels) + 0.2
    assert spearman(judged, levels) < 0.15


def test_changing_a_seats_codes_does_not_change_what_is_said_of_it() -> None:
    scores, levels, seats = coded()
    other = np.where(seats == 3, 2 - levels, levels)
    one, two = (
        cross_validate(scores, given, seats, lambda model: expected(model, scores))[0] for given in (levels, other)
    )
    fold = folds_of(seats, FOLDS) == folds_of(seats, FOLDS)[seats == 3][0]
    assert_allclose(one[fold], two[fold])
    assert not np.allclose(one[~fold], two[~fold])


def test_what_is_real_holds_at_seats_left_out() -> None:
    scores, levels, seats = coded()
    for judged in cross_validate(scores, levels, seats, lambda model: expected(model, scores)):
        assert spearman(judged, levels) > 0.8


def test_a_score_that_says_nothing_is_not_judged_to_say_the_opposite_where_seats_differ() -> None:
    found = []
    for seed in range(8):
        draw = np.random.default_rng(seed)
        seats = np.repeat(np.arange(10), 24)
        latent = draw.normal(0, 1.5, 10)[seats] + draw.logistic(size=240)
        scores, levels = draw.uniform(0, 1, 240), np.digitize(latent, [-1, 1])
        judged, ranked = cross_validate(scores, levels, seats, lambda model, scores=scores: expected(model, scores))  # type: ignore[misc]
        found.append((spearman(judged, levels), spearman(ranked, levels)))
    judged, ranked = np.mean(found, axis=0)
    assert judged < -0.15  # what each curve makes of all lies higher or lower
    assert abs(ranked) < 0.1


@pytest.mark.parametrize(
    ("levels", "n_seats", "received"),
    [
        ([0, 1, 2] * 40, 7, "7 seats; glances: 40 of level 0, 40 of level 1, 40 of level 2"),
        ([0] * 60 + [1] * 19, 10, "10 seats; glances: 60 of level 0, 19 of level 1"),
        ([0] * 60, 10, "10 seats; glances: 60 of level 0"),
        ([1, 2] * 60, 10, "10 seats; glances: 0 of level 0, 60 of level 1, 60 of level 2"),
        ([], 1, "0 seats; glances: none"),
    ],
    ids=["few seats", "few glances of a level", "one level", "levels from 1", "nothing"],
)
def test_too_little_is_refused_with_what_is_missing(levels: list[int], n_seats: int, received: str) -> None:
    with pytest.raises(CodesError, match=f"too few to refit a mapping. Expected: at least 8 seats.* {received}"):
        check_enough(np.array(levels, np.int64), np.arange(len(levels)) % n_seats)


def test_enough_is_not_refused() -> None:
    check_enough(np.arange(60) % 3, np.arange(60) % 8)


def test_a_level_of_one_seat_alone_cannot_be_judged() -> None:
    seats = np.repeat(np.arange(10), 20)
    with pytest.raises(CodesError, match=r"Level 2 cannot be judged .* level 2 at 1"):
        cross_validate(seats / 10, np.where(seats == 4, 2, seats % 2), seats, lambda model: seats / 10)


def test_two_levels_are_enough() -> None:
    check_enough(np.arange(40) % 2, np.arange(40) % 8)


def test_a_mapping_that_looks_at_signals_still_does_when_refitted() -> None:
    model = one_curve(np.array([0.0, 1.0]), np.array([-1.0, 1.0]), np.array([0.0]))
    score = refitted(lambda emotions, signals: signals[:, 0], model)(np.full((2, 7), np.nan), np.array([[0.0], [1.0]]))
    assert_allclose(score, [1 / (1 + np.e), np.e / (1 + np.e)])


def test_a_level_that_is_gone_is_told_with_what_was_expected() -> None:
    seats = np.repeat(np.arange(10), 20)
    words = "Level 2 cannot be judged at seats that were not fitted to. Expected: each level at many seats. Received: "
    with pytest.raises(CodesError) as told:
        cross_validate(seats / 10, np.where(seats == 4, 2, seats % 2), seats, lambda model: seats / 10)
    assert str(told.value) == words + "level 2 at 1."


def test_too_little_is_told_in_full() -> None:
    with pytest.raises(CodesError) as told:
        check_enough(np.array([0] * 40 + [1] * 5), np.arange(45) % 9)
    assert str(told.value) == (
        "The codes are too few to refit a mapping. Expected: at least 8 seats, two levels, and 20 glances with a "
        "reading of every level from 0 up. Received: 9 seats; glances: 40 of level 0, 5 of level 1."
    )
