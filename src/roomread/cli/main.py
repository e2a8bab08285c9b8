"""One command calls one function and prints what it returns."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from roomread import __version__
from roomread.cli import (
    analyze,
    batch,
    check,
    codes,
    data,
    doctor,
    evaluate,
    learn,
    lessons,
    mappings,
    model,
    predict,
    store,
    structure,
    watch,
    web,
)
from roomread.cli.terminal import STOPPED, say
from roomread.errors import RoomreadError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 for what the user can put right, 2 for wrong use."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if "" in (sys.argv[1:] if arguments is None else arguments):  # else a path of this very folder
        parser.error("an argument is empty. Expected: a value, or none at all. Is a variable of the shell not set?")
    try:
        with _printed():
            return int(options.run(options))
    except RoomreadError as error:
        say(f"roomread: {error}")
        return 1
    except KeyboardInterrupt:
        say("roomread: stopped.")
        return STOPPED
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        return 1
    except OSError as error:  # what no reader foresaw: a name too long for the disk, a folder nobody may enter
        say(f"roomread: {error.filename or 'A file'} cannot be used: {error.strerror or error}.")
        return 1


@contextmanager
def _printed() -> Iterator[None]:
    """See at the end that all that was printed has left, and let the rest go where it cannot.

    Python would try again when it ends, and end with a code of its own.
    """
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise OSError(error.errno, error.strerror, "The output") from error


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="roomread",
        description="How engaged a room is, from the faces in a video or picture, with the uncertainty it deserves. "
        "Everything stays on this machine or in the database that you name, and no picture is kept.",
        epilog="example: roomread analyze class.mp4 --purpose research --reference 'IRB 2026-17' --out results",
    )
    parser.add_argument("--version", action="version", version=f"roomread {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.set_defaults(run=lambda options: _show(parser))
    analyze.add_commands(commands)
    batch.add_commands(commands)
    lessons.add_commands(commands)
    structure.add_commands(commands)
    mappings.add_commands(commands)
    codes.add_commands(commands)
    watch.add_commands(commands)
    web.add_commands(commands)
    check.add_commands(commands)
    doctor.add_commands(commands)
    store.add_commands(commands)
    data.add_commands(commands)
    model.add_commands(commands)
    learn.add_commands(commands)
    evaluate.add_commands(commands)
    predict.add_commands(commands)
    return parser


def _show(parser: argparse.ArgumentParser) -> int:
    """Print the help, for who names no command."""
    parser.print_help()
    return 0


def run() -> None:
    """Run the command line and leave with its exit code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever called
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an orderly end keeps what was seen
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what is no letter
    warnings.filterwarnings("ignore", module="PIL")  # what cannot be read is said in our own words
    sys.exit(main())
