"""The command that makes expression models."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from roomread.cli.terminal import add_command, add_data, bar, learning, say


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "train",
        _train,
        "train an expression model; a run that was stopped goes on where it was",
        "roomread train runs/published.toml --data fer2013.parquet --out trained",
    )
    command.add_argument("settings", type=Path, metavar="RUN.toml", help="names what differs from the defaults")
    add_data(command)
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for checkpoints, model and card")
    command.add_argument("--drop", type=Path, metavar="FILE", help="rows not to fit on: the audit's table")
    command.add_argument("--devices", type=int, metavar="N", help="that train together; default: all that JAX has")


def _train(options: argparse.Namespace) -> int:
    with learning():
        from roomread.config import read_settings
        from roomread.learn.audit import rows_to_drop
        from roomread.learn.evaluation_text import as_text
        from roomread.learn.readers import read_faces
        from roomread.learn.run import run
        from roomread.learn.train import TrainSettings

    settings = read_settings(TrainSettings, options.settings)
    faces = read_faces(options.data, options.labels, options.ferplus)
    drop = None if options.drop is None else rows_to_drop(faces, options.drop)
    with _EpochBars() as bars:
        path, figures = run(settings, faces, options.out, bars, drop, options.devices)
    print(as_text(figures))
    print(path)
    return 0


class _EpochBars(ExitStack):
    """A bar for each epoch, which gives way to its line."""

    epoch = 0

    def progress(self, epoch: int, share: float) -> None:
        """Show how much of an epoch is done."""
        if epoch != self.epoch:
            self.close()
            self.epoch = epoch
            form = "{desc} {percentage:3.0f}% |{bar}| {remaining} left"
            self.show = self.enter_context(bar(f"epoch {epoch}", 1.0, form))
        self.show(share)

    def judged(self, epoch: dict[str, float], network: object) -> None:
        """Show nothing; the line that follows says it."""

    def say(self, line: str) -> None:
        """Print a line in place of the bar."""
        self.close()
        say(line)
