"""Episodes: when the class, or a seat, was away from its own usual level for a while."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from roomread.engagement.mappings import Score
from roomread.engagement.overtime import OverTimeSettings, design_effect, seat_levels, smooth_seats, usual
from roomread.types import DROP, OK, RISE, Array, ClassLine, Episode, Readings, check_shape

FALSE_PER_HOUR = 0.1  # of the class without any change; a little more than MEASURED
FALSE_PER_SEAT_HOUR = 0.015  # likewise, of one seat by SEAT_SETTINGS
MEASURED = (
    "lessons simulated without any change had up to 0.075 an hour, 95% interval 0.034 to 0.142; a formula of few "
    "values, such as concentration, has more in a class of few seats"
)
LAG = 60.0  # seconds between two steps that are compared in a line that mostly stands still
OFTEN, ROOM = 0.95, 5.0  # of those, how many are looked at at most; and how many LAG are left out at least
ALIKE = 0.3  # of the spread by LAG; a line whose median deviation is below it mostly stands still
SEATS_MEASURED = (
    "seats simulated without any change had up to 0.0125 an hour each, 0.023 with a memory of 300 s; a formula of few "
    "values has more"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeSettings:
    """What counts as an episode; FALSE_PER_HOUR holds for the defaults alone."""

    enter: float = 4.5  # times the usual spread from the usual level; higher: fewer false episodes and fewer true ones
    leave: float = 2.0  # likewise, where it ends; higher: shorter and more pieces, lower: neighbours grow together
    least_change: float = 0.03  # of the score, 0 to 1; higher: small changes of a calm class are left out
    least_seconds: float = 30.0  # from start to end; higher: fewer and longer ones, lower: more false ones

    def __post_init__(self) -> None:
        if not 0 < self.leave <= self.enter or self.least_change < 0 or self.least_seconds < 0:
            raise ValueError(
                f"episodes need 0 < leave <= enter, and least_change and least_seconds not below 0. Received: {self}."
            )


SEAT_SETTINGS = EpisodeSettings(enter=6.0)  # there are many seats, and each is noisier than their mean


def class_episodes(line: ClassLine) -> tuple[Episode, ...]:
    """Return the drops and rises of the class in order of time, from the steps that may be seen alone.

    The mean of few seats moves more than that of many, so it is measured by what a mean of so many usually does.
    """
    noise = np.sqrt(design_effect(line.seats, line.shared) / np.maximum(line.seats, 1))
    return find_episodes(line.starts, line.step, line.change, noise)


def expected_false(line: ClassLine) -> float:
    """Return about how many episodes are to be expected without any change; NaN where none can be told."""
    told = float((line.status == OK).sum()) * line.step
    return told / 3600 * FALSE_PER_HOUR if told >= OverTimeSettings().least_usual else np.nan


def seat_episodes(readings: Readings, score: Score) -> dict[int, tuple[Episode, ...]]:
    """Return the drops and rises of every established seat by its number."""
    steps = OverTimeSettings()
    starts, levels, _ = seat_levels(readings, score, steps.step)
    smoothed = smooth_seats(levels, steps)
    even = np.ones(len(starts))
    return {
        int(seat): find_episodes(starts, steps.step, smoothed[:, place], even, SEAT_SETTINGS)
        for place, seat in enumerate(readings.established())
    }


def find_episodes(
    starts: Array, step: float, changes: Array, noise: Array, settings: EpisodeSettings | None = None
) -> tuple[Episode, ...]:
    """Return when a line was away from its own middle: stretches beyond `leave` that reach `enter`, long enough.

    A step that is not known ends an episode.

    Args:
        starts: float64 (n,), seconds.
        step: seconds from one to the next.
        changes: float64 (n,), NaN where not known.
        noise: float64 (n,), above 0, how much the line usually moves at each step, up to a common factor.
        settings: what counts.
    """
    settings = EpisodeSettings() if settings is None else settings
    check_shape("changes", changes, (len(starts),))
    check_shape("noise", noise, (len(starts),))
    known = ~np.isnan(changes)
    if known.sum() * step < OverTimeSettings().least_usual:
        return ()
    changes = changes - np.median(changes[known])
    spread = _spread(changes / noise, step)
    enter = np.maximum(settings.enter * spread * noise, settings.least_change)
    found = []
    for kind, sign in ((DROP, -1.0), (RISE, 1.0)):
        away = np.nan_to_num(sign * changes / enter, nan=-np.inf)
        edges = np.flatnonzero(np.diff(np.pad(away >= settings.leave / settings.enter, 1).astype(int)))
        for first, end in edges.reshape(-1, 2):
            if away[first:end].max() >= 1 and (end - first) * step >= settings.least_seconds:
                begin, stop = float(starts[first]), float(starts[end - 1]) + step
                found.append(Episode(kind=kind, start=begin, end=stop, change=float(changes[first:end].mean())))
    return tuple(sorted(found, key=lambda episode: episode.start))


def _spread(values: Array, step: float) -> float:
    """Return how far a line usually is from its middle, as a standard deviation.

    That is the median absolute deviation, save for a line that mostly stands still, as of a formula of few values and
    of few seats. There it says nothing, and what steps that are LAG apart differ by is taken: a drop makes twice LAG of
    that, however long it lasts, and what is left out has room for two.

    Args:
        values: float64 (n,), NaN where not known.
        step: seconds from one to the next.
    """
    spread = float(usual(values[:, None], OverTimeSettings(step=step))[1][0])
    lag = round(LAG / step)
    apart = abs(values[lag:] - values[:-lag])
    apart = apart[~np.isnan(apart)]
    often = min(OFTEN, 1 - ROOM * LAG / max(len(apart) * step, 1.0))
    if often <= 0:
        return spread
    later = float(np.quantile(apart, often)) / NormalDist().inv_cdf((1 + often) / 2) / 2**0.5
    return later if spread < ALIKE * later else spread
