"""How well observers agree with each other, and each mapping with them, on the glances of one lesson."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from roomread.engagement import measures
from roomread.engagement.aggregate import share_of
from roomread.engagement.mappings import Mapping, Score
from roomread.errors import CodesError
from roomread.review.codes import Codes
from roomread.store.privacy import Gate
from roomread.style import clock
from roomread.types import WHOLE_CLASS, Array, Readings

LEAST = 5  # seats, on either side of an area too, for an interval; drawn from fewer it only looks sure
DIGITS = 9  # kept of a mean; equal scores stay equal, whatever was summed before them
SAME = 1.0  # seconds; two observers' glances at a seat are one where they begin and end no further apart


@dataclass(frozen=True, slots=True, eq=False)
class Glances:
    """What was coded, one row per glance, whoever coded it.

    starts, ends: float64 (n,), seconds from the start of the source.
    seats: int64 (n,), from 1, or WHOLE_CLASS throughout.
    observers: their names. levels_by: float64 (n, observers), the level that each gave; NaN where one gave none.
    """

    starts: Array
    ends: Array
    seats: Array
    observers: tuple[str, ...]
    levels_by: Array

    @property
    def whole_class(self) -> bool:
        """Whether the class was coded as a whole."""
        return bool((self.seats == WHOLE_CLASS).any())

    def n_seats(self, which: Array | slice = slice(None)) -> int:
        """Return at how many seats some glances are; 0 where the class was coded as a whole."""
        return 0 if self.whole_class else len(np.unique(self.seats[which]))

    def groups(self) -> Array:
        """Return what is drawn anew for an interval: a glance's seat, or its round where the class was coded."""
        return np.arange(len(self.seats)) if self.whole_class else self.seats

    def means(self) -> Array:
        """Return the mean of the observers' levels: float64 (n,)."""
        mean: Array = np.nanmean(self.levels_by, axis=1)
        return mean

    def levels(self) -> Array:
        """Return the level that most observers gave, int64 (n,); of those that tie the mean, a half rounded up.

        So nobody is called disengaged by half of the observers.
        """
        n_levels = int(np.nanmax(self.levels_by)) + 1
        votes = (self.levels_by[:, :, None] == np.arange(n_levels)).sum(axis=1)
        tied = votes == votes.max(axis=1, keepdims=True)
        found: Array = np.floor((tied * np.arange(n_levels)).sum(axis=1) / tied.sum(axis=1) + 0.5).astype(np.int64)
        return found


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its 95% interval; NaN where it is not known, or is made of too little to tell an interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """How far two observers agree on the n glances that both coded."""

    observers: tuple[str, str]
    n: int
    kappa: Figure
    quadratic: Figure
    icc: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How far scores agree with codes.

    spearman: with the mean of the observers' levels.
    lowest, highest: area under the curve, the lowest level that was given against the rest, and the highest.
    quadratic: kappa, after the scores are cut so that each level is as frequent as in the codes.
    off: levels between the mean level and the score, 0 read as level 0 and 1 as the highest, on average; NaN where
        nobody gave level 0, as levels may then run from 1.
    """

    spearman: Figure
    lowest: Figure
    highest: Figure
    quadratic: Figure
    off: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One mapping against the codes: of n glances at so many seats; `missing` further ones had no reading."""

    mapping: str
    n: int
    seats: int
    missing: int
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """All of one lesson. of_each: how many glances were given each level, from 0. seats: 0 of the whole class."""

    of_each: tuple[int, ...]
    seats: int
    whole_class: bool
    between: tuple[Between, ...]
    checked: tuple[Checked, ...]


def agreement(gate: Gate, codes: Codes, mappings: Iterable[Mapping]) -> Agreement:
    """Return how far observers agree with each other, and mappings with them.

    Raises:
        PrivacyError: single seats were coded, which must not be seen.
        CodesError: the codes do not fit the lesson, or each other.
    """
    glances = join(gate, codes)
    levels = glances.levels()
    ends = int(levels.min()), int(levels.max())
    checked = []
    for mapping in mappings:
        scores = glance_scores(gate, glances, mapping.score)
        known = ~np.isnan(scores)
        checked.append(
            Checked(
                mapping=mapping.name,
                n=int(known.sum()),
                seats=glances.n_seats(known),
                missing=int((~known).sum()),
                figures=figures(scores[known], levels[known], glances.means()[known], glances.groups()[known], ends),
            )
        )
    return Agreement(
        of_each=tuple(np.bincount(levels).tolist()),
        seats=glances.n_seats(),
        whole_class=glances.whole_class,
        between=tuple(_between(glances)),
        checked=tuple(checked),
    )


def plain(found: Agreement | Figures) -> dict[str, Any]:
    """Return figures as plain values that JSON can hold; what is not known is None."""

    def known(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        return {
            name: (None if np.isnan(value) else round(value, 4)) if isinstance(value, float) else value
            for name, value in items
        }

    return dataclasses.asdict(found, dict_factory=known)


def join(gate: Gate, codes: Codes) -> Glances:
    """Return codes as glances of a lesson, those of several observers at the same seat and time together.

    Raises:
        PrivacyError: single seats were coded, which must not be seen.
        CodesError: seats and the class are mixed, there is no such seat, a glance lies outside the lesson, or somebody
            coded a glance twice.
    """
    _check(gate, codes)
    order = np.lexsort([codes.ends, codes.starts, codes.seats])
    firsts: list[int] = []  # the row that each glance began with
    observers = tuple(np.unique(codes.observers).tolist())
    levels_by: list[Array] = []
    recent = 0  # the first glance that may still be joined
    for row in order:
        while recent < len(firsts) and not _near(codes, firsts[recent], row):
            recent += 1
        glance = next((one for one in range(recent, len(firsts)) if _same(codes, firsts[one], row)), len(firsts))
        if glance == len(firsts):
            firsts.append(row)
            levels_by.append(np.full(len(observers), np.nan))
        column = observers.index(codes.observers[row])
        if not np.isnan(levels_by[glance][column]):
            raise CodesError(
                f"{codes.observers[row]} coded {_told(codes, row)} twice. Expected: each glance once of each observer. "
                "Received: two levels."
            )
        levels_by[glance][column] = codes.levels[row]
    return Glances(codes.starts[firsts], codes.ends[firsts], codes.seats[firsts], observers, np.array(levels_by))


def _near(codes: Codes, one: int, other: int) -> bool:
    """Return whether two codes are of one seat, and the other one begins early enough to be of the same glance."""
    return bool(codes.seats[one] == codes.seats[other] and codes.starts[other] - codes.starts[one] <= SAME)


def _same(codes: Codes, one: int, other: int) -> bool:
    """Return whether two codes of one seat are of one glance."""
    apart = max(abs(codes.starts[one] - codes.starts[other]), abs(codes.ends[one] - codes.ends[other]))
    most = min(SAME, (codes.ends[one] - codes.starts[one]) / 2)  # a short one's neighbour is no further away than SAME
    return bool(apart <= most)


def _check(gate: Gate, codes: Codes) -> None:
    """Refuse codes that must not be looked at here, or that are of something else."""
    of_class = codes.seats == WHOLE_CLASS
    if of_class.any() and not of_class.all():
        raise CodesError(
            "The codes are of single seats and of the whole class. Expected: one of the two at a time. "
            f"Received: {(~of_class).sum()} and {of_class.sum()} rows."
        )
    begin, end = gate.span()
    outside = np.flatnonzero((codes.starts >= end) | (codes.ends <= begin))
    if len(outside):
        raise CodesError(
            f"The codes do not fit lesson {gate.lesson.number}. Expected: glances between {clock(begin)} and "
            f"{clock(end)}. Received: {_told(codes, outside[0])}."
        )
    if of_class.any():
        return
    seats = gate.rows().established()
    strange = np.flatnonzero(~np.isin(codes.seats, seats))
    if len(strange):
        raise CodesError(
            f"The codes do not fit lesson {gate.lesson.number}. Expected one of its seats: "
            f"{', '.join(map(str, seats))}. Received: {_told(codes, strange[0])}."
        )


def _told(codes: Codes, row: int) -> str:
    """Return a glance in words."""
    seat = "the class" if codes.seats[row] == WHOLE_CLASS else f"seat {codes.seats[row]}"
    return f"{clock(codes.starts[row])}–{clock(codes.ends[row])} {seat}"


def glance_scores(gate: Gate, glances: Glances, score: Score) -> Array:
    """Return the mean score of each glance's seat, or of the class: float64 (n,), NaN where there is no reading.

    Of the class a glance begins and ends where the gate lets it, see `Gate.moments`.

    Raises:
        PrivacyError: the glances are of single seats, which must not be seen.
    """
    spans = np.stack([glances.starts, glances.ends], axis=1)
    if glances.whole_class:
        spans = gate.moments(spans)
        return gate.shares(lambda readings: [share_of(_seat_means(readings, spans, score))])[0].value
    readings = gate.rows()
    seats = readings.established()
    means = _seat_means(readings, spans, score)
    found: Array = means[np.arange(len(means)), np.searchsorted(seats, glances.seats)]
    return found


def _seat_means(readings: Readings, spans: Array, score: Score) -> Array:
    """Return the mean of each established seat's known scores in each span: float64 (n, seats), NaN without one."""
    scores, times = score(readings.emotions, readings.signals), readings.times[readings.frames]
    seats = readings.established()
    means = np.full((len(spans), len(seats)), np.nan)
    for place, seat in enumerate(seats):
        rows = np.flatnonzero((readings.seats == seat) & ~np.isnan(scores))
        first, last = (np.searchsorted(times[rows], ends) for ends in spans.T)
        sums = np.concatenate([[0.0], scores[rows].cumsum()])
        read = last > first
        means[read, place] = (sums[last] - sums[first])[read] / (last - first)[read]
    return means.round(DIGITS)


def figures(
    scores: Array, levels: Array, means: Array, groups: Array, ends: tuple[int, int], ranked: Array | None = None
) -> Figures:
    """Return how far scores agree with codes, each figure with its interval.

    Args:
        scores: float64 (n,), 0 to 1, known.
        levels: int64 (n,), from 0.
        means: float64 (n,), mean of the observers' levels.
        groups: (n,), what is drawn anew as a whole.
        ends: the lowest and the highest level that was given at all, with a reading or without.
        ranked: float64 (n,), what the ranks are of; None: the scores.
    """
    if not len(levels):
        return Figures(**{part.name: Figure(np.nan, np.nan, np.nan) for part in dataclasses.fields(Figures)})
    lowest, highest = ends
    ranked = scores if ranked is None else ranked

    def cut_kappa(rows: Array) -> float:
        cut = cut_alike(ranked[rows], levels[rows])
        return measures.cohens_kappa(levels[rows], cut, highest + 1, quadratic=True)

    def area(signed: Array, positive: Array) -> Figure:
        found = _figure(lambda rows: measures.area_under_curve(signed[rows], positive[rows]), groups)
        enough = all(len(np.unique(groups[side])) >= LEAST for side in (positive, ~positive))
        return found if enough else Figure(found.value, np.nan, np.nan)

    def distance(rows: Array) -> float:
        return float(abs(scores[rows] * highest - means[rows]).mean()) if lowest == 0 else np.nan

    return Figures(
        spearman=_figure(lambda rows: measures.spearman(ranked[rows], means[rows]), groups),
        lowest=area(-ranked, levels == lowest),
        highest=area(ranked, levels == highest),
        quadratic=_figure(cut_kappa, groups),
        off=_figure(distance, groups),
    )


def cut_alike(scores: Array, levels: Array) -> Array:
    """Return scores as levels, each as frequent as in `levels` as far as equal scores let it be: int64 (n,)."""
    ends = np.bincount(levels).cumsum()[:-1]
    cuts = np.concatenate([[-np.inf], np.sort(scores)])[ends]
    found: Array = (scores[:, None] > cuts).sum(axis=1)
    return found


def _between(glances: Glances) -> Iterable[Between]:
    """Yield the agreement of each two observers who coded the same glances."""
    for one, other in combinations(range(len(glances.observers)), 2):
        both = ~np.isnan(glances.levels_by[:, [one, other]]).any(axis=1)
        if not both.any():
            continue
        given = glances.levels_by[both][:, [one, other]]
        yield _pair((glances.observers[one], glances.observers[other]), given, glances.groups()[both])


def _pair(observers: tuple[str, str], given: Array, groups: Array) -> Between:
    first, second = given.astype(np.int64).T
    n_levels = int(given.max()) + 1
    return Between(
        observers=observers,
        n=len(given),
        kappa=_figure(lambda rows: measures.cohens_kappa(first[rows], second[rows], n_levels), groups),
        quadratic=_figure(lambda rows: measures.cohens_kappa(first[rows], second[rows], n_levels, True), groups),
        icc=_figure(lambda rows: measures.intraclass_correlation(given[rows]), groups),
    )


def _figure(figure: Callable[[Array], float], groups: Array) -> Figure:
    """Return a figure of all rows, with its interval."""
    value = figure(np.arange(len(groups)))
    enough = len(np.unique(groups)) >= LEAST
    return Figure(value, *(measures.bootstrap(figure, groups) if enough else (np.nan, np.nan)))
