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
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}  # of each device
_STATE = onnxruntime.capi.onnxruntime_pybind11_state
FAILURES = (  # of a model file that is damaged, or does not fit what it is given; some messages repeat its bytes
    _STATE.InvalidProtobuf, _STATE.Fail, _STATE.InvalidGraph, _STATE.InvalidArgument, _STATE.NotImplemented,
    _STATE.RuntimeException, UnicodeDecodeError,
)  # fmt: skip
MOST_THREADS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a network runs on."""

    threads: int = DEFAULT_THREADS  # processor threads
    device: str = "cpu"  # or cuda: an NVIDIA card, with the package onnxruntime-gpu in place of onnxruntime

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= MOST_THREADS:
            raise ValueError(f"threads must lie between 1 and {MOST_THREADS}. Received: {self.threads}.")
        if self.device not in PROVIDERS:
            raise ValueError(f"device must be one of {', '.join(PROVIDERS)}. Received: {self.device}.")


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


def providers() -> tuple[str, ...]:
    """Return the devices that the installed ONNX Runtime can use, of those that we ask for."""
    there = onnxruntime.get_available_providers()
    return tuple(device for device, name in PROVIDERS.items() if name in there)


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
        except FAILURES as error:
            raise ModelError(f"The model {self.card.name} does not take an input of {batch.shape}: {error}") from error
        return dict(zip(self.outputs, values, strict=True))


def open_network(path: Path, task: str, runtime: Runtime | None = None) -> Network:
    """Open a model file whose card fits it.

    Args:
        path: the ONNX file; its card lies beside it.
        task: what it must be for, see `ModelCard.task`.
        runtime: what it runs on; None takes the usual threads of the processor.

    Raises:
        ModelError: the file or its card is missing, damaged, or for something else, or the device cannot be used.
    """
    card = read_card(path, task)
    runtime = Runtime() if runtime is None else runtime
    provider = PROVIDERS[runtime.device]
    if provider not in onnxruntime.get_available_providers():
        raise _no_device(runtime.device, "the installed ONNX Runtime cannot use it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = runtime.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the cores alone
    try:
        again = runtime.device != "cpu"  # a second try with the processor is told on stdout
        session = onnxruntime.InferenceSession(path, options, providers=[provider], enable_fallback=again)
    except FAILURES as error:
        raise ModelError(f"The model {path} is no readable ONNX file: {error}") from error
    if session.get_providers()[0] != provider:  # it goes on with the processor when the card's libraries do not load
        raise _no_device(runtime.device, "it, its driver or its libraries were not found")
    return Network(card, session, tuple(output.name for output in session.get_outputs()))


def _no_device(device: str, why: str) -> ModelError:
    return ModelError(
        f"No network can run on the device {device}: {why}. Expected: an NVIDIA card with its driver, and the package "
        "onnxruntime-gpu installed in place of onnxruntime. Use the device cpu otherwise."
    )
