"""The page of one lesson, its line and its charts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from roomread.app.studio import Studio
from roomread.app.web.lesson import kept_for
from roomread.types import Lesson, Part

Taught = Callable[..., Lesson]


def test_the_page_tells_the_lesson_with_its_interval_and_what_it_is_worth(client: TestClient, taught: Taught) -> None:
    kept = taught(notes=("34 frames were damaged",), state="stopped", began="2026-03-12T10:15:00+01:00")
    page = client.get(f"/lessons/{kept.number}").text
    assert "12 Mar 2026, 10:15" in page and "34 frames were damaged." in page and "stopped before its end" in page
    assert re.search(r"interval 0\.\d\d to 0\.\d\d", page)
    assert "limited measured validity" in page and "0.5 is a coin" in page
    assert page.count('class="chart wide"') == 2 and page.count('class="chart narrow"') == 2
    assert "nan" not in page.lower().replace("tenant", "")


def test_single_seats_are_shown_only_where_they_may_be(client: TestClient, taught: Taught) -> None:
    hidden, open_ = taught(), taught(reference="EC 12/26")
    page = client.get(f"/lessons/{hidden.number}").text
    assert "Single seats are not shown. Only at least 5 seats" in page
    assert 'class="chart map' not in page and "export/seats" not in page
    page = client.get(f"/lessons/{open_.number}").text
    assert page.count('class="seat"') == 12 and "export/seats.csv" in page  # six seats, two sizes


def test_of_too_few_seats_there_is_a_word_and_no_number(client: TestClient, taught: Taught) -> None:
    page = client.get(f"/lessons/{taught(seats=4).number}").text
    assert "No engagement score" in page and "Too few seats throughout" in page and "too few to tell" in page
    assert 'class="line mean"' not in page


def test_every_formula_stands_with_its_validity_and_can_be_chosen(client: TestClient, taught: Taught) -> None:
    number = taught().number
    page = client.get(f"/lessons/{number}?mapping=concentration").text
    for name in ("sharma", "strongest", "smart-lms", "concentration"):
        assert f'value="{name}"' in page
    assert re.search(r'value="concentration"[^>]* checked', page)
    assert page.count("0.5 is a coin") >= 5
    assert client.get(f"/lessons/{number}?mapping=../x.json").status_code == 400


def test_the_line_has_null_where_nothing_may_be_told(client: TestClient, taught: Taught) -> None:
    shown = client.get(f"/api/lessons/{taught().number}/timeline").json()
    assert shown["seconds"] == 1 and len(shown["starts"]) == 40
    assert set(shown["status"]) == {"ok"} and None not in shown["engagement"] + shown["low"]
    hidden = client.get(f"/api/lessons/{taught(seats=4).number}/timeline").json()
    assert set(hidden["status"]) == {"too few"}
    for row in (hidden["engagement"], hidden["low"], hidden["seats"], hidden["readable"], hidden["emotions"]["happy"]):
        assert set(row) == {None}


@pytest.mark.parametrize("what", ["engagement", "expressions"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_chart_is_drawn_of_the_stretch_asked_for(client: TestClient, taught: Taught, what: str, size: str) -> None:
    kept = taught()
    answer = client.get(f"/api/lessons/{kept.number}/chart?from=10.5&to=20&what={what}&size={size}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert (answer.headers["x-from"], answer.headers["x-to"]) == ("10", "20")
    root = ElementTree.fromstring(answer.text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    whole = client.get(f"/api/lessons/{kept.number}/chart").headers
    assert (whole["x-from"], whole["x-to"]) == ("0", "40")


def test_parts_markers_and_their_names_stand_under_the_line_as_text(
    client: TestClient, taught: Taught, studio: Studio
) -> None:
    kept = taught()
    studio.store.add_parts(kept, [Part("<b>One</b>", 0, 20, "activity"), Part("Bell", 30, 30, "marker")])
    drawn = client.get(f"/api/lessons/{kept.number}/chart").text
    assert "&lt;b&gt;One&lt;/b&gt;, 0:00–0:20" in drawn and "Bell, 0:30" in drawn
    assert 'class="part moment"' in drawn
    assert "Bell" not in client.get(f"/api/lessons/{kept.number}/chart?from=0&to=20").text
    assert "<b>One</b>" not in client.get(f"/lessons/{kept.number}").text


@pytest.mark.parametrize("stretch", ["from=20&to=10", "from=nan&to=3", "from=5&to=5", "from=x"])
def test_a_stretch_that_is_none_is_refused_in_words(client: TestClient, taught: Taught, stretch: str) -> None:
    answer = client.get(f"/api/lessons/{taught().number}/chart?{stretch}")
    assert answer.status_code in (400, 422) and answer.json()["error"]


@pytest.mark.parametrize("stretch", ["from=900&to=1000", "from=-1e9&to=1e9", "from=inf&to=inf", "from=-inf&to=inf"])
def test_a_stretch_beyond_the_lesson_is_not_drawn_beyond_it(client: TestClient, taught: Taught, stretch: str) -> None:
    answer = client.get(f"/api/lessons/{taught().number}/chart?{stretch}")
    assert answer.status_code == 400 or (answer.headers["x-from"], answer.headers["x-to"]) == ("0", "40")


def test_a_zoomed_page_can_be_shared(client: TestClient, taught: Taught) -> None:
    page = client.get(f"/lessons/{taught().number}?from=10&to=20").text
    assert "Shown: 0:10 to 0:20" in page


def test_a_lesson_without_a_frame_and_one_of_a_picture_have_their_pages(
    client: TestClient, taught: Taught, studio: Studio, lesson: Callable[..., Lesson]
) -> None:
    empty = studio.store.add(lesson(duration=0.0, width=0, height=0, state="running"))
    for mapping in ("", "?mapping=glance"):
        assert client.get(f"/lessons/{empty.number}{mapping}").status_code == 200
    assert client.get(f"/api/lessons/{empty.number}/chart?from=0&to=1").status_code == 200


@pytest.mark.parametrize("path", ["/lessons/99", "/lessons/abc", "/api/lessons/99", "/lessons/99/report.html"])
def test_a_lesson_that_is_not_there_is_told_in_words(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422) and "Traceback" not in answer.text


def test_how_long_it_is_kept_is_counted_in_days(lesson: Callable[..., Lesson]) -> None:
    kept = lesson(created="2026-03-12T09:15:00+01:00")
    days = [kept_for(kept, datetime(2026, 3, day, 9, tzinfo=UTC)) for day in (12, 13, 20, 11)]
    assert days == [0, 1, 8, 0]
