"""The arithmetic of judging, against numbers computed by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics as theirs

from roomread.learn import metrics
from roomread.types import N_EMOTIONS, Array

SEEDS = pytest.mark.parametrize("seed", range(5))


def made_up(seed: int, n: int = 200, classes: int = N_EMOTIONS) -> tuple[Array, Array]:
    """Return probabilities, rounded so that many are equal, and labels of the first classes."""
    noise = np.random.default_rng(seed)
    labels = noise.integers(0, classes, n)
    probabilities = noise.dirichlet(np.ones(N_EMOTIONS), n) + 0.5 * np.eye(N_EMOTIONS)[labels] * noise.random((n, 1))
    return (probabilities / probabilities.sum(axis=1, keepdims=True)).round(2), labels


def averages(confusion: Array, weighted: bool) -> list[float]:
    """Return mean precision, recall and F1."""
    right, true, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    columns = (metrics.share(right, said), metrics.share(right, true), metrics.share(2 * right, true + said))
    return [metrics.mean_over_classes(column, confusion, weighted) for column in columns]


@SEEDS
@pytest.mark.parametrize("classes", [3, 7])
def test_the_confusion_and_the_averages_are_scikit_learns(seed: int, classes: int) -> None:
    probabilities, labels = made_up(seed, classes=classes)
    answers = probabilities.argmax(axis=1)
    confusion = metrics.confusion_matrix(labels, answers)
    assert_array_equal(confusion, theirs.confusion_matrix(labels, answers, labels=range(N_EMOTIONS)))
    for average in ("macro", "weighted"):
        expected = theirs.precision_recall_fscore_support(
            labels, answers, labels=range(classes), average=average, zero_division=0
        )
        assert_allclose(averages(confusion, average == "weighted"), expected[:3])


def test_a_class_that_is_never_answered_counts_with_a_precision_of_0() -> None:
    confusion = metrics.confusion_matrix(np.array([0, 0, 1]), np.array([0, 0, 0]))
    assert_allclose(averages(confusion, weighted=False), [(2 / 3 + 0) / 2, (1 + 0) / 2, (0.8 + 0) / 2])
    assert_allclose(averages(confusion, weighted=True), [2 / 3 * 2 / 3, 2 / 3, 0.8 * 2 / 3])


def test_one_versus_rest_accuracy_is_as_by_hand() -> None:
    # two classes mistaken for each other once: five faces, each of the two has one face wrong on either side
    confusion = metrics.confusion_matrix(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0]))
    assert_allclose(metrics.one_vs_rest_accuracy(confusion), [3 / 5, 3 / 5, 1, 1, 1, 1, 1])


def test_a_constant_answer_has_a_high_one_versus_rest_accuracy() -> None:
    labels = np.repeat(np.arange(N_EMOTIONS), [1, 1, 1, 4, 1, 1, 1])  # of ten faces four are happy
    confusion = metrics.confusion_matrix(labels, np.zeros(10, int))
    assert_allclose(metrics.constant_one_vs_rest(confusion), (6 * 0.9 + 0.4) / 7)


@SEEDS
@pytest.mark.parametrize("k", [1, 2, 7])
def test_the_accuracy_of_the_k_likeliest_is_scikit_learns(seed: int, k: int) -> None:
    noise = np.random.default_rng(seed)  # no equal probabilities: which of those comes first is anybody's choice
    probabilities, labels = noise.dirichlet(np.ones(N_EMOTIONS), 100), noise.integers(0, N_EMOTIONS, 100)
    if k == N_EMOTIONS:
        assert metrics.top_accuracy(probabilities, labels, k) == 1
    else:
        expected = theirs.top_k_accuracy_score(labels, probabilities, k=k, labels=range(N_EMOTIONS))
        assert_allclose(metrics.top_accuracy(probabilities, labels, k), expected)


@SEEDS
def test_the_roc_curve_and_its_area_are_scikit_learns(seed: int) -> None:
    probabilities, labels = made_up(seed)
    for emotion in range(N_EMOTIONS):
        scores, positive = probabilities[:, emotion], labels == emotion
        curve = metrics.roc_curve(scores, positive)
        false, true, _ = theirs.roc_curve(positive, scores, drop_intermediate=False)
        assert_allclose(metrics.area_under(curve), theirs.roc_auc_score(positive, scores))
        assert set(map(tuple, curve.T.round(9))) <= set(zip(false.round(9), true.round(9), strict=True))
        assert_array_equal(curve[:, 0], [0, 0])
        assert_array_equal(curve[:, -1], [1, 1])


@pytest.mark.parametrize(
    ("scores", "positive", "curve", "area"),
    [
        pytest.param([0.9, 0.8, 0.2], [1, 1, 0], [[0, 0, 1], [0, 1, 1]], 1.0, id="perfect"),
        pytest.param([0.1, 0.2, 0.8], [1, 1, 0], [[0, 1, 1], [0, 0, 1]], 0.0, id="the wrong way round"),
        pytest.param([0.5, 0.5, 0.5], [1, 0, 0], [[0, 1], [0, 1]], 0.5, id="constant"),
        pytest.param([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], [[0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1]], 0.75, id="steps"),
    ],
)
def test_a_roc_curve_is_as_by_hand(scores: list[float], positive: list[int], curve: Array, area: float) -> None:
    found = metrics.roc_curve(np.array(scores), np.array(positive, bool))
    assert_allclose(found, curve)
    assert_allclose(metrics.area_under(found), area)


@pytest.mark.parametrize("positive", [[True], [False], [True, True], []], ids=["one", "other", "all", "none"])
def test_without_both_kinds_of_faces_there_is_no_roc_curve(positive: list[bool]) -> None:
    curve = metrics.roc_curve(np.full(len(positive), 0.5), np.array(positive, bool))
    assert curve.shape == (2, 0)
    assert np.isnan(metrics.area_under(curve))


def test_the_calibration_curve_holds_confidence_accuracy_and_faces_of_each_bin() -> None:
    rest = np.full((3, N_EMOTIONS), 0.0)
    rest[:, 0], rest[:, 1] = [0.95, 0.97, 0.65], [0.05, 0.03, 0.35]
    curve = metrics.calibration_curve(rest, np.array([0, 1, 0]))
    assert curve.shape == (metrics.CALIBRATION_BINS, 3)
    assert_allclose(curve[14], [0.96, 0.5, 2])
    assert_allclose(curve[9], [0.65, 1, 1])
    assert curve[:, 2].sum() == 3
    assert np.isnan(curve[0, :2]).all()


def test_the_interval_of_no_face_is_not_known() -> None:
    assert np.isnan(metrics.wilson(0, 0)).all()
