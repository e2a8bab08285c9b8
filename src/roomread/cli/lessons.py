"""Commands that show, write out and forget stored lessons."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.cli.terminal import add_agenda, add_command, add_lesson, add_mapping, add_store, say
from roomread.errors import SettingsError
from roomread.output import FORMATS, TABLES

if TYPE_CHECKING:
    from roomread.store.lessons import LessonStore
    from roomread.types import Lesson


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    for add in (_add_lessons, _add_report, _add_export, _add_delete, _add_retention):
        add(commands)


def _add_lessons(commands: Any) -> None:
    command = add_command(commands, "lessons", _lessons, "list the stored lessons, newest first", "roomread lessons")
    command.add_argument("--json", action="store_true", help="print them as JSON")
    add_store(command)


def _lessons(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore
    from roomread.store.retention import keep_days, kept_until
    from roomread.style import duration

    store = LessonStore(options.db)
    days = keep_days(store)
    lessons = [(lesson, kept_until(lesson, days)) for lesson in store.lessons()]
    if options.json:
        shown = ("number", "name", "source", "purpose", "reference", "began", "created", "duration", "state", "notes")
        told = [
            {key: getattr(lesson, key) for key in shown} | {"kept_until": until and until.isoformat()}
            for lesson, until in lessons
        ]
        print(json.dumps(told, indent=2))
        return 0
    if not lessons:
        say("There is no lesson yet. `roomread analyze class.mp4 --purpose research` makes one.")
        return 0
    print(f"{'number':>6}  {'made':16}  {'length':>8}  {'purpose':10}  {'state':8}  {'kept until':10}  name")
    for lesson, until in lessons:
        made = (lesson.began or lesson.created)[:16].replace("T", " ")
        about = f"{duration(lesson.duration):>8}  {lesson.purpose:10}  {lesson.state:8}  {until or '–'!s:10}"
        print(f"{lesson.number:6}  {made:16}  {about}  {lesson.name}")
    return 0


def _add_report(commands: Any) -> None:
    command = add_command(
        commands,
        "report",
        _report,
        "write the report of a lesson, one HTML file",
        "roomread report last -o report.html",
    )
    add_lesson(command)
    command.add_argument("-o", "--out", type=Path, metavar="FILE", help="default: NAME-NUMBER-report.html here")
    add_agenda(command)
    add_mapping(command)
    add_store(command)


def _report(options: argparse.Namespace) -> int:
    from roomread.app.analyze import open_lesson
    from roomread.review.export import file_stem

    if options.out is not None and options.out.suffix.lower() not in (".html", ".htm"):
        raise SettingsError(f"{options.out} is no page. Expected: a name that ends in .html.")
    lesson = open_lesson(options.lesson, options.db)
    out = options.out or Path(f"{file_stem(lesson.lesson, 'report')}.html")
    print(lesson.report(out, options.mapping, options.agenda))
    return 0


def _add_export(commands: Any) -> None:
    command = add_command(
        commands,
        "export",
        _export,
        "write a lesson as a table, with a data dictionary beside it",
        "roomread export last --to parquet --out tables",
    )
    add_lesson(command)
    command.add_argument("--to", required=True, choices=FORMATS)
    command.add_argument(
        "--table", choices=TABLES, default=TABLES[0], help="seats: single readings, where the purpose allows"
    )
    command.add_argument("-o", "--out", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    add_mapping(command)
    add_store(command)


def _export(options: argparse.Namespace) -> int:
    from roomread.app.analyze import open_lesson

    lesson = open_lesson(options.lesson, options.db)
    for path in lesson.export(options.out, options.to, options.table, options.mapping):
        print(path)
    return 0


def _add_delete(commands: Any) -> None:
    command = add_command(
        commands, "delete", _delete, "forget a lesson and everything observed in it", "roomread delete 3"
    )
    add_lesson(command)
    add_store(command)


def _named(store: LessonStore, key: str) -> Lesson:
    """Return the lesson that is to be changed: a number is a number here, also where a lesson is named so.

    Else the same command a second time would change another lesson.
    """
    return store.numbered(int(key)) if key.isdecimal() else store.find(key)


def _delete(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore

    store = LessonStore(options.db)
    lesson = _named(store, options.lesson)
    store.delete(lesson)
    print(f"deleted lesson {lesson.number}: {lesson.name}")
    return 0


def _add_retention(commands: Any) -> None:
    command = add_command(
        commands,
        "retention",
        _retention,
        "say for how long lessons are kept, all or one, and forget those whose time is over",
        "roomread retention --days 365 --run",
    )
    command.add_argument("lesson", nargs="?", help="with --until: its number, its name, or last")
    command.add_argument("--until", metavar="DAY", help="the lesson's last day, such as 2027-07-31, or default")
    rule = command.add_mutually_exclusive_group()
    rule.add_argument("--days", type=int, metavar="N", help="of every lesson without a last day of its own")
    rule.add_argument("--keep-all", action="store_true", help="keep them until somebody deletes them")
    command.add_argument(
        "--run", dest="now", action="store_true", help="forget now; analyze, live and serve do so as they start"
    )
    command.add_argument("--json", action="store_true", help="print it as JSON")
    add_store(command)


def _retention(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore
    from roomread.store.retention import (
        due_lessons,
        keep_days,
        parse_day,
        set_keep_days,
        set_keep_until,
    )
    from roomread.store.upkeep import tidy

    if (options.lesson is None) != (options.until is None):
        raise SettingsError("A lesson and its last day belong together: roomread retention LESSON --until DAY.")
    store = LessonStore(options.db)
    day = None if options.until in (None, "default") else parse_day(options.until)
    named = None if options.lesson is None else _named(store, options.lesson)
    if options.days is not None or options.keep_all:
        set_keep_days(store, options.days)
    if named is not None:
        lesson = set_keep_until(store, named, day)
    gone = tidy(store) if options.now else []
    days, due = keep_days(store), due_lessons(store)
    if options.json:
        own = {} if options.lesson is None else {"lesson": lesson.number, "keep_until": lesson.keep_until}
        print(json.dumps({"days": days, "due": due, "deleted": gone, **own}))
        return 0
    kept = "until somebody deletes them" if days is None else f"for {days} day{'s' * (days != 1)}"
    print(f"Lessons are kept {kept}, save those with a last day of their own.")
    if options.lesson is not None:
        print(f"Lesson {lesson.number} is kept {f'until {day}' if day else 'likewise'}: {lesson.name}")
    if gone:
        print(f"Deleted: {', '.join(map(str, gone))}.")
    if due:
        print(f"Due: {', '.join(map(str, due))}. They go when analyze, live or serve start, or now with --run.")
    return 0
