"""What `roomread batch` prints, and how it ends."""

import contextlib
import json
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from roomread.cli.main import main
from roomread.errors import SourceError
from roomread.store.lessons import LessonStore


class Pool:
    """Works at once, here."""

    workers = 1

    def submit(self, work, /, *given):
        future = Future[Any]()
        try:
            future.set_result(work(*given))
        except SourceError as error:
            future.set_exception(error)
        return future


@pytest.fixture
def folder(tmp_path, write_video, monkeypatch):
    """Two short films and a file that is none; no process is started to look at them."""
    monkeypatch.setattr("roomread.app.batch.working", lambda how: contextlib.nullcontext(Pool()))
    for number in range(2):
        write_video(tmp_path / "films" / f"{number}.mp4", [np.full((48, 64, 3), 90 * number, np.uint8)] * 10, 10)
    (tmp_path / "films" / "torn.mp4").write_bytes(b"no video" * 99)
    return tmp_path


@pytest.fixture(autouse=True)
def films(tmp_path):
    (tmp_path / "films").mkdir()


def run(folder, *more):
    return main(["batch", f"{folder}/films", "--purpose", "research", "--db", f"{folder}/b.sqlite", *more])


def test_a_table_says_what_became_of_each_and_what_failed_and_why(folder, capsys):
    assert run(folder) == 1
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()[1:4]] == [
        ["–", "failed"],
        ["1", "complete"],
        ["2", "complete"],
    ]
    assert "torn.mp4 cannot be opened as a video" in out
    assert "2 s of video in" in out
    assert "Before you use it on people" in err and "\r" not in err


def test_the_same_command_goes_on_and_does_nothing_twice(folder, capsys):
    run(folder)
    (folder / "films" / "torn.mp4").unlink()
    assert run(folder) == 0
    assert capsys.readouterr().out.count("known") == 2
    assert len(LessonStore(folder / "b.sqlite").lessons()) == 2


def test_json_is_one_object(folder, capsys):
    run(folder, "--json", "--course", "Physics")
    told = json.loads(capsys.readouterr().out)
    assert [one["state"] for one in told["recordings"]] == ["failed", "complete", "complete"]
    assert told["recordings"][1]["course"] == "Physics" and told["video_s"] == pytest.approx(2.0)


def test_ctrl_c_ends_it_orderly(folder, capsys, monkeypatch):
    def stop(self, work, /, *given):
        raise KeyboardInterrupt

    monkeypatch.setattr(Pool, "submit", stop)
    assert run(folder) == 130
    assert "The same command goes on from there" in capsys.readouterr().err


def test_one_thread_for_each_worker_unless_said_otherwise(folder, capsys):
    run(folder)
    assert LessonStore(folder / "b.sqlite").find("last").made_with["settings"]["threads"] == 1


@pytest.mark.parametrize("option", ["--workers=0", "--piece=0"])
def test_a_value_that_does_not_fit_is_told(folder, capsys, option):
    assert run(folder, option) == 1
    assert "Received: 0" in capsys.readouterr().err


def test_nothing_to_look_at_is_told(folder, capsys):
    assert main(["batch", f"{folder}/none*.mp4", "--purpose", "research", "--db", f"{folder}/b.sqlite"]) == 1
    assert "There is no recording at" in capsys.readouterr().err
