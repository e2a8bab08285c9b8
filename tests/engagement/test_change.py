"""How parts of a lesson differ from the rest of it, on classes whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.engagement.aggregate import student_t
from roomread.engagement.change import changes, false_alarms
from roomread.types import EMOTIONS, N_EMOTIONS, N_SIGNALS, NO_REST, NOT_ANALYSED, OK, SPARSE, Array, Change, Readings

NAN = float("nan")
REST = (NAN, NAN)


def happiness(emotions: Array, signals: Array) -> Array:
    """Score a face by the probability of happy, NaN where not readable."""
    score: Array = emotions[:, EMOTIONS.index("happy")].astype(np.float64)
    return score


def class_of(scores: Array, seconds: float = 1.0) -> Readings:
    """Return readings of f frames and s seats from their scores, float (f, s); NaN: the face was not found."""
    frames, seats = np.nonzero(~np.isnan(scores))
    n = len(frames)
    emotions = np.zeros((n, N_EMOTIONS), np.float32)
    emotions[:, EMOTIONS.index("happy")] = scores[frames, seats]
    emotions[:, EMOTIONS.index("neutral")] = 1 - scores[frames, seats]
    return Readings(
        times=np.arange(len(scores)) * seconds,
        frames=frames,
        seats=seats + 1,
        boxes=np.zeros((n, 4), np.float32),
        scores=np.ones(n, np.float32),
        sharpness=np.ones(n, np.float32),
        emotions=emotions,
        signals=np.full((n, N_SIGNALS), NAN, np.float32),
    )


def changed(readings: Readings, *parts: tuple[float, float], against: tuple[float, float] = REST) -> Change:
    inside = np.array(parts, np.float64).reshape(-1, 2)
    return changes(readings, happiness, inside, np.tile(against, (len(parts), 1)))


def still(seed: int, frames: int = 120, seats: int = 12) -> Array:
    """Return scores of seats that differ from one another and waver, each on its own, with a memory of some seconds."""
    noise = np.random.default_rng(seed)
    steps = noise.normal(0, 0.03, (frames, seats))
    wavering = np.stack([sum(0.8**lag * np.roll(steps[:, s], lag) for lag in range(12)) for s in range(seats)], axis=1)
    scores: Array = np.clip(noise.uniform(0.3, 0.7, seats) + wavering, 0, 1)
    return scores


def test_a_change_is_each_seats_own_difference_and_the_interval_that_of_their_mean() -> None:
    scores = np.repeat([[0.2, 0.5, 0.8]], 40, axis=0)
    scores[10:20] += [0.0, 0.1, 0.2]
    found = changed(class_of(scores), (10, 20))
    assert_array_equal(found.status, [OK])
    assert_allclose(found.value, [0.1], atol=1e-6)
    half = student_t(2) * 0.1 / 3**0.5
    assert_allclose([found.low[0], found.high[0]], [0.1 - half, 0.1 + half], atol=1e-6)  # below 0: it is not cut
    assert (found.seats[0], found.covered[0]) == (3, 1)


def test_a_class_that_rises_by_a_tenth_is_found_to() -> None:
    caught = 0
    for seed in range(60):
        scores = still(seed)
        scores[30:60] += 0.1
        found = changed(class_of(np.clip(scores, 0, 1)), (30, 60))
        caught += bool(found.low[0] <= 0.1 <= found.high[0] and found.low[0] > 0)
    assert caught >= 51  # 57 are expected


def test_where_nothing_changes_the_intervals_cover_0_at_their_level() -> None:
    parts = [(0, 20), (20, 50), (50, 60), (60, 100), (100, 120)]
    found = [changed(class_of(still(seed)), *parts) for seed in range(100, 300)]
    covers = np.mean([(each.low <= 0) & (each.high >= 0) for each in found])
    assert 0.92 < covers < 0.98


def test_what_the_whole_class_shares_is_in_no_interval_as_the_report_warns() -> None:
    left_out = []
    for seed in range(200):
        steps, drift = np.random.default_rng(9000 + seed).normal(0, 0.01, 120), np.zeros(120)
        for second in range(1, 120):
            drift[second] = 0.97 * drift[second - 1] + steps[second]  # deviation 0.04, a memory of half a minute
        found = changed(class_of(np.clip(still(seed) + drift[:, None], 0, 1)), (0, 20), (20, 50), (60, 100))
        left_out.append((found.low > 0) | (found.high < 0))
    assert 0.4 < np.mean(left_out) < 0.7


def test_a_seat_that_was_not_seen_on_both_sides_does_not_count() -> None:
    scores = np.repeat([[0.2, 0.2, 0.9, 0.9]], 40, axis=0)
    scores[10:20, :2] = 0.4
    scores[10:20, 2] = NAN  # never inside
    scores[:10, 3] = scores[20:, 3] = NAN  # never outside
    found = changed(class_of(scores), (10, 20))
    assert found.seats[0] == 2
    assert_allclose(found.value, [0.2], atol=1e-6)


def test_a_marker_compares_what_follows_with_what_went_before_alone() -> None:
    scores = np.repeat([[0.1, 0.3, 0.5]], 60, axis=0)
    scores[20:30] += 0.2
    scores[50:] = 0.99  # far away
    found = changed(class_of(scores), (20, 30), against=(10, 20))
    assert_allclose([found.value[0], found.low[0], found.high[0]], 0.2, atol=1e-6)
    assert_array_equal(changed(class_of(scores), (0, 10), against=(-10, 0)).status, [NO_REST])


@pytest.mark.parametrize(
    ("part", "status", "covered"),
    [
        pytest.param((100, 120), NOT_ANALYSED, 0.0, id="beyond the lesson"),
        pytest.param((0, 40), NO_REST, NAN, id="the whole lesson"),
        pytest.param((30, 60), SPARSE, 1 / 3, id="mostly beyond the lesson"),
        pytest.param((30, 50), OK, 0.5, id="half beyond the lesson"),
        pytest.param((0, 20), SPARSE, 0.25, id="mostly without a face"),
    ],
)
def test_a_part_without_enough_readings_says_so(part: tuple[float, float], status: str, covered: float) -> None:
    scores = np.repeat([[0.2, 0.4, 0.6]], 40, axis=0)
    scores[5:20] = NAN
    found = changed(class_of(scores), part)
    assert_array_equal(found.status, [status])
    assert_allclose(found.covered, [covered])
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all() == (status != OK)


def test_a_stretch_in_which_few_of_the_seats_were_read_is_not_covered() -> None:
    scores = np.repeat([[0.2, 0.4, 0.6]], 60, axis=0)
    scores[15:30, 1:] = NAN
    assert_allclose(changed(class_of(scores), (10, 30)).covered, [0.25])
    scores[15:30, 1] = 0.4  # two of three again
    assert_allclose(changed(class_of(scores), (10, 30)).covered, [1])


def test_a_slow_source_covers_its_parts_too() -> None:
    scores = np.repeat([[0.2, 0.4, 0.6]], 40, axis=0)
    assert_allclose(changed(class_of(scores, seconds=10.0), (105, 211)).covered, [1])


def test_one_seat_has_no_interval_and_a_lesson_without_one_has_no_change() -> None:
    alone = changed(class_of(np.full((40, 1), 0.5)), (10, 20))
    nobody = changed(class_of(np.full((40, 3), NAN)), (10, 20))
    assert (alone.status[0], alone.seats[0]) == (SPARSE, 1)
    assert (nobody.status[0], nobody.seats[0], nobody.covered[0]) == (SPARSE, 0, 0)
    assert np.isnan([*alone.value, *nobody.value]).all()


def test_no_part_gives_no_change() -> None:
    assert len(changed(class_of(np.full((40, 3), 0.5))).status) == 0


def test_false_alarms_grow_with_the_number_of_intervals() -> None:
    assert_allclose([false_alarms(n) for n in (0, 1, 20)], [0, 0.05, 1])


def test_a_part_is_from_its_start_on_and_before_its_end() -> None:
    scores = np.repeat([[0.2, 0.4]], 40, axis=0)
    scores[10:20] += 0.3
    scores[20] += 0.6  # the first second after it
    found = changed(class_of(scores), (10, 20))
    assert_allclose(found.value, [0.3 - 0.6 / 30], atol=1e-6)
    assert found.seats[0] == 2


def test_a_part_is_covered_slot_by_slot_and_the_last_slot_ends_with_it() -> None:
    scores = np.repeat([[0.2, 0.4, 0.6]], 60, axis=0)
    scores[15:20] = NAN
    assert_allclose(changed(class_of(scores), (10, 22)).covered, [7 / 12])  # 10 to 15, and 20 to 22
    assert_allclose(changed(class_of(scores), (10, 20), against=(20, 40)).covered, [0.5])
    assert_allclose(changed(class_of(scores), (20, 40), against=(10, 22)).covered, [7 / 12])  # the worse of both


def test_half_of_the_paired_seats_are_enough_for_a_slot() -> None:
    scores = np.repeat([[0.2, 0.4, 0.6, 0.8]], 60, axis=0)
    scores[15:30, 2:] = NAN
    assert_allclose(changed(class_of(scores), (10, 30)).covered, [1])
    scores[15:30, 1] = NAN
    assert_allclose(changed(class_of(scores), (10, 30)).covered, [0.25])


def test_what_a_part_is_compared_with_must_have_frames_of_its_own() -> None:
    scores = np.repeat([[0.2, 0.4]], 40, axis=0)
    found = changed(class_of(scores), (10, 20), against=(50, 60))
    assert_array_equal(found.status, [NO_REST])
    assert np.isnan([found.value[0], found.low[0], found.high[0], found.seats[0], found.covered[0]]).all()
    found = changed(class_of(scores), (50, 60))
    assert_array_equal(found.status, [NOT_ANALYSED])
    assert np.isnan([found.value[0], found.low[0], found.high[0], found.seats[0]]).all() and found.covered[0] == 0


def test_two_seats_are_enough_for_an_interval_and_the_sparse_keep_their_number() -> None:
    scores = np.repeat([[0.2, 0.4]], 40, axis=0)
    scores[10:20] += [0.1, 0.3]
    found = changed(class_of(scores), (10, 20))
    half = student_t(1) * float(np.std([0.1, 0.3], ddof=1)) / 2**0.5
    assert_array_equal(found.status, [OK])
    assert_allclose([found.value[0], found.low[0], found.high[0]], [0.2, 0.2 - half, 0.2 + half], atol=1e-5)
    scores[10:18] = NAN
    sparse = changed(class_of(scores), (10, 30))
    assert (sparse.status[0], sparse.seats[0]) == (OK, 2)
    scores[10:27] = NAN
    sparse = changed(class_of(scores), (10, 30))
    assert (sparse.status[0], sparse.seats[0], sparse.covered[0]) == (SPARSE, 2, 0.25)
    assert np.isnan([sparse.value[0], sparse.low[0], sparse.high[0]]).all()


def test_readings_that_follow_slowly_are_looked_at_in_slots_of_two_frames() -> None:
    scores = np.repeat([[0.2, 0.4]], 40, axis=0)
    scores[11] = NAN  # one frame of two
    assert_allclose(changed(class_of(scores, seconds=4.0), (40, 72)).covered, [1])


def test_every_column_is_made_of_floats_even_without_a_part() -> None:
    none = changed(class_of(np.full((40, 3), 0.5)))
    for values in (none.value, none.low, none.high, none.seats, none.covered):
        assert (values.dtype, values.shape) == (np.dtype(np.float64), (0,))


def test_as_many_comparisons_as_parts_are_needed() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        changes(class_of(np.full((40, 3), 0.5)), happiness, np.array([[0.0, 10.0]]), np.empty((0, 2)))
