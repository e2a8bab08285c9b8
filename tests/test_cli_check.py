"""The command `roomread check`."""

import json

import pytest
from PIL import Image as Pictures

from roomread.cli.main import main


@pytest.fixture
def picture(tmp_path):
    data = pytest.importorskip("skimage.data")
    Pictures.fromarray(data.astronaut()).save(tmp_path / "portrait.png")
    return tmp_path / "portrait.png"


def test_a_single_picture_is_a_room_too(picture, capsys):
    assert main(["check", str(picture)]) == 0
    assert "back 2 " in capsys.readouterr().out


def test_a_video_is_told_zone_by_zone_in_words_picture_and_json(picture, tmp_path, write_video, capsys):
    import numpy as np

    clip = write_video(tmp_path / "clip.mp4", [np.asarray(Pictures.open(picture))] * 20, 10)
    assert main(["check", str(clip), "--out", str(tmp_path / "check.png")]) == 0
    out = capsys.readouterr().out
    assert "back 2 " in out
    assert "expression, head pose, eyes" in out
    assert (tmp_path / "check.png").is_file()
    assert main(["check", str(clip), "--json"]) == 0
    (zone,) = json.loads(capsys.readouterr().out)["zones"]
    assert zone["measures"] == ["expression", "head pose", "eyes"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["nowhere.mp4"], "cannot be watched"),
        (["nowhere.mp4", "--out", "a.svg"], "is no picture"),
        (["nowhere.mp4", "--seconds", "0"], "must be above 0"),
    ],
)
def test_what_cannot_be_checked_is_said(capsys, line, words):
    assert main(["check", *line]) == 1
    assert words in capsys.readouterr().err
