"""The card beside a model, and the check that the two belong together."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from roomread.errors import ModelError
from roomread.modelcard import DETECTOR, PUBLISHED, PUBLISHED_INT8, ModelCard, read_card, sha256_of, write_card
from roomread.types import EMOTIONS


def write_model(folder: Path, **changes: Any) -> Path:
    """Write a model file of a few bytes and its card; return the model's path."""
    path = folder / "expression.onnx"
    path.write_bytes(b"a network")
    values: dict[str, Any] = {
        "name": "ours", "task": "expression", "sha256": sha256_of(path), "licence": "MIT", "origin": "a test",
        "input": "faces", "output": "probabilities", "classes": EMOTIONS, "data": "none", "not_for": "grading",
        "figures": ({"split": "validation", "n": 3, "accuracy": 0.5},), "recipe": {"seed": 0, "augment": {"zoom": 0.1}},
    }  # fmt: skip
    write_card(ModelCard(**(values | changes)), path)
    return path


def change_card(model: Path, **changes: Any) -> None:
    """Change some values of a card on disk."""
    path = model.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_a_hash_is_the_sha_256_of_the_bytes(tmp_path: Path) -> None:
    assert sha256_of(write_model(tmp_path)) == hashlib.sha256(b"a network").hexdigest()


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    model = write_model(tmp_path, name="größer")
    written = ModelCard(
        name="größer", task="expression", sha256=sha256_of(model), licence="MIT", origin="a test", input="faces",
        output="probabilities", classes=EMOTIONS, data="none", not_for="grading",
        figures=({"split": "validation", "n": 3, "accuracy": 0.5},), recipe={"seed": 0, "augment": {"zoom": 0.1}},
    )  # fmt: skip
    assert read_card(model, "expression") == written


def test_a_detector_needs_no_classes(tmp_path: Path) -> None:
    card = read_card(write_model(tmp_path, task="face detection", classes=()), "face detection")
    assert tuple(card.classes) == ()


@pytest.mark.parametrize(
    ("path", "task"),
    [(PUBLISHED, "expression"), (PUBLISHED_INT8, "expression"), (DETECTOR, "face detection")],
    ids=["expression", "int8", "detector"],
)
def test_the_models_that_ship_fit_their_cards(path: Path, task: str) -> None:
    card = read_card(path, task)
    assert card.licence
    assert card.origin


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx cannot be read: .* Expected: a file that may be read"):
        read_card(tmp_path / "none.onnx", "expression")


def test_a_model_without_a_card_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path)
    model.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"has no card\. Expected: expression\.json beside it"):
        read_card(model, "expression")


def test_a_model_that_was_changed_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path)
    model.write_bytes(b"a Network")
    with pytest.raises(
        ModelError, match=r"not the one that its card describes\. Expected: SHA-256 \w{64}\. Received: "
    ):
        read_card(model, "expression")


def test_a_model_for_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"another task\. Expected: face detection\. Received: expression\."):
        read_card(write_model(tmp_path), "face detection")


@pytest.mark.parametrize(
    "classes",
    [
        pytest.param(sorted(EMOTIONS), id="alphabet of folder names"),
        pytest.param(EMOTIONS[:-1], id="one too few"),
        pytest.param(("anger", *EMOTIONS[1:]), id="another vocabulary"),
        pytest.param((), id="none"),
    ],
)
def test_a_model_for_other_classes_is_refused(tmp_path: Path, classes: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match=r"other classes\. Expected: angry, disgust, .* Received: "):
        read_card(write_model(tmp_path, classes=tuple(classes)), "expression")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"name": "ours", ', id="cut off"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"name": "ours"}', id="fields missing"),
    ],
)
def test_a_damaged_card_is_refused(tmp_path: Path, text: bytes) -> None:
    model = write_model(tmp_path)
    model.with_suffix(".json").write_bytes(text)
    with pytest.raises(ModelError, match=r"expression\.json is damaged: "):
        read_card(model, "expression")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"colour": "blue"}, id="unknown field"),
        pytest.param({"classes": None}, id="classes are null"),
        pytest.param({"classes": [1, 2, 3]}, id="classes are numbers"),
        pytest.param({"classes": 7}, id="classes are a number"),
    ],
)
def test_a_card_with_a_field_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    model = write_model(tmp_path)
    change_card(model, **changes)
    with pytest.raises(ModelError):
        read_card(model, "expression")
