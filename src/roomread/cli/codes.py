"""Commands that check a lesson against people: code glances, compare with what was coded, refit a mapping to it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.cli.terminal import WIDTH, add_command, add_lesson, add_store, answer, say
from roomread.errors import CodesError, PrivacyError, SettingsError
from roomread.style import with_interval

if TYPE_CHECKING:
    from roomread.review.agreement import Agreement
    from roomread.review.coding import Glance
    from roomread.store.privacy import Gate

COLUMNS = ("Spearman", "lowest level", "highest level", "quadratic kappa", "off by, in levels")
NOTES = (
    "Each figure with its 95% interval, drawn by {drawn}. Lowest and highest level: area under the curve against the "
    "rest, 0.5 is a coin. For kappa the scores are cut so that each level is as frequent as in the codes."
)
UNREAD = "n: glances with a reading. unread: glances without one, which are left out, not low. "


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    for add in (_add_code, _add_agreement, _add_calibrate):
        add(commands)


def _add_code(commands: Any) -> None:
    command = add_command(
        commands,
        "code",
        _code,
        "code glances at the seats of a lesson by eye, here or in a form to be filled in",
        "roomread code last --observer Anna",
    )
    add_lesson(command)
    command.add_argument("--sheet", type=Path, metavar="FILE.csv", help="write an empty form, and ask nothing")
    command.add_argument("--kept", type=Path, metavar="FILE.csv", help="write what was coded at the pages, likewise")
    command.add_argument("--observer", metavar="NAME", help="who codes; default: is asked for")
    command.add_argument("-o", "--out", type=Path, metavar="FILE.csv", help="default: NAME-NUMBER-codes.csv here")
    command.add_argument("--glance", type=float, default=20.0, metavar="SECONDS", help="length; default: %(default)g")
    command.add_argument("--levels", type=int, default=3, metavar="N", help="from 0; default: %(default)s")
    command.add_argument("--whole-class", action="store_true", help="look at the class as if it were one seat")
    add_store(command)


def _code(options: argparse.Namespace) -> int:
    from roomread.review.codes import MOST_LEVELS
    from roomread.review.coding import glances_to_code, observer_name, waiting, write_form
    from roomread.review.export import file_stem

    if not 2 <= options.levels <= MOST_LEVELS:
        raise SettingsError(f"--levels must be 2 to {MOST_LEVELS}. Received: {options.levels}.")
    if options.kept is not None:
        print(write_form(options.kept, _kept_rows(options)))
        return 0
    gate = _gate(options, options.lesson)
    try:
        glances = glances_to_code(gate, options.glance, options.whole_class)
    except PrivacyError as error:
        raise PrivacyError(f"{error} Add --whole-class.") from error
    if options.sheet is not None:
        print(write_form(options.sheet, [glance.row() for glance in glances]))
        return 0
    out = options.out or Path(f"{file_stem(gate.lesson, 'codes')}.csv")
    observer = observer_name(options.observer or answer("Your name or sign: ") or "")
    left = waiting(out, glances, observer)
    words = "; 0 disengaged, 1 partly, 2 engaged" if options.levels == 3 else "; 0 is the lowest"
    say(f"{len(left)} of {len(glances)} glances are left{words}. The first state that you see counts.")
    _ask_each(out, left, options.levels, observer)
    print(out)
    return 0


def _kept_rows(options: argparse.Namespace) -> list[tuple[str, ...]]:
    """Return what was coded at the pages as rows of a form."""
    from roomread.app.coding import fitting, glance_of
    from roomread.store.codes import codes_of
    from roomread.store.lessons import LessonStore

    store, gate = LessonStore(options.db), _gate(options, options.lesson)
    said = codes_of(store, gate.lesson, options.whole_class)
    codes = fitting(gate, said, options.whole_class)  # refused where single seats may not be seen, whoever coded them
    if not codes:
        raise CodesError(f"Nothing was coded of lesson {gate.lesson.number} at the pages. Nothing was written.")
    if len(codes) < len(said):
        say(
            f"{len(said) - len(codes)} codes are left out: their seats were seen too seldom to be seats, or nothing "
            "was analysed at their time."
        )
    return [glance_of(one).row("" if one.level is None else str(one.level), one.observer) for one in codes]


def _ask_each(out: Path, glances: Iterable[Glance], levels: int, observer: str) -> None:
    """Ask for the level of glance after glance, and keep each answer at once, until somebody quits."""
    from roomread.review.coding import keep

    answers = [str(level) for level in range(levels)]
    seat = None
    for glance in glances:
        where = "" if glance.seat == seat else f" ({glance.where})"
        name = "class" if glance.name == "class" else f"seat {glance.name}"
        said = ""
        while said not in (*answers, "s", "q"):
            typed = answer(f"{glance.clock} {name}{where} [{'/'.join(answers)}, s skip, q quit] ")
            said = "q" if typed is None else typed.strip().lower()
        if said == "q":
            return
        keep(out, glance, None if said == "s" else int(said), observer)
        seat = glance.seat


def _add_agreement(commands: Any) -> None:
    command = add_command(
        commands,
        "agreement",
        _agreement,
        "compare observers with each other, and every engagement formula with them",
        "roomread agreement last anna.csv ben.csv",
    )
    add_lesson(command)
    command.add_argument("codes", nargs="+", type=Path, metavar="CODES", help="forms, ratings, or exports: CSV or text")
    command.add_argument(
        "--mapping",
        metavar="NAME",
        help="one of `roomread mappings` or a file of `roomread calibrate`; default: every one",
    )
    _add_words(command)
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_store(command)


def _agreement(options: argparse.Namespace) -> int:
    from roomread.app.panel import find_mapping, panel
    from roomread.review.agreement import agreement, plain
    from roomread.review.codes import parse_words, read_codes

    mappings = panel().values() if options.mapping is None else [find_mapping(options.mapping)]
    codes = read_codes(options.codes, parse_words(options.levels_map))
    gate = _gate(options, options.lesson)
    found = agreement(gate, codes, mappings)
    if options.json:
        print(json.dumps({"lesson": gate.lesson.number, "name": gate.lesson.name, **plain(found)}, indent=2))
        return 0
    whom = "the class" if found.whole_class else f"{found.seats} seats"
    print(f"lesson {gate.lesson.number}: {gate.lesson.name}")
    print(f"{sum(found.of_each)} glances at {whom}: {_each(found.of_each)}\n")
    _print_between(found)
    _print_checked(found)
    if options.mapping is not None and options.mapping.endswith(".json"):
        (refitted,) = mappings
        warning = f"If it was fitted to these very codes, its figures here are too good. {refitted.validity}"
        print(f"\n{textwrap.fill(warning, WIDTH)}")
    return 0


def _print_between(found: Agreement) -> None:
    """Print how far observers agree with each other."""
    if not found.between:
        print("No two observers coded the same glance.\n")
        return
    _print_table(
        ("observers", "glances", "kappa", "quadratic kappa", "ICC(2,1)"),
        [
            (" and ".join(pair.observers), str(pair.n), *map(_figure, dataclasses.astuple(pair)[2:]))
            for pair in found.between
        ],
    )
    print()


def _print_checked(found: Agreement) -> None:
    """Print how far each mapping agrees with the observers."""
    _print_table(
        ("mapping", "n", "unread", *COLUMNS[:4]),
        [
            (each.mapping, str(each.n), str(each.missing), *map(_figure, dataclasses.astuple(each.figures)[:4]))
            for each in found.checked
        ],
    )
    _say_notes(UNREAD + NOTES.format(drawn="glance" if found.whole_class else "seat"))


def _add_calibrate(commands: Any) -> None:
    command = add_command(
        commands,
        "calibrate",
        _calibrate,
        "refit an engagement formula to what observers coded, and freeze it in a file",
        "roomread calibrate last --codes anna.csv ben.csv --mapping sharma -o class-7b.json",
    )
    command.add_argument("lessons", nargs="+", metavar="LESSON", help="numbers, names, or last")
    command.add_argument(
        "--codes",
        nargs="+",
        type=Path,
        required=True,
        metavar="FILE",
        help="of one lesson, any number; of several, one each in the same order",
    )
    command.add_argument("--mapping", required=True, metavar="NAME", help="one of `roomread mappings`")
    command.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json")
    _add_words(command)
    add_store(command)


def _calibrate(options: argparse.Namespace) -> int:
    from roomread import __version__
    from roomread.app.panel import panel
    from roomread.review.calibration import calibrate, check_name, write_calibration
    from roomread.review.codes import parse_words

    check_name(options.out)
    mapping = panel().get(options.mapping)
    if mapping is None:
        raise SettingsError(f"There is no formula {options.mapping!r}. Expected one of: {', '.join(panel())}.")
    files = [options.codes] if len(options.lessons) == 1 else [[path] for path in options.codes]
    if len(files) != len(options.lessons):
        raise SettingsError(
            "Lessons and codes do not pair. Expected: as many files as lessons, in the same order. "
            f"Received: {len(options.lessons)} lessons, {len(files)} files."
        )
    gates = [_gate(options, key) for key in options.lessons]
    found = calibrate(list(zip(gates, files, strict=True)), mapping, parse_words(options.levels_map))
    n, figures = found["n"], found["figures"]
    read = f"{n['glances']} glances with a reading at {n['seats']} seats, {n['missing']} without"
    print(f"{read}: {_each(n['of_each_level'])}\n")
    before, after = ([_figure(figure.values()) for figure in figures[when].values()] for when in ("before", "after"))
    _print_table((mapping.name, "before", "refitted"), list(zip(COLUMNS, before, after, strict=True)))
    _say_notes(f"{NOTES.format(drawn='seat')} Refitted: judged at seats that were not fitted to.")
    print(write_calibration(options.out, found, __version__))
    return 0


def _add_words(command: argparse.ArgumentParser) -> None:
    """Add the option that says which level a word stands for."""
    command.add_argument("--levels-map", metavar="WORD=N,...", help="for levels in words, such as low=0,high=1")


def _gate(options: argparse.Namespace, key: str) -> Gate:
    """Return a lesson of the store, as far as its purpose allows."""
    from roomread.store.lessons import LessonStore
    from roomread.store.privacy import open_gate

    store = LessonStore(options.db)
    return open_gate(store, store.find(key))


def _each(counts: Iterable[int]) -> str:
    """Return how many glances were given each level, as text."""
    return ", ".join(f"{count} of level {level}" for level, count in enumerate(counts))


def _figure(figure: Iterable[float | None]) -> str:
    """Return a figure with both ends of its interval as text."""
    return with_interval(*(math.nan if part is None else part for part in figure))


def _say_notes(text: str) -> None:
    print(f"\n{textwrap.fill(text, WIDTH)}")


def _print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
