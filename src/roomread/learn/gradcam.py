"""Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391): which places of a face speak for an expression, to a network.

The network is cut at its last feature map. Grad-CAM weighs each channel of it by the mean, over all places, of the
score's derivative. That is the derivative when the whole channel is raised evenly, divided by the number of places: a
difference of two answers of the network's second part, so every kind of model file will do and no gradient is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from roomread.errors import ModelError
from roomread.learn.load import Step, open_parts
from roomread.preprocess import FACE_SIZE
from roomread.types import N_EMOTIONS, Array, check_shape

STEP = 0.03  # of a channel's own spread; less drowns in float32's rounding, more crosses the kinks of the ReLUs behind
FLOOR = 0.1  # of the spread of all channels together; a channel is not taken to spread less
MEMORY = 32 << 20  # bytes of feature maps in one batch, at least two maps; bounds the memory, not the result


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A network cut at its last feature map.

    head: uint8 (n, 48, 48, 1), gray faces as `Classifier.predict_faces` takes them → float32 (n, h, w, k).
    tail: float32 (n, h, w, k) → float32 (n, 7), probabilities in the order of EMOTIONS.
    """

    head: Callable[[Array], Array]
    tail: Callable[[Array], Array]


def split_model(path: Path, classes: str | Path | None = None) -> Split:
    """Open an expression model as `load.open_model` does, but cut in two.

    The cut is after the last step that makes a feature map of at least 2 x 2 places which is all that the rest of the
    network knows of the face; as a rule right before the places are averaged or put in a row.

    Raises:
        ModelError: as `load.open_model` does, or there is no such map.
        MissingExtraError: the file needs Keras or ONNX, which are not installed.
    """
    model = open_parts(path, classes, functools.partial(_last_map, path))
    head, tail = model.parts
    return Split(lambda faces: head(model.prepare(faces)), lambda features: model.arrange(tail(features)))


def _last_map(path: Path, steps: list[Step]) -> int:
    needed = set(steps[-1][0])  # by the steps after the one that is looked at
    for position, (made, used, size) in reversed(list(enumerate(steps))):
        if size is not None and min(size) >= 2 and needed == {made[0]}:
            return position
        if needed & set(made):
            needed = needed - set(made) | used
    sizes = ", ".join(f"{size[0]} x {size[1]}" for *_, size in steps if size is not None)
    raise ModelError(
        f"{path} has no feature map to look at. Expected: a convolution's, of at least 2 x 2 places, through which "
        f"everything goes. Received: {'maps of ' + sizes if sizes else 'no convolution'}."
    )


def gradcam(split: Split, face: Array) -> Array:
    """Return for each expression which places of a face speak for it.

    Args:
        split: the network.
        face: uint8 (48, 48, 1), gray.

    Returns:
        float32 (7, 48, 48), 0 to 1, in the order of EMOTIONS. Each map has its own scale: 1 is the place that speaks
        most for the expression, however little that is, so two maps tell nothing of one another's strength; 0 is one
        that speaks against it or not at all. Zeros alone: no place speaks for it.
    """
    check_shape("face", face, (FACE_SIZE, FACE_SIZE, 1))
    features = split.head(face[None])[0]
    heat = np.maximum(features @ channel_weights(split, features), 0)
    maps = np.empty((N_EMOTIONS, FACE_SIZE, FACE_SIZE), np.float32)
    for emotion in range(N_EMOTIONS):
        picture = Pictures.fromarray(np.ascontiguousarray(heat[..., emotion]))
        larger = picture.resize((FACE_SIZE, FACE_SIZE), Pictures.Resampling.BILINEAR)  # a cubic would invent places
        maps[emotion] = np.asarray(larger)
    most = maps.max(axis=(1, 2), keepdims=True)
    scaled: Array = maps / np.where(most > 0, most, 1)
    return scaled


def channel_weights(split: Split, features: Array) -> Array:
    """Return how much each channel of a feature map speaks for each expression: the mean derivative of its score.

    The score is the logarithm of the probability less the mean of the logarithms over the classes. That equals the
    number before the softmax less its mean over the classes. The mean takes no part in any probability, so what raises
    all seven numbers alike speaks for none.

    Args:
        split: the network.
        features: float32 (h, w, k), what its head made of one face.

    Returns:
        float32 (k, 7), per unit of a channel, in the order of EMOTIONS.
    """
    height, width, n = features.shape
    spread = np.maximum(features.std(axis=(0, 1)), FLOOR * features.std())
    steps = np.float32(STEP) * np.where(spread > 0, spread, 1)
    weights = np.empty((n, N_EMOTIONS), np.float32)
    at_once = max(1, MEMORY // (2 * features.nbytes))
    for start in range(0, n, at_once):
        channels = np.arange(start, min(start + at_once, n))
        rows, raise_by = np.arange(len(channels)), steps[channels, None, None]
        batch = np.repeat(features[None], 2 * len(channels), axis=0)
        batch[rows, :, :, channels] += raise_by
        batch[rows + len(channels), :, :, channels] -= raise_by
        more, less = np.split(_scores(split.tail(batch)), 2)
        weights[channels] = (more - less) / (2 * steps[channels, None] * height * width)
    return weights


def _scores(probabilities: Array) -> Array:
    tiny = np.finfo(np.float32).tiny  # less has no logarithm; such a class counts as one that nothing changes
    logs = np.log(np.maximum(probabilities, tiny).astype(np.float64))
    scores: Array = logs - logs.mean(axis=1, keepdims=True)
    return scores
