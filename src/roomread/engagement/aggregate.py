"""Readings of single faces to the class over time, with intervals; missing stays missing."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from roomread.engagement.mappings import Score
from roomread.types import (
    LEVEL,
    NO_FACE,
    NOT_ANALYSED,
    OK,
    TOO_FEW,
    UNREADABLE,
    Array,
    Overall,
    Readings,
    Share,
    Timeline,
)

BIN_SECONDS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
MAX_BINS = 120  # that a page's width can show apart

BAND_OF_SEATS = "95% interval of the mean over seats (Student's t over the seats' own means in the bin)"
BAND_OF_ONE = "middle 90% of the single readings in the bin, as the lesson has one seat only"


def bin_seconds_for(duration: float, frames: int) -> float:
    """Return the shortest bin, in seconds, that holds a frame and shows the lesson in at most MAX_BINS bins.

    Args:
        duration: seconds from the first to the end of the last analysed frame.
        frames: how many were analysed.
    """
    gap = duration / max(frames, 1) - 1e-6
    return next((width for width in BIN_SECONDS if width >= gap and duration <= width * MAX_BINS), BIN_SECONDS[-1])


def seat_means(readings: Readings, values: Array, bins: Array | None = None, n_bins: int = 1) -> Array:
    """Return each established seat's mean of `values` over its readable faces, in each bin.

    Args:
        readings: n faces.
        values: float (n, k), NaN where not readable.
        bins: int64 (n,), the bin of each face, 0 to n_bins - 1; None puts all into one.
        n_bins: number of bins.

    Returns:
        float64 (n_bins, s, k), s seats as `Readings.established` orders them; NaN for a seat without a readable face.
    """
    seats = readings.established()
    if not len(seats):
        return np.full((n_bins, 0, values.shape[1]), np.nan)
    places = np.minimum(np.searchsorted(seats, readings.seats), len(seats) - 1)
    counted = (seats[places] == readings.seats) & ~np.isnan(values).any(axis=1)
    cells = (places if bins is None else bins * len(seats) + places)[counted]
    n = n_bins * len(seats)
    counts = np.bincount(cells, minlength=n)
    sums = np.stack([np.bincount(cells, weights=column, minlength=n) for column in values[counted].T], axis=1)
    with np.errstate(invalid="ignore"):
        means: Array = sums / counts[:, None]
    return means.reshape(n_bins, len(seats), values.shape[1])


def interval(values: Array) -> tuple[float, float, float]:
    """Return (mean, low, high) of seats' scores, with the interval of their mean cut to 0 to 1.

    Args:
        values: float (n,), 0 to 1, one per seat; NaN entries are left out. One value gives no interval (NaN), none
            gives NaN throughout.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    if len(values) == 1:
        return mean, np.nan, np.nan
    half = student_t(len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, max(mean - half, 0.0), min(mean + half, 1.0)


def student_t(freedom: int) -> float:
    """Return the two-sided LEVEL quantile of Student's t.

    One and two degrees of freedom in closed form; above, the expansion 26.7.5 of Abramowitz and Stegun (1964), which
    is within 0.005 from three degrees of freedom on.
    """
    if freedom == 1:
        return float(np.tan(np.pi * LEVEL / 2))
    if freedom == 2:
        return float(LEVEL * np.sqrt(2 / (1 - LEVEL**2)))
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms)))


def bins_of(readings: Readings, bin_seconds: float) -> tuple[Array, Array]:
    """Return the bins' starts, float64 (n,), seconds, and the bin of each frame, int64 (f,).

    Bins lie at whole multiples of their length, so that they keep their edges when a lesson is cut, from that of the
    first frame to that of the last; without frames there is one.
    """
    bins = (readings.times // bin_seconds).astype(np.int64)
    first, last = bins[[0, -1]] if len(bins) else (0, 0)
    return np.arange(first, last + 1) * bin_seconds, bins - first


def timeline(readings: Readings, score: Score, bin_seconds: float) -> Timeline:
    """Return the class over time: in each bin every seat counts once, whatever the number of its faces.

    Args:
        readings: of the whole lesson.
        score: an engagement mapping's.
        bin_seconds: length of a bin.
    """
    starts, frame_bins = bins_of(readings, bin_seconds)
    n = len(starts)
    face_bins = frame_bins[readings.frames]
    scores = score(readings.emotions, readings.signals)
    means = seat_means(readings, scores[:, None], face_bins, n)[:, :, 0]
    n_seats = (~np.isnan(means)).sum(axis=1)
    engagement = np.array([interval(row) for row in means])
    if means.shape[1] == 1:  # of several seats the one that is read alone has no interval
        rows = np.flatnonzero((readings.seats == readings.established()[0]) & ~np.isnan(scores))
        edges = np.searchsorted(face_bins[rows], np.arange(n + 1))
        for number in np.flatnonzero(n_seats):
            mine = scores[rows[edges[number] : edges[number + 1]]]
            engagement[number, 1:] = np.quantile(mine, [0.05, 0.95])
    found = np.bincount(face_bins, minlength=n)
    read = np.bincount(face_bins[~np.isnan(readings.emotions).any(axis=1)], minlength=n)
    scored = np.bincount(face_bins[~np.isnan(scores)], minlength=n)
    frames = np.bincount(frame_bins, minlength=n)
    status = np.select([n_seats > 0, scored > 0, found > 0], [OK, TOO_FEW, UNREADABLE], NO_FACE)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_frame = np.where(frames > 0, 1.0 / frames, np.nan)
    return Timeline(
        bin_seconds=bin_seconds,
        starts=starts,
        status=np.where(frames > 0, status, NOT_ANALYSED),
        engagement=engagement[:, 0],
        low=engagement[:, 1],
        high=engagement[:, 2],
        emotions=_mean_over_seats(seat_means(readings, readings.emotions, face_bins, n)),
        readable=read * per_frame,
        unreadable=(found - read) * per_frame,
        seats=np.where(frames > 0, n_seats, np.nan).astype(np.float64),
    )


def share(readings: Readings, states: Array, bins: Array | None = None, n_bins: int = 1) -> Share:
    """Return how much of the class is in a state, in each bin; every seat counts once.

    Args:
        readings: n faces.
        states: float64 (n,), 1 it is, 0 it is not, NaN not known.
        bins: int64 (n,), the bin of each face, 0 to n_bins - 1; None puts all into one.
        n_bins: number of bins.
    """
    return share_of(seat_means(readings, states[:, None], bins, n_bins)[:, :, 0])


def share_of(means: Array) -> Share:
    """Return the mean over seats in each row, with its interval: of float64 (n, s), NaN where a seat has none."""
    value, low, high = np.array([interval(row) for row in means]).T
    return Share(value, low, high, (~np.isnan(means)).sum(axis=1).astype(np.float64))


def overall(readings: Readings, score: Score) -> Overall:
    """Return the class over the whole lesson, every established seat counting once."""
    means = seat_means(readings, score(readings.emotions, readings.signals)[:, None])[0, :, 0]
    engagement, low, high = interval(means)
    found = len(readings)
    return Overall(
        engagement=engagement,
        low=low,
        high=high,
        emotions=_mean_over_seats(seat_means(readings, readings.emotions))[0],
        faces_per_frame=found / len(readings.times) if len(readings.times) else np.nan,
        readable=float((~np.isnan(readings.emotions).any(axis=1)).mean()) if found else np.nan,
        n_seats=len(means),
        n_readable=int((~np.isnan(means)).sum()),
    )


def _mean_over_seats(means: Array) -> Array:
    """Return the mean over the seats that are known: float64 (n_bins, k) of (n_bins, s, k); NaN where none is."""
    known = (~np.isnan(means)).sum(axis=1)
    mean: Array = np.nansum(means, axis=1) / np.where(known > 0, known, np.nan)
    return mean
