"""How good an expression model is, on a named split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from roomread.faces.expression import Classifier
from roomread.learn.audit import leave_out
from roomread.learn.datasets import LabelledFaces
from roomread.learn.evaluation import BLUR, FERPLUS, SIZE, WITHOUT, Curves, Evaluation, judge
from roomread.learn.evaluation_text import as_table, as_text
from roomread.learn.metrics import CALIBRATION_BINS, calibration_error
from roomread.learn.views import blurred, shrunk
from roomread.types import N_EMOTIONS, Array

__all__ = [
    "BLURS",
    "CALIBRATION_BINS",
    "SIZES",
    "Curves",
    "Evaluation",
    "as_table",
    "as_text",
    "calibration_error",
    "evaluate",
    "ferplus_majority",
    "judge",
    "rows_to_drop",
]

SIZES = (16, 24, 32)  # pixels from side to side; 20 is the least that `analyze` reads
BLURS = (0.5, 1.0, 1.5, 2.0)  # pixels of 48, standard deviation; at 2 the eyes begin to melt


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


def rows_to_drop(faces: LabelledFaces, path: Path) -> Array:
    """Return the rows of a data set that a table of the audit names: int64 (k,), ascending, each once.

    Raises:
        DataError: the table is missing or damaged, or was made of other faces.
    """
    return np.setdiff1d(faces.rows, leave_out(faces, path).rows)
