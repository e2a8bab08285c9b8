"""The one way to open a network."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from roomread.errors import ModelError
from roomread.modelcard import ModelCard, read_card
from roomread.types import Array

DEFAULT_THREADS = min(2, os.cpu_count() or 1)  # more take the machine from the lesson for little speed


# What processors call their instructions that multiply and add whole numbers of eight bits at once.
BYTE_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}


def multiplies_bytes() -> bool:
    """Tell whether this processor is known to be quicker with networks in eight bits."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        return not BYTE_PRODUCTS.isdisjoint(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """An opened network with one input.

    card: what travels with it.
    """

    card: ModelCard
    session: onnxruntime.InferenceSession
    outputs: tuple[str, ...]

    def __call__(self, batch: Array) -> dict[str, Array]:
        """Return every output by its name for one float32 batch.

        Raises:
            ModelError: the input's shape does not fit the network.
        """
        name = self.session.get_inputs()[0].name
        try:
            values = self.session.run(None, {name: batch.astype(np.float32, copy=False)})
        except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument as error:
            raise ModelError(f"The model {self.card.name} does not take an input of {batch.shape}: {error}") from error
        return dict(zip(self.outputs, values, strict=True))


def open_network(path: Path, task: str, threads: int | None = None) -> Network:
    """Open a model file whose card fits it.

    Args:
        path: the ONNX file; its card lies beside it.
        task: what it must be for, see `ModelCard.task`.
        threads: processor threads it may use; None takes DEFAULT_THREADS.

    Raises:
        ModelError: the file or its card is missing, damaged, or for something else.
    """
    card = read_card(path, task)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = DEFAULT_THREADS if threads is None else threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the cores alone
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (
        onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf,
        onnxruntime.capi.onnxruntime_pybind11_state.Fail,
        onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph,
    ) as error:
        raise ModelError(f"The model {path} is no readable ONNX file: {error}") from error
    return Network(card, session, tuple(output.name for output in session.get_outputs()))
