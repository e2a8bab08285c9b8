"""Many recordings to lessons: joined as if each had been looked at whole, each exactly once, whatever happens."""

import contextlib
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from roomread.app import pieces
from roomread.app.analyze import AnalyzeSettings, analyze
from roomread.app.batch import BatchSettings, RayPool, batch
from roomread.app.joining import AHEAD, Order, Run
from roomread.app.panel import find_mapping
from roomread.app.sources import Entry
from roomread.engagement.aggregate import timeline
from roomread.errors import MissingExtraError, SettingsError, SourceError, StoreBusyError
from roomread.store.batches import STALE, Batches
from roomread.store.lessons import LessonStore
from roomread.types import N_EMOTIONS, Observation, Tracks
from roomread.watch.signals import SignalReader
from roomread.watch.track import SeatTracker

FPS, SECONDS, PIECE = 10, 9, 2.4  # of the film; a key frame is every 1.2 s
SETTINGS = AnalyzeSettings(threads=1, fps=5.0)
MADE_WITH = {"roomread": "0", "mesh": {"name": "m", "sha256": "00"}}


class Looking:
    """Takes the place of `Observer`: a room of six who sway, one of whom is away for a while, and one who walks by."""

    def __init__(self, *_, **__):
        self.forget()

    def forget(self):
        self.tracker, self.signals = SeatTracker(), SignalReader(self)

    @property
    def notes(self):
        return self.tracker.notes

    def made_with(self):
        return MADE_WITH

    def read(self, image, boxes, points):
        slow = np.sin(self.now / 2 + boxes[:, 1] / 50)
        signals = np.tile(np.array([0.9, 0, 5, 0, 0.3, 0, 0.02, 0.2, 0.1, 0.05, 0.15], np.float32), (len(boxes), 1))
        signals[:, 1] = 30 * slow  # degrees, turned to and fro
        return signals

    def observe(self, frames):
        for frame in frames:
            noise, time = np.random.default_rng(frame.index), frame.time
            self.now = time
            middles = np.array([[100 * seat, 100 + 100 * (seat % 2)] for seat in range(1, 7)], float)
            middles += noise.normal(0, 2, middles.shape)
            if 3 < time < 5:
                middles = np.delete(middles, 2, axis=0)
            middles = np.vstack([middles, [[-100 + 120 * time, 300.0]]])
            boxes = np.hstack([middles - 20, middles + 20]).astype(np.float32)
            scores = np.full(len(boxes), 0.9, np.float32)
            tracks = Tracks(self.tracker.update(boxes, time), boxes, scores)
            emotions = noise.dirichlet(np.ones(N_EMOTIONS), len(boxes)).astype(np.float32)
            signals = self.signals.read(
                frame.image, boxes, np.zeros((len(boxes), 5, 2)), self.signals.due(tracks.seats, time)
            )
            yield frame, Observation(time, frame.index, tracks, emotions, scores, signals)


class Inline:
    """Works at once, here; `before` is called with the number of each piece of work and may raise."""

    def __init__(self):
        self.before, self.n, self.most, self.open = (lambda number: None), 0, 0, []

    def submit(self, work, /, *given):
        future = Future[Any]()
        self.n += 1
        try:
            self.before(self.n)
            future.set_result(work(*given))
        except SourceError as error:
            future.set_exception(error)
        return future


class Backwards(Inline):
    """Has done the newest work first, and nothing before `workers` + AHEAD of it wait."""

    one_at_a_time = threading.Lock()

    def submit(self, work, /, *given):
        future = Future[Any]()
        self.open.append((future, work, given))
        self.most = max(self.most, len(self.open))
        if len(self.open) == 2 + AHEAD or work is not pieces.look_at:
            self.flush()
        else:
            threading.Timer(0.2, self.flush).start()
        return future

    def flush(self):
        with self.one_at_a_time:  # as what looks is not made for several threads, and timers may meet
            while self.open:
                future, work, given = self.open.pop()
                future.set_result(work(*given))


@pytest.fixture(autouse=True)
def looking(request, monkeypatch):
    if "ray" not in request.fixturenames:  # whose workers are other processes
        monkeypatch.setattr("roomread.app.analyze.Observer", Looking)
        monkeypatch.setattr("roomread.app.pieces.Observer", Looking)
    pieces._opened.cache_clear()
    yield
    pieces._opened.cache_clear()


@pytest.fixture(scope="module")
def film(tmp_path_factory, write_video):
    """A function that writes a film whose content is its number, and returns its path."""
    folder = tmp_path_factory.mktemp("films")

    def write(number, seconds=SECONDS):
        path = folder / f"film-{number}-{seconds}.mp4"
        if not path.exists():
            write_video(path, [np.full((48, 64, 3), 20 * number, np.uint8)] * round(FPS * seconds), FPS)
        return path

    return write


def order(**changes):
    values: dict[str, Any] = {
        "purpose": "research", "reference": "R1", "settings": SETTINGS, "made_with": MADE_WITH, "seconds": PIECE,
        "workers": 2,
    }  # fmt: skip
    return Order(**(values | changes))


def run(store, *paths, pool=None, **changes):
    return Run(order(**changes), store, pool or Inline()).go([Entry(path) for path in paths])


def whole(path, tmp_path, settings=SETTINGS):
    """Return the readings and the record of the film as `analyze` makes them."""
    handle = analyze(path, purpose="research", reference="R1", db=tmp_path / "whole.sqlite", settings=settings)
    return LessonStore(tmp_path / "whole.sqlite").readings(handle.lesson), handle.lesson


def same(one, other, but=()):
    names = {field.name for field in dataclasses.fields(one)} - set(but)
    return [
        name for name in names if not np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
    ] == []


def test_a_film_in_pieces_has_the_frames_boxes_expressions_and_seats_of_the_whole(store, tmp_path, film):
    (outcome,) = run(store, film(1))
    readings, lesson = whole(film(1), tmp_path)
    found = store.numbered(outcome.lesson)
    assert found.made_with["pieces"]["joined"] > 2
    assert same(store.readings(found), readings, but=["signals"])
    assert (found.duration, found.notes, found.state) == (lesson.duration, lesson.notes, "complete")
    assert (outcome.state, outcome.reason, outcome.seconds) == ("complete", "", pytest.approx(SECONDS))


def test_signals_in_pieces_are_read_as_often_and_never_of_a_face_without_a_seat(store, tmp_path, film):
    run(store, film(1))
    readings, _ = whole(film(1), tmp_path)
    found = store.readings(store.find("last"))
    read, wanted = (np.isfinite(each.signals[:, 0]) for each in (found, readings))
    assert not read[found.seats == 0].any()
    n_pieces, n_seats = store.find("last").made_with["pieces"]["joined"], 7
    assert abs(int(read.sum()) - int(wanted.sum())) <= n_pieces * n_seats


@pytest.mark.parametrize(("name", "most"), [("sharma", 0.0), ("glance", 0.02)])
def test_the_engagement_of_pieces_is_that_of_the_whole_to_a_tolerance(store, tmp_path, film, name, most):
    run(store, film(1), seconds=1.2)
    readings, _ = whole(film(1), tmp_path)
    score = find_mapping(name).score
    lines = [timeline(each, score, 3.0) for each in (readings, store.readings(store.find("last")))]
    assert np.isfinite(lines[0].engagement).all()
    assert abs(lines[0].engagement - lines[1].engagement).max() <= most


def test_a_film_that_is_one_piece_is_the_whole_signals_and_all(store, tmp_path, film):
    run(store, film(1), seconds=300.0)
    assert same(store.readings(store.find("last")), whole(film(1), tmp_path)[0])


def test_pieces_may_come_in_any_order_and_few_are_under_way(store, tmp_path, film):
    pool = Backwards()
    run(store, film(1), film(2), pool=pool, seconds=1.2)
    readings, _ = whole(film(1), tmp_path)
    assert same(store.readings(store.find("film-1-9")), readings, but=["signals"])
    assert len(store.lessons()) == 2
    assert pool.most <= 2 + AHEAD


def test_the_same_run_again_does_nothing(store, film):
    first = run(store, film(1), film(2))
    pool = Inline()
    again = run(store, film(1), film(2), film(1).parent / ".." / film(1).parent.name / film(2).name, pool=pool)
    assert [outcome.state for outcome in again] == ["known"] * 3
    assert [outcome.lesson for outcome in again[:2]] == [outcome.lesson for outcome in first]
    assert pool.n == 0 and len(store.lessons()) == 2


@pytest.mark.parametrize("ends", [KeyboardInterrupt, ZeroDivisionError], ids=["by hand", "by a crash"])
def test_a_run_that_ended_early_is_gone_on_with_at_its_next_piece(store, tmp_path, film, ends, monkeypatch):
    def stop(number):
        if number == 4:  # where to cut, and two pieces
            raise ends

    pool = Inline()
    pool.before = stop
    monkeypatch.setattr("roomread.app.joining.AHEAD", -1)  # one piece at a time
    with contextlib.suppress(ZeroDivisionError):
        (outcome,) = run(store, film(1), pool=pool)
        assert outcome.state == "stopped"
    half = store.find("last")
    assert half.state == ("stopped" if ends is KeyboardInterrupt else "running")
    assert 0 < half.duration < SECONDS - 2
    if ends is ZeroDivisionError:  # as if its process had gone
        monkeypatch.setattr("roomread.store.batches._may_live", lambda owner: False)
    pool = Inline()
    run(store, film(1), pool=pool, seconds=99.0)  # pieces stay as long as they were
    readings, lesson = whole(film(1), tmp_path)
    found = store.find("last")
    assert found.number == half.number
    assert same(store.readings(found), readings, but=["signals"])
    assert (found.state, found.duration, found.notes) == ("complete", lesson.duration, lesson.notes)
    assert pool.n == 1 + found.made_with["pieces"]["joined"] - 2
    assert len(store.lessons()) == 1


def test_a_lesson_that_is_deleted_while_its_files_are_written_costs_itself_alone(store, film):
    def finished(number, entry):
        if entry.path == film(1):
            store.delete(store.numbered(number))

    gone, kept = run(store, film(1), film(2), finished=finished)
    assert (gone.state, gone.lesson, gone.broken) == ("failed", None, True)
    assert gone.reason.endswith("was deleted meanwhile. The same batch makes it anew.")
    assert kept.state == "complete" and [lesson.number for lesson in store.lessons()] == [kept.lesson]
    assert [outcome.state for outcome in run(store, film(1), film(2))] == ["known", "complete"]


def test_a_run_that_ended_after_the_last_piece_is_ended_by_the_next(store, film, monkeypatch):
    def crash(work):
        raise ZeroDivisionError

    for seconds in (PIECE, 300.0):
        with monkeypatch.context() as broken, contextlib.suppress(ZeroDivisionError):
            broken.setattr(Run, "_finish", lambda self, work: crash(work))
            run(store, film(1 if seconds == PIECE else 2), seconds=seconds)
    monkeypatch.setattr("roomread.store.batches._may_live", lambda owner: False)
    outcomes = run(store, film(1), film(2))
    assert [outcome.state for outcome in outcomes] == ["complete"] * 2
    assert [lesson.state for lesson in store.lessons()] == ["complete"] * 2


def test_a_piece_that_fails_for_good_leaves_a_gap_that_says_when_and_why(store, tmp_path, film):
    def break_one(number):
        if number == 3:
            raise SourceError("The process ended 4 times.")

    pool = Inline()
    pool.before = break_one
    (outcome,) = run(store, film(1), pool=pool)
    found, (readings, _) = store.find("last"), whole(film(1), tmp_path)
    assert outcome.broken and outcome.state == "complete"
    assert found.notes == ("Not analysed from 0:02 to 0:05: The process ended 4 times.",)
    times, all_times = store.readings(found).times, readings.times
    assert np.array_equal(times, all_times[(all_times < 2.4 - 1e-6) | (all_times >= 4.8 - 1e-6)])


def test_a_recording_that_vanishes_meanwhile_is_gone_on_with_when_it_is_back(store, tmp_path, film):
    here, away = tmp_path / "film.mp4", tmp_path / "elsewhere.mp4"
    shutil.copy(film(1), here)

    def vanish(number):
        if number == 3 and here.exists():
            here.rename(away)

    pool = Inline()
    pool.before = vanish
    (outcome,) = run(store, here, pool=pool)
    assert outcome.state == "failed" and "does not exist" in outcome.reason
    assert run(store, here)[0].state == "failed"
    away.rename(here)
    (outcome,) = run(store, here)
    readings, lesson = whole(film(1), tmp_path)
    found = store.find("last")
    assert (outcome.state, found.duration, found.notes) == ("complete", lesson.duration, ())
    assert same(store.readings(found), readings, but=["signals"]) and len(store.lessons()) == 1


@pytest.fixture
def interruptible():
    """Let Ctrl-C do what it does in a terminal; whoever runs tests side by side ignores it in each process."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("which", [1, 2, 3])
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_a_piece_is_written_loses_and_doubles_nothing(store, tmp_path, film, which, monkeypatch):
    kept, calls = Batches.keep, list[int]()

    def keep(self, *given):
        lesson = kept(self, *given)
        calls.append(1)
        if len(calls) == which:
            signal.raise_signal(signal.SIGINT)
        return lesson

    monkeypatch.setattr(Batches, "keep", keep)
    (outcome,) = run(store, film(1))
    assert outcome.state == "stopped"
    (outcome,) = run(store, film(1))
    assert outcome.state == "complete" and len(store.lessons()) == 1
    assert same(store.readings(store.find("last")), whole(film(1), tmp_path)[0], but=["signals"])


def test_a_store_that_is_away_for_a_moment_costs_nothing(store, tmp_path, film, monkeypatch):
    monkeypatch.setattr("roomread.app.joining.AGAIN", 0.0)
    monkeypatch.setattr("roomread.app.joining.BEAT", 0.0)
    failed = Counter[str]()

    def away(name):
        real = getattr(Batches, name)

        def tried(self, *given):
            failed[name] += 1
            if failed[name] in (1, 2, 4):
                raise StoreBusyError("The store cannot be used: the server is away.")
            return real(self, *given)

        monkeypatch.setattr(Batches, name, tried)

    away("keep")
    away("beat")
    (outcome,) = run(store, film(1))
    assert outcome.state == "complete" and failed["keep"] > 4 and failed["beat"] > 1
    assert same(store.readings(store.find("last")), whole(film(1), tmp_path)[0], but=["signals"])


def test_what_cannot_be_read_costs_itself_alone(store, tmp_path, film):
    (tmp_path / "torn.mp4").write_bytes(b"no video" * 99)
    outcomes = run(store, tmp_path / "torn.mp4", tmp_path / "none.mp4", tmp_path / ("x" * 300), film(1))
    assert [outcome.state for outcome in outcomes] == ["failed", "failed", "failed", "complete"]
    assert "cannot be opened" in outcomes[0].reason and "does not exist" in outcomes[1].reason


def test_what_is_moved_away_while_the_run_is_at_another_costs_itself_alone(store, tmp_path, film):
    gone = tmp_path / "gone.mp4"
    shutil.copy(film(2, 2), gone)
    outcomes = run(store, film(1, 2), gone, film(3, 2), tell=lambda standing: gone.unlink(missing_ok=True))
    assert sorted((outcome.entry.path.name, outcome.state) for outcome in outcomes) == [
        ("film-1-2.mp4", "complete"), ("film-3-2.mp4", "complete"), ("gone.mp4", "failed"),
    ]  # fmt: skip
    assert next(outcome.reason for outcome in outcomes if outcome.state == "failed").startswith(str(gone))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a system whose names are bytes")
def test_a_name_that_cannot_be_shown_is_kept_as_it_can(store, tmp_path, film):
    escape, broken = tmp_path / "a\x1b[31mb.mp4", tmp_path / "c\udcffd.mp4"
    shutil.copy(film(1, 2), escape)
    shutil.copy(film(2, 2), broken)
    torn = tmp_path / "e\udcfff.mp4"
    shutil.copy(film(3, 2), torn)

    def tear(number):
        if number == 3:
            raise SourceError(f"{torn} is torn.")

    pool = Inline()
    pool.before = tear
    states = sorted(outcome.state for outcome in run(store, escape, broken, torn, pool=pool))
    assert states == ["complete", "complete", "failed"]
    names = {"c\ufffdd", "a\ufffd[31mb"}
    assert {(lesson.name, lesson.source) for lesson in store.lessons()} == {(name, f"{name}.mp4") for name in names}


def test_what_failed_is_tried_again_by_the_next_run(store, film):
    def fail(number):
        raise SourceError("No network.")

    pool = Inline()
    pool.before = fail
    assert run(store, film(1), pool=pool)[0].reason == "No network."
    assert store.lessons() == []
    assert run(store, film(1))[0].state == "complete"


def test_two_runs_on_one_store_make_one_lesson_of_each(store, film):
    films, outcomes = [film(number, 2) for number in range(1, 7)], []
    threads = [
        threading.Thread(target=lambda: outcomes.extend(run(LessonStore(store.name), *films, pool=SlowPool())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lesson.name for lesson in store.lessons()) == sorted(path.stem for path in films)
    assert sum(outcome.state == "complete" for outcome in outcomes) == len(films)


class SlowPool(Inline):
    """Takes turns with another thread, and has networks of its own."""

    def submit(self, work, /, *given):
        time.sleep(0.01)
        pieces._opened.cache_clear()
        return super().submit(work, *given)


def test_a_run_whose_recording_was_taken_over_lets_go_of_it(store, film):
    pool = Inline()

    def take_over(number):
        if number == 4:
            now = time.time() + 2 * STALE
            key = next(iter(_keys(store)))
            assert Batches(store, lambda: now).claim(key, PIECE).owner

    pool.before = take_over
    (outcome,) = run(store, film(1), pool=pool, workers=-1)
    assert outcome.state == "held"
    assert len(store.lessons()) <= 1


def _keys(store):
    from roomread.store.schema import batches_table

    with store.transaction() as connection:
        yield from connection.scalars(batches_table.select().with_only_columns(batches_table.c.key))


def test_a_missing_ray_is_told_with_the_command_that_installs_it(film, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr("roomread.app.batch.Observer", Looking)
    with pytest.raises(MissingExtraError, match=r"pip install \"roomread\[scale\]\""):
        batch(film(1), purpose="research", db=tmp_path / "x.sqlite")


def test_a_cluster_that_does_not_answer_is_told_at_once(film, tmp_path, monkeypatch):
    monkeypatch.setattr("roomread.app.batch.Observer", Looking)
    with pytest.raises(SettingsError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        batch(film(1), purpose="research", db=tmp_path / "x.sqlite", how=BatchSettings(address="127.0.0.1:1"))


def test_a_batch_that_is_to_be_drawn_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Many recordings are not annotated"):
        BatchSettings(settings=AnalyzeSettings(annotated=tmp_path / "drawn.mp4"))


# --- with Ray itself


@pytest.fixture(scope="session")
def ray():
    """Ray on this machine with two workers, as `roomread batch` starts it."""
    import roomread.app.batch as module

    with module.working(BatchSettings(settings=SETTINGS, workers=2)):
        import ray

        yield ray


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Two films of two seconds with faces in them, each other ones."""
    from roomread.demo import RoomSettings, build_room

    folder = tmp_path_factory.mktemp("rooms")
    rooms = [RoomSettings(seconds=2, seed=seed, seats=6, width=640, height=360, fps=10) for seed in range(2)]
    return [build_room(room, folder / f"room-{room.seed}").video for room in rooms]


def lessons(db):
    store = LessonStore(db)
    return {(lesson.source, lesson.duration): store.readings(lesson) for lesson in store.lessons()}


def test_ray_gives_what_analyze_gives_of_each_and_a_broken_one_costs_itself(ray, faces, tmp_path):
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(b"no video" * 99)
    listed = tmp_path / "list.csv"
    listed.write_text(
        "path,name,began\n" + "".join(f"{path},Room {k},2026-03-1{k}\n" for k, path in enumerate([*faces, torn]))
    )
    outcomes = batch(
        listed, purpose="research", db=tmp_path / "batch.sqlite",
        how=BatchSettings(settings=SETTINGS, course="Physics", workers=2, parquet=str(tmp_path / "data")),
    )  # fmt: skip
    assert sorted(outcome.state for outcome in outcomes) == ["complete", "complete", "failed"]
    store = LessonStore(tmp_path / "batch.sqlite")
    for number, path in enumerate(faces):
        readings, _ = whole(path, tmp_path)
        assert len(readings) > 0
        assert same(store.readings(store.find(f"Room {number}")), readings)
    assert len(list((tmp_path / "data").rglob("course=Physics/day=2026-03-1?/lesson-?.parquet"))) == 2


def test_killed_workers_change_nothing(ray, faces, tmp_path):
    """Workers are killed at random while the films are looked at; a piece that is lost is looked at again."""
    over, killed = threading.Event(), list[int]()
    killer = threading.Thread(target=kill_now_and_then, args=(over, killed))
    killer.start()
    try:
        outcomes = batch(
            faces, purpose="research", db=tmp_path / "batch.sqlite", how=BatchSettings(settings=SETTINGS, workers=2)
        )
    finally:
        over.set()
        killer.join()
    assert killed
    assert [outcome.state for outcome in outcomes] == ["complete"] * len(faces)
    store = LessonStore(tmp_path / "batch.sqlite")
    assert len(store.lessons()) == len(faces)
    for outcome in outcomes:
        assert same(store.readings(store.numbered(outcome.lesson or 0)), whole(outcome.entry.path, tmp_path)[0])


def kill_now_and_then(over, killed, most=2):
    """Kill workers that are at work, so many at most, so that no piece is lost for good."""
    noise = random.Random(0)
    while not over.wait(0.05) and len(killed) < most:
        listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
        parents = {int(row[0]): int(row[1]) for row in rows}
        busy = [int(row[0]) for row in rows if row[2].startswith("ray::look_at") and descends(int(row[0]), parents)]
        if busy:
            killed.append(noise.choice(busy))
            with contextlib.suppress(ProcessLookupError):
                os.kill(killed[-1], signal.SIGKILL)
            over.wait(0.3)


def descends(process, parents):
    while process in parents:
        process = parents[process]
        if process == os.getpid():
            return True
    return False


def test_work_that_ends_its_process_each_time_or_raises_costs_its_piece(ray):
    pool = RayPool(ray, BatchSettings(settings=SETTINGS, workers=2, tries=2))
    ends, raises = pool.submit(lambda: os._exit(1)), pool.submit(lambda: 1 / 0)
    with pytest.raises(SourceError, match="ended each of 2 times"):
        ends.result(timeout=120)
    with pytest.raises(SourceError, match="ZeroDivisionError"):
        raises.result(timeout=120)
