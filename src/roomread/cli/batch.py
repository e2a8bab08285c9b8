"""The command that analyses many recordings."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from roomread.cli.analyze import asked_purpose
from roomread.cli.observing import add_fps, add_looking, add_reading, settings_of
from roomread.cli.terminal import STOPPED, add_command, add_purpose, add_store, board, say
from roomread.errors import SettingsError
from roomread.outside import printable, shown
from roomread.types import PURPOSES

if TYPE_CHECKING:
    from roomread.app.joining import Outcome, Standing


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "batch",
        _batch,
        "analyse many recordings over all cores or a cluster, each to a stored lesson; the same command goes on",
        "roomread batch recordings --purpose research --reference 'IRB 2026-17' --course 'Physics 1'",
    )
    command.add_argument(
        "sources", nargs="+", metavar="LIST|DIR|GLOB",
        help="a list (.csv with columns path, name, course, began; or .txt), a folder, a pattern in quotes, a video",
    )  # fmt: skip
    add_purpose(command, PURPOSES, "stored with the lessons; decides what may be shown")
    command.add_argument("--course", metavar="NAME", help="of all recordings that a list gives no other")
    add_fps(command)
    command.add_argument("--workers", type=int, metavar="N", help="processes; default: as many as cores")
    command.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster; default: this machine alone")
    command.add_argument(
        "--piece", type=float, default=5.0, metavar="MINUTES",
        help="long videos are cut into pieces of about this length; default: %(default)g",
    )  # fmt: skip
    command.add_argument(
        "--parquet", metavar="URL",
        help="write each lesson's class over time below this folder or URL: course=…/day=…/lesson-N.parquet",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print what became of each as one JSON object")
    add_looking(command)
    add_reading(command)
    add_store(command)


def _batch(options: argparse.Namespace) -> int:
    from roomread.app.analyze import AnalyzeSettings
    from roomread.app.batch import BatchSettings, batch
    from roomread.store.lessons import is_new
    from roomread.store.privacy import NOTICE

    if options.threads is None and options.settings is None:
        options.threads = 1  # for each worker
    settings = settings_of(AnalyzeSettings, options, {"fps": options.fps})
    try:
        how = BatchSettings(
            settings=settings, course=options.course, workers=options.workers, address=options.address,
            piece=60 * options.piece, parquet=options.parquet,
        )  # fmt: skip
    except ValueError as error:
        raise SettingsError(str(error)) from error
    first = is_new(options.db)
    purpose = asked_purpose(options, f"{NOTICE}\n\n" if first else "")
    if first and options.purpose is not None:
        say(f"{NOTICE}\n")
    begun = time.monotonic()
    with board() as shown:

        def tell(standing: Standing) -> None:
            failed = f", {standing.failed} failed" if standing.failed else ""
            words = f"{standing.lessons} of {standing.all} lessons{failed}"
            shown(standing.done, standing.total, words)

        outcomes = batch(
            options.sources, purpose=purpose, reference=options.reference, db=options.db, how=how, tell=tell
        )
    taken = time.monotonic() - begun
    print(_as_json(outcomes, taken) if options.json else _table(outcomes, taken))
    if any(outcome.state == "stopped" for outcome in outcomes):
        say("roomread: stopped; what was joined until then is kept. The same command goes on from there.")
        return STOPPED
    return 1 if any(outcome.broken for outcome in outcomes) else 0


def _as_json(outcomes: list[Outcome], taken: float) -> str:
    told = [
        {
            "path": str(outcome.entry.path),
            "name": outcome.entry.name,
            "course": outcome.entry.course,
            "state": outcome.state,
            "lesson": outcome.lesson,
            "length": outcome.length or None,
            "reason": outcome.reason or None,
        }
        for outcome in outcomes
    ]
    seconds = sum(outcome.seconds for outcome in outcomes)
    return json.dumps({"recordings": told, "video_s": seconds, "taken_s": taken}, indent=2)


def _table(outcomes: list[Outcome], taken: float) -> str:
    """Return what became of each recording, and how quick it was, as lines for a terminal."""
    from roomread.style import duration

    rows = [f"{'lesson':>6}  {'state':8}  {'length':>9}  recording"]
    for outcome in outcomes:
        number = "–" if outcome.lesson is None else str(outcome.lesson)
        length = duration(outcome.length) if outcome.length else "–"
        name = outcome.entry.name or shown(outcome.entry.path)
        rows.append(f"{number:>6}  {outcome.state:8}  {length:>9}  {name}")
    rows += [printable(f"  {one.entry.path}: {one.reason}") for one in outcomes if one.reason]
    seconds = sum(outcome.seconds for outcome in outcomes)
    if seconds:
        rows.append(f"{duration(seconds)} of video in {duration(taken)}: {seconds / taken:.1f} hours of video an hour")
    return "\n".join(rows)
