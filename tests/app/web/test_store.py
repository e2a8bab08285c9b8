"""The pages on each database, and a lesson that another machine is just recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from roomread.app.studio import Studio
from roomread.app.web.server import WebSettings, make_app
from roomread.store.lessons import LessonStore
from roomread.store.retention import set_keep_days
from roomread.types import Lesson, Observation

ADDRESS = "http://127.0.0.1:8642"


@pytest.fixture
def visitor(store: LessonStore) -> Iterator[TestClient]:
    """A browser on this machine."""
    studio = Studio(store)
    studio.queue.start()
    with TestClient(make_app(studio, WebSettings(), 8642, None), ADDRESS) as made:
        yield made


def test_pages_and_api_answer_on_each_database(
    visitor: TestClient, store: LessonStore, lesson: Callable[..., Lesson], observation: Callable[..., Observation]
) -> None:
    faces = [(seat, "happy") for seat in range(1, 7)]
    kept = store.add(lesson(duration=40.0), [observation(i, i / 2, faces) for i in range(80)])
    for path in ("/", "/lessons", "/lessons?search=TUES", "/lessons/1", "/lessons/1/report.html", "/recordings"):
        assert visitor.get(path).status_code == 200, path
    listed = visitor.get("/api/lessons").json()
    assert listed["total"] == 1 and listed["lessons"][0]["engagement"] is not None
    part = {"name": "Talk", "start": "0:10", "end": "0:20"}
    assert visitor.post("/api/lessons/1/parts", json=part, headers={"origin": ADDRESS}).status_code == 201
    assert visitor.request("DELETE", "/api/lessons/1", headers={"origin": ADDRESS}).status_code == 204
    assert store.lessons() == [] and kept.number == 1


def test_a_lesson_that_another_machine_records_is_seen_as_far_as_it_is(
    visitor: TestClient, store: LessonStore, lesson: Callable[..., Lesson], observation: Callable[..., Observation]
) -> None:
    faces = [(seat, "happy") for seat in range(1, 7)]
    elsewhere = LessonStore(store.name)
    running = elsewhere.add(lesson(state="running", duration=0.2), [observation(0, 0.0, faces)])
    assert "Running" in visitor.get("/lessons").text
    assert visitor.get("/api/lessons/1").json()["figures"]["frames"] == 1
    longer = dataclasses.replace(running, duration=20.0)
    elsewhere.append(longer, [observation(i, i / 2, faces) for i in range(1, 40)])
    page = visitor.get("/lessons/1").text
    assert '<a href="">Look again</a>' in page
    assert visitor.get("/api/lessons/1").json()["figures"]["frames"] == 40
    elsewhere.append(dataclasses.replace(longer, state="complete"), [])
    assert '<a href="">' not in visitor.get("/lessons/1").text
    elsewhere.close()


def test_a_page_tells_and_changes_until_when_a_lesson_is_kept(
    visitor: TestClient, store: LessonStore, lesson: Callable[..., Lesson]
) -> None:
    store.add(lesson(created="2126-03-12T09:15:00+00:00"))
    assert "until somebody deletes it" in visitor.get("/lessons/1").text
    set_keep_days(store, 30)
    assert "until 2126-04-11" in visitor.get("/lessons/1").text
    assert "They are kept for 30 days" in visitor.get("/lessons").text
    own = {"keep_until": "2126-05-01"}
    told = visitor.patch("/api/lessons/1", json=own, headers={"origin": ADDRESS}).json()
    assert (told["keep_until"], told["kept_until"]) == ("2126-05-01", "2126-05-01")
    assert 'value="2126-05-01"' in visitor.get("/lessons/1").text
    told = visitor.patch("/api/lessons/1", json={"keep_until": ""}, headers={"origin": ADDRESS}).json()
    assert (told["keep_until"], told["kept_until"]) == (None, "2126-04-11")
    assert visitor.patch("/api/lessons/1", json={"keep_until": "soon"}, headers={"origin": ADDRESS}).status_code == 422


def test_serving_forgets_what_is_over(
    store: LessonStore, lesson: Callable[..., Lesson], until: Callable[[Callable[[], object]], None]
) -> None:
    store.add(lesson(created="1999-03-12T09:15:00+00:00"))
    set_keep_days(store, 30)
    with TestClient(make_app(Studio(store), WebSettings(), 8642, None), ADDRESS):
        until(lambda: not store.lessons())
