"""Write docs/cli.md from the commands' own help.

python tools/write_cli_docs.py
"""

import argparse
import os
from pathlib import Path

from roomread.cli.main import make_parser

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"


def cli_docs() -> str:
    """Return the page."""
    os.environ["COLUMNS"] = "100"  # as wide everywhere
    parser = make_parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction)).choices
    parts = ["# Commands\n\nWritten by `python tools/write_cli_docs.py` from the commands' own help.\n"]
    for name, command in {"": parser, **commands}.items():
        parts.append(f"## `{f'roomread {name}'.strip()}`\n\n```\n{command.format_help().strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(cli_docs(), encoding="utf-8")
