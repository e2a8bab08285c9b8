"""Networks that teach another one: what they answer to the very faces that it is shown is part of its target."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


def freeze(networks: Sequence[keras.Model], precision: str) -> list[keras.Model]:
    """Return the same networks, which learn nothing more, under other names and in another precision.

    Their layers are renamed too: of variables that are called alike, Keras on PyTorch clears one's gradient only.

    Args:
        networks: which all take the same faces.
        precision: Keras's name of the types that layers with weights compute in.
    """
    frozen = []
    for number, network in enumerate(networks):
        name = f"teacher_{number}"

        def clone(layer: Any, name: str = name) -> Any:
            policy = {"dtype": precision} if layer.weights else {}
            return type(layer).from_config({**layer.get_config(), **policy, "name": f"{name}_{layer.name}"})

        other = keras.models.clone_model(network, clone_function=clone)
        other.set_weights(network.get_weights())
        other.trainable = False
        other.name = name
        frozen.append(other)
    return frozen


def signature(networks: Sequence[keras.Model]) -> str:
    """Return a hash of networks but for their last dense layer, which a temperature divides by other last digits."""
    digest = hashlib.sha256()
    for network in networks:
        dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
        for layer in network.layers:
            for weights in () if layer in dense[-1:] else layer.get_weights():
                digest.update(np.ascontiguousarray(weights, "<f4").tobytes())
    return digest.hexdigest()


class Taught(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """A learner's answers as they are; its loss grows by its cross-entropy with the mean of its teachers' answers.

    Distillation (Hinton et al. 2015), with teachers that see each face as the learner does, moved, erased or mixed:
    patient and consistent teaching (Beyer et al. 2022).
    """

    def __init__(self, share: float) -> None:
        """Take the share of the teachers in the target, 0 to 1; the loss by label must be weighted by the rest."""
        super().__init__(dtype="float32")
        self.share = share

    def call(self, answers: Sequence[Any]) -> Any:
        """Return the first of several answers, float32 (b, 7), the learner's; the others are its teachers'."""
        learner, *taught = answers
        mean = sum(ops.cast(answer, "float32") for answer in taught) / len(taught)
        loss = keras.losses.categorical_crossentropy(ops.stop_gradient(mean), learner)
        self.add_loss(self.share * ops.mean(loss))
        return learner
