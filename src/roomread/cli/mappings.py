"""The command that lists the engagement formulas, with what each is worth."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import Any

from roomread.cli.terminal import WIDTH, add_command


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands, "mappings", _mappings, "list the engagement formulas and what each is worth", "roomread mappings"
    )
    command.add_argument("--json", action="store_true", help="print them as JSON")


def _mappings(options: argparse.Namespace) -> int:
    from roomread.app.panel import panel

    mappings = panel().values()
    if options.json:
        shown = ("name", "formula", "source", "validity")
        print(json.dumps([{key: getattr(mapping, key) for key in shown} for mapping in mappings], indent=2))
        return 0
    for mapping in mappings:
        print(mapping.name)
        for what in ("formula", "source", "validity"):
            text = f"{what:9} {getattr(mapping, what)}"
            print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent=" " * 12))
    return 0
