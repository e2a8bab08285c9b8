"""Whether the formulas tell the same story of a lesson: each against its own usual level, as their scales differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomread.types import DEVIATION, Array, Timeline, check_shape

LEAST_BINS = 3  # with a score, for a formula to have a usual level


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """What several formulas say of each bin, NaN where none says anything.

    low, high: float64 (n,), the lowest and highest of the formulas' standings: how far the class is above its usual
        level by that formula, in its own spread over the lesson; 0 is usual.
    contradicted: bool (n,), whether one formula finds the class above its usual level and another below it, each
        beyond its own interval: there the conclusion depends on the formula.
    """

    low: Array
    high: Array
    contradicted: Array

    def __post_init__(self) -> None:
        check_shape("high", self.high, (len(self.low),))
        check_shape("contradicted", self.contradicted, (len(self.low),))


def consensus(lines: Sequence[Timeline]) -> Consensus | None:
    """Return where formulas agree; None with fewer than two that know the class's usual level.

    The usual level is the median over the bins, the spread 1.4826 times the median distance from it (Hampel 1974), or
    the standard deviation where that is 0.

    Args:
        lines: of the same lesson in the same bins, one for each formula.
    """
    standings, verdicts = [], []
    for line in lines:
        known = line.engagement[np.isfinite(line.engagement)]
        if len(known) < LEAST_BINS:
            continue
        usual = float(np.median(known))
        spread = DEVIATION * float(np.median(abs(known - usual))) or float(known.std())
        if not spread:
            continue
        standings.append((line.engagement - usual) / spread)
        verdicts.append((line.low > usual).astype(int) - (line.high < usual))
    if len(standings) < 2:
        return None
    every = np.array(standings)
    some = np.isfinite(every).any(axis=0)
    low, high = (np.where(some, end, np.nan) for end in (np.fmin.reduce(every), np.fmax.reduce(every)))
    return Consensus(low, high, (np.max(verdicts, axis=0) > 0) & (np.min(verdicts, axis=0) < 0))
