"""How parts of a lesson differ from the rest of it: each seat against itself, then the mean over seats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomread.engagement.aggregate import student_t
from roomread.engagement.mappings import Score
from roomread.types import LEVEL, NO_REST, NOT_ANALYSED, OK, SPARSE, Array, Change, Readings

SLOT_SECONDS = 5.0  # a part counts as covered in such steps; shorter: a turned head already tears a hole
MIN_COVERED = 0.5  # of a part's time; seen for less than half, a number speaks of another stretch than it names
MIN_PAIRS = 2  # seats; one alone has no interval

CHANGE = (
    "each seat's mean inside the part minus its own mean outside; mean over the seats, with the 95% interval of "
    "Student's t over the seats"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The readable faces of established seats: n rows in the order of their times."""

    places: Array  # int64 (n,), 0 to n_seats - 1
    scores: Array  # float64 (n,)
    times: Array  # float64 (n,), seconds
    n_seats: int
    slot: float  # seconds

    def between(self, start: float, end: float) -> slice:
        """Return the rows from `start` on and before `end`."""
        return slice(*np.searchsorted(self.times, [start, end]).tolist())

    def sums(self, rows: slice) -> Array:
        """Return each seat's sum of scores and number of readings: float64 (2, n_seats)."""
        places, n = self.places[rows], self.n_seats
        return np.stack([np.bincount(places, self.scores[rows], n), np.bincount(places, minlength=n)])

    def covered(self, start: float, end: float, paired: Array) -> float:
        """Return the share of a stretch, in slots, in which at least half of the paired seats were read."""
        rows = self.between(start, end)
        places = self.places[rows]
        slots = ((self.times[rows] - start) // self.slot).astype(np.int64)[paired[places]]
        seen = np.unique(np.stack([slots, places[paired[places]]]), axis=1)
        slots, counts = np.unique(seen[0], return_counts=True)
        begins = start + slots[2 * counts >= paired.sum()] * self.slot
        return round(float((np.minimum(begins + self.slot, end) - begins).sum() / (end - start)), 9)


def changes(readings: Readings, score: Score, inside: Array, against: Array) -> Change:
    """Return how much higher the class scores in each part than in what the part is compared with.

    Every seat that was read in both counts once. The interval is that of the seats of this lesson, as it went: it does
    not know what else changed at the same time.

    Args:
        readings: of the whole lesson.
        score: an engagement mapping's.
        inside: float64 (n, 2), seconds, start and end of each part, end above start.
        against: float64 (n, 2), likewise, what each is compared with; a row of NaN: all of the lesson outside it.
    """
    scored = _scored(readings, score)
    total = scored.sums(slice(None))
    rows = [_change(readings.times, scored, total, *pair) for pair in zip(inside, against, strict=True)]
    columns = list(zip(*rows, strict=True)) or [()] * 6
    return Change(np.array(columns[0], dtype=str), *(np.array(column, np.float64) for column in columns[1:]))


def false_alarms(n: int) -> float:
    """Return how many of n intervals leave out 0 by chance alone, on average, where nothing changed at all.

    That is the per-family error rate (Tukey 1953; Frane 2021, doi 10.1177/2515245920985137): a sum, which holds however
    much the parts depend on one another.
    """
    return n * (1 - LEVEL)


def _scored(readings: Readings, score: Score) -> _Scored:
    seats = readings.established()
    scores = score(readings.emotions, readings.signals).astype(np.float64)
    counted = np.isin(readings.seats, seats) & ~np.isnan(scores)
    gap = float(np.median(np.diff(readings.times))) if len(readings.times) > 1 else 0.0
    return _Scored(
        places=np.searchsorted(seats, readings.seats[counted]),
        scores=scores[counted],
        times=readings.times[readings.frames[counted]],
        n_seats=len(seats),
        slot=max(SLOT_SECONDS, 2 * gap),  # so that every slot of a slow source holds a frame
    )


def _change(
    times: Array, scored: _Scored, total: Array, part: Array, other: Array
) -> tuple[str, float, float, float, float, float]:
    """Return (status, value, low, high, seats, covered) of one part."""
    rest = bool(np.isnan(other).any())
    frames, others = (int(np.diff(np.searchsorted(times, span))[0]) for span in (part, other))
    if not frames:
        return NOT_ANALYSED, np.nan, np.nan, np.nan, np.nan, 0.0
    if not (len(times) - frames if rest else others):
        return NO_REST, np.nan, np.nan, np.nan, np.nan, np.nan
    here = scored.sums(scored.between(*part))
    there = total - here if rest else scored.sums(scored.between(*other))
    paired = (here[1] > 0) & (there[1] > 0)
    n = int(paired.sum())
    stretches = (part,) if rest else (part, other)
    covered = min(scored.covered(start, end, paired) for start, end in stretches) if n else 0.0
    if n < MIN_PAIRS or covered < MIN_COVERED:
        return SPARSE, np.nan, np.nan, np.nan, n, covered
    differences = here[0, paired] / here[1, paired] - there[0, paired] / there[1, paired]
    mean = float(differences.mean())
    half = student_t(n - 1) * float(differences.std(ddof=1)) / n**0.5
    return OK, mean, mean - half, mean + half, n, covered
