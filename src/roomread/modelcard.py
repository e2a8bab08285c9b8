"""What travels with a model file: a JSON card beside it, and the check that the two belong together."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from roomread.errors import ModelError
from roomread.output import write_whole
from roomread.outside import check_ordinary, read_text
from roomread.types import EMOTIONS

WEIGHTS = Path(str(resources.files("roomread") / "weights"))
PUBLISHED = WEIGHTS / "expression.onnx"
PUBLISHED_INT8 = WEIGHTS / "expression-int8.onnx"
DETECTOR = WEIGHTS / "yunet.onnx"
SECOND_LOOK = WEIGHTS / "centerface.onnx"
MESH = WEIGHTS / "face_mesh.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a reader must know of a model before believing it."""

    name: str
    task: str  # what it is for: expression, face detection, second look, face mesh
    sha256: str  # of the model file
    licence: str
    origin: str
    input: str  # shape, type, range, colour order
    output: str
    classes: tuple[str, ...] = ()  # in the order of the output's columns; none for a detector
    data: str = ""  # what it was fitted on, with that data's own terms
    figures: tuple[dict[str, Any], ...] = ()  # each with its split, n and interval
    recipe: dict[str, Any] = field(default_factory=dict)  # all settings of the run
    not_for: str = ""

    @property
    def files(self) -> dict[str, Any]:
        """The SHA-256 of each Keras file that was written with this model, by name; none if the recipe tells none."""
        files = self.recipe.get("files")
        return files if isinstance(files, dict) else {}


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 as 64 hexadecimal digits.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        check_ordinary(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}. Expected: a file that may be read.") from error


def write_card(card: ModelCard, model: Path) -> None:
    """Write the card beside its model, as the model's name with the ending .json."""
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False)
    write_whole({model.with_suffix(".json"): lambda path: path.write_text(text + "\n", encoding="utf-8")})


def read_card(model: Path, task: str) -> ModelCard:
    """Return the card of a model file, after checking that it was made for this very file and this task.

    The Keras files that were written with an ONNX file have its card.

    Raises:
        ModelError: the model or its card is missing or damaged, the hash differs, the task is another, or the classes
            are not EMOTIONS in that order.
    """
    digest = sha256_of(model)
    path = model.with_suffix(".json")
    try:
        card = ModelCard(**json.loads(read_text(path)))
        for name in ("name", "task", "sha256"):
            if not isinstance(getattr(card, name), str):
                raise TypeError(f"{name} is no text")
        card = dataclasses.replace(
            card, classes=tuple(map(str, card.classes)), figures=tuple(card.figures), recipe=dict(card.recipe)
        )
    except OSError as error:
        raise ModelError(f"The model {model} has no card. Expected: {path.name} beside it.") from error
    except (ValueError, TypeError, RecursionError) as error:  # of JSON, of UTF-8, of a number too long, of a field
        raise ModelError(
            f"The model card {path} is damaged: {error}. Copy model and card from their origin."
        ) from error
    if digest not in (card.sha256, *card.files.values()):
        raise ModelError(
            f"The model {model} is not the one that its card describes. Expected: SHA-256 "
            f"{card.files.get(model.name, card.sha256)}. Received: {digest}. Copy model and card together."
        )
    if card.task != task:
        raise ModelError(f"The model {model} is for another task. Expected: {task}. Received: {card.task}.")
    if task == "expression" and card.classes != EMOTIONS:
        raise ModelError(
            f"The model {model} was trained for other classes. Expected: {', '.join(EMOTIONS)}. "
            f"Received: {', '.join(card.classes)}."
        )
    return card
