"""Where a room looks, found from the room itself."""

import numpy as np
import pytest

from roomread.engagement.facing import RoomDirection, facing, room_direction, usual_direction

CAMERA = np.array([2.5, 2.2, 0.0])  # metres: to the right of the board, above it
TILT = np.radians(15)  # of the camera, downwards
BOARD = np.array([-0.5, 1.5, 0.0])


def classroom(seed=0, rows=4, columns=5, readings=120, away=0.3, noise=4.0, loners=0):
    """Return seats, places, angles and whether the face pointed to the board, of a simulated class in front of it."""
    draw = np.random.default_rng(seed)
    kept = []
    for seat in range(rows * columns):
        head = np.array([(seat % columns - (columns - 1) / 2) * 1.2, 1.2, 2.5 + seat // columns * 1.3])
        person = draw.normal(0, (2.0, 5.0))  # how the face is built
        away_of_seat = 0.95 if seat < loners else away
        for _ in range(readings):
            looks = draw.random() >= away_of_seat
            aside = np.array([draw.choice([-1.0, 1.0]) * 1.2, draw.uniform(-0.5, 0), -0.8])
            target = BOARD if looks else head + aside
            angles = seen(head, target) + person + draw.normal(0, noise, 2)
            kept.append((seat + 1, *place(head), *angles, looks))
    table = np.array(kept)
    return table[:, 0].astype(np.int64), table[:, 1:3], table[:, 3:5], table[:, 5] == 1


def into_camera(vector):
    """Turn a direction of the room into the camera's: x to the picture's right, y downwards, z away."""
    x, y, z = vector
    return np.array([x, -y * np.cos(TILT) - z * np.sin(TILT), z * np.cos(TILT) - y * np.sin(TILT)])


def place(head):
    x, y, z = into_camera(head - CAMERA)
    return 960 + 900 * x / z, 540 + 900 * y / z


def seen(head, target):
    """Return yaw and pitch of a face at `head` that points to `target`, against the ray from the camera."""
    pointing, ray = into_camera(target - head), into_camera(head - CAMERA)
    yaw = np.degrees(np.arctan2(pointing[0], -pointing[2]) - np.arctan2(-ray[0], ray[2]))
    level = np.hypot(pointing[0], pointing[2]), np.hypot(ray[0], ray[2])
    return np.array([yaw, np.degrees(np.arctan2(pointing[1], level[0]) - np.arctan2(-ray[1], level[1]))])


@pytest.mark.parametrize("seed", range(3))
def test_facing_the_board_is_told_without_knowing_where_it_is(seed):
    seats, places, angles, looks = classroom(seed)
    told = facing(seats, angles, room_direction(seats, places, angles))
    assert (told == looks).mean() > 0.95


def test_a_seat_that_hardly_ever_looks_there_is_measured_by_the_others():
    seats, places, angles, looks = classroom(loners=3)
    room = room_direction(seats, places, angles)
    loners = seats <= 3
    assert (facing(seats, angles, room)[loners] == looks[loners]).mean() > 0.9


def test_a_row_of_seats_is_enough():
    seats, places, angles, looks = classroom(rows=1, columns=5)
    told = facing(seats, angles, room_direction(seats, places, angles))
    assert np.nanmean(told[looks]) > 0.95


def test_with_few_seats_one_that_does_not_fit_is_not_guessed():
    seats, places, angles, _ = classroom(seed=1, rows=1, columns=6)
    angles[seats == 2] += 40
    told = facing(seats, angles, room_direction(seats, places, angles))
    assert np.isnan(told[seats == 2]).all() and not np.isnan(told[seats == 4]).any()


@pytest.mark.parametrize(
    "room",
    [{"rows": 1, "columns": 3}, {"readings": 15}, {"away": 1.0, "noise": 60.0}],
    ids=["seats", "readings", "all"],
)
def test_a_room_without_a_common_direction_is_not_known(room):
    seats, places, angles, _ = classroom(**room)
    found = room_direction(seats, places, angles)
    assert found is None
    assert np.isnan(facing(seats, angles, found)).all()


def test_unknown_angles_and_faces_without_a_seat_are_not_known():
    seats, places, angles, _ = classroom()
    room = room_direction(seats, places, angles)
    gone = angles.copy()
    gone[::2] = np.nan
    nowhere = np.where(np.arange(len(seats)) % 3 == 0, 0, seats)
    told = facing(nowhere, gone, room)
    assert np.array_equal(np.isnan(told), (nowhere == 0) | np.isnan(gone[:, 0]))
    assert np.isnan(facing(np.array([99]), np.zeros((1, 2)), room)).all()


def test_the_usual_direction_is_where_most_readings_are_and_not_their_mean():
    draw = np.random.default_rng(0)
    board, neighbour = draw.normal((10, 5), 2, (60, 2)), draw.normal((-50, 20), 2, (40, 2))
    assert usual_direction(np.concatenate([neighbour, board])) == pytest.approx([10, 5], abs=1)
    assert np.isnan(usual_direction(board[:5])).all()


def test_no_reading_gives_no_direction():
    empty = np.empty((0, 2), np.float32)
    assert room_direction(np.empty(0, np.int64), empty, empty) is None
    assert facing(np.empty(0, np.int64), empty, None).shape == (0,)


def test_twenty_known_readings_are_enough_for_a_usual_direction():
    angles = np.tile([[3.0, 4.0]], (21, 1))
    angles[0, 1] = np.nan
    assert usual_direction(angles).tolist() == [3, 4]
    angles[1, 0] = np.nan
    assert np.isnan(usual_direction(angles)).tolist() == [True, True]


def test_readings_within_eight_degrees_are_one_direction():
    angles = np.array([[0.0, 0.0]] * 30 + [[8.0, 0.0]] * 29 + [[8.1, 0.0]] * 20)
    assert usual_direction(angles[:59]).tolist() == [0, 0]
    assert usual_direction(np.concatenate([angles[:30], angles[30:59] + np.array([0.2, 0])])).tolist() == [0, 0]
    near = np.array([[0.0, 0.0]] * 31 + [[8.0, 0.0]] * 32)
    assert usual_direction(near).tolist() == [8, 0]  # all of them, of which most lie there


def test_many_readings_are_compared_evenly():
    angles = np.repeat([[0.0, 0.0], [40.0, 0.0]], [900, 1100], axis=0)
    assert usual_direction(angles).tolist() == [40, 0]
    assert usual_direction(angles[::-1]).tolist() == [40, 0]


def in_a_row(directions, readings=20):
    """Return seats side by side, each of which always looks one way: seats, places, angles."""
    seats = np.repeat(np.arange(1, len(directions) + 1), readings)
    return seats, np.column_stack([100.0 * seats, np.zeros(len(seats))]), np.repeat(directions, readings, axis=0)


def test_four_seats_are_enough_and_three_are_not():
    ways = np.array([[10.0, 2], [12, 2], [14, 2], [16, 2]])
    room = room_direction(*in_a_row(ways))
    assert room is not None and room.seats.tolist() == [1, 2, 3, 4]
    assert np.allclose(room.angles, ways)
    assert room_direction(*in_a_row(ways[:3])) is None


def test_a_room_in_which_the_middle_seat_fits_badly_has_no_direction():
    ways = np.array([20.0, 0]) * np.resize([-1, 1], 12)[:, None]
    assert room_direction(*in_a_row(ways)) is None
    assert room_direction(*in_a_row(ways / 4)) is not None


def test_where_there_are_ten_seats_one_that_looks_elsewhere_is_told_by_its_place():
    ways = np.column_stack([np.linspace(10, 28, 10), np.full(10, 3.0)])
    other = ways.copy()
    other[4] += [40, 0]
    room = room_direction(*in_a_row(other))
    assert room is not None and np.allclose(room.angles[4], ways[4], atol=1.5)
    assert np.allclose(np.delete(room.angles, 4, axis=0), np.delete(ways, 4, axis=0))
    nine = room_direction(*in_a_row(other[:9]))
    assert nine is not None and np.isnan(nine.angles[4]).all()


def test_a_seat_too_seldom_read_has_the_direction_of_its_place_and_is_no_part_of_the_fit():
    ways = np.column_stack([np.linspace(10, 30, 11), np.full(11, 3.0)])
    seats, places, angles = in_a_row(ways)
    seldom = seats == 6
    angles[seldom] += 50
    angles[np.flatnonzero(seldom)[:5]] = np.nan
    room = room_direction(seats, places, angles)
    assert room is not None and np.allclose(room.angles[5], ways[5], atol=1)


def test_faces_without_a_seat_say_nothing_of_the_room():
    seats, places, angles = in_a_row(np.array([[10.0, 2], [12, 2], [14, 2], [16, 2]]))
    assert room_direction(np.where(seats == 4, 0, seats), places, angles) is None


def test_fifteen_degrees_either_way_still_face():
    room = RoomDirection(np.array([2, 5]), np.array([[10.0, 0], [0, 10]]))
    seats, angles = np.array([2, 2, 5, 5, 1, 3, 9]), np.array([[25.0, 0], [25.1, 0], [9, 22], [9, 22.1]] + [[0, 0]] * 3)
    assert facing(seats, angles, room)[:3].tolist() == [1, 0, 1]
    assert np.isnan(facing(seats, angles, room)[4:]).all()
    nobody = RoomDirection(np.empty(0, np.int64), np.empty((0, 2)))
    assert np.isnan(facing(seats, angles, nobody)).all()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: usual_direction(np.zeros((3, 3))), "angles"),
        (lambda: room_direction(np.zeros(3), np.zeros((3, 3)), np.zeros((3, 2))), "places"),
        (lambda: room_direction(np.zeros(3), np.zeros((3, 2)), np.zeros((4, 2))), "angles"),
        (lambda: facing(np.zeros(3), np.zeros((4, 2)), None), "angles"),
    ],
)
def test_angles_and_places_belong_to_readings(call, name):
    with pytest.raises(ValueError, match=f"^`{name}` "):
        call()
