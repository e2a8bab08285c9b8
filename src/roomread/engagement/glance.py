"""Our own estimate from one moment: how likely each level of engagement is, from head, eyes and mouth.

It has a part for each set of pictures that people had graded. The sets differ so much (people before a screen who look
away or close their eyes; students of an online course who hardly move) that a part says little about the other set, so
the parts are kept apart, and what is said of a lesson is the mean of what they say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomread.engagement.mappings import Mapping
from roomread.engagement.measures import folds_of
from roomread.engagement.ordinal import FitSettings, Graded, OrdinalModel, expected_level, fit, with_every_level
from roomread.engagement.validity import sentence
from roomread.types import SIGNALS, Array, check_shape

INPUTS = (*SIGNALS, "look", "opening")
"""What a part looks at, in the order of the columns: every signal, and

look: degrees, where the eyes look, sideways: yaw of the head and of the eyes in it.
opening: openness of the eyes, plus what lids are lower when the head is: 0.004 for each degree of pitch.
"""
LID_PER_PITCH = 0.004  # openness for each degree; the lids follow a lowered head's look
COVERAGE = 0.9  # of the sets of levels
MOST_FOLDS = 22  # of cross-validation; of more people several are left out at a time


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part:
    """The model of one set of pictures.

    data: what it was fitted on. people, n: how many, on how many pictures. sha256: of the file.
    model: with a curve for each of INPUTS. settings: it was fitted with.
    least: 0 to 1, probability from which a level belongs to the set that holds the truth in COVERAGE of all cases.
    """

    data: str
    people: int
    n: int
    sha256: str
    model: OrdinalModel
    settings: FitSettings
    least: float

    @property
    def levels(self) -> int:
        """How many levels the pictures were graded in."""
        return len(self.model.cuts) + 1

    def probabilities(self, signals: Array) -> Array:
        """Return how likely each level is: float64 (n, levels), as `glance_probabilities` does."""
        return glance_probabilities(self.model, signals)


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """All parts."""

    parts: tuple[Part, ...]

    def score(self, emotions: Array, signals: Array) -> Array:
        """Return the mean over the parts of the expected level, 0 the lowest and 1 the highest: float64 (n,).

        Args:
            emotions: not looked at: they add nothing that holds for people not seen before.
            signals: float (n, 11), in the order of SIGNALS; NaN where missing.

        Returns:
            NaN where the head was not read.
        """
        read = ~np.isnan(signals[:, 0])  # two of five frames in a lesson
        score = np.full(len(signals), np.nan)
        score[read] = np.mean([expected_level(part.probabilities(signals[read])) for part in self.parts], axis=0)
        return score

    def sets(self, signals: Array) -> dict[str, Array]:
        """Return by each part's name which levels may be the true one: bool (n, levels).

        Args:
            signals: float (n, 11), in the order of SIGNALS; NaN where missing.

        Returns:
            No level where the head was not read; else the true one in COVERAGE of all cases like those fitted on.
        """
        told = {}
        for part in self.parts:
            likely = np.nan_to_num(part.probabilities(signals), nan=-1.0)
            told[part.data] = level_sets(likely, part.least) & (likely >= 0)
        return told


def glance_inputs(signals: Array) -> Array:
    """Return what a part looks at: float64 (n, 13), in the order of INPUTS; NaN where missing.

    Args:
        signals: float (n, 11), in the order of SIGNALS; NaN where missing. What is read of lost faces counts too.
    """
    check_shape("signals", signals, (None, len(SIGNALS)))
    known = signals.astype(np.float64)
    yaw, pitch, eyes, gaze = (known[:, SIGNALS.index(name)] for name in ("yaw", "pitch", "eyes", "gaze"))
    return np.column_stack([known, yaw + gaze, eyes + LID_PER_PITCH * pitch])


def glance_probabilities(model: OrdinalModel, signals: Array) -> Array:
    """Return how likely each level is: float64 (n, levels), rows sum to 1; NaN where the head was not read.

    Args:
        model: with a curve for each of INPUTS.
        signals: float (n, 11), in the order of SIGNALS; NaN where missing.
    """
    return np.where(np.isnan(signals[:, :1]), np.nan, model.probabilities(glance_inputs(signals)))


def fit_part(signals: Array, levels: Array, n_levels: int, settings: FitSettings) -> OrdinalModel:
    """Return the model that fits graded pictures best.

    A missing input counts as the average known one: it is missing where a face is too small to read it, which says
    nothing of engagement.

    Args:
        signals: float (n, 11), in the order of SIGNALS; NaN where missing.
        levels: int64 (n,), from 0, low to high.
        n_levels: how many there are, at least two; those that do not occur are next to impossible.
        settings: how smooth the curves are.
    """
    inputs = glance_inputs(signals)
    graded = with_every_level(Graded(inputs, levels, np.ones(len(levels))), n_levels)
    return fit(INPUTS, graded, settings).with_missing_as_average(inputs)


def cross_validated(
    signals: Array, levels: Array, people: Array, settings: FitSettings, shown: Array | None = None
) -> tuple[Array, Array]:
    """Return what models say that were fitted on other people.

    Args:
        signals: float (n, 11), in the order of SIGNALS; NaN where missing.
        levels: int64 (n,), from 0, low to high.
        people: (n,), whose face it is.
        settings: how smooth the curves are.
        shown: float (n, 11), what is known of the people left out; None for all of `signals`.

    Returns:
        float64 (n, levels), how likely each level is; and float64 (n,), the sums of the curves, logits, less their mean
        over those fitted on. Only these are to be ranked: where a level is frequent among those left out, it is rarer
        among the others, and all its probabilities of that fold are lower.
    """
    shown, folds = signals if shown is None else shown, folds_of(people, MOST_FOLDS)
    n_levels = int(levels.max()) + 1
    likely, latent = np.empty((len(levels), n_levels)), np.empty(len(levels))
    for fold in np.unique(folds):
        out = folds == fold
        model = fit_part(signals[~out], levels[~out], n_levels, settings)
        likely[out] = glance_probabilities(model, shown[out])
        latent[out] = model.latent(glance_inputs(shown[out])) - model.latent(glance_inputs(signals[~out])).mean()
    return likely, latent


def least_probability(probabilities: Array, levels: Array, coverage: float = COVERAGE) -> float:
    """Return the probability from which a level belongs to the set (Sadinle, Lei and Wasserman 2019).

    Of people like these, not fitted on, such sets hold the truth in a share `coverage` of all cases.

    Args:
        probabilities: float64 (n, levels), of people that were not fitted on.
        levels: int64 (n,), the truth.
        coverage: 0 to 1.
    """
    true = np.sort(probabilities[np.arange(len(levels)), levels])
    return float(true[max(int(np.floor((1 - coverage) * (len(levels) + 1))) - 1, 0)])


def level_sets(probabilities: Array, least: float | Array) -> Array:
    """Return which levels may be the true one: bool (n, levels), the likeliest always.

    Args:
        probabilities: float64 (n, levels).
        least: from `least_probability`, one for all or float64 (n, 1).
    """
    sets: Array = (probabilities >= least) | (probabilities == probabilities.max(axis=1, keepdims=True))
    return sets


def glance_mapping(glance: Glance) -> Mapping:
    """Return the glance as a mapping."""
    fitted = " and ".join(f"{part.data} ({part.n:,} pictures, {part.people} people)" for part in glance.parts)
    return Mapping(
        name="glance",
        score=glance.score,
        formula=(
            "expected level of an additive ordinal model of head pose, eyes, gaze, lids, mouth and how sure the mesh "
            "is; mean of its parts, 0 the lowest level and 1 the highest"
        ),
        source=f"this project; fitted on {fitted}, for research only",
        validity=sentence("glance"),
        signals=True,
        sets=glance.sets,
        coefficients=" ".join(part.model.fingerprint() for part in glance.parts),
    )
