"""Named formulas from one moment of a face to engagement, each with its source and its inputs.

What each is worth on people whose engagement others had judged stands in `engagement.validity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from roomread.engagement.validity import sentence
from roomread.types import EMOTIONS, N_EMOTIONS, N_SIGNALS, SIGNALS, Array, check_shape, trusted

Score = Callable[[Array, Array], Array]  # emotions (n, 7), signals (n, 11) → score (n,)
Sets = Callable[[Array], dict[str, Array]]  # signals (n, 11) → by the name of a scale: bool (n, levels)

# Sharma et al., arXiv 1909.12913: angry, disgust, fear, happy, sad, surprise, neutral, in the order of EMOTIONS.
SHARMA_WEIGHTS = np.array([0.25, 0.2, 0.3, 0.6, 0.3, 0.6, 0.9])
GAZE_WEIGHTS = (0.0, 1.5, 2.0, 5.0)  # eyes closed, half closed, open and aside, open and ahead
CLOSED, HALF_CLOSED = 0.15, 0.22  # openness of the eyes as in SIGNALS; ours, as the paper's are of another measure
ASIDE = 15.0  # degrees, of head and eyes together, sideways; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One formula.

    score: takes emotions, float (n, 7), rows summing to 1, and signals, float (n, 11), both NaN where missing; returns
        float64 (n,), 0 to 1, NaN where what it needs is missing. signals: whether it looks at those at all.
    formula: as text. source: where it was published. validity: what was measured of it, in words.
    sets: tells which levels of each scale may be the true one, in nine of ten cases; None where it has no levels.
    coefficients: a fingerprint of those that were fitted; empty where the formula says all.
    """

    name: str
    score: Score
    formula: str
    source: str
    validity: str
    signals: bool = False
    sets: Sets | None = None
    coefficients: str = ""


def sharma(emotions: Array, signals: Array | None = None) -> Array:
    """Return the expression part of the concentration index: the sum of p * w, over its largest value 0.9.

    Source: Sharma et al. 2019, arXiv 1909.12913, weights of its emotions. Its gaze part is not used, so its cut-offs
    (0.25, 0.65) do not apply.

    Args:
        emotions: float (n, 7), 0 to 1, rows sum to 1, in the order of EMOTIONS; NaN where not readable.
        signals: not looked at.

    Returns:
        float64 (n,), 0.22 (disgust alone) to 1 (neutral alone); NaN where not readable.
    """
    check_shape("emotions", emotions, (None, N_EMOTIONS))
    score: Array = np.minimum(emotions.astype(np.float64) @ SHARMA_WEIGHTS / SHARMA_WEIGHTS.max(), 1.0)
    return score


def strongest(emotions: Array, signals: Array | None = None) -> Array:
    """Return the probability of the strongest expression times its weight, over the largest weight 0.9.

    Source: Gupta et al. 2023, doi 10.1007/s11042-022-13558-9, and Hasnine et al. 2021, Procedia CS 192:3423; with the
    weights of `sharma`.

    Args:
        emotions: float (n, 7), 0 to 1, rows sum to 1, in the order of EMOTIONS; NaN where not readable.
        signals: not looked at.

    Returns:
        float64 (n,), 0.03 to 1; NaN where not readable.
    """
    check_shape("emotions", emotions, (None, N_EMOTIONS))
    known = np.nan_to_num(emotions.astype(np.float64))
    score = known.max(axis=1, initial=0) * SHARMA_WEIGHTS[known.argmax(axis=1)] / SHARMA_WEIGHTS.max()
    return np.where(np.isnan(emotions).any(axis=1), np.nan, score)


def smart_lms(emotions: Array, signals: Array | None = None) -> Array:
    """Return 0.4 confidence + 0.3 happy + 0.3 (1 - neutral), the confidence being the largest probability.

    Source: the public code Smart_LMS. It contradicts `sharma`: the neutral face lowers it.

    Args:
        emotions: float (n, 7), 0 to 1, rows sum to 1, in the order of EMOTIONS; NaN where not readable.
        signals: not looked at.

    Returns:
        float64 (n,), 0.3 to 1; NaN where not readable.
    """
    check_shape("emotions", emotions, (None, N_EMOTIONS))
    known = emotions.astype(np.float64)
    happy, neutral = known[:, EMOTIONS.index("happy")], known[:, EMOTIONS.index("neutral")]
    score: Array = 0.4 * known.max(axis=1, initial=0) + 0.3 * happy + 0.3 * (1 - neutral)
    return np.minimum(score, 1.0)


def concentration(emotions: Array, signals: Array) -> Array:
    """Return the whole concentration index: weight of the strongest expression times weight of the gaze, over 4.5.

    Source: Sharma et al. 2019, arXiv 1909.12913; the weights of the gaze (GAZE_WEIGHTS) as others re-implemented them,
    unconfirmed; where eyes are half closed and a look is aside is ours.

    Args:
        emotions: float (n, 7), 0 to 1, rows sum to 1, in the order of EMOTIONS; NaN where not readable.
        signals: float (n, 11), in the order of SIGNALS; NaN where missing.

    Returns:
        float64 (n,), 0 (eyes closed) to 1 (neutral, eyes open and ahead); NaN where expression or eyes are not known.
    """
    check_shape("emotions", emotions, (None, N_EMOTIONS))
    check_shape("signals", signals, (len(emotions), N_SIGNALS))
    sure = trusted(signals).astype(np.float64)
    yaw, eyes, gaze = (sure[:, SIGNALS.index(name)] for name in ("yaw", "eyes", "gaze"))
    known = ~(np.isnan(emotions).any(axis=1) | np.isnan(eyes) | np.isnan(yaw))
    aside = abs(yaw + np.nan_to_num(gaze)) > ASIDE
    weight = np.select([eyes < CLOSED, eyes < HALF_CLOSED, aside], GAZE_WEIGHTS[:3], GAZE_WEIGHTS[3])
    expression = SHARMA_WEIGHTS[np.nan_to_num(emotions).argmax(axis=1)]
    return np.where(known, expression * weight / (SHARMA_WEIGHTS.max() * GAZE_WEIGHTS[3]), np.nan)


PUBLISHED = (
    Mapping(
        name="sharma",
        score=sharma,
        formula=(
            "(0.25 angry + 0.2 disgust + 0.3 fear + 0.6 happy + 0.3 sad + 0.6 surprise + 0.9 neutral) / 0.9, "
            "each word standing for the probability of that expression"
        ),
        source="Sharma et al. 2019, arXiv 1909.12913; its expression weights without its gaze part",
        validity=sentence("sharma"),
    ),
    Mapping(
        name="strongest",
        score=strongest,
        formula="probability of the strongest expression, times its weight in sharma, / 0.9",
        source="Gupta et al. 2023, doi 10.1007/s11042-022-13558-9; Hasnine et al. 2021, Procedia CS 192:3423",
        validity=sentence("strongest"),
    ),
    Mapping(
        name="smart-lms",
        score=smart_lms,
        formula="0.4 (probability of the strongest expression) + 0.3 happy + 0.3 (1 - neutral)",
        source="the public code Smart_LMS",
        validity=sentence("smart-lms"),
    ),
    Mapping(
        name="concentration",
        score=concentration,
        formula=(
            "weight of the strongest expression in sharma, times 5 for open eyes that look ahead, 2 aside, 1.5 half "
            "closed, 0 closed, / 4.5"
        ),
        source="Sharma et al. 2019, arXiv 1909.12913; weights of the gaze as others re-implemented them",
        validity=sentence("concentration"),
        signals=True,
    ),
)
