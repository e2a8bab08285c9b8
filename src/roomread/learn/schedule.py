"""How fast a network learns, when it stops, and what is averaged meanwhile.

Whether an epoch is better than those before is read from the history alone, so that a resumed run decides as an
uninterrupted one does, with no state of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras

from roomread.learn.settings import TrainSettings

Epoch = dict[str, float]  # one row of the history


def make_optimizer(settings: TrainSettings, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimiser; its rate follows the cosine by itself, or is set by `Pace`.

    Args:
        settings: the run.
        steps: batches in an epoch.
    """
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        warmup = _warmup(settings, steps)
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=settings.learning_rate / 100,
            decay_steps=max(1, settings.epochs * steps - warmup),
            warmup_target=settings.learning_rate,
            warmup_steps=warmup,
        )
    if settings.optimizer == "adam":
        decay = settings.weight_decay if settings.weight_decay > 0 else None
        optimizer = keras.optimizers.Adam(rate, weight_decay=decay)
    else:
        optimizer = keras.optimizers.SGD(
            rate, momentum=settings.momentum, nesterov=True, weight_decay=settings.weight_decay
        )
    optimizer.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
    return optimizer


def _warmup(settings: TrainSettings, steps: int) -> int:
    return max(1, math.floor(settings.warmup_epochs * steps))


def rate_at(settings: TrainSettings, steps: int, step: int, history: Sequence[Epoch]) -> float:
    """Return the learning rate of one step of a run whose schedule is constant or plateau.

    Args:
        settings: the run.
        steps: batches in an epoch.
        step: from 0, counted over all epochs.
        history: the epochs before this one.
    """
    rate = settings.learning_rate * min(1.0, (step + 1) / _warmup(settings, steps))
    if settings.schedule == "plateau":
        rate *= settings.plateau_factor ** _drops(settings, history)
    return rate


def _drops(settings: TrainSettings, history: Sequence[Epoch]) -> int:
    best, waited, drops = -math.inf, 0, 0
    for value in _merits(settings, history):
        waited = 0 if value > best else waited + 1
        best = max(best, value)
        if waited == settings.plateau_patience:
            waited, drops = 0, drops + 1
    return drops


def _merits(settings: TrainSettings, history: Sequence[Epoch]) -> list[float]:
    """Return how good each epoch is, higher is better; one without a number (a loss that ran away) is the worst."""
    sign = -1 if settings.monitor == "validation_loss" else 1
    values = [sign * epoch[settings.monitor] for epoch in history]
    return [-math.inf if math.isnan(value) else value for value in values]


def best_epoch(settings: TrainSettings, history: Sequence[Epoch]) -> int:
    """Return the number, from 1, of the first of the best epochs; 0 without any."""
    merits = _merits(settings, history)
    return merits.index(max(merits)) + 1 if merits else 0


def is_over(settings: TrainSettings, history: Sequence[Epoch]) -> bool:
    """Tell whether a run with this history has ended: after its last epoch, or when nothing has got better."""
    if len(history) >= settings.epochs:
        return True
    return 0 < settings.stop_patience <= len(history) - best_epoch(settings, history)


class Pace(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed
    """Set the learning rate before each step of an epoch, where the schedule is not part of the optimiser."""

    def __init__(self, settings: TrainSettings, steps: int, history: Sequence[Epoch]) -> None:
        super().__init__()
        self.settings, self.steps, self.history, self.rate = settings, steps, history, math.nan

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate when it changes."""
        step = len(self.history) * self.steps + batch
        rate = rate_at(self.settings, self.steps, step, self.history)
        if rate != self.rate:
            self.model.optimizer.learning_rate = self.rate = rate


class Average(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed
    """Keep a second network whose weights are the moving average of the first one's, batch statistics included.

    The decay rises with the steps, (1 + step) / (10 + step), so that the first weights are soon forgotten.
    """

    def __init__(self, settings: TrainSettings, averaged: keras.Model, first_step: int) -> None:
        super().__init__()
        self.decay, self.averaged, self.step = settings.ema_decay, averaged, first_step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move every weight a little towards where the network is now."""
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.weights, self.model.layers[-1].weights, strict=True):
            mean.assign(mean.value * decay + keras.ops.cast(now.value, mean.dtype) * (1 - decay))
        self.step += 1


class Share(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is not typed
    """Tell how much of an epoch is done, 0 to 1, after each of its batches."""

    def __init__(self, progress: Callable[[int, float], None], epoch: int, steps: int) -> None:
        super().__init__()
        self.progress, self.epoch, self.steps = progress, epoch, steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report."""
        self.progress(self.epoch, (batch + 1) / self.steps)
