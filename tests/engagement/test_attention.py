"""What signals tell over time."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.engagement.attention import (
    ATTENTION,
    attention,
    blink_rate,
    closed_eyes,
    count_yawns,
    share_over,
    spells,
    spread_over,
    talking,
    yawns,
)
from roomread.types import NO_SEAT, SIGNALS, Readings

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


def test_yawns_are_not_known_where_readings_are_too_rare_to_see_one():
    for step, told in ((0.5, 1), (1.5, 1), (2.0, None)):
        times = every(step, 60)
        assert count_yawns(times, np.where((times >= 20) & (times <= 40), 0.5, 0.02)) == told
    assert count_yawns(NONE, NONE) is None
    assert count_yawns(every(0.5, 60), np.full(120, NAN)) is None


def test_talk_moves_the_mouth_and_an_open_mouth_does_not():
    times = every(0.5, 60)
    talk = np.where(times < 30, 0.1 + 0.08 * np.sin(5 * times), 0.2)
    moves = talking(times, talk)
    assert moves[20:60].mean() > 0.9 and moves[-20:].sum() == 0
    assert np.isnan(talking(times, np.full(len(times), NAN))).all()


@pytest.mark.parametrize(("n", "limit"), [(19, 0.55 * 0.30), (20, 0.55 * 0.24)], ids=["ordinary eyes", "its own"])
def test_from_twenty_readings_on_a_seat_is_compared_with_its_own_eyes(n, limit):
    eyes = np.full(n, 0.24)
    eyes[:2] = limit - 1e-6, limit
    assert closed_eyes(eyes)[:2].tolist() == [1, 0]


@pytest.mark.parametrize(("usual", "limit"), [(0.10, 0.55 * 0.20), (0.60, 0.55 * 0.40)], ids=["never open", "too open"])
def test_what_is_no_open_eye_is_not_taken_for_usual(usual, limit):
    eyes = np.full(40, usual)
    eyes[:2] = limit - 1e-6, limit
    assert closed_eyes(eyes)[:2].tolist() == [1, 0]


def test_a_window_ends_at_its_reading_and_begins_just_after_its_length_before():
    times, values = np.arange(8.0), np.array([1, 0, 1, NAN, 1, 0, 0, 1])
    assert_allclose(share_over(times, values, 3.0, 2), [NAN, 0.5, 2 / 3, 0.5, 1, 0.5, 1 / 3, 1 / 3])
    assert_allclose(share_over(times, values, 3.0, 3), [NAN, NAN, 2 / 3, NAN, NAN, NAN, 1 / 3, 1 / 3])
    assert_allclose(spread_over(times, values, 2.0, 1)[[1, 2]], [0.5**0.5] * 2)  # two are needed all the same
    assert np.isnan(spread_over(times, values, 2.0, 1)[[0, 3, 4]]).all()


def test_ten_known_readings_are_enough_unless_more_are_asked_for():
    times = every(0.5, 5)
    for measure in (share_over, spread_over):
        assert np.isfinite(measure(times, np.ones(10))).tolist() == [False] * 9 + [True]


@pytest.mark.parametrize("measure", [share_over, spread_over, spells])
def test_each_reading_has_its_moment(measure):
    with pytest.raises(ValueError, match=r"^`(values|states)` "):
        measure(np.arange(3.0), np.arange(4.0))


def test_a_spell_may_pause_for_as_long_as_is_let_and_have_a_greatest_length():
    times = np.array([0, 1.5, 3.0, 4.6, 5, 6])
    held = np.array([1, 1, 1, 1, 1, 0.0])
    assert spells(times, held).tolist() == [[0, 3], [4.6, 5]]
    assert spells(times, held, most=1.0).tolist() == [[4.6, 5]]
    assert spells(times, held, least=3.0).tolist() == spells(times, held, most=3.0, least=3.0).tolist() == [[0, 3]]
    assert spells(times, np.zeros(6)).shape == (0, 2)
    assert spells(np.array([2.0]), np.array([1.0])).tolist() == [[2, 2]]


def test_blinks_count_for_the_time_that_was_watched_alone():
    """Twelve seconds, ten readings each; then two minutes in which blinks fall between the readings."""
    dense, rare = np.arange(121) / 10, 13 + np.arange(0, 120, 0.5)
    times, closed = np.concatenate([dense, rare]), np.zeros(121 + 240)
    closed[[20, 21, 50]] = 1
    closed[[121 + 20, 121 + 40]] = 1  # of which nobody knows how long they were
    assert blink_rate(times, closed) == pytest.approx(60 * 2 / 12)
    unknown = closed.copy()
    unknown[60] = NAN  # two tenths of a second between readings: too far apart
    assert blink_rate(times, unknown) == pytest.approx(60 * 2 / 11.8)
    assert blink_rate(dense[:101], closed[:101]) == pytest.approx(60 * 2 / 10)
    assert np.isnan(blink_rate(dense[:100], closed[:100]))


def test_a_blink_lasts_half_a_second_at_the_most():
    times, closed = np.arange(0, 20, 0.125), np.zeros(160)
    closed[10:15] = 1  # 0.5 seconds
    closed[40:46] = 1  # 0.625 seconds
    assert blink_rate(times, closed) == pytest.approx(60 / times[-1])


def test_a_mouth_at_the_limit_does_not_yawn_and_a_yawn_may_last_just_long_enough():
    times = every(0.5, 10)
    mouth = np.full(len(times), 0.30)
    mouth[4:8] = 0.301
    assert yawns(times, mouth).tolist() == [[2, 3.5]]
    assert yawns(times, np.full(len(times), 0.30)).shape == (0, 2)
    mouth[5] = NAN
    assert yawns(times, mouth).shape == (0, 2)


def test_the_mouth_is_judged_over_six_seconds_and_only_where_it_was_read():
    times = every(0.5, 20)
    mouth = np.where(np.arange(len(times)) < 20, np.resize([0.0, 0.2], len(times)), 0.1)
    mouth[25] = NAN
    told = talking(times, mouth)
    assert np.isnan(told[:9]).all() and np.isnan(told[25])
    assert told[9:24].min() == 1 and told[31:].max() == 0


def seat_in_class(n=240, seats=5):
    """Return two minutes of seats read twice a second whose heads and eyes are all alike."""
    rows = n * seats
    signals = np.tile([{"presence": 1.0, "eyes": 0.3}.get(name, 0.0) for name in SIGNALS], (rows, 1))
    seat = np.tile(np.arange(1, seats + 1), n)
    left = 100.0 * seat[:, None]
    return Readings(
        times=np.arange(n) / 2, frames=np.repeat(np.arange(n), seats), seats=seat,
        boxes=(left + np.array([0, 100, 40, 150])).astype(np.float32), scores=np.ones(rows, np.float32),
        sharpness=np.ones(rows, np.float32), emotions=np.full((rows, 7), 1 / 7, np.float32),
        signals=signals.astype(np.float32),
    )  # fmt: skip


def test_each_seat_is_judged_by_its_own_readings():
    seen, column = seat_in_class(), SIGNALS.index
    mine = np.flatnonzero(seen.seats == 2)
    signals = seen.signals.copy()
    signals[mine[-60:], column("eyes")] = 0.1  # closed for the last half minute
    signals[mine[:120:2], column("mouth")] = 0.3  # talks for the first minute
    signals[mine[100:], column("yaw")] = np.resize([60.0, 70], 140)  # then looks away, to and fro
    signals[mine[10], column("presence")] = NAN
    signals[mine[11], column("presence")] = 0.1  # a lost face
    derived = attention(dataclasses.replace(seen, signals=signals))
    told = dict(zip(ATTENTION, derived[mine].T, strict=True))
    assert np.isnan(derived[mine[10]]).all()
    assert np.isnan(told["eyes_closed"][11]) and np.isnan(told["facing"][11]) and np.isnan(told["talking"][11])
    assert np.nanmax(told["facing"][100:]) == 0 and np.nanmin(told["facing"][:100]) == 1
    assert np.isnan(told["eyes_closed"][100:]).all()  # turned too far away to be read
    assert told["talking"][30] == 1 and np.isnan(told["head_spread"][5])
    assert told["head_spread"][90] == pytest.approx(0, abs=1e-4) and told["head_spread"][-1] == pytest.approx(
        5.13, abs=0.01
    )
    others = derived[seen.seats == 3]
    assert_allclose(others[30:], np.tile([1, 0, 0, 0, 0], (210, 1)), atol=1e-6)


def test_the_minute_of_closed_eyes_is_the_last_one():
    seen = seat_in_class()
    mine = np.flatnonzero(seen.seats == 2)
    signals = seen.signals.copy()
    signals[mine[-60:], SIGNALS.index("eyes")] = 0.1
    derived = attention(dataclasses.replace(seen, signals=signals))[mine]
    assert derived[:, ATTENTION.index("eyes_closed")].sum() == 60
    assert derived[-1, ATTENTION.index("eyes_closed_minute")] == pytest.approx(0.5)


def test_a_face_without_a_seat_has_nothing_derived():
    seen = seat_in_class()
    nobody = dataclasses.replace(seen, seats=np.where(seen.seats == 4, NO_SEAT, seen.seats))
    assert np.isnan(attention(nobody)[nobody.seats == NO_SEAT]).all()
    assert attention(seen.of(np.zeros(len(seen), bool))).shape == (0, 5)


def test_a_blink_must_be_seen_to_begin_and_to_end():
    times, closed = np.concatenate([np.arange(121) / 10, [12.5, 13.0]]), np.zeros(123)
    closed[[0, 120, 122]] = 1  # at either end, and where readings become rare
    assert blink_rate(times, closed) == 0
    closed[50] = 1
    assert blink_rate(times, closed) == pytest.approx(60 / 12)
