"""What can be measured in a room, zone by zone, before anybody relies on it; no expression is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from roomread.app.observing import ObserveSettings
from roomread.errors import SourceError
from roomread.faces import boxes
from roomread.faces.detector import FOUND, Detector
from roomread.preprocess import contrast, crop_faces, sharpness
from roomread.types import N_EMOTIONS, N_SIGNALS, Array, Frame, Observation, Readings, Tracks
from roomread.watch.track import SeatTracker

ROWS, COLUMNS = 3, 4  # zones of the picture: from back to front, from left to right
MIN_FACES = 3  # in a zone over all frames; fewer say nothing about it

DARK = 20.0  # gray levels of contrast, twice what a face needs to be read at all
BLURRED = 0.03  # sharpness by contrast squared, as after a blur of about 1.2 pixels of 48; see `ExpressionSettings`
SELDOM = 0.5  # share of the frames; a seat whose face is found in fewer is turned away, hidden, or at the edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the picture and the faces found in it.

    row, column: from 0, from the top left. faces: per frame, mean.
    size: pixels, median root of the boxes' areas. contrast: gray levels, median. detail: sharpness by contrast squared.
    found: 0 to 1, mean share of the frames in which a seat of the zone shows its face; NaN without a seat.
    measures: what can be measured of half of its faces at least: expression, head pose, eyes.
    advice: what to change, in words.
    """

    row: int
    column: int
    faces: float
    size: float
    contrast: float
    detail: float
    found: float
    measures: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoomCheck:
    """A look at a room.

    frames: looked at. seconds: from the first to the last. width, height: pixels.
    sizes: pixels, root of the box's area, that each measure takes, from the least to the most.
    seats: how many were found. zones: those with faces. advice: what to change for the whole room, in words.
    last: the newest frame and what was found in it, to be drawn.
    """

    frames: int
    seconds: float
    width: int
    height: int
    sizes: dict[str, float]
    seats: int
    zones: tuple[Zone, ...]
    advice: tuple[str, ...]
    last: tuple[Frame, Observation]


@dataclass(slots=True)
class _Seen:
    """All faces of the frames so far, one row each: middle x and y, size, contrast, detail."""

    observations: list[Observation] = field(default_factory=list)
    faces: list[Array] = field(default_factory=list)

    def add(self, frame: Frame, tracks: Tracks) -> Observation:
        crops = crop_faces(frame.image, tracks.boxes)
        light, sharp = contrast(crops), sharpness(crops)
        middle = (tracks.boxes[:, :2] + tracks.boxes[:, 2:]) / 2
        detail = sharp / np.maximum(light, 1) ** 2
        self.faces.append(np.column_stack([middle, boxes.sizes(tracks.boxes), light, detail]))
        unread, unseen = (np.full((len(tracks), n), np.nan, np.float32) for n in (N_EMOTIONS, N_SIGNALS))
        self.observations.append(Observation(frame.time, frame.index, tracks, unread, sharp, unseen))
        return self.observations[-1]


def check_room(frames: Iterable[Frame], detector: Detector, settings: ObserveSettings) -> RoomCheck:
    """Look at frames and say what can be measured where.

    Args:
        frames: a minute of them or so, two a second will do.
        detector: finds the faces.
        settings: how a lesson would be looked at; they say which size a measure takes, and what a seat is.

    Raises:
        SourceError: there is no frame.
    """
    tracker, seen, last = SeatTracker(settings.tracks), _Seen(), None
    sizes = {
        "expression": settings.expression.min_size,
        "head pose": settings.head.pose_size,
        "eyes": settings.head.eyes_size,
    }
    for frame in frames:
        found = detector.detect(frame.image)
        seats = tracker.update(found.boxes, frame.time)
        last = frame, seen.add(frame, Tracks(seats, found.boxes, found.scores))
    if last is None:
        raise SourceError("The source gave no frame. Expected: one at least.")
    height, width = last[0].image.shape[:2]
    readings, faces = Readings.of_observations(seen.observations), np.concatenate(seen.faces)
    cells = _cells(faces, width, height)
    zones = tuple(
        _zone(int(cell), faces[cells == cell], readings.of(cells == cell), sizes)
        for cell in np.unique(cells)
        if np.count_nonzero(cells == cell) >= min(MIN_FACES, len(readings.times))
    )
    return RoomCheck(
        frames=len(readings.times),
        seconds=float(readings.times[-1] - readings.times[0]),
        width=width,
        height=height,
        sizes=sizes,
        seats=len(readings.established()),
        zones=zones,
        advice=_advice_for_room(zones, width, sizes),
        last=last,
    )


def _cells(faces: Array, width: int, height: int) -> Array:
    """Return the zone of each face, counted from the top left: int64 (n,)."""
    columns: Array = np.clip(faces[:, 0] * COLUMNS // width, 0, COLUMNS - 1)
    rows: Array = np.clip(faces[:, 1] * ROWS // height, 0, ROWS - 1)
    cells: Array = (rows * COLUMNS + columns).astype(np.int64)
    return cells


def _zone(cell: int, faces: Array, readings: Readings, sizes: Mapping[str, float]) -> Zone:
    size, light, detail = (float(np.median(faces[:, column])) for column in (2, 3, 4))
    seats = readings.established()
    shares = [np.count_nonzero(readings.seats == seat) / len(readings.times) for seat in seats]
    found = float(np.mean(shares)) if shares else math.nan
    measures = tuple(name for name, least in sizes.items() if size >= least)
    return Zone(
        row=cell // COLUMNS,
        column=cell % COLUMNS,
        faces=len(faces) / len(readings.times),
        size=size,
        contrast=light,
        detail=detail,
        found=found,
        measures=measures,
        advice=_advice((size, light, detail, found), sizes),
    )


def _advice(measured: tuple[float, float, float, float], sizes: Mapping[str, float]) -> tuple[str, ...]:
    """Return what to change where a zone has such a size, contrast, detail, and share of frames with a face."""
    size, light, detail, found = measured
    said = []
    missing = [name for name, least in sizes.items() if size < least]
    if missing:
        needed = max(sizes[name] for name in missing) / size
        said.append(f"too small for {', '.join(missing)}: {needed:.1f} times as many pixels across would do for all")
    if light < DARK:
        said.append("dark: more light on the faces, or a longer exposure")
    if detail < BLURRED:
        said.append("blurred: focus, clean the lens, or compress less")
    if found < SELDOM:
        said.append(f"faces show in {100 * found:.0f}% of the time only: turned away or hidden from this place")
    return tuple(said)


def _advice_for_room(zones: tuple[Zone, ...], width: int, sizes: Mapping[str, float]) -> tuple[str, ...]:
    if not zones:
        return (f"No face was found. Is the camera turned to the class, and are faces at least {FOUND} pixels large?",)
    said = []
    smallest = min(zone.size for zone in zones)
    for name, least in sizes.items():
        if smallest < least:
            said.append(
                f"For {name} everywhere: record at {math.ceil(width * least / smallest / 10) * 10} pixels across in "
                f"place of {width}, or bring the camera nearer until faces are {least:.0f} pixels large."
            )
    if all(zone.contrast < DARK for zone in zones):
        said.append("All faces are dark: light them, or turn the camera away from the windows.")
    if all(zone.detail < BLURRED for zone in zones):
        said.append("All faces are blurred: focus the camera, clean its lens, or record at a higher bit rate.")
    return tuple(said)
