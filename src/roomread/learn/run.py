"""One run from data to shipped files."""

from __future__ import annotations

import dataclasses
import shutil
from functools import partial
from pathlib import Path

import numpy as np

from roomread.config import as_dict
from roomread.faces.expression import ExpressionModel
from roomread.learn.curves import draw_curves
from roomread.learn.datasets import TRAINING_WITHOUT_VALIDATION, LabelledFaces
from roomread.learn.evaluation import BLURS, SIZES, Evaluation, evaluate
from roomread.learn.export import data_of, divide_scores, export_onnx, find_temperature, make_card, save_keras
from roomread.learn.quantise import quantise
from roomread.learn.train import Log, TrainSettings, Watcher, predict, train
from roomread.modelcard import read_card, sha256_of, write_card
from roomread.output import write_whole
from roomread.types import Array


def run(
    settings: TrainSettings,
    faces: LabelledFaces,
    out: Path,
    watcher: Watcher | None = None,
    drop: Array | None = None,
    devices: int | None = None,
) -> tuple[Path, Evaluation]:
    """Train, save and judge on `validation`; return the ONNX file, its card beside it, and the figures.

    The folder then also holds the network as .keras and as .h5, as ONNX in eight bits, and the curves of the run. The
    card names these files with their hashes; an .h5 of another name and the eight bits have cards of their own.

    Of several seeds each has a folder of its own, and the files of the median, the lower one of an even number, are the
    result: the best of several would promise more than the recipe holds.

    Args:
        settings: the run.
        faces: a data set with the split Training.
        out: folder for everything.
        watcher: see `train`; also receives a line per file.
        drop: see `train`.
        devices: see `train`.

    Raises:
        DataError, OutputError, ModelError, SettingsError: see `train` and `export_onnx`.
    """
    watcher = Log() if watcher is None else watcher
    if drop is not None:
        drop = np.intersect1d(drop, faces.split(TRAINING_WITHOUT_VALIDATION).rows)
        watcher.say(f"{len(drop)} faces are left out of what is fitted on")
    if settings.seeds == 1:
        return _run_seed(settings, faces, out, watcher, drop, devices)
    alone = {
        seed: dataclasses.replace(settings, seed=seed, seeds=1)
        for seed in range(settings.seed, settings.seed + settings.seeds)
    }
    for seed, each in alone.items():  # all of them before the first file: JAX trains, and cannot write ONNX
        watcher.say(f"seed {seed}")
        train(each, faces, out / f"seed-{seed}", watcher, drop, devices)
    done: list[tuple[float, int, Path, Evaluation]] = []
    for seed, each in alone.items():
        path, figures = _run_seed(each, faces, out / f"seed-{seed}", watcher, drop, devices)
        done.append((figures.accuracy, seed, path, figures))
    accuracies = {f"seed {seed}": round(accuracy, 5) for accuracy, seed, *_ in done}
    _, seed, path, figures = sorted(done, key=lambda one: one[:2])[(len(done) - 1) // 2]
    watcher.say(f"validation: {accuracies}; seed {seed} is the median")
    recipe = {"seed": settings.seed, "seeds": settings.seeds, "median_seed": seed, "validation_of_seeds": accuracies}
    return _copy(path, out, recipe), figures


def _copy(path: Path, out: Path, recipe: dict[str, object]) -> Path:
    """Copy the files of one seed and say in its cards what the whole run was; return the ONNX file's copy."""
    files = [file for file in path.parent.iterdir() if file.suffix in (".onnx", ".keras", ".h5", ".png")]
    write_whole({out / file.name: partial(shutil.copyfile, file) for file in files})
    for text in path.parent.glob("*.json"):
        model = next(file for file in map(text.with_suffix, (".onnx", ".h5")) if file.exists())
        card = read_card(model, "expression")
        write_card(dataclasses.replace(card, recipe={**card.recipe, **recipe}), out / model.name)
    return out / path.name


def _run_seed(
    settings: TrainSettings, faces: LabelledFaces, out: Path, watcher: Watcher, drop: Array | None, devices: int | None
) -> tuple[Path, Evaluation]:
    """Do what `run` says, with one seed."""
    trained = train(settings, faces, out, watcher, drop, devices)
    recipe = as_dict(settings)
    validation = faces.split("validation")
    if settings.temperature:
        answers = predict(trained.network, validation.images)
        recipe["found_temperature"] = round(find_temperature(answers, validation.labels), 4)
        divide_scores(trained.network, recipe["found_temperature"])
        watcher.say(f"temperature {recipe['found_temperature']}")
    path = out / f"{settings.name}.onnx"
    h5 = out / f"{settings.name if settings.weights_name is None else settings.weights_name}.h5"
    kerases = (path.with_suffix(".keras"), h5)
    save_keras(trained.network, *kerases)
    difference = export_onnx(trained.network, path, validation.images[:256])
    watcher.say(f"{path}: within {difference:.1g} of the trained network")
    draw_curves(trained.history, trained.best, settings.name, out / f"{settings.name}-curves.png")
    recipe["files"] = {file.name: sha256_of(file) for file in kerases}
    if settings.teachers:
        recipe["teachers"] = dict(map(_named, settings.teachers))
    if drop is not None:
        recipe["dropped_rows"] = len(drop)
    card = partial(make_card, network=trained.network, data=data_of(settings, faces), recipe=recipe)
    card(path)
    figures = evaluate(ExpressionModel(path=path), faces, "validation", sizes=SIZES, blurs=BLURS)
    for model in {file.stem: file for file in (h5, path)}.values():
        card(model, figures=(figures.as_dict(),))
    small, rounded = quantise(path, faces, settings.seed)
    watcher.say(f"{small}: accuracy {rounded.accuracy:.4f} on validation, {figures.accuracy:.4f} before rounding")
    return path, figures


def _named(teacher: Path) -> tuple[str, str]:
    """Return what a teacher is called in a card, its path as given but no place on this machine, and its hash."""
    digest = sha256_of(teacher)
    return f"{teacher.name} ({digest[:12]})" if teacher.is_absolute() else teacher.as_posix(), digest
