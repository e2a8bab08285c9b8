"""A long lesson ends as it began: nothing lost, no slower, no larger. Minutes here; hours with `make soak`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.soak.child import MEMORY, STEP
from tests.soak.harness import SOAK, check_whole, child

from roomread.app.analyze import open_lesson
from roomread.store.lessons import LessonStore
from roomread.types import NOT_ANALYSED, Array

HOURS = 8.0 if SOAK else 0.05  # of the lesson, with scripted faces; faster than they pass
MINUTES = 20.0 if SOAK else 0.1  # of the lesson and by the clock, with the real networks
FACES = 30
GROWTH = 1.02 if SOAK else 1.3  # of memory, from the second tenth of a run to its last
SLOWING = 1.1 if SOAK else 2.0  # likewise of the processor time for a frame

pytestmark = pytest.mark.soak


def run(path: Path, frames: int, *options: object) -> Array:
    """Run a lesson to its end; return what was told of each frame: number, clock, processor seconds, megabytes."""
    with child("-m", "tests.soak.child", path, "--frames", frames, *options) as process:
        assert process.stdout is not None
        told = table(process.stdout)
        assert process.wait(600) == 0
    assert_array_equal(told[:, 0], np.arange(frames))
    return told


def table(lines: Iterable[str]) -> Array:
    """Return the numbers of lines as float64, a row for each."""
    return np.array([[float(word) for word in line.split()] for line in lines])


def check_flat(told: Array) -> None:
    """Fail where the last tenth of a run held more memory or took longer than the second, when all had been begun."""
    tenth = len(told) // 10
    early, late = told[tenth : 2 * tenth], told[-tenth:]
    if MEMORY.exists():
        assert np.median(late[:, 3]) <= GROWTH * np.median(early[:, 3])
    assert np.ptp(late[:, 2]) <= SLOWING * np.ptp(early[:, 2])


def test_hours_of_a_full_class_lose_no_second_and_end_as_they_began(tmp_path: Path) -> None:
    path, frames = tmp_path / "lessons.sqlite", round(HOURS * 3600 / STEP)
    told = run(path, frames, "--faces", FACES, "--pace", 0)
    check_whole(path)
    store = LessonStore(path)
    (lesson,) = store.lessons()
    assert (lesson.state, lesson.notes) == ("complete", ())
    readings = store.readings(lesson)
    assert_allclose(readings.times, np.arange(frames) * STEP, atol=1e-6)
    assert_array_equal(np.bincount(readings.frames, minlength=frames), FACES)
    summary = open_lesson("last", path).summary()
    assert not (summary.timeline.status == NOT_ANALYSED).any()
    assert summary.n_seats == FACES
    check_flat(told)


def test_real_networks_take_no_more_memory_and_time_the_longer_they_look(tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="The synthetic class is missing: pip install 'roomread[demo]'")
    path, frames = tmp_path / "lessons.sqlite", round(MINUTES * 60 / STEP)
    told = run(path, frames, "--real", "--pace", STEP)
    (lesson,) = LessonStore(path).lessons()
    assert (lesson.state, lesson.notes) == ("complete", ())
    check_flat(told)
