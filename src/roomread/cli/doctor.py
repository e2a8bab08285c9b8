"""The commands that look at the installation itself: what of it works, and under which terms it stands."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import asdict
from typing import Any

from roomread.cli.terminal import add_command, add_store

WIDTH = 110  # letters of a line
SIGNS = {"ok": "ok  ", "note": "note", "bad": "BAD "}


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "doctor",
        _doctor,
        "look at the installation: packages, networks, video, cameras, store and disk, and say what to do",
        "roomread doctor",
    )
    command.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_store(command)
    command = add_command(
        commands,
        "licences",
        _licences,
        "list the licence of every package that this installation uses, and of every network",
        "roomread licences",
    )
    command.add_argument("--json", action="store_true", help="print them as JSON")


def _licences(options: argparse.Namespace) -> int:
    from roomread.app.licences import licences

    found = licences()
    if options.json:
        print(json.dumps([asdict(terms) for terms in found], indent=2))
        return 0
    for terms in found:
        told = f"{terms.name:24} {terms.version:12} {terms.needed_by:8} {terms.licence}"
        print(textwrap.fill(told, WIDTH, subsequent_indent=" " * 47, break_on_hyphens=False))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from roomread.app.doctor import examine

    findings = []
    for found in examine(options.db):
        findings.append(found)
        if not options.json:
            told = f"{found.what}. {found.remedy}." if found.remedy else found.what
            print(textwrap.fill(f"{SIGNS[found.state]}  {found.part}: {told}", WIDTH, subsequent_indent=" " * 6))
    if options.json:
        print(json.dumps([asdict(found) for found in findings], indent=2))
    return int(any(found.state == "bad" for found in findings))
