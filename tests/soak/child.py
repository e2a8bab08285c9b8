"""A live lesson of seven scripted faces in a process that is going to be killed.

python -m tests.soak.child STORE [FRAMES]: prints the number of each frame and this process's clock once it was looked
at.
After so many frames it ends by itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from roomread.app import observing
from roomread.app.live import LiveLesson, LiveRequest
from roomread.app.watching import WatchSettings
from roomread.store.lessons import LessonStore
from roomread.types import N_EMOTIONS, N_SIGNALS, Frame, Observation, Tracks
from roomread.watch.livesource import LiveSettings
from roomread.watch.push import PushSource

FACES = 7
STEP = 0.2  # seconds of the lesson from one frame to the next; they come as fast as they can be looked at


def observe(frames: Iterator[Frame], *_: object) -> Iterator[tuple[Frame, Observation]]:
    """Yield the faces that `seen_at` tells of."""
    for frame in frames:
        yield frame, seen_at(frame.time, frame.index)


def seen_at(moment: float, index: int) -> Observation:
    """Return what a frame shows, which its time decides."""
    chance = np.random.default_rng(round(moment * 1000))
    boxes = np.array([[20 * k, 10, 20 * k + 15, 30] for k in range(FACES)], np.float32)
    tracks = Tracks(np.arange(1, FACES + 1), boxes, np.ones(FACES, np.float32))
    emotions = chance.dirichlet(np.ones(N_EMOTIONS), FACES).astype(np.float32)
    return Observation(moment, index, tracks, emotions, np.ones(FACES, np.float32), np.full((FACES, N_SIGNALS), 0.5))


def main() -> None:
    """Run until somebody kills it, or so many frames were looked at."""
    observing.observe = observe  # type: ignore[assignment, attr-defined]
    settings = WatchSettings(every=STEP / 2, source=LiveSettings(fps=1000.0))
    source = PushSource("page", settings.source)
    request = LiveRequest(name="Physics", purpose="self-study", settings=settings)
    lesson = LiveLesson(LessonStore(Path(sys.argv[1])), source, request)
    picture = np.zeros((90, 160, 3), np.uint8)
    version = frame = 0
    while len(sys.argv) < 3 or frame < int(sys.argv[2]):
        source.push(picture, 100 + frame * STEP)
        view = lesson.wait(version, 60)
        if view.version == version or lesson.over:
            sys.exit(view.error or "no frame was looked at in a minute")
        version = view.version
        sys.stdout.write(f"{frame} {time.monotonic()}\n")
        sys.stdout.flush()
        frame += 1
        time.sleep(0.005)
    lesson.stop()


if __name__ == "__main__":
    main()
