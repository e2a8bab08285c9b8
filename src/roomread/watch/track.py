"""Seats that keep their number: faces are followed from frame to frame, and a seat is a place, not a person.

No identity and no likeness is used: only where a face is and how large it is. A face gets a seat's number where it
stays; who walks through the room has none. A seat that nobody is seen at keeps its place, and whoever is seen there
again has its number. Numbers are never given twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import lap
import numpy as np

from roomread.types import NO_SEAT, Array


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """How seats are held. Distances are in face sizes, the root of the face's area."""

    reach: float = 0.9  # between two sightings; raising it follows quick heads and swaps near neighbours
    size_reach: float = 0.45  # natural logarithm of the larger over the smaller face, between two sightings
    lost_after: float = 1.2  # seconds unseen until a track ends; its seat stays
    stay: float = 0.5  # seconds within `stay_reach` until a place is a seat; raising it keeps walkers out for longer
    stay_reach: float = 0.6
    at_home: tuple[float, float] = (1.2, 3.0)  # how far from its place a seat's face may be found again: three times
    # the spread of its places so far, between these two
    leave: float = 1.5  # times that distance; a face beyond it is away from its seat, and another may take the seat
    settle: float = 20.0  # seconds that a face must stay elsewhere until its seat has moved there
    swap: float = 1.0  # by how much two faces must sit nearer to each other's places than to their own to be swapped
    memory: float = 60.0  # seconds over which a seat's place and spread are averaged

    def __post_init__(self) -> None:
        for name in ("reach", "size_reach", "lost_after", "stay_reach", "leave", "memory"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0. Received: {getattr(self, name)}.")


class _Seat:
    """A place: its number, and middle, usual size and spread of the face seen there."""

    def __init__(self, number: int, middle: Array, size: float) -> None:
        self.number, self.middle, self.size = number, middle, size
        self.spread = 0.15  # squared face sizes; what a pupil who writes and looks up shows, until measured
        self.seconds = 3.0  # how long `spread` and `middle` were averaged so far; the start counts as much

    def see(self, track: _Track, passed: float, memory: float) -> None:
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
        self.middle, self.size, self.time = middle, size, time
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


class SeatTracker:
    """Give every face the number of its seat."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self.settings = TrackSettings() if settings is None else settings
        self._tracks: list[_Track] = []
        self._seats: list[_Seat] = []
        self._started = False

    def update(self, boxes: Array, scores: Array, time: float) -> Array:
        """Return the seat of each face of one frame.

        Args:
            boxes: float32 (n, 4), pixels, (left, top, right, bottom).
            scores: float32 (n,), 0 to 1.
            time: seconds; must not run backwards.

        Returns:
            int64 (n,), from 1; NO_SEAT for a face that has not stayed at a place yet. No seat stands twice.
        """
        middles = (boxes[:, :2] + boxes[:, 2:]).astype(np.float64) / 2
        sizes = np.sqrt(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1.0)).astype(np.float64)
        self._tracks = [track for track in self._tracks if time - track.time <= self.settings.lost_after]
        owners = []
        for middle, size, track in zip(middles, sizes, self._match(middles, sizes, time), strict=True):
            if track is None:
                track = _Track(middle, float(size), time)
                self._tracks.append(track)
            else:
                track.see(middle, float(size), time, self.settings.stay_reach)
            owners.append(track)
        seen = [track for track in self._tracks if track.time == time]
        seen.sort(key=lambda track: (round(track.middle[1] / (2 * track.size)), track.middle[0]))  # as one reads
        for track in seen:
            self._seat(track, time)
        self._swap([track for track in seen if track.seat is not None])
        self._started = self._started or len(boxes) > 0
        return np.array([NO_SEAT if track.seat is None else track.seat.number for track in owners], np.int64)

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

    def _seat(self, track: _Track, time: float) -> None:
        """Let a track keep its seat, take one that is free, or found one."""
        stayed = time - track.since if track.sightings >= 3 else 0.0
        if track.seat is not None and self._is_home(track):
            track.seat.see(track, track.passed, self.settings.memory)
            return
        stays = stayed >= self.settings.stay
        if track.sightings > 1 and not stays and self._started:
            return
        free = self._free_near(track, time)
        if free is not None:
            self._take(track, free)
        elif track.seat is None and (stays or not self._started):
            track.seat = _Seat(len(self._seats) + 1, track.middle, track.size)
            self._seats.append(track.seat)
        elif track.seat is not None and stayed >= self.settings.settle:
            track.seat.middle, track.seat.size = track.middle, track.size

    def _is_home(self, track: _Track) -> bool:
        seat = track.seat
        return seat is not None and seat.distance(track) <= self.settings.leave * seat.radius(self.settings.at_home)

    def _free_near(self, track: _Track, time: float) -> _Seat | None:
        """Return the seat whose place this is, unless its own face is seen there now."""
        held = {other.seat for other in self._tracks if other.time == time and self._is_home(other)}
        near = [
            seat
            for seat in self._seats
            if seat not in held
            and abs(np.log(track.size / seat.size)) <= self.settings.size_reach
            and seat.distance(track) <= seat.radius(self.settings.at_home)
        ]
        return min(near, key=lambda seat: seat.distance(track), default=None)

    def _take(self, track: _Track, seat: _Seat) -> None:
        for other in self._tracks:
            if other.seat is seat:
                other.seat = None
        track.seat = seat

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
