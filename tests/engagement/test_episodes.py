"""Drops and rises of a line whose truth is known."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.engagement.episodes import (
    FALSE_PER_HOUR,
    EpisodeSettings,
    class_episodes,
    expected_false,
    find_episodes,
    seat_episodes,
)
from roomread.engagement.mappings import sharma
from roomread.engagement.overtime import OverTimeSettings, class_line, seat_levels, smooth_seats
from roomread.types import DROP, RISE, Array, Episode, Readings

MakeReadings = Callable[..., Readings]
STEP = 2.0


def calm(n: int = 1500, spread: float = 0.02) -> Array:
    """Return a line that swings by its median absolute deviation about 0, its median."""
    line: Array = spread * np.resize([0.0, 1.0, -1.0], n)
    return line


def found(line: Array, **settings: float) -> tuple[Episode, ...]:
    return find_episodes(np.arange(len(line)) * STEP, STEP, line, np.ones(len(line)), EpisodeSettings(**settings))


def test_a_drop_has_its_beginning_its_end_and_its_size() -> None:
    line = calm()
    line[600:660] = -0.3
    (drop,) = found(line)
    assert (drop.kind, drop.start, drop.end) == (DROP, 1200, 1320)
    assert_allclose(drop.change, -0.3)


def test_a_rise_is_the_mirror_of_a_drop() -> None:
    line = calm()
    line[600:660], line[900:960] = 0.3, -0.3
    assert [episode.kind for episode in found(line)] == [RISE, DROP]
    assert [episode.kind for episode in found(-line)] == [DROP, RISE]


@pytest.mark.parametrize(("length", "reported"), [(14, 0), (15, 1)])
def test_a_dip_shorter_than_the_least_time_is_not_reported(length: int, reported: int) -> None:
    line = calm()
    line[600 : 600 + length] = -0.3
    assert len(found(line)) == reported


def test_flicker_around_the_threshold_makes_one_episode() -> None:
    line = calm()
    line[600:700] = -0.3
    line[610:690:4] = -0.1  # above where it enters (0.133), below where it leaves (0.059)
    (drop,) = found(line)
    assert (drop.start, drop.end) == (1200, 1400)
    assert len(found(line, leave=4.5, least_seconds=4)) > 1


def test_what_never_reaches_the_entrance_is_no_episode() -> None:
    line = calm()
    line[600:700] = -0.12
    assert found(line) == ()


def test_a_step_that_is_not_known_ends_an_episode() -> None:
    line = calm()
    line[600:700] = -0.3
    line[650] = np.nan
    assert [(episode.start, episode.end) for episode in found(line)] == [(1200, 1300), (1302, 1400)]


def test_a_small_change_of_a_very_calm_class_is_left_out() -> None:
    line = np.zeros(1500)
    line[600:700], line[1000:1100] = -0.02, -0.04
    assert [episode.start for episode in found(line)] == [2000]


def test_a_line_known_for_less_than_a_usual_level_needs_has_no_episode() -> None:
    line = calm(449)
    line[200:260] = -0.5
    assert found(line) == ()
    assert found(np.full(1500, np.nan)) == ()
    assert found(np.zeros(0)) == ()


def test_a_line_of_few_seats_must_move_further() -> None:
    line, noise = calm(), np.ones(1500)
    line[600:660] = -0.3
    noise[550:700] = 4.0
    assert find_episodes(np.arange(1500) * STEP, STEP, line, noise) == ()


def room(drop: float, seats: int = 20, hours: float = 0.75, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return starts, levels and seen of a lesson with a drop of three minutes from 1,000 s on."""
    draw = np.random.default_rng(seed)
    starts = np.arange(round(hours * 1800)) * STEP
    levels = draw.uniform(0.4, 0.7, seats) + draw.normal(0, 0.1, (len(starts), seats))
    levels[(starts >= 1000) & (starts < 1180)] -= drop
    levels[draw.random(levels.shape) < 0.15] = np.nan
    return starts, levels, np.ones(levels.shape)


def test_a_drop_of_the_class_is_found_where_it_was() -> None:
    (drop,) = class_episodes(class_line(*room(0.15)))
    assert drop.kind == DROP
    assert abs(drop.start - 1000) <= 10
    assert abs(drop.end - 1180) <= 10
    assert_allclose(drop.change, -0.15, atol=0.03)


def test_a_lesson_without_a_change_has_hardly_an_episode() -> None:
    assert sum(len(class_episodes(class_line(*room(0.0, seed=seed)))) for seed in range(10)) <= 1


def test_false_alarms_are_stated_for_the_time_that_is_told() -> None:
    assert_allclose(expected_false(class_line(*room(0.0))), 0.75 * FALSE_PER_HOUR)
    assert np.isnan(expected_false(class_line(*room(0.0, hours=0.2))))


def test_each_seat_is_compared_with_itself(readings: MakeReadings) -> None:
    """Seat 1 is sad throughout, which is its usual level; seat 2 is neutral, and sad for two minutes."""
    moods = [["sad", "sad" if 300 <= row < 360 else "neutral"] for row in range(600)]
    faces = [(row, seat, moods[row][seat - 1]) for row in range(600) for seat in (1, 2)]
    told = seat_episodes(readings(np.arange(600) * STEP, faces), sharma)
    assert told[1] == ()
    (drop,) = told[2]
    assert (drop.kind, drop.start, drop.end) == (DROP, 600, 720)


def test_settings_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="leave <= enter"):
        EpisodeSettings(enter=2.0, leave=3.0)
    with pytest.raises(ValueError, match="least_seconds"):
        EpisodeSettings(least_seconds=-1.0)


def test_a_line_is_measured_from_its_own_middle() -> None:
    line = calm() + 0.4
    line[600:660] = 0.1
    (drop,) = found(line)
    assert_allclose(drop.change, -0.3)


def test_a_line_known_for_just_long_enough_has_its_episode() -> None:
    line = calm(450)
    line[200:260] = -0.5
    assert len(found(line)) == 1


@pytest.mark.parametrize(("depth", "reported"), [(4.4, 0), (4.6, 1)])
def test_an_episode_must_go_as_far_as_its_entrance(depth: float, reported: int) -> None:
    line = calm(3000)
    line[600:660] = -depth * 0.02 * 1.4826
    assert len(found(line)) == reported


@pytest.mark.parametrize(("edge", "start"), [(1.9, 1200), (2.1, 1180)])
def test_an_episode_begins_where_the_line_leaves(edge: float, start: float) -> None:
    line = calm(3000)
    line[600:660] = -0.3
    line[590:600] = -edge * 0.02 * 1.4826
    assert found(line)[0].start == start


def test_an_episode_that_lasts_to_either_end_of_the_line_is_whole() -> None:
    line = calm()
    line[:30], line[-30:] = -0.3, 0.3
    assert [(each.kind, each.start, each.end) for each in found(line)] == [(DROP, 0, 60), (RISE, 2940, 3000)]


def test_noise_that_is_twice_as_large_everywhere_changes_nothing() -> None:
    line = calm()
    line[600:660] = -0.3
    times = np.arange(1500) * STEP
    assert find_episodes(times, STEP, line, np.full(1500, 2.0)) == find_episodes(times, STEP, line, np.ones(1500))
    assert find_episodes(times, STEP, line, np.ones(1500)) == found(line)


@pytest.mark.parametrize("name", ["changes", "noise"])
def test_each_step_has_its_change_and_its_noise(name: str) -> None:
    columns: dict[str, Any] = {"changes": np.zeros(9), "noise": np.ones(9)}
    with pytest.raises(ValueError, match=f"^`{name}` "):
        find_episodes(np.arange(9.0), STEP, **(columns | {name: np.ones(8)}))


@pytest.mark.parametrize(
    "change", [{"leave": 0.0}, {"leave": 4.6}, {"least_change": -0.1}, {"least_seconds": -1.0}, {"leave": -1.0}]
)
def test_settings_out_of_range_are_told_with_what_was_received(change: dict[str, float]) -> None:
    words = "episodes need 0 < leave <= enter, and least_change and least_seconds not below 0. Received: "
    with pytest.raises(ValueError, match=re.escape(words) + r"EpisodeSettings\("):
        EpisodeSettings(**change)


def test_settings_at_their_limits_are_taken() -> None:
    assert EpisodeSettings(enter=2.0, leave=2.0, least_change=0, least_seconds=0).enter == 2


def test_a_class_of_few_seats_must_move_further_than_one_of_many() -> None:
    starts, levels, seen = room(0.06, seats=20)
    assert len(class_episodes(class_line(starts, levels, seen))) == 1
    few = class_line(starts, levels[:, :20], seen)
    few = dataclasses.replace(few, seats=np.where((starts > 900) & (starts < 1300), 1.0, few.seats))
    assert class_episodes(few) == ()


def test_false_alarms_are_told_from_the_time_on_from_which_a_level_is_usual() -> None:
    line = class_line(*room(0.0, hours=0.25))
    assert_allclose(expected_false(line), 0.025)
    line.status[0] = "no face"
    assert np.isnan(expected_false(line))


def test_a_seat_must_move_further_than_the_class(readings: MakeReadings) -> None:
    """The score is 1 less two thirds of the share of sadness, which rises for two minutes."""
    scores = 0.5 + 0.05 * np.random.default_rng(5).normal(size=900)
    scores[400:460] -= 0.11
    sad = (1 - scores) * 1.5
    faces = [(row, 1, [0, 0, 0, 0, share, 0, 1 - share]) for row, share in enumerate(sad)]
    seen = readings(np.arange(900) * STEP, faces)
    assert seat_episodes(seen, sharma) == {1: ()}
    starts, levels, _ = seat_levels(seen, sharma, STEP)
    smoothed = smooth_seats(levels, OverTimeSettings())[:, 0]
    (drop,) = find_episodes(starts, STEP, smoothed, np.ones(len(starts)))
    assert drop.kind == DROP and 780 <= drop.start <= 820 and 900 <= drop.end <= 940


def away(n: int, share: float, memory: float, seed: int) -> Array:
    """Return a line that stands still but for stretches in which it is at another value, as a formula of few values."""
    draw, line, state = np.random.default_rng(seed), np.zeros(n), False
    for row in range(n):
        state = draw.random() < share if draw.random() < STEP / memory else state
        line[row] = -0.5 * state
    return line


def test_a_line_that_mostly_stands_still_has_hardly_an_episode_without_a_change() -> None:
    lines = [away(1350, 0.15, 30.0, seed) for seed in range(10)]
    assert all(np.median(abs(line)) == 0 for line in lines)
    assert sum(len(found(line)) for line in lines) < 8
    assert sum(len(found(line, enter=0.06, leave=0.05)) for line in lines) >= 40  # what a spread of nothing would give


def test_a_long_drop_is_found_in_a_line_that_stands_still() -> None:
    line = np.zeros(1350)
    line[300:600] = -0.3  # of steps 60 s apart 60 of 1320 differ by it
    (drop,) = found(line)
    assert (drop.start, drop.end) == (600, 1200)
