"""What signals tell over time, derived from what is kept: facing, steadiness, closed eyes, blinks, yawns, talk.

All but `attention` take one seat's readings in order of time; a reading that is missing is NaN. Nothing here is
measured against what people do in lessons: these are descriptions of movement, not judgements of anybody.
"""

from __future__ import annotations

import numpy as np

from roomread.engagement.facing import facing, room_direction
from roomread.types import SIGNALS, Array, Readings, check_shape, trusted

ATTENTION = ("facing", "eyes_closed", "eyes_closed_minute", "head_spread", "talking")
"""What is derived of each reading, in the order of the columns.

facing: 1 the face points to what the room faces, 0 it does not; see `engagement.facing`.
eyes_closed: 1 they are, 0 they are not.
eyes_closed_minute: 0 to 1, share of the seat's known readings in the minute up to this one.
head_spread: degrees, standard deviation of the yaw in the ten seconds up to this reading; small is steady.
talking: 1 the mouth moves as in talk, 0 it does not.
"""
USUAL_OPENNESS = 0.30  # of the eyes, of a seat too seldom read to know its own
USUAL_LIMITS = (0.20, 0.40)  # beyond them a "usual" is no open eye's
USUAL_SHARE = 0.75  # quantile taken for open: eyes that are open a quarter of the time are found
USUAL_READINGS = 20
CLOSED = 0.55  # of the usual openness; raising it takes lowered lids for closed ones
LEAST_KNOWN = 10  # readings in a window for a share or a spread to be told
BLINK = 0.5  # seconds; closed for longer is no blink
BLINK_STEP = 0.15  # seconds between readings; wider apart, blinks fall between them
YAWN, YAWN_SECONDS = 0.30, 1.5  # opening of the mouth and how long it stays so
TALK = 0.04  # spread of the opening; reading a 48 px face adds about 0.012 of its own
TALK_SECONDS = 6.0  # in which it is looked for, up to each reading
LONGEST_STEP = 1.5  # seconds between readings; what lies between readings further apart is unknown


def attention(readings: Readings) -> Array:
    """Return what is derived of each reading: float64 (n, 5), in the order of ATTENTION.

    NaN where it is not known: no signal was read there, or not enough around it. The room is taken to face one thing
    throughout; where its seats agree on none, `facing` is not known.
    """
    signals = dict(zip(SIGNALS, trusted(readings.signals).astype(np.float64).T, strict=True))
    derived = np.full((len(readings), len(ATTENTION)), np.nan)
    angles = np.column_stack([signals["yaw"], signals["pitch"]])
    middles = (readings.boxes[:, :2] + readings.boxes[:, 2:]) / 2
    derived[:, 0] = facing(readings.seats, angles, room_direction(readings.seats, middles, angles))
    times = readings.times[readings.frames]
    for seat in readings.established():
        rows = np.flatnonzero((readings.seats == seat) & ~np.isnan(signals["presence"]))
        closed = closed_eyes(signals["eyes"][rows])
        derived[rows, 1] = closed
        derived[rows, 2] = share_over(times[rows], closed)
        derived[rows, 3] = spread_over(times[rows], signals["yaw"][rows])
        derived[rows, 4] = talking(times[rows], signals["mouth"][rows])
    return derived


def closed_eyes(eyes: Array) -> Array:
    """Return for each reading whether the eyes are closed: float64 (n,), 1 closed, 0 open, NaN not known.

    Eyes differ in shape, so they are compared with how open this seat's usually are.

    Args:
        eyes: float32 (n,), openness, as in SIGNALS.
    """
    known = eyes[~np.isnan(eyes)]
    usual = USUAL_OPENNESS if len(known) < USUAL_READINGS else float(np.quantile(known, USUAL_SHARE))
    limit = CLOSED * min(max(usual, USUAL_LIMITS[0]), USUAL_LIMITS[1])
    return np.where(np.isnan(eyes), np.nan, (eyes < limit).astype(np.float64))


def share_over(times: Array, values: Array, seconds: float = 60.0, least: int = LEAST_KNOWN) -> Array:
    """Return the mean of the known values in the window that ends at each reading, such as the share of closed eyes.

    Args:
        times: float64 (n,), seconds, ascending.
        values: float64 (n,), NaN where not known.
        seconds: length of the window.
        least: how many values must be known.

    Returns:
        float64 (n,); NaN where too few are known.
    """
    total, _, count = _windows(times, values, seconds)
    return np.where(count >= least, total / np.maximum(count, 1), np.nan)


def spread_over(times: Array, values: Array, seconds: float = 10.0, least: int = LEAST_KNOWN) -> Array:
    """Return the standard deviation of the known values in the window that ends at each reading.

    Of yaw or pitch it says how steady the head is, in degrees; of the mouth's opening how much it moves.

    Args:
        times: float64 (n,), seconds, ascending.
        values: float64 (n,), NaN where not known.
        seconds: length of the window.
        least: how many values must be known, at least 2.

    Returns:
        float64 (n,); NaN where too few are known.
    """
    total, squares, count = _windows(times, values, seconds)
    known = np.maximum(count, 2)
    variance = np.maximum(squares - total**2 / known, 0) / (known - 1)
    return np.where(count >= max(least, 2), np.sqrt(variance), np.nan)


def spells(times: Array, states: Array, least: float = 0.0, most: float = np.inf) -> Array:
    """Return when a state held without a break: float64 (k, 2), seconds, first and last reading of each time.

    A reading that is not known ends a spell, and so does a pause of more than LONGEST_STEP between two readings.

    Args:
        times: float64 (n,), seconds, ascending.
        states: float64 (n,), 1 it holds, 0 it does not, NaN not known.
        least: seconds from the first to the last reading.
        most: likewise.
    """
    check_shape("states", states, (len(times),))
    holds = states == 1
    joined = holds[1:] & holds[:-1] & (np.diff(times) <= LONGEST_STEP)
    starts = np.flatnonzero(holds & ~np.concatenate([[False], joined])[: len(times)])
    ends = np.flatnonzero(holds & ~np.concatenate([joined, [False]])[: len(times)])
    spans = np.column_stack([times[starts], times[ends]]).astype(np.float64)
    lengths = spans[:, 1] - spans[:, 0]
    return spans[(lengths >= least) & (lengths <= most)]


def blink_rate(times: Array, closed: Array) -> float:
    """Return blinks per minute; NaN where readings are too rare to see them, as they are at the usual two a second.

    Only the time between readings at most BLINK_STEP apart counts, and there must be ten seconds of it.

    Args:
        times: float64 (n,), seconds, ascending.
        closed: float64 (n,), from `closed_eyes`.
    """
    known = ~np.isnan(closed)
    times, closed = times[known], closed[known]
    steps = np.diff(times)
    watched = float(steps[steps <= BLINK_STEP].sum())
    if watched < 10:
        return np.nan
    near = np.concatenate([[False], steps <= BLINK_STEP]) & np.concatenate([steps <= BLINK_STEP, [False]])
    count = sum(near[(times >= start) & (times <= end)].all() for start, end in spells(times, closed, most=BLINK))
    return 60 * float(count) / watched


def yawns(times: Array, mouth: Array) -> Array:
    """Return when the mouth stood wide open for as long as a yawn: float64 (k, 2), seconds, see `spells`.

    Args:
        times: float64 (n,), seconds, ascending.
        mouth: float32 (n,), opening, as in SIGNALS.
    """
    return spells(times, np.where(np.isnan(mouth), np.nan, mouth > YAWN), least=YAWN_SECONDS)


def count_yawns(times: Array, mouth: Array) -> int | None:
    """Return how many yawns there were; None where readings are too rare, or too few, to see one.

    Only the time between readings at most LONGEST_STEP apart counts, and there must be ten seconds of it.

    Args:
        times: float64 (n,), seconds, ascending.
        mouth: float32 (n,), opening, as in SIGNALS.
    """
    steps = np.diff(times[~np.isnan(mouth)])
    return None if steps[steps <= LONGEST_STEP].sum() < 10 else len(yawns(times, mouth))


def talking(times: Array, mouth: Array) -> Array:
    """Return whether the mouth moves as in talk: float64 (n,), 1 it does, 0 it does not, NaN not known.

    Chewing and laughing look the same. At two readings a second a short word falls between them.

    Args:
        times: float64 (n,), seconds, ascending.
        mouth: float32 (n,), opening, as in SIGNALS.
    """
    spread = spread_over(times, mouth, TALK_SECONDS)
    return np.where(np.isnan(spread) | np.isnan(mouth), np.nan, (spread > TALK).astype(np.float64))


def _windows(times: Array, values: Array, seconds: float) -> tuple[Array, Array, Array]:
    """Return sum, sum of squares and number of the known values within the window that ends at each reading."""
    check_shape("values", values, (len(times),))
    known = ~np.isnan(values)
    middle = float(values[known].mean()) if known.any() else 0.0  # squares of small numbers keep their digits
    kept = np.where(known, values - middle, 0.0).astype(np.float64)
    first = np.searchsorted(times, times - seconds, side="right")
    total, squares, count = (
        (sums := np.concatenate([[0.0], np.cumsum(part)]))[1:] - sums[first] for part in (kept, kept**2, known)
    )
    return total + middle * count, squares + 2 * middle * total + middle**2 * count, count
