"""The command `roomread predict`, with the published model."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.cli import predict
from roomread.errors import SettingsError


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A function that runs the command; returns exit code, what it printed, and what it said beside."""

    def call(line: str, *more: Any) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        predict.add_commands(parser.add_subparsers())
        options = parser.parse_args(["predict", *shlex.split(line), *map(str, more)])
        code = options.run(options)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """The public-domain photograph that the demo is made of."""
    data = pytest.importorskip("skimage.data")
    Pictures.fromarray(data.astronaut()).save(tmp_path / "portrait.png")
    return tmp_path / "portrait.png"


def test_a_portrait_is_read_in_words_with_the_formula_and_its_worth(
    run: Callable[..., tuple[int, str, str]], portrait: Path
) -> None:
    code, out, _ = run("", portrait)
    assert code == 0
    assert out.startswith("portrait.png: 1 face\n  1  ")
    assert re.search(r" happy >?9\d%  ", out)
    assert " engagement 0." in out
    assert "engagement by glance" in out
    assert "     levels that hold the truth nine times in ten: " in out
    assert " of 0 to 2 (WACV 2016), " in out and " of 0 to 3 (DAiSEE)\n" in out
    assert "0.5 is a coin." in " ".join(out.split())


def test_figures_are_drawn_and_every_expression_stands_in_the_json(
    run: Callable[..., tuple[int, str, str]], portrait: Path, tmp_path: Path
) -> None:
    _, out, _ = run("--json --gradcam --out", tmp_path / "drawn", portrait, portrait)
    told = json.loads(out)
    files = [Path(file).name for picture in told["pictures"] for file in picture["files"]]
    assert files == [
        "portrait-predicted.png", "portrait-gradcam.png", "portrait-2-predicted.png", "portrait-2-gradcam.png",
    ]  # fmt: skip
    assert all((tmp_path / "drawn" / file).stat().st_size > 10_000 for file in files)
    (face,) = told["pictures"][0]["faces"]
    assert sum(face["emotions"].values()) == pytest.approx(1, abs=1e-3)
    assert max(face["emotions"], key=face["emotions"].get) == "happy"
    assert set(face["levels"]) == {"WACV 2016", "DAiSEE"} and all(face["levels"].values())
    assert told["mapping"]["validity_is_of_this_model"] is True


def test_a_picture_without_a_face_is_an_answer_and_one_that_is_broken_an_error(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    Pictures.fromarray(np.full((80, 80, 3), 127, np.uint8)).save(tmp_path / "gray.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    code, out, err = run("", tmp_path / "broken.png", tmp_path / "gray.png")
    assert code == 1
    assert "gray.png: no face found." in out
    assert "broken.png cannot be read" in err
    assert run("", tmp_path / "gray.png")[0] == 0
    code, out, _ = run("--whole", tmp_path / "gray.png")
    assert "80 x 80 px at 0, 0" in out


def test_single_faces_of_a_group_are_shown_for_research_with_a_reference_only(
    run: Callable[..., tuple[int, str, str]], portrait: Path, tmp_path: Path
) -> None:
    both = np.concatenate([np.asarray(Pictures.open(portrait))] * 2, axis=1)
    Pictures.fromarray(both).save(tmp_path / "group.png")
    out = run("--out", tmp_path, tmp_path / "group.png")[1]
    assert "group.png: 2 faces" in out
    assert "happy >" not in out
    assert "--purpose research --reference TEXT" in out
    shown = run("--purpose research --reference R1", tmp_path / "group.png")[1]
    assert len(re.findall(r"happy >?9\d%", shown)) == 2


def test_gradcam_needs_a_folder(run: Callable[..., tuple[int, str, str]], portrait: Path) -> None:
    with pytest.raises(SettingsError, match="--out DIR"):
        run("--gradcam", portrait)
