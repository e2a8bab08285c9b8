"""Who does what when in the synthetic room: settings, events and every seat's movement, without any picture."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YAW_STEP = 2.0  # degrees; heads are drawn on this grid, so that a pose is drawn once and used often
PITCH_STEP = 3.0  # degrees
LIDS_STEP = 0.5
SCALE_STEP = 0.02
DURATIONS = {"turned": (4.0, 8.0), "eyes-closed": (3.0, 6.0), "lean": (4.0, 7.0), "away": (8.0, 15.0)}  # seconds
RAMPS = {"turned": 0.6, "eyes-closed": 0.2, "lean": 0.8}  # seconds there, and again back, within the event
SINK = 0.6  # seconds a person needs to leave, before the absence; and to come back, after it
LEAN = (0.4, 0.12, 0.12)  # sideways and down in face widths, growth
PAUSE = (3.0, 7.0)  # seconds between two events of a seat
CYCLE = ("turned", "eyes-closed", "lean", "turned")  # what a seat does in turn; neighbours begin at different places


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """How the synthetic room looks and how long it is watched."""

    width: int = 1280  # pixels, even
    height: int = 720  # pixels, even
    seats: int = 8  # 1 to 40
    seconds: float = 60.0  # length of the video, 1 to 7200
    fps: int = 15  # frames a second, 1 to 60
    seed: int = 0  # the same seed gives the same room
    walker: bool = True  # one person without a face walks across in front of the class

    def __post_init__(self) -> None:
        limits = {"width": (320, 3840), "height": (180, 2160), "seats": (1, 40), "fps": (1, 60), "seed": (0, 2**31)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"`{name}` must be a whole number from {low} to {high}. Received: {value!r}.")
        if not 1 <= self.seconds <= 7200:  # also refuses NaN
            raise ValueError(f"`seconds` must be from 1 to 7200. Received: {self.seconds!r}.")
        if self.width % 2 or self.height % 2:
            raise ValueError(f"The picture's sides must be even. Received: {self.width} x {self.height}.")

    @property
    def n_frames(self) -> int:
        """Number of frames of the whole video."""
        return round(self.seconds * self.fps)

    @property
    def times(self) -> Floats:
        """Moment of every frame, float64 (n_frames,), seconds."""
        return np.arange(self.n_frames) / self.fps


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that one seat does.

    kind: turned, eyes-closed, lean, away, blink or hidden.
    start, end: seconds; the movement there and back lies within, save for `away`, which holds only the time when
        nothing of the person is in the picture.
    yaw, pitch: degrees, of `turned` alone; yaw is positive towards the picture's right, pitch downwards.
    side: -1 or 1, of `lean` alone; towards the picture's left or right.
    """

    kind: str
    start: float
    end: float
    yaw: float = 0.0
    pitch: float = 0.0
    side: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """Where one seat's head is in every frame, as it is drawn; every array is float64 (n_frames,).

    dx, dy: face widths, from the place at rest, to the picture's right and down.
    lean: -1 to 1, 0 upright; negative towards the picture's left. It is part of dx and dy.
    scale: 1 at rest, larger when leaning forward.
    yaw, pitch: degrees, on the grid of YAW_STEP and PITCH_STEP.
    lids: 0 open to 1 closed, on the grid of LIDS_STEP.
    sink: 0 seated to 1 gone.
    """

    dx: Floats
    dy: Floats
    lean: Floats
    scale: Floats
    yaw: Floats
    pitch: Floats
    lids: Floats
    sink: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).setflags(write=False)


def write_script(settings: RoomSettings) -> list[list[Event]]:
    """Return every seat's events in order of time; the same settings give the same script."""
    return [_write_seat(settings, seat) for seat in range(settings.seats)]


def _write_seat(settings: RoomSettings, seat: int) -> list[Event]:
    """Fill one seat's time with behaviours and calm between them, then let it blink."""
    rng = np.random.default_rng([settings.seed, seat])
    leaves = seat % 4 == 3 or settings.seats < 4  # one in four; more would look like a break
    absence = 3 if settings.seats < 4 else seat // 4 % 4  # not all at the same time
    clock = float(rng.uniform(1.5, 3.5))
    events: list[Event] = []
    for turn in range(10_000):
        kind = "away" if leaves and turn == absence else CYCLE[(turn + seat) % len(CYCLE)]
        low, high = DURATIONS[kind]
        margin = SINK if kind == "away" else 0.0
        length = float(rng.uniform(low, high))
        if clock + 2 * margin + low > settings.seconds - 0.5:
            break
        length = min(length, settings.seconds - 0.5 - clock - 2 * margin)
        events.append(_event(rng, kind, clock + margin, length))
        clock += length + 2 * margin + float(rng.uniform(*PAUSE))
    blinks = _write_blinks(rng, events, settings.seconds)
    return sorted(events + blinks, key=lambda event: event.start)


def _event(rng: np.random.Generator, kind: str, start: float, length: float) -> Event:
    start, end = round(start, 3), round(start + length, 3)
    side = int(rng.choice((-1, 1)))
    if kind == "turned":
        yaw = side * float(rng.choice((20.0, 26.0, 30.0, 36.0, 44.0)))
        return Event(kind=kind, start=start, end=end, yaw=yaw, pitch=float(rng.choice((0.0, 0.0, 6.0, 12.0))))
    return Event(kind=kind, start=start, end=end, side=side if kind == "lean" else 0)


def _write_blinks(rng: np.random.Generator, events: list[Event], seconds: float) -> list[Event]:
    """Let the lids close for a moment every few seconds, wherever the eyes are there and open."""
    taken = [(e.start - SINK - 0.4, e.end + SINK + 0.4) for e in events if e.kind in ("eyes-closed", "away")]
    blinks = []
    clock = float(rng.uniform(0.3, 3.0))
    while clock < seconds - 0.5:
        length = float(rng.uniform(0.15, 0.3))
        if not any(clock < end and clock + length > start for start, end in taken):
            blinks.append(Event(kind="blink", start=round(clock, 3), end=round(clock + length, 3)))
        clock += float(rng.uniform(2.5, 6.0))
    return blinks


def move(settings: RoomSettings, seat: int, events: list[Event]) -> Movement:
    """Turn one seat's events into its movement, with the sway that nobody is without.

    Args:
        settings: the room's settings.
        seat: from 0.
        events: of this seat.
    """
    times = settings.times
    rng = np.random.default_rng([settings.seed, seat, 1])
    dx, dy = _sway(rng, times, 0.035), _sway(rng, times, 0.015)
    yaw, pitch = _sway(rng, times, 4.0), np.zeros_like(times)
    lean, lids, sink = np.zeros_like(times), np.zeros_like(times), np.zeros_like(times)
    for event in events:
        amount = _ramp(times, event, RAMPS.get(event.kind, 0.0))
        if event.kind == "turned":
            yaw = (1 - amount) * yaw + amount * event.yaw
            pitch = pitch + amount * event.pitch
        elif event.kind == "lean":
            lean = lean + event.side * amount
        elif event.kind == "eyes-closed":
            lids = np.maximum(lids, amount)
        elif event.kind == "blink":
            lids = np.maximum(lids, _ramp(times, event, 0.04))
        elif event.kind == "away":
            before, after = (event.start - times) / SINK, (times - event.end) / SINK
            sink = np.maximum(sink, np.clip(1 - np.maximum(before, after), 0, 1))
    return Movement(
        dx + LEAN[0] * lean,
        dy + LEAN[1] * np.abs(lean),
        lean,
        _on_grid(1 + LEAN[2] * np.abs(lean), SCALE_STEP),
        _on_grid(yaw, YAW_STEP),
        _on_grid(pitch, PITCH_STEP),
        _on_grid(lids, LIDS_STEP),
        sink * sink * (3 - 2 * sink),
    )


def walk(settings: RoomSettings) -> tuple[float, float] | None:
    """Return when the walker enters and has left the picture, in seconds; None without a walker."""
    if not settings.walker:
        return None
    length = min(8.0, 0.5 * settings.seconds)
    start = 0.4 * (settings.seconds - length)
    return round(start, 3), round(start + length, 3)


def _sway(rng: np.random.Generator, times: Floats, size: float) -> Floats:
    """Add three slow waves whose sum stays within `size`."""
    periods, phases = rng.uniform((4, 6, 9), (6, 9, 15)), rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * times[:, None] / periods + phases)
    return np.asarray(waves @ np.array((0.25, 0.35, 0.4)) * size, np.float64)


def _ramp(times: Floats, event: Event, ramp: float) -> Floats:
    """Return 0 outside the event, 1 within it, and a smooth way between of `ramp` seconds."""
    edge = np.minimum(times - event.start, event.end - times)
    amount = np.clip(edge / max(ramp, 1e-6), 0, 1)
    return np.asarray(amount * amount * (3 - 2 * amount), np.float64)


def _on_grid(values: Floats, step: float) -> Floats:
    return np.asarray(np.round(values / step) * step, np.float64)
