import numpy as np
import pytest

from roomread.faces.detector import DetectorSettings, YuNet, clip, suppress
from roomread.types import Detections


def detections(boxes, scores=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    scores = np.full(len(boxes), 0.9) if scores is None else scores
    return Detections(boxes, np.array(scores, np.float32), np.zeros((len(boxes), 5, 2), np.float32))


@pytest.fixture(scope="module")
def yunet():
    return YuNet(threads=1)


def test_of_two_overlapping_boxes_the_surer_one_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [40, 40, 50, 50]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.7], np.float32), 0.3).tolist() == [1, 2]


def test_boxes_that_touch_little_both_stay():
    boxes = np.array([[0, 0, 10, 10], [8, 0, 18, 10]], np.float32)
    assert sorted(suppress(boxes, np.array([0.6, 0.9], np.float32), 0.3).tolist()) == [0, 1]


def test_no_box_suppresses_nothing():
    assert suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.3).tolist() == []


def test_boxes_are_cut_at_the_edge_and_dropped_beyond_it():
    kept = clip(detections([[-5, -5, 20, 20], [95, 40, 130, 70], [120, 10, 140, 30]]), 100, 60)
    assert kept.boxes.tolist() == [[0, 0, 20, 20], [95, 40, 100, 60]]


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 500, 3), (500, 33, 3), (720, 1280, 3)])
def test_a_picture_without_a_face_of_any_size_gives_none(yunet, shape):
    found = yunet.detect(np.full(shape, 120, np.uint8))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)


def test_the_astronaut_is_found_at_every_scale_at_the_same_place(yunet):
    data = pytest.importorskip("skimage.data")
    photograph = data.astronaut()
    whole = yunet.detect(photograph)
    reduced = YuNet(DetectorSettings(width=256), threads=1).detect(photograph)
    assert len(whole) == len(reduced) == 1
    np.testing.assert_allclose(whole.boxes, reduced.boxes, atol=12)
    left, top, right, bottom = whole.boxes[0]
    assert left < 222 < right
    assert top < 110 < bottom
    assert (whole.points[0, 0] < whole.points[0, 1]).any()  # the person's right eye is on the picture's left


@pytest.mark.parametrize("settings", [{"width": 8}, {"threshold": 0.0}, {"overlap": 1.0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="Received"):
        DetectorSettings(**settings)
