import numpy as np

from roomread.preprocess import FACE_SIZE
from roomread.types import N_EMOTIONS, Detections, Frame
from roomread.watch.pipeline import observe
from roomread.watch.track import SeatTracker


class ScriptedDetector:
    """Finds the boxes it was told, one list per frame."""

    def __init__(self, script):
        self.script = iter(script)

    def detect(self, image):
        boxes = np.array(next(self.script), np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(boxes), 0.9, np.float32), np.zeros((len(boxes), 5, 2), np.float32))


class SureReader:
    """Reads every face as happy."""

    def predict(self, image, boxes):
        emotions = np.zeros((len(boxes), N_EMOTIONS), np.float32)
        emotions[:, 3] = 1
        return emotions, np.zeros((len(boxes), FACE_SIZE, FACE_SIZE, 1), np.uint8)


def test_every_frame_gives_one_observation_in_order_and_a_frame_without_a_face_gives_one_without_rows():
    box = [10, 10, 50, 50]
    frames = [Frame(np.zeros((90, 90, 3), np.uint8), time=k / 5, index=6 * k) for k in range(3)]
    seen = list(observe(frames, ScriptedDetector([[box], [], [box]]), SeatTracker(), SureReader()))
    assert [len(each.tracks) for each in seen] == [1, 0, 1]
    assert [(each.time, each.index) for each in seen] == [(0.0, 0), (0.2, 6), (0.4, 12)]
    assert seen[1].emotions.shape == (0, N_EMOTIONS)
    assert seen[2].tracks.seats.tolist() == [1]
