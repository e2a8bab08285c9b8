"""What every command shares: how it is described, how it speaks to the terminal, how it shows its progress."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from roomread.faces.expression import Classifier

WIDTH = 100  # characters of a line
LINE_EVERY = 30.0  # seconds between two lines of a batch's log
STOPPED = 130  # exit code of a run that was ended by Ctrl-C, as shells have it

CLASSES_HELP = "of models without a card: folder (alphabetical), fer2013, or a file of names"

STDERR = 2  # its number
GREETING = re.compile(rb"WARNING: All log messages before absl::|[IW]\d{4} \d\d:\d\d:")

Progress = Callable[[float], None]  # receives how far the work is


def say(text: str) -> None:
    """Print to the terminal beside the results."""
    print(text, file=sys.stderr)


def answer(prompt: str) -> str | None:
    """Return what is typed, or None where nothing more comes."""
    try:
        return input(prompt)
    except EOFError:
        print()
        return None


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


def add_lesson(command: argparse.ArgumentParser) -> None:
    """Add the argument that names a stored lesson."""
    command.add_argument("lesson", help="its number, its name, or last")


def add_purpose(command: argparse.ArgumentParser, purposes: Sequence[str], what: str) -> None:
    """Add the options that say why a class is looked at; `what` is what the purpose does."""
    command.add_argument("--purpose", choices=purposes, help=what)
    command.add_argument("--reference", metavar="TEXT", help="ethics or consent number, for single seats in research")


def add_mapping(command: argparse.ArgumentParser) -> None:
    """Add the option that names an engagement formula."""
    command.add_argument(
        "--mapping",
        metavar="NAME",
        help="engagement formula, one of `roomread mappings` or a file of `roomread calibrate`; default: glance",
    )


def add_store(command: argparse.ArgumentParser, default: str = "ROOMREAD_DB, or a file in your data folder") -> None:
    """Add the option that names the store."""
    command.add_argument(
        "--db", metavar="FILE|URL", help=f"the store: a file, or postgresql://user@host/database; default: {default}"
    )


def add_agenda(command: argparse.ArgumentParser) -> None:
    """Add the option that names the parts of a lesson."""
    command.add_argument(
        "--agenda",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="parts of the lesson for the report: a table (CSV), WebVTT or SRT; may be given again",
    )


def add_data(command: argparse.ArgumentParser) -> None:
    """Add the options that name a data set and say how it is read."""
    command.add_argument(
        "--data", type=Path, required=True, metavar="PATH", help="a data set: Parquet, CSV or class folders"
    )
    add_forms(command)


def add_forms(command: argparse.ArgumentParser) -> None:
    """Add the options that say how a data set is read."""
    command.add_argument(
        "--ferplus", type=Path, metavar="CSV", help="FER+'s votes; default: fer2013new.csv beside a CSV, if it is there"
    )
    command.add_argument(
        "--labels", type=Path, metavar="MAP.toml", help='[labels] with name = "happy", or "-" to leave a class out'
    )


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
def board() -> Iterator[Callable[[float, float, str], None]]:
    """Show how far many recordings are: seconds done, of all, and words; in a log file as a line now and then."""
    from tqdm import tqdm

    seen = sys.stderr.isatty()
    form = "{desc} {percentage:3.0f}% |{bar}| {postfix[0]}, {elapsed} gone, {remaining} left"
    lines = form.replace(" |{bar}|", "")
    shown = tqdm(
        desc="batch", bar_format=form if seen else lines, postfix=["starting"], leave=False, smoothing=0,
        file=sys.stderr if seen else io.StringIO(),
    )  # fmt: skip
    told = time.monotonic()

    def tell(done: float, total: float, words: str) -> None:
        nonlocal told
        shown.total, shown.postfix = max(total, done, 1e-9), [f"{_hours(done)} of {_hours(total)} of video, {words}"]
        shown.n = done
        shown.refresh()
        if not seen and time.monotonic() - told >= LINE_EVERY:
            told = time.monotonic()
            say(str(shown).strip())

    with shown:
        yield tell


def _hours(seconds: float) -> str:
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{seconds % 60:02.0f}"


@contextmanager
def learning() -> Iterator[None]:
    """Say what to install where the training part is missing, and keep TensorFlow's greetings from our users."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with _without_greetings():
            yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'This needs the package {error.name}, which is not installed. Expected: pip install "roomread[learn]".'
        ) from error


@contextmanager
def _without_greetings() -> Iterator[None]:
    """Hold back what is written to the terminal's error stream, and then pass on all but TensorFlow's greetings.

    TensorFlow writes some of them before it has read the level above, from C++, so that nothing else stops them.
    """
    sys.stderr.flush()
    terminal = os.dup(STDERR)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, STDERR)
            os.close(terminal)
            held.seek(0)
            for line in held:
                if not GREETING.match(line):
                    os.write(STDERR, line)


def open_named(model: str, classes: str | None, several: bool = False) -> Classifier:
    """Return the model of a --model: a file, or the published one; only what needs Keras brings it in.

    Args:
        model: as it was given.
        classes: as --classes was.
        several: models are compared, and --classes is of those without a card.
    """
    with learning():
        from roomread.learn.load import has_card, open_model

        path = model_path(model)
        return open_model(path, None if several and has_card(path) else classes)


def check_figure(path: Path) -> None:
    """Refuse a name of a figure that tells no format.

    Raises:
        SettingsError: it ends otherwise.
    """
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise SettingsError(f"{path} is no figure. Expected: a name that ends in .png, .svg or .pdf.")


def check_output(out: Path, source: Path) -> None:
    """Refuse to write a file in the place of the one that it is made of.

    Raises:
        SettingsError: both are the same.
    """
    if out.exists() and source.exists() and out.samefile(source):
        raise SettingsError(f"{out} is the source itself. Expected: another name for what is made of it.")


def model_path(model: str) -> Path:
    """Return the file that a --model names."""
    from roomread.modelcard import PUBLISHED

    return PUBLISHED if model == "published" else Path(model)
