"""What really happens in the synthetic room, frame by frame: computed from the script before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from roomread.demo.face import face_middle, read_mesh, turn_points
from roomread.demo.figures import WALKER, WALKER_SIZE, draw_walker
from roomread.demo.layout import DESK, HAIR_TOP, Seat, place_seats
from roomread.demo.script import Event, Movement, RoomSettings, move, walk, write_script
from roomread.types import Image

Floats = npt.NDArray[np.float64]

ORIGIN = (
    "A synthetic room drawn around one public-domain photograph (NASA, Eileen Collins), with scripted movements; "
    "it says nothing about people."
)
COVERED = 0.2  # share of the face; above it a face counts as not visible, below it detectors still find most
DEPTH = DESK + HAIR_TOP + 0.15  # face widths that a head sinks until nothing of it is seen above the desk
STEPS = 12  # pictures of the walker in one double step
ABOVE = 2.35  # near face widths from the near row's faces up to the top of the walker's hair


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A finished synthetic room.

    video, truth_file: the two files.
    truth: what the second file holds; `describe` explains its fields.
    """

    video: Path
    truth_file: Path
    truth: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The walker's pictures and places.

    pictures: one for each of STEPS phases, uint8 (height, width, 4), colour times alpha and alpha.
    places: (left, top, phase) for every frame in which the walker is in the picture, by the frame's number.
    """

    pictures: Sequence[Image]
    places: dict[int, tuple[int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything that is known before the first pixel is drawn; one entry for each seat in the three lists."""

    settings: RoomSettings
    seats: list[Seat]
    script: list[list[Event]]
    movements: list[Movement]
    walk: Walk


def plan_room(settings: RoomSettings) -> Plan:
    """Decide who sits where and does what; the same settings give the same plan."""
    seats, script = place_seats(settings), write_script(settings)
    movements = [move(settings, seat, events) for seat, events in enumerate(script)]
    return Plan(settings, seats, script, movements, _plan_walk(settings, seats))


def describe(plan: Plan) -> dict[str, Any]:
    """Return the truth of a plan, ready for JSON.

    Returns:
        width, height, fps, seconds, seed, frames, origin; walker (start and end in seconds, or null); and seats, each
        with seat (from 1), home (x, y of the face's middle at rest, pixels), face_width (at rest, pixels), events
        (kind, start, end in seconds; `turned` also yaw and pitch in degrees), and frame by frame visible (0 or 1; 0
        where more than a fifth of the face is covered), x and y (middle of the box around the face) and width (of
        that box), yaw (degrees, positive towards the picture's right), pitch (degrees, positive downwards), and lids (0
        open to 1 closed). Where a person is away or covered the places are those where the face would be.
    """
    settings = plan.settings
    times = walk(settings)
    seats = [
        _describe_seat(plan, seat, events, movement)
        for seat, events, movement in zip(plan.seats, plan.script, plan.movements, strict=True)
    ]
    return {
        "width": settings.width,
        "height": settings.height,
        "fps": settings.fps,
        "seconds": settings.n_frames / settings.fps,
        "seed": settings.seed,
        "frames": settings.n_frames,
        "origin": ORIGIN,
        "walker": None if times is None else {"start": times[0], "end": times[1]},
        "seats": seats,
    }


def head_places(seat: Seat, movement: Movement) -> tuple[Floats, Floats]:
    """Return where the photograph's face middle is drawn in every frame, two float64 (n_frames,), pixels."""
    x = seat.x + movement.dx * seat.face_width
    y = seat.y + (movement.dy + movement.sink * DEPTH) * seat.face_width
    return x, y


def desk_line(seat: Seat) -> int:
    """Return the picture's row from which on a person is hidden by the own desk."""
    return round(seat.y + DESK * seat.face_width)


def face_boxes(seat: Seat, movement: Movement) -> Floats:
    """Return the box around the face's mesh in every frame.

    Returns:
        float64 (n_frames, 4), pixels (left, top, right, bottom).
    """
    poses, which = np.unique(np.stack((movement.yaw, movement.pitch), axis=1), axis=0, return_inverse=True)
    mesh = read_mesh()[:468]
    middle, width = face_middle(mesh)
    boxes = np.empty((len(poses), 4))
    angle = np.radians(seat.roll)
    for number, (yaw, pitch) in enumerate(poses):
        points = (turn_points(mesh, -yaw if seat.mirrored else yaw, pitch)[:, :2] - middle) / width
        x, y = (-points[:, 0] if seat.mirrored else points[:, 0]), points[:, 1]
        x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
        boxes[number] = x.min(), y.min(), x.max(), y.max()
    xs, ys = head_places(seat, movement)
    sizes = seat.face_width * movement.scale
    return np.asarray(np.stack((xs, ys, xs, ys), axis=1) + boxes[which.ravel()] * sizes[:, None], np.float64)


def _describe_seat(plan: Plan, seat: Seat, events: list[Event], movement: Movement) -> dict[str, Any]:
    times = plan.settings.times
    boxes = face_boxes(seat, movement)
    under = np.clip((boxes[:, 3] - desk_line(seat)) / (boxes[:, 3] - boxes[:, 1]), 0, 1)
    hidden = _covered(boxes, plan.walk) > COVERED
    visible = (under <= COVERED) & ~hidden
    told = [_describe_event(event) for event in events]
    gone = np.zeros(len(times), bool)
    for event in events:
        if event.kind == "away":
            gone |= (times >= event.start) & (times <= event.end)
    runs = np.flatnonzero(np.diff(np.concatenate(([0], (hidden & ~gone).astype(np.int8), [0]))))
    for start, end in (runs.reshape(-1, 2) - 0.5) / plan.settings.fps:  # between two frames, so that rounding is free
        told.append({"kind": "hidden", "start": round(max(float(start), 0.0), 3), "end": round(float(end), 3)})
    return {
        "seat": seat.number,
        "home": [round(seat.x, 1), round(seat.y, 1)],
        "face_width": round(seat.face_width, 1),
        "events": sorted(told, key=lambda event: float(event["start"])),
        "visible": (visible & ~gone).astype(int).tolist(),
        "x": ((boxes[:, 0] + boxes[:, 2]) / 2).round(1).tolist(),
        "y": ((boxes[:, 1] + boxes[:, 3]) / 2).round(1).tolist(),
        "width": (boxes[:, 2] - boxes[:, 0]).round(1).tolist(),
        "yaw": movement.yaw.astype(int).tolist(),
        "pitch": movement.pitch.astype(int).tolist(),
        "lids": movement.lids.tolist(),
    }


def _describe_event(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": event.kind, "start": event.start, "end": event.end}
    if event.kind == "turned":
        told |= {"yaw": event.yaw, "pitch": event.pitch}
    return told


def _covered(boxes: Floats, path: Walk) -> Floats:
    """Return which share of each frame's face the walker covers, float64 (n_frames,), 0 to 1."""
    shares = np.zeros(len(boxes))
    for frame, (left, top, phase) in path.places.items():
        alpha = path.pictures[phase][..., 3]
        x0, y0, x1, y1 = (boxes[frame] - (left, top, left, top)).round().astype(int)
        part = alpha[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        shares[frame] = part.sum() / 255 / max((x1 - x0) * (y1 - y0), 1)
    return shares


def _plan_walk(settings: RoomSettings, seats: list[Seat]) -> Walk:
    """Lead the walker across the picture, in front of the near row, and draw its few pictures."""
    span = walk(settings)
    if span is None:
        return Walk((), {})
    near = [seat for seat in seats if seat.row == seats[-1].row]
    size = float(np.mean([seat.face_width for seat in near]))
    direction = 1 if np.random.default_rng([settings.seed, 20_000]).integers(2) else -1
    pictures = [draw_walker(size, step / STEPS, direction) for step in range(STEPS)]
    wide, top = WALKER[0] * WALKER_SIZE * size, float(np.mean([seat.y for seat in near])) - ABOVE * size
    places = {}
    for frame, time in enumerate(settings.times):
        if span[0] <= time < span[1]:
            share = (time - span[0]) / (span[1] - span[0])
            share = share if direction > 0 else 1 - share
            phase = (time - span[0]) / 1.1 % 1  # seconds for a double step
            bob = 0.05 * size * abs(np.sin(2 * np.pi * phase))
            left = share * (settings.width + wide) - wide
            places[frame] = (round(left), round(top - bob), int(phase * STEPS) % STEPS)
    return Walk(pictures, places)
