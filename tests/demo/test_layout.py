"""Where the seats are: nobody covers a neighbour's face, and faces are large enough to be read."""

from __future__ import annotations

import itertools

import pytest

from roomread.demo.layout import CHIN, HAIR_TOP, place_seats, row_counts
from roomread.demo.script import RoomSettings


@pytest.mark.parametrize("seats", range(1, 41))
def test_every_seat_has_a_place_and_a_number(seats: int) -> None:
    places = place_seats(RoomSettings(seats=seats))
    assert [place.number for place in places] == list(range(1, seats + 1))
    assert sum(row_counts(seats)) == seats


@pytest.mark.parametrize(
    ("seats", "width", "height"), [(1, 1280, 720), (8, 1280, 720), (30, 1920, 1080), (40, 1280, 720)]
)
@pytest.mark.parametrize("seed", range(3))
def test_no_head_stands_before_a_face(seats: int, width: int, height: int, seed: int) -> None:
    places = place_seats(RoomSettings(seats=seats, width=width, height=height, seed=seed))
    for far, near in itertools.combinations(places, 2):
        beside = abs(far.x - near.x) > 0.5 * far.face_width + 0.85 * near.face_width
        above = far.y + CHIN * far.face_width < near.y - HAIR_TOP * near.face_width
        assert beside or above
    for place in places:
        assert 0.9 * place.face_width < place.x < width - 0.9 * place.face_width
        assert HAIR_TOP * place.face_width < place.y < height - CHIN * place.face_width


def test_faces_grow_towards_the_camera_and_have_the_promised_sizes() -> None:
    widths = [place.face_width for place in place_seats(RoomSettings())]
    assert 55 < min(widths) < 68 and 88 < max(widths) < 102
    assert min(place.face_width for place in place_seats(RoomSettings(seats=30, width=1920, height=1080))) > 30


def test_the_same_seed_gives_the_same_places() -> None:
    assert place_seats(RoomSettings(seed=5)) == place_seats(RoomSettings(seed=5))
    assert place_seats(RoomSettings(seed=5)) != place_seats(RoomSettings(seed=6))
