"""The synthetic room as a video."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from roomread.demo import RoomSettings, build_room, film
from roomread.demo.face import draw_pose, load_head
from roomread.demo.layout import DESK, HAIR_TOP
from roomread.demo.scenery import draw_room
from roomread.demo.script import Event
from roomread.demo.truth import plan_room
from roomread.errors import MissingExtraError, OutputError

pytest.importorskip("skimage")
SMALL: dict[str, Any] = {"seats": 2, "seconds": 2.0, "width": 640, "height": 360, "fps": 10}


def read_frames(path: Path) -> npt.NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_a_room_is_written_with_its_truth_and_nothing_else(tmp_path: Path) -> None:
    shares: list[float] = []
    room = build_room(RoomSettings(**SMALL), tmp_path / "made" / "here", shares.append)
    frames = read_frames(room.video)
    assert frames.shape == (20, 360, 640, 3)
    assert json.loads(room.truth_file.read_text(encoding="utf-8")) == room.truth
    assert room.truth["frames"] == 20 and all(len(seat["x"]) == 20 for seat in room.truth["seats"])
    assert sorted(path.name for path in room.video.parent.iterdir()) == ["room.json", "room.mp4"]
    assert len(shares) == 20 and shares == sorted(shares) and shares[-1] == 1


def test_the_same_seed_gives_the_same_frames_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (
        read_frames(build_room(RoomSettings(**SMALL | {"seconds": 1.0}, seed=seed), tmp_path / name).video)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_who_is_away_leaves_the_empty_room(monkeypatch: pytest.MonkeyPatch) -> None:
    away = [Event(kind="away", start=0.7, end=1.5)]
    monkeypatch.setattr("roomread.demo.truth.write_script", lambda settings: [away, []])
    settings = RoomSettings(**SMALL, walker=False)
    plan = plan_room(settings)
    empty = draw_room(settings, plan.seats).astype(int)
    seat = plan.seats[0]
    reach = slice(int(seat.x - seat.face_width), int(seat.x + seat.face_width))
    part = (slice(int(seat.y - HAIR_TOP * seat.face_width), int(seat.y + DESK * seat.face_width)), reach)
    for frame, image in enumerate(film.paint_frames(plan)):
        differs = np.abs(image[part] - empty[part]).max()
        if 0.7 <= frame / 10 <= 1.5:
            assert differs == 0
        elif frame == 0:
            assert differs > 50


def test_what_is_repainted_in_parts_equals_what_is_painted_whole() -> None:
    plan = plan_room(RoomSettings(**SMALL, seed=4))
    background = draw_room(plan.settings, plan.seats)
    head = load_head(0.6)
    actors = [
        film.Actor(seat, movement, head, lambda *pose: draw_pose(head, *pose), 64)
        for seat, movement in zip(plan.seats, plan.movements, strict=True)
    ]
    canvas, before = background.copy(), list[film.Layer]()
    for frame in range(20):
        layers = [layer for actor in actors for layer in actor.layers(frame)]
        for box in film._changed(before, layers):
            film._repaint(canvas, background, layers, box)
        before = layers
    whole = background.copy()
    film._repaint(whole, background, layers, (0, 0, 640, 360))
    assert np.array_equal(canvas, whole)


def test_when_the_encoder_fails_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(settings: object, frames: object, path: Path, progress: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(film, "_encode", fail)
    with pytest.raises(OutputError, match=r"cannot be written.*Expected.*Received.*No space left"):
        build_room(RoomSettings(**SMALL), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_room_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "room.mp4").write_bytes(b"old")

    def fail(*_: object) -> None:
        raise av.error.FFmpegError(1, "broken")

    monkeypatch.setattr(film, "_encode", fail)
    with pytest.raises(OutputError):
        build_room(RoomSettings(**SMALL), tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("room.mp4", b"old")]


def test_without_scikit_image_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    with pytest.raises(MissingExtraError, match="demo"):
        build_room(RoomSettings(**SMALL), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="taken"):
        build_room(RoomSettings(**SMALL), tmp_path / "taken")
