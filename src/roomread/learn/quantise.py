"""An expression model in whole numbers of eight bits: smaller, and faster on processors that multiply them."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from roomread.faces.expression import ExpressionModel
from roomread.learn.datasets import TRAINING_WITHOUT_VALIDATION, LabelledFaces
from roomread.learn.evaluation import Evaluation, evaluate
from roomread.modelcard import read_card, sha256_of, write_card
from roomread.output import write_whole
from roomread.types import Array

SAMPLE = 512  # faces that the ranges are taken from
BATCH = 64  # faces at a time
# The rest, pooling and softmax, is quick and stays exact; so do sums with a constant, which are slower in eight bits.
ROUNDED = ["Conv", "Add", "Relu", "MaxPool", "AveragePool"]


class _Faces(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime is not typed
    """Hands out faces in batches, as the quantiser asks for them."""

    def __init__(self, name: str, faces: Array) -> None:
        self.batches: Iterator[dict[str, Array]] = (
            {name: faces[start : start + BATCH].astype(np.float32)} for start in range(0, len(faces), BATCH)
        )

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch, None after the last."""
        return next(self.batches, None)


def quantise(path: Path, faces: LabelledFaces, seed: int = 0) -> tuple[Path, Evaluation]:
    """Write an expression model with weights and activations in eight bits, with its card, beside the model.

    Weights have a scale for each channel, activations the ranges that faces of Training less `validation` give.
    Rounding changes probabilities by a few hundredths, so the new file is judged anew.

    Args:
        path: the model, float32, with its card.
        faces: a data set with the split Training.
        seed: of the lot by which SAMPLE faces are drawn.

    Returns:
        NAME-int8.onnx, and its figures on `validation`.

    Raises:
        ModelError: the model or its card cannot be read.
        OutputError: a file cannot be written.
    """
    card = read_card(path, "expression")
    out = path.with_name(f"{path.stem}-int8.onnx")
    fitted = faces.split(TRAINING_WITHOUT_VALIDATION).images
    sample = fitted[np.random.default_rng(seed).permutation(len(fitted))[:SAMPLE]]
    write_whole({out: lambda new: _write(path, sample, new)})
    card = dataclasses.replace(
        card,
        name=f"{card.name}, int8",
        sha256=sha256_of(out),
        origin=f"{path.name}, quantised by roomread's `learn.quantise`: QDQ, a scale per channel, {len(sample)} faces",
        figures=(),
        recipe={**card.recipe, "files": {}},
    )
    write_card(card, out)
    figures = evaluate(ExpressionModel(path=out), faces, "validation")
    write_card(dataclasses.replace(card, figures=(figures.as_dict(),)), out)
    return out, figures


def _write(path: Path, faces: Array, out: Path) -> None:
    name = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_inputs()[0].name
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        quant_pre_process(path, folded, skip_symbolic_shape=True)  # the batch has no fixed size
        graph = onnx.load(folded).graph
        known = {weights.name for weights in graph.initializer}
        rescaling = [node.name for node in graph.node if node.op_type == "Add" and known & set(node.input)]
        quantize_static(
            folded, out, _Faces(name, faces), op_types_to_quantize=ROUNDED, nodes_to_exclude=rescaling,
            per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
