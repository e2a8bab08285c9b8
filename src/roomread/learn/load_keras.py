"""Keras files of anybody: read as data first, built only when every part is one of Keras's own plain layers."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras

from roomread.errors import ModelError
from roomread.types import Array

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


def open_keras(path: Path) -> tuple[Any, tuple[Any, ...], tuple[Any, ...], bool]:
    """Return a function that answers, the shapes of input and output, and whether the network rescales.

    Raises:
        ModelError: the file is damaged, holds weights only, holds code or unknown parts, has several inputs or outputs,
            or does not end in a softmax.
    """
    config = _config_of(path)
    _check_parts(path, config)
    try:
        network = keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, zipfile.BadZipFile) as error:
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

    def answer(faces: Array) -> Array:
        answers: Array = network.predict_on_batch(faces)
        return answers

    rescales = any(part.get("class_name") in RESCALING for part in _parts(config))
    return answer, tuple(network.inputs[0].shape), tuple(network.outputs[0].shape), rescales


def _config_of(path: Path) -> Any:
    """Return the network's description, plain data; nothing is built."""
    try:
        if path.suffix == ".keras":  # told apart as Keras does, so that what is checked is what is built
            with zipfile.ZipFile(path) as file:
                return json.loads(file.read("config.json"))
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, RuntimeError) as error:
        raise ModelError(f"The model {path} is damaged or no Keras file: {error}.") from error
    if text is None:
        raise ModelError(f"{path} holds weights without a network. Expected: a whole model, saved by model.save().")
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
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
