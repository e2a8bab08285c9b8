"""What a network is made of, as a table and as a figure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
from matplotlib.patches import FancyBboxPatch

from roomread import style
from roomread.learn.figures import save_figure, start_figure

ATTACHED = (
    keras.layers.BatchNormalization,
    keras.layers.ReLU,
    keras.layers.Activation,
    keras.layers.Dropout,
    keras.layers.Softmax,
)  # drawn with the layer before them


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One layer of a network.

    shape: of what it gives for one face.
    multiply_adds: for one face, of convolutions and dense layers; the others' are few beside them.
    inputs: positions of the layers that feed it.
    """

    name: str
    words: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    inputs: tuple[int, ...]
    attached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A network's layers in the order of the data."""

    name: str
    layers: tuple[LayerRow, ...]

    @property
    def parameters(self) -> int:
        """Number of all weights, those of batch normalisation included."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Number for one face."""
        return sum(layer.multiply_adds for layer in self.layers)


def describe(network: keras.Model) -> Architecture:
    """Return what a network is made of."""
    places = {id(layer.output): place for place, layer in enumerate(network.layers)}
    rows = []
    for place, layer in enumerate(network.layers):
        fed = [] if isinstance(layer, keras.layers.InputLayer) else keras.tree.flatten(layer.input)
        inputs = tuple(places[id(tensor)] for tensor in fed if id(tensor) in places and places[id(tensor)] < place)
        rows.append(
            LayerRow(
                name=layer.name,
                words=_words(layer),
                shape=tuple(layer.output.shape[1:]),
                parameters=layer.count_params(),
                multiply_adds=_multiply_adds(layer),
                inputs=inputs,
                attached=isinstance(layer, ATTACHED) and len(inputs) == 1,
            )
        )
    return Architecture(name=network.name, layers=tuple(rows))


def _multiply_adds(layer: Any) -> int:
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
        return int(math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1]))
    return 0


def _words(layer: Any) -> str:
    """Return what a layer does in few words."""
    kind = type(layer).__name__
    if isinstance(layer, keras.layers.InputLayer):
        return "faces, gray, 0 to 255"
    if isinstance(layer, keras.layers.Conv2D):
        stride = "" if layer.strides == (1, 1) else f" by {layer.strides[0]}"
        penalty = "" if layer.kernel_regularizer is None else ", L2"
        unpadded = ", unpadded" if layer.padding == "valid" else ""
        sides = " × ".join(map(str, layer.kernel_size))
        return f"convolution {sides}{stride}{unpadded}{penalty}" + _activation(layer)
    if isinstance(layer, keras.layers.Dense):
        return f"dense {layer.units}" + _activation(layer)
    if isinstance(layer, keras.layers.Dropout):
        return f"dropout {layer.rate:g}"
    if isinstance(layer, keras.layers.Activation):
        return _activation(layer).removeprefix(" · ")
    plain = {
        "Rescaling": "rescaling",
        "MaxPooling2D": "maximum of 2 × 2",
        "AveragePooling2D": "mean of 2 × 2",
        "GlobalAveragePooling2D": "mean of each channel",
        "BatchNormalization": "batch norm.",
        "Add": "sum",
    }
    return plain.get(kind, kind if kind == "ReLU" else kind.lower())


def _activation(layer: Any) -> str:
    names = {"linear": "", "relu": " · ReLU"}
    return names.get(layer.activation.__name__, f" · {layer.activation.__name__}")


def as_text(architecture: Architecture) -> str:
    """Return the table of layers as lines for a terminal."""
    words = max(len(layer.words) for layer in architecture.layers)
    lines = [f"{'layer':{words}}  {'gives':>14}  {'parameters':>12}  {'multiply-adds':>14}"]
    for layer in architecture.layers:
        sums = f"{layer.multiply_adds:14,}" if layer.multiply_adds else f"{'':14}"
        weights = f"{layer.parameters:12,}" if layer.parameters else f"{'':12}"
        lines.append(f"{layer.words:{words}}  {_shape(layer.shape):>14}  {weights}  {sums}".rstrip())
    lines.append(
        f"{architecture.name}: {architecture.parameters:,} parameters, {architecture.multiply_adds:,} multiply-adds a "
        "face"
    )
    return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


@dataclass(slots=True)
class _Block:
    """A layer with what is attached to it, as one block of the figure."""

    words: list[str]
    shape: tuple[int, ...]
    parameters: int
    inputs: list[int]


def _blocks(architecture: Architecture) -> list[_Block]:
    blocks: list[_Block] = []
    home: dict[int, int] = {}  # of each layer: its block
    for place, layer in enumerate(architecture.layers):
        if layer.attached:
            block = blocks[home[layer.inputs[0]]]
            block.words.append(layer.words)
            block.parameters += layer.parameters
            home[place] = home[layer.inputs[0]]
        else:
            home[place] = len(blocks)
            inputs = [home[other] for other in layer.inputs]
            blocks.append(_Block([layer.words], layer.shape, layer.parameters, inputs))
    return _in_reading_order(blocks)


def _in_reading_order(blocks: list[_Block]) -> list[_Block]:
    """Return the blocks so that each way round stands whole, after the longer way that it goes round."""
    depth: list[int] = []
    for block in blocks:
        depth.append(1 + max((depth[source] for source in block.inputs), default=0))
    order: list[int] = []
    waiting = [(len(blocks) - 1, False)]
    while waiting:
        place, ready = waiting.pop()
        if place in order:
            continue
        if ready:
            order.append(place)
            continue
        longest_first = sorted(blocks[place].inputs, key=lambda source: -depth[source])
        waiting += [(place, True), *((source, False) for source in reversed(longest_first))]
    rows = {place: row for row, place in enumerate(order)}
    return [replace(blocks[place], inputs=[rows[source] for source in blocks[place].inputs]) for place in order]


def _lanes(blocks: list[_Block]) -> dict[tuple[int, int], int]:
    """Return for each way that passes other blocks, (from, to), how far out it runs, so that no two lie on another."""
    ways = [(source, row) for row, block in enumerate(blocks) for source in block.inputs if row > source + 1]
    lanes: dict[tuple[int, int], int] = {}
    for source, row in sorted(ways, key=lambda way: way[1] - way[0]):
        taken = {lane for (a, b), lane in lanes.items() if a <= row and source <= b}
        lanes[source, row] = next(lane for lane in range(len(ways)) if lane not in taken)
    return lanes


def draw_architecture(architecture: Architecture, path: Path) -> Path:
    """Draw a network from top to bottom, one block for each layer with weights, pooling or sum; return the path.

    A block is as wide as its picture has pixels from side to side, and as dark as it has channels; ways round are drawn
    on the left, and a layer that changes nothing but values (normalisation, ReLU, dropout) stands with the one before.

    Raises:
        OutputError: the figure cannot be written.
    """
    blocks = _blocks(architecture)
    lanes = _lanes(blocks)
    figure, axes = start_figure(8.6, 1.1 + 0.3 * len(blocks))
    ax = axes[0, 0]
    ax.set_axis_off()
    ax.set(xlim=(-1.7, 6.9), ylim=(len(blocks) - 0.4, -1.5))
    title = f"{architecture.name}: {architecture.parameters:,} parameters, "
    title += f"{architecture.multiply_adds / 1e6:,.1f} million multiply-adds a face"
    ax.set_title(title, loc="left", fontsize=10, fontweight="bold")
    heads = ((0, "gives", "center"), (1.45, "layer", "left"), (6.8, "parameters", "right"))
    for x, text, side in heads:
        ax.text(x, -0.95, text, ha=side, va="center", color=style.LIGHT.muted)
    for row, block in enumerate(blocks):
        _draw_block(ax, row, block)
        for source in block.inputs:
            _draw_edge(ax, (source, row), blocks, lanes.get((source, row)))
    return save_figure(figure, path)


def _half_width(block: _Block) -> float:
    side = block.shape[0] if len(block.shape) == 3 else 24
    return 0.45 + 0.75 * side / 48


def _draw_block(ax: Any, row: int, block: _Block) -> None:
    half, channels = _half_width(block), block.shape[-1]
    colour = style.SCALE[min(len(style.SCALE) - 1, max(0, round(math.log2(max(1, channels)) - 4) + 1))]
    if len(block.shape) == 1:
        colour = style.LIGHT.notice
    ax.add_patch(
        FancyBboxPatch(
            (-half, row - 0.3), 2 * half, 0.6, boxstyle="round,pad=0,rounding_size=0.08", facecolor=colour,
            edgecolor=style.LIGHT.muted, linewidth=0.6, zorder=2,
        )
    )  # fmt: skip
    ax.text(0, row, _shape(block.shape), ha="center", va="center", fontsize=8, color=style.ink(colour), zorder=3)
    ax.text(1.45, row, " · ".join(block.words), ha="left", va="center", fontsize=8.5)
    if block.parameters:
        ax.text(6.8, row, f"{block.parameters:,}", ha="right", va="center", fontsize=8.5)


def _draw_edge(ax: Any, way: tuple[int, int], blocks: list[_Block], lane: int | None) -> None:
    source, row = way
    arrow = {"arrowstyle": "-|>", "color": style.LIGHT.muted, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    if lane is None:
        ax.annotate("", (0, row - 0.3), (0, source + 0.3), arrowprops=arrow)
        return
    x = -1.3 - 0.15 * lane
    left, right = -_half_width(blocks[source]), -_half_width(blocks[row])
    line = {"color": style.LIGHT.muted, "linewidth": 0.9, "zorder": 1, "solid_joinstyle": "round"}
    ax.plot([left, x, x, right - 0.05], [source + 0.12, source + 0.12, row - 0.12, row - 0.12], **line)
    ax.annotate("", (right, row - 0.12), (right - 0.12, row - 0.12), arrowprops=arrow)
