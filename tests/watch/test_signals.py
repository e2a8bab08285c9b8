"""Which seats are read when."""

import numpy as np
import pytest

from roomread.types import N_SIGNALS, Tracks
from roomread.watch.signals import SignalReader, SignalSettings

PICTURE = np.zeros((90, 90, 3), np.uint8)


class Echo:
    """Gives every signal the left edge of the face's box, and keeps how many faces it was asked for."""

    def __init__(self):
        self.asked = []

    def read(self, image, boxes, points):
        self.asked.append(len(boxes))
        return np.repeat(boxes[:, :1], N_SIGNALS, axis=1)


def tracks(*seats):
    boxes = np.array([[10 * seat, 0, 10 * seat + 40, 50] for seat in seats], np.float32).reshape(-1, 4)
    return Tracks(np.array(seats, np.int64), boxes, np.ones(len(seats), np.float32))


def watch(reader, seats, times):
    """Return for each moment the signals of its faces."""
    faces = tracks(*seats)
    points = np.zeros((len(faces), 5, 2), np.float32)
    return [reader.read(PICTURE, faces.boxes, points, reader.due(faces.seats, time)) for time in times]


@pytest.mark.parametrize(("fps", "rate"), [(30, 2.0), (5, 2.0), (12.5, 2.0), (29.97, 10.0), (25, 0.5)])
def test_every_seat_is_read_at_the_rate(fps, rate):
    reader = SignalReader(Echo(), SignalSettings(rate=rate))
    read = np.array([~np.isnan(rows[:, 0]) for rows in watch(reader, range(1, 31), np.arange(0, 60, 1 / fps))])
    assert abs(read.sum(axis=0) - 60 * rate).max() <= 1
    steps = [np.diff(np.flatnonzero(seat)) / fps for seat in read.T]
    assert all(step.max() <= 1 / rate + 1 / fps + 1e-6 for step in steps)


def test_frames_share_the_work():
    source = Echo()
    watch(SignalReader(source), range(1, 31), np.arange(0, 20, 0.1))
    assert source.asked[0] == 30  # at first sight
    assert max(source.asked[1:]) <= 9 and sum(source.asked) / 200 == pytest.approx(6, abs=0.3)


def test_where_frames_are_rarer_than_the_rate_every_frame_is_read():
    read = [~np.isnan(rows[:, 0]) for rows in watch(SignalReader(Echo()), [1, 2], np.arange(0, 20, 2.0))]
    assert np.array(read).all()


def test_rows_stay_with_their_faces_and_the_others_are_missing():
    rows = np.concatenate(watch(SignalReader(Echo()), [3, 0, 7, 5], np.arange(0, 3, 0.1))).reshape(30, 4, N_SIGNALS)
    for face, left in ((0, 30), (2, 70), (3, 50)):
        known = rows[:, face][~np.isnan(rows[:, face])]
        assert len(known) and (known == left).all()
    assert rows.dtype == np.float32


def test_a_face_without_a_seat_is_never_read():
    assert np.isnan(watch(SignalReader(Echo()), [0, 0, 0], np.arange(0, 5, 0.1))).all()


def test_a_seat_that_was_away_is_read_when_it_is_back():
    reader = SignalReader(Echo())
    watch(reader, [1], np.arange(0, 2, 0.1))
    watch(reader, [], np.arange(2, 9, 0.1))
    assert not np.isnan(watch(reader, [1], [9.0])[0]).any()


def test_no_face_gives_no_rows_and_no_work():
    source = Echo()
    rows = watch(SignalReader(source), [], [0.0, 1.0])
    assert rows[1].shape == (0, N_SIGNALS) and source.asked == []


def test_a_rate_of_0_reads_none():
    source = Echo()
    rows = watch(SignalReader(source, SignalSettings(rate=0.0)), [1, 2], np.arange(0, 5, 0.1))
    assert np.isnan(rows).all() and source.asked == []


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        SignalSettings(rate=rate)
