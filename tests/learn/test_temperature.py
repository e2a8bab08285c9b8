"""The temperature that makes a network's confidence true."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.learn.export import FLATTEST, SHARPEST, divide_scores, find_temperature
from roomread.learn.metrics import calibration_curve, calibration_error
from roomread.learn.model import MODELS
from roomread.types import N_EMOTIONS, Array

pytestmark = pytest.mark.learn


def softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def drawn(n: int = 20000) -> tuple[Array, Array]:
    """Return scores and labels that were drawn from their softmax: their confidence is true."""
    noise = np.random.default_rng(0)
    scores = noise.normal(0, 2, (n, N_EMOTIONS))
    return scores, (scores + noise.gumbel(size=scores.shape)).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_what_made_the_confidence_untrue(temperature: float) -> None:
    scores, labels = drawn()
    given = softmax(scores / temperature)
    assert find_temperature(given, labels) == pytest.approx(1 / temperature, rel=0.03)
    mended = softmax(np.log(given) / find_temperature(given, labels))
    assert calibration_error(calibration_curve(mended, labels)) < 0.02


def test_it_stays_within_bounds_where_every_answer_is_right_or_wrong() -> None:
    sure = np.full((50, N_EMOTIONS), 0.05)
    sure[:, 0] = 0.7
    assert find_temperature(sure, np.zeros(50, np.int64)) == pytest.approx(SHARPEST, rel=1e-3)
    assert find_temperature(sure, np.ones(50, np.int64)) == pytest.approx(FLATTEST, rel=1e-3)


@pytest.mark.parametrize("name", ["tiny", "baseline"])
def test_a_network_divided_by_it_answers_the_same_classes_less_surely(name: str) -> None:
    network = MODELS[name]()
    faces = np.random.default_rng(1).uniform(0, 255, (4, 48, 48, 1)).astype(np.float32)
    before = network.predict(faces, verbose=0)
    divide_scores(network, 2.0)
    after = network.predict(faces, verbose=0)
    assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert_allclose(after, softmax(np.log(before) / 2), atol=1e-5)
