"""Named formulas from expressions to engagement, each with its source and its measured validity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from roomread.errors import SettingsError
from roomread.types import N_EMOTIONS, Array, check_shape

# Sharma et al., arXiv 1909.12913: angry, disgust, fear, happy, sad, surprise, neutral, in the order of EMOTIONS.
SHARMA_WEIGHTS = np.array([0.25, 0.2, 0.3, 0.6, 0.3, 0.6, 0.9])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One formula.

    score: takes emotions, float (n, 7), rows summing to 1, and returns float64 (n,), 0 to 1; NaN rows give NaN.
    formula: as text. source: where it was published. validity: what was measured of it, in one sentence.
    """

    name: str
    score: Callable[[Array], Array]
    formula: str
    source: str
    validity: str


def sharma(emotions: Array) -> Array:
    """Return the expression part of the concentration index: the sum of p * w, over its largest value 0.9.

    Source: Sharma et al. 2019, arXiv 1909.12913, weights of its emotions. Its gaze part is not used, so its cut-offs
    (0.25, 0.65) do not apply.

    Args:
        emotions: float (n, 7), 0 to 1, rows sum to 1, in the order of EMOTIONS; NaN where not readable.

    Returns:
        float64 (n,), 0.22 (disgust alone) to 1 (neutral alone); NaN where not readable.
    """
    check_shape("emotions", emotions, (None, N_EMOTIONS))
    score: Array = np.minimum(emotions.astype(np.float64) @ SHARMA_WEIGHTS / SHARMA_WEIGHTS.max(), 1.0)
    return score


MAPPINGS = {
    mapping.name: mapping
    for mapping in (
        Mapping(
            name="sharma",
            score=sharma,
            formula=(
                "(0.25 angry + 0.2 disgust + 0.3 fear + 0.6 happy + 0.3 sad + 0.6 surprise + 0.9 neutral) / 0.9, "
                "each word standing for the probability of that expression"
            ),
            source="Sharma et al. 2019, arXiv 1909.12913; its expression weights without its gaze part",
            validity=(
                "Measured with the expression model of this version on single pictures of people whose engagement "
                "others had judged: the lowest levels are told from the rest with an area under the curve of 0.63 "
                "(95% interval 0.51 to 0.74; 2,876 pictures, 16 people) and 0.52 (0.47 to 0.58; 6,787 clips, "
                "88 people), the highest level with 0.49 (0.39 to 0.59) and 0.49 (0.46 to 0.53). 0.5 is a coin."
            ),
        ),
    )
}
DEFAULT_MAPPING = "sharma"


def find_mapping(name: str) -> Mapping:
    """Return a mapping by its name.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in MAPPINGS:
        raise SettingsError(f"There is no mapping {name!r}. Expected one of: {', '.join(MAPPINGS)}.")
    return MAPPINGS[name]
