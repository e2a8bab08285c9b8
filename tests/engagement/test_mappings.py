"""Named formulas from expressions to engagement."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.engagement.mappings import DEFAULT_MAPPING, MAPPINGS, Mapping, find_mapping, sharma
from roomread.errors import SettingsError
from roomread.types import EMOTIONS

ALL = pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=list(MAPPINGS))


def some_probabilities(n: int = 500) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.full(len(EMOTIONS), 0.3), n).astype(np.float32)


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
    alone = np.eye(len(EMOTIONS))[[EMOTIONS.index(expression)]]
    assert_allclose(sharma(alone), [score], rtol=1e-12)


def test_sharma_is_the_weighted_mean_of_a_mixture() -> None:
    mixture = np.array([[0, 0, 0, 0.5, 0.25, 0, 0.25]])
    assert_allclose(sharma(mixture), [(0.5 * 0.6 + 0.25 * 0.3 + 0.25 * 0.9) / 0.9], rtol=1e-12)


@ALL
def test_a_score_lies_between_0_and_1(mapping: Mapping) -> None:
    scores = mapping.score(some_probabilities())
    assert scores.dtype == np.float64
    assert ((scores >= 0) & (scores <= 1)).all()


@ALL
def test_a_face_that_could_not_be_read_has_no_score(mapping: Mapping) -> None:
    emotions = some_probabilities(3)
    expected = mapping.score(emotions)
    emotions[1] = np.nan
    assert_allclose(mapping.score(emotions), [expected[0], np.nan, expected[2]])


@ALL
def test_no_faces_give_no_scores(mapping: Mapping) -> None:
    assert mapping.score(np.empty((0, len(EMOTIONS)), np.float32)).shape == (0,)


@ALL
def test_a_table_of_other_classes_is_refused(mapping: Mapping) -> None:
    with pytest.raises(ValueError, match="emotions"):
        mapping.score(np.zeros((2, 8)))


@ALL
def test_a_mapping_says_where_it_comes_from_and_how_far_to_believe_it(mapping: Mapping) -> None:
    assert mapping.formula
    assert mapping.source
    assert mapping.validity
    assert find_mapping(mapping.name) is mapping


def test_an_unknown_mapping_is_refused_with_the_known_ones() -> None:
    assert DEFAULT_MAPPING in MAPPINGS
    with pytest.raises(SettingsError, match=r"no mapping 'shrama'\. Expected one of: .*sharma"):
        find_mapping("shrama")
