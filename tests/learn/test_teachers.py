"""Networks that teach another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.testing import assert_allclose, assert_array_equal

from roomread.errors import ModelError
from roomread.learn.augment import Augment
from roomread.learn.datasets import LabelledFaces
from roomread.learn.load import open_keras_model
from roomread.learn.teachers import Taught, freeze
from roomread.learn.train import TrainSettings, train
from roomread.modelcard import PUBLISHED

pytestmark = pytest.mark.learn

BRIGHT, DARK = 3, 0  # what `by_light` calls faces


def by_light() -> keras.Model:
    """Return a network that answers by how light a face is on average, above or below 100 gray levels."""
    faces = keras.Input((48, 48, 1))
    answers = layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(faces))
    network = keras.Model(faces, answers, name="compact")
    kernel, bias = np.zeros((1, 7), np.float32), np.zeros(7, np.float32)
    kernel[0, BRIGHT], bias[DARK] = 0.1, 10
    network.set_weights([kernel, bias])
    return network


def test_the_loss_grows_by_the_share_of_what_the_teachers_say_together() -> None:
    answers = np.random.default_rng(0).dirichlet(np.ones(7), (3, 5)).astype(np.float32)
    layer = Taught(0.3)
    assert_array_equal(layer(list(answers)), answers[0])
    expected = -(answers[1:].mean(axis=0) * np.log(answers[0])).sum(axis=1).mean()
    assert_allclose(float(layer.losses[0]), 0.3 * expected, rtol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_teacher_answers_as_before_and_learns_nothing(labelled_faces: LabelledFaces, precision: str) -> None:
    network = by_light()
    read = freeze([network, network], precision)
    faces = labelled_faces.images[:6].astype(np.float32)
    for one in read:
        assert_allclose(
            keras.ops.convert_to_numpy(keras.ops.cast(one(faces), "float32")),
            network.predict_on_batch(faces),
            atol=0.02,
        )
        assert not one.trainable_variables
        assert {layer.compute_dtype for layer in one.layers if layer.weights} == {precision.removeprefix("mixed_")}
    assert len({variable.path for one in read for variable in one.variables}) == 4  # see `freeze`
    assert network.trainable_variables


def test_teachers_see_each_face_as_the_learner_does(
    teacher: Callable[..., Path], labelled_faces: LabelledFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lighten(_: Augment, faces: Any, training: bool = False) -> Any:
        return faces + 200.0

    monkeypatch.setattr(Augment, "call", lighten)
    dark = dataclasses.replace(labelled_faces, images=labelled_faces.images // 16)
    settings = TrainSettings(
        model="tiny", epochs=8, batch_size=8, learning_rate=0.05, ferplus_share=0.0,
        teachers=(teacher(by_light()),), teacher_share=0.99,
    )  # fmt: skip
    trained = train(settings, dark, tmp_path / "out")
    answers = trained.network.predict_on_batch(dark.images.astype(np.float32) + 200)
    assert (answers.argmax(axis=1) == BRIGHT).all()
    assert trained.history[-1]["penalty"] == 0


@pytest.mark.parametrize(
    ("side", "name", "carded", "message"),
    [
        pytest.param(48, "theirs.keras", False, "has no card", id="without a card"),
        pytest.param(64, "large.keras", True, "reads other faces", id="of another size"),
    ],
)
def test_what_cannot_teach_is_refused(
    teacher: Callable[..., Path], side: int, name: str, carded: bool, message: str
) -> None:
    faces = keras.Input((side, side, 1))
    network = keras.Model(faces, layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(faces)))
    with pytest.raises(ModelError, match=message):
        open_keras_model(teacher(network, name, carded))


def test_an_onnx_file_cannot_teach() -> None:
    with pytest.raises(ModelError, match=r"Expected: the file \.keras or \.h5"):
        open_keras_model(PUBLISHED)
