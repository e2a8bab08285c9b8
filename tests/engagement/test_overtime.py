"""Seats and the class over tens of seconds, on simulated signals whose truth is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.engagement.mappings import sharma
from roomread.engagement.overtime import (
    LEAST_SEATS,
    MOST_SHARED,
    OverTimeSettings,
    class_line,
    class_over_time,
    design_effect,
    seat_levels,
    shared,
    smooth,
    usual,
)
from roomread.types import NO_FACE, NO_SEAT, NOT_ANALYSED, NOT_ENOUGH, OK, Array, Readings

MakeReadings = Callable[..., Readings]
NAN = float("nan")
SETTINGS = OverTimeSettings()
SHORT = OverTimeSettings(least_usual=60.0)


def steps(n: int) -> Array:
    return np.arange(n) * SETTINGS.step


def wandering(seats: int, together: float, n: int = 1500, seed: int = 0) -> Array:
    """Return seats' levels, each about one of its own, that move with a memory of 20 s, some of it together."""
    draw = np.random.default_rng(seed)
    keep = np.exp(-SETTINGS.step / 20)
    moves = draw.normal(0, 1, (n, seats + 1))
    for row in range(1, n):
        moves[row] = keep * moves[row - 1] + (1 - keep**2) ** 0.5 * moves[row]
    common = together**0.5 * moves[:, -1:] + (1 - together) ** 0.5 * moves[:, :-1]
    levels: Array = draw.uniform(0.4, 0.6, seats) + 0.08 * common
    return levels


def test_a_single_outlier_does_not_move_the_median() -> None:
    values = np.full(60, 0.6)
    values[30] = 0.0
    assert_array_equal(smooth(values, SETTINGS), np.full(60, 0.6))


def test_the_median_is_that_of_the_window_around_the_step() -> None:
    values = np.random.default_rng(0).uniform(size=40)
    assert smooth(values, SETTINGS)[20] == np.median(values[15:26])  # ten seconds either way


@pytest.mark.parametrize(("missing", "spanned"), [(1, True), (3, True), (4, False), (20, False)])
def test_a_gap_is_spanned_only_up_to_the_stated_time(missing: int, spanned: bool) -> None:
    values = np.full(60, 0.6)
    values[20 : 20 + missing] = NAN
    told = smooth(values, SETTINGS)
    assert np.isfinite(told[20 : 20 + missing]).all() == spanned
    assert np.isnan(told[20 : 20 + missing]).all() != spanned
    assert_array_equal(told[:20], values[:20])


def test_no_window_reaches_over_a_gap() -> None:
    values = np.concatenate([np.full(30, 0.8), np.full(4, NAN), np.full(30, 0.2)])
    assert_array_equal(smooth(values, SETTINGS), values)


def test_nothing_is_told_before_the_first_and_after_the_last_reading() -> None:
    values = np.concatenate([[NAN, NAN], np.full(30, 0.5), [NAN]])
    assert_array_equal(smooth(values, SETTINGS), values)


def test_too_few_readings_in_a_window_tell_nothing() -> None:
    values = np.full(60, NAN)
    values[[10, 12]] = 0.5
    assert np.isnan(smooth(values, SETTINGS)).all()
    values[14] = 0.5
    assert_array_equal(np.flatnonzero(np.isfinite(smooth(values, SETTINGS))), [10, 11, 12, 13, 14])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_short_or_empty_series_is_ordinary(n: int) -> None:
    assert len(smooth(np.full(n, NAN), SETTINGS)) == n


def test_a_seat_is_taken_as_far_around_a_face_as_the_window_reaches() -> None:
    seen = np.array([[0.0, NAN]] * 10 + [[1.0, NAN]] + [[0.0, 0.1]] * 30)
    assert_array_equal(class_line(steps(41), np.full((41, 2), NAN), seen).taken, [0] * 5 + [1] + [2] * 10 + [1] * 25)


def test_the_usual_level_is_not_moved_by_a_tenth_of_the_lesson() -> None:
    levels = np.random.default_rng(0).normal(0.6, 0.05, (2000, 1))
    levels[:200] -= 0.4
    middle, spread = usual(levels, SETTINGS)
    assert_allclose(middle, [0.6], atol=0.01)
    assert_allclose(spread, [0.05], atol=0.01)


def test_a_seat_that_is_read_for_a_few_minutes_has_no_usual_level() -> None:
    levels = np.full((1000, 2), 0.5)
    levels[449:, 1] = NAN
    assert_array_equal(usual(levels, SETTINGS)[0], [0.5, NAN])


@pytest.mark.parametrize("together", [0.0, 0.2, 0.6])
def test_the_correlation_of_seats_is_found(together: float) -> None:
    levels = wandering(20, together, 6000)
    levels[np.random.default_rng(1).random(levels.shape) < 0.2] = NAN
    assert_allclose(shared(levels), together, atol=0.08)


def test_one_seat_shares_nothing_and_equal_seats_not_quite_everything() -> None:
    assert shared(wandering(1, 0.0)) == 0
    assert shared(np.full((50, 3), 0.4)) == 0
    assert shared(np.repeat(wandering(1, 0.0), 4, axis=1)) == MOST_SHARED


def test_correlated_seats_count_for_fewer() -> None:
    assert_allclose(30 / design_effect(np.array(30), 0.1), 30 / 3.9)
    assert design_effect(np.array(30), 0.0) == 1


@pytest.mark.parametrize("together", [0.0, 0.1, 0.4], ids=lambda share: f"shared {share}")
@pytest.mark.parametrize("seats", [6, 20])
def test_the_interval_holds_no_change_in_about_its_share_of_steps(seats: int, together: float) -> None:
    held = []
    for seed in range(6):
        line = class_line(steps(1500), levels := wandering(seats, together, seed=seed), np.ones(levels.shape))
        assert (line.status[5:-5] == OK).all()
        held.append(((line.low <= 0) & (line.high >= 0)).mean())
    assert 0.91 <= np.mean(held) <= 0.99


def test_correlation_that_is_not_accounted_for_would_make_the_interval_too_narrow() -> None:
    line = class_line(steps(1500), levels := wandering(20, 0.4), np.ones(levels.shape))
    alone = (line.high - line.low) * ((1 - line.shared) / design_effect(line.seats, line.shared)) ** 0.5 / 2
    assert (abs(line.change) <= alone).mean() < 0.7


def test_the_interval_widens_with_the_share_of_seats_that_are_not_read() -> None:
    levels = wandering(12, 0.0)
    hidden = levels.copy()
    hidden[:, 8:] = NAN
    all_read = class_line(steps(1500), levels[:, :8], np.ones((1500, 8)))
    some_read = class_line(steps(1500), hidden, np.ones(levels.shape))
    assert_array_equal(some_read.change, all_read.change)
    assert_array_equal(some_read.taken, 12)
    assert_array_equal(some_read.seats, 8)
    assert ((some_read.high - some_read.low) > (all_read.high - all_read.low)).all()


def test_who_leaves_does_not_move_the_class() -> None:
    levels = np.tile(np.linspace(0.2, 0.8, 10), (1500, 1))
    seen = np.ones(levels.shape)
    levels[1000:, 5:] = NAN  # the higher half goes home
    seen[1000:, 5:] = 0
    line = class_line(steps(1500), levels, seen)
    assert (line.status == OK).all()
    assert_allclose(line.change, 0, atol=1e-12)
    assert_array_equal(line.seats[[500, 1400]], [10, 5])
    assert_array_equal(line.taken[[500, 1400]], [10, 5])


def test_an_absent_class_is_missing_not_low() -> None:
    levels, seen = np.full((1000, 6), 0.7), np.ones((1000, 6))
    levels[600:], seen[600:700], seen[700:] = NAN, 0, NAN
    line = class_line(steps(1000), levels, seen)
    assert_array_equal(line.status[[300, 650, 800]], [OK, NO_FACE, NOT_ANALYSED])
    assert np.isnan(line.change[600:]).all()
    assert_allclose(line.change[:600], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("read", "taken", "status"),
    [
        pytest.param(LEAST_SEATS, LEAST_SEATS, OK, id="three of three"),
        pytest.param(LEAST_SEATS - 1, LEAST_SEATS, NOT_ENOUGH, id="two of three"),
        pytest.param(4, 12, OK, id="a third"),
        pytest.param(4, 13, NOT_ENOUGH, id="less than a third"),
    ],
)
def test_too_few_seats_read_are_not_enough_evidence(read: int, taken: int, status: str) -> None:
    levels = np.full((600, taken), 0.5)
    levels[:, read:] = NAN
    line = class_line(steps(600), levels, np.ones(levels.shape))
    assert_array_equal(line.status, status)
    assert np.isfinite(line.change).all() == (status == OK)


def test_a_short_lesson_is_not_enough_evidence() -> None:
    line = class_line(steps(449), np.full((449, 8), 0.5), np.ones((449, 8)))
    assert_array_equal(line.status, NOT_ENOUGH)
    assert np.isnan([line.usual, *line.change]).all()


def test_a_drop_of_all_seats_is_measured() -> None:
    levels = wandering(30, 0.0)
    levels[700:760] -= 0.2
    line = class_line(steps(1500), levels, np.ones(levels.shape))
    assert_allclose(line.change[710:750].mean(), -0.2, atol=0.04)
    assert (line.high[710:750] < 0).all()


def test_levels_and_presence_of_seats_come_from_readings(readings: MakeReadings) -> None:
    faces = [(row, 1, "happy") for row in range(20)] + [(row, 2, "sad") for row in range(10)] + [(3, 9, "sad")]
    seen = readings(np.arange(20) / 2, faces)
    starts, levels, share = seat_levels(seen, sharma, 2.0)
    assert_array_equal(starts, [0, 2, 4, 6, 8])
    assert_allclose(levels[:, 0], [2 / 3] * 5)
    assert_allclose(levels[:, 1], [1 / 3] * 3 + [NAN] * 2)
    assert_array_equal(share[:, 1], [1, 1, 0.5, 0, 0])


def test_a_lesson_without_a_face_is_an_ordinary_line(readings: MakeReadings) -> None:
    line = class_over_time(readings(np.arange(10.0)), sharma)
    assert set(line.status) <= {NO_FACE, NOT_ANALYSED, NOT_ENOUGH}
    assert np.isnan(line.change).all()
    assert class_over_time(readings([]), sharma).status.shape == (1,)
    strangers = [(row, NO_SEAT, "happy") for row in range(20)]  # who walk by, and sit nowhere
    line = class_over_time(readings(np.arange(40.0), strangers), sharma)
    assert_array_equal(line.status, [NOT_ENOUGH] * 10 + [NO_FACE] * 10)


def test_frames_further_apart_than_steps_are_no_lost_video(readings: MakeReadings) -> None:
    times = [*range(0, 400, 5), *range(420, 800, 5)]
    line = class_over_time(readings(times, [(row, 1, "happy") for row in range(len(times))]), sharma)
    assert_array_equal(line.starts[line.status == NOT_ANALYSED], np.arange(396, 420, 2))
    assert set(line.status) == {NOT_ANALYSED, NOT_ENOUGH}


def test_settings_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="step <= longest_gap <= window"):
        OverTimeSettings(longest_gap=1.0)
    with pytest.raises(ValueError, match="least_known"):
        OverTimeSettings(least_known=30.0)


@pytest.mark.parametrize("known", [3, 4])
def test_the_median_of_an_even_number_is_the_middle_of_two(known: int) -> None:
    values = np.full(30, NAN)
    values[10 : 10 + known] = [0.1, 0.2, 0.7, 0.9][:known]
    assert_allclose(smooth(values, SETTINGS)[10], [0.2, 0.45][known - 3])


def test_the_window_is_as_long_as_the_settings_say() -> None:
    values = np.random.default_rng(1).uniform(size=60)
    settings = OverTimeSettings(window=8.0, step=1.0, least_known=1.0)
    assert smooth(values, settings)[30] == np.median(values[26:35])
    assert smooth(values, settings)[0] == np.median(values[:5]) and smooth(values, settings)[-1] == np.median(
        values[-5:]
    )


def test_a_level_is_usual_from_its_least_time_on_and_its_spread_is_its_median_distance() -> None:
    levels = np.full((500, 2), NAN)
    levels[:450, 0], levels[:449, 1] = np.resize([0.4, 0.5, 0.7], 450), 0.5
    middle, spread = usual(levels, SETTINGS)
    assert_array_equal(middle, [0.5, NAN])
    assert_allclose(spread, [1.4826 * 0.1, NAN])
    levels = np.column_stack([np.resize([0.4, 0.5, 0.7], 450), np.resize([0.2, 0.5, 0.8], 450)])
    assert_allclose(usual(levels, SETTINGS)[1], [1.4826 * 0.1, 1.4826 * 0.3])
    assert [part.shape for part in usual(np.empty((500, 0)), SETTINGS)] == [(0,), (0,)]


def test_every_pair_of_seats_counts_by_the_steps_that_it_has_in_common() -> None:
    draw = np.random.default_rng(3)
    both, alone = draw.normal(size=200), draw.normal(size=200)
    both, alone = ((each - each.mean()) / each.std() for each in (both, alone))
    assert_allclose(shared(np.column_stack([both, both, alone])), (1 + 2 * (both * alone).mean()) / 3, atol=1e-12)
    assert shared(np.column_stack([both, -both])) == 0
    one_step = np.full((200, 1), NAN)
    one_step[5] = 1.0
    assert_allclose(shared(np.column_stack([both, alone, one_step])), max((both * alone).sum() / 201, 0), atol=0.01)


def test_a_pair_of_seats_that_never_meet_shares_nothing() -> None:
    apart = np.full((40, 2), NAN)
    apart[:20, 0], apart[20:, 1] = np.arange(20.0), np.arange(20.0)
    assert shared(apart) == 0
    assert shared(np.full((40, 2), NAN)) == 0


def test_the_interval_is_that_of_the_seats_read_with_what_they_share_and_those_not_read() -> None:
    draw = np.random.default_rng(4)
    levels = np.repeat(draw.uniform(0.3, 0.6, (1, 4)), 500, axis=0)
    levels[200:240] += [0.05, 0.1, 0.15, 0.2]
    levels[:, 3] = NAN
    line = class_line(steps(500), levels, np.ones((500, 4)))
    changes = np.array([0.05, 0.1, 0.15])
    assert_allclose(line.change[220], 0.1)
    inflation = (1 + 2 * line.shared) / (1 - line.shared)
    half = 4.302653 * 0.05 * (inflation / 3) ** 0.5 + (1 - 3 / 4) * 0.05
    assert line.shared == MOST_SHARED  # they move together and alike
    assert_allclose([line.low[220], line.high[220]], [max(0.1 - half, -1), min(0.1 + half, 1)], rtol=1e-5)
    assert_allclose(line.usual, np.nanmean(levels[0]))
    assert (line.seats[220], line.taken[220], line.step) == (3, 4, SETTINGS.step)
    assert changes.std(ddof=1) == pytest.approx(0.05)


def test_a_change_never_leaves_the_scale() -> None:
    levels = np.zeros((500, 3))
    levels[:, 0], levels[200:240] = 1.0, [0.0, 1.0, 1.0]
    line = class_line(steps(500), levels, np.ones((500, 3)))
    assert_allclose([line.low[220], line.high[220]], [-1, 1])


def test_a_moment_is_told_of_a_third_of_the_seats_taken_and_a_lesson_from_a_quarter_of_an_hour_on() -> None:
    levels = np.full((450, 4), 0.5)
    assert (class_line(steps(450), levels, np.ones(levels.shape)).status == OK).all()
    assert (class_line(steps(449), levels[:449], np.ones((449, 4))).status == NOT_ENOUGH).all()


def test_a_lesson_without_a_seat_was_analysed_all_the_same() -> None:
    line = class_line(steps(10), np.empty((10, 0)), np.empty((10, 0)))
    assert_array_equal(line.status, NO_FACE)
    assert_array_equal([*line.seats, *line.taken], 0)
    assert {line.seats.dtype, line.taken.dtype, line.change.dtype} == {np.dtype(np.float64)}
    assert np.isnan(line.usual) and line.shared == 0


@pytest.mark.parametrize("name", ["levels", "seen"])
def test_levels_and_presence_have_a_row_for_each_step(name: str) -> None:
    columns: dict[str, Any] = {"levels": np.ones((9, 2)), "seen": np.ones((9, 2))}
    with pytest.raises(ValueError, match=f"^`{name}` "):
        class_line(steps(9), **(columns | {name: np.ones((8, 2))}))


@pytest.mark.parametrize(
    "change",
    [{"step": 0.0}, {"step": 6.5}, {"longest_gap": 20.5}, {"least_known": 0.0}, {"least_known": 20.5}],
)
def test_times_that_do_not_fit_each_other_are_told_with_what_was_received(change: dict[str, float]) -> None:
    words = "the time line needs 0 < step <= longest_gap <= window and 0 < least_known <= window. Received: "
    with pytest.raises(ValueError, match=re.escape(words) + r"OverTimeSettings\("):
        OverTimeSettings(**change)


def test_times_at_their_limits_are_taken() -> None:
    assert OverTimeSettings(step=6.0, longest_gap=6.0).step == 6
    assert OverTimeSettings(longest_gap=20.0, least_known=20.0).longest_gap == 20


def test_faces_of_seats_that_are_none_are_in_no_seats_presence(readings: MakeReadings) -> None:
    faces = [(row, seat, "happy") for row in range(8) for seat in (2, 4)]
    strangers = [(0, NO_SEAT, "sad"), (1, 3, "sad"), (2, 7, "sad"), (3, 1, "sad")]
    _, levels, share = seat_levels(readings(np.arange(8) / 2, [*faces, *strangers]), sharma, 2.0)
    assert_array_equal(share, [[1, 1], [1, 1]])
    assert_allclose(levels, 2 / 3)
