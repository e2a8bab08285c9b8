"""The one way to open anybody's expression model: ONNX, .keras or .h5, with a card or without.

A card says the order of a model's classes. Without one the caller must say it (`classes`); it is never guessed, because
a wrong order gives plausible nonsense. What else a model does not say is read from its structure, never from data:

- one with a card, an input named `GRAY_LEVELS`, or a rescaling (a layer Rescaling or Normalization, or in ONNX a
  scaling before anything else) gets faces in 0 to 255, one without gets them in 0 to 1, as the original project's
  script had it;
- faces are made as large as its input wants them; the input must be one gray channel, the output seven probabilities.

Nothing in a file runs: only Keras's own plain layers are built, anything else is refused before it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures

from roomread.errors import MissingExtraError, ModelError
from roomread.faces.expression import Classifier, ExpressionModel
from roomread.learn.datasets import VOTES
from roomread.modelcard import read_card, sha256_of
from roomread.outside import read_text
from roomread.preprocess import FACE_SIZE
from roomread.types import EMOTIONS, N_EMOTIONS, Array

FORMS = (".onnx", ".keras", ".h5", ".hdf5")
FOLDER, FER2013 = "folder", "fer2013"
BATCH = 64  # faces at a time; bounds the memory, not the result
OTHER_NAMES = dict(zip(VOTES, EMOTIONS, strict=True)) | {
    "disgusted": "disgust",
    "fearful": "fear",
    "surprised": "surprise",
}

Answer = Callable[[Array], Array]  # float32 faces → scores in the model's own order of classes, or a part of that way
# What a step of a network makes, and what of (constants left out); and the height and width of the first that it makes,
# if that is a feature map: the answer of a convolution, or what later steps make of one.
Step = tuple[tuple[Hashable, ...], set[Hashable], tuple[int, int] | None]
Cut = Callable[[list[Step]], int]  # all steps in order, the answers' last → the number of the last one before the cut


class ForeignModel:
    """A model with an input, a range and an order of classes of its own, made to answer as ours do."""

    def __init__(
        self,
        name: str,
        parts: tuple[Answer, ...],
        shape: tuple[int, int, bool],
        scale: float,
        classes: tuple[str, ...],
    ):
        """Wrap the functions that answer.

        Args:
            name: what it is called in tables.
            parts: float32 faces → float32 (n, 7), in the order of `classes`; each takes what the one before it makes.
            shape: height and width that it wants, in pixels, and whether the channel comes before them.
            scale: what gray levels of 0 to 255 are multiplied by.
            classes: the order of its answers.
        """
        self.name, self.parts, self.shape, self.scale = name, parts, shape, np.float32(scale)
        self.order = [classes.index(emotion) for emotion in EMOTIONS]

    def predict_faces(self, faces: Array) -> Array:
        """Return float32 (n, 7), probabilities in the order of EMOTIONS, for uint8 (n, 48, 48, 1), gray, 0 to 255."""
        answers = [self._predict(faces[start : start + BATCH]) for start in range(0, len(faces), BATCH)]
        return np.concatenate(answers) if answers else np.empty((0, N_EMOTIONS), np.float32)

    def _predict(self, faces: Array) -> Array:
        batch = self.prepare(faces)
        for part in self.parts:
            batch = part(batch)
        return self.arrange(batch)

    def prepare(self, faces: Array) -> Array:
        """Return faces, uint8 (n, 48, 48, 1), in the size, range and order of axes that the model wants, float32."""
        height, width, channel_first = self.shape
        if faces.shape[1:3] != (height, width):
            pictures = [Pictures.fromarray(face[..., 0]) for face in faces]
            resized = [picture.resize((width, height), Pictures.Resampling.BICUBIC) for picture in pictures]
            faces = np.stack([np.asarray(picture) for picture in resized])[..., None]
        batch = faces.astype(np.float32) * self.scale
        return np.moveaxis(batch, -1, 1) if channel_first else batch

    def arrange(self, answers: Array) -> Array:
        """Return the model's answers, (n, 7), as float32 in the order of EMOTIONS."""
        return np.asarray(answers, np.float32)[:, self.order]


def open_model(path: Path, classes: str | Path | None = None) -> Classifier:
    """Open an expression model.

    Args:
        path: .onnx, .keras or .h5; its card, if it has one, lies beside it.
        classes: the order of the answers of a model without a card: "folder" (names of class folders, alphabetical),
            "fer2013" (the data set's own indices) or a file with one class name a line.

    Raises:
        ModelError: the file is missing, damaged, holds code, or does not read seven expressions from gray faces; it has
            no card and `classes` is not said, or it has one that says otherwise.
        MissingExtraError: the file needs Keras or ONNX, which are not installed.
    """
    carded, order = _recognise(path, classes)
    if carded and path.suffix.lower() == ".onnx":
        return ExpressionModel(path=path)
    return _open(path, carded, order)


def open_parts(path: Path, classes: str | Path | None, cut: Cut) -> ForeignModel:
    """Open an expression model in two parts; `path` and `classes` as `open_model` takes them.

    Args:
        path: .onnx, .keras or .h5.
        classes: the order of the answers of a model without a card.
        cut: says after which step of the network the first part ends; called once, with all of them.

    Returns:
        The model; its first part makes float32 (n, h, w, k) of what `prepare` makes, its second the answers of these.

    Raises:
        ModelError: as `open_model` does, or what `cut` raises.
        MissingExtraError: the file needs Keras or ONNX, which are not installed.
    """
    return _open(path, *_recognise(path, classes), cut)


def open_keras_model(path: Path) -> Any:
    """Return the Keras network of a model with a card, to be part of another network.

    Returns:
        keras.Model, float32 (n, 48, 48, 1), gray, 0 to 255 → (n, 7), probabilities in the order of EMOTIONS.

    Raises:
        ModelError: the file is missing, damaged, holds code, has no card, or is no Keras file of such a network.
    """
    if path.suffix.lower() == ".onnx":
        raise ModelError(f"{path} cannot be part of another network. Expected: the file .keras or .h5 of that model.")
    from roomread.learn.load_keras import read_network

    _recognise(path, None)
    network, _ = read_network(path)
    if tuple(network.inputs[0].shape) != (None, FACE_SIZE, FACE_SIZE, 1):
        raise ModelError(
            f"{path} reads other faces. Expected: an input of (None, {FACE_SIZE}, {FACE_SIZE}, 1). "
            f"Received: {tuple(network.inputs[0].shape)}."
        )
    return network


def has_card(path: Path) -> bool:
    """Tell whether a model has a card that says the order of its answers.

    Raises:
        ModelError: the file is missing, or its card is of another version of it.
    """
    return _carded(path, sha256_of(path))


def _recognise(path: Path, classes: str | Path | None) -> tuple[bool, tuple[str, ...]]:
    """Tell whether a model has a card, and the order of its classes."""
    if path.suffix.lower() not in FORMS:
        raise ModelError(f"{path} is of no form that can be opened. Expected: a file .onnx, .keras or .h5.")
    digest = sha256_of(path)
    said = None if classes is None else read_classes(classes)
    if _carded(path, digest):
        if said is not None and said != EMOTIONS:
            raise ModelError(f"The card of {path} says another order of classes. Leave --classes out.")
        return True, EMOTIONS
    if said is None:
        raise ModelError(
            f"{path} has no card that says the order of its classes. Expected: --classes folder (folders in "
            f"alphabetical order, as Keras reads them), fer2013 ({', '.join(EMOTIONS)}) or a file with a class a line."
        )
    return False, said


def _carded(path: Path, digest: str) -> bool:
    """Tell whether the JSON file beside a model is its card, or the card of the ONNX file that was made with it.

    Raises:
        ModelError: it is the card of another version of this very file, or for something else.
    """
    if not _is_card(path.with_suffix(".json")):
        return False
    beside = path.with_suffix(".onnx")
    if path != beside and beside.is_file():
        files = read_card(beside, "expression").files
        if path.name not in files and digest not in files.values():
            return False
    read_card(path, "expression")
    return True


def _is_card(path: Path) -> bool:
    """Tell whether a file is there and tells a model's hash, as every card does; other programs write JSON too."""
    try:
        found = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "sha256" in found


def read_classes(classes: str | Path) -> tuple[str, ...]:
    """Return the order of classes that "folder", "fer2013" or a file with one name a line says.

    Raises:
        ModelError: there is no such file, or it does not name each of EMOTIONS once.
    """
    if str(classes) == FOLDER:
        return tuple(sorted(EMOTIONS))
    if str(classes) == FER2013:
        return EMOTIONS
    try:
        lines = read_text(Path(classes)).splitlines()
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The classes {classes} cannot be read: {error}. Expected: folder, fer2013 or a file with one class a line."
        ) from error
    words = [line.strip().lower() for line in lines if line.strip()]
    names = tuple(OTHER_NAMES.get(word, word) for word in words)
    if sorted(names) != sorted(EMOTIONS):
        raise ModelError(
            f"{classes} does not name each class once. Expected, in the model's order: {', '.join(EMOTIONS)}. "
            f"Received: {', '.join(words) or 'nothing'}."
        )
    return names


def check_shapes(path: Path, given: tuple[Any, ...], answered: tuple[Any, ...]) -> tuple[int, int, bool]:
    """Return height, width and whether the channel comes first, from the shapes of a model's input and output.

    Raises:
        ModelError: the input is no gray picture, or there are not seven answers.
    """
    sides = [side if isinstance(side, int) else None for side in given[1:]]
    if len(sides) != 3 or 1 not in (sides[0], sides[2]):
        raise ModelError(
            f"{path} does not read gray faces. Expected: an input of (n, height, width, 1). Received: {given}."
        )
    if len(answered) != 2 or answered[1] != N_EMOTIONS:
        raise ModelError(f"{path} does not answer with {N_EMOTIONS} classes. Received: an output of {answered}.")
    channel_first = sides[2] != 1
    height, width = sides[1:] if channel_first else sides[:2]
    return FACE_SIZE if height is None else height, FACE_SIZE if width is None else width, channel_first


def _open(path: Path, carded: bool, order: tuple[str, ...], cut: Cut | None = None) -> ForeignModel:
    try:
        if path.suffix.lower() == ".onnx":
            from roomread.learn.load_onnx import open_onnx as open_file
        else:
            from roomread.learn.load_keras import open_keras as open_file
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Opening {path} needs the package {error.name}, which is not installed. "
            'Expected: pip install "roomread[learn]".'
        ) from error
    parts, given, answered, rescales = open_file(path, cut)
    return ForeignModel(
        path.name, parts, check_shapes(path, given, answered), 1.0 if carded or rescales else 1 / 255, order
    )
