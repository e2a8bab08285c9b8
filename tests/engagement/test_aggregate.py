"""Readings of single faces to the class over time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import distributions

from roomread.engagement.aggregate import (
    BIN_SECONDS,
    MAX_BINS,
    bin_seconds_for,
    bins_of,
    interval,
    overall,
    seat_means,
    share,
    student_t,
    timeline,
)
from roomread.types import EMOTIONS, LEVEL, NO_FACE, NO_SEAT, NOT_ANALYSED, OK, UNREADABLE, Array, Readings

MakeReadings = Callable[..., Readings]
NAN = float("nan")


def happiness(emotions: Array, signals: Array | None = None) -> Array:
    """Score a face by the probability of happy: 1 or 0 for the faces of these tests, NaN where not readable."""
    return emotions[:, EMOTIONS.index("happy")].astype(np.float64)


@pytest.mark.parametrize(
    ("freedom", "expected", "within"),
    [
        (1, 12.706, 5e-4),
        (2, 4.303, 5e-4),
        (3, 3.182, 5e-3),
        (4, 2.776, 5e-3),
        (5, 2.571, 1e-3),
        (6, 2.447, 1e-3),
        (10, 2.228, 5e-4),
        (30, 2.042, 5e-4),
        (1000, 1.962, 5e-4),
    ],
)
def test_students_t_is_as_in_the_tables(freedom: int, expected: float, within: float) -> None:
    assert_allclose(student_t(freedom), expected, rtol=0, atol=within)


def test_students_t_falls_with_every_further_seat() -> None:
    assert (np.diff([student_t(freedom) for freedom in range(1, 100)]) < 0).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], (NAN, NAN, NAN), id="no seat"),
        pytest.param([NAN, NAN], (NAN, NAN, NAN), id="no readable seat"),
        pytest.param([0.4], (0.4, NAN, NAN), id="one seat has no interval"),
        pytest.param([NAN, 0.4], (0.4, NAN, NAN), id="one readable seat has no interval"),
        pytest.param([0.5, 0.5, 0.5], (0.5, 0.5, 0.5), id="three that agree"),
        # deviation sqrt(0.02), half = 12.706 * 0.1: cut to 0 and 1
        pytest.param([0.4, 0.6], (0.5, 0.0, 1.0), id="cut to 0 and 1"),
        # deviation 0.1, half = 4.3027 * 0.1 / sqrt(3)
        pytest.param([0.4, 0.5, 0.6], (0.5, 0.25159, 0.74841), id="three"),
        pytest.param([0.4, NAN, 0.5, 0.6], (0.5, 0.25159, 0.74841), id="three and an unreadable one"),
    ],
)
def test_the_interval_is_that_of_the_mean_over_seats(values: list[float], expected: tuple[float, float, float]) -> None:
    assert_allclose(interval(np.array(values)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("duration", "frames", "expected"),
    [
        pytest.param(10, 50, 1.0, id="a short video"),
        pytest.param(120, 600, 1.0, id="as many bins as fit"),
        pytest.param(120.5, 600, 2.0, id="one more"),
        pytest.param(2700, 13500, 30.0, id="a lesson of 45 minutes"),
        pytest.param(60, 30, 2.0, id="a frame every two seconds"),
        pytest.param(1, 1, 1.0, id="a picture"),
        pytest.param(0, 0, 1.0, id="nothing"),
        pytest.param(100, 50, 2.0, id="a frame in every bin"),
        pytest.param(240.5, 600, 5.0, id="just too long for the bin before"),
        pytest.param(60, 6, 10.0, id="a frame every ten seconds"),
        pytest.param(36000, 36000, 300.0, id="ten hours"),
        pytest.param(90000, 90000, 300.0, id="longer than bins can show"),
    ],
)
def test_a_bin_holds_a_frame_and_the_lesson_fits_a_page(duration: float, frames: int, expected: float) -> None:
    assert bin_seconds_for(duration, frames) == expected


def test_bins_are_never_too_many_below_ten_hours() -> None:
    for duration in np.geomspace(0.1, BIN_SECONDS[-1] * MAX_BINS, 200):
        assert np.ceil(duration / bin_seconds_for(duration, 10**6)) <= MAX_BINS


SEEN = [(0, 1, "happy"), (1, 1, None), (2, 1, "sad"), *((frame, 2, None) for frame in range(3))]


def test_a_seats_mean_is_over_its_readable_faces(readings: MakeReadings) -> None:
    seen = readings(range(3), [*SEEN, (0, 3, "happy")])  # seat 3 is seen once: no seat yet
    assert_array_equal(seat_means(seen, happiness(seen.emotions)[:, None]), [[[0.5], [NAN]]])


def test_a_seats_mean_in_each_bin_is_over_that_bins_faces(readings: MakeReadings) -> None:
    seen = readings(range(3), SEEN)
    means = seat_means(seen, happiness(seen.emotions)[:, None], seen.frames, 4)
    assert_array_equal(means[:, :, 0], [[1, NAN], [NAN, NAN], [0, NAN], [NAN, NAN]])


def test_a_lesson_without_a_seat_has_no_means(readings: MakeReadings) -> None:
    seen = readings(range(3))
    assert seat_means(seen, happiness(seen.emotions)[:, None], seen.frames, 2).shape == (2, 0, 1)


def test_every_seat_counts_once_whatever_the_number_of_its_faces(readings: MakeReadings) -> None:
    busy = [(frame, 1, "happy") for frame in range(9)]
    seldom = [(frame, seat, "sad") for frame in (0, 4, 8) for seat in (2, 3)]
    seen = readings(np.arange(9) / 10, busy + seldom)
    line, whole = timeline(seen, happiness, 1.0), overall(seen, happiness)
    assert_array_equal(line.status, [OK])
    assert_array_equal(line.seats, [3])
    for engagement, emotions in ((line.engagement[0], line.emotions[0]), (whole.engagement, whole.emotions)):
        assert_allclose(engagement, 1 / 3)
        assert_allclose(emotions, [0, 0, 0, 1 / 3, 2 / 3, 0, 0])


def test_the_band_of_several_seats_is_the_interval_of_their_mean(readings: MakeReadings) -> None:
    shown = {1: "happy", 2: "happy", 3: "happy", 4: "sad"}
    seen = readings(np.arange(3) / 10, [(frame, seat, shown[seat]) for frame in range(3) for seat in shown])
    line = timeline(seen, happiness, 1.0)
    half = student_t(3) * 0.5 / 2  # deviation of 1, 1, 1, 0 is 0.5
    assert_allclose([line.low[0], line.high[0]], [0.75 - half if half < 0.75 else 0.0, 1.0])
    assert_allclose((overall(seen, happiness).low, overall(seen, happiness).high), (line.low[0], line.high[0]))


def test_the_band_of_one_seat_is_the_middle_of_its_readings(readings: MakeReadings) -> None:
    levels = np.linspace(0, 1, 21)
    seen = readings(levels, [(row, 1, [0, 0, 0, p, 1 - p, 0, 0]) for row, p in enumerate(levels)])
    line = timeline(seen, happiness, 2.0)
    assert_allclose([line.engagement[0], line.low[0], line.high[0]], [0.5, 0.05, 0.95], atol=1e-6)
    whole = overall(seen, happiness)
    assert_allclose([whole.engagement, whole.low, whole.high], [0.5, NAN, NAN], atol=1e-6)


def test_of_several_seats_the_one_that_is_read_alone_has_no_band(readings: MakeReadings) -> None:
    levels = np.linspace(0, 1, 21)
    alone = [(row, 1, [0, 0, 0, p, 1 - p, 0, 0]) for row, p in enumerate(levels)]
    line = timeline(readings(levels, [*alone, *((row, 2, None) for row in range(21))]), happiness, 2.0)
    assert_array_equal([line.low[0], line.high[0]], [NAN, NAN])
    assert_allclose(line.engagement, [0.5], atol=1e-6)


def test_every_bin_says_what_it_is(readings: MakeReadings) -> None:
    times = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0, 4.5]  # nothing was analysed between 3 and 4
    seen = readings(times, [(0, 1, "happy"), (1, 1, None), (2, 1, None), (6, 1, "sad")])
    line = timeline(seen, happiness, 1.0)
    assert_array_equal(line.starts, [0, 1, 2, 3, 4])
    assert_array_equal(line.status, [OK, UNREADABLE, NO_FACE, NOT_ANALYSED, OK])
    assert_array_equal(line.engagement, [1, NAN, NAN, NAN, 0])
    assert_array_equal(line.readable, [0.5, 0, 0, NAN, 0.5])
    assert_array_equal(line.unreadable, [0.5, 0.5, 0, NAN, 0])
    assert_array_equal(line.seats, [1, 0, 0, NAN, 1])


def test_what_is_missing_never_becomes_a_number(readings: MakeReadings) -> None:
    seen = readings(np.arange(6), [(row, seat, None) for row in range(6) for seat in (1, 2, 3)])
    line, whole = timeline(seen, happiness, 1.0), overall(seen, happiness)
    for values in (line.engagement, line.low, line.high, line.emotions, whole.engagement, whole.low, whole.emotions):
        assert np.isnan(values).all()
    assert (whole.n_seats, whole.n_readable, whole.readable) == (3, 0, 0.0)


def test_an_unreadable_face_changes_nothing_of_the_readable_ones(readings: MakeReadings) -> None:
    faces = [(row, seat, "happy" if seat < 3 else "sad") for row in range(5) for seat in (1, 2, 3)]
    blurred = [(row, 4, None) for row in range(5)]
    sharp, both = readings(range(5), faces), readings(range(5), faces + blurred)
    for name in ("engagement", "low", "high", "emotions", "seats", "readable"):
        assert_array_equal(
            getattr(timeline(both, happiness, 1.0), name), getattr(timeline(sharp, happiness, 1.0), name)
        )
    assert overall(both, happiness).engagement == overall(sharp, happiness).engagement
    assert_allclose(overall(both, happiness).readable, 0.75)


def test_a_false_box_seen_in_two_frames_is_no_seat(readings: MakeReadings) -> None:
    faces = [(row, seat, "happy") for row in range(10) for seat in (1, 2)]
    seen = readings(range(10), [*faces, (3, 7, "sad"), (4, 7, "sad")])
    line, whole = timeline(seen, happiness, 10.0), overall(seen, happiness)
    assert_array_equal(line.seats, [2])
    assert_array_equal(line.engagement, [1.0])
    assert_allclose(line.readable, [2.2])
    assert (whole.engagement, whole.n_seats, whole.n_readable, whole.faces_per_frame) == (1.0, 2, 2, 2.2)


def test_a_bin_of_readable_faces_without_a_seat_does_not_say_that_they_could_not_be_read(
    readings: MakeReadings,
) -> None:
    walking = [(row, NO_SEAT, "happy") for row in range(5)]
    line = timeline(readings(range(5), walking), happiness, 5.0)
    assert_array_equal(line.readable, [1.0])
    assert line.status[0] not in (OK, UNREADABLE)
    assert np.isnan(line.engagement).all()


def test_a_lesson_without_a_face_is_known_to_have_none(readings: MakeReadings) -> None:
    seen = readings(range(4))
    line, whole = timeline(seen, happiness, 2.0), overall(seen, happiness)
    assert_array_equal(line.status, [NO_FACE, NO_FACE])
    assert np.isnan(line.engagement).all()
    assert (whole.n_seats, whole.n_readable, whole.faces_per_frame) == (0, 0, 0.0)
    assert np.isnan([whole.engagement, whole.low, whole.high, whole.readable]).all()
    assert np.isnan(whole.emotions).all()


def test_a_lesson_without_a_frame_has_one_bin_that_was_not_analysed(readings: MakeReadings) -> None:
    seen = readings([])
    line, whole = timeline(seen, happiness, 1.0), overall(seen, happiness)
    assert_array_equal(line.status, [NOT_ANALYSED])
    assert np.isnan([*line.engagement, *line.readable, *line.unreadable, *line.seats]).all()
    assert np.isnan(whole.faces_per_frame)
    assert whole.n_seats == 0


@pytest.mark.parametrize(
    ("begin", "duration", "starts"),
    [
        pytest.param(0.0, 4.0, [0, 2], id="from the start"),
        pytest.param(7.0, 4.0, [6, 8, 10], id="from within a bin"),
        pytest.param(8.0, 4.0, [8, 10], id="from a bin's edge"),
        pytest.param(8.0, 0.2, [8], id="one frame"),
    ],
)
def test_bins_stand_where_the_source_has_them(
    readings: MakeReadings, begin: float, duration: float, starts: list[float]
) -> None:
    seen = readings(begin + np.arange(0, duration, 0.2), [(0, 1, "happy")])
    assert_array_equal(timeline(seen, happiness, 2.0).starts, starts)


def test_a_frame_at_the_very_end_has_its_bin(readings: MakeReadings) -> None:
    seen = readings([0.0, 1.0, 2.0], [(row, 1, "happy") for row in range(3)])
    line = timeline(seen, happiness, 1.0)
    assert_array_equal(line.starts, [0, 1, 2])
    assert_array_equal(line.engagement, [1, 1, 1])


@pytest.mark.parametrize(
    ("times", "width", "n"),
    [(np.arange(300) * 0.2002, 1.0, 60), (0.1 + np.arange(300) * 0.2, 1.0, 60), (np.arange(149) * 4.0, 5.0, 119)],
)
def test_the_time_that_the_last_frame_stands_for_makes_no_bin_without_a_frame(
    readings: MakeReadings, times: Array, width: float, n: int
) -> None:
    starts, bins = bins_of(readings(times), width)
    assert len(starts) == n == bins[-1] + 1
    assert bins.dtype == np.int64


def test_a_skipped_frame_leaves_the_class_as_it_was(readings: MakeReadings) -> None:
    faces = [(row, seat, "happy" if seat == 1 else "sad") for row in range(50) for seat in (1, 2)]
    times = np.arange(50) / 10
    every = readings(times, faces)
    half = readings(times[::2], [(row // 2, seat, shown) for row, seat, shown in faces if row % 2 == 0])
    for name in ("status", "engagement", "emotions", "seats", "readable"):
        assert_array_equal(
            getattr(timeline(every, happiness, 1.0), name), getattr(timeline(half, happiness, 1.0), name)
        )


@pytest.mark.parametrize("freedom", [3, 5, 10, 30, 100, 300])
def test_what_students_t_leaves_out_falls_with_the_fifth_power(freedom: int) -> None:
    """So that each term of its expansion is the published one."""
    exact = float(distributions.t.ppf((1 + LEVEL) / 2, freedom))
    assert -0.95 < (student_t(freedom) - exact) * freedom**5 < -0.72
    assert_allclose([student_t(1), student_t(2)], distributions.t.ppf((1 + LEVEL) / 2, [1, 2]), rtol=1e-12)


def test_the_share_of_a_state_counts_every_seat_once_in_each_bin(readings: MakeReadings) -> None:
    seen = readings(range(8), [(row, seat, None) for row in range(8) for seat in (1, 2, 3)])
    states = np.array([[1, 0, NAN]] * 2 + [[1, 1, NAN]] * 2 + [[NAN] * 3] * 2 + [[0, NAN, NAN]] * 2).ravel()
    told = share(seen, states, seen.frames // 4, 2)
    assert_allclose(told.value, [0.75, 0.0])
    assert_allclose([told.low[0], told.high[0]], [0, 1])  # of 1 and 0.5: 0.75 ± 3.2
    assert np.isnan([told.low[1], told.high[1]]).all()
    assert_array_equal(told.seats, [2, 1])
    assert told.seats.dtype == np.float64
    whole = share(seen, states)
    assert_allclose(whole.value, [(4 / 6 + 0.5) / 2])


def test_bins_of_a_lesson_that_begins_late_are_counted_from_its_own(readings: MakeReadings) -> None:
    starts, bins = bins_of(readings([7.0, 9.9, 10.0, 11.5]), 2.0)
    assert_array_equal(starts, [6, 8, 10])
    assert_array_equal(bins, [0, 1, 2, 2])
    assert_array_equal(bins_of(readings([]), 2.0)[0], [0])


def test_a_mean_of_several_columns_leaves_out_a_face_of_which_one_is_not_known(readings: MakeReadings) -> None:
    seen = readings(range(3), [(row, seat, None) for row in range(3) for seat in (1, 2)])
    values = np.array([[1, 10], [5, 50], [3, 30], [NAN, 70], [2, NAN], [7, 90]], float)
    assert_allclose(seat_means(seen, values), [[[2, 20], [6, 70]]])


def test_a_face_without_a_seat_counts_among_the_faces_and_in_no_mean(readings: MakeReadings) -> None:
    """Seat numbers above every established one, and below it, are nobody's."""
    faces = [(row, seat, "happy") for row in range(6) for seat in (3, 5)]
    strangers = [(0, NO_SEAT, "sad"), (1, 4, "sad"), (2, 9, "sad"), (3, 1, None)]
    line = timeline(readings(range(6), faces + strangers), happiness, 3.0)
    assert_array_equal(line.engagement, [1, 1])
    assert_array_equal(line.seats, [2, 2])
    assert_allclose(line.readable, [(6 + 3) / 3, 2])
    assert_allclose(line.unreadable, [0, 1 / 3])
    assert line.bin_seconds == 3.0


def test_the_whole_lesson_counts_its_faces_by_frame(readings: MakeReadings) -> None:
    faces = [(row, seat, "happy" if seat == 1 else None) for row in range(4) for seat in (1, 2)]
    whole = overall(readings(range(8), faces), happiness)
    assert (whole.faces_per_frame, whole.readable, whole.n_seats, whole.n_readable) == (1.0, 0.5, 2, 1)
    assert_allclose(whole.emotions[EMOTIONS.index("happy")], 1)
