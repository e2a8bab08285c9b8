"""Faces and targets in the order in which a network sees them."""

from __future__ import annotations

import keras
import numpy as np

from roomread.learn.datasets import LabelledFaces, soft_targets
from roomread.learn.settings import TrainSettings
from roomread.types import N_EMOTIONS, Array


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras is not typed
    """The batches of one epoch, in an order of seed and epoch alone, so that a resumed run sees the same.

    A batch is (faces, targets), and with class weights (faces, targets, weights): float32 (b, 48, 48, 1), 0 to 255;
    float32 (b, 7); float32 (b,).
    """

    def __init__(
        self,
        images: Array,
        targets: Array,
        batch_size: int,
        order_seed: tuple[int, int],
        class_weights: Array | None = None,
        mixup: float = 0.0,
    ) -> None:
        super().__init__()
        self.images, self.targets, self.batch_size = images, targets, min(batch_size, len(images))
        self.order = np.random.default_rng(order_seed).permutation(len(images))
        self.order_seed, self.class_weights, self.mixup = order_seed, class_weights, mixup

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def __getitem__(self, number: int) -> tuple[Array, ...]:
        rows = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        faces, targets = self.images[rows].astype(np.float32), self.targets[rows]
        if self.mixup:
            faces, targets = mix(faces, targets, self.mixup, np.random.default_rng((*self.order_seed, number)))
        if self.class_weights is None:
            return faces, targets
        return faces, targets, targets @ self.class_weights


def mix(faces: Array, targets: Array, alpha: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Return each face laid over another one of the batch, and their targets mixed alike (Zhang et al. 2018).

    It happens before augmentation, which therefore moves both faces of a pair together.

    Args:
        faces: float32 (n, 48, 48, 1), 0 to 255.
        targets: float32 (n, 7).
        alpha: above 0, of the Beta distribution of the share; larger mixes more evenly.
        random: where share and pairs come from.
    """
    share = random.beta(alpha, alpha, len(faces)).astype(np.float32)
    others = random.permutation(len(faces))
    over = share[:, None, None, None]
    mixed = over * faces + (1 - over) * faces[others]
    return mixed, share[:, None] * targets + (1 - share[:, None]) * targets[others]


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
