"""The command that reads picture files."""

from __future__ import annotations

import argparse
import json
import math
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.cli.terminal import CLASSES_HELP, add_command, add_mapping, learning, model_path, open_named, say
from roomread.errors import SettingsError, SourceError
from roomread.types import EMOTIONS

if TYPE_CHECKING:
    from roomread.engagement.mappings import Mapping
    from roomread.types import Array, Prediction

    Look = Callable[[Array], Array]

LISTED = 3  # expressions of a face in the terminal, the likeliest; --json has all


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "predict",
        _predict,
        "read the expressions in picture files, and the engagement that a formula makes of them",
        "roomread predict portrait.jpg --out predicted",
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture")
    command.add_argument(
        "--whole", action="store_true", help="take each whole picture as a face, without looking for one"
    )
    command.add_argument(
        "--model", default="published", metavar="PATH", help="ONNX, .keras or .h5; default: %(default)s"
    )
    command.add_argument("--classes", metavar="ORDER", help=CLASSES_HELP)
    add_mapping(command)
    command.add_argument(
        "--purpose", choices=("self-study", "research"), default="self-study",
        help="several faces are shown singly for research with a reference only; default: %(default)s",
    )  # fmt: skip
    command.add_argument("--reference", metavar="TEXT", help="ethics or consent number")
    command.add_argument("--out", type=Path, metavar="DIR", help="draw each picture with its labels there")
    command.add_argument("--gradcam", action="store_true", help="draw there too what the model looked at")
    command.add_argument("--json", action="store_true", help="print the figures as one JSON object")


def _predict(options: argparse.Namespace) -> int:
    from roomread.app.panel import find_mapping
    from roomread.app.predict import Finder, predict
    from roomread.faces.detector import open_detector
    from roomread.faces.head import HeadReader
    from roomread.output import check_folder
    from roomread.store.privacy import check_purpose

    if options.gradcam and options.out is None:
        raise SettingsError("--gradcam draws a picture. Expected: --out DIR, the folder for it.")
    check_purpose(options.purpose, options.reference)
    mapping = find_mapping(options.mapping, signals=not options.whole)
    if options.out is not None:
        check_folder(options.out)
    model = open_named(options.model, options.classes)
    finder = None if options.whole else Finder(open_detector(), HeadReader() if mapping.signals else None)
    look = _looker(options) if options.gradcam else None
    told: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    stems: list[str] = []
    for path in options.files:
        try:
            prediction = predict(path, model, finder, mapping, options.purpose, options.reference)
        except SourceError as error:
            say(f"roomread: {error}")
            failed[str(path)] = str(error)
            continue
        ends = ("", *(f"-{number}" for number in range(2, len(stems) + 2)))  # one name in several folders
        stem = next(path.stem + end for end in ends if path.stem + end not in stems)
        stems.append(stem)
        files = []
        if options.out is not None:
            files = _draw(prediction, (model.name, _about(mapping, options.model)), options.out / stem, look)
        told.append(_as_dict(path, prediction, files))
        if not options.json:
            print(_as_text(prediction, files))
    if options.json:
        about = {
            "name": mapping.name,
            "formula": mapping.formula,
            "source": mapping.source,
            "validity": mapping.validity,
            "validity_is_of_this_model": options.model == "published",
        }
        print(json.dumps({"model": model.name, "mapping": about, "pictures": told, "failed": failed}, indent=2))
    elif told:
        print(textwrap.fill(_about(mapping, options.model), 100))
    return 1 if failed else 0


def _looker(options: argparse.Namespace) -> Look:
    """Return what draws a map of a face for an expression."""
    with learning():
        from roomread.learn.gradcam import gradcam, split_model

        split = split_model(model_path(options.model), options.classes)
    return lambda face: gradcam(split, face)


def _draw(prediction: Prediction, words: tuple[str, str], stem: Path, look: Look | None) -> list[Path]:
    """Draw the figures of a picture; `words` name the model and tell of the engagement."""
    with learning():
        from roomread.learn.prediction_figures import draw_looks, draw_prediction

    model, about = words
    written = [draw_prediction(prediction, model, about, stem.with_name(f"{stem.name}-predicted.png"))]
    if look is not None and prediction.single and prediction.n_readable:
        written.append(draw_looks(prediction, look, model, stem.with_name(f"{stem.name}-gradcam.png")))
    return written


def _about(mapping: Mapping, model: str) -> str:
    """Return what the engagement is and what it is worth."""
    unknown = "" if model == "published" else " With the model used here it was not measured."
    return f"engagement by {mapping.name} ({mapping.source}): {mapping.formula}. {mapping.validity}{unknown}"


def _as_text(prediction: Prediction, files: list[Path]) -> str:
    n = len(prediction.boxes)
    if not n:
        return f"{prediction.name}: no face found. --whole takes the whole picture as one."
    lines = [f"{prediction.name}: {n} face{'s' * (n > 1)}"]
    if prediction.single:
        rows = zip(prediction.boxes, prediction.emotions, prediction.engagement, strict=True)
        for face, (box, row, score) in enumerate(rows):
            lines.append(f"  {face + 1}  {_place(box)}  {_likeliest(row)}{_engagement(score)}")
            if levels := _levels(prediction, face):
                scales = (f"{_listed(some)} of 0 to {n - 1} ({name})" for name, (some, n) in levels.items())
                lines.append(f"     levels that hold the truth nine times in ten: {', '.join(scales)}")
    else:
        lines.append(f"  {prediction.rule} For research: --purpose research --reference TEXT.")
        if not math.isnan(prediction.engagement_together):
            seen = f"{_likeliest(prediction.together)}{_engagement(prediction.engagement_together)}"
            lines.append(f"  {prediction.n_readable} faces together  {seen}")
    return "\n".join([*lines, *(f"  {path}" for path in files)])


def _levels(prediction: Prediction, face: int) -> dict[str, tuple[list[int], int]]:
    """Return by the name of each scale which levels may be a face's true one, and how many there are."""
    told = {name: (rows[face].nonzero()[0].tolist(), rows.shape[1]) for name, rows in prediction.levels.items()}
    return {name: (some, n) for name, (some, n) in told.items() if some}


def _listed(levels: list[int]) -> str:
    *first, last = map(str, levels)
    return f"{', '.join(first)} or {last}" if first else last


def _place(box: Array) -> str:
    left, top, right, bottom = (round(float(side)) for side in box)
    return f"{right - left} x {bottom - top} px at {left}, {top}"


def _likeliest(row: Array) -> str:
    """Return the likeliest expressions of a face with their probabilities."""
    from roomread.style import percent

    if math.isnan(row[0]):
        return "not readable: too small, dark, blurred or turned away"
    order = sorted(range(len(EMOTIONS)), key=lambda label: -row[label])[:LISTED]
    return "  ".join(f"{EMOTIONS[label]} {percent(float(row[label]))}" for label in order)


def _engagement(score: float) -> str:
    return "" if math.isnan(score) else f"  engagement {score:.2f}"


def _as_dict(path: Path, prediction: Prediction, files: list[Path]) -> dict[str, Any]:
    """Return a picture's figures for machines; what is not known or not shown is null."""
    from roomread.review.summary import known

    faces = [
        {
            "box": [round(float(side), 1) for side in box],
            "emotions": _named(row),
            "engagement": known(score),
            "levels": {name: some for name, (some, _) in _levels(prediction, face).items()},
        }
        for face, (box, row, score) in enumerate(
            zip(prediction.boxes, prediction.emotions, prediction.engagement, strict=True)
        )
    ]
    return {
        "file": str(path),
        "faces": faces,
        "together": _named(prediction.together),
        "engagement_together": known(prediction.engagement_together),
        "single": prediction.single,
        "rule": prediction.rule,
        "files": [str(file) for file in files],
    }


def _named(row: Array) -> dict[str, float] | None:
    return None if math.isnan(row[0]) else dict(zip(EMOTIONS, [round(float(share), 4) for share in row], strict=True))
