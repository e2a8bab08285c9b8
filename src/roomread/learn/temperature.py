"""How sure a network may be: one number that makes its confidence true on faces that it was not fitted on."""

from __future__ import annotations

import keras
import numpy as np

from roomread.types import Array

SHARPEST, FLATTEST = 0.2, 5.0  # temperatures; a network beyond them has other troubles
ROUNDS = 60  # of halving what is left by a third each; the span is then below a millionth


def find_temperature(probabilities: Array, labels: Array) -> float:
    """Return by what the scores before the softmax are to be divided so that labels are likeliest (Guo et al. 2017).

    Above 1 the network was too sure. The order of the classes stays, so accuracy does.

    Args:
        probabilities: float (n, 7), of faces that were not fitted on, rows sum to 1.
        labels: int64 (n,), index into EMOTIONS.

    Returns:
        SHARPEST to FLATTEST.
    """
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))

    def surprise(inverse: float) -> float:
        scaled = scores * inverse
        largest = scaled.max(axis=1, keepdims=True)
        total = np.log(np.exp(scaled - largest).sum(axis=1)) + largest[:, 0]
        return float((total - scaled[np.arange(len(labels)), labels]).mean())

    low, high = 1 / FLATTEST, 1 / SHARPEST  # it is convex in the inverse, so a search by thirds finds the one minimum
    for _ in range(ROUNDS):
        first, second = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, second) if surprise(first) < surprise(second) else (first, high)
    return 2 / (low + high)


def divide_scores(network: keras.Model, temperature: float) -> None:
    """Divide the scores before a network's softmax, in its last dense layer, so that its files need nothing more."""
    dense = next(layer for layer in reversed(network.layers) if isinstance(layer, keras.layers.Dense))
    dense.set_weights([weights / temperature for weights in dense.get_weights()])
