import numpy as np
import pytest

from roomread.faces.masks import GRAY, check_zones, cover, draw_zones, outside
from roomread.types import Detections


def test_a_rectangle_in_fractions_and_one_in_pixels_cover_the_same():
    fractions = draw_zones([(0.25, 0.5, 0.75, 1.0)], [], 40, 20)
    np.testing.assert_array_equal(fractions, draw_zones([], [(10, 10, 30, 20)], 40, 20))
    assert fractions[10:20, 10:30].all()
    assert not fractions[:10].any()


def test_a_polygon_covers_its_inside_only():
    zone = draw_zones([], [(0, 0, 19, 0, 0, 19)], 20, 20)
    assert zone[5, 5]
    assert not zone[15, 15]


def test_what_is_covered_is_flat_gray_and_the_picture_itself_stays_as_it_was():
    image = np.zeros((20, 40, 3), np.uint8)
    zone = draw_zones([(0, 0, 0.5, 1)], [], 40, 20)
    covered = cover(image, zone)
    assert (covered[zone] == GRAY).all()
    assert not covered[~zone].any()
    assert not image.any()


def test_a_face_that_lies_mostly_in_a_zone_is_left_out():
    boxes = np.array([[2, 2, 8, 8], [16, 2, 22, 8], [18.5, 2, 26, 8], [30, 2, 30.5, 8]], np.float32)
    faces = Detections(boxes, np.full(4, 0.9, np.float32), np.zeros((4, 5, 2), np.float32))
    kept = outside(faces, draw_zones([], [(0, 0, 19, 19)], 40, 20))
    assert kept.boxes[:, 0].tolist() == [18.5, 30]
    assert len(outside(faces[np.zeros(4, bool)], np.ones((20, 40), bool))) == 0


@pytest.mark.parametrize(
    "zone", [(0.1, 0.2), (0.5, 0, 0.2, 1), (0, 0, 2, 1), (0, 0, 1, 0, 1), (-0.1, 0, 1, 1)],
    ids=["too few", "reversed", "beyond", "odd", "negative"],
)  # fmt: skip
def test_a_zone_that_is_neither_rectangle_nor_polygon_is_refused(zone):
    with pytest.raises(ValueError, match="Each zone of masks must be a rectangle"):
        check_zones("masks", [zone], 1)
