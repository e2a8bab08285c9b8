"""What every command shares: how it is described, how it speaks to the terminal, how it shows its progress."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from roomread.errors import MissingExtraError

STOPPED = 130  # exit code of a run that was ended by Ctrl-C, as shells have it

Progress = Callable[[float], None]  # receives how far the work is


def say(text: str) -> None:
    """Print to the terminal beside the results."""
    print(text, file=sys.stderr)


def add_command(commands: Any, name: str, run: Any, help_text: str, example: str) -> argparse.ArgumentParser:
    """Add one command, with help that ends in an example."""
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(run=run)
    return made


@contextmanager
def bar(
    name: str,
    total: float | None,
    form: str = "{desc} {percentage:3.0f}% |{bar}| {n:.0f} of {total:.0f} s, {remaining} left",
) -> Iterator[Progress]:
    """Show how far a long piece of work is; nothing where nobody looks."""
    from tqdm import tqdm

    unknown = "{desc} {n:.0f} s, {elapsed} gone"
    shown = tqdm(
        total=total, desc=name, bar_format=form if total else unknown, leave=False, disable=not sys.stderr.isatty()
    )

    def progress(seconds: float) -> None:
        shown.update(max(0.0, min(seconds, total or seconds) - shown.n))

    with shown:
        yield progress


@contextmanager
def learning() -> Iterator[None]:
    """Say what to install where the training part is missing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's greetings are not for our users
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'This needs the package {error.name}, which is not installed. Expected: pip install "roomread[learn]".'
        ) from error
