"""What can be measured in a room, with scripted faces."""

import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.app.check import check_room
from roomread.app.check_picture import draw_check
from roomread.app.observing import ObserveSettings
from roomread.errors import SourceError
from roomread.faces.expression import ExpressionSettings
from roomread.faces.head import HeadSettings
from roomread.faces.onnx import Network
from roomread.types import Detections, Frame

STRIPES = (np.indices((480, 640)).sum(axis=0) // 2 % 2 * 120 + 60).astype(np.uint8)


class Found:
    """Finds the same boxes in every frame, except in those it is told to see nothing in."""

    def __init__(self, boxes, blind=()):
        self.boxes, self.blind, self.count = np.array(boxes, np.float32).reshape(-1, 4), blind, -1
        self.networks = dict[str, Network]()

    def detect(self, image):
        self.count += 1
        boxes = self.boxes[:0] if self.count in self.blind else self.boxes
        n = len(boxes)
        return Detections(boxes, np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))


def frames(image=STRIPES, n=10):
    return [Frame(np.repeat(image[..., None], 3, axis=2), k / 2, k) for k in range(n)]


def square(x, y, size):
    return [x, y, x + size, y + size]


def test_each_zone_says_how_large_its_faces_are_and_what_that_allows():
    check = check_room(
        frames(), Found([square(20, 20, 12), square(20, 400, 20), square(500, 400, 60)]), ObserveSettings()
    )
    told = {(zone.row, zone.column): zone for zone in check.zones}
    assert {place: zone.measures for place, zone in told.items()} == {
        (0, 0): (), (2, 0): ("expression",), (2, 3): ("expression", "head pose", "eyes"),
    }  # fmt: skip
    assert told[0, 0].size == pytest.approx(12)
    assert told[2, 3].faces == pytest.approx(1)
    assert told[2, 3].advice == ()
    assert "3.3 times as many pixels" in told[0, 0].advice[0]
    assert (check.frames, check.seats, check.seconds) == (10, 3, 4.5)
    assert "record at 2140 pixels across in place of 640" in check.advice[-1]


@pytest.mark.parametrize(
    ("image", "word"), [(STRIPES // 8, "dark"), (np.linspace(0, 255, 640)[None] + 0 * STRIPES, "blurred")]
)
def test_darkness_and_blur_are_told(image, word):
    check = check_room(frames(image.astype(np.uint8)), Found([square(100, 100, 60)]), ObserveSettings())
    assert any(line.startswith(word) for line in check.zones[0].advice)


def test_a_seat_whose_face_is_seldom_seen_is_told():
    check = check_room(frames(n=20), Found([square(100, 100, 60)], blind=range(6, 20)), ObserveSettings())
    assert check.zones[0].found == pytest.approx(0.3)
    assert "turned away or hidden" in check.zones[0].advice[-1]


def test_a_room_without_a_face_gets_advice_and_one_without_a_frame_is_an_error():
    check = check_room(frames(), Found([]), ObserveSettings())
    assert check.zones == ()
    assert check.advice[0].startswith("No face was found.")
    with pytest.raises(SourceError, match="no frame"):
        check_room([], Found([]), ObserveSettings())


@pytest.mark.parametrize("name", ["check.png", "check.jpg"])
def test_the_picture_shades_the_zones(tmp_path, name):
    check = check_room(frames(), Found([square(20, 20, 12), square(500, 400, 60)]), ObserveSettings())
    path = draw_check(check, "a room", tmp_path / name)
    with Pictures.open(path) as picture:
        assert picture.width == 1280
        seen = np.asarray(picture.convert("RGB")).astype(int)
    shaded, plain = seen[100, 200:300].mean(axis=0), seen[100, 400:500].mean(axis=0)
    assert np.abs(shaded - plain).max() > 20


def test_what_a_measure_takes_is_what_the_settings_say():
    settings = ObserveSettings(expression=ExpressionSettings(min_size=70.0), head=HeadSettings(eyes_size=50.0))
    (zone,) = check_room(frames(), Found([square(500, 400, 60)]), settings).zones
    assert zone.measures == ("head pose", "eyes")
    assert zone.advice[0].startswith("too small for expression: 1.2 times")
