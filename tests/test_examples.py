"""The examples run, stay short, and do what the original project's scripts of their names did."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image as Pictures

from roomread.learn.datasets import LabelledFaces

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = [
    pytest.mark.learn,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 30


def test_the_three_scripts_train_judge_and_predict(
    fer_table: pd.DataFrame,
    write_parquet: Callable[[pd.DataFrame], Path],
    labelled_faces: LabelledFaces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def example(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name))
        return capsys.readouterr().out

    data, out = write_parquet(fer_table), tmp_path / "trained"
    (tmp_path / "run.toml").write_text('model = "tiny"\nepochs = 1\nbatch_size = 7\nweights_name = "emotion_model2"\n')
    said = example("emotion_recognition_training.py", data, out, tmp_path / "run.toml")
    assert "epoch   1/1" in said
    assert "on validation, n = 14" in said
    judged = example("evaluate_model.py", out / "emotion_model2.h5", data, "PublicTest", tmp_path / "judged")
    assert "on PublicTest, n = 7" in judged
    assert (tmp_path / "judged" / "evaluation.html").is_file()
    Pictures.fromarray(labelled_faces.images[0, :, :, 0]).save(tmp_path / "face.png")
    lines = example("test_model.py", out / "emotion_model2.h5", tmp_path / "face.png").splitlines()
    assert len(lines) == 8
    assert sum(float(line.split()[1]) for line in lines[:7]) == pytest.approx(1, abs=1e-3)
    assert lines[7].startswith("engagement 0.")
