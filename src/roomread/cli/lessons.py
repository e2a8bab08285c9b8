"""Commands that show, write out and forget stored lessons."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from roomread.cli.terminal import add_agenda, add_command, add_mapping, add_store, say


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    for add in (_add_lessons, _add_report, _add_export, _add_delete):
        add(commands)


def _add_lessons(commands: Any) -> None:
    command = add_command(commands, "lessons", _lessons, "list the stored lessons, newest first", "roomread lessons")
    command.add_argument("--json", action="store_true", help="print them as JSON")
    add_store(command)


def _lessons(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore
    from roomread.style import duration

    lessons = LessonStore(options.db).lessons()
    if options.json:
        shown = ("number", "name", "source", "purpose", "reference", "began", "created", "duration", "state", "notes")
        print(json.dumps([{key: getattr(lesson, key) for key in shown} for lesson in lessons], indent=2))
        return 0
    if not lessons:
        say("There is no lesson yet. `roomread analyze class.mp4 --purpose research` makes one.")
        return 0
    print(f"{'number':>6}  {'made':16}  {'length':>8}  {'purpose':10}  {'state':8}  name")
    for lesson in lessons:
        made = (lesson.began or lesson.created)[:16].replace("T", " ")
        length = duration(lesson.duration)
        print(f"{lesson.number:6}  {made:16}  {length:>8}  {lesson.purpose:10}  {lesson.state:8}  {lesson.name}")
    return 0


def _add_report(commands: Any) -> None:
    command = add_command(
        commands,
        "report",
        _report,
        "write the report of a lesson, one HTML file",
        "roomread report last -o report.html",
    )
    command.add_argument("lesson", help="its number, its name, or last")
    command.add_argument("-o", "--out", type=Path, metavar="FILE", help="default: NAME-NUMBER-report.html here")
    add_agenda(command)
    add_mapping(command)
    add_store(command)


def _report(options: argparse.Namespace) -> int:
    from roomread.app.analyze import open_lesson
    from roomread.review.export import file_stem

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
    command.add_argument("lesson", help="its number, its name, or last")
    command.add_argument("--to", required=True, choices=("csv", "parquet", "json"))
    command.add_argument(
        "--table", choices=("class", "seats"), default="class", help="seats: single readings, where the purpose allows"
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
    command.add_argument("lesson", help="its number, its name, or last")
    add_store(command)


def _delete(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore

    store = LessonStore(options.db)
    lesson = store.find(options.lesson)
    store.delete(lesson)
    print(f"deleted lesson {lesson.number}: {lesson.name}")
    return 0
