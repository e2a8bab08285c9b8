"""Zones that nobody looks at."""

import numpy as np
import pytest

from roomread.types import Frame
from roomread.watch.masks import GRAY, MaskSettings, covered, draw_zones


def cover_one(image, **zones):
    (frame,) = covered([Frame(image, 3.0, 7)], MaskSettings(**zones))
    return frame


def test_a_zone_in_fractions_and_one_in_pixels_cover_the_same():
    fractions = draw_zones(MaskSettings(fractions=((0.25, 0.5, 0.75, 1.0),)), 40, 20)
    np.testing.assert_array_equal(fractions, draw_zones(MaskSettings(pixels=((10, 10, 30, 20),)), 40, 20))
    assert fractions[15, 20]
    assert not fractions[5, 20]


def test_a_zone_may_reach_beyond_the_picture_and_no_number_may_be_without_end():
    zone = draw_zones(MaskSettings(pixels=((0, 0, 100_000, 50),)), 640, 360)
    assert zone[:50].all() and not zone[52:].any()
    for far in (100_001, 3e9, np.inf):
        with pytest.raises(ValueError, match="from 0 to 100000"):
            MaskSettings(pixels=((0, 0, far, 50),))


def test_a_polygon_covers_its_inside():
    zone = draw_zones(MaskSettings(pixels=((0, 0, 19, 0, 0, 19),)), 20, 20)
    assert zone[5, 5]
    assert not zone[15, 15]


def test_what_is_covered_is_gray_and_the_source_is_left_as_it_was():
    image = np.zeros((20, 40, 3), np.uint8)
    frame = cover_one(image, fractions=((0, 0, 0.5, 1),))
    assert (frame.image[:, :20] == GRAY).all()
    assert not frame.image[:, 21:].any()
    assert not image.any()
    assert (frame.time, frame.index) == (3.0, 7)


def test_a_zone_follows_the_size_of_the_pictures():
    frames = [Frame(np.zeros((height, 2 * height, 3), np.uint8), 0.0, 0) for height in (20, 60, 20)]
    seen = [frame.image for frame in covered(frames, MaskSettings(fractions=((0, 0.5, 1, 1),)))]
    assert [(image == GRAY).mean() for image in seen] == pytest.approx([0.5, 0.5, 0.5])


def test_without_a_zone_frames_pass_as_they_are():
    frame = Frame(np.zeros((20, 40, 3), np.uint8), 0.0, 0)
    assert next(covered([frame], MaskSettings())) is frame


@pytest.mark.parametrize(
    "zone",
    [(0.1, 0.2), (0.5, 0, 0.2, 1), (0, 0, 2, 1), (0, 0, 1, 0, 1), (-0.1, 0, 1, 1)],
    ids=["short", "turned round", "beyond 1", "odd", "negative"],
)
def test_a_zone_that_is_neither_rectangle_nor_polygon_is_refused(zone):
    with pytest.raises(ValueError, match="A mask must be a rectangle"):
        MaskSettings(fractions=(zone,))
