"""What a store takes and gives: the part `store` of scale.py; run by itself it is one of several rooms that write."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from made_up import lesson_of_hour, made_up

from roomread.app.overviews import kept_overview
from roomread.app.panel import mapping_of
from roomread.review.overview import overview, overview_key
from roomread.store.lessons import LessonStore
from roomread.store.privacy import open_gate
from roomread.store.summaries import Kept, write_summary
from roomread.types import Lesson, Observation

FPS, SECONDS, COURSE = 5, 3600, 40
MINUTE = 60 * FPS  # frames


def store(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure writing and reading."""
    with place(chosen.db) as named:
        kept = LessonStore(named)
        seen = made_up(SECONDS, FPS)
        begun = time.process_time()
        lesson, minutes = write(kept, seen, MINUTE)
        own = time.process_time() - begun
        other, seconds = write(kept, seen[: 2 * MINUTE], FPS)
        kept.delete(other)
        try:
            return {
                "store": kept.name,
                "write": {
                    "rows": float(rows_of(seen)),
                    "minutes_rows_s": rows_of(seen) / sum(minutes),
                    "minutes_rows_cpu_s": rows_of(seen) / own,
                    "seconds_rows_s": rows_of(seen[: 2 * MINUTE]) / sum(seconds),
                    "second_ms": 1000 * statistics.median(seconds),
                    "worst_second_ms": 1000 * max(seconds),
                },
                "rooms": {"rooms": float(chosen.rooms), "rows_s": rooms(named, chosen.rooms)},
                "hour": look(kept, lesson, chosen.turns),
                "course": course(kept, lesson, chosen.turns),
            }
        finally:
            kept.delete(lesson)


@contextmanager
def place(named: str | None) -> Iterator[str]:
    """Yield what was named, or a file that goes afterwards."""
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "lessons.sqlite")


def rows_of(seen: list[Observation]) -> int:
    """Return how many faces were seen."""
    return sum(len(one.tracks) for one in seen)


def write(kept: LessonStore, seen: list[Observation], frames: int) -> tuple[Lesson, list[float]]:
    """Write a lesson so many frames at a time, and return it with the seconds of each time."""
    lesson, taken = kept.add(lesson_of_hour(0, 1, SECONDS)), []
    for start in range(0, len(seen), frames):
        before = time.perf_counter()
        kept.append(lesson, seen[start : start + frames])
        taken.append(time.perf_counter() - before)
    return lesson, taken


def rooms(named: str, n: int) -> float:
    """Return the rows a second of so many processes that write at once; what they wrote is deleted."""
    command = [sys.executable, __file__, named]
    about: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, **about) for _ in range(n)]
    for room in started:
        room.stdout.readline()  # type: ignore[union-attr]  # it has made its lesson up
    before = time.perf_counter()
    for room in started:
        room.stdin.write("go\n")  # type: ignore[union-attr]
        room.stdin.flush()  # type: ignore[union-attr]
    told = [[int(word) for word in room.communicate()[0].split()] for room in started]
    taken = time.perf_counter() - before
    kept = LessonStore(named)
    for number, _ in told:
        kept.delete(kept.numbered(number))
    return sum(rows for _, rows in told) / taken


def room(named: str) -> None:
    """Write a quarter of an hour when told to: one of several processes."""
    seen = made_up(SECONDS // 4, FPS)
    print(flush=True)
    input()
    lesson, _ = write(LessonStore(named), seen, MINUTE)
    print(lesson.number, rows_of(seen))


def look(kept: LessonStore, lesson: Lesson, turns: int) -> dict[str, float]:
    """Return the milliseconds until the class over time of an hour is there."""
    mapping = mapping_of(lesson)
    made = overview(open_gate(kept, lesson), mapping)
    write_summary(kept, lesson, mapping.name, Kept(overview_key(lesson, mapping), *made.as_stored()))
    steps = {
        "kept": lambda: kept_overview(kept, lesson, mapping),
        "rows": lambda: kept.readings(lesson),
        "made": lambda: overview(open_gate(kept, lesson), mapping),
    }
    figures = {}
    for name, step in steps.items():
        figures[f"{name}_ms"], figures[f"{name}_cpu_ms"] = (1000 * seconds for seconds in seconds_of(step, turns))
    return figures


def course(kept: LessonStore, lesson: Lesson, turns: int) -> dict[str, float]:
    """Return the seconds until the class over time of a course is there; its lessons all look alike."""
    mapping = mapping_of(lesson)
    stored = overview(open_gate(kept, lesson), mapping).as_stored()
    lessons = [kept.add(lesson_of_hour(number, COURSE, SECONDS)) for number in range(COURSE)]
    for one in lessons:
        write_summary(kept, one, mapping.name, Kept(overview_key(one, mapping), *stored))
    taken, own = seconds_of(lambda: [kept_overview(kept, one, mapping) for one in lessons], turns)
    for one in lessons:
        kept.delete(one)
    return {"lessons": float(COURSE), "kept_s": taken, "kept_cpu_s": own}


def seconds_of(step: Callable[[], object], turns: int) -> tuple[float, float]:
    """Return the medians of the seconds that something takes, by the clock and of this process's own time."""
    taken, own = [], []
    for _ in range(turns):
        before, begun = time.perf_counter(), time.process_time()
        step()
        taken.append(time.perf_counter() - before)
        own.append(time.process_time() - begun)
    return statistics.median(taken), statistics.median(own)


if __name__ == "__main__":
    room(sys.argv[1])
