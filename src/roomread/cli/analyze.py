"""Commands that make lessons: of the synthetic room, and of recordings."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.cli.observing import add_fps, add_looking, add_reading, settings_of
from roomread.cli.terminal import (
    STOPPED,
    add_agenda,
    add_command,
    add_mapping,
    add_purpose,
    add_store,
    answer,
    bar,
    say,
)
from roomread.errors import SettingsError, SourceError
from roomread.types import PURPOSES

if TYPE_CHECKING:
    from roomread.app.analyze import LessonHandle
    from roomread.review.summary import LessonSummary


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    _add_demo(commands)
    _add_analyze(commands)


def _add_demo(commands: Any) -> None:
    command = add_command(
        commands,
        "demo",
        _demo,
        "build a synthetic class from one public-domain photograph, analyse it and write its report",
        "roomread demo --out demo",
    )
    command.add_argument("--out", type=Path, default=Path("roomread-demo"), metavar="DIR", help="default: %(default)s")
    command.add_argument("--seconds", type=float, default=60.0, help="length of the lesson; default: %(default)s")
    command.add_argument("--seed", type=int, default=0, help="of the script of behaviour; default: %(default)s")
    add_store(command, "demo.sqlite in the same folder, apart from real lessons")


def _demo(options: argparse.Namespace) -> int:
    from roomread.app.demo import run_demo

    say("This is a synthetic room made from one public-domain photograph. It says nothing about people.")
    with bar("building the room", 1.0, "{desc} {percentage:3.0f}% |{bar}|") as built:
        demo = run_demo(options.out, options.db, (options.seconds, options.seed), built)
    print(_glance(demo.lesson.summary()))
    say(f"The room: {demo.video}\nIts script, as truth to compare with: {demo.truth}\nThe report:")
    print(demo.report.resolve())
    return 0


def _add_analyze(commands: Any) -> None:
    command = add_command(
        commands,
        "analyze",
        _analyze,
        "analyse pictures, folders of pictures and videos, each to a stored lesson",
        "roomread analyze class.mp4 --purpose self-study --fps 5 --out results",
    )
    command.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="picture, folder of pictures, video")
    add_purpose(command, PURPOSES, "stored with the lesson; decides what may be shown")
    add_fps(command)
    command.add_argument("--start", type=_time, metavar="TIME", help="seconds, m:ss or h:mm:ss")
    command.add_argument("--end", type=_time, metavar="TIME", help="seconds, m:ss or h:mm:ss")
    command.add_argument("--name", help="of the lesson; default: the file's name")
    command.add_argument("--began", metavar="MOMENT", help="when the recording starts: 2026-11-22T09:15")
    command.add_argument("--out", type=Path, metavar="DIR", help="write the report and the class table there")
    command.add_argument(
        "--annotate", action="store_true", help="write a video with boxes there too, found faces blurred"
    )
    command.add_argument("--show-faces", action="store_true", help="do not blur the faces of that video")
    command.add_argument("--json", action="store_true", help="print the summaries as one JSON object")
    add_agenda(command)
    add_looking(command)
    add_reading(command)
    add_mapping(command)
    add_store(command)


def _analyze(options: argparse.Namespace) -> int:
    from roomread.app.analyze import AnalyzeSettings, analyze
    from roomread.output import check_folder
    from roomread.store.lessons import is_new
    from roomread.store.privacy import NOTICE
    from roomread.watch.frames import open_source

    _check(options)
    settings = settings_of(AnalyzeSettings, options, _own(options))
    first = is_new(options.db)
    purpose = asked_purpose(options, f"{NOTICE}\n\n" if first else "")
    first = first and options.purpose is not None
    if options.out is not None:
        check_folder(options.out)
    stopped = False
    done: list[tuple[LessonHandle, dict[str, str]]] = []
    failed: dict[str, str] = {}
    for path in options.sources:
        try:
            length = open_source(path, settings.frames()).length
            if first:
                say(f"{NOTICE}\n")
            first = False
            video = _annotated(path, options)
            with bar(path.name, length) as progress:
                lesson = analyze(
                    path,
                    purpose=purpose,
                    reference=options.reference,
                    db=options.db,
                    settings=replace(settings, annotated=video or settings.annotated),
                    progress=progress,
                )
        except SourceError as error:
            if len(options.sources) == 1:
                raise
            say(f"roomread: {error}")
            failed[str(path)] = str(error)
            continue
        except KeyboardInterrupt:  # before anything of it was seen
            stopped = True
            break
        done.append((lesson, _outputs(lesson, video, options)))
        if not options.json:
            print(_glance(lesson.summary(options.mapping)))
            for what, where in done[-1][1].items():
                print(f"  {what:10} {where}")
        if stopped := lesson.lesson.state == "stopped":
            break
    if options.json:
        lessons = [{**_as_dict(lesson, options), "files": files} for lesson, files in done]
        print(json.dumps({"lessons": lessons, "failed": failed}, indent=2))
    if stopped:
        say("roomread: stopped; what was seen until then is kept.")
        return STOPPED
    return 1 if failed else 0


def _check(options: argparse.Namespace) -> None:
    """Tell of a mistake before hours of work."""
    from roomread.app.panel import find_mapping
    from roomread.review.agenda import read_all

    if options.annotate and options.out is None:
        raise SettingsError("--annotate writes a video. Expected: --out DIR, the folder for it.")
    if options.agenda and options.out is None and not options.json:
        raise SettingsError("--agenda adds to the report. Expected: --out DIR, the folder for it, or --json.")
    read_all(options.agenda)
    find_mapping(options.mapping)


def _as_dict(lesson: LessonHandle, options: argparse.Namespace) -> dict[str, Any]:
    """Return a lesson's summary, and its parts where --agenda names them."""
    summary = lesson.summary(options.mapping).as_dict()
    if not options.agenda:
        return summary
    return {**summary, "structure": lesson.structure(options.agenda, options.mapping).as_dict()}


def _own(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that only this command has; None where nothing was said."""
    names = ("fps", "start", "end", "name", "began")
    return {**{name: getattr(options, name) for name in names}, "show_faces": options.show_faces or None}


def _annotated(source: Path, options: argparse.Namespace) -> Path | None:
    """Return the video with boxes that --annotate asks for; one that is there already stays."""
    out: Path | None = options.out
    if not options.annotate or out is None:
        return None
    again = chain([""], map("-{}".format, count(2)))
    return next(path for end in again if not (path := out / f"{source.stem}{end}-annotated.mp4").exists())


def _outputs(lesson: LessonHandle, video: Path | None, options: argparse.Namespace) -> dict[str, str]:
    """Write what --out asks for beside the video with boxes, and return where all lies."""
    if options.out is None:
        return {}
    from roomread.review.export import file_stem

    report = lesson.report(options.out / f"{file_stem(lesson.lesson, 'report')}.html", options.mapping, options.agenda)
    table, dictionary = lesson.export(options.out, "csv", mapping=options.mapping)
    files = {"report": str(report), "table": str(table), "dictionary": str(dictionary)}
    return files if video is None else {**files, "annotated": str(video)}


def asked_purpose(options: argparse.Namespace, notice: str) -> str:
    """Return the declared purpose; at a terminal it is asked for, below the notice."""
    from roomread.store.privacy import check_purpose

    purpose: str | None = options.purpose
    if purpose is None and sys.stdin.isatty():
        say(f"{notice}What is the purpose? It decides what may be shown. One of: {', '.join(PURPOSES)}")
        purpose = (answer("> ") or "").strip() or None
    check_purpose(purpose, options.reference)
    return purpose or ""


def _time(text: str) -> float:
    """Return seconds from seconds, m:ss or h:mm:ss."""
    from roomread.review.agenda import TIME_FORMS, seconds_of

    seconds = seconds_of(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"expected {TIME_FORMS}. Received: {text!r}.")
    return seconds


def _over_time(summary: LessonSummary) -> str:
    """Return the drops and rises of the class, or why there are none to tell, as one line."""
    from roomread.review.overtime import episode_words, false_alarms, untold
    from roomread.review.report import why_missing

    if math.isnan(summary.expected_false):
        return untold(summary.over_time, why_missing(summary.over_time))
    found = "; ".join(map(episode_words, summary.episodes)) or "no drop or rise told from ordinary noise"
    return f"{found} ({false_alarms(summary.expected_false)})"


def _glance(summary: LessonSummary) -> str:
    """Return a lesson at a glance, as lines for a terminal."""
    from roomread.store.privacy import MIN_SEATS
    from roomread.style import duration, percent, score
    from roomread.types import TOO_FEW

    lesson = summary.lesson
    if math.isnan(summary.engagement):
        engagement = "not known: no face has a score"
        if summary.n_seats == 0:
            engagement = "not known: no face stayed long enough to be a seat"
        elif TOO_FEW in summary.timeline.status:
            engagement = f"not told: fewer than {MIN_SEATS} seats together"
    else:
        engagement = f"{score(summary.engagement)} ({summary.mapping})"
        if not math.isnan(summary.low):
            engagement += f", 95% interval {score(summary.low)} to {score(summary.high)}"
    seats = "too few to tell" if summary.n_seats is None else str(summary.n_seats)
    coverage = "too few to tell"
    if not math.isnan(summary.faces_per_frame):
        coverage = f"{summary.faces_per_frame:.1f} faces a frame, {percent(summary.readable)} of them readable"
    frames = "1 frame" if summary.frames == 1 else f"{summary.frames} frames"
    lines = [
        f"lesson {lesson.number}: {lesson.name}, {duration(lesson.duration)}, {frames}, {lesson.state}",
        f"  engagement {engagement}",
        f"  seats      {seats}",
        f"  coverage   {coverage}; {percent(summary.measured)} of the time measured",
    ]
    told = {"facing": "facing what the room faces", "eyes_closed": "with closed eyes"}
    shares = {name: float(summary.whole_shares[name].value[0]) for name in told}
    known = [name for name in told if not math.isnan(shares[name])]
    heads = [f"{percent(shares[name])} {told[name]}{summary.of_seats(name)}" for name in known]
    if heads:
        lines.append(f"  heads      {', '.join(heads)}")
    lines.append(f"  over time  {_over_time(summary)}")
    return "\n".join(lines + [f"  note       {note}" for note in lesson.notes])
