"""How good an expression model is: its figures on one split of a data set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from roomread.errors import DataError, ModelError
from roomread.faces.expression import Classifier
from roomread.learn import metrics
from roomread.learn.datasets import LabelledFaces
from roomread.learn.views import blurred, shrunk
from roomread.types import EMOTIONS, N_EMOTIONS, Array, check_shape

# The parts of an evaluation: the same split, other faces of it, other labels, or shown in another way.
WITHOUT, FERPLUS, SIZE, BLUR = "without_dropped", "ferplus", "size", "blur"
SIZES = (16, 24, 32)  # pixels from side to side; `analyze` leaves out faces whose crop would have less than 18.6
BLURS = (0.5, 1.0, 1.5, 2.0)  # pixels of 48, standard deviation; at 2 the eyes begin to melt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """What only the probabilities tell, and no confusion matrix.

    top_2: share of faces, 0 to 1, whose label is one of the two likeliest classes.
    roc: for each class float64 (2, k), false and true positive rate against the rest; (2, 0) where undefined.
    calibration: float64 (15, 3), for each bin of confidence its mean, the share of right answers, the faces.
    """

    top_2: float
    roc: tuple[Array, ...]
    calibration: Array

    @property
    def auc(self) -> Array:
        """float64 (7,), area under each class's ROC curve; NaN where undefined."""
        return np.array([metrics.area_under(curve) for curve in self.roc])

    @property
    def mean_auc(self) -> float:
        """Mean of the areas that are defined, 0 to 1; NaN where none is."""
        defined = self.auc[~np.isnan(self.auc)]
        return float(defined.mean()) if len(defined) else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Figures of one model on one split; a figure is never told without the two.

    confusion: int64 (7, 7), faces, true class by predicted class, in the order of EMOTIONS.
    faces: which faces of the split, with which labels, shown how.
    amount: pixels; of a part of SIZE the side that was left, of BLUR the standard deviation; else NaN.
    parts: the same model and split in other ways: WITHOUT, FERPLUS, SIZE, BLUR, as far as they were asked for.
    """

    model: str
    split: str
    confusion: Array
    curves: Curves
    faces: str = "all faces"
    amount: float = float("nan")
    parts: Mapping[str, tuple[Evaluation, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_shape("confusion", self.confusion, (N_EMOTIONS, N_EMOTIONS))

    @property
    def n(self) -> int:
        """Number of faces."""
        return int(self.confusion.sum())

    @property
    def support(self) -> Array:
        """int64 (7,), number of faces of each class."""
        support: Array = self.confusion.sum(axis=1)
        return support

    @property
    def accuracy(self) -> float:
        """Share of faces whose likeliest class is their label."""
        return float(np.trace(self.confusion) / self.n)

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95% interval of the accuracy, after Wilson 1927."""
        return metrics.wilson(float(np.trace(self.confusion)), self.n)

    @property
    def calibration_error(self) -> float:
        """Mean distance of confidence and accuracy over CALIBRATION_BINS equal bins of confidence, 0 to 1."""
        return metrics.calibration_error(self.curves.calibration)

    @property
    def rates(self) -> Array:
        """float64 (7, 7), the confusion as shares of each true class; a row of NaN for a class without faces."""
        return metrics.share(self.confusion, self.support[:, None])

    @property
    def recall(self) -> Array:
        """float64 (7,), share of each class's faces that were recognised; NaN for a class without faces."""
        return metrics.share(np.diag(self.confusion), self.support)

    @property
    def precision(self) -> Array:
        """float64 (7,), share of each answer that was right; NaN for a class never answered."""
        return metrics.share(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def f1(self) -> Array:
        """float64 (7,), harmonic mean of precision and recall; 0 for a class never recognised, NaN without faces."""
        right, true, said = np.diag(self.confusion), self.support, self.confusion.sum(axis=0)
        return np.where(true > 0, metrics.share(2 * right, true + said), np.nan)

    def mean(self, values: Array, weighted: bool = False) -> float:
        """Return the mean of a figure, float64 (7,), over the classes that have faces; see `mean_over_classes`."""
        return metrics.mean_over_classes(values, self.confusion, weighted)

    def brief(self) -> dict[str, Any]:
        """Return the few figures that are compared as plain values, with model, split, faces and n."""
        low, high = self.accuracy_interval
        return {
            "model": self.model,
            "split": self.split,
            "faces": self.faces,
            "n": self.n,
            "accuracy": round(self.accuracy, 5),
            "accuracy_low": round(low, 5),
            "accuracy_high": round(high, 5),
            "balanced_accuracy": round(self.mean(self.recall), 5),
            "macro_f1": round(self.mean(self.f1), 5),
            "calibration_error": round(self.calibration_error, 5),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return every figure as plain values that JSON can hold; the points of curves are left to the report."""
        figures = self.brief()
        for name, values in (("precision", self.precision), ("recall", self.recall), ("f1", self.f1)):
            figures[f"macro_{name}"] = round(self.mean(values), 5)
            figures[f"weighted_{name}"] = round(self.mean(values, weighted=True), 5)
        figures |= {
            "one_vs_rest_accuracy_mean": round(float(metrics.one_vs_rest_accuracy(self.confusion).mean()), 5),
            "one_vs_rest_accuracy_mean_of_one_constant_answer": round(metrics.constant_one_vs_rest(self.confusion), 5),
            "recall": _by_class(self.recall),
            "precision": _by_class(self.precision),
            "f1": _by_class(self.f1),
            "support": dict(zip(EMOTIONS, self.support.tolist(), strict=True)),
            "top_2_accuracy": round(self.curves.top_2, 5),
            "auc": _by_class(self.curves.auc),
            "auc_mean": rounded(self.curves.mean_auc),
            "confusion": self.confusion.tolist(),
            "classes": list(EMOTIONS),
        }
        if self.parts:
            figures["parts"] = {
                kind: [part.as_dict() if kind == WITHOUT else part.brief() for part in parts]
                for kind, parts in self.parts.items()
            }
        return figures


def rounded(value: float) -> float | None:
    """Return a figure as JSON holds it: five digits, None for NaN."""
    return None if math.isnan(value) else round(value, 5)


def _by_class(values: Array) -> dict[str, float | None]:
    return dict(zip(EMOTIONS, map(rounded, values.tolist()), strict=True))


def judge(model: str, split: str, probabilities: Array, labels: Array, faces: str = "all faces") -> Evaluation:
    """Return the figures of answers that were given.

    Args:
        model: its name.
        split: its name.
        probabilities: float (n, 7), rows sum to 1, in the order of EMOTIONS.
        labels: int64 (n,), index into EMOTIONS.
        faces: which faces of the split, with which labels, shown how.

    Raises:
        DataError: there is no face.
        ModelError: an answer is no number.
    """
    if not np.isfinite(probabilities).all():
        raise ModelError(f"{model} answers with numbers that are none. Expected: probabilities. Train it anew.")
    if not len(labels):
        raise DataError(
            f"The split {split!r} holds no face." if faces == "all faces" else f"No face: {split}, {faces}."
        )
    return Evaluation(
        model=model,
        split=split,
        confusion=metrics.confusion_matrix(labels, probabilities.argmax(axis=1)),
        faces=faces,
        curves=Curves(
            top_2=metrics.top_accuracy(probabilities, labels, 2),
            roc=tuple(metrics.roc_curve(probabilities[:, i], labels == i) for i in range(N_EMOTIONS)),
            calibration=metrics.calibration_curve(probabilities, labels),
        ),
    )


def evaluate(
    model: Classifier,
    faces: LabelledFaces,
    split: str,
    drop: Array | None = None,
    sizes: Sequence[int] = (),
    blurs: Sequence[float] = (),
) -> Evaluation:
    """Return the figures of a model on one split of a data set; agreement with FER+ where its votes are known.

    Args:
        model: wrap it in `Viewed` for test-time views.
        faces: the data set.
        split: its name.
        drop: int64 (k,), rows of the data set (`LabelledFaces.rows`), such as an audit's; judged with and without.
        sizes: pixels from side to side to which faces are shrunk before they are judged again, such as SIZES.
        blurs: pixels, standard deviations of blurs under which they are judged again, such as BLURS.

    Raises:
        DataError: the data has no such split, or `drop` leaves none of its faces.
    """
    chosen = faces.split(split)
    probabilities = model.predict_faces(chosen.images)
    parts: dict[str, tuple[Evaluation, ...]] = {}
    if drop is not None:
        kept = ~np.isin(chosen.rows, drop)
        told = f"without the rows to drop ({int((~kept).sum())})"
        parts[WITHOUT] = (judge(model.name, split, probabilities[kept], chosen.labels[kept], told),)
    known, voted = ferplus_majority(chosen.votes)
    if known.any():
        told = "labels by FER+'s majority"
        parts[FERPLUS] = (judge(model.name, split, probabilities[known], voted[known], told),)
    parts |= {
        kind: tuple(_worse(model, chosen, split, kind, amount) for amount in amounts)
        for kind, amounts in ((SIZE, sizes), (BLUR, blurs))
        if amounts
    }
    return replace(judge(model.name, split, probabilities, chosen.labels), parts=parts)


def _worse(model: Classifier, chosen: LabelledFaces, split: str, kind: str, amount: float) -> Evaluation:
    """Return the figures of faces shrunk (SIZE) or blurred (BLUR) by so many pixels."""
    if kind == SIZE:
        images, told = shrunk(chosen.images, int(amount)), f"shrunk to {amount:g} px"
    else:
        images, told = blurred(chosen.images, amount), f"blurred by {amount:g} px"
    return replace(judge(model.name, split, model.predict_faces(images), chosen.labels, told), amount=amount)


def ferplus_majority(votes: Array) -> tuple[Array, Array]:
    """Return where more than half of all FER+ votes name one of EMOTIONS, bool (n,), and which, int64 (n,).

    Args:
        votes: float32 (n, 10), as in `LabelledFaces`; NaN where unknown.
    """
    known = np.nan_to_num(votes)
    ours = known[:, :N_EMOTIONS]
    return ours.max(axis=1) > known.sum(axis=1) / 2, ours.argmax(axis=1)
