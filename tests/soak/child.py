"""A live lesson in a process that is going to be killed, or watched for hours.

python -m tests.soak.child STORE [--frames N] [--faces N] [--pace SECONDS] [--real]

Prints a line for each frame once it was looked at: its number, this process's clock, seconds of processor time used so
far, and megabytes of memory held. After so many frames it ends by itself.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from tests.soak.harness import SOAK

from roomread.app import observing
from roomread.app.live import LiveLesson, LiveRequest
from roomread.app.watching import WatchSettings
from roomread.store.lessons import LessonStore
from roomread.types import N_EMOTIONS, N_SIGNALS, Frame, Image, Observation, Tracks
from roomread.watch import outages
from roomread.watch.frames import FrameSettings, open_source
from roomread.watch.livesource import LiveSettings
from roomread.watch.push import PushSource

FACES = 7
STEP = 0.2  # seconds of the lesson from one frame to the next
MEMORY = Path("/proc/self/statm")  # where it is there


def seen_at(moment: float, faces: int = FACES) -> Observation:
    """Return what a frame shows, which its time decides."""
    chance = np.random.default_rng(round(moment * 1000))
    boxes = np.array([[20 * k, 10, 20 * k + 15, 30] for k in range(faces)], np.float32)
    tracks = Tracks(np.arange(1, faces + 1), boxes, np.ones(faces, np.float32))
    emotions = chance.dirichlet(np.ones(N_EMOTIONS), faces).astype(np.float32)
    return Observation(moment, 0, tracks, emotions, np.ones(faces, np.float32), np.full((faces, N_SIGNALS), 0.5))


def script(faces: int, moment: list[float]) -> None:
    """Put faces that `seen_at` tells of in the place of the networks, and a moment that is set in that of the clock."""

    def observe(frames: Iterator[Frame], *_: object) -> Iterator[tuple[Frame, Observation]]:
        for frame in frames:
            seen = seen_at(frame.time, faces)
            yield frame, Observation(seen.time, frame.index, seen.tracks, seen.emotions, seen.sharpness, seen.signals)

    observing.observe = observe  # type: ignore[assignment, attr-defined]
    outages.now = lambda: moment[0]


def room() -> list[bytes]:
    """Return pictures of the synthetic class as JPEG: half a minute, or six seconds for a short run."""
    from roomread.demo import RoomSettings, build_room

    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        video = build_room(
            RoomSettings(width=1280, height=720, seconds=30.0 if SOAK else 6.0, fps=5), Path(folder)
        ).video
        for frame in open_source(video, FrameSettings(fps=1 / STEP)).frames():
            file = io.BytesIO()
            Pictures.fromarray(frame.image).save(file, format="JPEG", quality=85)
            pictures.append(file.getvalue())
    return pictures


def memory() -> float:
    """Return the megabytes that this process holds; NaN where the system does not say."""
    if not MEMORY.exists():
        return float("nan")
    return int(MEMORY.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Run until somebody kills it, or so many frames were looked at."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--frames", type=int, help="default: without end")
    parser.add_argument("--faces", type=int, default=FACES)
    parser.add_argument("--pace", type=float, default=0.005, help="seconds from one frame to the next, at least")
    parser.add_argument("--real", action="store_true", help="a synthetic class, seen by the real networks")
    chosen = parser.parse_args()
    shown: list[bytes | Image] = [*room()] if chosen.real else [np.zeros((90, 160, 3), np.uint8)]
    pictures = itertools.cycle(shown)
    moment = [100.0]
    if not chosen.real:
        script(chosen.faces, moment)
    settings = WatchSettings(every=STEP / 2, source=LiveSettings(fps=1000.0))
    source = PushSource("page", settings.source)
    request = LiveRequest(name="Physics", purpose="self-study", settings=settings)
    lesson = LiveLesson(LessonStore(chosen.store), source, request)
    version = 0
    for frame in itertools.count() if chosen.frames is None else range(chosen.frames):
        due = time.monotonic() + chosen.pace
        moment[0] += STEP
        source.push(next(pictures), moment[0])
        view = lesson.wait(version, 60)
        if view.version == version or lesson.over:
            sys.exit(view.error or "no frame was looked at in a minute")
        version = view.version
        sys.stdout.write(f"{frame} {time.monotonic()} {time.process_time()} {memory()}\n")
        sys.stdout.flush()
        time.sleep(max(0.0, due - time.monotonic()))
    lesson.stop()


if __name__ == "__main__":
    main()
