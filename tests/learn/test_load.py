"""Opening models of anybody."""

from __future__ import annotations

import io
import json
import logging
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import onnx
import pytest
from keras import layers
from numpy.testing import assert_allclose, assert_array_equal

from roomread.errors import ModelError
from roomread.learn.datasets import LabelledFaces
from roomread.learn.export import export_onnx, make_card, save_keras
from roomread.learn.load import open_model
from roomread.learn.model import MODELS
from roomread.modelcard import PUBLISHED, sha256_of
from roomread.types import EMOTIONS, Array

pytestmark = [
    pytest.mark.learn,
    pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
ALPHABET = sorted(EMOTIONS)


def small(
    rescales: bool = True, side: int = 48, channels: int = 1, outputs: int = 7, end: str = "softmax"
) -> keras.Model:
    """Return an untrained network that tells faces apart."""
    keras.utils.set_random_seed(3)
    before = [layers.Rescaling(1 / 255)] if rescales else []
    return keras.Sequential(
        [
            keras.Input((side, side, channels)),
            *before,
            layers.Conv2D(4, 3, strides=4, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(outputs, activation=end),
        ]
    )


def saved(network: keras.Model, path: Path) -> Path:
    if path.suffix == ".onnx":
        export_onnx(network, path, np.zeros((1, *network.input_shape[1:]), np.uint8))
    else:
        save_keras(network, path)
    return path


def answers(network: keras.Model, faces: Array, scale: float = 1.0) -> Array:
    given: Array = network(faces.astype(np.float32) * np.float32(scale), training=False).numpy()
    return given


@pytest.mark.parametrize("ending", [".keras", ".h5", ".onnx"])
@pytest.mark.parametrize("rescales", [True, False], ids=["rescaling", "none"])
def test_a_model_without_a_card_gets_the_range_that_its_structure_says_and_answers_in_our_order(
    labelled_faces: LabelledFaces, tmp_path: Path, ending: str, rescales: bool
) -> None:
    network, faces = small(rescales), labelled_faces.images[:5]
    model = open_model(saved(network, tmp_path / f"theirs{ending}"), "folder")
    expected = answers(network, faces, 1 if rescales else 1 / 255)
    received = model.predict_faces(faces)
    assert received.dtype == np.float32
    for column, emotion in enumerate(EMOTIONS):
        assert_allclose(received[:, column], expected[:, ALPHABET.index(emotion)], atol=1e-5)
    assert model.predict_faces(faces[:0]).shape == (0, 7)
    assert model.name == f"theirs{ending}"


@pytest.mark.parametrize("ending", [".keras", ".h5", ".onnx"])
def test_our_network_without_its_card_still_gets_gray_levels(
    labelled_faces: LabelledFaces, tmp_path: Path, ending: str
) -> None:
    network, faces = MODELS["compact"](), labelled_faces.images[:5]
    model = open_model(saved(network, tmp_path / f"copied{ending}"), "fer2013")
    assert_allclose(model.predict_faces(faces), answers(network, faces), atol=1e-4)


def test_the_order_of_classes_is_never_guessed(tmp_path: Path) -> None:
    path = saved(small(), tmp_path / "theirs.keras")
    with pytest.raises(ModelError, match=r"no card that says the order .* --classes folder"):
        open_model(path)


def test_a_file_says_the_order_of_classes_in_either_vocabulary(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    network = small()
    path, order = saved(network, tmp_path / "theirs.h5"), tmp_path / "classes.txt"
    order.write_text("Neutral\nhappiness\n\nsurprised\nsadness\nanger\ndisgusted\nfearful\n", encoding="utf-8")
    received = open_model(path, order).predict_faces(labelled_faces.images[:3])
    expected = answers(network, labelled_faces.images[:3])
    assert_allclose(received, expected[:, [4, 5, 6, 1, 3, 2, 0]], atol=1e-6)
    fer = open_model(path, "fer2013").predict_faces(labelled_faces.images[:3])
    assert_allclose(fer, expected, atol=1e-6)


@pytest.mark.parametrize("text", ["", "happy\nsad\n", "\n".join((*EMOTIONS[:6], "happy")), "\n".join((*EMOTIONS, "x"))])
def test_a_file_that_does_not_name_each_class_once_is_refused(tmp_path: Path, text: str) -> None:
    path = saved(small(), tmp_path / "theirs.h5")
    (tmp_path / "classes.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"classes\.txt does not name each class once"):
        open_model(path, tmp_path / "classes.txt")
    with pytest.raises(ModelError, match="cannot be read"):
        open_model(path, tmp_path / "absent.txt")


def test_faces_are_made_as_large_as_the_model_wants_them(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    model = open_model(saved(small(side=64), tmp_path / "large.keras"), "fer2013")
    received = model.predict_faces(labelled_faces.images[:70])
    assert_allclose(received.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channels": 3}, "does not read gray faces"),
        ({"outputs": 8}, "does not answer with 7 classes"),
        ({"end": "linear"}, "does not answer with probabilities"),
    ],
    ids=["colour", "outputs", "scores"],
)
@pytest.mark.parametrize("ending", [".h5", ".onnx"])
def test_a_model_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any], words: str, ending: str) -> None:
    with pytest.raises(ModelError, match=words):
        open_model(saved(small(**change), tmp_path / f"theirs{ending}"), "folder")


def with_lambda() -> keras.Model:
    network = small(rescales=False)
    scale = layers.Lambda(lambda x: x / 255.0)
    return keras.Sequential([keras.Input((48, 48, 1)), scale, *network.layers])


@keras.saving.register_keras_serializable(package="theirs")
class Custom(layers.Layer):  # type: ignore[misc]  # Keras is not typed
    def call(self, faces: Any) -> Any:
        return faces


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_code_in_a_file_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    lambdas = saved(with_lambda(), tmp_path / f"lambda{ending}")
    custom = saved(keras.Sequential([keras.Input((48, 48, 1)), Custom(), *small().layers]), tmp_path / f"own{ending}")
    monkeypatch.setattr(keras.models, "load_model", None)
    with pytest.raises(ModelError, match=r"holds code \(Lambda\), which is not run"):
        open_model(lambdas, "folder")
    with pytest.raises(ModelError, match=r"has a part that is not built here: (theirs>)?Custom"):
        open_model(custom, "folder")


@pytest.mark.parametrize(
    "part",
    [
        {"class_name": "function", "module": "builtins", "config": "eval"},
        {"class_name": "Dense", "module": "os", "config": {}},
        {"class_name": "Dense", "registered_name": "theirs>Dense", "config": {}},
        {"class_name": "TextVectorization", "config": {"vocabulary": "/etc/passwd"}},
        {"class_name": ["Dense"], "config": {}},
    ],
    ids=["function", "module", "registered", "reads files", "no name"],
)
def test_a_part_that_hides_anywhere_in_a_description_is_found(tmp_path: Path, part: dict[str, Any]) -> None:
    path = saved(small(), tmp_path / "theirs.h5")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["hidden"] = [{"deep": part}]
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ModelError, match=r"holds code|not built here"):
        open_model(path, "folder")


def described_by_keras_2(version: str) -> dict[str, Any]:
    """Return what a version of Keras 2 said of a network like the original project's, which began with an input_shape.

    2.3.1 is Keras's own package, 2.4.0 is in TensorFlow 2.3, and 2.21.0 is tf_keras.
    """
    own, late = version == "2.3.1", version == "2.21.0"

    def part(module: str, kind: str, **values: Any) -> dict[str, Any]:
        made = {"class_name": kind, "config": values}
        return {"module": f"keras.{module}", **made, "registered_name": None} if late else made

    zeros, ones, l2 = part("initializers", "Zeros"), part("initializers", "Ones"), {"l2": 0.009999999776482582}
    if own:
        first = part("initializers", "VarianceScaling", scale=1.0, mode="fan_avg", distribution="uniform", seed=None)
        penalty = part("regularizers", "L1L2", l1=0.0, **l2)
    else:
        first, penalty = part("initializers", "GlorotUniform", seed=None), part("regularizers", "L2", **l2)

    def weighted(activation: str, regularizer: Any = None) -> dict[str, Any]:
        return {
            "activation": activation, "use_bias": True, "kernel_initializer": first, "bias_initializer": zeros,
            "kernel_regularizer": regularizer, "bias_regularizer": None, "activity_regularizer": None,
            "kernel_constraint": None, "bias_constraint": None,
        }  # fmt: skip

    def conv(filters: int, padding: str, regularizer: Any = None) -> dict[str, Any]:
        return {
            "filters": filters, "kernel_size": [3, 3], "strides": [1, 1], "padding": padding,
            "data_format": "channels_last", "dilation_rate": [1, 1], **({} if own else {"groups": 1}),
            **weighted("relu", regularizer),
        }  # fmt: skip

    entry: dict[str, Any] = {"batch_input_shape": [None, 48, 48, 1]}
    norm = {
        "axis": -1 if own else [3], "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True,
        "beta_initializer": zeros, "gamma_initializer": ones, "moving_mean_initializer": zeros,
        "moving_variance_initializer": ones, "beta_regularizer": None, "gamma_regularizer": None,
        "beta_constraint": None, "gamma_constraint": None,
    }  # fmt: skip
    pool = {"pool_size": [2, 2], "padding": "valid", "strides": [2, 2], "data_format": "channels_last"}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("Conv2D", "conv2d", {**entry, **conv(4, "same")}), ("BatchNormalization", "batch_normalization", norm),
        ("MaxPooling2D", "max_pooling2d", pool),
        ("Dropout", "dropout", {"rate": 0.25, "noise_shape": None, "seed": None}),
        ("Conv2D", "conv2d_1", conv(8, "valid", penalty)), ("Flatten", "flatten", {"data_format": "channels_last"}),
        ("Dense", "dense", {"units": 7, **weighted("softmax")}),
    ]  # fmt: skip
    made = [
        {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **values}}
        for kind, name, values in kinds
    ]
    if not own:
        values = {**entry, "dtype": "float32", "sparse": False, "ragged": False, "name": "conv2d_input"}
        made.insert(0, {"class_name": "InputLayer", "config": {**values, **({"optional": False} if late else {})}})
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": made}}


def write_as_keras_2(path: Path, network: keras.Model, version: str) -> None:
    """Write an .h5 file attribute by attribute, or a .keras file, as a version of Keras 2 did."""
    model = described_by_keras_2(version)
    parts = [layer for layer in model["config"]["layers"] if layer["class_name"] != "InputLayer"]
    names = [layer["config"]["name"] for layer in parts]
    if path.suffix == ".keras":
        for layer in model["config"]["layers"]:
            layer |= {"module": "keras.layers", "registered_name": None}
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": version}))
            archive.writestr("config.json", json.dumps({"module": "keras", **model, "registered_name": None}))
            weights = io.BytesIO()
            with h5py.File(weights, "w") as file:
                for name, layer in zip(names, network.layers, strict=True):
                    group = file.create_group(f"layers/{name}/vars")
                    for number, value in enumerate(layer.get_weights()):
                        group[str(number)] = value
            archive.writestr("model.weights.h5", weights.getvalue())
        return

    def listed(words: list[str]) -> Any:
        return words if version == "2.21.0" or not words else np.array(words, "S")

    adam = {"name": "Adam", "learning_rate": 9.999999747378752e-05, "beta_1": 0.9, "decay": 1e-06, "amsgrad": False}
    training = {
        "loss": "categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": None, "loss_weights": None,
        "optimizer_config": {"class_name": "Custom>Adam" if version == "2.21.0" else "Adam", "config": adam},
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        inside = file.create_group("model_weights")
        for group in (file, inside):
            group.attrs["backend"], group.attrs["keras_version"] = b"tensorflow", version.encode()
        file.attrs["model_config"], file.attrs["training_config"] = json.dumps(model), json.dumps(training)
        inside.attrs["layer_names"] = listed(names)
        for name, layer in zip(names, network.layers, strict=True):
            paths = [f"{name}/{weight.name}:0" for weight in layer.weights]
            inside.create_group(name).attrs["weight_names"] = listed(paths)
            for inner, value in zip(paths, layer.get_weights(), strict=True):
                inside[name][inner] = value
        if version == "2.21.0":
            inside.create_group("top_level_model_weights").attrs["weight_names"] = []
        file["optimizer_weights/iteration:0"] = np.int64(2)
        file["optimizer_weights"].attrs["weight_names"] = listed(["iteration:0"])


@pytest.mark.parametrize(
    ("version", "ending"), [("2.3.1", ".h5"), ("2.4.0", ".h5"), ("2.21.0", ".h5"), ("2.21.0", ".keras")]
)
def test_a_file_as_keras_2_wrote_it_is_opened(
    labelled_faces: LabelledFaces, tmp_path: Path, version: str, ending: str
) -> None:
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(7, activation="softmax"),
        ]
    )
    noise = np.random.default_rng(3)
    network.set_weights([values + noise.uniform(-0.1, 0.1, values.shape) for values in network.get_weights()])
    path = tmp_path / f"emotion_model2{ending}"
    write_as_keras_2(path, network, version)
    received = open_model(path, "fer2013").predict_faces(labelled_faces.images[:14])
    expected = answers(network, labelled_faces.images[:14], 1 / 255)
    assert np.ptp(expected, axis=0).max() > 0.01  # faces are told apart, so that equal answers mean something
    assert_allclose(received, expected, atol=1e-5)


def test_an_hdf5_file_with_the_ending_of_another_form_is_told_its_own(tmp_path: Path) -> None:
    whole = saved(small(), tmp_path / "model.h5")
    with pytest.raises(ModelError, match=r"the ending \.h5"):
        open_model(whole.rename(tmp_path / "model.keras"), "fer2013")


def test_a_model_with_its_card_needs_no_classes_and_allows_no_others(
    labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    network = small()
    onnx, whole = saved(network, tmp_path / "ours.onnx"), saved(network, tmp_path / "ours.keras")
    make_card(onnx, network, "", {"files": {"ours.keras": sha256_of(whole)}})
    faces = labelled_faces.images[:4]
    one, other = open_model(onnx).predict_faces(faces), open_model(whole).predict_faces(faces)
    assert_allclose(one, answers(network, faces), atol=1e-5)
    assert_allclose(other, one, atol=1e-5)
    assert_array_equal(open_model(whole, "fer2013").predict_faces(faces), other)
    renamed = tmp_path / "teacher.keras"
    shutil.copy(whole, renamed)
    shutil.copy(onnx.with_suffix(".json"), renamed.with_suffix(".json"))
    assert_array_equal(open_model(renamed).predict_faces(faces), other)  # without the ONNX file, under another name
    for path in (whole, onnx):  # the card is the ONNX file's, which must be whole for either
        with pytest.raises(ModelError, match="says another order of classes"):
            open_model(path, "folder")
        path.write_bytes(path.read_bytes() + b"\0")
        with pytest.raises(ModelError, match="not the one that its card describes"):
            open_model(path)


def test_other_json_beside_a_model_is_no_card(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    network = small()
    path = saved(network, tmp_path / "theirs.h5")
    path.with_suffix(".json").write_text(network.to_json(), encoding="utf-8")
    with pytest.raises(ModelError, match="has no card"):
        open_model(path)
    assert open_model(path, "folder").predict_faces(labelled_faces.images[:2]).shape == (2, 7)


def spoil_text(path: Path) -> None:
    path.write_text("no model", encoding="utf-8")


def spoil_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("spoil", [spoil_text, spoil_half], ids=["text", "cut off"])
@pytest.mark.parametrize("ending", [".keras", ".h5", ".onnx"])
def test_a_damaged_file_is_refused(tmp_path: Path, spoil: Callable[[Path], None], ending: str) -> None:
    path = saved(small(), tmp_path / f"theirs{ending}")
    spoil(path)
    with pytest.raises(ModelError, match=f"theirs{ending}"):
        open_model(path, "folder")


def test_what_is_no_whole_model_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        open_model(tmp_path / "absent.h5", "folder")
    with pytest.raises(ModelError, match="of no form that can be opened"):
        open_model(tmp_path / "theirs.pt", "folder")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["layers"] = np.zeros(3)
    with pytest.raises(ModelError, match="holds weights without a network"):
        open_model(tmp_path / "weights.h5", "folder")
    with zipfile.ZipFile(tmp_path / "theirs.keras", "w") as archive:
        archive.writestr("config.json", "[]")
    with pytest.raises(ModelError, match="describes no network"):
        open_model(tmp_path / "theirs.keras", "folder")


def test_saving_as_h5_leaves_the_log_as_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    level = logging.getLogger("absl").level
    saved(small(), tmp_path / "theirs.h5")
    assert logging.getLogger("absl").level == level
    assert not caplog.records


def test_a_network_that_keeps_its_weights_in_other_files_is_refused(tmp_path: Path) -> None:
    model, path = onnx.load(PUBLISHED), tmp_path / "theirs.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(ModelError, match="keeps its weights in other files"):
        open_model(path, "fer2013")
