"""The demo: build the synthetic room, analyse it as any other video, write its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from roomread.app.analyze import AnalyzeSettings, LessonHandle, Request, analyze_request
from roomread.demo import RoomSettings, build_room
from roomread.errors import SettingsError
from roomread.store.lessons import LessonStore


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo made.

    video, truth: the room and its script. report: one HTML file. lesson: as it was stored.
    """

    video: Path
    truth: Path
    report: Path
    lesson: LessonHandle


def run_demo(out: Path, db: str | None, room: tuple[float, int], progress: Callable[[float], None]) -> Demo:
    """Build, analyse and report a synthetic room.

    Args:
        out: folder for room.mp4, room.json and report.html, made when missing.
        db: the store's file or address; None keeps the demo's lesson in the same folder, apart from real lessons.
        room: seconds, and the seed of the script of behaviour.
        progress: called with the share of the room that is built, 0 to 1.

    Raises:
        SettingsError: seconds or seed lie out of range.
        MissingExtraError: scikit-image, which brings the photograph, is not installed.
        OutputError: the folder cannot be written.
    """
    try:
        script = RoomSettings(seconds=room[0], seed=room[1])
    except ValueError as error:
        raise SettingsError(str(error)) from error
    built = build_room(script, out, progress)
    settings = AnalyzeSettings(name="Synthetic room")
    request = Request(built.video, "demo", None, settings, sample=True)
    lesson = analyze_request(request, LessonStore(out / "demo.sqlite" if db is None else db))
    return Demo(built.video, built.truth_file, lesson.report(out / "report.html"), lesson)
