"""The commands that check a lesson against people."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from roomread.cli.main import main
from roomread.store.lessons import LessonStore
from roomread.types import EMOTIONS, Lesson, Observation

Run = Callable[..., tuple[int, str, str]]
Keep = Callable[..., Lesson]
N_SEATS, SECONDS = 8, 480


@pytest.fixture
def keep_lesson(store: LessonStore, lesson: Callable[..., Lesson], observation: Callable[..., Observation]) -> Keep:
    """A function that stores a lesson of eight seats, seen every two seconds, the happier the higher the number."""

    def keep(**about: object) -> Lesson:
        faces = [
            (seat, [share if name == "happy" else 1 - share if name == "neutral" else 0.0 for name in EMOTIONS])
            for seat in range(1, N_SEATS + 1)
            for share in [seat / N_SEATS]
        ]
        seen = [observation(time, float(time), faces) for time in range(0, SECONDS, 2)]
        made = lesson(**{"reference": "EC 12/26", "duration": float(SECONDS), **about})
        return store.add(dataclasses.replace(made, number=0), seen)

    return keep


@pytest.fixture
def run(store: LessonStore, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs a command in a folder of its own, with what is typed; returns code, printed and said."""
    monkeypatch.chdir(tmp_path)

    def run(line: str, typed: str = "") -> tuple[int, str, str]:
        answers: Iterator[str] = iter(typed.split())

        def answer(prompt: str) -> str:
            sys.stdout.write(f"{prompt}\n")
            try:
                return next(answers)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", answer)
        code = main([*shlex.split(line), "--db", str(store.name)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def fill(sheet: Path, to: Path, observer: str, levels: Callable[[int], int]) -> None:
    """Fill in a form as an observer would, each level from the row's number."""
    head, *rows = sheet.read_text(encoding="utf-8").splitlines()
    filled = [f"{row[:-1]}{levels(number)},{observer}" for number, row in enumerate(rows)]
    to.write_text("\n".join([head, *filled]), encoding="utf-8")


def test_coding_asks_glance_by_glance_and_goes_on_where_it_stopped(run: Run, keep_lesson: Keep) -> None:
    keep_lesson()
    code, out, err = run("code last --observer Anna", "2 9 s q")
    assert code == 0
    assert "0:00–0:20 seat 1 (" in out and "[0/1/2, s skip, q quit]" in out
    assert out.count("0:20–0:40 seat 2") == 2  # 9 is no level
    assert "24 of 24 glances are left; 0 disengaged, 1 partly, 2 engaged" in err
    assert out.splitlines()[-1] == "Tuesday-1-codes.csv"
    code, out, err = run("code last", "Anna 0")
    assert "22 of 24 glances are left" in err and "0:40–1:00 seat 3" in out and "seat 1 (" not in out
    rows = Path("Tuesday-1-codes.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.split(",")[-2:] for row in rows] == [["2", "Anna"], ["", "Anna"], ["0", "Anna"]]


def test_nobody_cannot_code(run: Run, keep_lesson: Keep) -> None:
    keep_lesson()
    assert run("code last")[0] == 1
    assert "observer's name cannot be used" in run("code last")[2]


def test_single_seats_are_not_coded_where_they_may_not_be_seen(run: Run, keep_lesson: Keep) -> None:
    keep_lesson(reference=None)
    code, _, err = run("code last --sheet s.csv")
    assert code == 1 and "--whole-class" in err and not Path("s.csv").exists()
    code, _, err = run("code last --kept s.csv")
    assert code == 1 and "Rows of single seats" in err and not Path("s.csv").exists()
    assert run("code last --sheet s.csv --whole-class")[:2] == (0, "s.csv\n")
    assert "0,20,0:00–0:20,class,the whole picture,," in Path("s.csv").read_text(encoding="utf-8")
    assert "0:00–0:20 class" in run("code last --whole-class --observer Anna", "1")[1]
    code, out, _ = run("agreement last Tuesday-1-codes.csv")
    assert (
        code == 0
        and "1 glances at the class: 0 of level 0, 1 of level 1" in out
        and "drawn by glance" in " ".join(out.split())
    )


def test_a_form_is_filled_in_checked_and_fitted_to(run: Run, keep_lesson: Keep) -> None:
    keep_lesson()
    run("code last --sheet sheet.csv --glance 4")
    fill(Path("sheet.csv"), Path("anna.csv"), "Anna", lambda number: number * 3 // 2 % 8 // 3)
    fill(Path("sheet.csv"), Path("ben.csv"), "Ben", lambda number: number * 3 // 2 % 8 // 3)
    code, out, _ = run("agreement last anna.csv ben.csv")
    assert code == 0
    assert "120 glances at 8 seats: " in out
    assert "Anna and Ben  120      1.00" in out  # which shows no spread, and so no interval
    assert all(f"\n{name} " in out for name in ("sharma", "strongest", "smart-lms", "concentration"))
    code, out, err = run("calibrate last --codes anna.csv ben.csv --mapping sharma -o class.json")
    assert (code, err) == (0, "")
    assert out.endswith("class.json\n") and "off by, in levels" in out
    code, out, _ = run("agreement last anna.csv --mapping class.json --json")
    told = json.loads(out)
    assert [checked["mapping"] for checked in told["checked"]] == ["sharma, refitted (class)"]
    assert (told["seats"], told["whole_class"], told["between"]) == (8, False, [])
    words = " ".join(run("agreement last anna.csv --mapping class.json")[1].split())
    assert "If it was fitted to these very codes, its figures here are too good. Refitted to 120 glances" in words
    assert run("report last --mapping class.json -o r.html")[0] == 0
    assert "Refitted to 120 glances" in Path("r.html").read_text(encoding="utf-8")
    assert run("export last --to csv --mapping class.json")[0] == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("agreement last absent.csv", "cannot be read"),
        ("agreement last absent.csv --levels-map low", "words of the levels"),
        ("agreement last absent.csv --mapping absent.json", "The mapping absent.json cannot be read"),
        ("calibrate last --codes absent.csv --mapping shrama -o x.json", "There is no formula 'shrama'"),
        ("calibrate last --codes absent.csv --mapping sharma -o x.txt", "name ending in .json"),
        ("calibrate last last --codes a.csv --mapping sharma -o x.json", "Received: 2 lessons, 1 files"),
        ("code last --sheet s.csv --levels 1", "--levels must be 2 to 20"),
        ("code last --sheet s.csv --glance 9999", "does not fit lesson 1"),
    ],
)
def test_a_mistake_is_told_in_one_line(run: Run, keep_lesson: Keep, line: str, words: str) -> None:
    keep_lesson()
    code, out, err = run(line)
    assert (code, out) == (1, "")
    assert words in err and err.startswith("roomread: ") and err.count("\n") == 1
