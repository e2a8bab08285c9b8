"""What signals tell over time."""

import numpy as np
import pytest

from roomread.engagement.attention import (
    blink_rate,
    closed_eyes,
    share_over,
    spells,
    spread_over,
    talking,
    yawns,
)

NAN = float("nan")
NONE = np.empty(0)


def every(seconds, length):
    return np.arange(0, length, seconds)


def test_eyes_are_closed_against_what_is_usual_at_the_seat():
    narrow, wide = np.full(40, 0.22), np.full(40, 0.40)
    narrow[::8], wide[::8] = 0.15, 0.15
    assert closed_eyes(narrow).sum() == 0 and closed_eyes(wide).sum() == 5


def test_a_seat_asleep_half_the_time_is_found():
    eyes = np.where(np.arange(100) < 50, 0.08, 0.3)
    assert closed_eyes(eyes).mean() == 0.5


def test_a_seat_seldom_read_is_compared_with_ordinary_eyes_and_unknown_stays_unknown():
    assert np.array_equal(closed_eyes(np.array([0.1, NAN, 0.3])), [1, NAN, 0], equal_nan=True)
    assert closed_eyes(NONE).shape == (0,)


def test_the_share_over_a_window_is_that_of_the_known_readings():
    times = every(0.5, 120)
    closed = np.where(times < 60, 1.0, 0.0)
    closed[::5] = NAN
    shares = share_over(times, closed)
    assert np.isnan(shares[:9]).all()
    assert shares[119] == pytest.approx(1) and shares[-1] == pytest.approx(0)
    assert shares[179] == pytest.approx(0.5, abs=0.02)


def test_the_spread_over_a_window_is_that_of_its_readings():
    times = every(0.5, 60)
    yaw = np.random.default_rng(0).normal(30, 4, len(times))
    expected = yaw[-20:].std(ddof=1)
    assert spread_over(times, yaw)[-1] == pytest.approx(expected, rel=1e-6)
    assert spread_over(times, np.full(len(times), 1000.0))[-1] == 0


@pytest.mark.parametrize("measure", [share_over, spread_over])
def test_too_few_known_readings_give_no_number(measure):
    times = every(0.5, 30)
    values = np.full(len(times), NAN)
    values[::7] = 1.0
    assert np.isnan(measure(times, values)).all()
    assert measure(NONE, NONE).shape == (0,)


def test_an_episode_ends_at_the_unknown_and_at_a_pause():
    times = np.array([0, 1, 2, 3, 4, 10, 11.0])
    states = np.array([1, 1, NAN, 1, 1, 1, 0])
    assert spells(times, states).tolist() == [[0, 1], [3, 4], [10, 10]]
    assert spells(times, states, least=0.5).tolist() == [[0, 1], [3, 4]]
    assert spells(NONE, NONE).shape == (0, 2)


def test_blinks_are_counted_where_readings_are_dense():
    times = every(0.1, 60)
    closed = np.zeros(len(times))
    for start in range(40, 560, 40):  # thirteen blinks of 0.2 seconds
        closed[start : start + 3] = 1
    closed[580:595] = 1  # too long for a blink
    assert blink_rate(times, closed) == pytest.approx(13, abs=0.1)


def test_at_two_readings_a_second_blinks_are_not_known():
    times = every(0.5, 600)
    assert np.isnan(blink_rate(times, (np.arange(len(times)) % 9 == 0).astype(float)))
    assert np.isnan(blink_rate(NONE, NONE))


def test_a_yawn_is_wide_and_lasts():
    times = every(0.5, 30)
    mouth = np.full(len(times), 0.02)
    mouth[10:16], mouth[30:32] = 0.5, 0.5  # 2.5 seconds, and half a second
    assert yawns(times, mouth).tolist() == [[5.0, 7.5]]


def test_talk_moves_the_mouth_and_an_open_mouth_does_not():
    times = every(0.5, 60)
    talk = np.where(times < 30, 0.1 + 0.08 * np.sin(5 * times), 0.2)
    moves = talking(times, talk)
    assert moves[20:60].mean() > 0.9 and moves[-20:].sum() == 0
    assert np.isnan(talking(times, np.full(len(times), NAN))).all()
