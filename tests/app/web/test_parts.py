"""Parts and markers over the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from roomread.app.studio import Studio
from roomread.app.web.parts import MOST_PARTS
from roomread.review.agenda import seconds_of
from roomread.types import Lesson, Part

Taught = Callable[..., Lesson]


def test_a_part_is_added_changed_and_removed(client: TestClient, taught: Taught) -> None:
    path = f"/api/lessons/{taught().number}/parts"
    made = client.post(path, json={"name": "Talk", "start": "0:05", "end": 20})
    assert made.status_code == 201
    part = made.json()["part"]
    assert made.json() == {"part": part, "name": "Talk", "start": 5, "end": 20, "kind": "activity"}
    assert client.put(f"{path}/{part}", json={"name": "Bell", "start": 7, "kind": "marker"}).json()["end"] == 7
    assert client.get(f"{path}/{part}").json()["name"] == "Bell"
    assert client.delete(f"{path}/{part}").status_code == 204
    assert client.get(path).json() == {"parts": [], "notes": []}
    assert client.delete(f"{path}/{part}").status_code == 404


@pytest.mark.parametrize("end", [None, "", " "])
def test_a_part_without_an_end_lasts_to_the_end(client: TestClient, taught: Taught, studio: Studio, end: Any) -> None:
    kept = taught()
    answer = client.post(f"/api/lessons/{kept.number}/parts", json={"name": "Rest", "start": 3, "end": end})
    assert answer.json()["end"] is None
    assert [*studio.store.parts(kept).values()] == [Part("Rest", 3, float("inf"), "activity")]


def test_the_form_of_a_part_holds_its_exact_times(client: TestClient, taught: Taught, studio: Studio) -> None:
    kept = taught()
    spans = [(61.1, 61.4), (750.4, 751.0), (3725.25, 3800.0), (0.0, 9.125)]
    studio.store.add_parts(kept, [Part("Speech", *span, "activity") for span in spans])
    page = client.get(f"/lessons/{kept.number}").text
    told = [tuple(map(seconds_of, each)) for each in re.findall(r'data-start="([^"]*)" data-end="([^"]*)"', page)]
    assert sorted(told) == sorted(spans)


WRONG: dict[str, dict[str, Any]] = {
    "no name": {"name": " ", "start": 0},
    "two lines": {"name": "a\nb", "start": 0},
    "a long name": {"name": "x" * 201, "start": 0},
    "no start": {"name": "a"},
    "no time": {"name": "a", "start": "soon"},
    "a time below 0": {"name": "a", "start": -1},
    "a time beyond any lesson": {"name": "a", "start": 1e300},
    "an end before the start": {"name": "a", "start": 9, "end": 3},
    "an unknown kind": {"name": "a", "start": 0, "kind": "exam"},
    "a list": {"name": ["a"], "start": 0},
}


@pytest.mark.parametrize("asked", WRONG.values(), ids=list(WRONG))
def test_what_is_no_part_is_refused_in_words(client: TestClient, taught: Taught, asked: dict[str, Any]) -> None:
    path = f"/api/lessons/{taught().number}/parts"
    answer = client.post(path, json=asked)
    assert answer.status_code in (400, 422) and answer.json()["error"]
    assert client.get(path).json()["parts"] == []


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_a_time_that_is_no_number_is_refused(client: TestClient, taught: Taught, number: str) -> None:
    body = f'{{"name": "a", "start": {number}}}'
    answer = client.post(f"/api/lessons/{taught().number}/parts", content=body)
    assert answer.status_code in (400, 422)


def test_a_part_of_another_lesson_is_out_of_reach(client: TestClient, taught: Taught, studio: Studio) -> None:
    one, other = taught(), taught()
    (part,) = studio.store.add_parts(one, [Part("Mine", 0, 5, "activity")])
    asked = {"name": "Yours", "start": 0}
    assert client.get(f"/api/lessons/{other.number}/parts/{part}").status_code == 404
    assert client.put(f"/api/lessons/{other.number}/parts/{part}", json=asked).status_code == 404
    assert client.delete(f"/api/lessons/{other.number}/parts/{part}").status_code == 404
    assert studio.store.parts(one)[part].name == "Mine"


def test_an_agenda_is_read_from_its_text(client: TestClient, taught: Taught) -> None:
    path = f"/api/lessons/{taught().number}/agenda"
    answer = client.post(path, json={"file": "/etc/passwd", "text": "start,end,name\n0:00,0:20,Talk\n0:10,0:40,Task\n"})
    assert answer.status_code == 201
    assert [part["name"] for part in answer.json()["parts"]] == ["Talk", "Task"]
    assert "before an earlier one has ended" in answer.json()["notes"][0]
    captions = "WEBVTT\n\n00:01.000 --> 00:04.000\nGood morning, Ann.\n"
    assert "Ann" not in client.post(path, json={"file": "a.vtt", "text": captions}).text  # captions lose their words


def test_an_agenda_that_is_wrong_names_its_line_and_adds_nothing(client: TestClient, taught: Taught) -> None:
    number = taught().number
    answer = client.post(f"/api/lessons/{number}/agenda", json={"file": "a.csv", "text": "0,20,Talk\nsoon,40,Task\n"})
    assert answer.status_code == 400 and "a.csv, line 2: this is no time" in answer.json()["error"]
    assert client.get(f"/api/lessons/{number}/parts").json()["parts"] == []


def test_a_lesson_takes_so_many_parts_and_no_more(client: TestClient, taught: Taught) -> None:
    path = f"/api/lessons/{taught().number}/agenda"
    text = "time,name\n" + "".join(f"{n},m\n" for n in range(MOST_PARTS + 1))
    assert "at most" in client.post(path, json={"file": "a.csv", "text": text}).json()["error"]


def test_parts_are_compared_as_far_as_the_gate_allows(client: TestClient, taught: Taught, studio: Studio) -> None:
    many, few = taught(seconds=120), taught(seats=4, seconds=120)
    for kept in (many, few):
        studio.store.add_parts(kept, [Part("First", 0, 60, "activity"), Part("Bell", 60, 60, "marker")])
    told = client.get(f"/api/lessons/{many.number}/comparison").json()
    assert [part["name"] for part in told["parts"]] == ["First", "Bell"]
    assert told["parts"][0]["change"] == 0 and told["mapping"] == "sharma"
    hidden = client.get(f"/api/lessons/{few.number}/comparison").json()["parts"]
    assert {part["change"] for part in hidden} == {None}
    assert all("too few seats" in part["words"] for part in hidden)
