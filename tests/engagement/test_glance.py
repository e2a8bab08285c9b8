"""The glance model: its inputs, its fit, its sets of levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.engagement.glance import (
    INPUTS,
    MOST_FOLDS,
    Glance,
    Part,
    cross_validated,
    fit_part,
    glance_inputs,
    glance_mapping,
    least_probability,
    level_sets,
)
from roomread.engagement.measures import area_under_curve, folds_of
from roomread.engagement.ordinal import FitSettings, expected_level
from roomread.engagement.validity import sentence
from roomread.types import N_SIGNALS, SIGNALS, Array

COLUMN = {name: place for place, name in enumerate(SIGNALS)}
SETTINGS = FitSettings(knots=5)
PEOPLE = 6  # each of whom costs a fit where models are judged by people left out


def faces(n: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return signals, levels and people: who closes the eyes is at the lowest level more often."""
    draw = np.random.default_rng(seed)
    signals = draw.normal(0, 5, (n, N_SIGNALS))
    signals[:, COLUMN["presence"]] = 1
    signals[:, COLUMN["eyes"]] = draw.uniform(0.05, 0.4, n)
    levels = ((signals[:, COLUMN["eyes"]] + draw.normal(0, 0.08, n))[:, None] > (0.15, 0.3)).sum(axis=1)
    return signals, np.asarray(levels), draw.integers(0, PEOPLE, n)


def fitted(data: str, seed: int) -> Part:
    signals, levels, _ = faces(1000, seed)
    model = fit_part(signals, levels, 3, SETTINGS)
    return Part(data=data, people=PEOPLE, n=1000, sha256="ab" * 32, model=model, settings=SETTINGS, least=0.2)


@pytest.fixture(scope="module")
def part() -> Part:
    return fitted("drawn", 0)


@pytest.fixture(scope="module")
def other() -> Part:
    return fitted("other", 5)


def test_the_inputs_are_the_signals_and_two_more() -> None:
    row = np.arange(N_SIGNALS, dtype=np.float64)[None]
    inputs = glance_inputs(row)
    assert inputs.shape == (1, len(INPUTS))
    assert inputs[0, INPUTS.index("look")] == row[0, COLUMN["yaw"]] + row[0, COLUMN["gaze"]]
    assert inputs[0, INPUTS.index("opening")] == pytest.approx(row[0, COLUMN["eyes"]] + 0.004 * row[0, COLUMN["pitch"]])


def test_closed_eyes_lower_the_score_and_the_expression_does_not_matter(part: Part) -> None:
    glance = Glance((part,))
    signals = np.tile(faces(1)[0], (2, 1))
    signals[:, COLUMN["eyes"]] = 0.35, 0.08
    first, second = (glance.score(np.full((2, 7), value), signals) for value in (1 / 7, np.nan))
    assert first[0] > first[1] + 0.3
    assert_allclose(first, second)
    assert ((first >= 0) & (first <= 1)).all()


def test_the_score_is_the_mean_of_the_parts(part: Part, other: Part) -> None:
    parts = part, other
    signals = faces(40, seed=9)[0]
    each = [Glance((one,)).score(np.empty((40, 7)), signals) for one in parts]
    assert_allclose(Glance(parts).score(np.empty((40, 7)), signals), np.mean(each, axis=0))


def test_a_head_that_was_not_read_has_no_score_and_small_eyes_count_as_average_ones(part: Part) -> None:
    glance, signals = Glance((part,)), faces(1000)[0]  # those that it was fitted on
    unread, small = signals.copy(), signals.copy()
    unread[:, COLUMN["presence"]] = np.nan
    small[:, COLUMN["eyes"]] = np.nan
    assert np.isnan(glance.score(np.empty((1000, 7)), unread)).all()
    latent = glance.parts[0].model.latent
    assert latent(glance_inputs(small)).mean() == pytest.approx(latent(glance_inputs(signals)).mean())


def test_no_faces_give_no_scores(part: Part) -> None:
    assert Glance((part,)).score(np.empty((0, 7)), np.empty((0, N_SIGNALS))).shape == (0,)


def test_the_expected_level_runs_from_0_to_1() -> None:
    assert_allclose(expected_level(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0.5]])), [0, 0.5, 1, 0.5])


@pytest.mark.parametrize(("n_people", "n_folds"), [(5, 5), (90, MOST_FOLDS)])
def test_nobody_is_in_two_folds(n_people: int, n_folds: int) -> None:
    people = np.random.default_rng(0).permutation(np.repeat(np.arange(n_people), 4))
    folds = folds_of(people, MOST_FOLDS)
    assert len(np.unique(folds)) == n_folds
    assert all(len(np.unique(folds[people == person])) == 1 for person in range(n_people))


def test_cross_validation_finds_what_holds_for_others_and_nothing_in_shuffled_levels() -> None:
    signals, levels, people = faces(500)
    likely, latent = cross_validated(signals, levels, people, SETTINGS)
    assert area_under_curve(-latent, levels == 0) > 0.85
    assert area_under_curve(likely[:, 0], levels == 0) > 0.85
    shuffled = np.random.default_rng(1).permutation(levels)
    _, latent = cross_validated(signals, shuffled, people, SETTINGS)
    assert 0.4 < area_under_curve(-latent, shuffled == 0) < 0.6


def test_what_holds_for_one_person_alone_is_not_learned_of_that_person() -> None:
    signals, _, people = faces(500)
    signals[:, COLUMN["roll"]] = people  # which tells who it is
    levels = np.asarray((people * 7) % 3)  # and each person is always at one level
    _, latent = cross_validated(signals, levels, people, SETTINGS)
    assert area_under_curve(latent, levels == 2) < 0.6


def test_a_level_that_only_those_left_out_show_is_next_to_impossible_and_breaks_nothing() -> None:
    signals, levels, people = faces(400)
    levels = np.where(people == 3, levels, np.minimum(levels, 1))
    likely, latent = cross_validated(signals, levels, people, SETTINGS)
    assert np.isfinite(latent).all() and likely[people == 3, 2].max() < 0.05


def test_what_is_shown_of_the_people_left_out_can_be_less() -> None:
    signals, levels, people = faces(500)
    blind = signals.copy()
    blind[:, [COLUMN[name] for name in ("eyes", "upper_lid", "lower_lid")]] = np.nan
    _, latent = cross_validated(signals, levels, people, SETTINGS, blind)
    assert area_under_curve(-latent, levels == 0) < 0.6


def test_the_sets_hold_the_truth_as_often_as_they_say(part: Part) -> None:
    first, second = (faces(6000, seed) for seed in (1, 2))
    model = part.probabilities
    least = least_probability(model(first[0]), first[1], 0.9)
    sets = level_sets(model(second[0]), least)
    assert sets[np.arange(6000), second[1]].mean() == pytest.approx(0.9, abs=0.015)
    assert 1 <= sets.sum(axis=1).mean() < 2


def test_each_part_names_its_levels_and_none_for_a_head_that_was_not_read(part: Part, other: Part) -> None:
    signals = faces(3)[0]
    signals[1, COLUMN["presence"]] = np.nan
    told = Glance((part, other)).sets(signals)
    assert list(told) == ["drawn", "other"]
    for rows in told.values():
        assert rows.shape == (3, 3) and rows.dtype == bool
        assert rows[[0, 2]].any(axis=1).all() and not rows[1].any()


def test_a_set_is_never_empty() -> None:
    likely = np.array([[0.4, 0.35, 0.25], [0.1, 0.2, 0.7]])
    assert level_sets(likely, 0.9).tolist() == [[True, False, False], [False, False, True]]


def test_a_level_as_likely_as_the_least_belongs_to_the_set() -> None:
    assert level_sets(np.array([[0.4, 0.35, 0.25]]), 0.35).tolist() == [[True, True, False]]


def test_as_a_mapping_it_says_what_it_was_fitted_on_and_for_what(part: Part) -> None:
    mapping = glance_mapping(Glance((part,)))
    assert mapping.signals and mapping.name == "glance"
    assert "drawn (1,000 pictures, 6 people)" in mapping.source and "research only" in mapping.source


def test_as_a_mapping_it_tells_other_coefficients_apart_though_its_words_are_the_same(part: Part) -> None:
    again = replace(part, model=fit_part(*faces(900)[:2], 3, SETTINGS))
    one, other = (glance_mapping(Glance((each,))) for each in (part, again))
    assert (one.formula, one.validity) == (other.formula, other.validity)
    assert one.coefficients != other.coefficients


@pytest.mark.parametrize(
    ("n", "coverage", "rank"), [(7, 0.75, 2), (6, 0.75, 1), (2, 0.75, 1), (24, 0.9, 2), (19, 0.5, 10)]
)
def test_the_least_probability_leaves_out_as_many_as_the_coverage_lets(n: int, coverage: float, rank: int) -> None:
    """Of n true levels' probabilities it is the one at the rank floor((1 - coverage) (n + 1)), from 1, at least 1."""
    likely = np.random.default_rng(0).permutation(np.arange(1, n + 1)) / 100
    levels = np.arange(n) % 2
    probabilities = np.where(np.arange(2) == levels[:, None], likely[:, None], 1 - likely[:, None])
    assert least_probability(probabilities, levels, coverage) == rank / 100


def test_a_head_is_read_where_its_presence_is_known(part: Part) -> None:
    signals = faces(2)[0]
    signals[0, COLUMN["yaw"]] = np.nan
    signals[1, COLUMN["presence"]] = np.nan
    assert np.isnan(Glance((part,)).score(np.empty((2, 7)), signals)).tolist() == [False, True]


def test_as_a_mapping_it_scores_tells_its_sets_and_says_what_it_is_worth(part: Part, other: Part) -> None:
    glance, signals = Glance((part, other)), faces(5)[0]
    mapping = glance_mapping(glance)
    assert_allclose(mapping.score(np.empty((5, 7)), signals), glance.score(np.empty((5, 7)), signals))
    assert mapping.sets is not None and list(mapping.sets(signals)) == ["drawn", "other"]
    assert mapping.source == (
        "this project; fitted on drawn (1,000 pictures, 6 people) and other (1,000 pictures, 6 people), "
        "for research only"
    )
    assert mapping.validity == sentence("glance") and "WACV 2016" in mapping.validity
    assert mapping.formula == (
        "expected level of an additive ordinal model of head pose, eyes, gaze, lids, mouth and how sure the mesh is; "
        "mean of its parts, 0 the lowest level and 1 the highest"
    )


def test_signals_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^`signals` "):
        glance_inputs(np.zeros((2, 3)))
