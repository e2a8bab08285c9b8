import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.config import make_settings
from roomread.faces.detector import DetectorSettings, YuNet
from roomread.faces.onnx import Runtime

ONE_THREAD = Runtime(threads=1)
HEAD = (130, 20, 310, 240)  # of the astronaut with some surroundings, pixels


@pytest.fixture(scope="module")
def yunet():
    return YuNet(runtime=ONE_THREAD)


@pytest.fixture(scope="module")
def astronaut():
    return pytest.importorskip("skimage.data").astronaut()


def room(photograph, width, height, middles, high):
    """Return a gray picture with the astronaut's head, `high` pixels high, about each of the middles."""
    head = Pictures.fromarray(photograph).crop(HEAD)
    head = head.resize((round(high * head.width / head.height), high), Pictures.Resampling.BICUBIC)
    picture = Pictures.new("RGB", (width, height), (120, 120, 120))
    for x, y in middles:
        picture.paste(head, (round(x - head.width / 2), round(y - head.height / 2)))
    return np.asarray(picture)


def middles_of(faces):
    return np.array(sorted(((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2).tolist()))


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 500, 3), (500, 33, 3), (720, 1280, 3)])
def test_a_picture_without_a_face_of_any_size_gives_none(yunet, shape):
    found = yunet.detect(np.full(shape, 120, np.uint8))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)


def test_the_astronaut_is_found_at_every_scale_at_the_same_place(yunet, astronaut):
    whole = yunet.detect(astronaut)
    reduced = YuNet(DetectorSettings(width=256), ONE_THREAD).detect(astronaut)
    assert len(whole) == len(reduced) == 1
    np.testing.assert_allclose(whole.boxes, reduced.boxes, atol=12)
    left, top, right, bottom = whole.boxes[0]
    assert left < 222 < right
    assert top < 110 < bottom
    assert (whole.points[0, 0] < whole.points[0, 1]).any()  # the person's right eye is on the picture's left


def test_a_face_across_a_seam_is_found_once(astronaut):
    middles = [(x, 120 + 130 * (x % 3)) for x in range(60, 1350, 100)]
    picture = room(astronaut, 1400, 500, middles, 90)
    tiled = YuNet(DetectorSettings(smallest_face=14, tile=700), ONE_THREAD).detect(picture)
    whole = YuNet(DetectorSettings(smallest_face=14), ONE_THREAD).detect(picture)
    assert len(tiled) == len(middles)
    np.testing.assert_allclose(middles_of(tiled), middles_of(whole), atol=4)
    inside = (tiled.points >= tiled.boxes[:, None, :2]) & (tiled.points <= tiled.boxes[:, None, 2:])
    assert inside.all()  # the points are the picture's, too


def test_a_face_larger_than_what_tiles_share_is_found_once(astronaut):
    picture = room(astronaut, 1400, 700, [(640, 350)], 650)
    found = YuNet(DetectorSettings(smallest_face=14, tile=700), ONE_THREAD).detect(picture)
    assert len(found) == 1
    assert found.boxes[0, 3] - found.boxes[0, 1] > 256


def test_the_smallest_face_wanted_decides_how_large_the_picture_is_analysed(astronaut):
    picture = room(astronaut, 2400, 600, [(300, 300), (1500, 200)], 30)  # faces of about 13 pixels
    assert len(YuNet(DetectorSettings(smallest_face=40), ONE_THREAD).detect(picture)) == 0
    assert len(YuNet(DetectorSettings(smallest_face=13), ONE_THREAD).detect(picture)) == 2


@pytest.mark.parametrize(
    ("settings", "size", "expected"),
    [
        ({}, (1920, 1080), 2 / 3),
        ({}, (1024, 768), 1.25),
        ({}, (320, 240), 1.5),
        ({}, (1080, 1920), 1.0),
        ({"smallest_face": 28}, (3840, 2160), 0.5),
        ({"smallest_face": 2}, (640, 480), 1.5),
    ],
    ids=["full HD", "a little enlarged", "enlarged no further", "upright", "4K", "smaller than can be"],
)
def test_a_picture_is_reduced_or_enlarged_as_the_settings_say(settings, size, expected):
    assert DetectorSettings(**settings).scale(*size) == pytest.approx(expected)


def test_settings_are_plain_values_as_a_file_holds_them():
    made = make_settings(DetectorSettings, {"smallest_face": 20, "second_look": False}, "room.toml")
    assert made.smallest_face == 20
    assert YuNet(made, ONE_THREAD).second is None


@pytest.mark.parametrize(
    "settings",
    [{"width": 8}, {"smallest_face": 0}, {"tile": 100}, {"threshold": 0.0}, {"overlap": 1.0}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="Received"):
        DetectorSettings(**settings)
