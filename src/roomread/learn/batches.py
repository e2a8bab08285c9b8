"""Faces and targets in the order in which a network sees them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from roomread.learn.datasets import LabelledFaces, soft_targets
from roomread.learn.settings import TrainSettings
from roomread.types import N_EMOTIONS, Array


class Batches:
    """The batches of one epoch, in an order of seed and epoch alone, so that a resumed run sees the same.

    A batch is (picks, targets), and with class weights (picks, targets, weights), as `Pictures` and Keras take them:
    picks names for each face its row, another one's row, and its share over that other: int32 (b,), int32 (b,),
    float32 (b,), 1 without mixup; targets are float32 (b, 7), mixed alike; weights float32 (b,).
    """

    def __init__(
        self,
        targets: Array,
        batch_size: int,
        order_seed: tuple[int, int],
        class_weights: Array | None = None,
        mixup: float = 0.0,
    ) -> None:
        self.targets, self.batch_size = targets, min(batch_size, len(targets))
        self.order = np.random.default_rng(order_seed).permutation(len(targets)).astype(np.int32)
        self.order_seed, self.class_weights, self.mixup = order_seed, class_weights, mixup

    def __len__(self) -> int:
        return len(self.targets) // self.batch_size

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        rows = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        others, share = rows, np.ones(len(rows), np.float32)
        if self.mixup:
            random = np.random.default_rng((*self.order_seed, number))
            share = random.beta(self.mixup, self.mixup, len(rows)).astype(np.float32)
            others = random.permutation(rows)
        targets = share[:, None] * self.targets[rows] + (1 - share[:, None]) * self.targets[others]
        picks = {"row": rows, "other": others, "share": share}
        if self.class_weights is None:
            return picks, targets
        return picks, targets, targets @ self.class_weights


class Pictures(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """All training pictures, in the memory of the device that trains: a batch's picks → float32 (b, 48, 48, 1).

    A face may be laid over another one (mixup, Zhang et al. 2018). That happens before augmentation, which therefore
    moves both faces of a pair together.
    """

    def __init__(self, images: Array) -> None:
        """Take uint8 (n, 48, 48, 1), gray 0 to 255."""
        super().__init__(dtype="float32")
        self.images = ops.convert_to_tensor(images)

    def call(self, picks: Any) -> Any:
        """Return the faces that were picked, mixed."""
        over = picks["share"][:, None, None, None]
        faces, others = (ops.cast(ops.take(self.images, picks[name], axis=0), "float32") for name in ("row", "other"))
        return over * faces + (1.0 - over) * others


def make_targets(settings: TrainSettings, faces: LabelledFaces) -> Array:
    """Return what the network is to answer: label, FER+ votes and smoothing by their shares: float32 (n, 7)."""
    targets = soft_targets(faces, settings.ferplus_share)
    if settings.label_smoothing:
        targets = (1 - settings.label_smoothing) * targets + np.float32(settings.label_smoothing / N_EMOTIONS)
    return targets.astype(np.float32)


def balanced_weights(labels: Array) -> Array:
    """Return for each class how much a face of it counts, so that every class counts alike and a face 1 on average.

    Args:
        labels: int64 (n,), index into EMOTIONS.

    Returns:
        float32 (7,); 0 for a class without faces.
    """
    counts = np.bincount(labels, minlength=N_EMOTIONS)
    held = np.count_nonzero(counts)
    return np.where(counts > 0, len(labels) / (held * np.maximum(counts, 1)), 0).astype(np.float32)
