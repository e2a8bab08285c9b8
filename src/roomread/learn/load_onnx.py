"""ONNX files of anybody, without a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from roomread.errors import ModelError
from roomread.types import Array

PASSING = ("Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten")  # leave values as they are
SCALING = ("Mul", "Div", "Sub", "Add")


def open_onnx(path: Path) -> tuple[Any, tuple[Any, ...], tuple[Any, ...], bool]:
    """Return a function that answers, the shapes of input and output, and whether the network rescales.

    Raises:
        ModelError: the file is damaged, keeps weights in other files, has several inputs or outputs, or does not end in
            a softmax.
    """
    try:
        graph = onnx.load(path, load_external_data=False).graph
        if any(onnx.external_data_helper.uses_external_data(values) for values in graph.initializer):
            raise ModelError(f"{path} keeps its weights in other files. Expected: everything in one file.")
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except (OSError, DecodeError, *_failures()) as error:
        raise ModelError(f"The model {path} is no readable ONNX file: {error}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type != "tensor(float)":
        raise ModelError(f"{path} is no classifier of faces. Expected: one input of float32 and one output.")
    if not _ends_in_softmax(graph, outputs[0].name):
        raise ModelError(f"{path} does not answer with probabilities. Expected: a softmax at its end.")

    def answer(faces: Array) -> Array:
        try:
            answers: Array = session.run(None, {inputs[0].name: faces})[0]
        except tuple(_failures()) as error:
            raise ModelError(f"{path} does not take an input of {faces.shape}: {error}") from error
        return answers

    return answer, tuple(inputs[0].shape), tuple(outputs[0].shape), _rescales(graph, inputs[0].name)


def _failures() -> tuple[type[Exception], ...]:
    state = onnxruntime.capi.onnxruntime_pybind11_state
    return state.InvalidProtobuf, state.Fail, state.InvalidGraph, state.InvalidArgument, state.NotImplemented


def _rescales(graph: Any, name: str) -> bool:
    """Tell whether the first thing that happens to the input is a scaling by constants."""
    constants = {values.name: int(np.prod(values.dims)) for values in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            tensor = next((one.t for one in node.attribute if one.name == "value"), None)
            constants[node.output[0]] = 1 if tensor is None else int(np.prod(tensor.dims))
    reached = {name}
    for node in graph.node:
        if not reached & set(node.input):
            continue
        if node.op_type in PASSING:
            reached |= set(node.output)
        elif node.op_type in SCALING:
            return all(other in reached or constants.get(other, 9) == 1 for other in node.input)
        else:
            return False
    return False


def _ends_in_softmax(graph: Any, name: str) -> bool:
    makers = {output: node for node in graph.node for output in node.output}
    while name in makers and makers[name].op_type in PASSING:
        name = makers[name].input[0]
    return name in makers and makers[name].op_type == "Softmax"
