"""The truth of the synthetic room, computed without drawing a head."""

from __future__ import annotations

import json

import numpy as np
import pytest

from roomread.demo.script import RoomSettings
from roomread.demo.truth import describe, plan_room

FRAME_BY_FRAME = ("visible", "x", "y", "width", "yaw", "pitch", "lids")


def test_the_truth_names_every_kind_and_every_frame() -> None:
    settings = RoomSettings()
    truth = describe(plan_room(settings))
    kinds = {event["kind"] for seat in truth["seats"] for event in seat["events"]}
    assert kinds == {"turned", "eyes-closed", "lean", "away", "blink", "hidden"}
    assert truth["frames"] == 900 and len(truth["seats"]) == 8
    assert all(len(seat[name]) == 900 for seat in truth["seats"] for name in FRAME_BY_FRAME)
    assert len(json.dumps(truth, separators=(",", ":"))) < 1_500_000


@pytest.mark.parametrize("seats", [1, 8])
def test_whoever_is_away_or_hidden_is_not_visible_and_the_others_are(seats: int) -> None:
    settings = RoomSettings(seats=seats)
    truth = describe(plan_room(settings))
    for seat in truth["seats"]:
        out = np.zeros(settings.n_frames, bool)
        near = np.zeros(settings.n_frames, bool)
        for event in seat["events"]:
            if event["kind"] in ("away", "hidden"):
                out |= (settings.times >= event["start"]) & (settings.times < event["end"])
                near |= (settings.times >= event["start"] - 0.7) & (settings.times <= event["end"] + 0.7)
        visible = np.asarray(seat["visible"], bool)
        assert not visible[out].any()
        assert visible[~near].all()


def test_at_rest_the_face_is_at_home() -> None:
    for seat in describe(plan_room(RoomSettings(walker=False)))["seats"]:
        calm = np.asarray(seat["yaw"]) == 0
        x, y = np.asarray(seat["x"])[calm], np.asarray(seat["y"])[calm]
        assert abs(np.median(x) - seat["home"][0]) < 0.1 * seat["face_width"]
        assert abs(np.median(y) - seat["home"][1]) < 0.1 * seat["face_width"]


def test_without_a_walker_nobody_is_hidden() -> None:
    truth = describe(plan_room(RoomSettings(walker=False)))
    assert truth["walker"] is None
    assert not [event for seat in truth["seats"] for event in seat["events"] if event["kind"] == "hidden"]
