"""The script of the synthetic room: what happens is decided before anything is drawn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from roomread.demo.script import CYCLE, RoomSettings, move, walk, write_script


@pytest.mark.parametrize("seats", [1, 2, 8, 30])
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_every_kind_of_behaviour_occurs_within_a_minute(seats: int, seed: int) -> None:
    kinds = {event.kind for events in write_script(RoomSettings(seats=seats, seed=seed)) for event in events}
    assert kinds == {"turned", "eyes-closed", "lean", "away", "blink"}


@pytest.mark.parametrize("seed", range(5))
def test_half_a_minute_is_enough_for_eight_seats(seed: int) -> None:
    kinds = {event.kind for events in write_script(RoomSettings(seconds=30.0, seed=seed)) for event in events}
    assert kinds >= {*CYCLE, "away", "blink"}


def test_the_same_seed_gives_the_same_script_and_another_seed_another() -> None:
    assert write_script(RoomSettings(seed=3)) == write_script(RoomSettings(seed=3))
    assert write_script(RoomSettings(seed=3)) != write_script(RoomSettings(seed=4))


@pytest.mark.parametrize("seed", range(5))
def test_events_keep_their_lengths_and_lie_within_the_video(seed: int) -> None:
    limits = {"turned": (4, 8), "eyes-closed": (3, 6), "lean": (4, 7), "away": (8, 15), "blink": (0.15, 0.3)}
    for events in write_script(RoomSettings(seed=seed, seconds=90.0)):
        long = [event for event in events if event.kind != "blink"]
        assert all(first.end < second.start for first, second in itertools.pairwise(long))
        for event in events:
            low, high = limits[event.kind]
            assert low - 0.002 <= event.end - event.start <= high + 0.002
            assert 0 <= event.start < event.end <= 90


def test_movement_follows_the_events() -> None:
    settings = RoomSettings(seats=3, fps=20)
    times = settings.times
    for seat, events in enumerate(write_script(settings)):
        movement = move(settings, seat, events)
        for event in events:
            inside = (times >= event.start) & (times <= event.end)
            held = (times >= event.start + 0.8) & (times <= event.end - 0.8)
            if event.kind == "turned":
                assert np.allclose(movement.yaw[held], event.yaw) and np.allclose(movement.pitch[held], event.pitch)
            elif event.kind == "eyes-closed":
                assert (movement.lids[held] == 1).all()
            elif event.kind == "lean":
                assert np.allclose(movement.lean[held], event.side) and (movement.scale[held] > 1.1).all()
            elif event.kind == "away":
                assert (movement.sink[inside] == 1).all()
        gone = [(event.start, event.end) for event in events if event.kind == "away"]
        assert all(any(start <= time <= end for start, end in gone) for time in times[movement.sink == 1])


def test_nobody_sits_quite_still() -> None:
    settings = RoomSettings(seats=1, seconds=20.0)
    movement = move(settings, 0, [])
    assert np.ptp(movement.dx) > 0.01 and np.ptp(movement.yaw) >= 2
    assert np.abs(movement.dx).max() <= 0.035 and np.abs(movement.yaw).max() <= 4
    assert (movement.scale == 1).all() and (movement.sink == 0).all() and (movement.lids == 0).all()


def test_the_walker_comes_and_goes_within_the_video_or_not_at_all() -> None:
    span = walk(RoomSettings(seconds=4.0))
    assert span is not None and 0 <= span[0] < span[1] <= 4
    assert walk(RoomSettings(walker=False)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seats", 0),
        ("seats", 41),
        ("seats", 2.5),
        ("fps", 0),
        ("fps", 29.97),
        ("width", 641),
        ("height", 100),
        ("seconds", 0.5),
        ("seconds", float("nan")),
        ("seed", -1),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="Received"):
        RoomSettings(**{name: value})  # type: ignore[arg-type]
