"""One photographed head, turned and with closing lids."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from roomread.demo.face import LEFT, TOP, Head, draw_pose, load_head, read_mesh, turn_points
from roomread.errors import MissingExtraError


@pytest.fixture(scope="module")
def head() -> Head:
    pytest.importorskip("skimage")
    return load_head(1.0)


def test_the_mesh_has_478_points_on_the_photograph() -> None:
    mesh = read_mesh()
    assert mesh.shape == (478, 3) and mesh.dtype == np.float32
    assert (mesh[:, :2] > 0).all() and (mesh[:, :2] < 512).all()


@pytest.mark.parametrize(("yaw", "pitch", "axis", "sign"), [(30, 0, 0, 1), (-30, 0, 0, -1), (0, 12, 1, 1)])
def test_the_tip_of_the_nose_goes_where_the_head_turns(yaw: float, pitch: float, axis: int, sign: int) -> None:
    mesh = read_mesh()
    moved = turn_points(mesh, yaw, pitch)[1] - mesh[1]
    assert sign * moved[axis] > 10


def test_a_turn_keeps_the_distances_between_the_points() -> None:
    mesh = read_mesh()
    turned = turn_points(mesh, 40, 10)
    assert np.allclose(np.linalg.norm(turned - turned[1], axis=1), np.linalg.norm(mesh - mesh[1], axis=1), atol=0.01)


def test_a_head_is_cut_out_with_soft_edges(head: Head) -> None:
    drawn = draw_pose(head, 0, 0, 0)
    alpha = drawn[..., 3]
    assert drawn.dtype == np.uint8 and drawn.shape == (*head.heights.shape, 4)
    assert (alpha[[0, -1]] == 0).all() and (alpha[:, [0, -1]] == 0).all()
    assert ((alpha > 20) & (alpha < 235)).any()
    x, y = (round(value) for value in head.middle)
    assert (alpha[y - 20 : y + 20, x - 20 : x + 20] == 255).all()


def test_closed_lids_change_the_eyes_and_nothing_else(head: Head) -> None:
    changed = (draw_pose(head, 0, 0, 0) != draw_pose(head, 0, 0, 1)).any(axis=-1)
    rows, columns = np.nonzero(changed)
    x, y = head.middle
    assert changed.any()
    assert rows.max() < y - 10 and rows.min() > y - 40  # a band above the middle of the face
    assert abs(columns - x).max() < 0.5 * head.face_width


def test_closed_lids_hide_the_dark_and_white_of_the_eyes(head: Head) -> None:
    def contrast(lids: float) -> float:
        x, y = (read_mesh()[468, :2] - (LEFT, TOP)).astype(int)  # the middle of an iris
        part = draw_pose(head, 0, 0, lids)[y - 2 : y + 2, x - 8 : x + 8, :3].astype(float).mean(-1)
        return float(part.std())

    assert contrast(1.0) < 0.6 * contrast(0.0)


@pytest.mark.parametrize("yaw", [-44, -20, 20, 44])
def test_a_turned_head_stays_whole(head: Head, yaw: float) -> None:
    turned, front = draw_pose(head, yaw, 0, 0), draw_pose(head, 0, 0, 0)
    assert 0.75 < (turned[..., 3] > 128).sum() / (front[..., 3] > 128).sum() < 1.1


def test_without_scikit_image_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    with pytest.raises(MissingExtraError, match=r'pip install "roomread\[demo\]"'):
        load_head(1.0)
