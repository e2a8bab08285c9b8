"""A source watched as it runs, with scripted faces."""

import numpy as np
import pytest

from roomread.app import observing
from roomread.app.panel import find_mapping
from roomread.app.watching import Lookback, WatchSettings, watch
from roomread.errors import SettingsError
from roomread.types import N_EMOTIONS, N_SIGNALS, NO_FACE, OK, TOO_FEW, Observation, Tracks


class Source:
    """Frames that the test never looks into, and whether it was closed."""

    name, dropped = "scripted", 3

    def __init__(self):
        self.closed, self.notes = False, []

    def start(self):
        pass

    def frames(self):
        return iter(())

    def close(self):
        self.closed = True


@pytest.fixture
def scripted(monkeypatch):
    """A function that makes the next watch see so many seats in frames at such times."""

    def script(n, times):
        def observe(*_):
            for index, time in enumerate(times):
                boxes = np.array([[50 * k, 0, 50 * k + 40, 40] for k in range(n)], np.float32).reshape(n, 4)
                tracks = Tracks(np.arange(1, n + 1), boxes, np.ones(n, np.float32))
                emotions = np.full((n, N_EMOTIONS), 1 / 7, np.float32)
                signals = np.full((n, N_SIGNALS), 0.5, np.float32)
                yield None, Observation(time, index, tracks, emotions, np.ones(n, np.float32), signals)

        monkeypatch.setattr(observing, "observe", observe)
        return Source()

    return script


def test_glimpses_come_with_the_first_frame_and_then_every_so_often(scripted):
    source = scripted(6, np.arange(0, 10, 0.2))
    seen = list(watch(source, "research", settings=WatchSettings(every=2.0, window=3.0)))
    assert [glimpse.time for glimpse in seen] == pytest.approx([0, 2, 4, 6, 8])
    assert {glimpse.now.status[0] for glimpse in seen} == {OK}
    assert seen[-1].fps == pytest.approx(5.0)
    assert seen[-1].now.seats[0] == 6
    assert seen[0].dropped == 3
    assert source.closed


def test_fewer_than_five_seats_show_nothing_but_the_word_for_it(scripted):
    (glimpse, *_) = watch(scripted(4, [0.0, 0.2, 0.4]), "research")
    assert glimpse.now.status[0] == TOO_FEW
    assert np.isnan(glimpse.now.engagement[0])
    assert np.isnan(glimpse.now.readable[0])
    assert "at least 5 seats" in glimpse.rule
    (glimpse, *_) = watch(scripted(4, [0.0, 0.2, 0.4]), "research", "IRB 1")
    assert glimpse.now.status[0] == OK


def test_oneself_alone_is_seen(scripted):
    *_, glimpse = watch(scripted(1, np.arange(0, 3, 0.2)), "self-study")
    assert glimpse.now.status[0] == OK


def test_a_purpose_must_be_declared(scripted):
    with pytest.raises(SettingsError, match="purpose"):
        next(watch(scripted(1, [0.0]), None))


def test_whoever_stops_watching_closes_the_source(scripted):
    source = scripted(6, np.arange(0, 100, 0.2))
    glimpses = watch(source, "research")
    next(glimpses)
    glimpses.close()
    assert source.closed


def looked_back(up):
    """Return every glimpse of nine seats, of which those of `up(time)` show an expression."""
    past = Lookback("self-study", None, find_mapping("sharma"), window=5.0, every=0.1)
    glimpses = []
    for index in range(60):
        time, chance = index / 5, np.random.default_rng(index)
        boxes = np.tile(np.array([0, 0, 40, 40], np.float32), (9, 1))
        tracks = Tracks(np.arange(1, 10), boxes, np.ones(9, np.float32))
        emotions = chance.dirichlet(np.ones(N_EMOTIONS), 9).astype(np.float32)
        emotions[~np.isin(tracks.seats, up(time))] = np.nan
        signals = np.full((9, N_SIGNALS), np.nan, np.float32)
        glimpses.append(past.add(Observation(time, index, tracks, emotions, np.ones(9, np.float32), signals)))
    return [glimpse.now for glimpse in glimpses if glimpse is not None]


def test_numbers_of_a_running_class_have_two_digits():
    told = looked_back(lambda time: range(1, 10))
    numbers = np.array([[now.engagement[0], now.low[0], now.high[0], *now.emotions[0]] for now in told])
    assert np.isfinite(numbers).all()
    np.testing.assert_allclose(numbers, numbers.round(2), atol=0)


def test_no_glimpse_depends_on_moments_in_which_fewer_than_five_seats_were_read():
    def few(time):
        return range(1, 5) if 4 <= time < 7 else range(1, 10)

    whole, few_now = looked_back(lambda time: range(1, 10)), looked_back(few)
    assert [now.status[0] for now in few_now] == [OK] * 60  # others of the five seconds are enough
    thin = [now.engagement[0] for now in looked_back(lambda time: () if 4 <= time < 7 else range(1, 10))]
    assert [now.engagement[0] for now in few_now] == thin
    assert [now.engagement[0] for now in whole] != thin
    assert few_now[34].readable[0] == pytest.approx((15 * 4 + 10 * 9) / 25, abs=0.5)  # which was no secret


def test_whoever_stays_when_a_class_has_gone_is_not_shown_alone():
    past = Lookback("self-study", None, find_mapping("sharma"), window=5.0, every=0.1)
    for index in range(80):
        seats = np.array([3]) if index >= 50 else np.arange(1, 7)
        n = len(seats)
        tracks = Tracks(seats, np.tile(np.array([0, 0, 40, 40], np.float32), (n, 1)), np.ones(n, np.float32))
        emotions, signals = np.full((n, N_EMOTIONS), 1 / 7, np.float32), np.full((n, N_SIGNALS), np.nan, np.float32)
        glimpse = past.add(Observation(index / 5, index, tracks, emotions, np.ones(n, np.float32), signals))
    assert glimpse is not None and glimpse.now.status[0] == TOO_FEW and np.isnan(glimpse.now.engagement[0])
    assert past.seats() == [1, 2, 3, 4, 5, 6]


def test_whoever_walks_by_is_not_shown_in_place_of_oneself():
    past = Lookback("self-study", None, find_mapping("sharma"), window=5.0, every=0.1)
    statuses = []
    for index in range(600):
        seats = np.array([1] if index < 590 else [2])
        emotions, signals = np.full((1, N_EMOTIONS), 1 / 7, np.float32), np.full((1, N_SIGNALS), np.nan, np.float32)
        tracks = Tracks(seats, np.array([[0, 0, 40, 40]], np.float32), np.ones(1, np.float32))
        glimpse = past.add(Observation(index, index, tracks, emotions, np.ones(1, np.float32), signals))
        assert glimpse is not None
        statuses.append(glimpse.now.status[0])
    assert set(statuses[5:590]) == {OK} and set(statuses[595:]) == {NO_FACE}
    assert past.seats() == [1] and glimpse is not None and np.isnan(glimpse.now.engagement[0])
