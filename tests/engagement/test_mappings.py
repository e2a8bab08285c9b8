"""Named formulas from expressions to engagement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.engagement.mappings import PUBLISHED, Mapping, concentration, sharma, smart_lms, strongest
from roomread.types import EMOTIONS, N_SIGNALS, SIGNALS, Array

ALL = pytest.mark.parametrize("mapping", PUBLISHED, ids=[mapping.name for mapping in PUBLISHED])
AHEAD = dict.fromkeys(SIGNALS, 0.0) | {"presence": 1.0, "eyes": 0.3, "mouth": 0.01}


def some_probabilities(n: int = 500) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.full(len(EMOTIONS), 0.3), n).astype(np.float32)


def signals(n: int = 1, different: dict[str, float] | None = None) -> Array:
    """Return the signals of `n` heads that look ahead with open eyes, but for what differs."""
    return np.tile([{**AHEAD, **(different or {})}[name] for name in SIGNALS], (n, 1))


def alone(expression: str) -> Array:
    return np.eye(len(EMOTIONS))[[EMOTIONS.index(expression)]]


@pytest.mark.parametrize(
    ("expression", "score"),
    [
        ("angry", 0.25 / 0.9),
        ("disgust", 0.2 / 0.9),
        ("fear", 0.3 / 0.9),
        ("happy", 0.6 / 0.9),
        ("sad", 0.3 / 0.9),
        ("surprise", 0.6 / 0.9),
        ("neutral", 1.0),
    ],
)
def test_sharma_weighs_each_expression_as_published(expression: str, score: float) -> None:
    assert_allclose(sharma(alone(expression)), [score], rtol=1e-12)


def test_sharma_is_the_weighted_mean_of_a_mixture() -> None:
    mixture = np.array([[0, 0, 0, 0.5, 0.25, 0, 0.25]])
    assert_allclose(sharma(mixture), [(0.5 * 0.6 + 0.25 * 0.3 + 0.25 * 0.9) / 0.9], rtol=1e-12)


def test_strongest_weighs_the_probability_of_the_strongest_expression_alone() -> None:
    mixture = np.array([[0, 0, 0, 0.5, 0.25, 0, 0.25]])
    assert_allclose(strongest(mixture), [0.5 * 0.6 / 0.9], rtol=1e-12)


def test_each_face_has_its_own_strongest_expression() -> None:
    two = np.array([[0, 0, 0, 0.5, 0.25, 0, 0.25], [0.4, 0, 0, 0.3, 0, 0, 0.3]])
    assert_allclose(strongest(two), [0.5 * 0.6 / 0.9, 0.4 * 0.25 / 0.9], rtol=1e-12)
    assert_allclose(smart_lms(two), [0.4 * 0.5 + 0.3 * 0.5 + 0.3 * 0.75, 0.4 * 0.4 + 0.3 * 0.3 + 0.3 * 0.7], rtol=1e-12)


def test_smart_lms_takes_the_neutral_face_for_less_than_the_happy_one() -> None:
    assert_allclose(smart_lms(alone("neutral")), [0.4], rtol=1e-12)
    assert_allclose(smart_lms(alone("happy")), [1.0], rtol=1e-12)
    assert_allclose(smart_lms(np.full((1, 7), 1 / 7)), [0.4 / 7 + 0.3 / 7 + 0.3 * 6 / 7], rtol=1e-12)


@pytest.mark.parametrize(
    ("different", "weight"),
    [
        ({}, 5),
        ({"gaze": 25.0}, 2),
        ({"yaw": -20.0}, 2),
        ({"yaw": -20.0, "gaze": 20.0}, 5),
        ({"yaw": 20.0, "gaze": np.nan}, 2),
        ({"eyes": 0.2}, 1.5),
        ({"eyes": 0.1, "yaw": 40.0}, 0),
    ],
    ids=["ahead", "eyes aside", "head aside", "eyes make up for the head", "gaze unknown", "half closed", "closed"],
)
def test_concentration_weighs_the_gaze_as_published(different: dict[str, float], weight: float) -> None:
    assert_allclose(concentration(alone("neutral"), signals(1, different)), np.array([weight / 5]), rtol=1e-12)
    assert_allclose(
        concentration(alone("happy"), signals(1, different)), np.array([0.6 / 0.9 * weight / 5]), rtol=1e-12
    )


@pytest.mark.parametrize("missing", ["eyes", "yaw"])
def test_concentration_is_not_known_without_eyes_or_head(missing: str) -> None:
    assert np.isnan(concentration(alone("neutral"), signals(1, {missing: np.nan}))).all()


@ALL
def test_only_a_mapping_that_says_so_looks_at_signals(mapping: Mapping) -> None:
    emotions = some_probabilities(3)
    unknown = np.isnan(mapping.score(emotions, np.full((3, N_SIGNALS), np.nan)))
    assert unknown.all() == mapping.signals == unknown.any()


@ALL
def test_a_score_lies_between_0_and_1(mapping: Mapping) -> None:
    scores = mapping.score(some_probabilities(), signals(500))
    assert scores.dtype == np.float64
    assert ((scores >= 0) & (scores <= 1)).all()


@ALL
def test_a_face_that_could_not_be_read_has_no_score(mapping: Mapping) -> None:
    emotions = some_probabilities(3)
    expected = mapping.score(emotions, signals(3))
    emotions[1] = np.nan
    assert_allclose(mapping.score(emotions, signals(3)), [expected[0], np.nan, expected[2]])


@ALL
def test_no_faces_give_no_scores(mapping: Mapping) -> None:
    assert mapping.score(np.empty((0, len(EMOTIONS)), np.float32), signals(0)).shape == (0,)


@ALL
def test_a_table_of_other_classes_is_refused(mapping: Mapping) -> None:
    with pytest.raises(ValueError, match=r"^`emotions` "):
        mapping.score(np.zeros((2, 8)), signals(2))


@ALL
def test_a_mapping_says_where_it_comes_from_and_how_far_to_believe_it(mapping: Mapping) -> None:
    assert mapping.formula
    assert mapping.source
    assert mapping.validity


@pytest.mark.parametrize(
    ("different", "weight"),
    [({"eyes": 0.15}, 1.5), ({"eyes": 0.22}, 5), ({"yaw": 15.0}, 5), ({"yaw": -15.0}, 5), ({"gaze": 15.5}, 2)],
    ids=["no longer closed", "no longer half closed", "not yet aside", "nor to the other side", "aside"],
)
def test_at_a_limit_of_the_gaze_the_better_weight_counts(different: dict[str, float], weight: float) -> None:
    assert_allclose(concentration(alone("neutral"), signals(1, different)), np.array([weight / 5]), rtol=1e-12)


@pytest.mark.parametrize("score", [sharma, strongest, smart_lms])
def test_rounding_never_lifts_a_score_above_1(score: Callable[[Array], Array]) -> None:
    for expression in EMOTIONS:
        assert 0 <= score(alone(expression) * (1 + 1e-6))[0] <= 1 + 1e-6
    assert sharma(alone("neutral") * 1.001)[0] == smart_lms(alone("happy") * 1.001)[0] == 1


def test_one_unknown_probability_makes_a_face_unread() -> None:
    emotions = some_probabilities(2)
    emotions[0, 2] = np.nan
    for mapping in PUBLISHED:
        assert np.isnan(mapping.score(emotions, signals(2))).tolist() == [True, False]


def test_signals_of_another_table_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^`signals` "):
        concentration(some_probabilities(2), signals(3))
    with pytest.raises(ValueError, match=r"^`signals` "):
        concentration(some_probabilities(2), signals(2)[:, 1:])
