"""What the shape of a face tells."""

import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.demo.face import draw_pose, load_head, read_mesh, turn_points
from roomread.errors import ModelError
from roomread.faces import head as head_module
from roomread.faces.detector import YuNet
from roomread.faces.head import (
    CANONICAL,
    EYES,
    IRISES,
    LIDS,
    LIP_EDGES,
    LIPS,
    PITCH_SEEN,
    YAW_SEEN,
    HeadReader,
    HeadSettings,
    eye_openness,
    gaze,
    head_poses,
    lid_heights,
    lip_heights,
    mouth_opening,
    read_signals,
    read_standard_face,
)
from roomread.faces.mesh import Meshes
from roomread.faces.onnx import Runtime
from roomread.modelcard import sha256_of
from roomread.types import N_SIGNALS, SIGNALS

ONE_THREAD = Runtime(threads=1)
COLUMN = {name: column for column, name in enumerate(SIGNALS)}
LARGE = np.array([80.0], np.float32)


@pytest.fixture(scope="module")
def standard():
    return read_standard_face(CANONICAL, sha256_of(CANONICAL))


@pytest.fixture(scope="module")
def reader():
    return HeadReader(runtime=ONE_THREAD)


@pytest.fixture(scope="module")
def head():
    pytest.importorskip("skimage")
    return load_head(1.0)


def turned_in_picture(points, degrees):
    """Turn a mesh clockwise in the picture."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = points.copy()
    turned[:, 0], turned[:, 1] = points[:, 0] * cos - points[:, 1] * sin, points[:, 0] * sin + points[:, 1] * cos
    return turned


def angles_of(points, standard, size=80.0):
    return head_poses(points[None], np.array([size]), standard)[0][0]


def level_of(points, standard):
    return head_poses(points[None], LARGE, standard)[1]


def portrait(head, yaw=0.0, lids=0.0, size=48):
    """Draw the demo's head before a wall, its face so many pixels wide: uint8 (height, width, 3)."""
    drawn = draw_pose(head, yaw, 0.0, lids)
    alpha = drawn[..., 3:] / 255
    picture = (drawn[..., :3] + (1 - alpha) * 165).clip(0, 255).astype(np.uint8)
    scale = size / head.face_width
    small = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    reduced = np.asarray(Pictures.fromarray(picture).resize(small, Pictures.Resampling.BICUBIC))
    return np.pad(reduced, ((40, 40), (40, 40), (0, 0)), constant_values=165)


def signals_of(reader, picture):
    faces = YuNet(runtime=ONE_THREAD).detect(picture)
    assert len(faces) == 1
    return dict(zip(SIGNALS, reader.read(picture, faces.boxes, faces.points)[0], strict=True))


@pytest.mark.parametrize("yaw", [-40, -15, 15, 40])
@pytest.mark.parametrize("size", [30.0, 80.0])
def test_yaw_follows_a_turned_mesh_by_the_share_that_is_seen(standard, yaw, size):
    mesh = read_mesh()
    turned = angles_of(turn_points(mesh, yaw, 0), standard, size)[0] - angles_of(mesh, standard, size)[0]
    assert turned * np.interp(size, *YAW_SEEN) == pytest.approx(yaw, abs=1.5)


def test_pitch_is_positive_downwards_and_does_not_move_yaw(standard):
    mesh = read_mesh()
    before, after = angles_of(mesh, standard), angles_of(turn_points(mesh, 0, 12), standard)
    assert (after[1] - before[1]) * np.interp(80, *PITCH_SEEN) == pytest.approx(12, abs=0.5)
    assert after[0] == pytest.approx(before[0], abs=0.1)


@pytest.mark.parametrize("roll", [-25, 10, 170])
def test_roll_is_positive_clockwise(standard, roll):
    turned = angles_of(turned_in_picture(read_mesh(), roll), standard)
    assert (turned[2] - angles_of(read_mesh(), standard)[2] - roll + 180) % 360 - 180 == pytest.approx(0, abs=3)


def test_eyes_mouth_and_gaze_do_not_depend_on_place_size_turn_or_tilt(standard):
    mesh = read_mesh()
    moved = turned_in_picture(turn_points(mesh, 30, 10), 20) * 0.4 + np.array([50, -20, 7], np.float32)
    for measure in (eye_openness, gaze, mouth_opening):
        assert measure(level_of(moved, standard)) == pytest.approx(measure(level_of(mesh, standard)), abs=0.02)


def test_closing_the_lids_of_a_mesh_closes_its_eyes(standard):
    mesh = read_mesh()
    shut = mesh.copy()
    for _, above, above_2, _, below_2, below in EYES:
        shut[[above, above_2]] = shut[[below, below_2]]
    assert eye_openness(level_of(mesh, standard))[0] > 0.25
    assert eye_openness(level_of(shut, standard))[0] == pytest.approx(0, abs=1e-6)


def test_gaze_is_positive_to_the_pictures_right_and_ends_at_a_quarter_turn(standard):
    aside, far = read_mesh(), read_mesh()
    aside[list(IRISES), 0] += 1
    far[list(IRISES), 0] += 40
    straight, right, most = (gaze(level_of(points, standard))[0] for points in (read_mesh(), aside, far))
    assert 5 < right - straight < 45 and most == 90


def test_a_dropped_lip_opens_the_mouth(standard):
    wide = read_mesh()
    wide[LIPS[1], 1] = wide[LIPS[0], 1] + 0.4 * np.linalg.norm(wide[33] - wide[263])
    assert mouth_opening(level_of(wide, standard))[0] == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("size", "known"),
    [
        (80, SIGNALS),
        (36, ("presence", "yaw", "pitch", "roll", "mouth", "upper_lip", "lips")),
        (28, ("presence", "yaw", "pitch", "roll")),
        (20, ("presence",)),
    ],
)
def test_each_signal_is_missing_below_its_size(standard, size, known):
    meshes = Meshes(read_mesh()[None], np.ones(1, np.float32))
    row = read_signals(meshes, np.array([size], np.float32), standard, HeadSettings())[0]
    assert {name for name in SIGNALS if not np.isnan(row[COLUMN[name]])} == set(known)


def test_closed_lids_meet_between_the_corners_of_the_eyes(standard):
    level = level_of(read_mesh(), standard)
    open_ones = lid_heights(level)
    for upper, lower in LIDS:
        level[:, upper] = level[:, lower]
    closed = lid_heights(level)
    assert open_ones[0][0] > 0.1 and open_ones[1][0] > 0.02
    assert closed[0][0] == pytest.approx(-closed[1][0]) and closed[1][0] == open_ones[1][0]


def test_a_dropped_chin_parts_the_lips_and_leaves_the_upper_one(standard):
    level = level_of(read_mesh(), standard)
    upper, both = lip_heights(level)
    level[:, LIP_EDGES[1], 1] -= 0.3 * np.linalg.norm(level[:, 33] - level[:, 263])
    assert lip_heights(level)[0] == upper and lip_heights(level)[1][0] == pytest.approx(both[0] + 0.3, abs=0.03)


@pytest.mark.parametrize("yaw", [-30.0, 0.0, 30.0])
def test_a_drawn_head_of_32_pixels_is_read_within_a_few_degrees(reader, head, yaw):
    assert signals_of(reader, portrait(head, yaw, size=32))["yaw"] == pytest.approx(yaw, abs=6)


def test_closed_eyes_of_a_drawn_head_of_48_pixels_are_told_from_open_ones(reader, head):
    seen, shut = (signals_of(reader, portrait(head, lids=lids))["eyes"] for lids in (0.0, 1.0))
    assert shut < 0.18 < 0.25 < seen


def test_no_face_gives_no_rows_and_small_ones_are_not_looked_at(reader):
    picture = np.zeros((90, 90, 3), np.uint8)
    none = reader.read(picture, np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32))
    small = reader.read(picture, np.array([[10, 10, 25, 30]], np.float32), np.zeros((1, 5, 2), np.float32))
    assert none.shape == (0, N_SIGNALS) and none.dtype == np.float32
    assert np.isnan(small).all()


@pytest.mark.parametrize("change", [{"pose_size": -1.0}, {"eyes_size": 0.0}, {"mouth_size": float("nan")}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        HeadSettings(**change)


@pytest.mark.parametrize("text", ["{}", "no json", '{"weights": {"9": 1}, "points": []}'])
def test_a_damaged_standard_face_is_refused(tmp_path, text):
    path = tmp_path / CANONICAL.name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="standard face"):
        read_standard_face(path, sha256_of(path))


def test_a_standard_face_that_the_card_does_not_name_is_refused(monkeypatch):
    monkeypatch.setattr(head_module, "sha256_of", lambda path: "0" * 64)
    with pytest.raises(ModelError, match=r"canonical\.json is not the one that the card"):
        HeadReader(runtime=ONE_THREAD)
