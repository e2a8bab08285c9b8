"""Commands that show what a network is made of."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from roomread.cli.terminal import add_command, check_figure, learning
from roomread.errors import SettingsError


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "model",
        _model,
        "show the layers of a network that can be trained, and draw them",
        "roomread model baseline --out baseline.png",
    )
    command.add_argument(
        "name", metavar="NAME", help="compact (the published one), large, tiny or baseline (the original)"
    )
    command.add_argument("--out", type=Path, metavar="FILE", help="draw the network there, as PNG, SVG or PDF")


def _model(options: argparse.Namespace) -> int:
    with learning():
        from roomread.learn.architecture import as_text, describe, draw_architecture
        from roomread.learn.model import MODELS

    if options.name not in MODELS:
        raise SettingsError(f"There is no model {options.name!r}. Expected one of: {', '.join(MODELS)}.")
    if options.out is not None:
        check_figure(options.out)
    architecture = describe(MODELS[options.name]())
    print(as_text(architecture))
    if options.out is not None:
        print(draw_architecture(architecture, options.out))
    return 0
