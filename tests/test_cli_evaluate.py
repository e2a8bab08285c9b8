"""The command `roomread evaluate`, on made-up faces."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image as Pictures

from roomread.cli import evaluate
from roomread.errors import DataError, ModelError
from roomread.learn import readers
from roomread.learn.datasets import LabelledFaces
from roomread.modelcard import PUBLISHED
from roomread.types import EMOTIONS


@pytest.fixture
def data(fer_table: pd.DataFrame, write_parquet: Callable[[pd.DataFrame], Path]) -> Path:
    return write_parquet(fer_table)


def parse(line: str, *more: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evaluate.add_commands(parser.add_subparsers())
    return parser.parse_args(["evaluate", *shlex.split(line), *map(str, more)])


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A function that runs the command on the made-up faces; returns exit code, what it printed, what it said."""

    def evaluated(line: str, *more: Any) -> tuple[int, str, str]:
        options = parse(f"--data {shlex.quote(str(data))} {line}", *more)
        code = options.run(options)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return evaluated


def test_one_model_is_told_as_text_with_split_and_n(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("--model published --split PublicTest")
    assert code == 0
    assert " on PublicTest, n = 7\naccuracy 0." in out
    assert "weighted avg" in out


def test_the_json_of_one_model_is_that_of_the_report(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    _, out, _ = run("--model published --split validation --json --out", tmp_path)
    told = json.loads(out)
    assert told == json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert (told["split"]["name"], told["split"]["n"]) == ("validation", 14)
    assert set(told["models"][0]) >= {"accuracy", "macro_f1", "roc"}


def test_several_models_stand_side_by_side_in_text_json_and_page(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    models = "--model published --model published --split validation"
    _, out, _ = run(models)
    assert "2 models on validation, all faces" in out
    _, out, said = run(models, "--json", "--out", tmp_path)
    assert [model["n"] for model in json.loads(out)["models"]] == [14, 14]
    assert said == f"{tmp_path / 'evaluation.html'}\n"
    assert {path.name for path in tmp_path.iterdir()} >= {"evaluation.html", "evaluation.json"}


def test_another_validation_of_fer2013_than_our_own_is_told(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(EMOTIONS):
        (tmp_path / "train" / name).mkdir(parents=True)
        for gray in range(10):
            Pictures.new("L", (48, 48), 20 * gray + number).save(tmp_path / "train" / name / f"{gray}.png")
    asked = ("--model published --split validation --data", tmp_path)
    assert run(*asked)[2] == ""
    monkeypatch.setattr(readers, "FER2013_TRAINING", 70)
    assert "the published model was fitted on most of it" in run(*asked)[2]
    assert run("--model published --split Training --data", tmp_path)[2] == ""


def test_the_order_of_classes_that_is_said_is_of_models_without_a_card(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    bare = tmp_path / "theirs.onnx"
    shutil.copy(PUBLISHED, bare)
    _, out, _ = run("--split validation --json --classes folder --model published --model", bare)
    ours, theirs = json.loads(out)["models"]
    assert ours["confusion"] != theirs["confusion"]  # as the order is another one
    with pytest.raises(ModelError, match="says another order"):
        run("--split validation --classes folder --model published")


def test_views_sizes_blur_and_rows_to_drop_are_told(
    run: Callable[..., tuple[int, str, str]], labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    table = tmp_path / "audit.csv"
    table.write_text(f"row,finding\n{labelled_faces.split('validation').rows[0]},blank\n", encoding="utf-8")
    out = tmp_path / "judged"
    _, text, _ = run("--model published --split validation --views flip --sizes --blur --drop", table, "--out", out)
    assert ", 2 views on validation, n = 14" in text
    for told in ("without the rows to drop (1)", "shrunk to 16 px", "shrunk to 32 px", "blurred by 0.5 px"):
        assert told in text
    assert text.endswith(f"{out / 'evaluation.html'}\n")
    assert json.loads((out / "evaluation.json").read_text(encoding="utf-8"))["models"][0]["parts"]


def test_what_is_not_there_is_named(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.onnx"):
        run("--split validation --model", tmp_path / "nothing.onnx")
    with pytest.raises(DataError, match="'dev'"):
        run("--model published --split dev")
    with pytest.raises(DataError, match=r"none\.csv"):
        run("--model published --split validation --drop", tmp_path / "none.csv")


@pytest.mark.parametrize("line", ["--split validation", "--model published --split x --views five"])
def test_wrong_use_exits_with_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(line, "--data", "x")
    assert left.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_no_optional_package_is_needed() -> None:
    code = (
        "import sys; from roomread.cli import evaluate; from roomread.learn import evaluation, evaluation_report; "
        "print({'sklearn', 'scipy', 'keras', 'tensorflow', 'matplotlib', 'imagehash'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
