import threading
import time

import numpy as np
import pytest

from roomread.faces.onnx import Network
from roomread.types import N_EMOTIONS, Detections, Frame
from roomread.watch.pipeline import in_order, observe
from roomread.watch.track import SeatTracker


class ScriptedDetector:
    """Finds the boxes it was told, one list per frame."""

    def __init__(self, script):
        self.script, self.networks = iter(script), dict[str, Network]()

    def detect(self, image):
        boxes = np.array(next(self.script), np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(boxes), 0.9, np.float32), np.zeros((len(boxes), 5, 2), np.float32))


class SureReader:
    """Reads every face as happy."""

    def predict(self, image, boxes, points=None):
        emotions = np.zeros((len(boxes), N_EMOTIONS), np.float32)
        emotions[:, 3] = 1
        return emotions, np.zeros(len(boxes), np.float32)


def test_every_frame_gives_one_observation_in_order_and_a_frame_without_a_face_gives_one_without_rows():
    box = [10, 10, 50, 50]
    frames = [Frame(np.zeros((90, 90, 3), np.uint8), time=k / 5, index=6 * k) for k in range(3)]
    observed = list(observe(frames, ScriptedDetector([[box], [], [box]]), SeatTracker(), SureReader()))
    assert [frame for frame, _ in observed] == frames
    seen = [each for _, each in observed]
    assert [len(each.tracks) for each in seen] == [1, 0, 1]
    assert [(each.time, each.index) for each in seen] == [(0.0, 0), (0.2, 6), (0.4, 12)]
    assert seen[1].emotions.shape == (0, N_EMOTIONS)
    assert seen[2].tracks.seats.tolist() == [1]


def test_work_side_by_side_comes_back_in_order():
    def work(item):
        time.sleep(0.002 * (item % 3))
        return item, threading.current_thread().name

    made = list(in_order(work, range(30), 3))
    assert [item for item, _ in made] == list(range(30))
    assert len({name for _, name in made}) > 1


def test_no_more_items_are_taken_than_can_be_worked_on():
    taken = []

    def items():
        for item in range(20):
            taken.append(item)
            yield item

    for done, _ in enumerate(in_order(lambda item: item, items(), 2)):
        assert len(taken) <= done + 4


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_is_raised_after_what_came_before_it(workers):
    def work(item):
        if item == 3:
            raise ValueError("three")
        return item

    answers = in_order(work, range(9), workers)
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(answers)


def test_whoever_stops_listening_ends_the_work():
    started = []

    def work(item):
        started.append(item)
        return item

    answers = in_order(work, iter(range(10**9)), 2)
    assert next(answers) == 0
    answers.close()
    assert len(started) <= 5
