"""How well two gradings agree, and how sure that is: pure functions of arrays; NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from roomread.types import LEVEL, Array, check_shape

DRAWS = 1000  # of the bootstrap
MOST_UNTOLD = 0.05  # of the draws; where more have no figure, the rest are not what would be drawn
SAME = 1e-9  # figures that differ by less are one
SEED = 0  # of drawing groups and of dealing them to folds


def ranks(values: Array) -> Array:
    """Return the rank of each value from 1, equal ones sharing the mean of theirs: float64 (n,)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    shared: Array = (last - (counts - 1) / 2)[places]
    return shared


def area_under_curve(scores: Array, positive: Array) -> float:
    """Return how often a positive has the higher score of a pair, 0 to 1 (Hanley and McNeil 1982); NaN without a pair.

    Args:
        scores: float (n,).
        positive: bool (n,).
    """
    n = int(positive.sum())
    pairs = n * (len(positive) - n)
    return float((ranks(scores)[positive].sum() - n * (n + 1) / 2) / pairs) if pairs else np.nan


def spearman(first: Array, second: Array) -> float:
    """Return the correlation of the ranks, -1 to 1; NaN where one of them does not vary."""
    first, second = ranks(first), ranks(second)
    if len(first) < 2 or not np.ptp(first) or not np.ptp(second):
        return np.nan
    return float(np.corrcoef(first, second)[0, 1])


def cohens_kappa(first: Array, second: Array, n_levels: int, quadratic: bool = False) -> float:
    """Return the agreement beyond chance (Cohen 1960; with quadratic weights 1968), at most 1; 0 is chance.

    Args:
        first: int64 (n,), levels from 0.
        second: likewise.
        n_levels: how many levels there are.
        quadratic: whether a disagreement counts by the square of its distance, else all count alike.

    Returns:
        NaN where both name one and the same level throughout, or there is nothing to compare.
    """
    table = np.zeros((n_levels, n_levels))
    np.add.at(table, (first, second), 1)
    distance = np.subtract.outer(np.arange(n_levels), np.arange(n_levels))
    cost = distance**2 if quadratic else distance != 0
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(len(first), 1)
    expected = float((cost * by_chance).sum())
    return 1 - float((cost * table).sum()) / expected if expected else np.nan


def intraclass_correlation(values: Array) -> float:
    """Return ICC(2, 1), the absolute agreement of single raters (Shrout and Fleiss 1979), at most 1.

    Args:
        values: float (n, k), one row for each thing that was rated, one column for each rater; rows with NaN are left
            out.

    Returns:
        NaN with fewer than two rows or raters, or where neither rows nor raters differ.
    """
    check_shape("values", values, (None, None))
    values = values[~np.isnan(values).any(axis=1)].astype(np.float64)
    n, k = values.shape
    if n < 2 or k < 2 or not np.ptp(values):
        return np.nan
    rows, raters = values.mean(axis=1), values.mean(axis=0)
    between_rows = k * ((rows - values.mean()) ** 2).sum() / (n - 1)
    between_raters = n * ((raters - values.mean()) ** 2).sum() / (k - 1)
    rest = ((values - rows[:, None] - raters[None] + values.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    total = between_rows + (k - 1) * rest + k * (between_raters - rest) / n
    known = total > 1e-12 * rest  # it is 0 where two raters put two things in opposite orders
    return float((between_rows - rest) / total) if known else np.nan


def drawn_groups(groups: Array, draws: int = DRAWS) -> Iterator[Array]:
    """Yield the rows of as many groups as there are, drawn anew each time: int64 (m,), a row may stand more than once.

    Args:
        groups: (n,), the group of each row, such as a person or a seat; at least one.
        draws: how often groups are drawn.
    """
    names, places = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(places == place) for place in range(len(names))]
    draw = np.random.default_rng(SEED)
    for _ in range(draws):
        yield np.concatenate([members[place] for place in draw.integers(0, len(names), len(names))])


def folds_of(groups: Array, most: int) -> Array:
    """Return the fold of each row, int64 (n,): no group is in two, and the folds have about as many groups each.

    Args:
        groups: (n,), the group of each row, such as a person or a seat.
        most: how many folds there are; with fewer groups each has its own.
    """
    names, places = np.unique(groups, return_inverse=True)
    folds: Array = np.random.default_rng(SEED).permutation(len(names))[places] % most
    return folds


def bootstrap(figure: Callable[[Array], float], groups: Array) -> tuple[float, float]:
    """Return the 95% interval of a figure when whole groups, such as people or seats, are drawn anew (Efron 1979).

    Args:
        figure: takes row numbers, int64 (m,), in which a row may stand more than once.
        groups: (n,), the group of each row.

    Returns:
        Lower and upper end; NaN with fewer than two groups, where more than MOST_UNTOLD of the draws have no figure, or
        where all draws have the same: they show no spread, which is not to say that there is none.
    """
    if len(np.unique(groups)) < 2:
        return np.nan, np.nan
    figures = np.array([figure(rows) for rows in drawn_groups(groups)])
    if np.isnan(figures).mean() > MOST_UNTOLD or np.nanmax(figures) - np.nanmin(figures) < SAME:
        return np.nan, np.nan
    low, high = np.nanquantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
