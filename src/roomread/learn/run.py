"""One run from data to shipped files."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np

from roomread.config import as_dict, read_settings
from roomread.errors import ModelError, SettingsError
from roomread.faces.expression import ExpressionModel
from roomread.learn.curves import draw_curves
from roomread.learn.datasets import TRAINING_WITHOUT_VALIDATION, LabelledFaces
from roomread.learn.evaluation import BLURS, SIZES, Evaluation, evaluate
from roomread.learn.export import data_of, divide_scores, export_onnx, find_temperature, make_card, save_keras
from roomread.learn.load import open_keras_model
from roomread.learn.quantise import quantise
from roomread.learn.train import Log, Trained, TrainSettings, Watcher, predict, train
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

    Teachers that are run files are trained first, on the same faces, each seed of each in a folder of its own.

    Args:
        settings: the run.
        faces: a data set with the split Training.
        out: folder for everything.
        watcher: see `train`; also receives a line per file.
        drop: see `train`.
        devices: see `train`.

    Raises:
        DataError, OutputError, ModelError: see `train` and `export_onnx`.
        SettingsError: see `train`; or a teacher's run file cannot be read, or names teachers itself.
    """
    watcher = Log() if watcher is None else watcher
    if drop is not None:
        drop = np.intersect1d(drop, faces.split(TRAINING_WITHOUT_VALIDATION).rows)
        watcher.say(f"{len(drop)} faces are left out of what is fitted on")
    learn = partial(train, faces=faces, watcher=watcher, drop=drop, devices=devices)
    learn = partial(learn, teachers=_teachers(settings, faces, out / "teachers", watcher, learn))
    trained: list[Trained] = []
    for each, folder in _seeds(settings, out):  # all of them before the first file: JAX trains, and writes no ONNX
        if settings.seeds > 1:
            watcher.say(f"seed {each.seed}")
        trained.append(learn(each, out=folder))
    done: list[tuple[float, int, Path, Evaluation]] = []
    for (each, folder), result in zip(_seeds(settings, out), trained, strict=True):
        path, figures = _write(each, result, faces, folder, watcher, drop)
        done.append((figures.accuracy, each.seed, path, figures))
    if settings.seeds == 1:
        return path, figures
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


def _seeds(settings: TrainSettings, out: Path) -> list[tuple[TrainSettings, Path]]:
    """Return the runs of single seeds that a run consists of, each with its folder."""
    runs = [dataclasses.replace(settings, seed=settings.seed + number, seeds=1) for number in range(settings.seeds)]
    return [(each, out if len(runs) == 1 else out / f"seed-{each.seed}") for each in runs]


def _teachers(
    settings: TrainSettings, faces: LabelledFaces, out: Path, watcher: Watcher, learn: Callable[..., Trained]
) -> list[keras.Model]:
    """Return the networks that teach, each a file's or a seed's of a run file."""
    found = {path: _teacher(path) for path in settings.teachers}  # all of them before the first is trained
    stems = [path.stem for path, teacher in found.items() if isinstance(teacher, TrainSettings)]
    if len(set(stems)) < len(stems):
        raise SettingsError(f"Two teachers share a name. Expected: run files of different names. Received: {stems}.")
    networks = []
    for path, teacher in found.items():
        if not isinstance(teacher, TrainSettings):
            networks.append(teacher)
            continue
        for each, folder in _seeds(teacher, out / path.stem):
            watcher.say(f"teacher {path.stem}, seed {each.seed}")
            trained = learn(each, out=folder)
            _temper(each, trained.network, faces, watcher)
            networks.append(trained.network)
    return networks


def _teacher(path: Path) -> TrainSettings | keras.Model:
    """Return the run of a teacher's run file, or the network of another file."""
    if path.suffix.lower() != ".toml":
        return open_keras_model(path)
    teacher = read_settings(TrainSettings, path)
    if teacher.teachers:
        raise SettingsError(f"The run {path} of a teacher has teachers itself. Expected: one that learns alone.")
    return teacher


def _temper(settings: TrainSettings, network: keras.Model, faces: LabelledFaces, watcher: Watcher) -> dict[str, object]:
    """Divide a network's scores by their temperature, if the run says so, and return what the card says of it."""
    if not settings.temperature:
        return {}
    validation = faces.split("validation")
    temperature = round(find_temperature(predict(network, validation.images), validation.labels), 4)
    divide_scores(network, temperature)
    watcher.say(f"temperature {temperature}")
    return {"found_temperature": temperature}


def _write(
    settings: TrainSettings, trained: Trained, faces: LabelledFaces, out: Path, watcher: Watcher, drop: Array | None
) -> tuple[Path, Evaluation]:
    """Write every file of one seed and judge it; return the ONNX file and the figures."""
    recipe = {**as_dict(settings), **_temper(settings, trained.network, faces, watcher)}
    if not all(np.isfinite(weights).all() for weights in trained.network.get_weights()):
        raise ModelError(
            f"The run in {out} ran away: its network holds numbers that are none. Expected: a loss that stays finite. "
            'Lower learning_rate and choose another --out; or set keep = "best", which takes the best epoch there was.'
        )
    path = out / f"{settings.name}.onnx"
    h5 = out / f"{settings.name if settings.weights_name is None else settings.weights_name}.h5"
    kerases = (path.with_suffix(".keras"), h5)
    save_keras(trained.network, *kerases)
    difference = export_onnx(trained.network, path, faces.split("validation").images[:256])
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


def _named(teacher: Path) -> tuple[str, object]:
    """Return what a teacher is called in a card, its path as given but no place here, and its hash or run."""
    digest = sha256_of(teacher)
    name = f"{teacher.name} ({digest[:12]})" if teacher.is_absolute() else teacher.as_posix()
    return name, as_dict(read_settings(TrainSettings, teacher)) if teacher.suffix.lower() == ".toml" else digest
