"""Commands that show what a data set holds and what augmentation makes of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.cli.terminal import add_command, add_forms, check_figure, check_output, learning
from roomread.errors import SettingsError
from roomread.types import EMOTIONS

if TYPE_CHECKING:
    from roomread.learn.audit import Audit
    from roomread.learn.datasets import LabelledFaces

DATA_FORMS = "fer2013.csv, icml_face_data.csv, a folder of class folders, or Parquet"


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    for add in (_add_data, _add_augment):
        add(commands)


def _add_data(commands: Any) -> None:
    command = add_command(
        commands,
        "data",
        _data,
        "count the faces of a data set per class and split, and find what is wrong with them",
        "roomread data fer2013.csv --out data",
    )
    command.add_argument("path", type=Path, metavar="PATH", help=DATA_FORMS)
    add_forms(command)
    command.add_argument("--out", type=Path, metavar="DIR", help="write counts.png, samples.png and audit.csv there")
    command.add_argument("--json", action="store_true", help="print the figures as one JSON object")


def _data(options: argparse.Namespace) -> int:
    with learning():
        from roomread.learn.audit import audit, write_audit
        from roomread.learn.readers import read_faces
        from roomread.output import check_folder

        if options.out is not None:
            check_folder(options.out)
        faces = read_faces(options.path, options.labels, options.ferplus)
        found = audit(faces)
        written = []
        if options.out is not None:
            from roomread.learn.data_figures import draw_counts, draw_samples

            written = [
                draw_counts(faces, options.path.name, options.out / "counts.png"),
                draw_samples(faces, options.path.name, options.out / "samples.png"),
                write_audit(found, options.out / "audit.csv"),
            ]
    print(_as_json(faces, found, written) if options.json else _as_text(faces, found, written))
    return 0


def _as_json(faces: LabelledFaces, found: Audit, written: list[Path]) -> str:
    splits = {
        name: {"n": int(held.sum())} | dict(zip(EMOTIONS, held.tolist(), strict=True))
        for name, held in faces.counts().items()
    }
    table = {"faces": len(faces), "splits": splits, "audit": found.counts(), "files": [str(path) for path in written]}
    return json.dumps(table, indent=2)


def _as_text(faces: LabelledFaces, found: Audit, written: list[Path]) -> str:
    from roomread.learn.audit import FINDINGS
    from roomread.style import UNKNOWN

    counts = faces.counts()
    lines = [f"{'':10}" + "".join(f"{name:>13}" for name in counts)]
    for label, name in enumerate(EMOTIONS):
        lines.append(f"{name:10}" + "".join(f"{held[label]:13}" for held in counts.values()))
    lines.append(f"{'faces':10}" + "".join(f"{held.sum():13}" for held in counts.values()))
    if "validation" in counts and "Training" in counts:
        lines.append("validation is a part of Training.")
    if "test" in counts and "PublicTest" in counts:
        lines.append("test is PublicTest and PrivateTest together.")
    lines += ["", f"{'audit':16}{'faces':>7}{'groups':>8}"]
    found_of = found.counts()
    for finding, meaning in FINDINGS.items():
        about = found_of[finding]
        figures = f"{UNKNOWN:>7}{UNKNOWN:>8}" if about is None else f"{about['faces']:7}{about['groups']:8}"
        lines.append(f"{finding:16}{figures}   {meaning}")
    lines += ["", *map(str, written)] if written else []
    return "\n".join(lines)


def _add_augment(commands: Any) -> None:
    command = add_command(
        commands,
        "augment",
        _augment,
        "draw one face under each change that training makes, alone and together",
        "roomread augment portrait.jpg -o augment.png",
    )
    command.add_argument("picture", type=Path, nargs="?", metavar="PICTURE", help="its largest face is drawn")
    command.add_argument("--whole", action="store_true", help="take the whole picture as the face")
    command.add_argument("--data", type=Path, metavar="PATH", help=f"draw a face of a data set instead: {DATA_FORMS}")
    command.add_argument("--row", type=int, metavar="N", help="which one; default: the first that is not blank")
    add_forms(command)
    command.add_argument("--settings", type=Path, metavar="RUN.toml", help="a training run; its table [augment] counts")
    command.add_argument("--seed", type=int, default=0, help="of the draws; default: %(default)s")
    command.add_argument(
        "-o", "--out", type=Path, default=Path("augment.png"), metavar="FILE", help="default: %(default)s"
    )


def _augment(options: argparse.Namespace) -> int:
    if (options.picture is None) == (options.data is None):
        raise SettingsError("augment draws one face. Expected: either PICTURE or --data PATH.")
    check_figure(options.out)
    check_output(options.out, options.picture or options.data)
    with learning():
        from roomread.config import read_settings
        from roomread.learn.augment_figure import draw_changes, face_of_data, face_of_picture
        from roomread.learn.readers import read_faces
        from roomread.learn.settings import SEEDS, TrainSettings

        if not 0 <= options.seed < SEEDS:
            raise SettingsError(f"--seed must lie in 0 to {SEEDS - 1}. Received: {options.seed}.")
        if options.data is None:
            face, title = face_of_picture(options.picture, options.whole), options.picture.name
        else:
            faces = read_faces(options.data, options.labels, options.ferplus)
            face, row = face_of_data(faces, options.row)
            title = f"{options.data.name}, row {row}"
        run = TrainSettings() if options.settings is None else read_settings(TrainSettings, options.settings)
        print(draw_changes(face, run.augment, options.seed, title, options.out))
    return 0
