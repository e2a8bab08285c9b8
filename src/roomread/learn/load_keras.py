"""Keras files of anybody: read as data first, built only when every part is one of Keras's own plain layers."""

from __future__ import annotations

import functools
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras

from roomread.errors import ModelError
from roomread.outside import read_apart
from roomread.preprocess import FACE_SIZE, GRAY_LEVELS

Call = tuple[Any, tuple[tuple[Any, ...], dict[str, Any]], Any]  # a layer, what it is called with, and what it makes
MOVING = (keras.layers.Permute, keras.layers.Reshape)  # the channels are elsewhere afterwards
RESCALING = ("Rescaling", "Normalization")

# What a file may ask to be built. No layer of this list runs code of the file's or opens another file; Lambda and its
# like, text layers (they read vocabularies) and everything registered by a package are left out.
LAYERS = {
    "Functional", "Sequential", "Model", "InputLayer", "Rescaling", "Normalization", "Resizing", "CenterCrop",
    "ZeroPadding2D", "Cropping2D", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness", "RandomCrop", "GaussianNoise", "Conv2D", "SeparableConv2D",
    "DepthwiseConv2D", "Conv2DTranspose", "Convolution2D", "Dense", "Flatten", "Reshape", "Permute", "Activation",
    "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "BatchNormalization", "LayerNormalization",
    "GroupNormalization", "UnitNormalization", "MaxPooling2D", "AveragePooling2D", "GlobalMaxPooling2D",
    "GlobalAveragePooling2D", "MaxPool2D", "AvgPool2D", "UpSampling2D", "Dropout", "SpatialDropout2D",
    "AlphaDropout", "GaussianDropout", "ActivityRegularization", "Add", "Subtract", "Multiply", "Average",
    "Maximum", "Minimum", "Concatenate",
}  # fmt: skip
PARTS = {
    "__tensor__", "__keras_tensor__", "DTypePolicy", "Policy", "SeedGenerator", "Zeros", "Ones", "Constant",
    "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal", "Identity", "L1", "L2", "L1L2", "MaxNorm",
    "NonNeg", "UnitNorm", "MinMaxNorm",
}  # fmt: skip
OWN_PACKAGES = (None, "keras", "tensorflow", "tf_keras", "builtins")  # None: files of Keras 2 name none

# HDF5 reads some damaged files for ever, see `outside.read_apart`; what this comes to the end of can be read here too.
READ_HDF5 = """
import h5py, sys
def look(_, one):
    dict(one.attrs)
    if isinstance(one, h5py.Dataset):
        one[()]
with h5py.File(sys.argv[1], "r") as file:
    dict(file.attrs)
    file.visititems(look)
"""


def open_keras(
    path: Path, cut: Callable[[list[Any]], int] | None = None
) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], bool]:
    """Return the function that answers, the shapes of input and output, and whether the network rescales.

    With a `cut` (see `load.Cut`) there are two functions, the second of which takes what the first makes.

    Raises:
        ModelError: as `read_network` does.
    """
    network, rescales = read_network(path)
    given, answered = tuple(network.inputs[0].shape), tuple(network.outputs[0].shape)
    parts: tuple[Any, ...] = (network.predict_on_batch,) if cut is None else _halves(network, cut)
    return parts, given, answered, rescales


def read_network(path: Path) -> tuple[Any, bool]:
    """Return the network, and whether it takes gray levels of 0 to 255 as they are.

    Raises:
        ModelError: the file is damaged, holds weights only, holds code or unknown parts, has several inputs or outputs,
            or does not end in a softmax.
    """
    config = _config_of(path)
    _check_parts(path, config)
    try:
        network = _build(path, config)
    except (
        OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        reason = str(error).strip().split("\n")[0]
        raise ModelError(
            f"The model {path} cannot be built: {reason} Expected: a whole model saved by Keras."
        ) from error
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ModelError(
            f"{path} is no classifier of faces. Expected: one input and one output. "
            f"Received: {len(network.inputs)} and {len(network.outputs)}."
        )
    if not _ends_in_softmax(network):
        raise ModelError(f"{path} does not answer with probabilities. Expected: a softmax at its end.")
    rescales = network.inputs[0].name == GRAY_LEVELS or any(
        part.get("class_name") in RESCALING for part in _parts(config)
    )
    return network, rescales


def _halves(network: Any, cut: Callable[[list[Any]], int]) -> tuple[Any, Any]:
    """Return two functions, the first of which ends in feature maps, channels last."""
    faces = keras.Input([FACE_SIZE if side is None else side for side in network.inputs[0].shape[1:]])
    calls: list[Call] = []
    last = _call(calls, network, faces)
    steps, maps = _steps(calls)
    position = cut(steps)
    middle = calls[position][-1]
    channel_first = maps[id(middle)]
    head = keras.Model(faces, keras.layers.Permute((2, 3, 1))(middle) if channel_first else middle)
    features = keras.Input(head.output.shape[1:])
    tensors = {id(middle): keras.layers.Permute((3, 1, 2))(features) if channel_first else features}
    for layer, given, made in calls[position + 1 :]:
        args, kwargs = keras.tree.map_structure(lambda one: tensors.get(id(one), one), given)
        tensors[id(made)] = layer(*args, **kwargs)
    return head.predict_on_batch, keras.Model(features, tensors[id(last)]).predict_on_batch


def _call(calls: list[Call], layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a layer, add that to `calls`, and return what it makes; of a network, every layer of it is called."""
    if isinstance(layer, keras.Sequential):
        return functools.reduce(lambda made, part: _call(calls, part, made), layer.layers, args[0])
    if isinstance(layer, keras.Model):  # as keras.models.clone_model goes through one, which cannot start in the middle
        return layer._run_through_graph(args, operation_fn=lambda part: functools.partial(_call, calls, part))
    layer.name = f"{layer.name}_{len(calls)}"  # networks within one another may use a name again
    layer.dtype_policy = "float32"  # in half precision small differences are lost
    made = layer(*args, **kwargs)
    calls.append((layer, (args, kwargs), made))
    return made


def _steps(calls: list[Call]) -> tuple[list[Any], dict[int, bool]]:
    """Return the calls as `load.Step`, and for each feature map whether its channel comes first."""
    maps: dict[int, bool] = {}
    steps = []
    for layer, given, made in calls:
        used = {id(one) for one in keras.tree.flatten(given) if isinstance(one, keras.KerasTensor)}
        if hasattr(layer, "kernel_size"):
            maps[id(made)] = layer.data_format == "channels_first"
        elif used & maps.keys() and len(made.shape) == 4 and not isinstance(layer, MOVING):
            maps[id(made)] = maps[min(used & maps.keys())]
        size = tuple(made.shape[2:] if maps[id(made)] else made.shape[1:3]) if id(made) in maps else None
        steps.append(((id(made),), used, size))
    return steps, maps


def _build(path: Path, config: dict[str, Any]) -> Any:
    """Return the network; a Sequential of Keras 2 that got an `input_shape` is put into the words of Keras 3 first.

    Its first layer says that shape, before Keras 2.4 without an InputLayer; Keras 3 misreads that in .h5 files, and in
    .keras files takes neither that nor the axis of a BatchNormalization, which is a list there.
    """
    inner = config["config"]
    layers = inner["layers"] if isinstance(inner, dict) and "layers" in inner else inner
    shapes = [layer["config"]["batch_input_shape"] for layer in layers if "batch_input_shape" in layer["config"]]
    if config["class_name"] != "Sequential" or not shapes:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    entry = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": shapes[0]}}
    renewed = [entry, *(_renewed(layer) for layer in layers if layer["class_name"] != "InputLayer")]
    network = keras.Sequential.from_config({"name": "sequential", "layers": renewed})
    network.load_weights(path)
    return network


def _renewed(layer: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's description without the shape of the network's input, and with a single axis as a number."""
    values = {name: value for name, value in layer["config"].items() if name != "batch_input_shape"}
    if isinstance(values.get("axis"), list) and len(values["axis"]) == 1:
        values["axis"] = values["axis"][0]
    return {**layer, "config": values}


def _config_of(path: Path) -> Any:
    """Return the network's description, plain data; nothing is built."""
    try:
        if path.suffix == ".keras":  # told apart as Keras does, so that what is checked is what is built
            if h5py.is_hdf5(path):
                raise ModelError(f"{path} is an HDF5 file, as Keras 2 wrote it. Give its name the ending .h5.")
            with zipfile.ZipFile(path) as file:
                return json.loads(file.read("config.json"))
        read_apart(path, READ_HDF5)
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"The model {path} is damaged or no Keras file: {reason}.") from error
    if text is None:
        raise ModelError(f"{path} holds weights without a network. Expected: a whole model, saved by model.save().")
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"The model {path} is damaged: its description is no JSON.") from error


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a description that names a class; how it was trained is not read at all."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for key, value in config.items():
            if key != "compile_config":
                yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)


def _check_parts(path: Path, config: Any) -> None:
    if not isinstance(config, dict):
        raise ModelError(f"The model {path} is damaged: it describes no network.")
    for part in _parts(config):
        kind, module, registered = part["class_name"], part.get("module"), part.get("registered_name")
        if kind in ("Lambda", "__lambda__", "function"):
            raise ModelError(
                f"{path} holds code ({kind}), which is not run, because a model file can come from anybody. "
                "Expected: layers of Keras alone. Replace the Lambda layer, such as by Rescaling, and save again."
            )
        own = (None if module is None else str(module).split(".")[0]) in OWN_PACKAGES
        known = isinstance(kind, str) and kind in LAYERS | PARTS
        if not (known and own and registered in (None, kind)):
            raise ModelError(f"{path} has a part that is not built here: {kind}. Expected: plain layers of Keras.")


def _ends_in_softmax(network: Any) -> bool:
    last = network.outputs[0]
    layer = next((one for one in reversed(network.layers) if one.output is last), network.layers[-1])
    if hasattr(layer, "layers"):
        return _ends_in_softmax(layer)
    return isinstance(layer, keras.layers.Softmax) or getattr(layer, "activation", None) is keras.activations.softmax
