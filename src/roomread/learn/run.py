"""One run from data to shipped files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roomread.config import as_dict
from roomread.faces.expression import ExpressionModel
from roomread.learn.curves import draw_curves
from roomread.learn.datasets import LabelledFaces
from roomread.learn.evaluate import Evaluation, evaluate
from roomread.learn.export import export_onnx, make_card, save_keras
from roomread.learn.quantise import quantise
from roomread.learn.temperature import divide_scores, find_temperature
from roomread.learn.train import Log, TrainSettings, Watcher, train
from roomread.modelcard import sha256_of
from roomread.types import Array


def run(
    settings: TrainSettings,
    faces: LabelledFaces,
    out: Path,
    watcher: Watcher | None = None,
    drop: Array | None = None,
) -> tuple[Path, Evaluation]:
    """Train, save and judge on `validation`; return the ONNX file, its card beside it, and the figures.

    The folder then also holds the network as .keras and as .h5, as ONNX in eight bits, and the curves of the run. The
    card names these files with their hashes; an .h5 of another name and the eight bits have cards of their own.

    Args:
        settings: the run.
        faces: a data set with the split Training.
        out: folder for everything.
        watcher: see `train`; also receives a line per file.
        drop: see `train`.

    Raises:
        DataError, OutputError, ModelError: see `train` and `export_onnx`.
    """
    watcher = Log() if watcher is None else watcher
    trained = train(settings, faces, out, watcher, drop)
    recipe = as_dict(settings)
    validation = faces.split("validation")
    if settings.temperature:
        answers = trained.network.predict(validation.images.astype(np.float32), batch_size=256, verbose=0)
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
    if drop is not None:
        recipe["dropped_rows"] = len(drop)
    make_card(path, trained.network, recipe, [])
    figures = evaluate(ExpressionModel(path=path), faces, "validation")
    make_card(path, trained.network, recipe, [figures.as_dict()])
    if h5.stem != path.stem:
        make_card(h5, trained.network, recipe, [figures.as_dict()])
    small, rounded = quantise(path, faces, settings.seed)
    watcher.say(f"{small}: accuracy {rounded.accuracy:.4f} on validation, {figures.accuracy:.4f} before rounding")
    return path, figures
