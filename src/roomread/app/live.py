"""A lesson as it runs: watched, kept, marked, paused; any number of viewers see the same."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from PIL import Image as Pictures
from PIL import ImageFilter

from roomread.app.analyze import plain_settings
from roomread.app.names import check_name
from roomread.app.observing import Observer
from roomread.app.overviews import keep_overview
from roomread.app.panel import named_mapping
from roomread.app.recording import KEEP_EVERY, LAST_HOLD, Recorder
from roomread.app.watching import Glimpse, Lookback, WatchSettings
from roomread.errors import PrivacyError, RoomreadError, SettingsError, StoreError
from roomread.store.lessons import LessonStore
from roomread.store.privacy import MIN_SEATS, SHOWN_LIVE, allowance_for, check_purpose
from roomread.types import MARKER, Array, Frame, Lesson, Observation, Part
from roomread.watch.livesource import LiveSource

State = Literal["opening", "running", "paused", "ended", "failed", "discarded"]

OVER = ("ended", "failed", "discarded")
COURSE = 1800  # glimpses kept for the line of the last half hour
NUMBERED = 2.0  # seconds that the first frame waits for the lesson's number, so that whoever sees it can mark it
OUTLINE_SIDE = 40  # pixels of the blurred picture's longer side: a face in the third row has one or two
OUTLINE_BLUR = 1.2  # of those pixels, standard deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """Which lesson is begun, and why.

    name: of the lesson. mapping: name of the engagement formula, None takes the default one. settings: how to watch.
    """

    name: str
    purpose: str
    reference: str | None = None
    mapping: str | None = None
    settings: WatchSettings = field(default_factory=lambda: WatchSettings(every=0.2))

    def __post_init__(self) -> None:
        check_purpose(self.purpose, self.reference)
        check_name("The lesson's name", self.name)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a viewer sees of a running lesson.

    version: grows with each change, so that a viewer knows what is new. state: see `State`.
    lesson: its number, 0 before anything was seen. name: of the lesson. source: state of the source, see `LiveSource`.
    glimpse: of the seconds just past, None before the first frame.
    course: (time, engagement, low, high) of about each second, seconds and 0 to 1, NaN where nothing may or can be
        said; the newest last.
    markers: (time, name).
    seats: seats found in the lesson so far; None where they are too few to tell.
    delay: seconds from a frame's arrival to its glimpse, of the newest.
    error: why the lesson failed, in words.
    """

    version: int
    state: State
    lesson: int
    name: str
    source: str
    glimpse: Glimpse | None
    course: tuple[tuple[float, float, float, float], ...]
    markers: tuple[tuple[float, str], ...]
    seats: int | None
    delay: float
    error: str


class LiveLesson:
    """A lesson that runs in a thread of its own until it is stopped, discarded, or its source ends."""

    def __init__(self, store: LessonStore, source: LiveSource, request: LiveRequest) -> None:
        """Begin to watch; errors come in `view`, as a viewer sees them.

        Raises:
            SettingsError: there is no such mapping.
        """
        self.store, self.source, self.request = store, source, request
        self.mapping = named_mapping(request.mapping, request.settings.signals.rate > 0)
        self._past = Lookback(
            request.purpose, request.reference, self.mapping, request.settings.window, request.settings.every
        )
        self._change = threading.Condition()
        self._version = 0
        self._state: State = "opening"
        self._error = ""
        self._paused = self._discard = False
        self._glimpse: Glimpse | None = None
        self._course: deque[tuple[float, float, float, float]] = deque(maxlen=COURSE)
        self._markers: list[tuple[float, str]] = []
        self._places: dict[int, tuple[float, float]] = {}
        self._delay = float("nan")
        self._arrived = 0.0  # by the monotonic clock, of the frame that is looked at
        self._newest: tuple[Frame, Observation] | None = None
        self._recorder: Recorder | None = None
        self._pauses: list[str] = []
        self._since: float | None = None  # seconds: the newest frame before a pause after which none was looked at yet
        self._thread = threading.Thread(target=self._run, name="live lesson", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether it has ended, however."""
        return self._state in OVER

    def view(self) -> View:
        """Return what there is to see now."""
        with self._change:
            return self._view()

    def wait(self, version: int, seconds: float) -> View:
        """Return what there is to see once it is newer than `version`, or after so many seconds."""
        with self._change:
            self._change.wait_for(lambda: self._version > version, seconds)
            return self._view()

    def pause(self, on: bool) -> None:
        """Stop looking, or go on; nothing of a pause is looked at or kept."""
        with self._change:
            if self._state in ("running", "paused"):
                self._state = "paused" if on else "running"
                self._paused = on
                if on and self._since is None and self._recorder is not None:
                    self._since = self._recorder.last
                self._tell()

    def mark(self, name: str) -> None:
        """Keep a marker at the newest frame's time.

        Raises:
            SettingsError: the name is empty or too long, or nothing was seen yet.
        """
        check_name("The marker's name", name)
        recorder = self._recorder
        if recorder is None or not recorder.number or self.over:
            raise SettingsError("A marker needs a running lesson. Expected: at least one frame. Received: none.")
        moment = recorder.last
        self.store.add_parts(recorder.lesson, [Part(name.strip(), moment, moment, MARKER)])
        with self._change:
            self._markers.append((moment, name.strip()))
            self._tell()

    def stop(self, discard: bool = False) -> int:
        """End the lesson, wait until all is kept, and return its number; 0 where there is none.

        Args:
            discard: keep nothing of it.
        """
        self._discard = self._discard or discard
        self.source.close()
        self._thread.join()
        return 0 if self._recorder is None or self._discard else self._recorder.number

    def outline(self) -> tuple[bytes, tuple[tuple[float, ...], ...]] | None:
        """Return the newest picture, blurred beyond knowing anybody, and the faces' places in it; None without one.

        Returns:
            a JPEG of OUTLINE_SIDE pixels, and for each face (left, top, right, bottom), 0 to 1 of the picture's width
            and height; not its seat, which is for those alone who may see single ones.
        """
        newest = self._newest
        if newest is None or self.over or self._state == "paused":
            return None
        frame, seen = newest
        height, width = frame.image.shape[:2]
        sides = np.array([width, height, width, height])
        return _blurred(frame.image), tuple(map(tuple, np.clip(seen.tracks.boxes / sides, 0, 1).round(4).tolist()))

    def clock(self) -> float:
        """Return the seconds of the source now, between two frames too; NaN before the first one."""
        newest = self._newest
        return float("nan") if newest is None else newest[0].time + time.monotonic() - self._arrived

    def places(self) -> dict[int, tuple[float, float]]:
        """Return where each seat found so far was last: the middle of its face, 0 to 1 of the picture's sides.

        Raises:
            PrivacyError: single seats may not be seen.
        """
        with self._change:
            seats = self._past.seats()
            allowed = allowance_for(self.request.purpose, self.request.reference, len(seats))
            if not allowed.single:
                raise PrivacyError(f"Single seats of the running lesson are refused. {allowed.rule}")
            return {seat: self._places[seat] for seat in seats}

    def _view(self) -> View:
        seats = len(self._past.seats())
        allowed = allowance_for(self.request.purpose, self.request.reference, seats)
        return View(
            version=self._version,
            state=self._state,
            lesson=0 if self._recorder is None else self._recorder.number,
            name=self.request.name,
            source=self.source.state,
            glimpse=self._glimpse,
            course=tuple(self._course),
            markers=tuple(self._markers),
            seats=seats if allowed.single or seats >= MIN_SEATS else None,
            delay=self._delay,
            error=self._error,
        )

    def _tell(self) -> None:
        """Wake every viewer; the lock is held."""
        self._version += 1
        self._change.notify_all()

    def _run(self) -> None:
        state: State = "failed"  # unless all goes its way, and so also where the program itself is wrong
        error = "It broke off by a fault in this program. Please report it."
        try:
            self._watch()
            state, error = "ended", ""
        except RoomreadError as failure:
            error = str(failure)
        finally:
            self.source.close()
            if self._discard:
                state, error = self._forget()
            with self._change:
                self._state, self._error, self._newest = state, error, None
                self._tell()
        recorder = self._recorder
        if not self._discard and recorder is not None and recorder.number:
            with contextlib.suppress(StoreError):  # a cache: whoever opens the lesson makes it again
                keep_overview(self.store, recorder.number)  # after all were told, as it may take seconds

    def _forget(self) -> tuple[State, str]:
        """Delete what was kept; return what became of it."""
        try:
            if self._recorder is not None:
                self._recorder.discard()
        except StoreError as failure:
            return "failed", f"It could not be discarded and is still there. {failure}"
        return "discarded", ""

    def _watch(self) -> None:
        settings = self.request.settings
        self.source.start()  # a camera warms up while the networks are opened
        observer = Observer(settings, side_by_side=False)
        self._recorder = recorder = Recorder(self.store, self._record(observer), 1 / settings.source.fps, live=True)
        kept = threading.Event()
        keeper = threading.Thread(target=_keep_up, args=(recorder, kept), name="lesson's keeper", daemon=True)
        keeper.start()
        why = ", by a fault in the program."
        try:
            for frame, seen in observer.observe(self._frames_taken()):
                recorder.size = (frame.image.shape[1], frame.image.shape[0])
                if not recorder.frames:
                    recorder.begin(_moment(time.monotonic() - self._arrived + frame.time))
                recorder.told = (*self.source.notes, *observer.notes, *self._pauses)
                recorder.take(seen)
                if recorder.frames == 1:
                    recorder.wait_for_number(NUMBERED)
                notes = (*self.source.notes, *observer.notes, *recorder.notes)
                self._show(frame, seen, notes)
            recorder.finish("complete", [*self.source.notes, *observer.notes, *self._pauses])
            why = ""
        except StoreError:
            why = ", as the store could not be written."
            raise
        except RoomreadError as failure:
            why = f": {failure}"
            raise
        finally:
            kept.set()
            keeper.join(LAST_HOLD)  # a store that does not answer at all holds it for ever
            if why:
                self._end_pause("the end")
                said = [*self.source.notes, *observer.notes, *self._pauses]
                recorder.abandon([*said, f"The lesson broke off here{why}"])

    def _frames_taken(self) -> Iterator[Frame]:
        """Yield the frames that are looked at: none of a pause."""
        for frame in self.source.frames():
            if self._paused:
                continue
            self._end_pause(f"{frame.time:.0f} s")
            self._arrived = time.monotonic()
            yield frame
        self._end_pause("the end")

    def _end_pause(self, end: str) -> None:
        """Note the pause that has just ended, if there was one; a page that sends pictures sends none in it."""
        with self._change:
            if self._since is not None:
                self._pauses.append(f"Paused from {self._since:.0f} s to {end}.")
                self._since = None

    def _record(self, observer: Observer) -> Lesson:
        settings = self.request.settings
        now = _moment()
        return Lesson(
            name=self.request.name.strip(),
            source=self.source.name,
            purpose=self.request.purpose,
            reference=self.request.reference,
            began=now,
            created=now,
            made_with={**observer.made_with(), "settings": plain_settings(settings), SHOWN_LIVE: True},
        )

    def _show(self, frame: Frame, seen: Observation, notes: tuple[str, ...]) -> None:
        height, width = frame.image.shape[:2]
        boxes = seen.tracks.boxes
        middles = np.clip((boxes[:, :2] + boxes[:, 2:]) / 2 / (width, height), 0, 1).tolist()
        with self._change:
            self._newest = (frame, seen)
            glimpse = self._past.add(seen, self.source.dropped, notes)
            for seat, middle in zip(seen.tracks.seats.tolist(), middles, strict=True):
                if seat > 0:
                    self._places[seat] = (middle[0], middle[1])
            if self._state == "opening":
                self._state = "running"
            if glimpse is None:
                return
            self._glimpse, self._delay = glimpse, time.monotonic() - self._arrived
            now, moment = glimpse.now, glimpse.time
            if self._course and moment - self._course[-1][0] < 1.0:
                moment = self._course.pop()[0]
            self._course.append((moment, float(now.engagement[0]), float(now.low[0]), float(now.high[0])))
            self._tell()


def _moment(ago: float = 0.0) -> str:
    """Return the moment so many seconds ago: ISO 8601 with the offset of this machine."""
    return (datetime.now(UTC) - timedelta(seconds=ago)).astimezone().isoformat(timespec="seconds")


def _keep_up(recorder: Recorder, ended: threading.Event) -> None:
    """Write what was seen: apart from looking, which a store that is slow or away must not hold up."""
    while not ended.wait(KEEP_EVERY / 10):
        with contextlib.suppress(StoreError):  # the lesson itself meets it with its next frame, and tells
            recorder.keep_due()


def _blurred(image: Array) -> bytes:
    """Return a JPEG in which nobody can be known."""
    picture = Pictures.fromarray(image)
    picture.thumbnail((OUTLINE_SIDE, OUTLINE_SIDE), Pictures.Resampling.BOX)
    held = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(OUTLINE_BLUR)).save(held, "JPEG", quality=70)
    return held.getvalue()
