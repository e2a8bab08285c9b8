"""Fit a network to labelled faces, choose nothing but on `validation`, and keep all that a kill could lose."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from roomread.errors import DataError
from roomread.learn.augment import Augment
from roomread.learn.batches import Batches, Pictures, balanced_weights, make_targets
from roomread.learn.datasets import TRAINING_WITHOUT_VALIDATION, LabelledFaces
from roomread.learn.devices import shares, spread
from roomread.learn.load import open_keras_model
from roomread.learn.model import MODELS, fuse
from roomread.learn.schedule import Epoch, best_epoch, follow, is_over, make_optimizer, rate_at
from roomread.learn.settings import TrainSettings
from roomread.learn.state import State
from roomread.learn.teachers import Taught, freeze, signature
from roomread.types import Array

__all__ = ["Batches", "Log", "TrainSettings", "Trained", "Watcher", "train"]

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Anything that is told how a run goes. What a subclass does not see to itself is logged or passed over."""

    def progress(self, epoch: int, share: float) -> None:
        """Receive after each batch how much of an epoch, counted from 1, is done: 0 to 1."""
        return

    def judged(self, epoch: Epoch, network: keras.Model) -> None:
        """Receive an epoch's row of the history, and the network as `validation` judged it."""
        return

    def say(self, line: str) -> None:
        """Receive a line about an epoch or a file."""
        log.info(line)


class Log(Watcher):
    """Logs the lines of a run."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A fitted network and how it came about.

    network: the Keras model, float32 (n, 48, 48, 1) in 0 to 255 → float32 (n, 7).
    history: one dictionary per epoch: epoch, loss (with the penalty on large weights, if the network has one), accuracy
        (both while the epoch ran, on faces as they were shown), penalty, validation_loss (without it),
        validation_accuracy, learning_rate, seconds.
    best: number of the epoch, from 1, that is best on `validation`.
    """

    network: keras.Model
    history: list[Epoch]
    best: int


def train(
    settings: TrainSettings,
    faces: LabelledFaces,
    out: Path,
    watcher: Watcher | None = None,
    drop: Array | None = None,
    devices: int | None = None,
    teachers: Sequence[keras.Model] | None = None,
) -> Trained:
    """Fit a network on Training less `validation`; resume where an earlier run with the same folder stopped.

    Args:
        settings: the run.
        faces: a data set with the split Training.
        out: folder for `last.npz` (the whole state), `best.npz` (weights), `history.csv` and TensorBoard's log; made
            when missing.
        watcher: is told of each batch and each epoch.
        drop: int64 (k,), rows of the data set that are not fitted on, such as an audit's; `validation` stays whole.
        devices: how many train together, see `spread`; another number may resume a run.
        teachers: networks as `open_keras_model` returns them; None opens the files that the settings name, of which
            none may be a run file: see `run`.

    Raises:
        DataError: the data has no Training faces, or `drop` leaves none.
        SettingsError: so many devices cannot train.
        OutputError: the folder cannot be written, or holds another run.
        ModelError: see `open_keras_model`.
    """
    teachers = [open_keras_model(path) for path in settings.teachers] if teachers is None else teachers
    watcher = Log() if watcher is None else watcher
    fitting, validation = _parts(settings, faces, drop)
    with spread(devices, min(settings.batch_size, len(fitting)), watcher.say), _board(out, settings) as show:
        keras.utils.set_random_seed(settings.seed)
        run = _Run(settings, fitting, teachers)
        state = State(out, settings, fitting, signature(teachers))
        history = state.resume(run.variables())
        while not is_over(settings, history):
            history.append(run.epoch(history, validation, watcher))
            best = best_epoch(settings, history) == len(history)
            state.save(run.variables(), history, run.result() if best else None)
            show(history[-1])
            watcher.judged(history[-1], run.judge)
            watcher.say(_line(settings, history[-1], len(validation)))
    network = MODELS[settings.model]()  # alone, in float32 on one device whatever it was trained in
    network.set_weights(state.read_best() if settings.keep == "best" else run.result())
    return Trained(network, history, best_epoch(settings, history))


def _parts(settings: TrainSettings, faces: LabelledFaces, drop: Array | None) -> tuple[LabelledFaces, LabelledFaces]:
    """Return the faces to fit on and those to choose on."""
    fitting, validation = faces.split(TRAINING_WITHOUT_VALIDATION), faces.split("validation")
    if drop is not None:
        fitting = fitting[~np.isin(fitting.rows, drop)]
    if settings.limit is not None:
        fitting, validation = (some[_even(len(some), settings.limit)] for some in (fitting, validation))
    if len(fitting) < 1:
        raise DataError("Training holds no face to fit on.")
    return fitting, validation


def _even(n: int, limit: int) -> Array:
    """Return at most so many of n places, evenly spread: class folders hold one class after the other. int64 (k,)."""
    return np.arange(min(n, limit)) * n // max(min(n, limit), 1)


class _Run:
    """Networks, optimiser and data of a run, and what one epoch does with them."""

    def __init__(self, settings: TrainSettings, faces: LabelledFaces, teachers: Sequence[keras.Model] = ()) -> None:
        self.settings = settings
        self.targets = make_targets(settings, faces)
        self.weights = balanced_weights(faces.labels) if settings.class_weights == "balanced" else None
        self.network = _network(settings)
        self.teachers = freeze(teachers, settings.precision)
        self.learner = _learner(settings, faces.images, self.network, self.teachers)
        # What is built at the first batch may draw random numbers, which a resumed run would draw elsewhere.
        self.learner.test_on_batch(*self.batches(0)[0])
        self.averaged: keras.Model | None = None
        if settings.ema_decay:
            self.averaged = MODELS[settings.model]()
            self.averaged.set_weights(self.network.get_weights())

    def batches(self, epoch: int) -> Batches:
        seeds, settings = (self.settings.seed, epoch), self.settings
        return Batches(self.targets, settings.batch_size, seeds, self.weights, settings.mixup)

    def variables(self) -> list[Any]:
        """Return every variable of the run in a fixed order: weights, random states, optimiser, averaged weights."""
        averaged = [] if self.averaged is None else self.averaged.variables
        teaching = {id(variable) for teacher in self.teachers for variable in teacher.variables}
        learning = [variable for variable in self.learner.variables if id(variable) not in teaching]
        return [*learning, *self.learner.optimizer.variables, *averaged]

    @property
    def judge(self) -> keras.Model:
        """The network that is judged and kept: the one that learns, or the moving average of it."""
        return self.network if self.averaged is None else self.averaged

    def result(self) -> list[Array]:
        """Return the weights that are judged and kept."""
        weights: list[Array] = self.judge.get_weights()
        return weights

    def epoch(self, history: list[Epoch], validation: LabelledFaces, watcher: Watcher) -> Epoch:
        """Fit one epoch and return its row of the history."""
        start, epoch = time.perf_counter(), len(history)
        # PyTorch's dropout draws from no variable of the run.
        keras.utils.set_random_seed(int(np.random.default_rng((self.settings.seed, epoch)).integers(1 << 32)))
        batches, told = self.batches(epoch), []
        for number in range(len(batches)):
            step = epoch * len(batches) + number
            self.learner.optimizer.learning_rate = rate_at(self.settings, len(batches), step, history)
            told.append(self.learner.train_on_batch(*batches[number], return_dict=True))
            if self.averaged is not None:
                follow(self.averaged, self.network, self.settings.ema_decay, step)
            watcher.progress(epoch + 1, (number + 1) / len(batches))
        answers = predict(self.judge, validation.images)
        right = answers[np.arange(len(validation)), validation.labels]
        return {
            "epoch": epoch + 1,
            "loss": round(float(np.mean([each["loss"] for each in told])), 5),
            "accuracy": round(float(np.mean([each["accuracy"] for each in told])), 5),
            "penalty": round(float(sum(map(float, self.network.losses))), 5),
            "validation_loss": round(float(-np.log(np.maximum(right, 1e-7)).mean()), 5),
            "validation_accuracy": round(float((answers.argmax(axis=1) == validation.labels).mean()), 5),
            "learning_rate": round(float(self.learner.optimizer.learning_rate), 6),
            "seconds": round(time.perf_counter() - start, 1),
        }


def predict(network: keras.Model, images: Array) -> Array:
    """Return a network's answers: float32 (n, 7). Keras' own `predict` waits up to five seconds for its threads."""
    more = -len(images) % shares()  # faces of zeros, which fill the last batch up and are cut off again
    padded = np.pad(images.astype(np.float32), [(0, more), (0, 0), (0, 0), (0, 0)])
    step = 256 // shares() * shares()
    parts = np.split(padded, range(step, len(padded), step))
    return np.concatenate([np.asarray(network.predict_on_batch(part)) for part in parts])[: len(images)]


def _network(settings: TrainSettings) -> keras.Model:
    """Return the network that learns."""
    keras.config.set_dtype_policy(settings.precision)
    try:
        return fuse(MODELS[settings.model]())
    finally:
        keras.config.set_dtype_policy("float32")


def _learner(settings: TrainSettings, images: Array, network: keras.Model, teachers: list[keras.Model]) -> keras.Model:
    """Return pictures, augmentation, network and teachers as one model, compiled: all of a step is on the device."""
    kinds = {"row": "int32", "other": "int32", "share": "float32"}
    picks = {name: keras.Input((), dtype=kind, name=name) for name, kind in kinds.items()}
    faces = Pictures(images)(picks)
    if settings.augmentation:
        faces = Augment(settings.augment, settings.seed)(faces)
    answers = network(faces)
    if teachers:
        answers = Taught(settings.teacher_share)([answers, *(teacher(faces, training=False) for teacher in teachers)])
    learner = keras.Model(picks, answers)
    optimizer = make_optimizer(settings)
    accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    compiled = keras.backend.backend() == "jax"  # which would take every operation of a step for itself otherwise
    learner.compile(
        optimizer, loss="categorical_crossentropy", loss_weights=[1 - settings.teacher_share], metrics=[accuracy],
        jit_compile=compiled,
    )  # fmt: skip
    optimizer.build(learner.trainable_variables)
    return learner


def _line(settings: TrainSettings, epoch: Epoch, n: int) -> str:
    return (
        f"epoch {epoch['epoch']:3}/{settings.epochs}  loss {epoch['loss']:.4f}, accuracy {epoch['accuracy']:.4f}  "
        f"validation: loss {epoch['validation_loss']:.4f}, accuracy {epoch['validation_accuracy']:.4f} of {n}  "
        f"({epoch['seconds']:.0f} s)"
    )


@contextlib.contextmanager
def _board(out: Path, settings: TrainSettings) -> Iterator[Callable[[Epoch], None]]:
    """Give a function that adds an epoch to TensorBoard's log; it does nothing where the settings want none."""
    if not settings.tensorboard:
        yield lambda epoch: None
        return
    from tensorboard.summary import Writer

    writer = Writer(str(out / "tensorboard"))

    def show(epoch: Epoch) -> None:
        for name, value in epoch.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(epoch["epoch"]))
        writer.flush()

    try:
        yield show
    finally:
        writer.close()
