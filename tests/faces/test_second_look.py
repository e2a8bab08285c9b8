import numpy as np
import pytest

from roomread.faces.onnx import Runtime
from roomread.faces.second_look import SecondLook
from roomread.types import Detections

FACE = (174, 64, 266, 182)  # of the astronaut, pixels


@pytest.fixture(scope="module")
def second():
    return SecondLook(runtime=Runtime(threads=1))


def detections(boxes, scores):
    points = np.arange(len(boxes) * 10, dtype=np.float32).reshape(-1, 5, 2)
    return Detections(np.array(boxes, np.float32), np.array(scores, np.float32), points)


def test_a_doubtful_face_gains_and_what_is_no_face_loses(second):
    photograph = pytest.importorskip("skimage.data").astronaut()
    faces = detections([FACE, (300, 300, 390, 400), FACE, FACE, (-40, -60, 30, 20)], [0.5, 0.5, 0.9, 0.2, 0.6])
    judged = second.judge(photograph, faces)
    assert judged.scores[0] > 0.6
    assert judged.scores[1] < 0.35
    assert judged.scores[4] < 0.4
    np.testing.assert_array_equal(judged.scores[[2, 3]], faces.scores[[2, 3]])  # sure either way: not looked at again
    np.testing.assert_array_equal(judged.boxes[[2, 3]], faces.boxes[[2, 3]])
    np.testing.assert_array_equal(judged.points, faces.points)


@pytest.mark.parametrize("shift", [(0, 0), (12, 0), (0, -14)])
def test_a_box_a_little_off_is_drawn_towards_the_face(second, shift):
    photograph = pytest.importorskip("skimage.data").astronaut()
    off = np.array(FACE) + np.tile(shift, 2)
    judged = second.judge(photograph, detections([off], [0.5]))
    assert np.abs(judged.boxes[0] - FACE).max() < 10


def test_each_face_is_judged_by_its_own_surroundings(second):
    photograph = pytest.importorskip("skimage.data").astronaut()
    boxes = [(300, 300, 390, 400), FACE, (10, 400, 60, 460)]
    together = second.judge(photograph, detections(boxes, [0.5, 0.5, 0.5]))
    alone = [second.judge(photograph, detections([box], [0.5])).scores[0] for box in boxes]
    assert together.scores == pytest.approx(alone, abs=0.05)


def test_no_face_stays_no_face(second):
    assert len(second.judge(np.zeros((50, 60, 3), np.uint8), detections(np.empty((0, 4)), []))) == 0
