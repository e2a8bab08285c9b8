"""The arithmetic of judging a classifier: pure functions of labels, answers and probabilities; NumPy only."""

from __future__ import annotations

import numpy as np

from roomread.types import N_EMOTIONS, Array

CALIBRATION_BINS = 15
Z95 = 1.959964  # standard deviations that hold 95% of a normal distribution


def wilson(right: float, n: float) -> tuple[float, float]:
    """Return the 95% interval of a share after Wilson 1927, 0 to 1; NaN without a face.

    Args:
        right: how many are right.
        n: of how many.
    """
    if not n:
        return float("nan"), float("nan")
    p = right / n
    middle, spread = p + Z95**2 / (2 * n), Z95 * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    return float((middle - spread) / (1 + Z95**2 / n)), float((middle + spread) / (1 + Z95**2 / n))


def share(part: Array, whole: Array) -> Array:
    """Return part / whole, float64; NaN where there is nothing to have a share of."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Array = part / whole
    return shares


def confusion_matrix(labels: Array, answers: Array) -> Array:
    """Return how often each class was called what: int64 (7, 7), faces, true class by answer.

    Args:
        labels: int64 (n,), index into EMOTIONS.
        answers: int64 (n,), index into EMOTIONS.
    """
    confusion = np.zeros((N_EMOTIONS, N_EMOTIONS), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    return confusion


def mean_over_classes(values: Array, confusion: Array, weighted: bool = False) -> float:
    """Return the mean of a figure over the classes that have faces.

    A precision that is unknown because the class was never answered counts as 0, as in scikit-learn.

    Args:
        values: float64 (7,), 0 to 1.
        confusion: int64 (7, 7), faces.
        weighted: each class counts by its faces; else all count alike.
    """
    faces = confusion.sum(axis=1)
    there = faces > 0
    return float(np.average(np.nan_to_num(values[there]), weights=faces[there] if weighted else None))


def one_vs_rest_accuracy(confusion: Array) -> Array:
    """Return for each class the accuracy of "this class or another": float64 (7,), 0 to 1.

    With seven classes most faces are rightly "another" whatever is answered, so it is high for any model.
    """
    n, right = confusion.sum(), np.diag(confusion)
    wrong = confusion.sum(axis=1) + confusion.sum(axis=0) - 2 * right
    accuracy: Array = 1 - wrong / n
    return accuracy


def constant_one_vs_rest(confusion: Array) -> float:
    """Return the mean one-versus-rest accuracy, 0 to 1, of a model that answers the commonest class for every face."""
    faces = confusion.sum(axis=1)
    constant = np.zeros_like(confusion)
    constant[:, faces.argmax()] = faces
    return float(one_vs_rest_accuracy(constant).mean())


def top_accuracy(probabilities: Array, labels: Array, k: int) -> float:
    """Return the share of faces, 0 to 1, whose label is among the k likeliest classes.

    Args:
        probabilities: float (n, 7); between equal ones the earlier class is the likelier.
        labels: int64 (n,), index into EMOTIONS.
        k: 1 to 7.
    """
    likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float((likeliest == labels[:, None]).any(axis=1).mean())


def roc_curve(scores: Array, positive: Array) -> Array:
    """Return the ROC curve of one class against the rest.

    Args:
        scores: float (n,), higher is surer of the class.
        positive: bool (n,), whether the face is of the class.

    Returns:
        float64 (2, k), 0 to 1: false positive rate and true positive rate, from (0, 0) to (1, 1), points on a straight
        line left out. (2, 0) where the class, or every other, has no face.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return np.empty((2, 0))
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # equal scores are passed at once
    hits = np.cumsum(positive[order])[ends]
    steps = np.concatenate([[[0], [0]], np.stack([ends + 1 - hits, hits])], axis=1)
    ahead, behind = np.diff(steps[:, 1:], axis=1), np.diff(steps[:, :-1], axis=1)
    bends = np.concatenate([[True], ahead[0] * behind[1] != ahead[1] * behind[0], [True]])
    curve: Array = steps[:, bends] / np.array([[n_negative], [n_positive]])
    return curve


def area_under(curve: Array) -> float:
    """Return the area under a ROC curve, 0 to 1; 0.5 is chance, NaN for an empty curve."""
    if not curve.size:
        return float("nan")
    return float(np.sum(np.diff(curve[0]) * (curve[1, 1:] + curve[1, :-1]) / 2))


def calibration_curve(probabilities: Array, labels: Array, n_bins: int = CALIBRATION_BINS) -> Array:
    """Return how sure the answers are and how often they are right, in equal bins of confidence.

    Args:
        probabilities: float (n, 7), or of as many classes as there are; rows sum to 1.
        labels: int64 (n,), index into the classes.
        n_bins: how many bins.

    Returns:
        float64 (n_bins, 3), for each bin: mean confidence, share of right answers (both 0 to 1, NaN in an empty bin),
        number of faces.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    faces, sure, correct = (
        np.bincount(bins, weights=weights, minlength=n_bins).astype(np.float64) for weights in (None, confidence, right)
    )
    return np.stack([share(sure, faces), share(correct, faces), faces], axis=1)


def calibration_error(curve: Array) -> float:
    """Return the expected calibration error (Guo et al. 2017) of the likeliest class, 0 to 1, from its curve."""
    confidence, right, faces = curve.T
    return float(np.nansum(np.abs(confidence - right) * faces) / faces.sum())
