"""The command `roomread watch`, on a short video played as if live."""

import json
import re

import numpy as np
import pytest

from roomread.app.panel import find_mapping
from roomread.cli.main import main
from roomread.review.calibration import FORM, WORDS
from roomread.watch import cameras, live
from roomread.watch.live import open_live
from roomread.watch.livesource import LiveSettings
from roomread.watch.push import PushSource


@pytest.fixture
def clip(tmp_path, write_video):
    return write_video(tmp_path / "room.mp4", [np.full((90, 160, 3), 120, np.uint8)] * 8, 10)


def test_a_video_is_watched_line_by_line(clip, capsys):
    assert main(["watch", str(clip), "--purpose", "research", "--every", "0.2"]) == 0
    printed = capsys.readouterr()
    assert re.fullmatch(r"0:0\d  no face found", printed.out.splitlines()[0])  # a busy machine begins late
    assert "Only at least 5 seats together are shown" in printed.err
    assert "0.5 is a coin" in printed.err


def test_watching_ends_after_so_long_although_no_picture_comes_any_more(capsys, monkeypatch):
    silent = PushSource("camera", LiveSettings())
    silent.push(np.full((90, 160, 3), 120, np.uint8), 1000.0)
    monkeypatch.setattr(live, "open_live", lambda *_: silent)
    assert main(["watch", "camera", "--purpose", "research", "--seconds", "1.5"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_lines_for_machines_tell_what_is_not_known(clip, capsys):
    assert main(["watch", str(clip), "--purpose", "research", "--json", "--seconds", "0.3"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["status"], first["engagement"], first["emotions"], first["fps"]) == ("no face", None, None, None)


def test_the_threads_are_those_of_the_decoder_too(clip, monkeypatch):
    asked = []

    def opened(source, settings):
        asked.append(settings)
        return open_live(source, settings)

    monkeypatch.setattr(live, "open_live", opened)
    main(["watch", str(clip), "--purpose", "research", "--threads", "3"])
    assert asked[0].threads == 3


def test_without_a_source_the_cameras_are_listed(capsys, monkeypatch):
    monkeypatch.setattr(cameras, "list_cameras", list)
    assert main(["watch"]) == 0
    assert capsys.readouterr().err == "No camera is attached.\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["nowhere.mp4", "--purpose", "research"], "cannot be watched"),
        (["nowhere.mp4"], "A purpose is needed"),
        (["nowhere.mp4", "--purpose", "research", "--every", "0"], "every must be above 0"),
        (["nowhere.mp4", "--purpose", "research", "--window", "inf"], "window must be above 0, and have an end"),
    ],
)
def test_what_cannot_be_watched_is_said(capsys, line, words):
    assert main(["watch", *line]) == 1
    assert words in capsys.readouterr().err


def test_a_mapping_that_was_refitted_is_named_by_its_file(clip, capsys, tmp_path):
    figure = {"value": 0.5, "low": None, "high": None}
    found = {
        "form": FORM, "mapping": "sharma", "formula": find_mapping("sharma").formula, "levels": 2, "cuts": [0.5],
        "curve": {"knots": [0.0, 1.0], "values": [0.0, 1.0]}, "date": "2026-11-22", "settings": {"folds": 5},
        "figures": {when: {name: figure for name, _ in WORDS} for when in ("before", "after")},
        "n": {"glances": 9, "seats": 3, "lessons": 1, "observers": 1},
    }  # fmt: skip
    (tmp_path / "7b.json").write_text(json.dumps(found), encoding="utf-8")
    assert main(["watch", str(clip), "--purpose", "research", "--mapping", str(tmp_path / "7b.json")]) == 0
    assert "engagement by sharma, refitted (7b). Refitted to 9 glances" in capsys.readouterr().err
