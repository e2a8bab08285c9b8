"""`roomread structure`, and --agenda of `report` and `analyze`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from roomread.app.analyze import open_lesson
from roomread.cli.main import main
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

EXAMPLE = Path(__file__).parents[1] / "examples" / "agenda.csv"


@pytest.fixture
def db(tmp_path: Path, lesson: Callable[..., Lesson], observation: Callable[..., Observation]) -> Path:
    """A store with one lesson of 100 seconds and six seats, which change after a minute."""
    store = LessonStore(tmp_path / "lessons.sqlite")
    kept = store.add(lesson(duration=100.0))
    seen = [
        observation(row, float(row), [(seat, "sad" if row < 60 else "happy") for seat in range(1, 7)])
        for row in range(100)
    ]
    store.append(kept, seen)
    return tmp_path / "lessons.sqlite"


@pytest.fixture
def agenda(tmp_path: Path) -> Path:
    path = tmp_path / "agenda.csv"
    path.write_text("start,end,name\n0:00,1:00,Lecture\n1:00,1:40,Group work\n5:00,6:00,Homework\n")
    return path


def test_the_parts_are_printed_as_a_table_with_the_caution_beside(
    db: Path, agenda: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["structure", "last", str(agenda), "--db", str(db)]) == 0
    told = capsys.readouterr()
    head, lecture, work, homework = told.out.splitlines()
    assert head.split()[:4] == ["no.", "when", "seats", "covered"]
    assert lecture.split() == ["1", "0:00–1:00", "6", "100%", "−0.33", "(−0.33", "to", "−0.33)", "Lecture"]
    assert work.endswith("Group work")
    assert "not covered by the lesson" in homework
    assert "2 parts are compared" in told.err


def test_the_parts_are_printed_as_json_with_the_window_asked_for(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "markers.csv").write_text("time,name\n1:00,Bell\n")
    assert main(["structure", "1", str(tmp_path / "markers.csv"), "--window", "20", "--json", "--db", str(db)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["window"] == 20
    assert told["parts"][0]["change"] == pytest.approx(1 / 3, abs=0.005)


def test_the_example_and_a_second_file_are_told_in_the_report(
    db: Path, agenda: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.html"
    files = ["--agenda", str(EXAMPLE), "--agenda", str(agenda)]
    assert main(["report", "last", "-o", str(out), *files, "--db", str(db)]) == 0
    html = out.read_text(encoding="utf-8")
    assert "Parts of the lesson" in html
    assert "Welcome" in html and "Homework" in html
    main(["report", "last", "-o", str(out), "--db", str(db)])
    assert "Parts of the lesson" not in out.read_text(encoding="utf-8")


def test_the_handle_writes_the_parts_into_its_report(db: Path, agenda: Path, tmp_path: Path) -> None:
    handle = open_lesson("last", db)
    assert "Group work" in handle.report(tmp_path / "r.html", agenda=[agenda]).read_text(encoding="utf-8")
    assert [row.part.name for row in handle.structure([agenda]).rows] == ["Lecture", "Group work", "Homework"]


def test_analyze_takes_an_agenda_and_tells_a_mistake_in_it_before_it_begins(
    tmp_path: Path, agenda: Path, write_video: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_video(tmp_path / "class.mp4", [np.full((90, 160, 3), 120, np.uint8)] * 10, 10)
    store = tmp_path / "new.sqlite"
    asked = ["analyze", str(clip), "--purpose", "research", "--db", str(store), "--agenda"]
    (tmp_path / "wrong.csv").write_text("start,end,name\n60,30,One\n")
    assert main([*asked, str(tmp_path / "wrong.csv"), "--json"]) == 1
    assert "line 2: the part ends before it starts" in capsys.readouterr().err
    assert main([*asked, str(agenda)]) == 1
    assert "Expected: --out DIR" in capsys.readouterr().err
    assert not store.exists()
    assert main([*asked, str(agenda), "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["lessons"][0]["structure"]
    assert [part["status"] for part in told["parts"]] == ["nothing to compare with", "not analysed", "not analysed"]
    assert "Parts of the lesson" in next((tmp_path / "out").glob("*.html")).read_text(encoding="utf-8")
