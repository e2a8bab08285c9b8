"""Training, files and export on the other backends of Keras; `make test-backends` runs these, plain pytest does not.

Keras chooses its backend when it is imported. So pytest stays on TensorFlow, and what is to be held against it runs in
a process of its own: this file, called with the name of one of its functions and a folder.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.errors import ModelError, SettingsError
from roomread.faces.expression import ExpressionModel
from roomread.learn.augment import Augment, AugmentSettings
from roomread.learn.datasets import LabelledFaces
from roomread.learn.devices import spread
from roomread.learn.load import open_model
from roomread.learn.model import MODELS
from roomread.learn.run import run
from roomread.learn.schedule import Epoch
from roomread.learn.train import TrainSettings, Watcher, _Run, train
from roomread.modelcard import read_card
from roomread.types import Array

pytestmark = [
    pytest.mark.parametrize(
        "backend", [pytest.param(one, marks=getattr(pytest.mark, one)) for one in ("jax", "torch")]
    ),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

ADAM = TrainSettings(
    name="try", model="tiny", epochs=2, batch_size=7, optimizer="adam", learning_rate=0.01, schedule="plateau",
    warmup_epochs=0.5, plateau_patience=1, ema_decay=0.9, label_smoothing=0.1, mixup=0.2, class_weights="balanced",
    keep="best", tensorboard=True,
)  # fmt: skip
SGD = TrainSettings(name="try", model="tiny", epochs=2, batch_size=8, learning_rate=0.05, warmup_epochs=0.5)
PLAIN: dict[str, Any] = {
    "augmentation": False,
    "weight_decay": 5e-3,
}  # nothing drawn by Keras, so that every backend does the same

OFF: dict[str, Any] = {
    "flip": False, "rotation": 0.0, "zoom": 0.0, "shift": 0.0, "contrast": 0.0, "brightness": 0.0, "erase": 0.0,
    "distant": 0.0, "blur": 0.0,
}  # fmt: skip
STRONG: dict[str, Any] = {
    "flip": True, "rotation": 30.0, "zoom": 0.3, "shift": 0.3, "contrast": 0.5, "brightness": 60.0, "erase": 0.5,
    "distant": 0.9, "blur": 3.0,
}  # fmt: skip


def elsewhere(backend: str, task: Callable[..., Any], folder: Path, *given: Any) -> Any:
    """Return what a function of this file returns on another backend.

    It has one thread, because PyTorch's wait for each other in a busy loop, many times longer on a machine at work.
    """
    (folder / "given.pickle").write_bytes(pickle.dumps(given))
    done = subprocess.run(
        [sys.executable, __file__, task.__name__, str(folder)],
        env={**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return pickle.loads((folder / "answer.pickle").read_bytes())


def main(task: str, folder: Path) -> None:
    answer = globals()[task](*pickle.loads((folder / "given.pickle").read_bytes()))
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"]
    (folder / "answer.pickle").write_bytes(pickle.dumps(answer))


def predict(weights: dict[str, list[Array]], faces: Array) -> dict[str, tuple[int, Array]]:
    """Return how many parameters each network has, and what it answers with these weights."""
    answers = {}
    for name, values in weights.items():
        network = MODELS[name]()
        network.set_weights(values)
        answers[name] = network.count_params(), network.predict(faces.astype(np.float32), verbose=0)
    return answers


def test_every_network_answers_as_on_tensorflow(backend: str, labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(0)

    def stir(values: Array) -> Array:
        """Return weights and moving averages that no network starts with."""
        changed = values * random.uniform(0.5, 1.8, values.shape) + (values.ndim == 1) * random.uniform(0, 0.1)
        return changed.astype(np.float32)

    weights = {name: [stir(values) for values in model().get_weights()] for name, model in MODELS.items()}
    for name in ("compact", "large"):  # take gray levels as they are; statistics that know their range are not stirred
        weights[name][0] /= 255
    expected = predict(weights, labelled_faces.images)
    received = elsewhere(backend, predict, tmp_path, weights, labelled_faces.images)
    for name, (parameters, answers) in expected.items():
        assert np.ptp(answers, axis=0).max() > 0.005  # faces are told apart, so that equal answers mean something
        assert received[name][0] == parameters
        assert_allclose(received[name][1], answers, atol=1e-4)


class Stop(Watcher):
    """Stops a run in the middle of its second epoch."""

    def progress(self, epoch: int, share: float) -> None:
        if epoch == 2 and share > 0.4:
            raise KeyboardInterrupt


def fit(settings: TrainSettings, faces: LabelledFaces, out: Path) -> tuple[list[Array], list[Epoch]]:
    """Return weights and history of a run, without the seconds."""
    trained = train(settings, faces, out)
    history = [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in trained.history]
    return trained.network.get_weights(), history


def stop_and_go_on(runs: Sequence[TrainSettings], faces: LabelledFaces, out: Path) -> list[Any]:
    """Return for each run: epochs kept when it was stopped, its result after going on, and that of one not stopped."""
    answers = []
    for number, settings in enumerate(runs):
        folder = out / str(number)
        with contextlib.suppress(KeyboardInterrupt):
            train(settings, faces, folder / "stopped", Stop())
        with (folder / "stopped" / "history.csv").open(encoding="utf-8", newline="") as file:
            kept = len(list(csv.DictReader(file)))
        answers.append((kept, fit(settings, faces, folder / "stopped"), fit(settings, faces, folder / "whole")))
    return answers


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    backend: str, labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    runs = [ADAM, SGD]
    if backend == "torch":  # whose dropout draws from no variable of the run
        runs.append(dataclasses.replace(SGD, model="compact", batch_size=7, limit=14))
    for kept, (weights, history), whole in elsewhere(backend, stop_and_go_on, tmp_path, runs, labelled_faces, tmp_path):
        assert kept == 1
        assert history == whole[1]
        assert len(history) == 2 and np.isfinite([epoch["loss"] for epoch in history]).all()
        for one, other in zip(weights, whole[0], strict=True):
            assert_allclose(one, other, atol=1e-5)


def fit_each(runs: Sequence[TrainSettings], faces: LabelledFaces, out: Path) -> list[Any]:
    return [fit(settings, faces, out / str(number)) for number, settings in enumerate(runs)]


def test_a_run_begun_on_tensorflow_ends_with_the_same_weights(
    backend: str, labelled_faces: LabelledFaces, teacher: Callable[..., Path], tmp_path: Path
) -> None:
    """So optimisers, rates, penalties on weights, moving averages, mixup, class weights and teachers are the same."""
    runs = [dataclasses.replace(settings, **PLAIN) for settings in (ADAM, SGD)]
    runs[1] = dataclasses.replace(runs[1], teachers=(teacher(),), teacher_share=0.5)
    for number, settings in enumerate(runs):
        with contextlib.suppress(KeyboardInterrupt):
            train(settings, labelled_faces, tmp_path / "here" / str(number), Stop())
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    expected = fit_each(runs, labelled_faces, tmp_path / "here")
    received = elsewhere(backend, fit_each, tmp_path, runs, labelled_faces, tmp_path / "there")
    for (weights, history), (their_weights, their_history) in zip(expected, received, strict=True):
        for one, other in zip(weights, their_weights, strict=True):
            assert_allclose(other, one, atol=1e-4)
        assert their_history[0] == history[0]
        for name, value in history[1].items():
            assert their_history[1][name] == pytest.approx(value, abs=1e-4)


class Told(Augment):
    """Draws numbers that are the same on every backend."""

    def draw(self, faces: Any, spread: float, shape: tuple[int, ...] = ()) -> Any:
        if not hasattr(self, "random"):
            self.random = np.random.default_rng(0)
        return keras.ops.convert_to_tensor(
            self.random.uniform(-spread, spread, (len(faces), *shape)).astype(np.float32)
        )


def change(faces: Array, kinds: dict[str, dict[str, Any]], own: bool) -> dict[str, Array]:
    """Return the faces as each kind of settings changes them, with the layer's own draws or with told ones."""
    layer = Augment if own else Told
    changed = {name: layer(AugmentSettings(**values))(faces, training=True) for name, values in kinds.items()}
    return {name: keras.ops.convert_to_numpy(made) for name, made in changed.items()}


def shapes(n: int) -> Array:
    """Return pictures that are not their own mirror: float32 (n, 48, 48, 1), 0 to 255."""
    x, y = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 48))
    pictures = [128 + 100 * np.sin(3 * x + number) * np.cos(5 * y - number) + 20 * x for number in range(n)]
    noise = np.random.default_rng(1).normal(0, 20, (n, 48, 48))
    return np.clip(np.array(pictures) + noise, 0, 255).astype(np.float32)[..., None]


def test_the_same_draws_change_faces_alike(backend: str, tmp_path: Path) -> None:
    kinds = {name: OFF | {name: value} for name, value in STRONG.items()} | {"all": STRONG}
    expected = change(shapes(32), kinds, False)
    received = elsewhere(backend, change, tmp_path, shapes(32), kinds, False)
    for name, faces in expected.items():
        assert np.abs(faces - shapes(32)).max() > 10, name
        assert_allclose(received[name], faces, atol=0.1, err_msg=name)


def test_the_draws_of_a_backend_change_faces_as_much(backend: str, tmp_path: Path) -> None:
    kinds = {name: OFF | {name: value} for name, value in STRONG.items()} | {"defaults": {}, "all": STRONG}
    expected = change(shapes(600), kinds, True)
    received = elsewhere(backend, change, tmp_path, shapes(600), kinds, True)
    for name in kinds:
        for made in (expected[name], received[name]):
            assert made.min() >= 0 and made.max() <= 255
        for count in (np.mean, np.std):
            assert count(received[name]) == pytest.approx(count(expected[name]), abs=6), name
        here, there = (np.abs(made - shapes(600)).mean(axis=(1, 2, 3)) for made in (expected[name], received[name]))
        assert there.mean() == pytest.approx(here.mean(), rel=0.1), name
        assert (there > 1).mean() == pytest.approx((here > 1).mean(), abs=0.1), name
        assert not np.allclose(received[name], expected[name])


class Lines(Watcher):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


def fit_on(devices: Sequence[int | None], settings: TrainSettings, faces: LabelledFaces, out: Path) -> list[Any]:
    """Return for each number of devices: what was said, and the run's weights and history; then of a resumed run.

    The last one is stopped on all devices and goes on with one.
    """
    answers = []
    for number, n in enumerate([*devices, 1]):
        lines, folder = Lines(), out / str(number)
        if number == len(devices):
            with contextlib.suppress(KeyboardInterrupt):
                train(settings, faces, folder, Stop(), None, None)
        trained = train(settings, faces, folder, lines, None, n)
        history = [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in trained.history]
        answers.append((lines.said, trained.network.get_weights(), history))
    return answers


def first_losses(devices: Sequence[int], faces: LabelledFaces) -> list[float]:
    """Return the loss of our network's first step, with dropout and augmentation, on so many devices each."""
    losses = []
    for n in devices:
        with spread(n, 8, print):
            keras.utils.set_random_seed(0)
            run = _Run(dataclasses.replace(SGD, model="compact"), faces)
            losses.append(run.learner.train_on_batch(*run.batches(0)[0], return_dict=True)["loss"])
    return losses


def refusal(settings: TrainSettings, faces: LabelledFaces, out: Path, devices: int) -> str:
    try:
        train(settings, faces, out, None, None, devices)
    except SettingsError as error:
        return str(error)
    return ""


def test_several_devices_train_as_one_does_and_only_with_jax(
    backend: str, labelled_faces: LabelledFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    told = elsewhere(backend, refusal, tmp_path, SGD, labelled_faces, tmp_path / "refused", 5)
    if backend == "torch":
        assert "with JAX alone" in told and "Received: 5, on torch" in told
        return
    assert "Expected: 1 to 4 (cpu:0, cpu:1, cpu:2, cpu:3). Received: 5." in told
    even = dataclasses.replace(ADAM, batch_size=8)
    answers = elsewhere(backend, fit_on, tmp_path, [1, None, 3], even, labelled_faces, tmp_path / "runs")
    (alone, weights, history), (all_four, *_), (three, *_), (resumed, *_) = answers
    assert not any("train" in line for line in (*alone, *resumed))
    assert all_four[0] == "4 devices train, 2 faces of each batch on each: cpu:0, cpu:1, cpu:2, cpu:3"
    assert "cannot be shared out evenly among 3 devices: 2 of them train" in three[0]
    for _, theirs, their_history in answers[1:]:
        for one, other in zip(weights, theirs, strict=True):
            assert_allclose(other, one, atol=1e-5)
        for epoch, their_epoch in zip(history, their_history, strict=True):
            assert their_epoch == pytest.approx(epoch, abs=1e-4)
    losses = elsewhere(backend, first_losses, tmp_path, [1, 2, 4], labelled_faces)
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-4)
    message, expected, _ = elsewhere(backend, ship, tmp_path, even, labelled_faces, tmp_path / "shipped")
    assert "cannot be written by Keras on JAX" in message
    received = open_model(tmp_path / "shipped" / "try.keras", "fer2013").predict_faces(labelled_faces.images)
    assert_allclose(received, expected, atol=1e-4)


def ship(settings: TrainSettings, faces: LabelledFaces, out: Path) -> tuple[str, Array, Array]:
    """Return what a run from data to shipped files failed with, and what its two Keras files answer."""
    message = ""
    try:
        run(settings, faces, out)
    except ModelError as error:
        message = str(error)
    answers = [open_model(out / f"try{end}", "fer2013").predict_faces(faces.images) for end in (".keras", ".h5")]
    return message, answers[0], answers[1]


def test_the_files_of_a_run_answer_alike_everywhere(
    backend: str, labelled_faces: LabelledFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX cannot write ONNX, and says what to do; done so, nothing is trained again."""
    folder, onnx = tmp_path / "run", tmp_path / "run" / "try.onnx"
    message, expected, h5 = elsewhere(backend, ship, tmp_path, ADAM, labelled_faces, folder)
    assert np.ptp(expected, axis=0).max() > 1e-4
    assert_array_equal(h5, expected)
    for end in (".keras", ".h5"):
        received = open_model(folder / f"try{end}", "fer2013").predict_faces(labelled_faces.images)
        assert_allclose(received, expected, atol=1e-4)
    assert onnx.exists() == (backend == "torch")
    if backend == "jax":
        assert "cannot be written by Keras on JAX" in message and "KERAS_BACKEND=tensorflow" in message
        monkeypatch.setattr(keras.Model, "train_on_batch", None)
        assert run(ADAM, labelled_faces, folder)[0] == onnx
    else:
        assert not message
    assert {"try.keras", "try.h5"} == set(read_card(onnx, "expression").recipe["files"])
    model = ExpressionModel(path=onnx)
    for n in (0, 1, 33):  # the size of a batch is free
        assert_allclose(model.predict_faces(labelled_faces.images[:n]), expected[:n], atol=1e-4)
    bare = tmp_path / "bare.onnx"
    shutil.copy(onnx, bare)  # without a card its rescaling is found in its structure
    assert_allclose(open_model(bare, "fer2013").predict_faces(labelled_faces.images), expected, atol=1e-4)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
