"""ONNX files of anybody, without a card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from roomread.errors import ModelError
from roomread.faces.onnx import FAILURES
from roomread.preprocess import FACE_SIZE, GRAY_LEVELS
from roomread.types import Array

MOVING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten")  # the channels are elsewhere afterwards
PASSING = ("Identity", "Cast", *MOVING)  # leave values as they are
SCALING = ("Mul", "Div", "Sub", "Add")


def open_onnx(
    path: Path, cut: Callable[[list[Any]], int] | None = None
) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], bool]:
    """Return the function that answers, the shapes of input and output, and whether the network rescales.

    With a `cut` (see `load.Cut`) there are two functions, the second of which takes what the first makes.

    Raises:
        ModelError: the file is damaged, keeps weights in other files, has several inputs or outputs, or does not end in
            a softmax.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except (OSError, DecodeError) as error:
        raise ModelError(f"The model {path} is no readable ONNX file: {error}") from error
    graph = model.graph
    if any(onnx.external_data_helper.uses_external_data(values) for values in graph.initializer):
        raise ModelError(f"{path} keeps its weights in other files. Expected: everything in one file.")
    session = _start(path, path.read_bytes())
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type != "tensor(float)":
        raise ModelError(f"{path} is no classifier of faces. Expected: one input of float32 and one output.")
    if not _ends_in_softmax(graph, outputs[0].name):
        raise ModelError(f"{path} does not answer with probabilities. Expected: a softmax at its end.")
    first, last = inputs[0].name, outputs[0].name
    parts = (_answer(path, session),) if cut is None else _halves(path, model, first, last, cut)
    return parts, tuple(inputs[0].shape), tuple(outputs[0].shape), _rescales(graph, first)


def _start(path: Path, content: bytes) -> Any:
    try:
        return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"], enable_fallback=False)
    except FAILURES as error:
        raise ModelError(f"The model {path} is no readable ONNX file: {error}") from error


def _answer(path: Path, session: Any) -> Callable[[Array], Array]:
    name = session.get_inputs()[0].name

    def answer(given: Array) -> Array:
        try:
            answers: Array = session.run(None, {name: given})[0]
        except FAILURES as error:
            raise ModelError(f"{path} does not take an input of {given.shape}: {error}") from error
        return answers

    return answer


def _halves(path: Path, model: Any, first: str, last: str, cut: Callable[[list[Any]], int]) -> tuple[Any, Any]:
    """Return two functions, the first of which ends in feature maps, channels last."""
    faces = next(one for one in model.graph.input if one.name == first)
    for side in faces.type.tensor_type.shape.dim[1:]:
        if not side.dim_value:  # free, see `load.check_shapes`
            side.dim_value = FACE_SIZE
    model.ir_version = max(model.ir_version, 4)  # before, every constant had to be an input too
    try:
        model = onnx.shape_inference.infer_shapes(model)
        middle = model.graph.node[cut(_steps(model.graph, first, last))].output[0]
        extract = onnx.utils.Extractor(model).extract_model
        halves = [extract([first], [middle]).SerializeToString(), extract([middle], [last]).SerializeToString()]
    except (ValueError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"The model {path} cannot be cut in two: {error}") from error
    head, tail = (_answer(path, _start(path, half)) for half in halves)
    return lambda faces: np.moveaxis(head(faces), 1, -1), lambda maps: tail(np.moveaxis(maps, -1, 1))


def _steps(graph: Any, first: str, last: str) -> list[Any]:
    """Return the nodes as `load.Step`, up to the one that answers."""
    kinds = {one.name: one.type.tensor_type for one in graph.value_info}
    reached, maps, steps = {first}, set[str](), []
    end = next(position for position, node in enumerate(graph.node) if last in node.output)
    for node in graph.node[: end + 1]:
        made, used, size = node.output[0], reached & set(node.input), None
        if used:
            reached |= set(node.output)
        sides: Any = kinds[made].shape.dim if made in kinds else ()
        if len(sides) == 4 and ("Conv" in node.op_type or used & maps) and node.op_type not in MOVING:
            maps.add(made)  # (n, k, h, w), as in every convolution of ONNX
            if kinds[made].elem_type == onnx.TensorProto.FLOAT:
                size = (sides[2].dim_value, sides[3].dim_value)
        steps.append((tuple(node.output), used, size))
    return steps


def _rescales(graph: Any, name: str) -> bool:
    """Tell whether the input's name says so, or the first thing that happens to it is a scaling by constants."""
    if name == GRAY_LEVELS:
        return True
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
