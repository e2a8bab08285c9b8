"""A lesson cannot be taught again: what a killed process, or a machine without power, leaves behind.

A few rounds here, 200 of each with `make soak`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tests.soak.child import FACES, STEP, seen_at
from tests.soak.harness import SOAK, check_whole, child

from roomread.app.analyze import open_lesson
from roomread.store.lessons import LessonStore

ROUNDS = 200 if SOAK else 3
ROUNDS_OF_ONE = 20  # losses of power of one lesson; a longer one only takes longer to check
LOST = 1.0  # seconds of what was seen that a kill may take
PAGE = 4096  # bytes of the store; what a disk writes at once is less
LOG_HEAD, FRAME_HEAD = 32, 24  # bytes before the write-ahead log's frames, and before the page in each
FOLDED = 96  # byte of the log's index at which stands how many frames were folded in; see SQLite's file format

pytestmark = pytest.mark.soak


def seen_by(process: subprocess.Popen[str], seconds: float) -> list[tuple[int, float]]:
    """Return the frames that a child says it has looked at, with its clock, and kill it after so many seconds."""
    told: list[tuple[int, float]] = []
    assert process.stdout is not None
    end = None
    for line in process.stdout:
        frame, clock, *_ = line.split()
        told.append((int(frame), float(clock)))
        end = time.monotonic() + seconds if end is None else end
        if time.monotonic() > end and process.poll() is None:
            process.kill()
    return told


def kept_of(path: Path) -> int:
    """Return how many frames the store's one lesson holds, after checking that they are the first ones, unchanged."""
    store = LessonStore(path)
    (lesson,) = store.lessons()
    readings = store.readings(lesson)
    n = len(readings.times)
    np.testing.assert_allclose(readings.times, np.arange(n) * STEP, atol=1e-6)
    assert_array_equal(np.bincount(readings.frames, minlength=n), np.full(n, FACES))
    expected = np.concatenate([seen_at(moment).emotions for moment in readings.times])
    assert_array_equal(readings.emotions, expected)
    assert lesson.duration > 0
    return n


def test_a_killed_live_lesson_keeps_what_was_seen_until_a_second_before(tmp_path: Path) -> None:
    chance = random.Random(0)
    for number in range(ROUNDS):
        path = tmp_path / f"{number}.sqlite"
        with child("-m", "tests.soak.child", path) as process:
            told = seen_by(process, chance.uniform(0.05, 3.0))
        died = told[-1][1]
        check_whole(path)
        must = sum(clock <= died - LOST for _, clock in told)
        assert must <= kept_of(path) <= len(told) + 1
        assert open_lesson("last", path).report(tmp_path / "report.html").exists()
        path.unlink()


def test_a_store_whose_last_writes_never_reached_the_disk_is_whole_and_holds_the_beginning(tmp_path: Path) -> None:
    chance = random.Random(1)
    for first in range(0, ROUNDS, ROUNDS_OF_ONE):
        path = tmp_path / f"{first}.sqlite"
        with child("-m", "tests.soak.child", path) as process:
            assert process.stdout is not None
            process.stdout.readline()  # so that the store is there
            threading.Thread(target=process.stdout.read, daemon=True).start()  # so that the pipe never fills
            for _ in range(min(ROUNDS_OF_ONE, ROUNDS - first)):
                # While somebody looks, the log is not folded in at once. Anew each time: reading the files below lets
                # go of this process's locks on them.
                with closing(sqlite3.connect(path)) as viewer:
                    viewer.execute("SELECT count(*) FROM lessons").fetchall()
                    time.sleep(chance.uniform(0.5, 2.0))
                    process.send_signal(signal.SIGSTOP)
                    os.waitpid(process.pid, os.WUNTRACED)  # until all its threads stand still
                    held = {end: Path(f"{path}{end}").read_bytes() for end in ("", "-wal", "-shm")}
                    process.send_signal(signal.SIGCONT)
                lose_power(held, tmp_path / "after", chance)


def lose_power(held: dict[str, bytes], folder: Path, chance: random.Random) -> None:
    """Write a store as a disk without power may leave it, and check that it is whole and holds the beginning.

    Either the end of the log did not reach the disk, or all of it did and pages that were being folded in are torn.
    What was folded in already had reached the disk before.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    log, pages = held["-wal"], bytearray(held[""])
    if chance.random() < 0.5:
        folded = int.from_bytes(held["-shm"][FOLDED : FOLDED + 4], sys.byteorder)
        cut = chance.randrange(min(LOG_HEAD + folded * (FRAME_HEAD + PAGE), len(log)), len(log) + 1)
        log = log[:cut] + chance.choice((b"", bytes(len(log) - cut), chance.randbytes(len(log) - cut)))
    else:
        for start, number in finished(log):
            at = (number - 1) * PAGE
            written = chance.randrange(0, PAGE, 512)
            pages.extend(bytes(max(0, at + PAGE - len(pages))))
            pages[at : at + written] = log[start : start + written]
    path = folder / "lessons.sqlite"
    path.write_bytes(pages)
    (folder / "lessons.sqlite-wal").write_bytes(log)
    check_whole(path)
    if LessonStore(path).lessons():
        kept_of(path)


def finished(log: bytes) -> list[tuple[int, int]]:
    """Return where in a log the pages of finished writes lie, and their numbers; what lies behind is older."""
    found, sure = list[tuple[int, int]](), 0
    for start in range(LOG_HEAD, len(log) - FRAME_HEAD - PAGE + 1, FRAME_HEAD + PAGE):
        if log[start + 8 : start + 16] != log[16:24]:
            break
        found.append((start + FRAME_HEAD, int.from_bytes(log[start : start + 4], "big")))
        if any(log[start + 4 : start + 8]):
            sure = len(found)
    return found[:sure]


def test_commits_reach_the_disk_before_they_count(tmp_path: Path) -> None:
    with LessonStore(tmp_path / "lessons.sqlite").transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL: the log is flushed each time


def test_a_killed_analysis_opens_and_reports(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    chance = random.Random(2)
    clip = write_video(tmp_path / "class.mp4", [np.full((90, 160, 3), level, np.uint8) for level in range(200)], 25)
    for number in range(max(2, ROUNDS // 10)):
        path = tmp_path / f"{number}.sqlite"
        with child("-m", "roomread", "analyze", clip, "--purpose", "research", "--db", path, "--fps", 25) as process:
            while not path.exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 4.0))
            process.kill()
        check_whole(path)
        for lesson in LessonStore(path).lessons():
            assert open_lesson(lesson.number, path).report(tmp_path / "report.html").exists()
