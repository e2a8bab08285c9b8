"""Seats that keep their number: faces are followed from frame to frame, and a seat is a place, not a person.

No identity and no likeness is used: only where a face is and how large it is. A face gets a seat's number where it
stays; who walks through the room has none. A seat that nobody is seen at keeps its place, and whoever is seen there
again has its number. Numbers are never given twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import lap
import numpy as np

from roomread.faces.boxes import sizes as box_sizes
from roomread.types import NO_SEAT, Array
from roomread.watch.shifts import MOVED, Faces, JumpWatch, Move, Shift, add_shift, lasting_move, say


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """How seats are held. Distances are in face sizes, the root of the face's area."""

    reach: float = 0.9  # between two sightings; raising it follows quick heads and swaps near neighbours
    size_reach: float = 0.45  # natural logarithm of the larger over the smaller face, between two sightings
    lost_after: float = 1.2  # seconds unseen until a track ends, longer where frames lie further apart; its seat stays
    stay: float = 0.5  # seconds within `stay_reach` until a place is a seat; raising it keeps walkers out for longer
    stay_reach: float = 0.6
    at_home: tuple[float, float] = (1.2, 3.0)  # how far from its place a seat's face may be found again: three times
    # the spread of its places so far, between these two
    leave: float = 1.5  # times that distance; a face beyond it is away from its seat, and another may take the seat
    settle: float = 20.0  # seconds that a face must stay elsewhere until its seat has moved there, or at another's
    # place until it has a seat of its own; who leans over to a neighbour goes back before
    beside: float = 5.0  # seconds after which a face seen beside a seat's own may take the seat
    swap: float = 1.0  # by how much two faces must sit nearer to each other's places than to their own to be swapped
    touch: float = 1.0  # a stranger nearer than this to a seat's face may be confused with it until he has gone
    memory: float = 60.0  # seconds over which a seat's place and spread are averaged

    def __post_init__(self) -> None:
        for name in ("reach", "size_reach", "lost_after", "stay_reach", "leave", "touch", "memory"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0. Received: {getattr(self, name)}.")


class _Seat:
    """A place: its number, and middle, usual size and spread of the face seen there."""

    def __init__(self, number: int, middle: Array, size: float, time: float) -> None:
        self.number, self.middle, self.size = number, middle, size
        self.seen, self.sightings, self.misses = time, 1, 0  # when its face was last at home, how often, frames since
        self.doubted = False  # whether the face there may be another's
        self.spread = 0.15  # squared face sizes; what a pupil who writes and looks up shows, until measured
        self.seconds = 3.0  # how long `spread` and `middle` were averaged so far; the start counts as much

    def see(self, track: _Track, memory: float) -> None:
        passed, self.seen, self.misses = track.passed, track.time, 0
        self.sightings += 1
        self.seconds = min(self.seconds + passed, memory)
        share = min(passed / self.seconds, 1.0)
        self.spread += share * (self.distance(track) ** 2 - self.spread)
        self.middle = self.middle + share * (track.middle - self.middle)
        self.size *= (track.size / self.size) ** share

    def distance(self, track: _Track) -> float:
        return float(np.linalg.norm(track.middle - self.middle) / np.sqrt(track.size * self.size))

    def radius(self, limits: tuple[float, float]) -> float:
        return float(min(max(3 * self.spread**0.5, limits[0]), limits[1]))


class _Track:
    """A face followed without a break."""

    def __init__(self, middle: Array, size: float, time: float) -> None:
        self.middle, self.size, self.time, self.born = middle, size, time, time
        self.speed = np.zeros(2)  # pixels per second
        self.anchor, self.since = middle, time  # where and since when it stays
        self.sightings, self.passed = 1, 0.0
        self.seat: _Seat | None = None

    def see(self, middle: Array, size: float, time: float, stay_reach: float) -> None:
        passed = self.passed = max(time - self.time, 1e-3)
        self.speed += 0.3 * ((middle - self.middle) / passed - self.speed)
        self.size *= (size / self.size) ** 0.3
        self.middle, self.time = middle, time
        self.sightings += 1
        if np.linalg.norm(middle - self.anchor) > stay_reach * self.size:
            self.anchor, self.since = middle, time

    def expect(self, time: float) -> Array:
        """Return where it is likely to be: where it was, unless it is on its way."""
        walking = self.seat is None and self.time - self.since < 0.5
        return self.middle + self.speed * min(time - self.time, 0.5) if walking else self.middle


def _faces(things: Sequence[_Seat] | Sequence[_Track]) -> Faces:
    middles = np.array([thing.middle for thing in things], np.float64).reshape(-1, 2)
    return Faces(middles, np.array([thing.size for thing in things], np.float64))


class SeatTracker:
    """Give every face the number of its seat."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self.settings = TrackSettings() if settings is None else settings
        self._tracks: list[_Track] = []
        self._seats: list[_Seat] = []
        self._numbers = 0  # given so far
        self._started = False
        self._jumps = JumpWatch()
        self._times: deque[float] = deque(maxlen=16)  # of the newest frames
        self._lost_after = 0.0  # seconds, as the setting says or a little more than usually lies between two frames
        self.shifts: tuple[Shift, ...] = ()  # what befell all seats at once so far

    @property
    def notes(self) -> tuple[str, ...]:
        """What befell all seats at once so far, in words; at most one note of each kind."""
        return say(self.shifts)

    def update(self, boxes: Array, time: float) -> Array:
        """Return the seat of each face of one frame.

        Args:
            boxes: float32 (n, 4), pixels, (left, top, right, bottom).
            time: seconds; must not run backwards.

        Returns:
            int64 (n,), from 1; NO_SEAT for a face that has not stayed at a place yet, that a stranger touches, or that
            is seen within the second after all faces jumped. No seat stands twice.
        """
        middles = (boxes[:, :2] + boxes[:, 2:]).astype(np.float64) / 2
        sizes = np.maximum(box_sizes(boxes), 1.0).astype(np.float64)
        self._times.append(time)
        usual = float(np.median(np.diff(self._times))) if len(self._times) > 1 else 0.0
        self._lost_after = max(self.settings.lost_after, 1.2 * usual)
        self._tracks = [track for track in self._tracks if time - track.time <= self._lost_after]
        verdict = self._jumps.see(_faces(self._tracks or self._seats), Faces(middles, sizes), time)
        owners = []
        for middle, size, track in zip(middles, sizes, self._match(middles, sizes, time), strict=True):
            if track is None:
                track = _Track(middle, float(size), time)
                self._tracks.append(track)
            else:
                track.see(middle, float(size), time, self.settings.stay_reach)
            owners.append(track)
        if self._jumps.waiting:
            return np.full(len(boxes), NO_SEAT, np.int64)
        if verdict is not None:
            self._shift(verdict, time)
        seen = [track for track in self._tracks if track.time == time]
        seen.sort(key=lambda track: (round(track.middle[1] / (2 * track.size)), track.middle[0]))  # as one reads
        self._seat(seen, time)
        seats = [NO_SEAT if track.seat is None or track.seat.doubted else track.seat.number for track in owners]
        return np.array(seats, np.int64)

    def _seat(self, seen: list[_Track], time: float) -> None:
        """Bring tracks and seats together."""
        for track in seen:
            if track.seat is not None and self._is_home(track, time):
                track.seat.see(track, self.settings.memory)
        for track in seen:
            if track.seat is None or track.seat.seen < time:
                self._look_for_seat(track, time)
        self._swap([track for track in seen if track.seat is not None])
        self._follow_camera([track for track in seen if track.seat is not None], time)
        self._started = self._started or len(seen) > 0
        self._forget_false(time)
        self._doubt(seen, time)

    def _shift(self, verdict: Move | str, time: float) -> None:
        """After a jump: bring the seats to where the camera shows them now, or end them."""
        for track in self._tracks:
            track.seat, track.born = None, time
        if isinstance(verdict, Move):
            self._carry(verdict, self._jumps.jumped)
        else:
            self._seats, self._started = [], False
            self.shifts = add_shift(self.shifts, verdict, self._jumps.jumped)

    def _follow_camera(self, seated: list[_Track], time: float) -> None:
        """Bring the seats along where most of their faces are away from their places by the same move."""
        seats = [track.seat for track in seated if track.seat is not None]
        spread = float(np.mean([seat.spread for seat in seats] or [0.0])) ** 0.5
        move = lasting_move(_faces(seats), _faces(seated), spread)
        if move is not None:
            self._carry(move, time)

    def _carry(self, move: Move, time: float) -> None:
        moved = move(_faces(self._seats))
        for seat, middle, size in zip(self._seats, moved.middles, moved.sizes, strict=True):
            seat.middle, seat.size = middle, float(size)
        self.shifts = add_shift(self.shifts, MOVED, time)

    def _match(self, middles: Array, sizes: Array, time: float) -> list[_Track | None]:
        """Return for each face the track that it continues, or None: the cheapest assignment of all together."""
        owners: list[_Track | None] = [None] * len(middles)
        if not len(middles) or not self._tracks:
            return owners
        expected = np.array([track.expect(time) for track in self._tracks])
        usual = np.array([track.size for track in self._tracks])
        distance = np.linalg.norm(middles[:, None] - expected[None], axis=2) / np.sqrt(sizes[:, None] * usual[None])
        growth = np.abs(np.log(sizes[:, None] / usual[None]))
        cost = distance / self.settings.reach + growth / self.settings.size_reach
        cost[(distance > self.settings.reach) | (growth > self.settings.size_reach)] = 1e6
        _, chosen, _ = lap.lapjv(cost, extend_cost=True, cost_limit=2.0)
        for face, track in enumerate(chosen):
            if track >= 0:
                owners[face] = self._tracks[track]
        return owners

    def _look_for_seat(self, track: _Track, time: float) -> None:
        """Let a face that is not at its seat take one that is free, or found one."""
        stayed = time - track.since if track.sightings >= 3 else 0.0
        stays = stayed >= self.settings.stay
        if track.sightings > 1 and not stays and self._started:
            return
        free = self._free_near(track, time, stays)
        if free is not None:
            self._take(track, free)
        elif track.seat is None and (not self._started or stayed >= self._patience(track, time)):
            self._numbers += 1
            track.seat = _Seat(self._numbers, track.middle, track.size, time)
            self._seats.append(track.seat)
        elif track.seat is not None and stayed >= self.settings.settle:
            track.seat.middle, track.seat.size = track.middle, track.size

    def _is_home(self, track: _Track, time: float) -> bool:
        """Return whether a face is at its seat, and not much nearer to an empty one: then it was taken for another."""
        if track.seat is None or not self._is_at(track, track.seat, self.settings.leave):
            return False
        nearer = track.seat.distance(track) - self.settings.swap
        return nearer <= 0 or all(
            seat.distance(track) >= nearer for seat in self._seats if time - seat.seen > self._lost_after
        )

    def _is_at(self, track: _Track, seat: _Seat, times: float) -> bool:
        """Return whether a face is no farther from a seat than so many times the distance of `at_home`."""
        return seat.distance(track) <= times * seat.radius(self.settings.at_home) and (
            abs(np.log(track.size / seat.size)) <= self.settings.size_reach
        )

    def _patience(self, track: _Track, time: float) -> float:
        """Return the seconds that a face must stay to found a seat.

        Longer at another's place, as who leans over goes back, and wherever the one whose seat is empty may be found.
        """
        for seat in self._seats:
            lost = seat.seen < time and seat.distance(track) <= self.settings.at_home[1]
            if lost or self._is_at(track, seat, self.settings.leave):
                return self.settings.settle
        return self.settings.stay

    def _free_near(self, track: _Track, time: float, stays: bool) -> _Seat | None:
        """Return the seat whose place this is, unless its own face was just seen there, or seen beside this one."""
        near = [
            seat
            for seat in self._seats
            if self._is_at(track, seat, 1.0)
            and seat.seen < time
            and (stays or time - seat.seen > self._lost_after)
            and (track.born > seat.seen or time - seat.seen > self.settings.beside)
        ]
        return min(near, key=lambda seat: seat.distance(track), default=None)

    def _forget_false(self, time: float) -> None:
        """End the seats of the first frame that nobody was seen at again: a face takes its seat by being there."""
        for seat in self._seats:
            seat.misses += seat.seen < time
        self._seats = [
            seat
            for seat in self._seats
            if seat.sightings >= 3 or seat.misses < 10 or time - seat.seen <= self.settings.settle
        ]

    def _doubt(self, seen: list[_Track], time: float) -> None:
        """Mark the seats whose face another touches, until both have parted: which of them is which cannot be told."""
        others = [
            track
            for track in self._tracks
            if track.sightings >= 3 and (track.seat is None or track.seat.seen < track.time)
        ]
        for track in seen:
            seat = track.seat
            if seat is None or seat.seen < time:
                continue
            near = [other for other in others if self._is_at(other, seat, self.settings.leave)]
            seat.doubted = any(
                seat.doubted or float(np.linalg.norm(other.middle - track.middle)) < self.settings.touch * track.size
                for other in near
            )

    def _take(self, track: _Track, seat: _Seat) -> None:
        for other in self._tracks:
            if other.seat is seat:
                other.seat = None
        track.seat = seat
        seat.see(track, self.settings.memory)

    def _swap(self, seated: list[_Track]) -> None:
        """Give two faces each other's seat where each sits at the other's place: they touched and were confused."""
        seats = [track.seat for track in seated if track.seat is not None]
        if len(seats) < 2:
            return
        faces = np.array([track.middle for track in seated])
        places = np.array([seat.middle for seat in seats])
        sizes = np.sqrt(np.outer([track.size for track in seated], [seat.size for seat in seats]))
        distance = np.linalg.norm(faces[:, None] - places[None], axis=2) / sizes
        own = np.diag(distance)
        gain = own[:, None] + own[None] - distance - distance.T
        one, other = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[one, other] > self.settings.swap:
            seated[one].seat, seated[other].seat = seats[other], seats[one]
