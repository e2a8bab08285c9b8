"""Who is at work on which recording: one run at a time, and never two lessons of one."""

import dataclasses
import os
import subprocess
import sys

import pytest

from roomread.errors import ClaimLostError
from roomread.store.batches import COMPLETE, FAILED, STALE, STOPPED, Batches, Lost


def test_a_recording_is_claimed_by_one_run_while_that_lives(store):
    one, other = Batches(store), Batches(store)
    assert one.claim("a", 300.0).owner == one.owner
    assert other.claim("a", 300.0).owner == one.owner


def test_a_run_that_no_longer_says_that_it_lives_is_taken_over(store):
    now = 1000.0
    one, other = Batches(store, lambda: now), Batches(store, lambda: now)
    one.claim("a", 300.0)
    now += STALE - 1
    one.beat()
    now += STALE - 1
    assert other.claim("a", 300.0).owner == one.owner
    now += 2
    assert other.claim("a", 300.0).owner == other.owner


def test_a_process_of_this_machine_that_has_ended_is_taken_over_at_once(store):
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    dead, living = Batches(store), Batches(store)
    dead.owner = dead.owner.replace(f"/{os.getpid()}/", f"/{process.pid}/")
    dead.claim("a", 300.0)
    assert living.claim("a", 300.0).owner == living.owner


def test_a_run_that_lost_its_claim_writes_nothing(store, lesson, observation):
    now = 0.0
    one, other = Batches(store, lambda: now), Batches(store, lambda: now)
    mine = one.claim("a", 300.0)
    now = STALE + 1
    theirs = other.claim("a", 300.0)
    with pytest.raises(ClaimLostError, match="taken the recording over"):
        one.keep(mine, lesson(number=0), [observation(0, 0.0)])
    assert store.lessons() == []
    assert other.keep(theirs, lesson(number=0), [observation(0, 0.0)]).number > 0


def test_a_piece_and_the_count_of_pieces_are_kept_together(store, lesson, observation):
    run = Batches(store)
    lost = Lost(damaged=2, gaps=((3.0, None, "torn"),), notes=("a note",))
    batch = dataclasses.replace(run.claim("a", 120.0), joined=1, lost=lost)
    kept = run.keep(batch, lesson(number=0, state="running"), [observation(0, 0.0, [(1, "happy")])])
    with pytest.raises(Exception, match="cannot be used"):  # the same frame twice: nothing of it is kept
        run.keep(dataclasses.replace(batch, joined=2), kept, [observation(1, 0.2), observation(1, 0.2)])
    run.keep(dataclasses.replace(batch, lesson=kept.number, state=STOPPED), kept)
    again = Batches(store).claim("a", 300.0)
    assert (again.joined, again.lost, again.lesson, again.seconds) == (1, batch.lost, kept.number, 120.0)


def test_what_is_complete_is_not_claimed_again_and_what_failed_is(store, lesson, observation):
    run = Batches(store)
    done, broken = run.claim("a", 300.0), run.claim("b", 300.0)
    kept = run.keep(dataclasses.replace(done, state=COMPLETE), lesson(number=0), [observation(0, 0.0)])
    run.note(dataclasses.replace(broken, state=FAILED, reason="torn"))
    later = Batches(store)
    assert (later.claim("a", 300.0).state, later.complete("a"), later.complete("b")) == (COMPLETE, kept.number, None)
    assert later.claim("b", 300.0).owner == later.owner


def test_a_deleted_lesson_is_analysed_again(store, lesson, observation):
    run = Batches(store)
    kept = run.keep(dataclasses.replace(run.claim("a", 9.0), state=COMPLETE), lesson(number=0), [observation(0, 0.0)])
    store.delete(kept)
    assert run.complete("a") is None
    assert run.claim("a", 9.0).joined == 0


def test_what_is_written_again_as_nobody_knows_whether_it_was_kept_is_there_once(store, lesson, observation):
    run = Batches(store)
    batch, fresh = dataclasses.replace(run.claim("a", 9.0), joined=1), lesson(number=0)
    kept = [run.keep(batch, fresh, [observation(0, 0.0, [(1, "happy")])]) for _ in range(2)]
    assert kept[0] == kept[1] and store.lessons() == kept[:1]
    done = dataclasses.replace(batch, lesson=kept[0].number, state=COMPLETE)
    for _ in range(2):
        run.keep(done, kept[0], [observation(1, 0.2, [(1, "happy")])])
    assert store.readings(kept[0]).times.tolist() == [0.0, 0.2] and run.complete("a") == kept[0].number
