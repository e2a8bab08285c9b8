"""Reports and tables that are taken along."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import fastparquet
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from roomread.app.studio import Studio
from roomread.types import Lesson, Part

Taught = Callable[..., Lesson]


def test_the_report_comes_with_the_lesson_s_own_parts_as_a_file(
    client: TestClient, taught: Taught, studio: Studio
) -> None:
    kept = taught(name="Übung 1", seconds=120)
    studio.store.add_parts(kept, [Part("Group work", 0, 60, "activity")])
    answer = client.get(f"/lessons/{kept.number}/report.html")
    assert answer.headers["content-disposition"].startswith('attachment; filename="-bung-1-1-report.html"; filename*=')
    assert "Group work" in answer.text and "Parts of the lesson" in answer.text
    assert "<script" not in answer.text


def test_a_report_without_parts_says_nothing_of_them(client: TestClient, taught: Taught) -> None:
    assert "Parts of the lesson" not in client.get(f"/lessons/{taught().number}/report.html").text


@pytest.mark.parametrize("table", ["class", "seats"])
def test_a_table_is_the_same_in_every_form(client: TestClient, taught: Taught, table: str) -> None:
    path = f"/lessons/{taught(reference='EC 12/26').number}/export/{table}"
    one = pd.read_csv(io.BytesIO(client.get(f"{path}.csv").content))
    two = pd.DataFrame(client.get(f"{path}.json").json())
    three = fastparquet.ParquetFile(io.BytesIO(client.get(f"{path}.parquet").content)).to_pandas()
    assert len(one) == len(two) == len(three) == (40 if table == "class" else 480)
    assert list(one.columns) == list(two.columns) == list(three.columns)
    told = json.loads(client.get(f"{path}.dictionary.json").text)
    assert [column["name"] for column in told["columns"]] == list(one.columns)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("changes", [{}, {"purpose": "self-study"}, {"purpose": "demo"}], ids=str)
def test_single_seats_are_refused_with_the_reason(
    client: TestClient, taught: Taught, form: str, changes: dict[str, str]
) -> None:
    answer = client.get(f"/lessons/{taught(**changes).number}/export/seats.{form}")
    assert answer.status_code == 403
    assert "Rows of single seats" in answer.text and "at least 5 seats together" in answer.text
    assert "happy" not in answer.text


@pytest.mark.parametrize("name", ["class.xlsx", "class", "faces.csv", "..%2f..%2fetc.csv", "class.csv.csv"])
def test_another_table_is_refused(client: TestClient, taught: Taught, name: str) -> None:
    assert client.get(f"/lessons/{taught().number}/export/{name}").status_code in (400, 404)
