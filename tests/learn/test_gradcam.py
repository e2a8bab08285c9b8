"""Which places of a face speak for an expression."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers
from numpy.testing import assert_allclose, assert_array_equal
from onnx import TensorProto, helper, numpy_helper

from roomread.errors import ModelError
from roomread.learn import gradcam as module
from roomread.learn.datasets import LabelledFaces
from roomread.learn.export import export_onnx, make_card, save_keras
from roomread.learn.gradcam import Split, channel_weights, gradcam, split_model
from roomread.learn.load import open_model
from roomread.learn.model import MODELS
from roomread.modelcard import PUBLISHED
from roomread.types import EMOTIONS, Array

pytestmark = [
    pytest.mark.learn,
    pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
HAPPY = EMOTIONS.index("happy")


def saved(network: keras.Model, path: Path) -> Path:
    if path.suffix == ".onnx":
        export_onnx(network, path, np.zeros((1, 48, 48, 1), np.uint8))
    else:
        save_keras(network, path)
    return path


def sequential(*parts: Any, sides: tuple[int | None, int | None] = (48, 48)) -> keras.Model:
    return keras.Sequential([keras.Input((*sides, 1)), *parts])


def flat() -> keras.Model:
    """Return a network whose places are put in a row and mixed by ReLUs, as the original project's."""
    return sequential(
        layers.Rescaling(1 / 255),
        layers.Conv2D(6, 5, strides=4, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.5),
        layers.Flatten(),
        layers.Dense(40, activation="relu"),
        layers.Dense(7, name="scores"),
        layers.Activation("softmax"),
    )


NETWORKS = {"places averaged": MODELS["tiny"], "places in a row": flat}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> keras.Model:
    """A small network whose weights and moving averages are not those it starts with."""
    keras.utils.set_random_seed(1)
    made, noise = NETWORKS[request.param](), np.random.default_rng(1)
    made.set_weights([values + noise.uniform(-0.2, 0.2, values.shape) for values in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def files(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The network in each form."""
    folder = tmp_path_factory.mktemp("files")
    return [saved(network, folder / f"try{ending}") for ending in (".keras", ".h5", ".onnx")]


def by_gradient(network: keras.Model, face: Array) -> tuple[Array, Array]:
    """Return the last feature map, (h, w, k), and Grad-CAM's weights, (k, 7), as TensorFlow's own derivative has them.

    The score is that before the softmax, less the mean over the classes.
    """
    mixes = (layers.Flatten, layers.GlobalAveragePooling2D)
    last = next(
        before for before, after in zip(network.layers, network.layers[1:], strict=False) if type(after) in mixes
    )
    both = keras.Model(network.inputs[0], [last.output, network.get_layer("scores").output])
    with tf.GradientTape(persistent=True) as tape:
        features, scores = both(face[None].astype(np.float32), training=False)
        each = tf.unstack(scores[0] - tf.reduce_mean(scores[0]))
    weights = [tape.gradient(score, features)[0].numpy().mean(axis=(0, 1)) for score in each]
    return features[0].numpy(), np.stack(weights, axis=-1)


def test_the_weights_are_those_of_the_gradient_in_every_form_of_file(
    network: keras.Model, files: list[Path], labelled_faces: LabelledFaces
) -> None:
    for face in labelled_faces.images[:3]:
        features, expected = by_gradient(network, face)
        for path in files:
            split = split_model(path, "fer2013")
            received = split.head(face[None])[0]
            assert_allclose(received, features, atol=1e-3)
            weights = channel_weights(split, received)
            assert weights.dtype == np.float32
            assert np.abs(weights - expected).max() < 0.01 * np.abs(expected).max()


def test_every_form_of_a_file_gives_the_same_maps_and_its_order_of_classes_is_kept(
    files: list[Path], labelled_faces: LabelledFaces
) -> None:
    face = labelled_faces.images[5]
    maps = gradcam(split_model(files[0], "fer2013"), face)
    assert (maps.max(axis=(1, 2)) == 1).sum() >= 3
    for path in files[1:]:
        assert_allclose(gradcam(split_model(path, "fer2013"), face), maps, atol=0.01)
    assert_array_equal(gradcam(split_model(files[0], "folder"), face)[np.argsort(EMOTIONS)], maps)


def test_of_the_published_network_the_weights_are_those_of_its_last_layer(labelled_faces: LabelledFaces) -> None:
    graph = onnx.load(PUBLISHED).graph
    name = next(node.input[1] for node in graph.node if node.op_type == "MatMul")
    dense = numpy_helper.to_array(next(values for values in graph.initializer if values.name == name))
    split = split_model(PUBLISHED)
    features = split.head(labelled_faces.images[:1])[0]
    assert features.shape == (6, 6, len(dense))
    expected = (dense - dense.mean(axis=1, keepdims=True)) / 36
    assert_allclose(channel_weights(split, features), expected, atol=0.002 * np.abs(expected).max())


def test_a_map_is_as_large_as_the_face_and_ends_at_one(labelled_faces: LabelledFaces) -> None:
    split = split_model(PUBLISHED)
    for face in (labelled_faces.images[3], np.zeros((48, 48, 1), np.uint8)):
        maps = gradcam(split, face)
        assert maps.shape == (7, 48, 48)
        assert maps.dtype == np.float32
        assert maps.min() >= 0
        assert set(maps.max(axis=(1, 2)).tolist()) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="`face` has the wrong shape"):
        gradcam(split, labelled_faces.images[:1])


def test_how_much_memory_is_used_changes_nothing(
    labelled_faces: LabelledFaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = split_model(PUBLISHED)
    features = split.head(labelled_faces.images[:1])[0]
    expected, sizes = channel_weights(split, features), []

    def tail(batch: Array) -> Array:
        sizes.append(len(batch))
        return split.tail(batch)

    monkeypatch.setattr(module, "MEMORY", 50 * features.nbytes)
    received = channel_weights(Split(split.head, tail), features)
    assert_allclose(received, expected, atol=1e-3 * np.abs(expected).max())
    assert max(sizes) == 50 and sum(sizes) == 2 * features.shape[-1]


def brightness(*before: Any) -> keras.Model:
    """Return a network to which each bright place speaks for happy, and nothing for anything else."""
    made = sequential(
        *before, layers.Conv2D(1, 4, strides=4, use_bias=False), layers.GlobalAveragePooling2D(), layers.Dense(7)
    )
    made.layers[-1].activation = keras.activations.softmax
    kernel = np.array([[emotion == "happy" for emotion in sorted(EMOTIONS)]], np.float32)
    made.set_weights([np.ones((4, 4, 1, 1), np.float32) / 16, kernel, np.zeros(7, np.float32)])
    return made


@pytest.mark.parametrize("ending", [".keras", ".onnx"])
def test_what_is_bright_speaks_for_the_class_that_looks_for_it_and_for_no_other(tmp_path: Path, ending: str) -> None:
    split = split_model(saved(brightness(), tmp_path / f"bright{ending}"), "folder")
    face = np.zeros((48, 48, 1), np.uint8)
    face[8:16, 28:36] = 200
    maps = gradcam(split, face)
    assert maps[HAPPY, 10:14, 30:34].min() > 0.8
    maps[HAPPY, 4:20, 24:40] = 0
    assert not maps.any()


@pytest.mark.parametrize("ending", [".keras", ".onnx"])
def test_a_network_that_sees_the_left_half_alone_has_its_map_there(
    labelled_faces: LabelledFaces, tmp_path: Path, ending: str
) -> None:
    half = brightness(layers.Cropping2D(((0, 0), (0, 24))), layers.ZeroPadding2D(((0, 0), (0, 24))))
    split = split_model(saved(half, tmp_path / f"half{ending}"), "folder")
    seen = gradcam(split, labelled_faces.images[9])[HAPPY]
    assert seen[:, :24].max() == 1
    assert seen[:, :20].min() > 0
    assert not seen[:, 32:].any()


def test_a_network_that_is_sure_beyond_what_float32_can_tell_gives_numbers_all_the_same() -> None:
    sure = np.eye(7, dtype=np.float32)[:1]  # the other six have a probability of 0, which has no logarithm
    split = Split(lambda faces: np.ones((1, 2, 2, 3), np.float32), lambda features: sure.repeat(len(features), axis=0))
    assert not gradcam(split, np.zeros((48, 48, 1), np.uint8)).any()


def functional(make: Callable[[Any], Any], sides: tuple[int | None, int | None] = (48, 48)) -> keras.Model:
    faces = keras.Input((*sides, 1))
    return keras.Model(faces, make(faces))


def answered(x: Any) -> Any:
    return layers.Dense(7, activation="softmax")(layers.Flatten()(x))


def shared(faces: Any) -> Any:
    """Use a layer on both sides of the cut."""
    bend = layers.ReLU(max_value=1.0)
    return answered(bend(layers.Dense(9)(layers.Flatten()(bend(layers.Conv2D(4, 3, strides=4)(faces))))))


def weighed(faces: Any) -> Any:
    """Weigh the channels by a way round, and put them first before the places are put in a row."""
    x = layers.Conv2D(4, 3, strides=4)(faces)
    weight = layers.Reshape((1, 1, 4))(layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(x)))
    return answered(layers.Permute((3, 1, 2))(layers.Multiply()([x, weight])))


def averaged(faces: Any) -> Any:
    x = layers.SeparableConv2D(4, 3, strides=4, name="twice")(faces)
    return layers.Softmax()(layers.GlobalAveragePooling2D()(layers.Conv2D(7, 3, padding="same")(x)))


def nested() -> keras.Model:
    inner = sequential(sequential(layers.RandomFlip(), layers.Conv2D(4, 3, strides=4, name="twice")), layers.ReLU())
    whole = functional(lambda faces: layers.Flatten()(layers.Add()([inner(faces), inner(faces)])))
    return sequential(whole, layers.Dense(5, name="twice"), layers.Dense(7, activation="softmax"))


def channel_first() -> keras.Model:
    first = {"data_format": "channels_first"}
    pool = layers.AveragePooling2D(2)
    return sequential(
        pool,
        layers.Permute((3, 1, 2)),
        layers.Conv2D(4, 3, strides=4, **first),
        layers.Flatten(),
        layers.Dense(7, activation="softmax"),
    )


FOREIGN: dict[str, tuple[Callable[[], keras.Model], tuple[int, int, int]]] = {
    "a layer on both sides": (lambda: functional(shared), (12, 12, 4)),
    "a way round": (lambda: functional(weighed), (12, 12, 4)),
    "any size": (lambda: functional(averaged, (None, None)), (12, 12, 7)),
    "larger": (lambda: functional(averaged, (64, 56)), (16, 14, 7)),
    "networks in networks": (nested, (12, 12, 4)),
    "channels first": (channel_first, (6, 6, 4)),
}


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_both_parts_together_answer_as_the_whole(
    labelled_faces: LabelledFaces, tmp_path: Path, kind: str, ending: str
) -> None:
    make, shape = FOREIGN[kind]
    keras.utils.set_random_seed(2)
    path = saved(make(), tmp_path / f"theirs{ending}")
    split, faces = split_model(path, "folder"), labelled_faces.images[:4]
    features = split.head(faces)
    assert features.shape == (4, *shape)
    assert features.dtype == np.float32
    assert_allclose(split.tail(features), open_model(path, "folder").predict_faces(faces), atol=1e-5)
    assert gradcam(split, faces[0]).any()


def test_a_network_in_half_precision_is_looked_at_in_full(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    half = {"dtype": "mixed_float16"}
    parts = [layers.Rescaling(1 / 255, **half), layers.Conv2D(4, 3, strides=4, **half), layers.Flatten(**half)]
    split = split_model(saved(sequential(*parts, layers.Dense(7, "softmax")), tmp_path / "theirs.keras"), "folder")
    assert split.head(labelled_faces.images[:2]).dtype == np.float32


def torch_like(path: Path, sides: tuple[int | str, int | str], version: int) -> Path:
    """Write an ONNX file as other programs write them: channels first, old or new, with a gate and a mean of places."""
    noise = np.random.default_rng(4)
    shapes = {"kernel": (8, 1, 3, 3), "dense": (8, 7)}
    constants = [numpy_helper.from_array(noise.normal(0, 0.3, shapes[name]).astype("f"), name) for name in shapes]
    nodes = [
        helper.make_node("Conv", ["faces", "kernel"], ["seen"], strides=[4, 4]),
        helper.make_node("Sigmoid", ["seen"], ["gate"]),
        helper.make_node("Mul", ["seen", "gate"], ["map"]),
        helper.make_node("ReduceMean", ["map"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["means", "dense"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["answers"], axis=1),
        helper.make_node("Neg", ["means"], ["unused"]),
    ]
    inputs = [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 1, *sides])]
    if version < 4:
        inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in shapes]
    outputs = [helper.make_tensor_value_info("answers", TensorProto.FLOAT, ["n", 7])]
    graph = helper.make_graph(nodes, "theirs", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=version), path)
    return path


@pytest.mark.parametrize(
    ("sides", "version", "shape"),
    [((48, 48), 3, (12, 12, 8)), ((64, 40), 8, (16, 10, 8)), (("height", "width"), 8, (12, 12, 8))],
    ids=["old", "other size", "any size"],
)
def test_an_onnx_file_of_another_program_is_cut_at_its_last_map(
    labelled_faces: LabelledFaces,
    tmp_path: Path,
    sides: tuple[int | str, int | str],
    version: int,
    shape: tuple[int, int, int],
) -> None:
    path, faces = torch_like(tmp_path / "theirs.onnx", sides, version), labelled_faces.images[:3]
    split = split_model(path, "folder")
    features = split.head(faces)
    assert features.shape == (3, *shape)
    assert_allclose(split.tail(features), open_model(path, "folder").predict_faces(faces), atol=1e-6)
    dense = numpy_helper.to_array(onnx.load(path).graph.initializer[1])[:, np.argsort(np.argsort(EMOTIONS))]
    expected = (dense - dense.mean(axis=1, keepdims=True)) / np.prod(shape[:2])
    assert_allclose(channel_weights(split, features[0]), expected, atol=0.005 * np.abs(expected).max())


def past_it(faces: Any) -> Any:
    """Let the face itself go past the convolution."""
    return answered(layers.Concatenate()([layers.Flatten()(faces), layers.Flatten()(layers.Conv2D(2, 3)(faces))]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (answered, "no convolution"),
        (lambda x: answered(layers.Conv2D(4, 48)(x)), "maps of 1 x 1"),
        (past_it, "46 x 46"),
    ],
    ids=["none", "one place", "past it"],
)
@pytest.mark.parametrize("form", [".keras", ".onnx"])
def test_a_network_without_a_map_that_everything_goes_through_is_refused(
    tmp_path: Path, make: Callable[[Any], Any], words: str, form: str
) -> None:
    path = saved(functional(make), tmp_path / f"theirs{form}")
    with pytest.raises(ModelError, match=rf"no feature map to look at.* at least 2 x 2 places.* Received: .*{words}"):
        split_model(path, "folder")


def test_what_opening_a_model_refuses_is_refused_here_too(tmp_path: Path) -> None:
    network = sequential(layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(7, activation="softmax"))
    path = saved(network, tmp_path / "ours.onnx")
    with pytest.raises(ModelError, match="has no card"):
        split_model(path)
    make_card(path, network, "", {})
    with pytest.raises(ModelError, match="says another order of classes"):
        split_model(path, "folder")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="not the one that its card describes"):
        split_model(path)


def test_a_model_with_a_card_gets_the_range_that_its_card_says(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    network = sequential(layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(7, activation="softmax"))
    path, faces = saved(network, tmp_path / "ours.onnx"), labelled_faces.images[:2]
    make_card(path, network, "", {})
    split = split_model(path)
    assert_allclose(split.tail(split.head(faces)), open_model(path).predict_faces(faces), atol=1e-6)


def test_an_onnx_file_is_looked_at_without_keras() -> None:
    code = (
        "import sys, numpy; from roomread.learn.gradcam import gradcam, split_model; "
        "from roomread.modelcard import PUBLISHED; "
        "gradcam(split_model(PUBLISHED), numpy.zeros((48, 48, 1), numpy.uint8)); "
        "sys.exit('keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
