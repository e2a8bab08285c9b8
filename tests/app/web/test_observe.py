"""Glances coded at the pages."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from roomread.app.live import LiveLesson, LiveRequest
from roomread.app.studio import Studio
from roomread.cli.main import main
from roomread.errors import PrivacyError
from roomread.store.codes import Code, add_code, codes_of
from roomread.types import EMOTIONS, Frame, Lesson, Observation, Readings

N_SEATS, SECONDS = 6, 240
ANNA: dict[str, Any] = {"observer": "Anna", "seconds": 20.0}
Keep = Callable[..., Lesson]


@pytest.fixture
def keep_lesson(studio: Studio, lesson: Callable[..., Lesson], observation: Callable[..., Observation]) -> Keep:
    """A function that stores a lesson of six seats, seen every two seconds, the happier the higher the number."""

    def keep(**about: object) -> Lesson:
        faces = [
            (seat, [share if name == "happy" else 1 - share if name == "neutral" else 0.0 for name in EMOTIONS])
            for seat in range(1, N_SEATS + 1)
            for share in [seat / N_SEATS]
        ]
        seen = [observation(time, float(time), faces) for time in range(0, SECONDS, 2)]
        made = lesson(**{"reference": "EC 12/26", "duration": float(SECONDS), **about})
        return studio.store.add(dataclasses.replace(made, number=0), seen)

    return keep


def say(client: TestClient, standing: dict[str, Any], level: int | None, **who: Any) -> dict[str, Any]:
    """Answer the next glance."""
    glance = standing["next"]
    body = {**ANNA, **who, "start": glance["start"], "seat": glance["seat"], "level": level}
    answer = client.post("/api/observe/1/codes", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_an_observer_goes_from_seat_to_seat_skips_takes_back_and_goes_on(
    client: TestClient, studio: Studio, keep_lesson: Keep
) -> None:
    lesson = keep_lesson()
    first = client.get("/api/observe/1", params=ANNA).json()
    assert (first["total"], first["coded"], first["last"], first["now"]) == (12, 0, None, None)
    assert (first["next"]["seat"], first["next"]["clock"]) == (1, "0:00–0:20")
    assert first["next"]["place"].split()[0] in ("top", "left", "middle", "right", "bottom")
    assert [seat["seat"] for seat in first["seats"]] == list(range(1, N_SEATS + 1))
    second = say(client, first, 2)
    assert second["last"] == {"clock": "0:00–0:20", "seat": 1, "level": 2}
    third = say(client, second, None)
    assert (third["coded"], third["skipped"], third["next"]["seat"]) == (1, 1, 3)
    back = client.delete("/api/observe/1/codes/last", params=ANNA).json()
    assert (back["skipped"], back["next"]["seat"]) == (0, 2)
    assert client.get("/api/observe/1", params={**ANNA, "observer": "Ben"}).json()["coded"] == 0
    say(client, back, 0)
    codes = codes_of(studio.store, lesson, False)
    assert [(code.seat, code.level, code.observer) for code in codes] == [(1, 2, "Anna"), (2, 0, "Anna")]


def test_a_glance_is_coded_once_and_only_where_there_is_one(client: TestClient, keep_lesson: Keep) -> None:
    keep_lesson()
    body = {**ANNA, "start": 0.0, "seat": 1, "level": 1}
    assert client.post("/api/observe/1/codes", json=body).status_code == 200
    again = client.post("/api/observe/1/codes", json=body)
    assert again.status_code == 400 and "already" in again.json()["error"]
    for changes in ({"start": 20.0}, {"seat": 2}, {"start": 3.0}, {"seat": None}):
        answer = client.post("/api/observe/1/codes", json={**body, **changes})
        assert answer.status_code == 400 and "no glance" in answer.json()["error"]
    other = client.post("/api/observe/1/codes", json={**body, "seconds": 10.0, "start": 10.0, "seat": 2})
    assert other.status_code == 400 and "other glances" in other.json()["error"]
    assert client.get("/api/observe/1", params=ANNA).json()["coded"] == 1


@pytest.mark.parametrize(
    "changes",
    [{"level": 9}, {"level": -1}, {"seconds": 1}, {"seconds": 61}, {"seat": 0}, {"observer": ""}, {"observer": "=1+1"}],
    ids=str,
)
def test_what_cannot_be_is_refused(client: TestClient, studio: Studio, keep_lesson: Keep, changes: Any) -> None:
    keep_lesson()
    body = {**ANNA, "start": 0.0, "seat": 1, "level": 1, **changes}
    assert client.post("/api/observe/1/codes", json=body).status_code in (400, 422)


def test_where_single_seats_may_not_be_seen_the_class_is_coded_as_a_whole(
    client: TestClient, studio: Studio, keep_lesson: Keep
) -> None:
    lesson = keep_lesson(reference=None)
    page = client.get("/observe/1").text
    assert "only as a whole" in page and 'id="seats"' not in page
    assert client.get("/api/observe/1", params=ANNA).status_code == 403
    refused = client.post("/api/observe/1/codes", json={**ANNA, "start": 0.0, "seat": 1, "level": 1})
    assert refused.status_code == 403
    assert client.delete("/api/observe/1/codes/last", params=ANNA).status_code == 403
    assert client.get("/api/observe/1/agreement").status_code == 403
    assert codes_of(studio.store, lesson, False) == []
    whole = {"whole": True}
    first = client.get("/api/observe/1", params={**ANNA, **whole}).json()
    assert first["seats"] == [] and first["next"]["seat"] is None
    for level in (0, 1, 2):
        first = say(client, first, level, **whole)
    told = client.get("/api/observe/1/agreement", params=whole).json()
    assert (told["whole_class"], told["of_each"]) == (True, [1, 1, 1])
    assert "The class as a whole" in client.get("/observe/1/agreement/tables").text


def test_agreement_is_told_as_the_command_tells_it(
    client: TestClient, studio: Studio, keep_lesson: Keep, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    keep_lesson()
    assert client.get("/api/observe/1/agreement").status_code == 400
    assert "Nothing was coded yet" in client.get("/observe/1/agreement/tables").text
    for observer in ("Anna", "Ben"):
        standing = client.get("/api/observe/1", params={**ANNA, "observer": observer}).json()
        while standing["next"]:
            standing = say(client, standing, (standing["next"]["seat"] - 1) // 2, observer=observer)
    told = client.get("/api/observe/1/agreement").json()
    path, db = str(tmp_path / "codes.csv"), studio.store.name
    assert main(["code", "1", "--kept", path, "--db", db]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert main(["agreement", "1", path, "--json", "--db", db]) == 0
    assert {key: value for key, value in told.items() if key != "strange"} == json.loads(capsys.readouterr().out)
    assert told["between"][0]["kappa"]["value"] == 1.0 and told["strange"] == 0
    page = client.get("/observe/1/agreement/tables").text
    assert "Anna – Ben" in page and "1.00" in page and "at 6 seats" in page


def test_the_page_of_agreement_reads_a_lesson_once(
    client: TestClient, studio: Studio, keep_lesson: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_lesson()
    for whole in (True, False):
        say(client, client.get("/api/observe/1", params={**ANNA, "whole": whole}).json(), 1, whole=whole)
    readings, calls = studio.store.readings, list[Lesson]()

    def counted(lesson: Lesson) -> Readings:
        calls.append(lesson)
        return readings(lesson)

    monkeypatch.setattr(studio.store, "readings", counted)
    assert "Spearman" in client.get("/observe/1/agreement/tables").text
    assert len(calls) == 1


def test_codes_of_what_was_no_seat_after_all_are_left_out_and_told(
    client: TestClient, studio: Studio, keep_lesson: Keep
) -> None:
    lesson = keep_lesson()
    say(client, client.get("/api/observe/1", params=ANNA).json(), 1)
    assert add_code(studio.store, lesson, Code("Cora", 77, 20.0, 40.0, "there", 2))
    late = lesson.duration + 10
    assert add_code(studio.store, lesson, Code("Anna", 2, late, late + 20, "there", 2))  # in a pause, then ended
    assert client.get("/api/observe/1/agreement").json()["strange"] == 2
    assert "2 codes are left out" in client.get("/observe/1/agreement/tables").text


@pytest.mark.parametrize("observer", ["../../evil", "..\\evil", "/etc/passwd", "a\x00b", "a\nb"])
def test_a_name_never_reaches_the_disk_but_as_a_cell(
    client: TestClient, studio: Studio, keep_lesson: Keep, tmp_path: Path, observer: str
) -> None:
    lesson = keep_lesson()
    body = {**ANNA, "observer": observer, "start": 0.0, "seat": 1, "level": 1}
    client.post("/api/observe/1/codes", json=body)
    made = {path.name for path in tmp_path.rglob("*") if "lessons.sqlite" not in path.name}
    assert made <= {"lock"}
    assert len(codes_of(studio.store, lesson, False)) <= 1


def test_a_lesson_is_found_by_its_number_alone_and_takes_its_codes_along(
    client: TestClient, studio: Studio, keep_lesson: Keep
) -> None:
    lesson = keep_lesson(name="7")
    for address in ("/observe/7", "/observe/7/agreement", "/api/observe/7?observer=Anna", "/observe/9", "/observe/x"):
        assert client.get(address).status_code == 404
    say(client, client.get("/api/observe/1", params=ANNA).json(), 1)
    assert codes_of(studio.store, lesson, False)
    studio.store.delete(lesson)
    assert codes_of(studio.store, lesson, False) == []


def test_the_page_holds_its_words_and_starts_without_a_video(client: TestClient, keep_lesson: Keep) -> None:
    keep_lesson(name="<b>7b</b>")
    page = client.get("/observe/1").text
    assert "<b>7b" not in page and 'id="seats"' in page and '"live": false' in page


class Running(LiveLesson):
    """A running lesson whose clock a test sets; it watches nothing."""

    def __init__(self, studio: Studio, lesson: Lesson) -> None:
        self._now, self._at, self._lesson = 0.0, {4: (0.1, 0.2), 9: (0.9, 0.8)}, lesson
        self._ended = False
        super().__init__(studio.store, Silent(), LiveRequest(name="x", purpose=lesson.purpose, reference="EC 12/26"))  # type: ignore[arg-type]

    def _run(self) -> None:
        pass

    @property
    def over(self) -> bool:
        return self._ended

    def clock(self) -> float:
        return self._now

    def places(self) -> dict[int, tuple[float, float]]:
        return self._at

    def view(self) -> Any:
        return dataclasses.replace(
            super().view(), lesson=self._lesson.number, state="paused" if self._paused else "running"
        )


class Silent:
    """A source that gives nothing."""

    name, state, dropped = "silent", "live", 0

    def close(self) -> None:
        pass


@pytest.fixture
def running(studio: Studio, keep_lesson: Keep) -> Iterator[Running]:
    made = Running(studio, keep_lesson(state="running"))
    studio.live = made
    yield made
    made._ended = True


def test_while_a_lesson_runs_glances_go_round_the_seats_by_its_clock(client: TestClient, running: Running) -> None:
    live = {**ANNA, "live": True}
    running._now = 3.0
    first = client.get("/api/observe/1", params=live).json()
    assert (first["total"], first["now"], first["over"]) == (None, 3.0, False)
    assert (first["next"]["start"], first["next"]["seat"], first["next"]["place"]) == (
        20.0,
        4,
        "top left of the picture",
    )
    early = client.post("/api/observe/1/codes", json={**live, "start": 20.0, "seat": 4, "level": 1})
    assert early.status_code == 400
    running._now = 22.0
    running._at = {2: (0.5, 0.5), **running._at}  # who comes later does not change where somebody was sent
    for _ in range(3):  # who only looks at the state uses up no seat's turn
        assert client.get("/api/observe/1", params={**live, "ahead": False}).json()["next"] is None
    ben = client.get("/api/observe/1", params={**live, "observer": "Ben"}).json()
    assert ben["next"]["start"] == 40.0
    after = say(client, first, 1, live=True)
    assert (after["next"]["start"], after["next"]["seat"]) == (40.0, 9) == (40.0, ben["next"]["seat"])
    running._now = 44.0
    then = say(client, after, None, live=True)
    assert (then["next"]["start"], then["next"]["seat"]) == (60.0, 2)
    wrong = client.post("/api/observe/1/codes", json={**live, "start": 40.0, "seat": 2, "level": 1})
    assert wrong.status_code == 400
    running._now, running._paused = 64.0, True
    paused = client.post("/api/observe/1/codes", json={**live, "start": 60.0, "seat": 2, "level": 1})
    assert paused.status_code == 400 and "is paused" in paused.text
    running._ended = True
    over = client.get("/api/observe/1", params=live).json()
    assert (over["over"], over["next"], over["coded"], over["skipped"]) == (True, None, 1, 1)


def test_before_the_first_seat_there_is_nothing_to_look_at(client: TestClient, running: Running) -> None:
    running._at = {}
    assert client.get("/api/observe/1", params={**ANNA, "live": True}).json()["next"] is None
    running._now = math.nan
    told = client.get("/api/observe/1", params={**ANNA, "live": True, "whole": True}).json()
    assert told["now"] is None and told["next"] is None
    assert '"live": true' in client.get("/observe/1").text


def test_a_running_lesson_knows_where_its_seats_are_and_tells_only_where_it_may(
    studio: Studio, lesson: Callable[..., Lesson], observation: Callable[..., Observation]
) -> None:
    made = Running(studio, lesson())
    for number in range(3):
        seen = observation(number, float(number), [(1, "happy"), (0, None), (5, "sad")])
        made._show(Frame(np.zeros((700, 700, 3), np.uint8), float(number), number), seen, ())
    boxes = seen.tracks.boxes
    at = LiveLesson.places(made)
    assert list(at) == [1, 5]
    np.testing.assert_allclose(at[5], (boxes[2, :2] + boxes[2, 2:]) / 2 / 700, atol=1e-6)
    assert LiveLesson.clock(made) >= 2.0
    made.request = dataclasses.replace(made.request, reference=None)
    with pytest.raises(PrivacyError, match="running lesson are refused"):
        LiveLesson.places(made)
    made._ended = True
