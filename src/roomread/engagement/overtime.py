"""The time line: seats and the class over tens of seconds, each seat against its own usual level.

It is kept apart from the single glance of `aggregate`: a glance says how high a score is, the time line how far it has
moved. docs/over-time.md has the formulas with their sources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from roomread.engagement.aggregate import bins_of, seat_means, student_t
from roomread.engagement.mappings import Score
from roomread.types import (
    DEVIATION,
    NO_FACE,
    NO_SEAT,
    NOT_ANALYSED,
    NOT_ENOUGH,
    OK,
    Array,
    ClassLine,
    Readings,
    check_shape,
)

LEAST_SEATS = 3  # two have one degree of freedom, and an interval as wide as the scale (t = 12.7; of three 4.3)
LEAST_READ = 1 / 3  # of the seats taken; below it most of the class is a guess from the few who look up
MOST_SHARED = 0.95  # correlation of two seats; at 1 they would be one seat, and no interval could be told
SAME = 1e-9  # of the score; a seat that moves by less does not move

POPULATION = (
    "the seats taken at that moment, read or not, taken as drawn from many such seats, and what they share at that "
    "moment (the lecture, the light, the camera) as one draw of many; unread seats are taken to differ from the read "
    "ones by at most one standard deviation between seats"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTimeSettings:
    """How readings become a line over tens of seconds; everything in seconds."""

    step: float = 2.0  # of the line; higher: coarser times, lower: fewer readings in a step
    window: float = 20.0  # of the running median; higher: calmer and later, lower: a glance away counts
    longest_gap: float = 6.0  # without a reading that the median spans; higher: more is guessed, lower: more is missing
    least_known: float = 6.0  # read within the window; higher: more is missing, lower: single readings decide
    least_usual: float = 900.0  # read before a level is called usual; higher: fewer seats, lower: more false episodes

    def __post_init__(self) -> None:
        if not 0 < self.step <= self.longest_gap <= self.window or not 0 < self.least_known <= self.window:
            raise ValueError(
                "the time line needs 0 < step <= longest_gap <= window and 0 < least_known <= window. "
                f"Received: {self}."
            )


def smooth(values: Array, settings: OverTimeSettings) -> Array:
    """Return the running median of one seat's scores, centred on each step.

    A gap longer than `settings.longest_gap` stays missing, and no window reaches over it; so does what lies before the
    first and after the last reading.

    Args:
        values: float64 (n,), one score per step, NaN where there is none.
        settings: window, gap, and how much of the window must be known.

    Returns:
        float64 (n,), NaN where not known.
    """
    n, reach = len(values), int(settings.window / settings.step // 2)
    if not n:
        return values
    rows, missing = np.arange(n), long_gaps(~np.isnan(values), settings)
    stretches = np.cumsum(missing)  # grows in every long gap, so that both its sides differ
    windows = sliding_window_view(np.pad(values, reach, constant_values=np.nan), 2 * reach + 1)
    same = sliding_window_view(np.pad(stretches, reach, constant_values=-1), 2 * reach + 1) == stretches[:, None]
    ordered = np.sort(np.where(same, windows, np.nan), axis=1)  # NaN last
    counts = (~np.isnan(ordered)).sum(axis=1)
    medians = (ordered[rows, np.maximum(counts - 1, 0) // 2] + ordered[rows, np.minimum(counts // 2, 2 * reach)]) / 2
    return np.where(missing | (counts * settings.step < settings.least_known), np.nan, medians)


def long_gaps(known: Array, settings: OverTimeSettings) -> Array:
    """Return the steps that lie before the first known one, behind the last, or in too long a gap: bool (n,).

    Args:
        known: bool (n,), one for each step.
        settings: the longest gap.
    """
    n, rows = len(known), np.arange(len(known))
    before = np.maximum.accumulate(np.where(known, rows, -1))
    after = np.minimum.accumulate(np.where(known, rows, n)[::-1])[::-1]
    long: Array = (before < 0) | (after == n) | ((after - before - 1) * settings.step > settings.longest_gap)
    return ~known & long


def usual(levels: Array, settings: OverTimeSettings) -> tuple[Array, Array]:
    """Return each column's middle and spread over the lesson, which a few high or low values do not move.

    Args:
        levels: float64 (n, s), NaN where not known.
        settings: how long a column must be known.

    Returns:
        float64 (s,) both: the median, and the median absolute deviation as a standard deviation; NaN for a column that
        is not known for long enough.
    """
    told = (~np.isnan(levels)).sum(axis=0) * settings.step >= settings.least_usual
    middle, spread = np.full((2, levels.shape[1]), np.nan)
    if told.any():
        middle[told] = np.nanmedian(levels[:, told], axis=0)
        spread[told] = DEVIATION * np.nanmedian(abs(levels[:, told] - middle[told]), axis=0)
    return middle, spread


def shared(changes: Array) -> float:
    """Return the mean correlation of two seats' series over the steps at which both are known, 0 to MOST_SHARED.

    Every pair counts by the steps it has in common. No pair, or series that run against each other, give 0.

    Args:
        changes: float64 (n, s), NaN where not known.
    """
    known = ~np.isnan(changes)
    counts = known.sum(axis=0)
    told = changes[:, counts > 1]
    deviations = told.std(axis=0, where=~np.isnan(told))
    scaled = np.nan_to_num((told - np.nanmean(told, axis=0)) / np.where(deviations > SAME, deviations, np.nan))
    pairs = float((known.sum(axis=1) * (known.sum(axis=1) - 1)).sum())
    together = float((scaled.sum(axis=1) ** 2 - (scaled**2).sum(axis=1)).sum())
    return min(max(together / pairs, 0.0), MOST_SHARED) if pairs else 0.0


def design_effect(seats: Array, shared: float) -> Array:
    """Return by how much the variance of a mean over seats grows as they are correlated (Kish 1965): 1 + (n - 1) r."""
    effect: Array = 1 + (seats - 1) * shared
    return effect


def class_line(starts: Array, levels: Array, seen: Array, settings: OverTimeSettings | None = None) -> ClassLine:
    """Return the class over tens of seconds against its seats' own usual levels.

    As every seat is compared with itself, who comes and who goes does not move the class.

    Args:
        starts: float64 (n,), seconds, of steps that follow one another.
        levels: float64 (n, s), 0 to 1, each seat's mean score in each step; NaN where it was not read.
        seen: float64 (n, s), 0 to 1, share of each step's frames in which the seat was seen; NaN: none analysed.
        settings: how; None takes the defaults.
    """
    settings = OverTimeSettings() if settings is None else settings
    check_shape("levels", levels, (len(starts), None))
    check_shape("seen", seen, levels.shape)
    smoothed = smooth_seats(levels, settings)
    middle, _ = usual(smoothed, settings)
    changes = smoothed - middle
    read = (~np.isnan(changes)).sum(axis=1)
    reach = int(settings.window / settings.step // 2)
    around = np.pad(np.nan_to_num(seen) > 0, ((reach, reach), (0, 0)))
    taken = sliding_window_view(around, 2 * reach + 1, axis=0).any(axis=2).sum(axis=1)
    enough = (read >= LEAST_SEATS) & (read >= LEAST_READ * taken)
    enough &= enough.sum() * settings.step >= settings.least_usual
    together = shared(changes)
    change, low, high = np.full((3, len(starts)), np.nan)
    for row in np.flatnonzero(enough):
        seats = changes[row][~np.isnan(changes[row])]
        change[row], half = _mean(seats, max(int(taken[row]), len(seats)), together)
        low[row], high[row] = max(change[row] - half, -1.0), min(change[row] + half, 1.0)
    analysed = (~np.isnan(seen)).any(axis=1) | (seen.shape[1] == 0)
    lost = long_gaps(analysed, settings)  # frames may be further apart than steps
    status = np.select([enough, lost, taken == 0], [OK, NOT_ANALYSED, NO_FACE], NOT_ENOUGH)
    return ClassLine(
        step=settings.step,
        starts=starts,
        status=status,
        change=change,
        low=low,
        high=high,
        seats=read.astype(np.float64),
        taken=taken.astype(np.float64),
        usual=float(np.nanmean(middle)) if np.isfinite(middle).any() else np.nan,
        shared=together,
    )


def smooth_seats(levels: Array, settings: OverTimeSettings) -> Array:
    """Return `smooth` of each column: float64 (n, s)."""
    return np.stack([smooth(column, settings) for column in levels.T], axis=1) if levels.size else levels


def seat_levels(readings: Readings, score: Score, step: float) -> tuple[Array, Array, Array]:
    """Return the steps' starts and, for every established seat, its mean score and how much of each step it was seen.

    Returns:
        float64 (n,), seconds; float64 (n, s), 0 to 1, NaN where not read; float64 (n, s), 0 to 1, NaN where no frame
        was analysed.
    """
    starts, frame_bins = bins_of(readings, step)
    face_bins, seats = frame_bins[readings.frames], readings.established()
    scores = score(readings.emotions, readings.signals)[:, None]
    levels = seat_means(readings, scores, face_bins, len(starts))[:, :, 0]
    frames = np.bincount(frame_bins, minlength=len(starts)).astype(np.float64)
    seated = np.isin(readings.seats, seats) & (readings.seats != NO_SEAT)
    cells = face_bins[seated] * len(seats) + np.searchsorted(seats, readings.seats[seated])
    faces = np.bincount(cells, minlength=len(starts) * len(seats)).reshape(len(starts), len(seats))
    seen: Array = faces / np.where(frames > 0, frames, np.nan)[:, None]
    return starts, levels, seen


def class_over_time(readings: Readings, score: Score) -> ClassLine:
    """Return `class_line` of a lesson's readings."""
    settings = OverTimeSettings()
    line = class_line(*seat_levels(readings, score, settings.step), settings)
    _, bins = bins_of(readings, settings.step)
    found = np.bincount(bins[readings.frames], minlength=len(line.starts)) > 0  # whether at a seat or not
    return replace(line, status=np.where((line.status == NO_FACE) & found, NOT_ENOUGH, line.status))


def _mean(seats: Array, taken: int, together: float) -> tuple[float, float]:
    """Return the mean over the seats read and half the width of its interval, of POPULATION."""
    n, deviation = len(seats), float(seats.std(ddof=1))
    inflation = float(design_effect(np.array(n), together)) / (1 - together)
    unread = (1 - n / taken) * deviation
    return float(seats.mean()), student_t(n - 1) * deviation * (inflation / n) ** 0.5 + unread
