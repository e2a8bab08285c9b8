import numpy as np
import pytest

from roomread.faces.boxes import clip, join, overlaps, sizes, suppress
from roomread.types import Detections


def detections(boxes, scores=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    scores = np.full(len(boxes), 0.9) if scores is None else scores
    return Detections(boxes, np.array(scores, np.float32), np.zeros((len(boxes), 5, 2), np.float32))


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


def test_overlap_is_the_shared_part_of_the_joint_area():
    first, second = np.array([[0, 0, 10, 10], [0, 0, 10, 10]]), np.array([[5, 0, 15, 10], [20, 20, 30, 30]])
    assert overlaps(first, second) == pytest.approx([1 / 3, 0])


def test_the_size_of_a_box_is_the_root_of_its_area():
    assert sizes(np.array([[1, 2, 5, 11]])) == pytest.approx([6])


def test_faces_of_several_views_stand_one_after_the_other():
    both = join([detections([[0, 0, 1, 1]], [0.5]), detections([]), detections([[2, 2, 3, 3]], [0.7])])
    assert both.scores == pytest.approx([0.5, 0.7])
    assert both.boxes[:, 0].tolist() == [0, 2]
