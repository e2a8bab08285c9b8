"""How fast a network learns, when it stops, and what is averaged meanwhile.

Whether an epoch is better than those before is read from the history alone, so that a resumed run decides as an
uninterrupted one does, with no state of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from roomread.learn.settings import TrainSettings

Epoch = dict[str, float]  # one row of the history

AVERAGED_STEPS = 8  # between two moves of the average: each step would cost more than it tells


def make_optimizer(settings: TrainSettings) -> keras.optimizers.Optimizer:
    """Return the optimiser; its rate is set before each step, to what `rate_at` says.

    Keras decouples weight decay with SGD as with Adam: w -= w * decay * rate, beside the step. Other recipes' SGD adds
    w * decay to the gradient, of which the momentum makes 1 / (1 - momentum) times as much, tenfold at 0.9.
    """
    if settings.optimizer == "adam":
        decay = settings.weight_decay if settings.weight_decay > 0 else None
        optimizer = keras.optimizers.Adam(settings.learning_rate, weight_decay=decay)
    else:
        optimizer = keras.optimizers.SGD(
            settings.learning_rate, momentum=settings.momentum, nesterov=True, weight_decay=settings.weight_decay
        )
    optimizer.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
    return optimizer


def rate_at(settings: TrainSettings, steps: int, step: int, history: Sequence[Epoch]) -> float:
    """Return the learning rate of one step.

    The cosine starts anew in each cycle (Loshchilov and Hutter 2017, "SGDR", eq. 5, with half the rate each time).

    Args:
        settings: the run.
        steps: batches in an epoch.
        step: from 0, counted over all epochs.
        history: the epochs before this one.
    """
    warmup = max(1, math.floor(settings.warmup_epochs * steps))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.schedule == "cosine":
        length = settings.epochs * steps / settings.cycles
        cycle = math.floor(step / length)
        start = cycle * length if cycle else warmup
        done = (step - start) / max(1, (cycle + 1) * length - start)
        return settings.learning_rate * 0.5**cycle * (1 + math.cos(math.pi * done)) / 2
    falls = _drops(settings, history) if settings.schedule == "plateau" else 0
    return settings.learning_rate * settings.plateau_factor**falls


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


def follow(averaged: keras.Model, network: keras.Model, decay: float, step: int) -> None:
    """Move every weight of the moving average, batch statistics included, towards where the network is now.

    The average is moved after every AVERAGED_STEPS-th step, as far as it would have moved in all of them. Its decay
    rises with the steps, (1 + step) / (10 + step), so that the first weights are soon forgotten.

    Args:
        averaged: is changed.
        network: has the same layers.
        decay: share of the average that one step leaves, above 0 and below 1.
        step: from 0, counted over all epochs.
    """
    if (step + 1) % AVERAGED_STEPS:
        return
    kept = min(decay, (1 + step) / (10 + step)) ** AVERAGED_STEPS
    for mean, now in zip(averaged.weights, network.weights, strict=True):
        mean.assign(mean.value * kept + keras.ops.cast(now.value, mean.dtype) * (1 - kept))
