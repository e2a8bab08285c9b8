"""What augmentation does to a face, as a figure: each change alone, then all of them together."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from roomread import style
from roomread.errors import DataError, SourceError
from roomread.faces.detector import open_detector
from roomread.learn.audit import BLANK_LEVELS
from roomread.learn.augment import DISTANT_SIZES, Augment, AugmentSettings
from roomread.learn.datasets import LabelledFaces
from roomread.learn.figures import bare, save_figure, start_figure
from roomread.pictures import read_picture
from roomread.preprocess import FACE_SIZE, crop_faces, whole_face
from roomread.types import Array, check_shape

SHARES = ("erase", "distant")  # drawn on every face of their row, whatever share of faces they meet in training
DRAWS = 6  # faces in a row


def changes_alone(settings: AugmentSettings) -> dict[str, AugmentSettings]:
    """Return for each change that is not switched off the settings that make it alone, in the order of the settings."""
    strengths = {field.name: getattr(settings, field.name) for field in fields(AugmentSettings)}
    off = {name: type(strength)(0) for name, strength in strengths.items()}
    return {
        name: AugmentSettings(**{**off, name: 1.0 if name in SHARES else strength})
        for name, strength in strengths.items()
        if strength
    }


def face_of_picture(path: Path, whole: bool = False) -> Array:
    """Return the largest face of a picture, framed as FER-2013 frames its faces: uint8 (48, 48, 1), gray.

    Args:
        path: a picture.
        whole: take the whole picture as the face, without looking for one.

    Raises:
        SourceError: it is no picture, or no face was found.
    """
    image = read_picture(path)
    if whole:
        return whole_face(image)
    boxes = open_detector().detect(image).boxes
    if not len(boxes):
        raise SourceError(f"No face was found in {path}. Choose another picture, or take all of it with --whole.")
    largest = np.argmax((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    face: Array = crop_faces(image, boxes[[largest]])[0]
    return face


def face_of_data(faces: LabelledFaces, row: int | None = None) -> tuple[Array, int]:
    """Return one face of a data set, uint8 (48, 48, 1), and its row; by default the first that is not blank.

    Raises:
        DataError: there is no such row.
    """
    seen = faces.rows == row if row is not None else np.ptp(faces.images, axis=(1, 2, 3)) >= BLANK_LEVELS
    if not seen.any():
        wanted = "face that is not blank" if row is None else f"row {row}"
        span = f"rows {faces.rows.min()} to {faces.rows.max()}" if len(faces) else "nothing"
        raise DataError(f"The data has no {wanted}. It holds: {span}.")
    place = int(np.flatnonzero(seen)[0])
    return faces.images[place], int(faces.rows[place])


def draw_changes(face: Array, settings: AugmentSettings, seed: int, title: str, path: Path) -> Path:
    """Draw one face as it is, under each change alone, and under all of them as training draws them.

    Args:
        face: uint8 (48, 48, 1), gray, 0 to 255.
        settings: the changes.
        seed: of the draws.
        title: what the face is called.
        path: its ending names the format.

    Returns:
        The path.

    Raises:
        OutputError: it cannot be written.
    """
    check_shape("face", face, (FACE_SIZE, FACE_SIZE, 1))
    batch = np.repeat(face[None].astype(np.float32), DRAWS, axis=0)
    rows = {"as it is": batch[:1]}
    rows |= {_words(name, settings): _changed(batch, alone, seed) for name, alone in changes_alone(settings).items()}
    rows["all together,\nas in training"] = _changed(batch, settings, seed)
    size = (1.9 + 0.8 * DRAWS, 0.4 + 0.86 * len(rows))
    figure, axes = start_figure(*size, len(rows), DRAWS, f"Augmentation of {title}")
    for line, (name, drawn) in zip(axes, rows.items(), strict=True):
        for axis, picture in zip(line, drawn, strict=False):
            axis.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=255)
        for axis in line:
            bare(axis)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8, color=style.LIGHT.text)
    return save_figure(figure, path)


def _changed(batch: Array, settings: AugmentSettings, seed: int) -> Array:
    return np.asarray(Augment(settings, seed)(batch, training=True))


def _words(name: str, settings: AugmentSettings) -> str:
    """Return how a change and its strength are written beside its row."""
    strength = getattr(settings, name)
    sizes = ", ".join(map(str, DISTANT_SIZES))
    words = {
        "flip": "flip\nevery other face",
        "rotation": f"rotation\n±{strength:g}°",
        "zoom": f"zoom\n±{style.percent(strength)}",
        "shift": f"shift\n±{style.percent(strength)} of the side",
        "contrast": f"contrast\n±{style.percent(strength)}",
        "brightness": f"brightness\n±{strength:g} gray levels",
        "blur": f"blur\nup to {strength:g} px",
        "erase": f"erase\n{style.percent(strength)} of faces",
        "distant": f"distant: {sizes} px\n{style.percent(strength)} of faces",
    }
    return words.get(name, f"{name}\n{strength:g}")
