"""A mapping refitted to a class, frozen in a file and read back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.app.panel import find_mapping
from roomread.errors import CodesError, OutputError, PrivacyError, SettingsError
from roomread.review.calibration import calibrate, write_calibration
from roomread.review.summary import summarise
from roomread.store.privacy import Gate, allowance
from roomread.types import EMOTIONS, Lesson, Readings

N_SEATS, GLANCE, ROUNDS = 10, 5, 9
SHARMA = find_mapping("sharma")

Spoil = Callable[[dict[str, Any]], object]


@pytest.fixture
def gate(lesson: Callable[..., Lesson], readings: Callable[..., Readings]) -> Callable[..., Gate]:
    """A function that makes a lesson whose seats are the happier (0.67 in sharma) the more, else neutral (1).

    How happy a seat is in a round, 0 to 1, is `happiness(seat, round)`; one frame a second, seat after seat is coded.
    """

    def make(**about: object) -> Gate:
        faces = [
            (time, seat, [share if name == "happy" else 1 - share if name == "neutral" else 0.0 for name in EMOTIONS])
            for time in range(N_SEATS * ROUNDS * GLANCE)
            for seat in range(1, N_SEATS + 1)
            for share in [happiness(seat, time // (N_SEATS * GLANCE))]
        ]
        made = lesson(**{"reference": "EC 12/26", "duration": float(N_SEATS * ROUNDS * GLANCE), **about})
        return Gate(made, allowance(made, N_SEATS), readings(range(N_SEATS * ROUNDS * GLANCE), faces))

    return make


def happiness(seat: int, turn: int) -> float:
    return (seat * 7 + turn * 4) % 10 / 9


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    """Codes of people to whom the happy ones are the engaged ones, which sharma turns round."""
    lines = ["start,end,seat,observer,level"]
    for turn in range(ROUNDS):
        for seat in range(1, N_SEATS + 1):
            start = (turn * N_SEATS + seat - 1) * GLANCE
            level = min(int(happiness(seat, turn) * 3), 2)
            lines.append(f"{start},{start + GLANCE},{seat},Anna,{level}")
    path = tmp_path / "anna.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """What the first test that needs it has fitted, for those after it."""
    return {}


@pytest.fixture
def frozen(gate: Callable[..., Gate], codes: Path, tmp_path: Path, made: dict[str, Any]) -> Path:
    if not made:
        made.update(calibrate([(gate(), [codes])], SHARMA, None))
    return write_calibration(tmp_path / "class.json", made, "0.1.0")


def test_a_distorted_score_is_mended_at_seats_it_was_not_fitted_to(gate: Callable[..., Gate], codes: Path) -> None:
    found = calibrate([(gate(), [codes])], SHARMA, None)
    before, after = found["figures"]["before"], found["figures"]["after"]
    assert before["spearman"]["value"] < -0.9 and after["spearman"]["value"] > 0.9
    assert after["quadratic"]["value"] > 0.9 > before["quadratic"]["high"]
    assert after["off"]["high"] < before["off"]["low"]
    assert found["n"] == {
        "glances": 90, "of_each_level": [27, 27, 36], "missing": 0, "seats": 10, "lessons": 1, "observers": 1,
    }  # fmt: skip


def test_the_file_says_what_it_was_made_of(frozen: Path, codes: Path) -> None:
    found = json.loads(frozen.read_text(encoding="utf-8"))
    assert (found["mapping"], found["levels"], found["roomread"]) == ("sharma", 3, "0.1.0")
    assert found["codes"][0]["name"] == "anna.csv" and len(found["codes"][0]["sha256"]) == 64
    assert found["settings"]["folds"] == 5
    assert "seat" not in found["codes"][0] and "seats" not in found["lessons"][0]


def test_the_same_codes_make_the_same_file(gate: Callable[..., Gate], codes: Path, frozen: Path) -> None:
    again = write_calibration(frozen.with_name("again.json"), calibrate([(gate(), [codes])], SHARMA, None), "0.1.0")
    assert again.read_bytes() == frozen.read_bytes()


def test_the_file_is_a_mapping_wherever_one_is_named(gate: Callable[..., Gate], frozen: Path) -> None:
    mapping = find_mapping(str(frozen))
    emotions = np.eye(7)[[EMOTIONS.index("happy"), EMOTIONS.index("neutral")]]
    emotions = np.concatenate([emotions, np.full((1, 7), np.nan)])
    happy, neutral, unknown = mapping.score(emotions, np.full((3, 7), np.nan))
    assert happy > 0.8 and neutral < 0.2 and np.isnan(unknown)
    told = summarise(gate(), mapping)
    assert told.mapping == "sharma, refitted (class)"
    assert "Refitted to 90 glances at 10 seats of 1 lesson(s), coded by 1 observer(s) in 3 levels" in told.validity
    assert "judged at seats that were left out of the fitting (5 folds)" in told.validity
    assert 0.4 < told.engagement < 0.6


def test_seats_of_two_lessons_are_apart(gate: Callable[..., Gate], codes: Path) -> None:
    found = calibrate([(gate(), [codes]), (gate(number=2), [codes])], SHARMA, None)
    assert (found["n"]["seats"], found["n"]["glances"], found["n"]["lessons"]) == (20, 180, 2)


def test_codes_of_the_class_cannot_be_fitted_to(gate: Callable[..., Gate], tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("start,end,seat,observer,level\n0,20,class,Anna,1\n")
    with pytest.raises(CodesError, match="as a whole"):
        calibrate([(gate(), [path])], SHARMA, None)


def test_single_seats_must_be_allowed(gate: Callable[..., Gate], codes: Path) -> None:
    with pytest.raises(PrivacyError, match="single seats"):
        calibrate([(gate(reference=None), [codes])], SHARMA, None)


def test_too_few_codes_are_refused(gate: Callable[..., Gate], codes: Path) -> None:
    codes.write_text("\n".join(codes.read_text().splitlines()[:40]))
    with pytest.raises(CodesError, match="too few to refit"):
        calibrate([(gate(), [codes])], SHARMA, None)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda found: found.pop("cuts"), "no 'cuts'"),
        (lambda found: found.update(form="something"), "form 'something'"),
        (lambda found: found.update(cuts=[1.0, 0.0]), "cuts"),
        (lambda found: found.update(levels=5), "of 5 levels"),
        (lambda found: found.update(levels="3"), "damaged"),
        (lambda found: found["curve"].update(values=[0.0]), "values"),
        (lambda found: found["curve"]["knots"].reverse(), "must ascend"),
        (lambda found: found["curve"]["values"].__setitem__(0, float("nan")), "a number that is none"),
        (lambda found: found.update(figures=None), "damaged"),
        (lambda found: found.update(mapping="gone"), "another version"),
        (lambda found: found.update(mapping=["gone"]), "damaged"),
        (lambda found: found.update(formula="changed"), "another version.*changed"),
        (lambda found: found.pop("date"), "no 'date'"),
    ],
)
def test_a_damaged_file_is_refused_in_words(frozen: Path, spoil: Spoil, words: str) -> None:
    found = json.loads(frozen.read_text(encoding="utf-8"))
    spoil(found)
    frozen.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(SettingsError, match=words):
        find_mapping(str(frozen))


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "null", "\xff"])
def test_a_file_of_something_else_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError, match="is damaged"):
        find_mapping(str(path))
    with pytest.raises(SettingsError, match="cannot be read"):
        find_mapping(str(tmp_path / "absent.json"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with named pipes")
def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(SettingsError, match="a pipe"):
        find_mapping(str(tmp_path / "pipe.json"))


def test_a_name_that_would_not_be_taken_for_a_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"name ending in \.json"):
        write_calibration(tmp_path / "class.txt", {}, "0.1.0")


def test_a_mapping_that_was_frozen_stays(tmp_path: Path) -> None:
    write_calibration(tmp_path / "class.json", {"n": 1}, "0.1.0")
    with pytest.raises(OutputError, match="is there already, and lessons may have been read by it"):
        write_calibration(tmp_path / "class.json", {"n": 2}, "0.1.0")
    assert json.loads((tmp_path / "class.json").read_text())["n"] == 1


def test_the_expected_level_is_never_beyond_the_codes(frozen: Path) -> None:
    scores = find_mapping(str(frozen)).score(np.random.default_rng(0).dirichlet(np.ones(7), 200), np.empty((200, 7)))
    assert_allclose(scores, np.clip(scores, 0, 1))
