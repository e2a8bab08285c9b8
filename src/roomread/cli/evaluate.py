"""The command that judges expression models."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from roomread.cli.terminal import CLASSES_HELP, add_command, add_data, open_named, say

REPORT = "evaluation.html"  # in the folder of --out; the numbers lie beside it as evaluation.json


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "evaluate",
        _evaluate,
        "tell how good expression models are, on a named split",
        "roomread evaluate --model published --data fer2013.parquet --split validation --out judged",
    )
    command.add_argument(
        "--model", required=True, action="append", metavar="PATH", help="an ONNX, .keras or .h5 file, or published; "
        "give it again for each further model to compare"
    )  # fmt: skip
    command.add_argument("--classes", metavar="ORDER", help=CLASSES_HELP)
    add_data(command)
    command.add_argument("--split", required=True, help="validation, PublicTest, PrivateTest, test or Training")
    command.add_argument("--drop", type=Path, metavar="FILE", help="rows to judge with and without: the audit's table")
    command.add_argument(
        "--views", choices=("none", "flip", "ten"), default="none", help="views of a face to average; default: none"
    )
    command.add_argument("--sizes", action="store_true", help="judge faces of 16, 24 and 32 pixels too")
    command.add_argument("--blur", action="store_true", help="judge blurred faces too")
    command.add_argument("--out", type=Path, metavar="DIR", help=f"write {REPORT} and its numbers as JSON there")
    command.add_argument("--json", action="store_true", help="print the figures as one JSON object")


def _evaluate(options: argparse.Namespace) -> int:
    from roomread.learn.audit import rows_to_drop
    from roomread.learn.evaluation import BLURS, SIZES, evaluate
    from roomread.learn.evaluation_report import numbers_of, write_evaluation
    from roomread.learn.evaluation_text import as_table, as_text
    from roomread.learn.readers import is_fer2013, read_faces
    from roomread.learn.views import Viewed
    from roomread.output import check_folder

    if options.out is not None:
        check_folder(options.out)
    models = [
        Viewed(open_named(path, options.classes, len(options.model) > 1), options.views) for path in options.model
    ]
    faces = read_faces(options.data, options.labels, options.ferplus)
    drop = None if options.drop is None else rows_to_drop(faces, options.drop)
    sizes, blurs = SIZES if options.sizes else (), BLURS if options.blur else ()
    if options.split == "validation" and "published" in options.model and is_fer2013(faces) and not faces.fer2013:
        say(
            "note: class folders do not say which rows of FER-2013 they hold, so another tenth than roomread's own is "
            "validation here, and the published model was fitted on most of it: its figures are far too good."
        )
    judged = [evaluate(model, faces, options.split, drop, sizes, blurs) for model in models]
    if options.json:
        print(json.dumps(numbers_of(judged), indent=2))
    else:
        print("\n\n".join([*map(as_text, judged), *([as_table(judged)] if len(judged) > 1 else [])]))
    if options.out is not None:
        report = write_evaluation(judged, options.out / REPORT)
        (say if options.json else print)(str(report))
    return 0
