"""The networks, by name, and how one trains faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from roomread.preprocess import FACE_SIZE, GRAY_LEVELS
from roomread.types import N_EMOTIONS


def compact() -> keras.Model:
    """Return our small residual network: 1.2 million parameters, 69 million multiply-adds a face.

    The first convolution halves the picture at once, as every layer at full size takes as long as several behind it;
    after another one, four pairs of 3 x 3 convolutions at 12 and 6 pixels, each with a way round. The gray levels are
    not rescaled: the first normalisation does that, and in eight bits a sum over whole pictures would take as long as
    three convolutions.
    """
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name=GRAY_LEVELS)
    x = _convolve(faces, 16, stride=2)
    x = _convolve(x, 32)
    for filters, stride in ((80, 2), (80, 1), (176, 2), (176, 1)):
        x = _residual(x, filters, stride)
    return _answer(faces, x, "compact")


def large() -> keras.Model:
    """Return a network that keeps the whole picture at first: 1.6 million parameters, 137 million multiply-adds a face.

    Half as quick as `compact`, of which it is a teacher.
    """
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name=GRAY_LEVELS)
    x = _convolve(faces, 32)
    for filters, stride in ((48, 2), (48, 1), (96, 2), (96, 1), (192, 2), (192, 1)):
        x = _residual(x, filters, stride)
    return _answer(faces, x, "large")


def _convolve(x: Any, filters: int, stride: int = 1, size: int = 3, activate: bool = True) -> Any:
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if activate else x


def _residual(x: Any, filters: int, stride: int) -> Any:
    way_round = x
    if stride > 1 or x.shape[-1] != filters:  # as many pixels as are left out, so that none is lost
        way_round = _convolve(way_round, filters, stride, size=stride, activate=False)
    x = _convolve(x, filters, stride)
    x = _convolve(x, filters, activate=False)
    return layers.ReLU()(layers.Add()([x, way_round]))


def _answer(faces: Any, x: Any, name: str, dropout: float = 0.3) -> keras.Model:
    x = layers.GlobalAveragePooling2D()(x)
    if dropout:
        x = layers.Dropout(dropout)(x)
    scores = layers.Dense(N_EMOTIONS, name="scores")(x)
    probabilities = layers.Activation("softmax", dtype="float32", name="probabilities")(scores)
    return keras.Model(faces, probabilities, name=name)


def tiny() -> keras.Model:
    """Return a network of a few thousand parameters, to try the whole path in seconds; not meant to be good."""
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="faces")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(faces)
    for filters in (8, 16, 32):
        x = _convolve(x, filters, stride=2)
    return _answer(faces, x, "tiny", dropout=0)


def baseline() -> keras.Model:
    """Return the network of the original project, layer for layer: 32,116,743 parameters.

    The two inner convolutions carry an L2 penalty of 0.01, as they did; only the rescaling, which the original script
    did outside, is a layer here.
    """
    penalty = keras.regularizers.L2(0.01)
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="faces")
    x = layers.Rescaling(1 / 255)(faces)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.25)(x)
    x = layers.Conv2D(128, 3, padding="same", activation="relu", kernel_regularizer=penalty)(x)
    x = layers.Conv2D(256, 3, activation="relu", kernel_regularizer=penalty)(x)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.25)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(1024, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    probabilities = layers.Dense(N_EMOTIONS, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(faces, probabilities, name="baseline")


MODELS: dict[str, Callable[[], keras.Model]] = {"compact": compact, "large": large, "tiny": tiny, "baseline": baseline}


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras is not typed
    """Keras' layer, whose many small steps over a whole batch are one step of TensorFlow's own while it trains.

    On a processor, training takes little more than half the time.

    It has the same weights in the same order. Only for the last axis, and only where TensorFlow is Keras' backend.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised batch, and move the averages as Keras does."""
        if not training:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        unknown = tf.constant([], tf.float32)
        answer, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=keras.ops.cast(self.gamma, "float32"),
            offset=keras.ops.cast(self.beta, "float32"),
            mean=unknown,
            variance=unknown,
            epsilon=self.epsilon,
            is_training=True,
        )
        n = keras.ops.cast(keras.ops.size(inputs), "float32") / inputs.shape[-1]
        variance = variance * (n - 1) / n  # the kernel tells the sample's, Keras averages the batch's
        for average, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + now * (1 - self.momentum))
        return answer


def fuse(network: keras.Model) -> keras.Model:
    """Return a network that trains faster and otherwise does the same, with weights of its own.

    Where TensorFlow is not the backend, it is the network itself: JAX joins the steps by itself.
    """
    if keras.backend.backend() != "tensorflow":
        return network

    def clone(layer: Any) -> Any:
        kind = type(layer)
        return (FusedBatchNormalization if kind is keras.layers.BatchNormalization else kind).from_config(
            layer.get_config()
        )

    fused = keras.models.clone_model(network, clone_function=clone)
    fused.set_weights(network.get_weights())
    return fused
