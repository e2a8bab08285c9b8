"""The command that compares the parts of a lesson."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from roomread.cli.terminal import WIDTH, add_command, add_lesson, add_mapping, add_store, say


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "structure",
        _structure,
        "compare the parts of a lesson: an agenda, slide times, captions or markers",
        "roomread structure last examples/agenda.csv",
    )
    add_lesson(command)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a table (CSV), WebVTT or SRT")
    command.add_argument(
        "--window", type=float, metavar="SECONDS", help="before and after a marker that are compared; default: 60"
    )
    command.add_argument("--json", action="store_true", help="print the parts as JSON")
    add_mapping(command)
    add_store(command)


def _structure(options: argparse.Namespace) -> int:
    from roomread.app.analyze import open_lesson
    from roomread.style import count, percent

    compared = open_lesson(options.lesson, options.db).structure(options.files, options.mapping, options.window)
    if options.json:
        print(json.dumps(compared.as_dict(), indent=2))
        return 0
    print(f"{'no.':>3}  {'when':17}  {'seats':>5}  {'covered':>7}  {'difference (95% interval)':39}  part")
    for row in compared.rows:
        seen = f"{count(row.seats):>5}  {percent(row.covered):>7}"
        print(f"{row.number:3}  {row.when:17}  {seen}  {row.words:39}  {row.part.name}")
    for text in (compared.method, compared.caution, *compared.notes):
        say(textwrap.fill(text, WIDTH))
    return 0
