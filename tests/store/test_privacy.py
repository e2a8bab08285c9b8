"""The one gate for everything that leaves the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from roomread.engagement import aggregate
from roomread.engagement.change import changes
from roomread.engagement.episodes import class_episodes
from roomread.engagement.mappings import sharma
from roomread.engagement.overtime import class_over_time
from roomread.errors import PrivacyError, SettingsError
from roomread.store.lessons import LessonStore
from roomread.store.privacy import (
    MIN_SEATS,
    NOTICE,
    SHOWN_LIVE,
    Gate,
    allowance,
    allowance_for,
    check_purpose,
    hide,
    just_past,
    open_gate,
    together,
)
from roomread.types import (
    NO_FACE,
    NO_REST,
    NO_SEAT,
    NOT_ANALYSED,
    NOT_ENOUGH,
    OK,
    PURPOSES,
    SPARSE,
    TOO_FEW,
    UNREADABLE,
    Change,
    ClassLine,
    Lesson,
    Observation,
    Overall,
    Readings,
    Share,
    Timeline,
)

MakeLesson = Callable[..., Lesson]
MakeReadings = Callable[..., Readings]

CLASS_ONLY = [
    pytest.param({"purpose": "research"}, 1, id="research without a reference, one seat"),
    pytest.param({"purpose": "research"}, 30, id="research without a reference, a class"),
    pytest.param({"purpose": "research", "reference": ""}, 30, id="research with an empty reference"),
    pytest.param({"purpose": "research", "sample": True}, 30, id="research without a reference, the sample"),
    pytest.param({"purpose": "self-study"}, 0, id="self-study, no seat"),
    pytest.param({"purpose": "self-study"}, 2, id="self-study, two seats"),
    pytest.param({"purpose": "self-study"}, 30, id="self-study, a class"),
    pytest.param({"purpose": "self-study", "reference": "EC 12/26"}, 2, id="self-study with a reference"),
    pytest.param({"purpose": "demo"}, 1, id="demo on one's own film, one seat"),
    pytest.param({"purpose": "demo"}, 30, id="demo on one's own film, a class"),
    pytest.param({"purpose": "demo", "reference": "EC 12/26"}, 30, id="demo on one's own film with a reference"),
]
SINGLE_SEATS = [
    pytest.param({"purpose": "research", "reference": "EC 12/26"}, 1, id="research with a reference, one seat"),
    pytest.param({"purpose": "research", "reference": "EC 12/26"}, 30, id="research with a reference, a class"),
    pytest.param({"purpose": "self-study"}, 1, id="self-study, one seat"),
    pytest.param({"purpose": "self-study", "sample": True}, 1, id="self-study, one seat of the sample"),
    pytest.param({"purpose": "demo", "sample": True}, 1, id="demo on the sample, one seat"),
    pytest.param({"purpose": "demo", "sample": True}, 30, id="demo on the sample, a class"),
]


def gate(lesson: Lesson, readings: Readings) -> Gate:
    return Gate(lesson, allowance(lesson, len(readings.established())), readings)


def over_time(gate: Gate, bin_seconds: float = 10.0) -> Timeline:
    return gate.class_over_time(partial(aggregate.timeline, score=sharma, bin_seconds=bin_seconds))


def line_of(gate: Gate) -> ClassLine:
    return gate.class_line(partial(class_over_time, score=sharma), class_episodes)[0]


def whole(gate: Gate) -> Overall:
    return gate.whole_class(partial(aggregate.overall, score=sharma))


def class_of(seats: int, readings: MakeReadings, frames: int = 10) -> Readings:
    """Return readings of one bin of ten seconds in which so many seats are seen and readable throughout."""
    return readings(range(frames), [(row, seat, "happy") for row in range(frames) for seat in range(1, seats + 1)])


@pytest.mark.parametrize(("about", "n_seats"), CLASS_ONLY)
def test_only_the_class_may_be_seen(lesson: MakeLesson, about: dict[str, Any], n_seats: int) -> None:
    allowed = allowance(lesson(**about), n_seats)
    assert not allowed.single
    assert "at least 5 seats" in allowed.rule


@pytest.mark.parametrize(("about", "n_seats"), SINGLE_SEATS)
def test_single_seats_may_be_seen(lesson: MakeLesson, about: dict[str, Any], n_seats: int) -> None:
    allowed = allowance(lesson(**about), n_seats)
    assert allowed.single
    assert "at least" not in allowed.rule


def test_every_purpose_has_a_rule(lesson: MakeLesson) -> None:
    for purpose in PURPOSES:
        assert allowance(lesson(purpose=purpose), 30).rule.endswith(".")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_known_purpose_is_accepted(purpose: str) -> None:
    check_purpose(purpose, None)
    check_purpose(purpose, "EC 12/26")


@pytest.mark.parametrize(
    ("purpose", "reference", "message"),
    [
        pytest.param(None, None, r"A purpose is needed\. Expected: --purpose research\|self-study\|demo", id="none"),
        pytest.param("teaching", None, "no purpose 'teaching'. Expected one of: research", id="unknown"),
        pytest.param("", None, "no purpose ''", id="empty"),
        pytest.param("research", "", "reference is empty", id="empty reference"),
        pytest.param("research", "  \n", "reference is empty", id="blank reference"),
    ],
)
def test_a_purpose_must_be_declared_properly(purpose: str | None, reference: str | None, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check_purpose(purpose, reference)


def test_the_notice_names_the_law_and_fits_a_terminal() -> None:
    assert "Article 5(1)(f)" in NOTICE
    assert max(map(len, NOTICE.splitlines())) <= 120


@pytest.mark.parametrize(("about", "n_seats"), CLASS_ONLY)
def test_rows_of_single_seats_are_refused(
    lesson: MakeLesson, readings: MakeReadings, about: dict[str, Any], n_seats: int
) -> None:
    closed = gate(lesson(**about), class_of(n_seats, readings))
    with pytest.raises(PrivacyError, match=r"Rows of single seats of lesson 1 are refused\. Only at least 5 seats"):
        closed.rows()


@pytest.mark.parametrize(("about", "n_seats"), SINGLE_SEATS)
def test_rows_of_single_seats_are_given_where_they_may_be_seen(
    lesson: MakeLesson, readings: MakeReadings, about: dict[str, Any], n_seats: int
) -> None:
    seen = class_of(n_seats, readings)
    assert_array_equal(gate(lesson(**about), seen).rows().emotions, seen.emotions)


def test_self_study_gives_no_row_of_somebody_who_walks_by(lesson: MakeLesson, readings: MakeReadings) -> None:
    me = [(row, 1, "happy") for row in range(10)]
    others = [(3, NO_SEAT, "sad"), (4, NO_SEAT, "sad"), (5, 2, "angry"), (6, 2, "angry")]
    opened = gate(lesson(purpose="self-study"), readings(range(10), me + others))
    assert opened.allowance.single
    assert_array_equal(np.unique(opened.rows().seats), [1])


@pytest.mark.parametrize("seats", [1, 2, 3, 4])
def test_a_bin_of_too_few_seats_keeps_nothing_but_the_word(
    lesson: MakeLesson, readings: MakeReadings, seats: int
) -> None:
    line = over_time(gate(lesson(), class_of(seats, readings)))
    assert_array_equal(line.status, [TOO_FEW])
    for name in ("engagement", "low", "high", "emotions", "readable", "unreadable", "seats"):
        assert np.isnan(getattr(line, name)).all(), name


@pytest.mark.parametrize("seats", [5, 6, 30])
def test_a_bin_of_enough_seats_is_shown(lesson: MakeLesson, readings: MakeReadings, seats: int) -> None:
    line = over_time(gate(lesson(), class_of(seats, readings)))
    assert_array_equal(line.status, [OK])
    assert_array_equal(line.seats, [seats])
    assert_array_equal(line.readable, [seats])
    np.testing.assert_allclose(line.engagement, [0.67])
    np.testing.assert_allclose(line.emotions[0], [0, 0, 0, 1, 0, 0, 0])


def test_every_bin_is_judged_by_its_own_seats(lesson: MakeLesson, readings: MakeReadings) -> None:
    """Nine seats over the lesson, but never more than five at a time."""
    bins = [(1, 2, 3, 4, 5), (6, 7, 8, 9), (), (1, 2, 3, 4, 5)]
    faces = [
        (10 * number + row, seat, "sad") for number, seats in enumerate(bins) for row in range(10) for seat in seats
    ]
    line = over_time(gate(lesson(duration=50.0), readings([*range(40), 50.0], faces)))
    assert_array_equal(line.status, [OK, TOO_FEW, NO_FACE, OK, NOT_ANALYSED, NO_FACE])
    assert_array_equal(line.seats, [5, np.nan, 0, 5, np.nan, 0])
    assert_array_equal(line.readable, [5, np.nan, 0, 5, np.nan, 0])


def test_seats_that_cannot_be_read_do_not_make_a_group(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [(row, seat, "happy" if seat < 5 else None) for row in range(10) for seat in range(1, 11)]
    line = over_time(gate(lesson(), readings(range(10), faces)))
    assert_array_equal(line.status, [TOO_FEW])
    assert np.isnan([*line.readable, *line.unreadable, *line.seats]).all()


def test_a_bin_of_faces_that_cannot_be_read_tells_no_number(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [(row, seat, None) for row in range(10) for seat in (1, 2)]
    line = over_time(gate(lesson(), readings(range(10), faces)))
    assert_array_equal(line.status, [TOO_FEW])
    assert np.isnan(line.unreadable).all()


def test_faces_of_five_seats_none_of_which_can_be_read_are_said_to_be_so(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    faces = [(row, seat, None) for row in range(10) for seat in range(1, MIN_SEATS + 1)]
    line = over_time(gate(lesson(), readings(range(10), faces)))
    assert_array_equal(line.status, [UNREADABLE])
    assert_array_equal([*line.readable, *line.unreadable, *line.seats, *line.engagement], [0, MIN_SEATS, 0, np.nan])
    one_read = [(row, seat, "sad" if seat == 1 else None) for row, seat, _ in faces]
    assert_array_equal(over_time(gate(lesson(), readings(range(10), one_read))).status, [TOO_FEW])


def test_a_false_box_seen_in_two_frames_does_not_make_a_group_of_five(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    faces = [(row, seat, "happy") for row in range(10) for seat in range(1, 5)]
    closed = gate(lesson(), readings(range(10), [*faces, (2, 9, "sad"), (3, 9, "sad")]))
    assert_array_equal(over_time(closed).status, [TOO_FEW])
    assert whole(closed).n_seats is None


def test_faces_without_a_seat_do_not_make_a_group_of_five(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [(row, seat, "happy") for row in range(10) for seat in (1, 2, 3, 4, NO_SEAT, NO_SEAT)]
    assert_array_equal(over_time(gate(lesson(), readings(range(10), faces))).status, [TOO_FEW])


@pytest.mark.parametrize("about", [{"purpose": "research"}, {"purpose": "research", "reference": "EC 12/26"}])
def test_a_bin_without_a_face_is_so_for_everybody(
    lesson: MakeLesson, readings: MakeReadings, about: dict[str, Any]
) -> None:
    line = over_time(gate(lesson(**about), readings(range(10))))
    assert_array_equal(line.status, [NO_FACE])
    assert_array_equal([*line.readable, *line.unreadable, *line.seats], [0, 0, 0])


@pytest.mark.parametrize(("about", "n_seats"), [case for case in SINGLE_SEATS if case.values[1] == 1])
def test_a_bin_of_one_seat_is_shown_where_single_seats_may_be_seen(
    lesson: MakeLesson, readings: MakeReadings, about: dict[str, Any], n_seats: int
) -> None:
    line = over_time(gate(lesson(**about), class_of(n_seats, readings)))
    assert_array_equal(line.status, [OK])
    assert_array_equal(line.seats, [1])


def class_that_drops(seats: int, readings: MakeReadings) -> Readings:
    """Return twenty minutes, a frame every two seconds, of which all seats are sad for two."""
    moods = ["sad" if 300 <= row < 360 else "neutral" for row in range(600)]
    return readings(
        np.arange(600) * 2.0, [(row, seat, moods[row]) for row in range(600) for seat in range(1, seats + 1)]
    )


@pytest.mark.parametrize("seats", [1, 2, 3, 4])
def test_an_episode_of_fewer_than_five_seats_is_not_shown(
    lesson: MakeLesson, readings: MakeReadings, seats: int
) -> None:
    line = line_of(gate(lesson(duration=1200.0), class_that_drops(seats, readings)))
    assert set(line.status) <= {TOO_FEW, NOT_ENOUGH}
    for name in ("change", "low", "high", "seats", "taken", "usual", "shared"):
        assert np.isnan(getattr(line, name)).all(), name
    assert class_episodes(line) == ()


def test_an_episode_of_five_seats_is_shown(lesson: MakeLesson, readings: MakeReadings) -> None:
    closed = gate(lesson(duration=1200.0), class_that_drops(5, readings))
    (drop,) = class_episodes(line_of(closed))
    assert (drop.start, drop.end) == (600, 720)


def test_the_time_line_and_its_episodes_have_two_digits(lesson: MakeLesson, readings: MakeReadings) -> None:
    aggregated = partial(class_over_time, score=sharma)
    line, (drop,) = gate(lesson(duration=1200.0), class_that_drops(5, readings)).class_line(aggregated, class_episodes)
    assert (drop.change, line.change[305], line.usual) == (-0.67, -0.67, 1.0)
    opened = gate(lesson(duration=1200.0, reference="EC 12/26"), class_that_drops(5, readings))
    assert abs(opened.class_line(aggregated, class_episodes)[1][0].change + 2 / 3) < 1e-6


def test_an_episode_is_made_of_no_step_that_may_not_be_seen(lesson: MakeLesson, readings: MakeReadings) -> None:
    seen = class_that_drops(5, readings)
    away = (seen.seats == 5) & (seen.frames >= 290) & (seen.frames < 370)  # one of five leaves before the drop
    closed = gate(lesson(duration=1200.0), seen.of(~away))
    assert set(line_of(closed).status) == {OK, TOO_FEW}
    assert class_episodes(line_of(closed)) == ()
    opened = gate(lesson(duration=1200.0, reference="EC 12/26"), seen.of(~away))
    assert len(class_episodes(line_of(opened))) == 1


@pytest.mark.parametrize("seats", [0, 1, 4])
def test_the_whole_lesson_of_too_few_seats_tells_nothing(
    lesson: MakeLesson, readings: MakeReadings, seats: int
) -> None:
    told = whole(gate(lesson(), class_of(seats, readings)))
    assert np.isnan([told.engagement, told.low, told.high, told.faces_per_frame, told.readable]).all()
    assert np.isnan(told.emotions).all()
    assert told.n_seats is None
    assert told.n_readable is None or not told.n_readable


def test_the_whole_lesson_counts_readable_seats_only(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [(row, seat, "happy" if seat < 5 else None) for row in range(10) for seat in range(1, 11)]
    told = whole(gate(lesson(), readings(range(10), faces)))
    assert told.n_seats is None
    assert np.isnan(told.engagement)


def test_the_whole_lesson_of_enough_seats_is_told(lesson: MakeLesson, readings: MakeReadings) -> None:
    told = whole(gate(lesson(), class_of(5, readings)))
    assert (told.n_seats, told.n_readable, told.faces_per_frame, told.readable) == (5, 5, 5.0, 1.0)
    np.testing.assert_allclose([told.engagement, told.low, told.high], [0.67] * 3)


def test_the_number_of_frames_may_always_be_told(lesson: MakeLesson, readings: MakeReadings) -> None:
    assert gate(lesson(), class_of(1, readings, frames=7)).frames() == 7


def test_a_stored_lesson_is_opened_as_far_as_its_purpose_allows(
    store: LessonStore, lesson: MakeLesson, observation: Callable[..., Observation]
) -> None:
    alone, both = (store.add(lesson(purpose="self-study")) for _ in range(2))
    for kept, seats in ((alone, [1]), (both, [1, 2])):
        store.append(kept, [observation(row, row / 5, [(seat, "happy") for seat in seats]) for row in range(10)])
    assert len(open_gate(store, alone).rows()) == 10
    with pytest.raises(PrivacyError, match="lesson 2"):
        open_gate(store, both).rows()


def change() -> Callable[[Readings], Change]:
    spans = np.array([[0.0, 5.0], [20.0, 30.0], [0.0, 10.0]])  # a part, one beyond the lesson, the whole lesson
    return partial(changes, score=sharma, inside=spans, against=np.full((3, 2), np.nan))


@pytest.mark.parametrize("seats", [1, 2, 3, 4])
def test_a_part_of_too_few_seats_keeps_nothing_but_the_word(
    lesson: MakeLesson, readings: MakeReadings, seats: int
) -> None:
    seen = gate(lesson(), class_of(seats, readings)).changes(change())
    assert_array_equal(seen.status, [TOO_FEW, NOT_ANALYSED, NO_REST])  # the others follow from the frames alone
    for values in (seen.value, seen.low, seen.high, seen.seats):
        assert np.isnan(values).all()
    assert np.isnan(seen.covered[0])


def test_a_part_of_five_seats_is_seen(lesson: MakeLesson, readings: MakeReadings) -> None:
    seen = gate(lesson(), class_of(MIN_SEATS, readings)).changes(change())
    assert (seen.status[0], seen.seats[0]) == (OK, MIN_SEATS)
    assert abs(seen.value[0]) < 1e-9


def test_a_part_of_two_seats_is_seen_where_single_seats_may_be(lesson: MakeLesson, readings: MakeReadings) -> None:
    opened = gate(lesson(reference="EC 12/26"), class_of(2, readings))
    assert opened.changes(change()).status[0] == OK


def test_a_class_of_which_too_few_seats_were_there_on_both_sides_is_not_seen(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    faces = [(row, seat, "happy") for row in range(10) for seat in range(1, 7) if seat < 5 or row < 5]
    seen = gate(lesson(), readings(range(10), faces)).changes(change())
    assert seen.status[0] == TOO_FEW
    assert np.isnan(seen.seats[0])


def test_the_span_of_a_lesson_begins_with_its_first_frame(lesson: MakeLesson, readings: MakeReadings) -> None:
    assert gate(lesson(duration=5.0), readings(range(600, 605))).span() == (600.0, 605.0)
    assert gate(lesson(duration=0.0), readings([])).span() == (0.0, 0.0)


@pytest.mark.parametrize(
    ("purpose", "reference", "message"),
    [
        (
            None,
            None,
            "A purpose is needed. Expected: --purpose research|self-study|demo. It is stored with the lesson and "
            "decides what may be shown.",
        ),
        ("x", None, "There is no purpose 'x'. Expected one of: research, self-study, demo."),
        ("demo", " ", "The reference is empty. Expected: an ethics or consent number, or no --reference at all."),
    ],
)
def test_what_is_missing_of_a_purpose_is_told_in_full(purpose: str | None, reference: str | None, message: str) -> None:
    with pytest.raises(SettingsError) as told:
        check_purpose(purpose, reference)
    assert str(told.value) == message


@pytest.mark.parametrize(
    ("about", "n_seats", "rule"),
    [
        (("demo", None), 1, "the purpose demo shows them for the built-in synthetic room only."),
        (("research", None), 9, "research shows them only with --reference, an ethics or consent number."),
        (("self-study", None), 2, "self-study shows one only where there is one seat."),
    ],
)
def test_the_rule_says_why_single_seats_are_not_shown(about: tuple[str, str | None], n_seats: int, rule: str) -> None:
    start = "Only at least 5 seats together are shown, counted in each time bin; single seats are not: "
    assert allowance_for(*about, n_seats).rule == start + rule
    faces = allowance_for(*about, n_seats, alone="face").rule
    assert faces == (start + rule).replace("seat", "face").replace(", counted in each time bin", "")


def test_the_rule_says_why_single_seats_are_shown(lesson: MakeLesson) -> None:
    assert allowance(lesson(purpose="demo", sample=True), 9).rule == (
        "The built-in synthetic room shows nobody, so single seats are shown."
    )
    assert allowance_for("research", "EC 1", 9).rule == (
        "Single seats are shown for research under the reference EC 1."
    )
    assert allowance_for("self-study", None, 1, "face").rule == "Self-study with one face, so that face is shown."


def test_who_asks_for_rows_is_told_of_which_lesson_and_why(lesson: MakeLesson, readings: MakeReadings) -> None:
    closed = gate(lesson(number=7), class_of(2, readings))
    with pytest.raises(PrivacyError) as told:
        closed.rows()
    assert str(told.value) == f"Rows of single seats of lesson 7 are refused. {closed.allowance.rule}"


@pytest.mark.parametrize(
    ("duration", "moment"), [(0, 1), (120, 1), (120.1, 2), (240, 2), (240.1, 5), (1e6, 5)], ids=str
)
def test_longer_lessons_have_longer_moments(
    lesson: MakeLesson, readings: MakeReadings, duration: float, moment: float
) -> None:
    assert gate(lesson(duration=float(duration)), class_of(5, readings)).moment == moment


def test_parts_begin_and_end_with_moments_and_are_one_long_at_least(lesson: MakeLesson, readings: MakeReadings) -> None:
    spans = np.array([[2.4, 12.6], [3.0, 3.2], [7.6, 9.9], [np.nan, np.nan]])
    closed = gate(lesson(duration=600.0), class_of(5, readings))
    assert_array_equal(closed.moments(spans), [[0, 15], [5, 10], [10, 15], [np.nan, np.nan]])
    opened = gate(lesson(reference="EC 12/26"), class_of(5, readings))
    assert_array_equal(opened.moments(spans), spans)


def crowd(read: dict[int, int], readings: MakeReadings, each: int = 1) -> Readings:
    """Return six seats that are there in every frame, one a second; in a moment so many of them can be read."""
    frames = range(len(read) * each)
    return readings(
        frames, [(row, seat, "sad" if seat <= read[row // each] else None) for row in frames for seat in range(1, 7)]
    )


def test_a_moment_of_five_read_seats_counts_and_one_of_four_does_not(readings: MakeReadings) -> None:
    seen, lost = together(crowd({0: 5, 1: 4, 2: 6, 3: 0}, readings), 1.0)
    assert_array_equal(np.bincount(seen.frames, ~np.isnan(seen.emotions[:, 0])), [5, 0, 6, 0])
    assert_array_equal(np.bincount(seen.frames, lost), [0, 4, 0, 0])
    assert seen.emotions.dtype == np.float32 and seen.signals.dtype == np.float32


def test_seats_read_at_different_times_of_a_moment_are_read_together(readings: MakeReadings) -> None:
    """Three in one frame and three others in the next are six within two seconds, and too few within one."""
    faces = [(row, seat, "sad" if (seat <= 3) == (row % 2 == 0) else None) for row in range(8) for seat in range(1, 7)]
    seen = readings(range(8), faces)
    assert together(seen, 2.0)[1].sum() == 0
    assert together(seen, 1.0)[1].sum() == 24


def test_a_lesson_that_begins_late_has_its_moments_where_the_source_has_them(readings: MakeReadings) -> None:
    faces = [(row, seat, "sad" if (seat <= 3) == (row % 2 == 0) else None) for row in range(8) for seat in range(1, 7)]
    assert together(readings(np.arange(601, 609), faces), 2.0)[1].sum() == 6  # the first and the last are alone
    assert together(readings(np.arange(600, 608), faces), 2.0)[1].sum() == 0


def test_who_has_no_seat_counts_only_where_five_seats_do(readings: MakeReadings) -> None:
    walking = [(0, NO_SEAT, "happy"), (1, NO_SEAT, "happy"), (0, 99, "happy")]
    faces = [(row, seat, "sad") for row in range(4) for seat in range(1, 6) if row != 1 or seat < 5]
    seen, lost = together(readings(range(4), [*faces, *walking]), 1.0)
    gone = lost & (seen.seats == NO_SEAT)
    assert_array_equal(seen.frames[gone], [1])
    assert lost.sum() == 5


def test_signals_count_by_themselves(readings: MakeReadings) -> None:
    seen = crowd({0: 6, 1: 6}, readings)
    signals = seen.signals.copy()
    signals[:5, 0], signals[6:10, 0] = 1.0, 1.0  # five presences in the first moment, four in the second
    signals[:4, 1] = 2.0
    told, lost = together(dataclasses.replace(seen, signals=signals), 1.0)
    assert lost.sum() == 0 and not np.isnan(told.emotions).any()
    assert_array_equal(np.flatnonzero(~np.isnan(told.signals[:, 0])), np.arange(5))
    assert np.isnan(told.signals[:, 1:]).all()


def test_no_reading_has_no_moment(readings: MakeReadings) -> None:
    for none in (readings([]), readings(range(3))):
        seen, lost = together(none, 5.0)
        assert len(seen) == len(lost) == 0


def test_faces_that_do_not_count_are_told_as_readable_all_the_same(lesson: MakeLesson, readings: MakeReadings) -> None:
    """Of two seconds a bin: ten frames of six readable ones, then a moment of four read and two unreadable."""
    seen = crowd({0: 6, 1: 4, 2: 6, 3: 6}, readings, each=5)
    line = over_time(gate(lesson(duration=20.0), seen), 10.0)
    assert_array_equal(line.status, [OK, OK])
    assert_array_equal(line.readable, [5, 6])
    assert_array_equal(line.unreadable, [1, 0])
    assert_array_equal(over_time(gate(lesson(duration=20.0), seen), 5.0).status, [OK, TOO_FEW, OK, OK])


def test_numbers_about_the_class_have_two_digits_and_single_seats_all(
    lesson: MakeLesson, readings: MakeReadings
) -> None:
    faces = [(row, seat, [0.1234, 0, 0, 0.5, 0, 0, 0.3766]) for row in range(10) for seat in range(1, 6)]
    seen = readings(range(10), faces)
    closed, opened = (gate(lesson(reference=given), seen) for given in (None, "EC 12/26"))
    exact = float(sharma(seen.emotions)[0])
    for told, digits in ((closed, 2), (opened, 9)):
        assert over_time(told).engagement[0] == pytest.approx(round(exact, digits), abs=1e-7)
        assert over_time(told).emotions[0, 0] == pytest.approx(round(0.1234, digits), abs=1e-7)
        assert whole(told).engagement == pytest.approx(round(exact, digits), abs=1e-7)
        assert [whole(told).low, whole(told).high] == pytest.approx([round(exact, digits)] * 2, abs=1e-7)


def shares(gate: Gate) -> Share:
    """Return how much of the class is happy in each of two bins of five frames."""

    def aggregate_shares(seen: Readings) -> list[Share]:
        happy = seen.emotions[:, 3].astype(np.float64)
        return [aggregate.share(seen, happy, (seen.times[seen.frames] >= 5).astype(np.int64), 2)]

    (told,) = gate.shares(aggregate_shares)
    return told


def test_the_share_of_a_state_is_hidden_where_too_few_seats_make_it(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [
        (row, seat, "happy" if seat < 3 else "sad") for row in range(10) for seat in range(1, 7) if row < 5 or seat < 5
    ]
    seen = readings(range(10), faces)
    told = shares(gate(lesson(), seen))
    assert_array_equal(told.value, [0.33, np.nan])
    assert_array_equal(told.seats, [6, np.nan])
    assert np.isnan([told.low[1], told.high[1]]).all() and (told.low[0], told.high[0]) == (0, 0.88)
    opened = shares(gate(lesson(reference="EC 12/26"), seen))
    np.testing.assert_allclose(opened.value, [1 / 3, 0.5])
    assert_array_equal(opened.seats, [6, 4])


def test_a_share_of_five_seats_is_told(lesson: MakeLesson, readings: MakeReadings) -> None:
    assert_array_equal(shares(gate(lesson(), class_of(5, readings))).value, [1, 1])


def test_the_whole_class_tells_faces_that_do_not_count_as_readable(lesson: MakeLesson, readings: MakeReadings) -> None:
    seen = crowd({0: 6, 1: 4, 2: 6, 3: 6}, readings, each=5)
    told = whole(gate(lesson(duration=20.0), seen))
    assert (told.n_seats, told.n_readable, told.faces_per_frame) == (6, 6, 6)
    assert told.readable == pytest.approx((30 + 20 + 30 + 30) / 120)


def test_a_lesson_of_hidden_moments_alone_keeps_its_words_for_them(lesson: MakeLesson, readings: MakeReadings) -> None:
    line = line_of(gate(lesson(duration=1200.0), class_that_drops(4, readings)))
    assert_array_equal(line.status, TOO_FEW)
    assert np.isnan(line.change).all()
    empty = line_of(gate(lesson(duration=1200.0), readings(np.arange(600) * 2.0)))
    assert_array_equal(empty.status, NO_FACE)
    assert_array_equal(empty.taken, 0)


def test_a_line_of_enough_seats_keeps_its_level_and_its_digits(lesson: MakeLesson, readings: MakeReadings) -> None:
    line = line_of(gate(lesson(duration=1200.0), class_that_drops(5, readings)))
    assert line.usual == pytest.approx(1.0) and line.shared > 0.9
    assert_array_equal(line.seats[:500], 5)
    opened = line_of(gate(lesson(duration=1200.0, reference="EC 12/26"), class_that_drops(2, readings)))
    assert_array_equal(opened.taken, 2)


def test_a_part_of_the_class_is_told_in_hundredths(lesson: MakeLesson, readings: MakeReadings) -> None:
    faces = [
        (row, seat, [0, 0, 0, share, 0, 0, 1 - share])
        for row in range(10) for seat in range(1, 7) for share in [0.1234 if row < 5 else 0.3 + seat / 50]
    ]  # fmt: skip
    seen = readings(range(10), faces)
    closed, opened = (gate(lesson(reference=given), seen).changes(change()) for given in (None, "EC 12/26"))
    assert_array_equal(closed.value[0], np.round(opened.value[0], 2))
    assert closed.value[0] != opened.value[0]
    assert (closed.low[0], closed.high[0]) == (round(opened.low[0], 2), round(opened.high[0], 2))
    assert (closed.seats[0], closed.covered[0]) == (6, 1)


def test_sparse_parts_of_too_few_seats_say_so_too(lesson: MakeLesson, readings: MakeReadings) -> None:
    spans = np.array([[0.0, 60.0]])
    sparse = partial(changes, score=sharma, inside=spans, against=np.full((1, 2), np.nan))
    for seats, status in ((4, TOO_FEW), (5, SPARSE)):
        seen = gate(lesson(duration=90.0), class_of(seats, readings, frames=90))
        late = seen._readings.of(seen._readings.frames >= 55)
        told = gate(lesson(duration=90.0), late).changes(sparse)
        assert_array_equal(told.status, [status])
        assert np.isnan(told.seats[0]) == (status == TOO_FEW)


def test_a_bin_that_is_hidden_keeps_no_number_and_the_others_keep_theirs(readings: MakeReadings) -> None:
    faces = [(row, seat, "happy") for row in range(20) for seat in range(1, 7) if row < 10 or seat < 5]
    full = aggregate.timeline(readings(range(20), faces), sharma, 10.0)
    told = hide(full, allowance_for("research", None, 6))
    assert_array_equal(told.status, [OK, TOO_FEW])
    for name in ("engagement", "low", "high", "emotions", "readable", "unreadable", "seats"):
        assert_array_equal(getattr(told, name)[0], getattr(full, name)[0])
        assert np.isnan(getattr(told, name)[1]).all() and not np.isnan(getattr(full, name)[1]).any(), name
    opened = hide(full, allowance_for("research", "EC 1", 6))
    assert_array_equal(opened.emotions, full.emotions)


def just_seen(readings: Readings, reference: str | None = None) -> Timeline:
    seen = allowance_for("research", reference, len(readings.established()))
    bins = partial(aggregate.timeline, score=sharma, bin_seconds=10.0)
    return just_past(readings, seen, bins)


def test_of_a_lesson_that_runs_five_seats_are_seen_and_four_are_not(readings: MakeReadings) -> None:
    few, enough = (just_seen(class_of(seats, readings)) for seats in (4, 5))
    assert (few.status.tolist(), enough.status.tolist()) == ([TOO_FEW], [OK])
    assert np.isnan(few.engagement).all() and np.isnan(few.emotions).all()
    assert_array_equal(enough.engagement, just_seen(class_of(5, readings), "EC 12/26").engagement.round(2))
    assert_array_equal(enough.seats, 5)


def test_of_a_lesson_that_runs_single_seats_are_seen_where_they_may_be(readings: MakeReadings) -> None:
    alone = just_seen(class_of(1, readings), "EC 12/26")
    assert (alone.status.tolist(), alone.seats.tolist()) == ([OK], [1])


def test_what_a_lesson_hid_as_it_ran_stays_hidden(lesson: MakeLesson, readings: MakeReadings) -> None:
    """Three are read in one second and three others in the next: six within two seconds, three within one."""
    faces = [(row, seat, "sad" if (seat <= 3) == (row % 2 == 0) else None) for row in range(20) for seat in range(1, 7)]
    seen = readings(range(20), faces)
    assert just_seen(seen).status[0] == TOO_FEW
    about = lesson(duration=600.0)
    assert over_time(gate(about, seen)).status.tolist() == [OK, OK]
    live = dataclasses.replace(about, made_with={SHOWN_LIVE: True})
    assert over_time(gate(live, seen)).status.tolist() == [TOO_FEW, TOO_FEW]
