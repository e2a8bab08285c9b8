"""The parts of benchmarks/scale.py that analyse: over workers, in pieces, and while workers are killed."""

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from speed import repeated

from roomread.app.analyze import AnalyzeSettings, analyze
from roomread.app.batch import BatchSettings, batch, working
from roomread.app.joining import Order, Run
from roomread.app.observing import Observer
from roomread.app.panel import mapping_of, panel
from roomread.app.sources import Entry
from roomread.engagement.aggregate import overall, timeline
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Readings

LOOP = 32.0  # seconds of the room that is built; longer films show it again and again
BIN = 10.0  # seconds
TRIES = 20  # of a piece, so that all are seen in the end however often workers are killed
ONE = AnalyzeSettings(threads=1)
SIDES = {"analyze": 0, "one_worker": 1, "two_workers": 2}  # and how many workers each has


def over_workers(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure hours of video per core-hour, what a second worker brings, and what giving out costs."""
    with tempfile.TemporaryDirectory() as folder:
        video = film(chosen, Path(folder))
        taken: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for turn in range(chosen.turns):
            for side in list(SIDES)[:: -1 if turn % 2 else 1]:
                command = [sys.executable, __file__, side, str(video), str(chosen.piece)]
                made = subprocess.run(command, capture_output=True, text=True, check=True)
                taken[side].append(json.loads(made.stdout))
        work = {side: statistics.median(one["work_s"] for one in runs) for side, runs in taken.items()}
        video_s = seconds_of(video)
    return {
        "video_s": video_s,
        **{f"{side}_s": seconds for side, seconds in work.items()},
        "ray_start_s": statistics.median(one["start_s"] for one in taken["one_worker"] + taken["two_workers"]),
        "join_cpu_s_an_hour": 3600 * statistics.median(one["own_cpu_s"] for one in taken["one_worker"]) / video_s,
        "worker_mb": max(one["worker_mb"] for one in taken["one_worker"] + taken["two_workers"]),
        "hours_per_core_hour": video_s / work["one_worker"],
        "hours_per_core_hour_of_two": video_s / work["two_workers"] / 2,
        "speed_up": work["one_worker"] / work["two_workers"],
        "overhead": work["one_worker"] / work["analyze"] - 1,
    }


def one_side(side: str, video: Path, piece: float) -> dict[str, float]:
    """Analyse a video in this process; return seconds of the work, and of Ray's start, which is apart."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as held:
        db, start = Path(folder) / "b.sqlite", 0.0
        how = BatchSettings(settings=ONE, workers=SIDES[side] or None, piece=piece)
        if SIDES[side]:
            before = time.perf_counter()
            held.enter_context(working(how))
            start = time.perf_counter() - before
        sizes = held.enter_context(watching())
        before, begun = time.perf_counter(), time.process_time()
        if SIDES[side]:
            (outcome,) = batch(video, purpose="research", reference="benchmark", db=db, how=how)
            if outcome.broken:
                raise SystemExit(outcome.reason)
        else:
            analyze(video, purpose="research", reference="benchmark", db=db, settings=ONE)
        own = time.process_time() - begun
        return {
            "work_s": time.perf_counter() - before,
            "start_s": start,
            "own_cpu_s": own,
            "worker_mb": max(sizes, default=0.0),
        }


@contextlib.contextmanager
def watching() -> Iterator[list[float]]:
    """Yield a list to which, every second, the megabytes that each worker at work holds are added."""
    held: list[float] = []
    with repeating(lambda: 1.0, lambda: held.extend(megabytes for _, megabytes in at_work())):
        yield held


class Inline:
    """Works at once, in this process."""

    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]:
        """Work."""
        done: Future[Any] = Future()
        done.set_result(work(*given))
        return done


def in_pieces(chosen: argparse.Namespace) -> dict[str, Any]:
    """Compare a lesson that was joined of pieces with the whole: seats, scores, and the class over time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video, store = film(chosen, folder), LessonStore(folder / "p.sqlite")
        whole = analyze(video, purpose="research", reference="benchmark", db=folder / "p.sqlite", settings=ONE).lesson
        order = Order(
            purpose="research",
            reference="benchmark",
            settings=ONE,
            made_with=Observer(ONE, side_by_side=True).made_with(),
            seconds=chosen.piece,
            workers=1,
        )
        Run(order, store, Inline()).go([Entry(video)])
        joined = store.find("last")
        one, other = store.readings(whole), store.readings(joined)
        read, wanted = (np.isfinite(each.signals[:, 0]) for each in (other, one))
        figures: dict[str, Any] = {
            "video_s": joined.duration,
            "pieces": float(joined.made_with.get("pieces", {"joined": 1})["joined"]),
            "faces": float(len(one)),
            **{f"same_{field}": float(alike(one, other, field)) for field in ("times", "boxes", "seats", "emotions")},
            "signals_read": float(wanted.sum()),
            "signals_read_in_pieces": float(read.sum()),
            "signals_at_the_same_moment": float((read & wanted).sum()),
        }
        return figures | {f"engagement_{name}": differing(one, other, whole, name) for name in panel()}


def differing(one: Readings, other: Readings, lesson: Lesson, name: str) -> dict[str, float]:
    """Return by how much the class's engagement differs in bins of BIN seconds, and over the lesson."""
    mapping = mapping_of(lesson, name)
    lines = [timeline(readings, mapping.score, BIN) for readings in (one, other)]
    lesson_long = [overall(readings, mapping.score).engagement for readings in (one, other)]
    apart = np.abs(lines[0].engagement - lines[1].engagement)
    return {
        "bins": float(np.isfinite(apart).sum()),
        "mean": float(np.nanmean(apart)),
        "most": float(np.nanmax(apart)),
        "lesson": abs(lesson_long[1] - lesson_long[0]),
    }


def alike(one: Readings, other: Readings, field: str) -> bool:
    """Return whether a column is the same, bit for bit."""
    return bool(np.array_equal(getattr(one, field), getattr(other, field), equal_nan=True))


def under_kills(chosen: argparse.Namespace) -> dict[str, Any]:
    """Analyse many short videos, once in peace and once while workers are killed, and compare the lessons."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos, how = (
            short_films(film(chosen, folder), folder, chosen.videos),
            BatchSettings(settings=ONE, workers=chosen.workers, tries=TRIES),
        )
        stores, taken, killed, broken = [], [], list[int](), 0
        with working(how):
            for kills in (False, True):
                db, before = folder / f"{kills}.sqlite", time.perf_counter()
                with killing(chosen.every, killed) if kills else contextlib.nullcontext():
                    outcomes = batch(videos, purpose="research", reference="benchmark", db=db, how=how)
                taken.append(time.perf_counter() - before)
                stores.append(LessonStore(db))
                broken += sum(outcome.broken for outcome in outcomes)
        peace, war = ({lesson.source: store.readings(lesson) for lesson in store.lessons()} for store in stores)
        fields = Readings.__dataclass_fields__
        same = [all(alike(peace[each], war[each], field) for field in fields) for each in peace if each in war]
        return {
            "videos": float(len(videos)),
            "kills": float(len(killed)),
            "broken": float(broken),
            "lessons": float(len(stores[1].lessons())),
            "once_each": float(len(war) == len(stores[1].lessons()) == len(videos)),
            "the_same": float(sum(same)),
            "in_peace_s": taken[0],
            "under_kills_s": taken[1],
        }


@contextlib.contextmanager
def killing(every: float, killed: list[int]) -> Iterator[None]:
    """Kill a worker of this process that is at work, at random moments so many seconds apart on average."""
    noise = random.Random(0)

    def kill() -> None:
        busy = [process for process, _ in at_work()]
        if busy:
            killed.append(noise.choice(busy))
            with contextlib.suppress(ProcessLookupError):
                os.kill(killed[-1], signal.SIGKILL)

    with repeating(lambda: noise.expovariate(1 / every), kill):
        yield


@contextlib.contextmanager
def repeating(wait: Callable[[], float], step: Callable[[], object]) -> Iterator[None]:
    """Do something again and again beside the block, each time after so many seconds."""
    over = threading.Event()

    def go() -> None:
        while not over.wait(wait()):
            step()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def at_work() -> list[tuple[int, float]]:
    """Return the workers below this process that look at a video now, and the megabytes that each holds."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,rss,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()[1:]]
    parents = {int(row[0]): int(row[1]) for row in rows}

    def ours(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == os.getpid():
                return True
        return False

    looking = [row for row in rows if row[3].startswith("ray::look_at") and ours(int(row[0]))]
    return [(int(row[0]), int(row[2]) / 1024) for row in looking]


def film(chosen: argparse.Namespace, folder: Path) -> Path:
    """Return the video of --data, or a synthetic room of 30 faces that is shown again and again for --minutes."""
    if chosen.data is not None:
        return Path(chosen.data)
    from roomread.demo import RoomSettings, build_room

    wanted = 60 * chosen.minutes
    room = RoomSettings(width=chosen.width, height=chosen.width * 9 // 16, seats=30, fps=15, seconds=min(LOOP, wanted))
    built = build_room(room, folder / "room").video
    return built if wanted <= LOOP else repeated(built, LOOP, round(wanted / LOOP))


def short_films(video: Path, folder: Path, n: int) -> list[Path]:
    """Write so many films of two seconds: stretches of a video, each told from all others by a mark in its corner."""
    pictures = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            pictures.append(frame.reformat(640, 360, "rgb24").to_ndarray())
            if len(pictures) == 300:
                break
    made = []
    for number in range(n):
        made.append(folder / f"film-{number:04}.mp4")
        with av.open(str(made[-1]), "w") as target:
            stream = target.add_stream("mpeg4", rate=Fraction(15))
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 360, "yuv420p", 2_000_000
            for place in range(30):
                picture = pictures[(number * 7 + place) % len(pictures)].copy()
                picture[:8, : 8 * 16] = 255 * np.repeat([number >> bit & 1 for bit in range(16)], 8)[None, :, None]
                target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            target.mux(stream.encode(None))
    return made


def seconds_of(video: Path) -> float:
    """Return the length of a video."""
    with av.open(str(video)) as container:
        return (container.duration or 0) / av.time_base


if __name__ == "__main__":
    print(json.dumps(one_side(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
