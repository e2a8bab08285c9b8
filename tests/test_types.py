"""The data that passes between the stages."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from roomread.types import (
    EMOTIONS,
    N_SIGNALS,
    NO_SEAT,
    SIGNALS,
    Detections,
    Frame,
    Lesson,
    Observation,
    Overall,
    Readings,
    Timeline,
    Tracks,
    check_shape,
    frames_needed,
    trusted,
)


def make_tracks(seats: list[int]) -> Tracks:
    n = len(seats)
    return Tracks(np.array(seats, np.int64), np.zeros((n, 4), np.float32), np.zeros(n, np.float32))


def make_timeline(**changes: Any) -> Timeline:
    values: dict[str, Any] = {
        name: np.zeros(3) for name in ("starts", "engagement", "low", "high", "readable", "unreadable", "seats")
    }
    more: dict[str, Any] = {"bin_seconds": 1.0, "status": np.array(["ok"] * 3), "emotions": np.zeros((3, 7))}
    return Timeline(**(values | more | changes))


def test_the_classes_stand_in_the_order_of_fer_2013() -> None:
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_what_is_read_of_a_lost_face_is_not_trusted() -> None:
    signals = np.tile(np.arange(1, N_SIGNALS + 1.0), (3, 1))
    signals[:, 0] = 0.9, 0.3, np.nan
    sure = trusted(signals)
    assert_array_equal(sure[0], signals[0])
    assert sure[1, 0] == 0.3 and np.isnan(sure[2, 0]) and np.isnan(sure[1:, 1:]).all()


@pytest.mark.parametrize(
    ("yaw", "pitch", "hidden"),
    [
        (-45, 0, {"gaze"}),
        (55, 0, {"eyes", "gaze", "upper_lid", "lower_lid", "mouth", "upper_lip", "lips"}),
        (0, -35, {"eyes", "gaze", "upper_lid", "lower_lid"}),
        (0, np.nan, set()),
    ],
)
def test_eyes_and_mouths_of_heads_turned_away_are_not_trusted(yaw: float, pitch: float, hidden: set[str]) -> None:
    signals = np.full((1, N_SIGNALS), 0.6)
    signals[0, 1:3] = yaw, pitch
    sure = trusted(signals)[0]
    assert {name for name, value in zip(SIGNALS, sure, strict=True) if np.isnan(value)} - {"pitch"} == hidden


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        pytest.param((2, 4), (2, 4), id="every side named"),
        pytest.param((0, 4), (None, 4), id="no rows"),
        pytest.param((5, 9, 3), (None, None, 3), id="two sides free"),
        pytest.param((), (), id="a number"),
    ],
)
def test_a_fitting_shape_passes(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    check_shape("boxes", np.zeros(shape), wanted)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        pytest.param((2, 3), (2, 4), id="a side too short"),
        pytest.param((2,), (2, None), id="a side too few"),
        pytest.param((2, 4, 1), (None, 4), id="a side too many"),
    ],
)
def test_another_shape_is_refused_by_name(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    with pytest.raises(ValueError, match=r"`boxes` has the wrong shape\. Expected: .* Received: \("):
        check_shape("boxes", np.zeros(shape), wanted)


def test_a_gray_picture_is_no_frame() -> None:
    with pytest.raises(ValueError, match="image"):
        Frame(np.zeros((48, 48), np.uint8), 0.0, 0)


@pytest.mark.parametrize("name", ["boxes", "points"])
def test_detections_need_one_row_for_each_score(name: str) -> None:
    values = {"boxes": np.zeros((2, 4)), "scores": np.zeros(2), "points": np.zeros((2, 5, 2))}
    with pytest.raises(ValueError, match=name):
        Detections(**(values | {name: values[name][:1]}))


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        pytest.param(np.array([True, False, True]), [0, 2], id="mask"),
        pytest.param(np.array([2, 0]), [2, 0], id="order"),
        pytest.param(np.zeros(3, bool), [], id="none"),
    ],
)
def test_detections_keep_boxes_scores_and_points_together(keep: np.ndarray, left: list[int]) -> None:
    rows = np.arange(3, dtype=np.float32)
    faces = Detections(np.repeat(rows[:, None], 4, axis=1), rows, np.broadcast_to(rows[:, None, None], (3, 5, 2)))[keep]
    assert len(faces) == len(left)
    assert_array_equal(faces.scores, left)
    assert_array_equal(faces.boxes[:, 3], left)
    assert_array_equal(faces.points[:, 4, 1], left)


def test_a_seat_stands_in_a_frame_once() -> None:
    with pytest.raises(ValueError, match=r"each seat once\. Received: \[1, 2, 1\]"):
        make_tracks([1, 2, 1])


def test_several_faces_of_a_frame_may_have_no_seat() -> None:
    assert len(make_tracks([NO_SEAT, 3, NO_SEAT])) == 3


def test_a_frame_without_a_face_is_an_ordinary_observation() -> None:
    signals = np.empty((0, N_SIGNALS))
    seen = Observation(0.0, 0, make_tracks([]), np.empty((0, 7), np.float32), np.empty(0, np.float32), signals)
    assert len(seen.tracks) == 0


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param(((1, 7), (2,), (2, 7)), id="emotions"),
        pytest.param(((2, 7), (1,), (2, 7)), id="sharpness"),
        pytest.param(((2, 7), (2,), (2, 6)), id="signals"),
    ],
)
def test_an_observation_has_one_row_for_each_face(shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="wrong shape"):
        Observation(0.0, 0, make_tracks([1, 2]), *(np.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("name", ["seats", "boxes", "scores", "sharpness", "emotions", "signals"])
def test_readings_have_one_row_for_each_face(readings: Callable[..., Readings], name: str) -> None:
    whole = readings([0.0], [(0, 1, "happy"), (0, 2, "sad")])
    with pytest.raises(ValueError, match=f"`{name}`"):
        dataclasses.replace(whole, **{name: getattr(whole, name)[:1]})


def test_keeping_some_faces_keeps_every_frame(readings: Callable[..., Readings]) -> None:
    whole = readings([0.0, 0.2, 0.4], [(0, 1, "happy"), (1, 1, None), (1, 2, "sad")])
    part = whole.of(whole.seats == 1)
    assert_array_equal(part.times, whole.times)
    assert_array_equal(part.frames, [0, 1])
    assert_array_equal(part.seats, [1, 1])
    assert_array_equal(part.emotions, whole.emotions[:2])
    assert len(whole.of(np.zeros(3, bool))) == 0


@pytest.mark.parametrize(
    ("frames", "seen", "established"),
    [
        pytest.param(1, 1, True, id="a single picture"),
        pytest.param(2, 1, False, id="half of two frames"),
        pytest.param(2, 2, True, id="both of two frames"),
        pytest.param(100, 2, False, id="two frames"),
        pytest.param(100, 3, True, id="three frames"),
        pytest.param(1000, 19, False, id="less than a fiftieth of a long lesson"),
        pytest.param(1000, 20, True, id="a fiftieth of a long lesson"),
    ],
)
def test_a_seat_is_one_that_was_seen_often_enough(
    readings: Callable[..., Readings], frames: int, seen: int, established: bool
) -> None:
    faces = [(frame, 4, None) for frame in range(seen)]
    assert_array_equal(readings(np.arange(frames) / 5, faces).established(), [4] if established else [])


def test_faces_without_a_seat_never_make_one(readings: Callable[..., Readings]) -> None:
    faces = [(frame, NO_SEAT, "happy") for frame in range(50)] + [(frame, 9, "sad") for frame in range(50)]
    assert_array_equal(readings(np.arange(50), faces).established(), [9])
    assert_array_equal(readings([]).established(), [])


@pytest.mark.parametrize("name", ["status", "engagement", "low", "high", "readable", "unreadable", "seats", "emotions"])
def test_a_timeline_has_one_row_for_each_bin(name: str) -> None:
    whole = make_timeline()
    with pytest.raises(ValueError, match=f"`{name}`"):
        make_timeline(**{name: getattr(whole, name)[:2]})


@pytest.mark.parametrize("kind", [Frame, Detections, Tracks, Observation, Lesson, Readings, Timeline, Overall])
def test_no_stage_can_change_what_another_made(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind)


@pytest.mark.parametrize(("frames", "needed"), [(0, 1), (1, 1), (2, 2), (3, 3), (150, 3), (1000, 20)])
def test_a_seat_counts_once_it_was_seen_in_enough_frames(frames: int, needed: int) -> None:
    assert frames_needed(frames) == needed
