"""A trained network as ONNX, and its card."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.errors import ModelError, OutputError
from roomread.faces.expression import ExpressionModel
from roomread.learn import export as module
from roomread.learn.datasets import LabelledFaces
from roomread.learn.export import PARITY, data_of, export_onnx, make_card
from roomread.learn.model import MODELS
from roomread.learn.settings import TrainSettings
from roomread.modelcard import read_card, sha256_of
from roomread.types import EMOTIONS

pytestmark = [
    pytest.mark.learn,
    # Keras asks NumPy 2 for names that NumPy 1 had, so that tf2onnx finds them
    pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning"),
]


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A tiny network whose weights and moving averages are not those it starts with."""
    keras.utils.set_random_seed(1)
    made, noise = MODELS["tiny"](), np.random.default_rng(1)
    made.set_weights(
        [values + noise.uniform(-0.4, 0.4, values.shape).astype(np.float32) for values in made.get_weights()]
    )
    return made


@pytest.fixture(scope="module")
def model(network: keras.Model, labelled_faces: LabelledFaces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as an ONNX file with its card."""
    path = tmp_path_factory.mktemp("model") / "try.onnx"
    assert 0 <= export_onnx(network, path, labelled_faces.images[:8]) <= PARITY
    figures: tuple[dict[str, object], ...] = ({"split": "validation", "n": 14, "accuracy": 0.5},)
    make_card(path, network, data_of(TrainSettings(), labelled_faces), {"seed": 1}, figures)
    return path


def test_onnx_runtime_answers_as_keras(network: keras.Model, model: Path, labelled_faces: LabelledFaces) -> None:
    expected = network.predict(labelled_faces.images.astype(np.float32), verbose=0)
    assert np.ptp(expected, axis=0).max() > 0.01  # faces are told apart, so that equal answers mean something
    received = ExpressionModel(path=model).predict_faces(labelled_faces.images)
    assert_allclose(received, expected, atol=1e-4)
    assert_allclose(received.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 2, 33])
def test_the_size_of_a_batch_is_free(model: Path, labelled_faces: LabelledFaces, n: int) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    assert entry.shape[1:] == [48, 48, 1]
    assert not isinstance(entry.shape[0], int)
    faces = labelled_faces.images[:n].astype(np.float32)
    (answers,) = session.run(None, {entry.name: faces})
    assert answers.shape == (n, len(EMOTIONS))


def test_an_answer_does_not_depend_on_the_other_faces(model: Path, labelled_faces: LabelledFaces) -> None:
    reader = ExpressionModel(path=model)
    together = reader.predict_faces(labelled_faces.images[:5])
    alone = [reader.predict_faces(labelled_faces.images[row : row + 1])[0] for row in range(5)]
    assert_allclose(np.array(alone), together, atol=1e-6)


def test_the_card_names_what_a_reader_must_know(model: Path, network: keras.Model) -> None:
    card = read_card(model, "expression")
    assert card.sha256 == sha256_of(model)
    assert_array_equal(card.classes, EMOTIONS)
    assert card.recipe == {"seed": 1}
    assert f"{network.count_params():,} parameters" in card.name
    assert "FER-2013" in card.data
    assert "prohibited" in card.not_for
    assert card.figures[0]["split"] == "validation"


def test_a_card_names_only_the_data_that_was_learned_from(labelled_faces: LabelledFaces) -> None:
    """28 faces to fit on, of FER-2013 or not, with votes or not, with teachers or not."""
    mine = dataclasses.replace(labelled_faces, fer2013=False, usages=labelled_faces.usages.copy())
    mine.usages[28:42] = "validation"
    unvoted = dataclasses.replace(mine, votes=np.full_like(mine.votes, np.nan))
    taught = TrainSettings(teachers=(Path("a.onnx"),), teacher_share=0.5)
    whole = data_of(TrainSettings(), labelled_faces)
    assert whole.startswith("FER-2013 (") and "no pretrained weight. FER+ votes of the same rows" in whole
    assert "FER+" not in data_of(TrainSettings(ferplus_share=0), labelled_faces)
    assert data_of(TrainSettings(), unvoted).startswith(
        "A data set other than FER-2013, split Training less validation: 28"
    )
    assert "FER+" in data_of(TrainSettings(), mine) and "FER+" not in data_of(TrainSettings(), unvoted)
    assert "pretrained" not in data_of(taught, labelled_faces) and "teachers" in data_of(taught, labelled_faces)


def test_nothing_else_is_left_beside_the_model(model: Path) -> None:
    assert sorted(path.name for path in model.parent.iterdir()) == ["try.json", "try.onnx"]


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    """A copy of model and card to be spoilt."""
    for path in (model, model.with_suffix(".json")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / model.name


def test_a_model_that_was_changed_is_not_opened(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="not the one that its card describes"):
        ExpressionModel(path=copy)


def test_a_model_for_other_classes_is_not_opened(copy: Path) -> None:
    card = json.loads(copy.with_suffix(".json").read_text(encoding="utf-8"))
    card["classes"] = sorted(card["classes"])
    copy.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match="trained for other classes"):
        ExpressionModel(path=copy)


def test_a_model_without_its_card_is_not_opened(copy: Path) -> None:
    copy.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="has no card"):
        ExpressionModel(path=copy)


@pytest.mark.parametrize("parity", [-1.0, float("nan")], ids=["another answer", "no number"])
def test_a_network_that_answers_otherwise_leaves_no_file(
    network: keras.Model,
    labelled_faces: LabelledFaces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parity: float,
) -> None:
    path = tmp_path / "try.onnx"
    path.write_bytes(b"an earlier one")
    monkeypatch.setattr(module, "PARITY", parity)
    with pytest.raises(ModelError, match="does not answer as the trained one"):
        export_onnx(network, path, labelled_faces.images[:2])
    assert [entry.name for entry in tmp_path.iterdir()] == ["try.onnx"]
    assert path.read_bytes() == b"an earlier one"


def test_a_folder_that_cannot_be_written_is_refused(
    network: keras.Model, labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"try\.onnx cannot be written"):
        export_onnx(network, tmp_path / "taken" / "try.onnx", labelled_faces.images[:2])


def test_a_folder_in_place_of_the_file_is_refused(
    network: keras.Model, labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    (tmp_path / "try.onnx").mkdir()
    with pytest.raises(OutputError, match=r"try\.onnx cannot be written"):
        export_onnx(network, tmp_path / "try.onnx", labelled_faces.images[:2])
    assert [entry.name for entry in tmp_path.iterdir()] == ["try.onnx"]
