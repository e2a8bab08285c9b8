"""Lessons of an hour in which nobody is seen, for benchmarks of what comes after seeing."""

import numpy as np

from roomread import __version__
from roomread.types import N_EMOTIONS, SIGNALS, Array, Lesson, Observation, Tracks

SEATS = 30


def lesson_of_hour(number: int, n: int, seconds: int) -> Lesson:
    """Return the record of a made-up lesson, one of so many, a quarter of a day apart."""
    day = np.datetime64("2026-03-12T09:15:00") - np.timedelta64(6 * (n - number), "h")
    return Lesson(
        number=0,
        name=f"Class {number % 12 + 1}, lesson {number // 12 + 1}",
        source=f"class-{number % 12 + 1}.mp4",
        purpose="research",
        reference="benchmark",
        sample=False,
        began=f"{day}+00:00",
        created=f"{day}+00:00",
        duration=float(seconds),
        width=1920,
        height=1080,
        state="complete",
        notes=(),
        made_with={"roomread": __version__, "mesh": {"name": "none: made up for a benchmark", "sha256": "0" * 64}},
    )


def made_up(seconds: int, fps: int = 1, seats: int = SEATS) -> list[Observation]:
    """Return a made-up lesson: everybody drifts slowly, and is away for a minute now and then.

    As in real ones, signals of heads are read twice a second at most.
    """
    noise, frames = np.random.default_rng(0), seconds * fps
    places = np.arange(seats)
    left, top = 80 + 290 * (places % 6), 60 + 190 * (places // 6)
    boxes = np.column_stack([left, top, left + 60, top + 80]).astype(np.float32)
    shared = _drift(noise, (frames, 1, N_EMOTIONS), 400 * fps)
    liking = (
        _drift(noise, (frames, seats, N_EMOTIONS), 120 * fps) + shared + np.eye(N_EMOTIONS)[-1]
    )  # neutral is commonest
    emotions = np.exp(2 * liking)
    emotions = (emotions / emotions.sum(axis=2, keepdims=True)).astype(np.float32)
    usual = {"presence": 0.99, "eyes": 0.3, "mouth": 0.02, "upper_lid": 0.2, "lower_lid": 0.1, "lips": 0.15}
    spread = {"yaw": 12.0, "pitch": 8.0, "roll": 4.0, "gaze": 6.0, "eyes": 0.03, "mouth": 0.01}
    signals = _drift(noise, (frames, seats, len(SIGNALS)), 20 * fps) * [spread.get(name, 0.005) for name in SIGNALS]
    signals = (signals + [usual.get(name, 0.05) for name in SIGNALS]).astype(np.float32)
    signals[np.arange(frames) % max(1, fps // 2) > 0] = np.nan
    here = np.repeat(noise.random((seconds // 60 + 1, seats)) > 0.05, 60 * fps, axis=0)[:frames]
    return [
        Observation(
            moment / fps,
            moment,
            Tracks(places[here[moment]] + 1, boxes[here[moment]], np.full(here[moment].sum(), 0.9, np.float32)),
            emotions[moment, here[moment]],
            np.full(here[moment].sum(), 500, np.float32),
            signals[moment, here[moment]],
        )
        for moment in range(frames)
    ]


def _drift(noise: np.random.Generator, shape: tuple[int, int, int], frames: int) -> Array:
    """Return noise that stays alike over so many frames, standard deviation about 1: float64, of that shape."""
    knots = noise.normal(size=(shape[0] // frames + 2, *shape[1:]))
    places, share = np.divmod(np.arange(shape[0]) / frames, 1)
    share, below = share[:, None, None], places.astype(int)
    between: Array = knots[below] * (1 - share) + knots[below + 1] * share
    return between
