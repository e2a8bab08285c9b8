"""What befalls all seats at once: a camera that is moved, another view, tiles of a video call that change places.

Only the places and sizes of faces are looked at. People move one after another and by and by; a picture moves whole,
or from one frame to the next. From places alone a class that rises as one may look like a camera that is tilted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from roomread.style import clock
from roomread.types import Array

MOVED, EXCHANGED, REPLACED = "moved", "exchanged", "replaced"

MIN_FACES = 4  # fewer move alike by chance
MOST = 0.7  # share of the faces that must agree
LEAST_MOVE = 0.6  # face sizes; the seats' own averages follow a smaller one
JUMPING = 0.6  # share of the faces that must jump at once, before any of it is looked into
LEAST_JUMP = 0.2  # face sizes from one frame to the next, if the room's faces keep still ...
JUMP = 4.0  # ... and so many times what they do otherwise
LONG_JUMP = 1.5  # face sizes, after a gap longer than GAP: meanwhile heads may sway, but not leave their places
GAP = 1.0  # seconds
MEMORY, SHORT = 10.0, 2.0  # seconds over which what faces do otherwise is averaged, and at least
TOLERANCE = 0.5  # face sizes between where a move should bring a face and where it is
MOST_TRIED = 2000  # moves; 60 faces then take 60 MB and a third of a second
CALM = 0.4  # seconds without a jump after which the new places are read
PATIENCE = 6.0  # seconds after a jump; what has not come to rest by then is people who walk
SAME = 60.0  # seconds within which two moves are told as one


@dataclass(frozen=True, slots=True)
class Shift:
    """Something befell all seats: `kind` is MOVED, EXCHANGED or REPLACED; `time` to `until` in seconds."""

    kind: str
    time: float
    until: float


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Where faces are: middles, float64 (n, 2), pixels; sizes, float64 (n,), pixels."""

    middles: Array
    sizes: Array

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """What a camera's pan, tilt or zoom does to places: times `scale`, plus `offset` (pixels)."""

    scale: float
    offset: Array

    def __call__(self, faces: Faces) -> Faces:
        """Return where the faces are after it."""
        return Faces(faces.middles * self.scale + self.offset, faces.sizes * self.scale)

    def length(self, faces: Faces) -> float:
        """Return how far it moves most faces, in face sizes."""
        return float(np.median(np.linalg.norm(self(faces).middles - faces.middles, axis=1) / faces.sizes))


def apart(these: Faces, those: Faces) -> Array:
    """Return float64 (n, m): the distances in face sizes, the logarithm of the sizes' ratio taken as a third axis."""
    sizes = np.sqrt(np.outer(these.sizes, those.sizes))
    distances = np.linalg.norm(these.middles[:, None] - those.middles[None], axis=2) / sizes
    return np.asarray(np.hypot(distances, np.log(these.sizes[:, None] / those.sizes[None])))


def common_move(before: Faces, after: Faces) -> Move:
    """Return the move that fits most faces best; row by row they are the same, at least two of them."""
    one, other = np.triu_indices(len(before), 1)
    span = before.middles[one] - before.middles[other]
    spread = (after.middles[one] - after.middles[other]) * span
    scale = float(np.median(spread.sum(axis=1) / np.maximum((span**2).sum(axis=1), 1.0)))
    scale = scale if scale > 0 else 1.0
    return Move(scale, np.median(after.middles - scale * before.middles, axis=0))


def lasting_move(places: Faces, faces: Faces, spread: float) -> Move | None:
    """Return the move by which most seats' faces are away from their places, or None if they only sway.

    Args:
        places: of the seats.
        faces: of the same seats, row by row.
        spread: face sizes, how far a face usually is from its place.
    """
    if len(places) < MIN_FACES:
        return None
    move = common_move(places, faces)
    moved = move(places)
    rests = np.linalg.norm(faces.middles - moved.middles, axis=1) / moved.sizes
    agree = np.mean(rests <= max(TOLERANCE, 1.5 * spread)) >= MOST
    by_chance = 4 * spread / len(places) ** 0.5  # four standard errors
    return move if agree and move.length(places) > max(LEAST_MOVE, by_chance) else None


def find_move(before: Faces, after: Faces, tolerance: float = TOLERANCE) -> Move | None:
    """Return the move that explains to within `tolerance` where most faces are now; None if no one move does."""
    moves = _possible_moves(before, after)
    if not len(moves):
        return None
    scales, offsets = moves[:, 0], moves[:, 1:]
    places = before.middles[None] * scales[:, None, None] + offsets[:, None]  # (moves, n, 2)
    sizes = before.sizes[None] * scales[:, None]
    distances = np.linalg.norm(places[:, :, None] - after.middles[None, None], axis=3) / sizes[:, :, None]
    nearest = np.hypot(distances, np.log(after.sizes[None, None] / sizes[:, :, None])).min(axis=2)
    agreeing = (nearest <= tolerance).sum(axis=1)
    best = int(np.lexsort((nearest.clip(max=tolerance).sum(axis=1), -agreeing))[0])
    enough = max(MIN_FACES, MOST * min(len(before), len(after)), len(before) / 2)
    others = np.linalg.norm(places - places[best], axis=2).mean(axis=1) > 2 * TOLERANCE * sizes[best].mean()
    if agreeing[best] < enough or (others.any() and agreeing[others].max() > 0.8 * agreeing[best]):
        return None
    fits = nearest[best] <= tolerance
    partners = distances[best][fits].argmin(axis=1)
    return common_move(
        Faces(before.middles[fits], before.sizes[fits]), Faces(after.middles[partners], after.sizes[partners])
    )


def _possible_moves(before: Faces, after: Faces) -> Array:
    """Return float64 (k, 3), scale and offset: the moves that bring two far faces onto two faces of fitting size."""
    one, other = np.triu_indices(len(before), 1)
    span = before.middles[other] - before.middles[one]
    far = np.argsort(-np.linalg.norm(span, axis=1))[:30]
    one, other, span = one[far], other[far], span[far]
    first, second = np.nonzero(~np.eye(len(after), dtype=bool))
    reach = after.middles[second] - after.middles[first]
    scales = (span @ reach.T) / np.maximum((span**2).sum(axis=1), 1.0)[:, None]
    askew = np.linalg.norm(reach[None] - scales[:, :, None] * span[:, None], axis=2) / after.sizes[first]
    grown = np.log(np.maximum(scales, 1e-9))
    for mine, theirs in ((one, first), (other, second)):
        askew = np.maximum(askew, 4 * np.abs(grown - np.log(after.sizes[theirs] / before.sizes[mine][:, None])))
    pair, match = np.nonzero(askew <= 2 * TOLERANCE)
    straight = np.argsort(askew[pair, match])[:MOST_TRIED]
    pair, match = pair[straight], match[straight]
    scale = scales[pair, match][:, None]
    middle = (after.middles[first[match]] + after.middles[second[match]]) / 2
    return np.hstack([scale, middle - scale * (before.middles[one[pair]] + before.middles[other[pair]]) / 2])


class JumpWatch:
    """Notices that most faces are elsewhere from one frame to the next, and says what became of them."""

    def __init__(self) -> None:
        self.waiting = False  # for the faces to come to rest after a jump
        self._now = Faces(np.zeros((0, 2)), np.zeros(0))  # of the newest frame
        self._before = self._after = self._now  # at the jump
        self._usual = 0.0  # how far most faces are from their last places otherwise, in face sizes
        self._seconds = 0.0  # over which `_usual` was averaged so far
        self.jumped = 0.0  # seconds, when last
        self._time = self._calm_since = 0.0  # seconds; `_time`: of the last frame that showed movement
        self._at_once = False  # the jump lasted no longer than from one frame to the next

    def see(self, last: Faces, now: Faces, time: float) -> Move | str | None:
        """Return the move, EXCHANGED or REPLACED once it is sure, else None.

        Args:
            last: faces as they were last seen, of the last second or so; where nobody was seen, the seats.
            now: faces of this frame.
            time: seconds.
        """
        enough = min(len(last), len(now)) >= MIN_FACES
        if not self.waiting:
            if enough:
                self._compare(last, now, time)
            return None
        self._time = time
        if enough and _step(last, now) > self._limit(0.0):
            self._at_once, self._calm_since = False, time
        self.waiting = time - self.jumped <= PATIENCE
        if not self.waiting or not enough or time - self._calm_since < CALM:
            return None
        self.waiting = False
        return self._verdict(now)

    def _compare(self, last: Faces, now: Faces, time: float) -> None:
        still = len(now) == len(self._now) and np.allclose(now.middles, self._now.middles, rtol=0, atol=0.1)
        self._now = now
        if still:
            return  # the very same picture again: the source stands still, people do not
        gap = time - self._time
        distances = apart(now, last)
        jumping = min(np.mean(distances.min(axis=side) > self._limit(gap)) for side in (0, 1))
        if jumping >= JUMPING and self._seconds >= SHORT:
            self._before, self._after, self.jumped, self._calm_since = last, now, time, time
            self.waiting = self._at_once = True
        elif gap <= GAP:
            self._seconds = min(self._seconds + gap, MEMORY)
            self._usual += min(gap / self._seconds, 1.0) * (_step(last, now) - self._usual)
        self._time = time

    def _limit(self, gap: float) -> float:
        return max(LEAST_JUMP if gap <= GAP else LONG_JUMP, JUMP * self._usual)

    def _verdict(self, now: Faces) -> Move | str | None:
        if not self._at_once:
            move = find_move(self._before, now)
        else:
            move = find_move(self._before, self._after, min(self._limit(0.0), TOLERANCE))
        if move is not None:
            return move if move.length(self._before) > LEAST_MOVE else None
        if not self._at_once:
            return None
        distances = np.linalg.norm(self._after.middles[:, None] - self._before.middles[None], axis=2)
        kept = min(np.mean((distances / self._before.sizes).min(axis=side) <= 2 * TOLERANCE) for side in (0, 1))
        return EXCHANGED if kept >= MOST else REPLACED


def _step(last: Faces, now: Faces) -> float:
    return float(np.median(apart(now, last).min(axis=1)))


def add_shift(shifts: Sequence[Shift], kind: str, time: float) -> tuple[Shift, ...]:
    """Return the shifts with one more; a move soon after a move is the same one, still going on."""
    last = shifts[-1] if shifts else None
    if last is not None and kind == last.kind == MOVED and time - last.until <= SAME:
        return (*shifts[:-1], replace(last, until=time))
    return (*shifts, Shift(kind, time, time))


def say(shifts: Sequence[Shift]) -> tuple[str, ...]:
    """Return in words what befell the seats: one sentence or two for each kind."""
    words = []
    for kind, text in WORDS.items():
        times = [shift for shift in shifts if shift.kind == kind]
        if times:
            words.append(text.format(when=_when(times)))
    return tuple(words)


def _when(shifts: Sequence[Shift]) -> str:
    first = [
        f"at {clock(shift.time)}"
        if shift.until - shift.time < 2
        else f"from {clock(shift.time)} to {clock(shift.until)}"
        for shift in shifts[:3]
    ]
    more = f" and {len(shifts) - 3} more times" if len(shifts) > 3 else ""
    return ", ".join(first) + more


WORDS = {
    EXCHANGED: (
        "The faces exchanged their places all at once {when}, as the tiles of a video call do. A seat is a place, so "
        "seats cannot be told in such a recording: they have new numbers from each such moment on, and only the class "
        "as a whole can be read. Record the call with a fixed order of the tiles."
    ),
    REPLACED: (
        "All faces were somewhere else at once {when}: another view, a cut, or tiles of a video call in a new order. "
        "The seats before have ended; from then on they have new numbers."
    ),
    MOVED: (
        "All faces shifted alike {when}: the camera was probably moved. The seats were shifted with them and kept "
        "their numbers."
    ),
}
