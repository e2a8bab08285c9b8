"""Refit a mapping to observers' codes: one curve of its own score, judged at seats that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from roomread.engagement.mappings import Score
from roomread.engagement.measures import folds_of
from roomread.engagement.ordinal import Curve, FitSettings, Graded, OrdinalModel, expected_level, fit
from roomread.errors import CodesError
from roomread.types import Array

MIN_SEATS = 8  # with fewer the interval, drawn by seat, is known to be too narrow, and one seat decides what is found
MIN_GLANCES = 20  # of each level; with fewer a cut is unsure by half a logit either way (2 / sqrt(20) is 0.45)
FOLDS = 5  # each curve of the cross-validation sees four fifths of the seats
SETTINGS = FitSettings(knots=5, smoothness=3.0, flatness=1.0)  # one curve is held by hundreds of glances, not by priors
SCORE = "score"  # the model's one input


def check_enough(levels: Array, seats: Array) -> None:
    """Refuse codes that are too few to fit to and to judge by.

    Args:
        levels: int64 (n,), from 0.
        seats: (n,), the seat of each glance.

    Raises:
        CodesError: too few seats, too few glances of a level, or only one level.
    """
    counts, n_seats = np.bincount(levels), len(np.unique(seats))
    if n_seats < MIN_SEATS or len(counts) < 2 or counts.min() < MIN_GLANCES:
        received = ", ".join(f"{count} of level {level}" for level, count in enumerate(counts.tolist()))
        raise CodesError(
            f"The codes are too few to refit a mapping. Expected: at least {MIN_SEATS} seats, two levels, and "
            f"{MIN_GLANCES} glances with a reading of every level from 0 up. Received: {n_seats} seats; glances: "
            f"{received or 'none'}."
        )


def fit_curve(scores: Array, levels: Array) -> OrdinalModel:
    """Return the ordinal model of one curve that fits codes best.

    Args:
        scores: float64 (n,), the mapping's own, known.
        levels: int64 (n,), from 0; each up to the highest must occur.
    """
    model = fit((SCORE,), Graded(scores[:, None], levels, np.ones(len(levels))), SETTINGS)
    return one_curve(model.curves[SCORE].knots, model.curves[SCORE].values, model.cuts)


def one_curve(knots: Array, values: Array, cuts: Array) -> OrdinalModel:
    """Return the model of one curve, which knows nothing where the score is missing."""
    return OrdinalModel(curves={SCORE: Curve(knots=knots, values=values, missing=np.nan)}, cuts=cuts)


def refitted(base: Score, model: OrdinalModel) -> Score:
    """Return a mapping's score after refitting: the expected level over the highest, 0 to 1; missing stays NaN."""

    def score(emotions: Array, signals: Array) -> Array:
        return expected_level(model.probabilities(base(emotions, signals)[:, None]))

    return score


def cross_validate(
    scores: Array, levels: Array, seats: Array, scores_by: Callable[[OrdinalModel], Array]
) -> tuple[Array, Array]:
    """Return the score that each glance gets from a curve that was fitted without its seat, and one to rank it by.

    Ranks are taken of the score less the mean that its curve gives the glances that it was fitted to. Where the seats
    left out are high the others are low, and their curve gives less to all: among other curves' scores such seats would
    rank low, and a mapping that says nothing would seem to say the opposite.

    Args:
        scores: float64 (n,), the mapping's own, known.
        levels: int64 (n,), from 0.
        seats: (n,), the seat of each glance.
        scores_by: returns what a model makes of every glance, float64 (n,).

    Returns:
        float64 (n,) both, 0 to 1 and -1 to 1.

    Raises:
        CodesError: a level was given at so few seats that it is gone when some are left out.
    """
    folds, found, middle = folds_of(seats, FOLDS), *np.full((2, len(scores)), np.nan)
    for fold in np.unique(folds):
        left_out = folds == fold
        gone = np.setdiff1d(levels, levels[~left_out])
        if len(gone):
            n_seats = len(np.unique(seats[levels == gone[0]]))
            raise CodesError(
                f"Level {gone[0]} cannot be judged at seats that were not fitted to. Expected: each level at many "
                f"seats. Received: level {gone[0]} at {n_seats}."
            )
        made = scores_by(fit_curve(scores[~left_out], levels[~left_out]))
        found[left_out], middle[left_out] = made[left_out], made[~left_out].mean()
    return found, found - middle
