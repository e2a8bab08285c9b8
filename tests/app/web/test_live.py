"""The page of the lesson that runs, its API and its lines."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pictures
from starlette.websockets import WebSocketDisconnect

from roomread.app import observing
from roomread.app.studio import Studio
from roomread.app.web.live import TAKEN_OVER, plain
from roomread.errors import StoreError
from roomread.types import N_EMOTIONS, N_SIGNALS, Frame, Observation, Tracks
from roomread.watch import outages
from roomread.watch.push import MOST_BYTES

OWN = {"origin": "http://127.0.0.1:8642"}
ASKED = {"name": "Physics", "purpose": "self-study", "notice": True, "source": "browser"}


def jpeg() -> bytes:
    held = io.BytesIO()
    Pictures.fromarray(np.full((90, 160, 3), 99, np.uint8)).save(held, "JPEG")
    return held.getvalue()


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every frame hold seven faces."""

    def observe(frames: Iterator[Frame], *_: object) -> Iterator[tuple[Frame, Observation]]:
        for frame in frames:
            boxes = np.array([[20 * k, 10, 20 * k + 15, 30] for k in range(7)], np.float32)
            tracks = Tracks(np.arange(1, 8), boxes, np.ones(7, np.float32))
            emotions = np.full((7, N_EMOTIONS), 1 / 7, np.float32)
            signals = np.full((7, N_SIGNALS), 0.5, np.float32)
            yield frame, Observation(frame.time, frame.index, tracks, emotions, np.ones(7, np.float32), signals)

    monkeypatch.setattr(observing, "observe", observe)


def begun(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/live", json=ASKED | changes)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def seen(line: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first view of a line that is as wanted."""
    for _ in range(200):
        told: dict[str, Any] = line.receive_json()
        if wanted(told):
            return told
    raise AssertionError(told)


def push(line: Any, moment: float) -> None:
    line.send_bytes(struct.pack("<d", moment) + jpeg())


def test_before_a_lesson_the_page_asks_for_purpose_and_notice(client: TestClient) -> None:
    page = client.get("/live")
    assert page.status_code == 200
    for part in ('id="purpose"', 'id="notice"', "AI Act", 'value="browser" checked', "/live/notice"):
        assert part in page.text
    assert 'value="named"' not in page.text
    assert client.get("/api/live").json()["state"] == "none"
    assert "signature" in client.get("/live/notice").text


def test_the_source_of_the_command_line_is_offered_and_no_other_file(client: TestClient, studio: Studio) -> None:
    studio.named = "/home/me/class.mp4"
    page = client.get("/live").text
    assert 'value="named"' in page and "/home/me" not in page
    studio.named = None
    for source in ("named", "/etc/passwd", "../class.mp4", "camera:1/../x", "file:///etc/passwd", ""):
        answer = client.post("/api/live", json=ASKED | {"source": source, "address": source})
        assert answer.status_code == 400 and "no such source" in answer.json()["error"]
    answer = client.post("/api/live", json=ASKED | {"source": "address", "address": "file:///etc/passwd"})
    assert answer.status_code == 400
    assert studio.live is None


@pytest.mark.parametrize(
    "changes",
    [
        {"notice": False}, {"purpose": "demo"}, {"purpose": None}, {"name": ""}, {"name": "x" * 201},
        {"mapping": "made up"}, {"purpose": "research", "reference": "  "}, {"folder": "/tmp"},
    ],
    ids=str,
)  # fmt: skip
def test_nothing_begins_without_name_purpose_and_notice(
    client: TestClient, studio: Studio, changes: dict[str, Any]
) -> None:
    answer = client.post("/api/live", json=ASKED | changes)
    assert answer.status_code in (400, 422) and answer.json()["error"]
    assert studio.live is None or studio.live.over


def test_a_mapping_is_named_and_no_file_is_read(client: TestClient, studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("{}")
    for path in (tmp_path / "there.json", tmp_path / "absent.json"):
        answer = client.post("/api/live", json=ASKED | {"mapping": str(path)})
        assert answer.status_code == 400 and answer.json()["error"].startswith("There is no mapping")
    assert studio.live is None


def test_a_viewer_who_was_slow_is_told_every_point_of_the_course(
    client: TestClient, studio: Studio, until: Callable[[Callable[[], object]], None]
) -> None:
    begun(client)
    live = studio.running()
    with client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=OWN) as camera:
        for number in range(6):
            push(camera, 1000.0 + number)
            until(lambda n=number: len(live.view().course) > n)  # type: ignore[misc]
    assert [point[0] for point in plain(studio, live, live.view()).course] == [0, 1, 2, 3, 4, 5]
    assert [point[0] for point in plain(studio, live, live.view(), since=2.0).course] == [2, 3, 4, 5]
    client.post("/api/live/discard")


def test_a_lesson_that_breaks_off_says_so_without_folders(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise StoreError(f"The store {studio.store.name} cannot be used.")

    monkeypatch.setattr(studio.store, "add", fail)
    begun(client)
    address = "ws://127.0.0.1:8642/api/live"
    with (
        client.websocket_connect(f"{address}/view", headers=OWN) as line,
        client.websocket_connect(f"{address}/frames", headers=OWN) as camera,
    ):
        push(camera, 1000.0)
        told = seen(line, lambda view: view["state"] == "failed")
    assert told["error"] == client.get("/api/live").json()["error"] == "The store lessons.sqlite cannot be used."


def test_a_whole_lesson_over_the_lines(client: TestClient, studio: Studio) -> None:
    assert begun(client)["sends"] is True
    again = client.post("/api/live", json=ASKED)
    assert again.status_code == 400 and "one lesson at a time" in again.json()["error"]
    with (
        client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=OWN) as one,
        client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=OWN) as other,
        client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=OWN) as camera,
    ):
        for number in range(4):
            push(camera, 1000.0 + number)
            told = seen(one, lambda view, at=float(number): view["time"] == at)  # type: ignore[misc]
        assert told["state"] == "running" and told["status"] == "ok" and told["seats"] == 7
        assert 0 <= told["engagement"] <= 1 and sum(told["emotions"].values()) == pytest.approx(1, abs=0.035)
        assert seen(other, lambda view: view["time"] == 3.0)["engagement"] == told["engagement"]
        marked = client.post("/api/live/markers", json={"name": "Question"})
        assert marked.json()["markers"] == [[3.0, "Question"]]
        assert seen(other, lambda view: bool(view["markers"]))["markers"] == [[3.0, "Question"]]
        outline = client.get("/api/live/outline").json()
        assert outline["picture"].startswith("data:image/jpeg;base64,") and len(outline["faces"]) == 7
        assert client.post("/api/live/pause", json={"on": True}).json()["state"] == "paused"
        assert client.get("/api/live/outline").json() == {"picture": None, "faces": []}
        number = client.post("/api/live/stop").json()["lesson"]
        assert seen(one, lambda view: view["state"] == "ended")["lesson"] == number
    assert len(studio.store.readings(studio.store.find(str(number))).times) == 4
    assert client.post("/api/live/stop").status_code == 400


def test_a_viewer_who_comes_later_is_told_the_whole_course(client: TestClient) -> None:
    begun(client)
    with client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=OWN) as camera:
        with client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=OWN) as one:
            for number in range(5):
                push(camera, float(number))
                seen(one, lambda view, at=float(number): view["time"] == at)  # type: ignore[misc]
        with client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=OWN) as late:
            assert [point[0] for point in late.receive_json()["course"]] == [0, 1, 2, 3, 4]
    assert client.post("/api/live/discard").json() == {"lesson": 0}
    assert client.get("/api/live").json()["state"] == "discarded"


@pytest.mark.parametrize(
    "message",
    [b"", b"12345678", struct.pack("<d", 1.0) + b"no picture", struct.pack("<d", float("nan")) + b"\xff\xd8\xff"],
    ids=["nothing", "time alone", "no picture", "no time"],
)
def test_what_is_no_picture_closes_the_line(client: TestClient, message: bytes) -> None:
    begun(client)
    with client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=OWN) as camera:
        camera.send_bytes(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            camera.receive_json()
    assert closed.value.code == 4000
    client.post("/api/live/discard")


def test_of_two_pages_that_send_only_the_later_one_is_taken(client: TestClient, studio: Studio) -> None:
    begun(client)
    path = "ws://127.0.0.1:8642/api/live/frames"
    with (
        client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=OWN) as view,
        client.websocket_connect(path, headers=OWN) as one,
    ):
        push(one, 1000.0)
        seen(view, lambda told: told["time"] == 0.0)
        with client.websocket_connect(path, headers=OWN) as other:
            with pytest.raises(WebSocketDisconnect) as closed:
                one.receive_json()
            assert closed.value.code == TAKEN_OVER
            push(other, 1002.0)
            seen(view, lambda told: told["time"] == 2.0)
    lesson = studio.store.find(str(client.post("/api/live/stop").json()["lesson"]))
    assert studio.store.readings(lesson).times.tolist() == [0, 2]


def test_pictures_without_a_lesson_are_refused(client: TestClient) -> None:
    with client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=OWN) as camera:
        push(camera, 1.0)
        with pytest.raises(WebSocketDisconnect):
            camera.receive_json()
    assert MOST_BYTES <= 16 * 1024 * 1024


def test_a_browser_that_is_closed_and_opened_again_costs_its_own_span_alone(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [1000.0]
    monkeypatch.setattr(outages, "now", lambda: ours[0])
    begun(client)
    for first, length in ((0.0, 3), (30.0, 3)):
        ours[0] = 1000 + first
        with (
            client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=OWN) as view,
            client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=OWN) as camera,
        ):
            for number in range(length):
                ours[0] = 1000 + first + number
                push(camera, 50 + first + number)
                told = seen(view, lambda view, at=first + number: view["time"] == at)  # type: ignore[misc]
        ours[0] += 10
        assert client.get("/api/live").json()["source"] == "waiting"
    assert len(told["notes"]) == 1 and told["notes"][0].startswith("No picture from ")
    lesson = studio.store.find(str(client.post("/api/live/stop").json()["lesson"]))
    assert lesson.state == "complete" and studio.store.readings(lesson).times.tolist() == [0, 1, 2, 30, 31, 32]
    assert client.get(f"/lessons/{lesson.number}/report.html").status_code == 200
