"""The list of lessons, and what the API tells, changes and forgets."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from roomread.app.overviews import keep_overview
from roomread.app.studio import Studio
from roomread.app.web.guard import UPLOAD
from roomread.store.schema import metadata
from roomread.store.summaries import PAGE
from roomread.types import Lesson, Part

Taught = Callable[..., Lesson]
EVIL = "<script>alert('x')</script>"


def rows_of(page: str) -> list[str]:
    return re.findall(r"<tr>\n<td>.*?</tr>", page, re.DOTALL)


def test_an_empty_list_says_what_to_do(client: TestClient, studio: Studio) -> None:
    page = client.get("/lessons").text
    assert "There is no lesson yet." in page
    assert 'href="/live"' in page and 'href="/recordings"' in page
    assert html.escape(studio.store.name) in page and "Deleting overwrites" in page


def test_a_row_shows_what_is_known_and_a_dash_for_what_is_not(
    client: TestClient, taught: Taught, studio: Studio
) -> None:
    keep_overview(studio.store, taught(name="Physics").number)
    keep_overview(studio.store, taught(seats=3, name="Few").number)
    taught(name="Fresh")
    fresh, few, physics = rows_of(client.get("/lessons").text)
    assert "Physics" in physics and "100%" in physics and 'class="line"' in physics and "Complete" in physics
    assert re.search(r"<td>0\.\d\d<small>0\.\d\d–0\.\d\d</small>", physics)
    assert "<td>–</td>" in few and 'class="line"' not in few and "0.00" not in few
    assert fresh.count("–") == 3 and "<svg" not in fresh


def test_names_and_sources_are_searched_and_shown_as_text(client: TestClient, taught: Taught) -> None:
    taught(name=EVIL, source=EVIL)
    taught(name="Chemistry", source="film.mp4")
    page = client.get("/lessons").text
    assert EVIL not in page and html.escape(EVIL).replace("&#x27;", "&#39;") in page
    assert [("Chemistry" in row) for row in rows_of(client.get("/lessons", params={"search": "FILM"}).text)] == [True]
    nothing = client.get("/lessons", params={"search": '"><b>'}).text
    assert "No lesson has these words" in nothing and '"><b>' not in nothing


def test_long_lists_have_pages(client: TestClient, studio: Studio, lesson: Callable[..., Lesson]) -> None:
    for number in range(PAGE + 1):
        studio.store.add(lesson(name=f"Lesson {number}"))
    first = client.get("/lessons").text
    assert len(rows_of(first)) == PAGE and "Page 1 of 2, 51 lessons" in first
    assert len(rows_of(client.get("/lessons?page=2").text)) == 1
    told = client.get("/api/lessons?page=2").json()
    assert (told["page"], told["pages"], told["total"], len(told["lessons"])) == (2, 2, 51, 1)


def test_the_page_needs_two_queries_and_no_row(client: TestClient, taught: Taught, studio: Studio) -> None:
    for _ in range(4):
        keep_overview(studio.store, taught(seconds=5).number)
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *more: object) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        client.get("/lessons")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    asked = [each for each in asked if not each.startswith(("PRAGMA", "BEGIN"))]
    assert len(asked) == 2 and not any("faces" in each or "series" in each for each in asked)


def test_the_api_lists_nothing_that_is_hidden(client: TestClient, taught: Taught, studio: Studio) -> None:
    keep_overview(studio.store, taught(seats=3).number)
    (one,) = client.get("/api/lessons").json()["lessons"]
    assert (one["engagement"], one["seats"], one["measured"]) == (None, None, 0)
    figures = client.get(f"/api/lessons/{one['number']}").json()["figures"]
    assert figures["engagement"] is None and figures["single_seats"] == []
    assert set(figures["emotions"].values()) == {None}


def test_a_lesson_is_renamed_and_remarked_on(client: TestClient, taught: Taught) -> None:
    number = taught(name="Old").number
    answer = client.patch(f"/api/lessons/{number}", json={"name": " New ", "remarks": "Projector failed\nat noon"})
    assert (answer.json()["name"], answer.json()["remarks"]) == ("New", "Projector failed\nat noon")
    assert client.patch(f"/api/lessons/{number}", json={"remarks": ""}).json()["name"] == "New"
    assert client.get(f"/api/lessons/{number}").json()["remarks"] == ""


@pytest.mark.parametrize(
    "asked", [{"name": "  "}, {"name": "x" * 201}, {"name": "two\nlines"}, {"remarks": "x" * 20001}]
)
def test_a_name_that_no_page_can_show_is_refused(client: TestClient, taught: Taught, asked: dict[str, str]) -> None:
    number = taught().number
    assert client.patch(f"/api/lessons/{number}", json=asked).status_code in (400, 422)
    assert client.get(f"/api/lessons/{number}").json()["name"] == "Tuesday"


def test_deleting_leaves_no_row_of_the_lesson_in_any_table(client: TestClient, taught: Taught, studio: Studio) -> None:
    gone, stays = taught(), taught()
    studio.store.add_parts(gone, [Part("One", 0, 5, "activity")])
    keep_overview(studio.store, gone.number)
    assert client.delete(f"/api/lessons/{gone.number}").status_code == 204
    with studio.store.transaction() as connection:
        for table in metadata.sorted_tables:
            key = table.c.get("lesson", table.c.get("number"))
            if key is not None and table.name != "recordings":
                assert gone.number not in connection.scalars(sa.select(key)).all(), table.name
    assert client.get(f"/lessons/{gone.number}").status_code == 404
    assert client.delete(f"/api/lessons/{gone.number}").status_code == 404
    assert client.get(f"/lessons/{stays.number}").status_code == 200


def test_a_lesson_that_runs_is_not_deleted(
    client: TestClient, taught: Taught, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = taught(state="running").number

    class Live:
        over = False

        def view(self) -> Any:
            return type("View", (), {"lesson": number})

        def stop(self) -> None: ...

    monkeypatch.setattr(studio, "live", Live())
    answer = client.delete(f"/api/lessons/{number}")
    assert answer.status_code == 400 and "is running" in answer.json()["error"]


def test_nothing_changes_by_looking(client: TestClient, taught: Taught) -> None:
    number = taught().number
    for path in (f"/lessons/{number}/delete", f"/lessons/{number}/parts"):
        assert client.get(path).status_code == 404
    assert client.post(f"/api/lessons/{number}").status_code == 405
    assert client.get(f"/lessons/{number}").status_code == 200


def test_every_route_of_lessons_is_documented(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    told = [(path, how) for path, ways in paths.items() if "lessons" in path for how in ways.values()]
    assert len(told) >= 14
    assert all(how.get("summary") and how.get("tags") for _, how in told)


def test_a_lesson_that_a_recording_is_becoming_is_not_deleted(
    client: TestClient, studio: Studio, clip: Path, looking: Any, until: Callable[[Callable[[], object]], None]
) -> None:
    reached, go = threading.Event(), threading.Event()

    def step(number: int) -> None:
        if number == 2:
            reached.set()
            go.wait(20)

    looking.step = step
    asked = {"name": "Monday.mp4", "purpose": "research", "notice": "read"}
    client.post(UPLOAD, params=asked, content=clip.read_bytes())
    assert reached.wait(20)
    (lesson,) = studio.store.lessons()
    refused = client.delete(f"/api/lessons/{lesson.number}")
    assert refused.status_code == 400 and "recording Monday.mp4. Cancel the recording" in refused.json()["error"]
    go.set()
    until(lambda: studio.queue.rows.find(1).state == "done")
    assert client.delete(f"/api/lessons/{lesson.number}").status_code == 204
    assert studio.store.lessons() == []
