"""The networks."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.learn.model import MODELS
from roomread.types import N_EMOTIONS

pytestmark = pytest.mark.learn


@pytest.fixture(scope="module", params=sorted(MODELS))
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(0)
    return MODELS[request.param]()


def test_a_network_is_named_as_it_is_asked_for() -> None:
    assert [network().name for network in MODELS.values()] == list(MODELS)


def test_a_network_takes_faces_and_gives_the_probability_of_each_class(network: keras.Model) -> None:
    assert network.input_shape == (None, 48, 48, 1)
    assert network.output_shape == (None, N_EMOTIONS)
    faces = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 1)).astype(np.float32)
    answers = network.predict(faces, verbose=0)
    assert answers.dtype == np.float32
    assert (answers >= 0).all()
    assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("network", ["tiny", "baseline"], indirect=True)
def test_rescaling_is_a_layer_of_the_network(network: keras.Model) -> None:
    scaled = network.layers[1](np.array([0.0, 127.5, 255.0]).reshape(1, 1, 3, 1))
    assert_allclose(np.ravel(scaled), [0, 0.5, 1] if network.name == "baseline" else [-1, 0, 1])


def test_an_answer_does_not_depend_on_the_other_faces(network: keras.Model) -> None:
    faces = np.random.default_rng(0).uniform(0, 255, (4, 48, 48, 1)).astype(np.float32)
    together = network.predict(faces, verbose=0)
    assert_allclose(network.predict(faces[2:3], verbose=0), together[2:3], atol=1e-5)


@pytest.mark.parametrize("network", ["compact", "tiny"], indirect=True)
def test_a_network_is_the_same_again_with_the_same_seed(network: keras.Model) -> None:
    keras.utils.set_random_seed(0)
    for one, other in zip(MODELS[network.name]().get_weights(), network.get_weights(), strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("compact", 1_150_000, 1_250_000), ("large", 1_550_000, 1_650_000), ("tiny", 2_000, 9_999)],
)
def test_a_network_is_as_large_as_its_docstring_says(name: str, low: int, high: int) -> None:
    assert low <= MODELS[name]().count_params() <= high


@pytest.mark.parametrize("network", ["baseline"], indirect=True)
def test_the_baseline_is_the_original_network_layer_for_layer(network: keras.Model) -> None:
    assert network.name == "baseline"
    assert network.count_params() == 32_116_743
    said = [(type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params()) for layer in network.layers[2:]]
    assert said == [
        ("Conv2D", (48, 48, 32), 320),
        ("Conv2D", (48, 48, 64), 18_496),
        ("BatchNormalization", (48, 48, 64), 256),
        ("MaxPooling2D", (24, 24, 64), 0),
        ("Dropout", (24, 24, 64), 0),
        ("Conv2D", (24, 24, 128), 73_856),
        ("Conv2D", (22, 22, 256), 295_168),
        ("BatchNormalization", (22, 22, 256), 1_024),
        ("MaxPooling2D", (11, 11, 256), 0),
        ("Dropout", (11, 11, 256), 0),
        ("Flatten", (30_976,), 0),
        ("Dense", (1024,), 31_720_448),
        ("Dropout", (1024,), 0),
        ("Dense", (7,), 7_175),
    ]
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    penalties = [layer.kernel_regularizer for layer in convolutions]
    assert penalties[:2] == [None, None]
    assert [float(penalty.l2) for penalty in penalties[2:]] == pytest.approx([0.01, 0.01])
    assert [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)] == [0.25, 0.25, 0.5]
    assert {layer.activation.__name__ for layer in convolutions} == {"relu"}
