import numpy as np
import pytest

from roomread.types import NO_SEAT
from roomread.watch.track import SeatTracker, TrackSettings


class Room:
    """Feeds a tracker with faces of 40 pixels, ten frames a second."""

    def __init__(self, **settings):
        self.tracker, self.time = SeatTracker(TrackSettings(**settings)), 0.0

    def see(self, *middles, size=40.0, frames=1):
        for _ in range(frames):
            points = np.array(middles, np.float32).reshape(-1, 2)
            boxes = np.concatenate([points - size / 2, points + size / 2], axis=1).astype(np.float32)
            seats = self.tracker.update(boxes, self.time)
            self.time = round(self.time + 0.1, 3)
        return seats.tolist()


HOMES = [(100, 100), (300, 100), (100, 300)]


def test_the_first_frame_numbers_its_faces_as_one_reads():
    assert Room().see((300, 100), (100, 300), (100, 102)) == [2, 3, 1]


@pytest.mark.parametrize("step", [0.1, 1.0, 1.3, 2.0, 5.0, 60.0])
def test_who_comes_later_gets_a_seat_however_seldom_frames_come(step):
    tracker, middles = SeatTracker(), np.array([[100 * k, 100] for k in range(1, 7)], np.float32)
    boxes = np.hstack([middles - 20, middles + 20])
    tracker.update(boxes[:3], 0.0)
    for frame in range(1, 30):
        seats = tracker.update(boxes, step * frame)
    assert seats.tolist() == [1, 2, 3, 4, 5, 6]


def test_an_outage_ends_tracks_where_frames_come_often():
    room = Room()
    room.see(*HOMES, frames=30)
    room.time += 5.0
    assert room.see(*HOMES, (300, 300)) == [1, 2, 3, NO_SEAT]


def test_no_face_gives_no_seat():
    assert Room().see() == []


def test_seats_keep_their_numbers_while_heads_sway_and_are_missed():
    room, rng = Room(), np.random.default_rng(0)
    first = room.see(*HOMES)
    for _ in range(200):
        here = [home for home in range(3) if rng.random() > 0.2]
        seats = room.see(*(np.array(HOMES[home]) + rng.normal(0, 4, 2) for home in here))
        assert seats == [first[home] for home in here]


def test_who_comes_back_to_the_place_has_its_number_again():
    room = Room()
    one, two, three = room.see(*HOMES, frames=20)
    assert room.see(HOMES[0], HOMES[2], frames=900) == [one, three]
    assert room.see(*HOMES) == [one, two, three]


def test_who_walks_through_has_no_seat_and_takes_none():
    room = Room()
    seats = room.see(*HOMES, frames=30)
    for step in range(60):
        walker = (20 + 12 * step, 210)
        assert room.see(*HOMES, walker) == [*seats, NO_SEAT]


def test_a_seat_covered_by_a_walker_keeps_its_number():
    room = Room()
    seats = room.see(*HOMES, frames=30)
    for step in range(40):
        walker = (10 + 12 * step, 110)
        hidden = abs(walker[0] - 100) < 40
        seen = [home for home in HOMES if not (hidden and home == HOMES[0])]
        room.see(*seen, walker)
    assert room.see(*HOMES, frames=3) == seats


def test_a_newcomer_who_stays_gets_a_new_number():
    room = Room()
    room.see(*HOMES, frames=10)
    assert room.see(*HOMES, (500, 300), frames=4)[-1] == NO_SEAT
    assert room.see(*HOMES, (500, 300), frames=4)[-1] == 4


def test_two_heads_that_touch_have_their_own_numbers_afterwards():
    room = Room()
    first = room.see((100, 100), (220, 100), frames=50)
    for lean in [*np.linspace(0, 45, 15), *np.linspace(45, 0, 15)]:
        room.see((100 + lean, 100), (220 - lean, 100))
    assert room.see((100, 100), (220, 100), frames=5) == first


@pytest.mark.parametrize("seconds", [5, 20, 300])
def test_who_turns_away_or_leaves_has_the_number_again_though_a_little_beside_the_place(seconds):
    room = Room()
    first = room.see(*HOMES, frames=50)
    room.see(*HOMES[1:], frames=seconds * 10)
    assert room.see((130, 115), *HOMES[1:], frames=10) == first


def test_a_false_face_beside_one_that_is_missed_does_not_take_its_seat():
    room = Room()
    first = room.see(*HOMES, frames=50)
    room.see((140, 100), *HOMES[1:])
    assert room.see(*HOMES, frames=3) == first


def test_a_false_face_of_the_first_frame_is_forgotten():
    room = Room()
    (*first, _) = room.see(*HOMES, (150, 130))
    room.see(*HOMES, frames=250)
    assert room.see((140, 125), *HOMES[1:], frames=20) == first


def test_who_leans_over_to_a_neighbour_founds_no_seat_there_and_has_the_own_again():
    room = Room()
    one, two = room.see((100, 100), (300, 100), frames=50)
    for _ in range(80):
        seats = room.see((270, 100), (310, 100))
        assert one not in seats and set(seats) <= {NO_SEAT, two}
    assert room.see((100, 100), (300, 100), frames=15) == [one, two]


def test_who_was_taken_for_another_gets_the_own_empty_seat_back():
    room = Room()
    _, two = room.see((100, 100), (150, 100), frames=50)
    for step in range(10):
        room.see((100 + 5 * step, 100))
    assert room.see((150, 100), frames=20) == [two]


def test_a_newcomer_close_to_an_empty_seat_waits_longer_for_a_number():
    room = Room()
    room.see((100, 100), (300, 100), frames=50)
    room.see((100, 100), frames=50)
    assert room.see((100, 100), (390, 100), frames=50)[-1] == NO_SEAT
    assert room.see((100, 100), (390, 100), frames=200)[-1] == 3


def test_numbers_are_never_given_twice():
    room, rng, highest = Room(), np.random.default_rng(0), 0
    for scene in range(8):
        known = set()
        places = rng.uniform(0, 1000, (9, 2))
        for _ in range(60):
            seats = room.see(*(places + rng.normal(0, 2, places.shape))[rng.random(9) > 0.1])
            known |= {seat for seat in seats if seat != NO_SEAT}
        assert scene == 0 or room.tracker.shifts[-1].kind == "replaced"
        highest, before = max(known), highest
        assert any(seat > before for seat in known)


def test_a_lasting_move_takes_the_seat_along():
    room = Room()
    (seat,) = room.see((100, 100), frames=20)
    for step in range(30):
        room.see((100 + 10 * step, 100))
    assert room.see((400, 100), frames=300) == [seat]


@pytest.mark.parametrize("seed", range(3))
def test_no_number_stands_twice_in_a_frame_whatever_comes(seed):
    room, rng = Room(), np.random.default_rng(seed)
    for _ in range(150):
        seats = [seat for seat in room.see(*rng.uniform(0, 400, (rng.integers(0, 12), 2))) if seat != NO_SEAT]
        assert len(set(seats)) == len(seats)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="reach must be above 0"):
        TrackSettings(reach=0)
