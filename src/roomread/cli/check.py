"""The command that says what can be measured in a room."""

from __future__ import annotations

import argparse
import itertools
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.cli.observing import add_looking, settings_of
from roomread.cli.terminal import add_command, bar, check_output
from roomread.errors import SettingsError

if TYPE_CHECKING:
    from roomread.app.check import RoomCheck

FPS = 2.0  # frames looked at per second


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "check",
        _check,
        "look at a room for a minute and say what can be measured where, and what to change; no expression is read",
        "roomread check class.mp4 --out check.png",
    )
    command.add_argument("source", metavar="SOURCE", help="picture, video, camera, or an rtsp:// or http:// address")
    command.add_argument("--seconds", type=float, default=60.0, metavar="S", help="looked at; default: 60")
    command.add_argument("--out", type=Path, metavar="FILE", help="draw the zones there, as PNG or JPEG, faces hidden")
    command.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    add_looking(command)


def _check(options: argparse.Namespace) -> int:
    from roomread.app.check import check_room
    from roomread.app.observing import ObserveSettings
    from roomread.faces.detector import open_detector
    from roomread.faces.onnx import Runtime
    from roomread.watch.masks import covered

    if options.out is not None and options.out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise SettingsError(f"{options.out} is no picture. Expected: a name that ends in .png or .jpg.")
    if options.out is not None:
        check_output(options.out, Path(options.source))
    if not 0 < options.seconds < math.inf:
        raise SettingsError(f"--seconds must be above 0, and have an end. Received: {options.seconds}.")
    settings = settings_of(ObserveSettings, options, {})
    detector = open_detector(settings.detector, Runtime(threads=settings.threads, device=settings.device))
    source = _open(options.source, options.seconds, settings.threads)
    with bar("look", options.seconds if source.length is None else min(options.seconds, source.length)) as progress:

        def told() -> Any:
            for frame in source.frames():
                progress(frame.time)
                yield frame

        frames = itertools.takewhile(lambda frame: frame.time <= options.seconds, told())
        check = check_room(covered(frames, settings.masks), detector, settings)
    files = []
    if options.out is not None:
        from roomread.app.check_picture import draw_check

        files = [draw_check(check, f"{source.name}: what can be measured", options.out)]
    print(json.dumps(_as_dict(check, files), indent=2) if options.json else _as_text(check, files))
    return 0


def _open(source: str, seconds: float, threads: int) -> Any:
    """Return a file as fast as it can be read, or whatever else there is as it runs."""
    from roomread.watch.frames import FrameSettings, open_source
    from roomread.watch.live import open_live
    from roomread.watch.livesource import LiveSettings

    if Path(source).exists() and not source.startswith("/dev/"):
        return open_source(Path(source), FrameSettings(fps=FPS, end=seconds, threads=threads))
    return open_live(source, LiveSettings(fps=FPS, threads=threads))


def _as_text(check: RoomCheck, files: list[Path]) -> str:
    from roomread.style import count, percent

    lines = [f"{check.frames} frames of {check.width} x {check.height} in {check.seconds:.0f} s, {check.seats} seats"]
    if check.zones:
        lines.append(f"{'zone':14}{'faces':>6}{'size':>8}{'light':>7}{'detail':>8}{'found':>7}  can be measured")
    for zone in check.zones:
        place = f"{('back', 'middle', 'front')[zone.row]} {zone.column + 1}"
        lines.append(
            f"{place:14}{count(zone.faces):>6}{zone.size:>5.0f} px{zone.contrast:>7.0f}{zone.detail:>8.3f}"
            f"{percent(zone.found):>7}  {', '.join(zone.measures) or 'nothing'}"
        )
        lines += [f"{'':14}{advice}" for advice in zone.advice]
    if check.zones:
        lines.append("Zones are counted from the left; back is the top of the picture. Size is the median face.")
    return "\n".join([*lines, *check.advice, *map(str, files)])


def _as_dict(check: RoomCheck, files: list[Path]) -> dict[str, Any]:
    zones = [asdict(zone) | {"found": None if math.isnan(zone.found) else zone.found} for zone in check.zones]
    about = {name: getattr(check, name) for name in ("frames", "seconds", "width", "height", "seats")}
    return {**about, "zones": zones, "advice": list(check.advice), "files": list(map(str, files))}
