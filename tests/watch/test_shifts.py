import numpy as np
import pytest

from roomread.types import NO_SEAT
from roomread.watch.shifts import EXCHANGED, MOVED, REPLACED, Faces, Shift, add_shift, find_move, say
from roomread.watch.track import SeatTracker


class Lesson:
    """Pupils at their places, filmed: heads sway within half a face, one detection in ten is missed.

    Faces are of about `size` pixels. `film` shows them for some seconds; `view` gives, from the seconds of this film,
    the camera's (scale, right, down), and `places` other places than the pupils' own.
    """

    def __init__(self, n=12, fps=5.0, size=40.0, seed=0, pitch=4.0, restless=0.12):
        self.rng = np.random.default_rng(seed)
        columns = int(np.ceil(n**0.5 * 1.2))
        grid = np.array([(i % columns, i // columns) for i in range(n)], float)
        self.tiles = 200 + pitch * size * grid
        self.own = self.rng.normal(0, 0.3 * size, (n, 2))  # where a head is within its tile
        self.homes = self.tiles + self.own
        self.sizes = size * self.rng.uniform(0.85, 1.15, n)
        self.sway, self.fps, self.size, self.restless = np.zeros((n, 2)), fps, size, restless
        self.time, self.tracker = 0.0, SeatTracker()
        self.numbers: list[set[int]] = [set() for _ in range(n)]

    def film(self, seconds, view=lambda t: (1, 0, 0), places=None, here=lambda t, who: True):
        """Return the newest number of each pupil, and keep all of them in `numbers`."""
        homes = self.homes if places is None else places
        newest, start = [NO_SEAT] * len(homes), self.time
        keep = np.exp(-1 / (1.5 * self.fps))
        while self.time < start + seconds - 1e-6:
            self.sway = keep * self.sway + self.rng.normal(0, self.restless * (1 - keep**2) ** 0.5, self.sway.shape)
            scale, *offset = view(self.time - start)
            who = [i for i in range(len(homes)) if here(self.time - start, i) and self.rng.random() > 0.1]
            middles = (homes + self.sway * self.size)[who] * scale + offset + self.rng.normal(0, 0.5, (len(who), 2))
            half = (self.sizes[who] * scale * self.rng.normal(1, 0.03, len(who)))[:, None] / 2
            boxes = np.hstack([middles - half, middles + half]).astype(np.float32)
            seats = self.tracker.update(boxes, self.time).tolist()
            assert len({seat for seat in seats if seat}) == sum(seat != NO_SEAT for seat in seats)
            for i, seat in zip(who, seats, strict=True):
                if seat != NO_SEAT:
                    newest[i] = seat
                    self.numbers[i].add(seat)
            self.time += 1 / self.fps
        return newest

    @property
    def kinds(self):
        return [shift.kind for shift in self.tracker.shifts]


rates = pytest.mark.parametrize("fps", [2, 5, 25])


@rates
@pytest.mark.parametrize("move", [0.3, 1, 3], ids="{} faces".format)
def test_seats_keep_their_numbers_when_the_camera_is_bumped(fps, move):
    lesson = Lesson(fps=fps)
    before = lesson.film(10)
    after = lesson.film(12, lambda t: (1, 40 * move, -12 * move))
    assert after == before
    assert lesson.kinds == ([] if move < 0.6 else [MOVED])


@rates
def test_seats_go_along_with_a_pan(fps):
    lesson = Lesson(fps=fps)
    before = lesson.film(10)
    after = lesson.film(12, lambda t: (1, -60 * min(t, 4), 0))
    assert after == before
    assert lesson.kinds == [MOVED]


@rates
@pytest.mark.parametrize("scale", [0.7, 1.3])
def test_seats_go_along_with_a_zoom(fps, scale):
    lesson = Lesson(fps=fps)
    before = lesson.film(10)
    after = lesson.film(12, lambda t: (1 + (scale - 1) * min(t / 2, 1), 0, 0))
    assert after == before
    assert lesson.kinds == [MOVED]


@pytest.mark.parametrize("fps", [2, 5])
def test_seats_go_along_with_a_camera_that_drifts_slowly(fps):
    lesson = Lesson(fps=fps)
    before = lesson.film(10)
    after = lesson.film(100, lambda t: (1, 1.0 * t, 0.4 * t))
    assert after == before
    assert [len(numbers) for numbers in lesson.numbers] == [1] * 12


@rates
def test_another_view_ends_the_seats_and_says_so(fps):
    lesson, other = Lesson(fps=fps), Lesson(n=9, fps=fps, size=70, seed=5, pitch=3)
    before = lesson.film(10)
    other.tracker, other.time = lesson.tracker, lesson.time
    after = other.film(20)
    assert lesson.kinds == [REPLACED]
    assert lesson.tracker.shifts[0].time == pytest.approx(10, abs=2)
    assert NO_SEAT not in after and not set(after) & set(before)


@rates
def test_tiles_that_exchange_their_places_are_told_and_numbered_anew(fps):
    lesson = Lesson(n=12, fps=fps, size=90, pitch=3, restless=0.03)
    before = lesson.film(10)
    order = np.random.default_rng(3).permutation(12)
    after = lesson.film(20, places=lesson.tiles[order] + lesson.own)
    assert lesson.kinds == [EXCHANGED]
    assert NO_SEAT not in after and not set(after) & set(before)
    (note,) = lesson.tracker.notes
    assert "at 0:10" in note and "video call" in note


@rates
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [1, 4, 8, 30])
def test_an_ordinary_lesson_raises_no_alarm(fps, n, seed):
    lesson = Lesson(n=n, fps=fps, seed=seed, restless=0.35)
    lesson.film(60 if fps < 25 else 10)
    assert lesson.tracker.shifts == () and lesson.tracker.notes == ()


@pytest.mark.parametrize("fps", [2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_a_break_is_neither_a_moved_camera_nor_a_gallery(fps, seed):
    lesson = Lesson(fps=fps, seed=seed)
    before = lesson.film(10)
    rng = np.random.default_rng(seed)
    goes, comes = rng.uniform(0, 8, 12), rng.uniform(30, 60, 12)
    ways = rng.normal(0, 60, (12, 2))  # pixels per second
    home = lesson.homes
    for step in np.arange(0, 12, 1 / fps):
        lesson.film(1 / fps, places=home + np.maximum(step - goes, 0)[:, None] * ways)
    after = lesson.film(80, here=lambda t, who: t > comes[who] - 12)
    assert lesson.tracker.shifts == ()
    assert np.mean([a == b for a, b in zip(after, before, strict=True)]) == 1


@rates
def test_a_class_that_rises_to_greet_keeps_its_numbers(fps):
    lesson = Lesson(fps=fps)
    before = lesson.film(10)
    up = np.array([0, -1.5 * lesson.size])
    for step in np.arange(0, 1.5, 1 / fps):
        lesson.film(1 / fps, places=lesson.homes + min(step, 1) * up)
    lesson.film(8, places=lesson.homes + up)
    assert lesson.film(20) == before


def test_a_source_that_stands_still_and_goes_on_raises_no_alarm():
    lesson = Lesson(restless=0.3)
    lesson.film(10)
    boxes = np.hstack([lesson.homes - 20, lesson.homes + 20]).astype(np.float32)
    for _ in range(50):
        lesson.tracker.update(boxes, lesson.time)
        lesson.time += 0.2
    lesson.film(10)
    assert lesson.tracker.shifts == ()


def test_frames_without_a_face_before_and_after_a_bump_change_nothing():
    lesson = Lesson()
    before = lesson.film(10)
    lesson.film(0.8, here=lambda t, who: False)
    assert lesson.film(20, lambda t: (1, 120, 30)) == before
    assert lesson.kinds == [MOVED]


@pytest.mark.parametrize("seed", range(5))
def test_the_move_between_two_pictures_is_found(seed):
    rng = np.random.default_rng(seed)
    before = Faces(rng.uniform(0, 1000, (12, 2)), rng.uniform(30, 50, 12))
    after = Faces((before.middles * 1.2 + (150, -80))[2:], (before.sizes * 1.2)[2:])
    move = find_move(before, after)
    assert move is not None
    assert move.scale == pytest.approx(1.2) and move.offset == pytest.approx([150, -80])


@pytest.mark.parametrize("seed", range(5))
def test_no_move_is_found_between_pictures_that_have_nothing_to_do_with_each_other(seed):
    rng = np.random.default_rng(seed)
    before, after = (Faces(rng.uniform(0, 1000, (12, 2)), rng.uniform(30, 50, 12)) for _ in range(2))
    assert find_move(before, after) is None
    assert find_move(before, Faces(np.zeros((0, 2)), np.zeros(0))) is None


def test_moves_that_follow_one_another_are_told_as_one():
    shifts = add_shift(add_shift((), MOVED, 10.0), MOVED, 40.0)
    assert shifts == (Shift(MOVED, 10.0, 40.0),)
    assert "from 0:10 to 0:40" in say(shifts)[0]
    assert [shift.time for shift in add_shift(shifts, MOVED, 200.0)] == [10.0, 200.0]


def test_nothing_that_happened_is_nothing_to_say():
    assert say(()) == ()


def test_many_shifts_of_a_kind_are_counted():
    shifts = tuple(Shift(REPLACED, 60.0 * i, 60.0 * i) for i in range(5))
    assert "at 0:00, at 1:00, at 2:00 and 2 more times" in say(shifts)[0]
