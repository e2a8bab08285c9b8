"""An additive model of ordered levels: one curve per input, drawn through a few knots, and cuts between the levels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from roomread.types import Array, check_shape

STEPS = 100  # of Newton's method; a dozen are usual
DONE = 1e-8  # relative gain below which it has converged
DIGITS = 4  # of what is written
NEXT_TO_NOTHING = 1e-3  # rows
RIDGE = 1e-3  # keeps what no penalty on curvature holds: a curve's height, and what is said where a value is missing


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curve:
    """What one input adds.

    knots: float64 (k,), ascending, in the input's own unit; beyond the outer ones it adds what it does there.
    values: float64 (k,), logits, added at each knot; straight between them.
    missing: logits, added where the input is NaN.
    """

    knots: Array
    values: Array
    missing: float

    def __post_init__(self) -> None:
        check_shape("values", self.values, (len(self.knots),))
        if not len(self.knots) or not (np.diff(self.knots) > 0).all():
            raise ValueError(f"`knots` must ascend. Received: {np.asarray(self.knots).tolist()}.")

    def __call__(self, values: Array) -> Array:
        """Return what the input adds: float64 (n,), logits."""
        return np.where(np.isnan(values), self.missing, np.interp(np.nan_to_num(values), self.knots, self.values))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OrdinalModel:
    """A cumulative logit model (McCullagh 1980): P(level <= k) = logistic(cuts[k] - sum of curves).

    curves: by the input's name, in the order of the columns.
    cuts: float64 (levels - 1,), ascending.
    """

    curves: dict[str, Curve]
    cuts: Array

    def latent(self, inputs: Array) -> Array:
        """Return the sum of the curves, higher is a higher level: float64 (n,), logits.

        Args:
            inputs: float (n, k), a column for each curve; NaN where missing.
        """
        check_shape("inputs", inputs, (None, len(self.curves)))
        total = np.zeros(len(inputs))
        for curve, column in zip(self.curves.values(), inputs.T, strict=True):
            total += curve(column)
        return total

    def as_dict(self) -> dict[str, Any]:
        """Return the model as plain values that JSON can hold, rounded to four digits."""
        return {
            "curves": {
                name: {
                    "knots": _rounded(curve.knots),
                    "values": _rounded(curve.values),
                    "missing": round(curve.missing, DIGITS),
                }
                for name, curve in self.curves.items()
            },
            "cuts": _rounded(self.cuts),
        }

    def fingerprint(self) -> str:
        """Return a hash of all its numbers, to four digits."""
        return hashlib.sha256(json.dumps(self.as_dict()).encode()).hexdigest()

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> OrdinalModel:
        """Return the model that `as_dict` gave.

        Raises:
            ValueError, TypeError, KeyError: it is not of that form.
        """
        curves = {
            name: Curve(
                knots=np.array(curve["knots"], np.float64),
                values=np.array(curve["values"], np.float64),
                missing=float(curve["missing"]),
            )
            for name, curve in plain["curves"].items()
        }
        return cls(curves=curves, cuts=np.array(plain["cuts"], np.float64))

    def with_missing_as_average(self, inputs: Array) -> OrdinalModel:
        """Return the same model, a missing value counting as the known ones do on average.

        Args:
            inputs: float (n, k), a column for each curve; NaN where missing. A curve that is never known adds nothing.
        """
        curves = {}
        for (name, curve), column in zip(self.curves.items(), inputs.T, strict=True):
            known = column[~np.isnan(column)]
            curves[name] = replace(curve, missing=float(curve(known).mean()) if len(known) else 0.0)
        return replace(self, curves=curves)

    def probabilities(self, inputs: Array) -> Array:
        """Return how likely each level is: float64 (n, levels), rows sum to 1.

        Args:
            inputs: float (n, k), a column for each curve; NaN where missing.
        """
        return level_probabilities(self.latent(inputs), self.cuts)


def level_probabilities(latent: Array, cuts: Array) -> Array:
    """Return P(level) of a cumulative logit model: float64 (n, levels).

    Args:
        latent: float64 (n,), logits.
        cuts: float64 (levels - 1,), ascending.
    """
    below = _logistic(cuts[None] - latent[:, None])
    ends = np.zeros((len(latent), 1))
    likely: Array = np.diff(np.concatenate([ends, below, ends + 1], axis=1), axis=1)
    return likely


def expected_level(probabilities: Array) -> Array:
    """Return the mean level, 0 the lowest and 1 the highest: float64 (n,)."""
    n_levels = probabilities.shape[1]
    expected: Array = probabilities @ np.arange(n_levels) / (n_levels - 1)
    return expected


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How smooth the curves are."""

    knots: int = 8  # of each curve, at equal shares of its values; more can follow more, and more noise
    smoothness: float = 30.0  # penalty on a curve's bends; raising it makes the curves straighter
    flatness: float = 3.0  # penalty on a curve's slopes; raising it makes each input count less

    def __post_init__(self) -> None:
        if self.knots < 2 or self.smoothness < 0 or self.flatness < 0:
            raise ValueError(
                "knots must be at least 2, smoothness and flatness at least 0. "
                f"Received: {self.knots}, {self.smoothness}, {self.flatness}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """What people's levels are fitted to.

    inputs: float (n, k), NaN where missing.
    levels: int64 (n,), from 0, low to high.
    weights: float64 (n,), how much each row counts.
    """

    inputs: Array
    levels: Array
    weights: Array

    def __post_init__(self) -> None:
        check_shape("inputs", self.inputs, (len(self.levels), None))
        check_shape("weights", self.weights, (len(self.levels),))


def with_every_level(data: Graded, n_levels: int) -> Graded:
    """Return graded rows with one more for each level, of which nothing is known and which weighs next to nothing.

    With it a fit goes through where a level does not occur, as when the few people who show it are left out.

    Args:
        data: the rows.
        n_levels: how many levels there are.
    """
    unknown = np.full((n_levels, data.inputs.shape[1]), np.nan)
    return Graded(
        np.concatenate([data.inputs, unknown]),
        np.concatenate([data.levels, np.arange(n_levels)]),
        np.concatenate([data.weights, np.full(n_levels, NEXT_TO_NOTHING)]),
    )


def fit(names: tuple[str, ...], graded: Graded, settings: FitSettings | None = None) -> OrdinalModel:
    """Return the model that fits graded rows best.

    Penalised maximum likelihood by Newton's method; the likelihood is concave (Pratt 1981), so there is one best.

    Args:
        names: of the inputs.
        graded: the rows. Each level up to the highest must occur.
        settings: how smooth the curves are.

    Raises:
        ValueError: there are fewer than two levels, or one does not occur.
    """
    settings = FitSettings() if settings is None else settings
    counts = np.bincount(graded.levels)
    if len(counts) < 2 or not counts.all():
        raise ValueError(f"Each of at least two levels must occur. Received, of each: {counts.tolist()}.")
    inputs = graded.inputs.astype(np.float64)
    knots = [_knots(column, settings.knots) for column in inputs.T]
    design = np.concatenate([_hats(column, places) for column, places in zip(inputs.T, knots, strict=True)], axis=1)
    penalty = _penalty([len(places) for places in knots], settings)
    likelihood = _Likelihood(graded, design, penalty)
    solution = likelihood.climb()
    curves, start = {}, likelihood.n_cuts
    for name, places in zip(names, knots, strict=True):
        values = solution[start : start + len(places) + 1]
        curves[name] = Curve(knots=places, values=values[:-1], missing=float(values[-1]))
        start += len(places) + 1
    return OrdinalModel(curves=curves, cuts=solution[: likelihood.n_cuts])


def _knots(values: Array, n: int) -> Array:
    """Return where a curve may bend: at equal shares of the known values."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(1)
    shares = np.linspace(0.01, 0.99, n)
    places: Array = np.unique(np.quantile(known, shares).round(DIGITS))  # as they are written
    return places


def _hats(values: Array, knots: Array) -> Array:
    """Return how much each knot counts for each value, and in the last column whether it is missing: (n, k + 1)."""
    missing = np.isnan(values)
    known = np.nan_to_num(values)
    hats = np.stack([np.interp(known, knots, row) for row in np.eye(len(knots))], axis=1)
    hats[missing] = 0
    return np.concatenate([hats, missing[:, None]], axis=1)


def _penalty(sizes: list[int], settings: FitSettings) -> Array:
    """Return the matrix of the penalties on bends and slopes of all curves."""
    total = sum(sizes) + len(sizes)
    penalty, start = np.eye(total) * RIDGE, 0
    for size in sizes:
        part = slice(start, start + size)
        for order, weight in ((1, settings.flatness), (2, settings.smoothness)):
            if size > order:
                differences = np.diff(np.eye(size), n=order, axis=0)
                penalty[part, part] += weight * differences.T @ differences
        penalty[start + size, start + size] += settings.flatness
        start += size + 1
    return penalty


class _Likelihood:
    """The penalised likelihood of cuts and curves, one long array of numbers: all cuts first."""

    def __init__(self, graded: Graded, design: Array, penalty: Array) -> None:
        self.weights, n = graded.weights, len(graded.weights)
        self.n_cuts = int(graded.levels.max())
        # Row by row: the cut above the level and the one below it, less the curves; where there is none, no row.
        self.above, self.below = np.zeros((2, n, self.n_cuts + design.shape[1]))
        self.start = np.zeros(self.n_cuts + design.shape[1])
        for side, ends in ((self.above, graded.levels), (self.below, graded.levels - 1)):
            there = np.flatnonzero((ends >= 0) & (ends < self.n_cuts))
            side[there, ends[there]] = 1
            side[there, self.n_cuts :] = -design[there]
        shares = np.bincount(graded.levels, graded.weights).cumsum()[:-1] / graded.weights.sum()
        self.start[: self.n_cuts] = np.log(shares / (1 - shares))
        self.has_above, self.has_below = self.above.any(axis=1), self.below.any(axis=1)
        self.penalty = np.zeros((len(self.start), len(self.start)))
        self.penalty[self.n_cuts :, self.n_cuts :] = penalty

    def climb(self) -> Array:
        """Return where it is highest."""
        here = self.start
        value, gradient, curvature = self.at(here)
        for _ in range(STEPS):
            step = np.linalg.solve(curvature, gradient)
            share = 1.0
            while share > 1e-6:
                there = here + share * step
                new = self.at(there)
                if new[0] > value:
                    break
                share /= 2
            else:
                return here
            gain = new[0] - value
            here, (value, gradient, curvature) = there, new
            if gain < DONE * abs(value):
                return here
        return here

    def at(self, solution: Array) -> tuple[float, Array, Array]:
        """Return the value at a solution, its gradient, and its curvature, turned positive."""
        upper = np.where(self.has_above, _logistic(self.above @ solution), 1.0)
        lower = np.where(self.has_below, _logistic(self.below @ solution), 0.0)
        likely = upper - lower
        if not (likely > 0).all():
            return -np.inf, self.start, self.penalty
        rise, fall = upper * (1 - upper) / likely, lower * (1 - lower) / likely
        value = float(self.weights @ np.log(likely) - solution @ self.penalty @ solution / 2)
        gradient = self.above.T @ (self.weights * rise) - self.below.T @ (self.weights * fall) - self.penalty @ solution
        bend_above = self.weights * (rise**2 - rise * (1 - 2 * upper))
        bend_below = self.weights * (fall**2 + fall * (1 - 2 * lower))
        cross = self.above.T @ ((self.weights * rise * fall)[:, None] * self.below)
        curvature = (
            self.above.T @ (bend_above[:, None] * self.above)
            + self.below.T @ (bend_below[:, None] * self.below)
            - cross
            - cross.T
            + self.penalty
        )
        return value, gradient, curvature


def _rounded(values: Array) -> list[float]:
    rounded: list[float] = values.round(DIGITS).tolist()
    return rounded


def _logistic(values: Array) -> Array:
    """Return 1 / (1 + exp(-values)), without overflow."""
    return 0.5 * (1 + np.tanh(values / 2))
