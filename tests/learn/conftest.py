"""What tests of training share."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import pytest

from roomread.learn.export import make_card, save_keras
from roomread.learn.model import tiny


@pytest.fixture
def teacher(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a network, `tiny` if none is given, with a card or without, and returns its path."""

    def write(network: keras.Model | None = None, name: str = "teacher.keras", carded: bool = True) -> Path:
        path = tmp_path / name
        network = tiny() if network is None else network
        with warnings.catch_warnings():  # TensorFlow's variables do not know NumPy's newer arguments
            warnings.simplefilter("ignore", DeprecationWarning)
            save_keras(network, path)
        if carded:
            make_card(path, network, "", {})
        return path

    return write
