"""The commands that show what a data set holds and what augmentation makes of it."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pictures

from roomread.cli import data
from roomread.errors import DataError, OutputError, SettingsError
from roomread.types import EMOTIONS

pytestmark = pytest.mark.learn
Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; return what it printed."""

    def run(line: str, *more: object) -> str:
        parser = argparse.ArgumentParser()
        data.add_commands(parser.add_subparsers())
        options = parser.parse_args([*shlex.split(line), *map(str, more)])
        assert options.run(options) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def path(fer_table: pd.DataFrame, write_parquet: Callable[[pd.DataFrame], Path]) -> Path:
    fer_table.at[1, "image"] = fer_table["image"].to_list()[0]
    return write_parquet(fer_table)


def test_data_prints_a_table_of_counts_and_the_audit(run: Run, path: Path) -> None:
    lines = [line.split() for line in run("data", path).splitlines()]
    assert lines[0] == ["Training", "validation", "PublicTest", "PrivateTest", "test"]
    assert lines[1] == ["angry", "6", "2", "1", "1", "2"]
    assert ["faces", "42", "14", "7", "7", "14"] in lines
    assert next(line for line in lines if line[:1] == ["duplicate"])[1:3] == ["1", "1"]
    assert next(line for line in lines if line[:1] == ["contradiction"])[1:3] == ["2", "1"]


def test_data_writes_two_figures_and_the_audit(run: Run, path: Path, tmp_path: Path) -> None:
    printed = run("data --json", path, "--out", tmp_path / "made")
    table = json.loads(printed)
    assert [Path(name).name for name in table["files"]] == ["counts.png", "samples.png", "audit.csv"]
    assert sorted(place.name for place in (tmp_path / "made").iterdir()) == ["audit.csv", "counts.png", "samples.png"]
    assert table["faces"] == 56
    assert table["splits"]["Training"] == {"n": 42} | dict.fromkeys(EMOTIONS, 6)
    assert table["audit"]["contradiction"].items() >= {"faces": 2, "groups": 1, "Training": 2}.items()


def test_what_cannot_be_known_is_null_and_a_dash_never_0(run: Run, tmp_path: Path) -> None:
    for number, name in enumerate(("happy", "sad")):
        (tmp_path / "set" / "train" / name).mkdir(parents=True)
        picture = np.random.default_rng(number).integers(0, 256, (48, 48)).astype(np.uint8)
        Pictures.fromarray(picture).save(tmp_path / "set" / "train" / name / "a.png")
    assert json.loads(run("data --json", tmp_path / "set"))["audit"]["not a face"] is None
    printed = next(line for line in run("data", tmp_path / "set").splitlines() if line.startswith("not a face"))
    assert printed.split()[3:5] == ["–", "–"]


def test_data_reads_through_a_label_map(run: Run, path: Path, tmp_path: Path) -> None:
    lines = "\n".join(f'"{index}" = "{"happy" if index else "-"}"' for index in range(7))
    (tmp_path / "map.toml").write_text(f"[labels]\n{lines}\n")
    table = json.loads(run("data --json", path, "--labels", tmp_path / "map.toml"))
    assert (table["faces"], table["splits"]["PublicTest"]["happy"]) == (48, 6)


def test_bad_data_or_a_bad_folder_is_told_before_anything_is_written(run: Run, path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv cannot be read"):
        run("data", tmp_path / "none.csv")
    with pytest.raises(OutputError):
        run("data", path, "--out", path)


def test_augment_draws_a_face_of_the_data(run: Run, path: Path, tmp_path: Path) -> None:
    out = tmp_path / "augment.png"
    assert run("augment --row 2 --seed 3 --data", path, "-o", out) == f"{out}\n"
    with Pictures.open(out) as drawn:
        assert min(drawn.size) > 500


def test_augment_draws_a_picture(run: Run, tmp_path: Path) -> None:
    Pictures.new("RGB", (90, 90), "gray").save(tmp_path / "face.png")
    (tmp_path / "run.toml").write_text(
        "[augment]\nrotation = 0\nzoom = 0\nshift = 0\ncontrast = 0\nerase = 0\ndistant = 0\n"
    )
    out = tmp_path / "augment.png"
    printed = run("augment --whole", tmp_path / "face.png", "--settings", tmp_path / "run.toml", "-o", out)
    assert printed == f"{out}\n"
    assert out.is_file()


def test_augment_refuses_what_is_no_figure_or_no_seed(run: Run, tmp_path: Path) -> None:
    for name in ("augment.jpg", "v1.2", "face"):
        with pytest.raises(SettingsError, match="is no figure"):
            run("augment --whole", tmp_path / "face.png", "-o", tmp_path / name)
    with pytest.raises(SettingsError, match="--seed must lie in 0"):
        run("augment --seed -1 --whole", tmp_path / "face.png")
    Pictures.new("RGB", (90, 90), "gray").save(tmp_path / "face.png")
    for name in ("augment.SVG", "augment.pdf"):
        run("augment --whole", tmp_path / "face.png", "-o", tmp_path / name)
        assert (tmp_path / name).stat().st_size


@pytest.mark.parametrize(
    ("text", "message"),
    [("[augment]\nspin = 3", "unknown setting 'spin'"), ("augment = 3", "is a table"), ("a = [" * 9999, "no.* TOML")],
    ids=["setting", "no table", "no end"],
)
def test_a_wrong_run_of_augment_is_refused(run: Run, tmp_path: Path, text: str, message: str) -> None:
    Pictures.new("RGB", (90, 90), "gray").save(tmp_path / "face.png")
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(SettingsError, match=rf"run\.toml.*{message}"):
        run("augment --whole", tmp_path / "face.png", "--settings", tmp_path / "run.toml")


@pytest.mark.parametrize("line", ["augment", "augment a.png --data b.csv"])
def test_augment_draws_either_a_picture_or_a_face_of_the_data(run: Run, line: str) -> None:
    with pytest.raises(SettingsError, match="Expected: either PICTURE or --data PATH"):
        run(line)
