import numpy as np
import pytest

from roomread.faces.tiles import LARGEST, cut

SIDE = 700  # pixels


def test_a_picture_that_fits_is_one_view_that_owns_everything():
    (view,) = cut(1920, 1080, 2 / 3, 1920)
    assert view.part == (0, 0, 1920, 1080)
    assert view.size == (1280, 720)
    assert view.owns(np.array([[0, 0, 1920, 1080], [-5, -5, 9, 9]], np.float32)).all()


@pytest.mark.parametrize(("width", "height", "scale"), [(3840, 2160, 0.5), (5000, 400, 1.0), (640, 2100, 0.9)])
def test_every_face_lies_whole_in_a_view_that_owns_it(width, height, scale):
    views = cut(width, height, scale, SIDE)
    noise = np.random.default_rng(0)
    for size in (10, 40, LARGEST, 3 * LARGEST):  # pixels of the network's input
        half = np.array([0.44, 0.57]) * size / scale
        middles = noise.uniform(half, [width, height] - half, (500, 2))
        boxes = np.concatenate([middles - half, middles + half], axis=1).astype(np.float32)
        whole = [
            (boxes[:, :2] >= view.part[:2]).all(axis=1) & (boxes[:, 2:] <= view.part[2:]).all(axis=1) for view in views
        ]
        owned = [view.owns(boxes) for view in views]
        assert (np.array(whole) & np.array(owned)).any(axis=0).all()
        assert not (~np.array(whole) & np.array(owned)).any()  # nobody takes part of a face for a face


@pytest.mark.parametrize(("width", "height", "scale"), [(3840, 2160, 0.5), (9000, 3, 1.0), (1441, 701, 1.5)])
def test_no_view_is_larger_than_a_tile_or_reaches_beyond_the_picture(width, height, scale):
    for view in cut(width, height, scale, SIDE):
        assert 1 <= max(view.size) <= SIDE
        assert min(view.part) >= 0
        assert view.part[2] <= width
        assert view.part[3] <= height
