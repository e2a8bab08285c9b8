"""The command that watches a source as it runs."""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
from typing import TYPE_CHECKING, Any

from roomread.cli.observing import add_fps, add_looking, add_reading, settings_of
from roomread.cli.terminal import STOPPED, add_command, add_mapping, add_purpose, say
from roomread.errors import SettingsError
from roomread.types import EMOTIONS

if TYPE_CHECKING:
    from roomread.app.watching import Glimpse

LISTED = 3  # expressions in a line, the most frequent; --json has all
CLEAR = "\r\x1b[K"  # back to the beginning of the line, and empty it


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "watch",
        _watch,
        "watch a camera, a stream or a video as it runs, the class second by second; nothing is stored",
        "roomread watch camera --purpose self-study",
    )
    command.add_argument(
        "source", metavar="SOURCE", nargs="?",
        help="camera, camera:1, an rtsp:// or http:// address, or a video file; none lists the cameras",
    )  # fmt: skip
    add_purpose(command, ("research", "self-study"), "decides what may be shown")
    add_fps(command)
    command.add_argument("--every", type=float, metavar="S", help="seconds between lines; default: 1")
    command.add_argument("--window", type=float, metavar="S", help="seconds looked back; default: 5")
    command.add_argument("--seconds", type=float, default=math.inf, metavar="S", help="stop after so long")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_looking(command)
    add_reading(command)
    add_mapping(command)


def _watch(options: argparse.Namespace) -> int:
    from roomread.app.panel import find_mapping
    from roomread.app.watching import WatchSettings, watch
    from roomread.store.privacy import check_purpose
    from roomread.watch.cameras import list_cameras
    from roomread.watch.live import open_live

    if options.source is None:
        for camera in (cameras := list_cameras()):
            print(f"{camera.word}  {camera.name}")
        if not cameras:
            say("No camera is attached.")
        return 0
    check_purpose(options.purpose, options.reference)
    if not options.seconds > 0:
        raise SettingsError(f"--seconds must be above 0. Received: {options.seconds}.")
    live = {"fps": options.fps, "threads": options.threads}
    own = {"window": options.window, "every": options.every, "source": live}
    settings = settings_of(WatchSettings, options, own)
    mapping = find_mapping(options.mapping, signals=settings.signals.rate > 0)
    source = open_live(options.source, settings.source)
    told: set[str] = set()
    first = True
    glimpses = watch(source, options.purpose, options.reference, options.mapping, settings)
    ending = threading.Timer(
        min(options.seconds, threading.TIMEOUT_MAX), source.close
    )  # also where no picture comes any more
    ending.daemon = True
    try:
        for glimpse in glimpses:
            if first and math.isfinite(options.seconds):
                ending.start()
            for note in glimpse.notes:
                if note not in told:
                    say(f"{CLEAR if sys.stdout.isatty() else ''}{note}")
            told.update(glimpse.notes)
            if first and not options.json:
                say(glimpse.rule)
            first = False
            _show(glimpse, options.json)
            if glimpse.time >= options.seconds:
                break
        stopped = False
    except KeyboardInterrupt:
        stopped = True
    ending.cancel()
    glimpses.close()  # and with it the source
    if sys.stdout.isatty():
        print()
    for note in source.notes:
        if note not in told:
            say(note)
    if not options.json:
        say(f"engagement by {mapping.name}. {mapping.validity}")
    return STOPPED if stopped else 0


def _show(glimpse: Glimpse, as_json: bool) -> None:
    if as_json:
        print(json.dumps(glimpse.as_dict()), flush=True)
    elif sys.stdout.isatty():
        print(f"{CLEAR}{_as_text(glimpse)}", end="", flush=True)
    else:
        print(_as_text(glimpse), flush=True)


def _as_text(glimpse: Glimpse) -> str:
    from roomread.style import MISSING, clock, count, percent, score
    from roomread.types import OK

    now = glimpse.now
    parts = [clock(glimpse.time)]
    if now.status[0] == OK:
        faces = f"{count(now.readable[0] + now.unreadable[0])} faces, {count(now.readable[0])} readable"
        order = sorted(range(len(EMOTIONS)), key=lambda label: -now.emotions[0, label])[:LISTED]
        shown = ", ".join(f"{EMOTIONS[label]} {percent(float(now.emotions[0, label]))}" for label in order)
        band = "" if math.isnan(now.low[0]) else f" ({score(now.low[0])} to {score(now.high[0])})"
        parts += [faces, f"engagement {score(now.engagement[0])}{band}", shown]
    else:
        parts.append(MISSING[str(now.status[0])])
    if not math.isnan(glimpse.fps):
        parts.append(f"{glimpse.fps:.1f} frames/s")
    return "  ".join([*parts, *([f"{glimpse.dropped} dropped"] if glimpse.dropped else [])])
