"""One run from data to shipped files, and its run files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.config import read_settings
from roomread.errors import ModelError, OutputError, RoomreadError
from roomread.learn.curves import draw_curves
from roomread.learn.datasets import LabelledFaces
from roomread.learn.load import open_model
from roomread.learn.run import run
from roomread.learn.train import TrainSettings, Watcher
from roomread.modelcard import read_card, sha256_of

RUNS = Path(__file__).parents[2] / "runs"

pytestmark = [
    pytest.mark.learn,
    pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]


class Lines(Watcher):
    """Keeps the lines of a run."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_teachers_of_one_name_are_all_in_the_card_and_none_says_where_it_lay(
    labelled_faces: LabelledFaces, teacher: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = teacher(name="one/expression.keras"), teacher(name="two/expression.keras")
    settings = TrainSettings(
        name="try", model="tiny", epochs=1, batch_size=14, teachers=(one.relative_to(tmp_path), two), teacher_share=0.5
    )
    path, _ = run(settings, labelled_faces, tmp_path / "out")
    card = read_card(path, "expression")
    other = sha256_of(two)
    named = {"one/expression.keras": sha256_of(one), f"expression.keras ({other[:12]})": other}
    assert card.recipe["teachers"] == named
    assert str(tmp_path) not in path.with_suffix(".json").read_text(encoding="utf-8")


def test_a_teacher_that_is_a_run_file_is_trained_first_and_goes_on_where_it_was(
    labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    recipe = tmp_path / "large.toml"
    recipe.write_text("model = 'tiny'\nepochs = 2\nbatch_size = 14\nseed = 3\nseeds = 2\ntemperature = true\n")
    settings = TrainSettings(
        name="try", model="tiny", epochs=1, batch_size=14, seeds=2, teachers=(recipe,), teacher_share=0.5
    )
    lines: list[str] = []
    path, _ = run(settings, labelled_faces, tmp_path / "out", Lines(lines))
    told = [line for line in lines if line.startswith(("teacher", "seed", "epoch", "temperature"))]
    once = [line.split()[0] for line in told]
    assert once == [*["teacher", "epoch", "epoch", "temperature"] * 2, *["seed", "epoch"] * 2]
    assert [told[0], told[4]] == ["teacher large, seed 3", "teacher large, seed 4"]
    teaching = {folder.name for folder in (tmp_path / "out" / "teachers" / "large").iterdir()}
    assert teaching == {"seed-3", "seed-4"}
    (named,) = read_card(path, "expression").recipe["teachers"].values()
    assert (named["epochs"], named["seed"], named["seeds"]) == (2, 3, 2)
    lines.clear()
    run(settings, labelled_faces, tmp_path / "out", Lines(lines))
    assert not [line for line in lines if line.startswith("epoch")]
    recipe.write_text(recipe.read_text().replace("seed = 3", "seed = 5"))
    with pytest.raises(OutputError, match="holds a run with other teachers"):
        run(settings, labelled_faces, tmp_path / "out", Lines(lines))


def test_teachers_are_looked_at_before_the_first_is_trained(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "large.toml").write_text("model = 'tiny'\n")
    one, two = (tmp_path / name / "large.toml" for name in ("a", "b"))

    def refused(other: Path, message: str) -> None:
        lines: list[str] = []
        settings = TrainSettings(model="tiny", teachers=(one, other), teacher_share=0.5)
        with pytest.raises(RoomreadError, match=message):
            run(settings, labelled_faces, tmp_path / "out", Lines(lines))
        assert lines == []

    refused(two, "Two teachers share a name")
    refused(tmp_path / "none.keras", "none.keras")
    two.write_text("teachers = ['a.keras']\nteacher_share = 0.5\n")
    refused(two, "has teachers itself")


def test_a_network_that_ran_away_is_told_and_leaves_no_file(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    settings = TrainSettings(name="try", model="tiny", epochs=1, batch_size=14, learning_rate=1e30)
    with pytest.raises(ModelError, match=r"ran away.*Lower learning_rate"):
        run(settings, labelled_faces, tmp_path / "out")
    assert not list((tmp_path / "out").glob("try*"))


def test_a_run_leaves_every_form_of_the_model_and_all_answer_alike(
    labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    settings = TrainSettings(
        name="try", weights_name="emotion_model2", model="tiny", epochs=1, batch_size=14, temperature=True
    )
    lines: list[str] = []
    drop = np.append(labelled_faces.rows[:3], labelled_faces.split("PublicTest").rows)  # none of these is fitted on
    path, figures = run(settings, labelled_faces, tmp_path, Lines(lines), drop)
    assert lines[0] == "3 faces are left out of what is fitted on"
    assert path == tmp_path / "try.onnx"
    assert (figures.split, figures.n) == ("validation", 14)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "best.npz", "emotion_model2.h5", "emotion_model2.json", "history.csv", "last.npz", "try-curves.png",
        "try-int8.json", "try-int8.onnx", "try.json", "try.keras", "try.onnx",
    ]  # fmt: skip
    expected = open_model(path).predict_faces(labelled_faces.images)
    assert np.ptp(expected, axis=0).max() > 0
    for name in ("try.keras", "emotion_model2.h5"):
        assert_allclose(open_model(tmp_path / name).predict_faces(labelled_faces.images), expected, atol=1e-4)
    rounded = open_model(tmp_path / "try-int8.onnx").predict_faces(labelled_faces.images)
    assert 0 < np.abs(rounded - expected).max() < 0.1
    card = json.loads((tmp_path / "try-int8.json").read_text(encoding="utf-8"))
    assert card["name"].endswith(", int8")
    assert (card["figures"][0]["split"], card["figures"][0]["n"]) == ("validation", 14)
    card = json.loads((tmp_path / "emotion_model2.json").read_text(encoding="utf-8"))
    assert card["recipe"]["dropped_rows"] == 3 and 0.2 <= card["recipe"]["found_temperature"] <= 5
    assert card["figures"][0]["n"] == 14


def test_of_several_seeds_the_median_is_the_result(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    settings = TrainSettings(name="try", model="tiny", epochs=1, batch_size=14, learning_rate=0.5, seed=4, seeds=3)
    path, figures = run(settings, labelled_faces, tmp_path)
    assert path == tmp_path / "try.onnx"
    card = read_card(path, "expression")
    assert set(card.recipe["validation_of_seeds"]) == {"seed 4", "seed 5", "seed 6"}
    assert round(figures.accuracy, 5) == sorted(card.recipe["validation_of_seeds"].values())[1]
    assert card.figures[0]["accuracy"] == round(figures.accuracy, 5)
    assert {part["faces"] for part in card.figures[0]["parts"]["size"]} >= {"shrunk to 24 px"}
    assert (card.recipe["seed"], card.recipe["seeds"]) == (4, 3)
    chosen = tmp_path / f"seed-{card.recipe['median_seed']}"
    names = {file.name for file in tmp_path.iterdir() if file.is_file()}
    assert names == {file.name for file in chosen.iterdir()} - {"best.npz", "last.npz", "history.csv"}
    assert (chosen / "try-int8.onnx").read_bytes() == (tmp_path / "try-int8.onnx").read_bytes()
    assert read_card(tmp_path / "try-int8.onnx", "expression").recipe["validation_of_seeds"]


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_run_file_is_read(path: Path) -> None:
    assert read_settings(TrainSettings, path).name


def test_the_baselines_are_trained_as_the_original_was() -> None:
    script, readme = (read_settings(TrainSettings, RUNS / f"baseline-{kind}.toml") for kind in ("script", "readme"))
    for settings in (script, readme):
        assert settings.model == "baseline"
        assert settings.weights_name == "emotion_model2"
        assert (settings.optimizer, settings.learning_rate, settings.schedule) == ("adam", 1e-4, "constant")
        assert (settings.epochs, settings.batch_size, settings.weight_decay) == (25, 256, 0)
        assert (settings.ferplus_share, settings.keep, settings.stop_patience) == (0, "last", 0)
    assert not script.augmentation
    assert readme.augmentation
    assert readme.augment.flip and readme.augment.zoom and readme.augment.shift and readme.augment.rotation
    assert not (readme.augment.erase or readme.augment.distant or readme.augment.contrast or readme.augment.brightness)


@pytest.mark.parametrize("n", [1, 2, 25])
def test_curves_are_drawn_of_any_number_of_epochs(tmp_path: Path, n: int) -> None:
    names = ("loss", "accuracy", "penalty", "validation_loss", "validation_accuracy")
    history = [{"epoch": float(epoch + 1)} | dict.fromkeys(names, 1 / (epoch + 1)) for epoch in range(n)]
    assert draw_curves(history, n, "try", tmp_path / "curves.png").stat().st_size > 5000
