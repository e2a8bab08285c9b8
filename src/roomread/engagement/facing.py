"""Where a room looks, found from the room itself, and which seats look there.

The board needs no calibration: whatever it is that most seats turn to most of the time, each turns to it by another
angle, and these angles change smoothly with the place in the picture. Seats that mostly look elsewhere do not fit and
are left out of the fit. Give it the readings of a stretch in which the room looks at one thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomread.types import NO_SEAT, Array, check_shape

LEAST_READINGS = 20  # of a seat for its usual direction to be told
LEAST_SEATS = 4  # for the room's
SEATS_FOR_ROWS = 6  # below it the angle is taken to change with the place from left to right only
SEATS_FOR_BENDS = 10  # below it the change is taken to be even, and where it would lead a seat is not guessed
SLACK = (0.0, 0.05, 0.05, 0.5, 0.5, 0.5)  # what keeps a term small that the seats say little of, such as a single row
NEAR = 8.0  # degrees; readings within it of each other are one direction
MOST_COMPARED = 400  # readings of a seat, evenly taken; more would not move the result
AGREE = 12.0  # degrees; a room where the middle seat fits worse has no common direction
OWN = 18.0  # degrees; a seat whose usual direction is within it of the room's keeps its own: heads differ
OUTLIER = 10.0  # degrees; seats further off hardly count in the fit
REACH = 15.0  # degrees either way that still count as facing; glances at the desk and at neighbours are more


@dataclass(frozen=True, slots=True, eq=False)
class RoomDirection:
    """Where each seat's face points when it points to what the room looks at.

    seats: int64 (k,), ascending.
    angles: float64 (k, 2), degrees, yaw and pitch as in SIGNALS: the seat's own usual direction, or the one that fits
        its place, known where there are enough seats; else NaN.
    """

    seats: Array
    angles: Array


def usual_direction(angles: Array) -> Array:
    """Return where most readings of one seat point: float64 (2,), degrees; NaN with too few readings.

    Args:
        angles: float32 (n, 2), degrees, yaw and pitch; rows with NaN are left out.
    """
    check_shape("angles", angles, (None, 2))
    known = angles[~np.isnan(angles).any(axis=1)].astype(np.float64)
    if len(known) < LEAST_READINGS:
        return np.full(2, np.nan)
    some = known[:: -(-len(known) // MOST_COMPARED)]
    distance = np.linalg.norm(some[:, None] - some[None], axis=2)
    densest = some[np.exp(-((distance / NEAR) ** 2)).sum(axis=1).argmax()]
    middle: Array = np.median(known[np.linalg.norm(known - densest, axis=1) <= NEAR], axis=0)
    return middle


def room_direction(seats: Array, places: Array, angles: Array) -> RoomDirection | None:
    """Return where the room looks; None where too few seats were read or they do not agree.

    Args:
        seats: int64 (n,), of each reading; NO_SEAT is left out.
        places: float32 (n, 2), the face's middle, pixels.
        angles: float32 (n, 2), degrees, yaw and pitch as in SIGNALS; NaN where not known.
    """
    check_shape("places", places, (len(seats), 2))
    check_shape("angles", angles, (len(seats), 2))
    numbers = np.unique(seats[(seats != NO_SEAT) & ~np.isnan(angles).any(axis=1)])
    usual = np.array([usual_direction(angles[seats == number]) for number in numbers]).reshape(-1, 2)
    told = ~np.isnan(usual[:, 0])
    if told.sum() < LEAST_SEATS:
        return None
    middles = np.array([np.median(places[seats == number], axis=0) for number in numbers])
    fitted = _fit(middles, usual, told)
    off = np.linalg.norm(usual - fitted, axis=1)
    if np.median(off[told]) > AGREE:
        return None
    own = told & (np.where(told, off, np.inf) <= OWN)
    others = fitted if told.sum() >= SEATS_FOR_BENDS else np.nan
    return RoomDirection(numbers, np.where(own[:, None], usual, others))


def facing(seats: Array, angles: Array, room: RoomDirection | None) -> Array:
    """Return for each reading whether the face points to what the room looks at.

    Args:
        seats: int64 (n,).
        angles: float32 (n, 2), degrees, yaw and pitch as in SIGNALS.
        room: from `room_direction`.

    Returns:
        float64 (n,), 1 it does, 0 it does not, NaN not known: no angle, no seat, or no direction to compare with.
    """
    check_shape("angles", angles, (len(seats), 2))
    if room is None or not len(room.seats):
        return np.full(len(seats), np.nan)
    rows = np.searchsorted(room.seats, seats).clip(0, len(room.seats) - 1)
    off = np.linalg.norm(angles - room.angles[rows], axis=1)
    known = (room.seats[rows] == seats) & ~np.isnan(off)
    return np.where(known, (off <= REACH).astype(np.float64), np.nan)


def _fit(places: Array, usual: Array, told: Array) -> Array:
    """Return the direction that fits each place: a smooth change over the picture, outliers hardly counting.

    Weighted least squares, repeated (Geman-McClure weights, from the median on).
    """
    x, y = ((places - places.mean(axis=0)) / max(float(places.std(axis=0).max()), 1e-9)).T
    columns = 2 if told.sum() < SEATS_FOR_ROWS else 3 if told.sum() < SEATS_FOR_BENDS else 6
    terms = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y])[:, :columns]
    slack = np.diag(SLACK[:columns])
    best = np.tile(np.median(usual[told], axis=0), (len(places), 1))
    for width in np.geomspace(8 * OUTLIER, OUTLIER, 12):
        off = np.linalg.norm(usual[told] - best[told], axis=1)
        weights = 1 / (1 + (off / width) ** 2)  # root of the weight
        system = np.concatenate([terms[told] * weights[:, None], slack])
        wanted = np.concatenate([usual[told] * weights[:, None], np.zeros((columns, 2))])
        best = terms @ np.linalg.lstsq(system, wanted, rcond=None)[0]
    return best
