"""Two lessons beside each other."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from roomread.types import Lesson

Taught = Callable[..., Lesson]


def test_two_lessons_share_one_scale_of_time_and_a_word_of_caution(client: TestClient, taught: Taught) -> None:
    short, long = taught(name="Short", seconds=30), taught(name="Long", seconds=60)
    page = client.get(f"/lessons/compare?a={short.number}&b={long.number}").text
    assert "What may not be concluded" in page and "never people" in page
    charts = re.findall(r'<svg class="chart wide".*?</svg>', page, re.DOTALL)
    assert len(charts) == 4
    times = [re.findall(r'text-anchor="middle">(\d+:\d\d)</text>', chart) for chart in charts]
    assert times[0] == times[1] and times[0][-1] == "1:00"
    ends = [
        max(float(x) for x in re.findall(r"[ML](\d+\.\d),", chart.split('class="line mean"')[1].split('"/>')[0]))
        for chart in charts[:2]
    ]
    assert ends[0] - 46 == pytest.approx((ends[1] - 46) / 2, abs=1)  # half as long is half as wide
    assert "different models" not in page


def test_lessons_of_different_models_are_told_apart(client: TestClient, taught: Taught) -> None:
    one, other = taught(), taught(made_with={"detector": {"name": "another"}})
    assert "different models" in client.get(f"/lessons/compare?a={one.number}&b={other.number}").text


def test_a_lesson_of_too_few_seats_stays_hidden_beside_another(client: TestClient, taught: Taught) -> None:
    page = client.get(f"/lessons/compare?a={taught(seats=4).number}&b={taught().number}").text
    assert "too few to tell" in page and "too few seats" in page
    assert page.count('class="line mean"') == 2  # of the other one, at both sizes


@pytest.mark.parametrize("query", ["", "?a=1", "?a=1&b=1", "?lesson=1"])
def test_one_lesson_is_no_comparison(client: TestClient, taught: Taught, query: str) -> None:
    taught()
    answer = client.get(f"/lessons/compare{query}")
    assert answer.status_code == 400 and "two different lessons" in answer.text


def test_without_a_script_the_ticked_lessons_are_compared(client: TestClient, taught: Taught) -> None:
    taught(), taught()
    answer = client.get("/lessons/compare?lesson=2&lesson=1", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/lessons/compare?a=2&b=1")
    assert client.get("/lessons/compare?a=1&b=9").status_code == 404
