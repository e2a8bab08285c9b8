"""Annotated pictures and videos."""

import contextlib

import av
import numpy as np
import pytest

from roomread.errors import OutputError
from roomread.types import N_EMOTIONS, N_SIGNALS, Frame, Observation, Tracks
from roomread.watch.annotate import AnnotatedVideo, annotate


def checkered(height=120, width=160):
    return np.repeat((np.indices((height, width)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


def seen(boxes, time=0.0, readable=True):
    n = len(boxes)
    tracks = Tracks(np.arange(1, n + 1), np.array(boxes, np.float32).reshape(n, 4), np.ones(n, np.float32))
    emotions = np.full((n, N_EMOTIONS), 1 / 7 if readable else np.nan, np.float32)
    signals = np.full((n, N_SIGNALS), np.nan, np.float32)
    return Observation(time, 0, tracks, emotions, np.ones(n, np.float32), signals)


def test_a_face_is_hidden_beyond_its_box_and_the_rest_stays():
    picture = annotate(Frame(checkered(), 0.0, 0), seen([[40, 40, 80, 90]]))
    inside = picture[45:85, 45:75].astype(int)
    assert np.abs(np.diff(inside, axis=1)).max() < 40  # no pixel differs from the next as it did
    assert np.array_equal(picture[105:, :], checkered()[105:, :])


def test_a_face_is_shown_only_when_that_is_asked_for():
    picture = annotate(Frame(checkered(), 0.0, 0), seen([[40, 40, 80, 90]]), show_faces=True)
    assert np.array_equal(picture[45:85, 45:75], checkered()[45:85, 45:75])


def test_a_face_that_could_not_be_read_has_another_colour():
    frame = Frame(checkered(), 0.0, 0)
    one, other = (annotate(frame, seen([[40, 40, 80, 90]], readable=read)) for read in (True, False))
    assert not np.array_equal(one[40, 41:79], other[40, 41:79])


def test_boxes_at_the_edge_and_frames_without_a_face_are_drawn():
    assert annotate(Frame(checkered(), 0.0, 0), seen([[0, 0, 10, 10], [150, 110, 160, 120]])).shape == (120, 160, 3)
    assert np.array_equal(annotate(Frame(checkered(), 0.0, 0), seen([])), checkered())


def test_the_number_of_a_seat_stands_within_the_picture():
    plain = np.full((120, 160, 3), 127, np.uint8)
    at_the_top, lower = (annotate(Frame(plain, 0.0, 0), seen([[40, top, 80, 90]])) for top in (0, 40))
    ink = [(picture.max(axis=2) < 100).sum() for picture in (at_the_top, lower)]
    assert ink[0] == ink[1] > 0


def test_a_frame_at_the_time_of_the_one_before_is_left_out(tmp_path):
    with contextlib.closing(AnnotatedVideo(tmp_path / "v.mp4")) as video:
        for time in (0.0, 0.2, 0.2, 0.4):
            video.add(Frame(checkered(), time, 0), seen([], time))
    with av.open(str(tmp_path / "v.mp4")) as container:
        times = [frame.time for frame in container.decode(container.streams.video[0])]
    assert times == pytest.approx([0.0, 0.2, 0.4], abs=1e-3)


def test_a_video_keeps_the_times_of_its_frames(tmp_path):
    times = [0.0, 0.2, 0.7, 0.8]
    with contextlib.closing(AnnotatedVideo(tmp_path / "a" / "v.mp4")) as video:
        for time in times:
            video.add(Frame(checkered(121, 161), time, 0), seen([[40, 40, 80, 90]], time))
    with av.open(str(tmp_path / "a" / "v.mp4")) as container:
        frames = list(container.decode(container.streams.video[0]))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)
    assert (frames[0].width, frames[0].height) == (160, 120)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["v.mp4"]


def test_where_a_face_is_missed_before_and_after_it_was_found_it_stays_hidden(tmp_path):
    times = np.arange(0, 6, 0.2)
    with contextlib.closing(AnnotatedVideo(tmp_path / "v.mp4")) as video:
        for index, time in enumerate(times):
            video.add(
                Frame(np.kron(checkered(15, 20), np.ones((8, 8, 1), np.uint8)), time, 0),
                seen([[40, 40, 80, 90]] if index == 8 else []),
            )
    with av.open(str(tmp_path / "v.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(container.streams.video[0])]
    sharp = [frame[48:84, 46:74, 0].astype(int).std() > 60 for frame in frames]
    assert len(frames) == len(times)
    assert [index for index, one in enumerate(sharp) if not one] == list(range(3, 19))  # 5 frames before, 2 s after


def test_without_a_frame_nothing_is_left(tmp_path):
    AnnotatedVideo(tmp_path / "v.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        AnnotatedVideo(tmp_path / "file" / "v.mp4")


def test_no_video_is_written_over(tmp_path):
    (tmp_path / "lesson.mp4").write_bytes(b"the recording itself")
    with pytest.raises(OutputError, match="is there already"):
        AnnotatedVideo(tmp_path / "lesson.mp4")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the recording itself"]
