"""Own recordings, asked for as a page or a program would."""

from __future__ import annotations

import asyncio
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from roomread.app import recording
from roomread.app import spool as spools
from roomread.app.queue import RecordingQueue
from roomread.app.studio import Studio
from roomread.app.web.guard import UPLOAD
from roomread.app.web.server import WebSettings, make_app
from roomread.errors import StoreBusyError

Until = Callable[[Callable[[], object]], None]
Usage = namedtuple("Usage", ["total", "used", "free"])
GIVEN = {"name": "room.mp4", "purpose": "research", "notice": "read"}


@pytest.fixture
def queue(studio: Studio) -> RecordingQueue:
    return studio.queue


def files(queue: RecordingQueue) -> set[str]:
    return {path.name for path in queue.spool.folder.iterdir()} - {"lock"}


def test_a_recording_is_sent_analysed_and_linked_to_its_lesson(
    client: TestClient, queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    answer = client.post(UPLOAD, params={**GIVEN, "reference": "EC 12/26", "fps": 2}, content=clip.read_bytes())
    assert answer.status_code == 201
    assert (answer.json()["number"], answer.json()["name"], answer.json()["lesson"]) == (1, "room.mp4", None)
    until(lambda: client.get(UPLOAD).json()["recordings"][0]["state"] == "done" and not files(queue))
    told = client.get(UPLOAD).json()["recordings"][0]
    (lesson,) = queue.store.lessons()
    assert told["lesson"] == lesson.number and told["done"] == told["length"]
    assert (lesson.reference, lesson.made_with["settings"]["fps"]) == ("EC 12/26", 2.0)
    page = client.get("/recordings").text
    assert f'href="/lessons/{lesson.number}"' in page and "Done" in page
    queue.store.delete(lesson)
    assert client.get(UPLOAD).json()["recordings"][0]["lesson"] is None
    assert "The lesson was deleted." in client.get("/recordings").text
    assert client.delete(f"{UPLOAD}/1").status_code == 204
    assert client.get(UPLOAD).json()["recordings"] == []
    assert client.delete(f"{UPLOAD}/1").status_code == 404


def test_the_page_shows_the_notice_and_says_that_nothing_is_there(client: TestClient) -> None:
    page = client.get("/recordings").text
    assert "Article 5(1)(f)" in page and "There is no recording yet" in page
    assert 'aria-current="page">Recordings' in page
    assert client.get("/recordings/list").text.strip().startswith("<p>")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"purpose": None}, 422),
        ({"purpose": "demo"}, 422),
        ({"notice": None}, 422),
        ({"notice": "skipped"}, 422),
        ({"fps": "0"}, 422),
        ({"fps": "nan"}, 422),
        ({"reference": "  "}, 400),
        ({"name": "///"}, 400),
    ],
    ids=str,
)
def test_without_purpose_or_notice_nothing_is_taken(
    client: TestClient, queue: RecordingQueue, clip: Path, changes: dict[str, Any], status: int
) -> None:
    params = {key: value for key, value in (GIVEN | changes).items() if value is not None}
    answer = client.post(UPLOAD, params=params, content=clip.read_bytes())
    assert answer.status_code == status and answer.json()["error"]
    assert files(queue) == set() and queue.rows.all() == []


def test_a_text_that_is_named_like_a_video_is_refused(client: TestClient, queue: RecordingQueue) -> None:
    answer = client.post(UPLOAD, params=GIVEN, content=b"Dear diary\n" * 500)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("room.mp4 cannot be opened as a video")
    assert files(queue) == set() and queue.rows.all() == []


@pytest.mark.parametrize("name", ["../../../evil.mp4", "..\\evil.mp4", "/etc/evil.mp4", "%2e%2e%2fevil.mp4", "1"])
def test_a_name_from_a_request_never_reaches_the_disk(
    client: TestClient, queue: RecordingQueue, clip: Path, looking: Any, until: Until, tmp_path: Path, name: str
) -> None:
    looking.step = lambda number: seen.update(path.name for path in tmp_path.rglob("*"))
    seen: set[str] = set()
    before = {path.name for path in tmp_path.rglob("*")}
    assert client.post(UPLOAD, params={**GIVEN, "name": name}, content=clip.read_bytes()).status_code == 201
    until(lambda: not files(queue))
    assert {each for each in seen - before if "lessons.sqlite" not in each} == {"1"}
    (lesson,) = queue.store.lessons()
    assert "/" not in lesson.name + lesson.source and "\\" not in lesson.name + lesson.source


def test_a_recording_that_is_too_large_is_refused_before_it_comes_and_while_it_comes(
    client: TestClient, queue: RecordingQueue, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = clip.read_bytes()

    def pieces() -> Iterator[bytes]:
        yield content
        yield content

    monkeypatch.setattr(spools, "LARGEST", len(content) - 1)
    answer = client.post(UPLOAD, params=GIVEN, content=content)
    assert answer.status_code == 413 and "too large" in answer.json()["error"]
    monkeypatch.setattr(spools, "LARGEST", 2 * len(content) - 1)
    assert client.post(UPLOAD, params=GIVEN, content=pieces()).status_code == 413
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9**12, 9**12, spools.LEFT_FREE + len(content) - 1))
    assert client.post(UPLOAD, params=GIVEN, content=content).status_code == 413
    assert client.get(UPLOAD).json()["room"] == len(content) - 1
    assert files(queue) == set() and queue.rows.all() == []


def test_an_upload_that_breaks_off_leaves_nothing(studio: Studio, clip: Path) -> None:
    app = make_app(studio, WebSettings(), 8642, None)
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": clip.read_bytes()[:5000], "more_body": True},
        {"type": "http.disconnect"},
    ]
    seen: list[set[str]] = []
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        seen.append(files(studio.queue))
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    query = "&".join(f"{key}={value}" for key, value in GIVEN.items()).encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": UPLOAD, "raw_path": UPLOAD.encode(), "root_path": "", "query_string": query,
        "headers": [(b"host", b"127.0.0.1:8642")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8642),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert any(name.startswith("in-") for name in seen[0])
    assert sent[0]["status"] == 400
    assert files(studio.queue) == set() and studio.queue.rows.all() == []
    studio.close()


def test_what_runs_is_cancelled_and_says_so(
    client: TestClient, queue: RecordingQueue, clip: Path, looking: Any, until: Until
) -> None:
    steps: list[int] = []

    def step(number: int) -> None:
        steps.append(number)
        until(lambda: queue.rows.find(1).state == "cancelled")

    looking.step = step
    client.post(UPLOAD, params=GIVEN, content=clip.read_bytes())
    until(lambda: steps)
    assert "Is being looked at" in client.get("/recordings").text
    assert client.delete(f"{UPLOAD}/1").status_code == 204
    until(lambda: not files(queue))
    assert "Cancelled, nothing was kept" in client.get("/recordings").text
    assert queue.store.lessons() == []


def test_a_recording_whose_store_was_full_is_tried_again(
    client: TestClient, queue: RecordingQueue, clip: Path, looking: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = queue.store.add

    def fail(*_: Any, **__: Any) -> Any:
        raise StoreBusyError("The store cannot be used: database or disk is full.")

    monkeypatch.setattr(recording, "HOLD", 0.0)
    monkeypatch.setattr(queue.store, "add", fail)
    client.post(UPLOAD, params=GIVEN, content=clip.read_bytes())
    until(lambda: queue.rows.find(1).state == "failed")
    told, page = client.get(UPLOAD).json()["recordings"][0], client.get("/recordings/list").text
    assert told["kept"] is True and told["message"] in page and "disk is full" in told["message"]
    assert 'data-again="1"' in page
    monkeypatch.setattr(queue.store, "add", add)
    again = client.post(f"{UPLOAD}/1/again")
    assert (again.status_code, again.json()["state"], again.json()["message"]) == (200, "waiting", "")
    until(lambda: queue.rows.find(1).state == "done" and not files(queue))
    assert "data-again" not in client.get("/recordings/list").text
    refused = client.post(f"{UPLOAD}/1/again")
    assert refused.status_code == 400 and "no copy of it is kept" in refused.json()["error"]
    assert client.post(f"{UPLOAD}/2/again").status_code == 404


def test_names_are_shown_as_text(client: TestClient, clip: Path, looking: Any) -> None:
    client.post(UPLOAD, params={**GIVEN, "name": '<b onclick="x">.mp4'}, content=clip.read_bytes())
    for path in ("/recordings", "/recordings/list"):
        assert "<b onclick" not in client.get(path).text and "&lt;b onclick" in client.get(path).text


def test_looking_at_the_queue_reads_no_lesson(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.store, "lessons", None)
    assert client.get(UPLOAD).json()["recordings"] == []
