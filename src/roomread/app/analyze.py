"""A source to a stored lesson, and the handle by which Python users hold it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomread.app.names import check_name
from roomread.app.observing import Observer, ObserveSettings
from roomread.app.overviews import keep_overview
from roomread.app.panel import mapping_of, panel
from roomread.app.recording import Recorder
from roomread.config import as_dict
from roomread.errors import RoomreadError, StoreError
from roomread.outside import shown
from roomread.store.lessons import Also, LessonStore
from roomread.store.privacy import Gate, check_purpose, open_gate
from roomread.store.upkeep import tidy
from roomread.types import Lesson
from roomread.watch.annotate import AnnotatedVideo
from roomread.watch.frames import FrameSettings, PictureSource, open_source

if TYPE_CHECKING:
    import pandas as pd

    from roomread.review.agenda import Structure
    from roomread.review.structure import Comparison
    from roomread.review.summary import LessonSummary

FIRST_YEAR, LAST_YEAR = 1900, 3000  # of what a recording may say of its beginning
Progress = Callable[[float], None]  # receives the seconds of the source that were analysed so far


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeSettings(ObserveSettings):
    """How a source is analysed."""

    fps: float = 5.0  # frames analysed per second of video; math.inf takes every frame
    start: float = 0.0  # seconds from the start of the source
    end: float = math.inf  # seconds from the start of the source
    name: str | None = None  # of the lesson; None takes the source's file name
    began: str | None = None  # moment at which the source starts, ISO 8601; without a zone, this machine's
    annotated: Path | None = None  # an MP4 to write, with a box around each face
    show_faces: bool = False  # in that video; else they are blurred beyond knowing

    def __post_init__(self) -> None:
        ObserveSettings.__post_init__(self)
        if self.name is not None:
            check_name("The lesson's name", self.name)
        parse_moment(self.began)
        self.frames()  # checks fps, start and end

    def frames(self) -> FrameSettings:
        """Return the part that chooses frames."""
        return FrameSettings(fps=self.fps, start=self.start, end=self.end, threads=self.threads)


def parse_moment(text: str | None) -> str | None:
    """Return a moment in ISO 8601 with its time zone; one without a zone is this machine's.

    Raises:
        ValueError: the text is no moment, or none of a recording.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if not FIRST_YEAR <= moment.year < LAST_YEAR:  # at both ends of the calendar, clocks cannot be told
            raise ValueError
        return moment.astimezone().isoformat()
    except ValueError as error:
        raise ValueError(
            f"The beginning must be a moment such as 2026-11-22T09:15 or 2026-11-22T09:15+01:00. Received: {text!r}."
        ) from error


def moment_now() -> str:
    """Return this moment in ISO 8601 with this machine's time zone, whose days lessons are kept for."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


class LessonHandle:
    """A stored lesson; whatever it shows has passed the gate of `store.privacy`."""

    def __init__(self, store: LessonStore, number: int) -> None:
        self._store, self.number = store, number

    def _gate(self) -> Gate:
        return open_gate(self._store, self.lesson)

    @property
    def lesson(self) -> Lesson:
        """The lesson's record, with its name, purpose, length, state, notes, and what it was made with."""
        return self._store.numbered(self.number)

    def summary(self, mapping: str | None = None) -> LessonSummary:
        """Return the lesson at a glance."""
        from roomread.review.summary import summarise

        gate = self._gate()
        return summarise(gate, mapping_of(gate.lesson, mapping), tuple(panel().values()))

    def structure(
        self, files: Sequence[str | Path] = (), mapping: str | None = None, window: float | None = None
    ) -> Comparison:
        """Return how each part of the lesson, those kept with it included, differs from the rest of it.

        Args:
            files: agendas, slide times, captions or markers, see `review.agenda`.
            mapping: name of the formula that is compared.
            window: seconds before and after a marker that are compared; None takes a minute.

        Raises:
            StructureError: a file cannot be read.
        """
        from roomread.review.structure import WINDOW, compare

        parts, gate = self._parts(files), self._gate()
        return compare(gate, mapping_of(gate.lesson, mapping), parts, WINDOW if window is None else window)

    def _parts(self, files: Sequence[str | Path]) -> Structure:
        """Return the parts that files name, and those kept with the lesson."""
        from roomread.review.agenda import Structure, read_all

        parts = (*self._store.parts(self.lesson).values(), *read_all(files).parts)
        return Structure(tuple(sorted(parts, key=lambda part: (part.start, part.end))))

    def report(self, out: str | Path, mapping: str | None = None, agenda: Sequence[str | Path] = ()) -> Path:
        """Write the report, one HTML file that opens offline, and return its path.

        Args:
            out: the file to write.
            mapping: name of the formula.
            agenda: files that name the lesson's parts, as `structure` takes them.

        Raises:
            StructureError: a file of the agenda cannot be read.
            OutputError: it cannot be written.
        """
        from roomread.review.report import write_report
        from roomread.review.structure import compare
        from roomread.review.summary import summarise

        parts, gate = self._parts(agenda), self._gate()
        formula = mapping_of(gate.lesson, mapping)
        compared = compare(gate, formula, parts) if parts.parts else None
        return write_report(summarise(gate, formula, tuple(panel().values())), Path(out), compared)

    def to_pandas(self, table: str = "class", mapping: str | None = None) -> pd.DataFrame:
        """Return the class over time (`class`), or every reading of every seat (`seats`), as `export` writes them.

        Raises:
            PrivacyError: the purpose does not allow the table.
        """
        from roomread.review.export import table_of

        return table_of(self._gate(), mapping_of(self.lesson, mapping), table)

    def export(
        self, folder: str | Path, form: str = "csv", table: str = "class", mapping: str | None = None
    ) -> tuple[Path, Path]:
        """Write a table (csv, parquet or json) and its data dictionary; return both paths.

        Raises:
            PrivacyError: the purpose does not allow the table.
            OutputError: the folder cannot be written.
        """
        from roomread.review.export import export

        return export(self._gate(), mapping_of(self.lesson, mapping), form, table, Path(folder))

    def __repr__(self) -> str:
        lesson = self.lesson
        return f"<lesson {lesson.number} {lesson.name!r}, {lesson.duration:.0f} s, {lesson.state}>"


def open_lesson(key: int | str, db: str | Path | None = None) -> LessonHandle:
    """Return a stored lesson by its number, its name, or the word `last`.

    Raises:
        LessonNotFoundError: there is none.
    """
    store = LessonStore(db)
    return LessonHandle(store, store.find(str(key)).number)


def analyze(
    source: str | Path,
    *,
    purpose: str | None = None,
    reference: str | None = None,
    db: str | Path | None = None,
    settings: AnalyzeSettings | None = None,
    progress: Progress | None = None,
) -> LessonHandle:
    """Analyse a picture, a folder of pictures or a video, and keep what was observed as a lesson.

    Ctrl-C ends it; what was seen until then is kept, and the lesson's state is "stopped". Before anything was seen it
    is a KeyboardInterrupt like any other.

    Args:
        source: path of the picture, folder or video.
        purpose: research, self-study or demo; stored, and decides what may be shown.
        reference: ethics or consent number; with it, research may see single seats.
        db: the store's file, or the address of a PostgreSQL database; None takes what ROOMREAD_DB names, or a file in
            the platform's folder for a user's data.
        settings: how to analyse.
        progress: called with the seconds analysed so far.

    Raises:
        SettingsError: no proper purpose.
        SourceError: the source cannot be read; the store is left as it was.
        ModelError, StoreError: a model or the store cannot be used.
        OutputError: the annotated video cannot be written.
    """
    check_purpose(purpose, reference)
    chosen = AnalyzeSettings() if settings is None else settings
    request = Request(Path(source), purpose or "", reference, chosen)
    return analyze_request(request, LessonStore(db), Heed(progress))


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be analysed, and why.

    sample: it is the built-in synthetic room. called: what the source is called where its file has another name.
    """

    path: Path
    purpose: str
    reference: str | None
    settings: AnalyzeSettings
    sample: bool = False
    called: str | None = None


class Stopped(BaseException):
    """Somebody asked to end an analysis; as little an error as Ctrl-C, and never seen outside this module."""


@dataclass(slots=True)
class Heed:
    """What one analysis tells, and asks, between two frames.

    progress: receives the seconds analysed so far. begun: receives the lesson's number once, when there is one.
    stop: asked whether to end here, as Ctrl-C does; another thread may be what changes its answer.
    also: writes more together with the lesson's first rows.
    """

    progress: Progress | None = None
    begun: Callable[[int], None] | None = None
    stop: Callable[[], bool] | None = None
    also: Also | None = None

    def after(self, recorder: Recorder, seconds: float) -> None:
        """Tell and ask after a frame.

        Raises:
            Stopped: the analysis shall end here.
        """
        self.tell_number(recorder.number)
        if self.progress is not None:
            self.progress(seconds)
        if self.stop is not None and self.stop():
            raise Stopped

    def tell_number(self, number: int) -> None:
        """Tell the lesson's number if there is one, which comes late where the store was busy, and was not told yet."""
        if self.begun is not None and number:
            begun, self.begun = self.begun, None
            begun(number)


def analyze_request(request: Request, store: LessonStore, heed: Heed | None = None) -> LessonHandle:
    """Do what `analyze` says, into an opened store."""
    heed = Heed() if heed is None else heed
    tidy(store)
    settings = request.settings
    source = open_source(request.path, settings.frames())
    observer = Observer(settings, side_by_side=True)
    record = Lesson(
        name=settings.name or name_of(request.path),
        source=source.name if request.called is None else request.called,
        purpose=request.purpose,
        reference=request.reference,
        sample=request.sample,
        began=parse_moment(settings.began),
        created=moment_now(),
        made_with={**observer.made_with(), "settings": plain_settings(settings)},
    )
    lone_gap = 0.0 if isinstance(source, PictureSource) else 1 / settings.fps
    recorder = Recorder(store, record, lone_gap, also=heed.also)
    video = None if settings.annotated is None else AnnotatedVideo(settings.annotated, settings.show_faces)
    try:
        for frame, seen in observer.observe(source.frames()):
            recorder.size = (frame.image.shape[1], frame.image.shape[0])
            recorder.told = (*source.notes, *observer.notes)
            recorder.take(seen)
            if video is not None:
                video.add(frame, seen)
            heed.after(recorder, seen.time - settings.start)
        recorder.finish("complete", [*source.notes, *observer.notes])
    except (KeyboardInterrupt, Stopped):
        if not recorder.frames:
            raise
        recorder.finish("stopped", [*source.notes, *observer.notes, f"Stopped by hand at {recorder.last:.1f} s."])
    except StoreError:
        broken = "The analysis broke off here, as the store could not be written."
        recorder.abandon([*source.notes, *observer.notes, broken])
        raise
    except RoomreadError as error:
        recorder.abandon([*source.notes, *observer.notes, f"The analysis broke off here: {error}"])
        raise
    finally:
        if video is not None:
            video.close()
    heed.tell_number(recorder.number)
    keep_overview(store, recorder.number)
    return LessonHandle(store, recorder.number)


def name_of(path: Path) -> str:
    """Return what a lesson is called after its source: a file without its ending, a folder whole."""
    return shown(path) if path.is_dir() else Path(shown(path)).stem


def plain_settings(settings: ObserveSettings) -> dict[str, Any]:
    """Return the settings as JSON can hold them, without what the record says already or changes no lesson."""
    plain = as_dict(settings)
    for name in ("name", "began", "model", "annotated", "show_faces"):
        plain.pop(name, None)
    if math.isinf(plain.get("fps", 0.0)):
        plain["fps"] = "native"
    if math.isinf(plain.get("end", 0.0)):
        del plain["end"]
    return plain
