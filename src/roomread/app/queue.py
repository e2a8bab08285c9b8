"""The recordings that wait: analysed one after the other by one thread, across restarts."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from roomread.app.analyze import AnalyzeSettings, Heed, Request, analyze_request
from roomread.app.names import lesson_name, without_folders
from roomread.app.spool import Spool, TooManyError, Upload, spool_of
from roomread.errors import LessonNotFoundError, RoomreadError, SettingsError, SourceError, StoreBusyError, StoreError
from roomread.store.lessons import LessonStore
from roomread.store.recordings import PENDING, Recording, Recordings, RecordingState

TELL_EVERY = 1.0  # seconds between two writes of a recording's progress
LOST = "The copy of the recording is not there any more. Add the recording again."
MOST_WAITING = 200  # recordings; a term of somebody's lessons
AGAIN = 1.0  # seconds after which a store that failed is tried again
HOLD = 0.2  # seconds after which an analysis that is held looks again
BROKEN = "The analysis broke off for a reason that roomread does not know. Nothing was kept."
ONCE_MORE = "The recording is tried once more."
KEPT = "The copy of the recording is kept: try again once that is mended, or remove the recording."
DELETED = "Its lesson was deleted while it was analysed. The copy is kept: try again, or remove the recording."


@dataclass(frozen=True, slots=True)
class _End:
    """How an analysis ended: the recording's state, why, and whether its copy stays to be tried again."""

    state: RecordingState
    message: str = ""
    kept: bool = False


class RecordingQueue:
    """Analyses recordings; each becomes a whole lesson, or none.

    The copy that was uploaded is deleted as soon as its analysis has ended; it is kept where the store alone was at
    fault, until the recording is tried again or removed. An analysis that the end of the process cut short begins anew
    with the next `start`.
    """

    def __init__(
        self, store: LessonStore, folder: Path | None = None, held: Callable[[], bool] = lambda: False
    ) -> None:
        """Hold the queue of a store; nothing is done before `start`.

        Args:
            store: which knows the recordings, and keeps the lessons.
            folder: where uploaded copies lie; None: see `spool_of`.
            held: whether something needs the processor more now; recordings wait for it.
        """
        self._held = held
        self.store, self.rows = store, Recordings(store)
        self.spool = spool_of(store.name, store.file) if folder is None else Spool(folder, store.file is None)
        self._lock = threading.RLock()
        self._worker: threading.Thread | None = None
        self._current: Recording | None = None  # with the lesson that it is becoming
        self._told = 0.0  # by the monotonic clock, when the progress was last written
        self._cancelled = self._closing = self._ready = False

    def start(self) -> bool:
        """Take up what an earlier process left, and return whether this process may work on the recordings.

        Raises:
            StoreError: folder or store cannot be used.
        """
        with self._lock:
            self._closing = False
            return self._own()

    def upload(self) -> Upload:
        """Return a file for what comes in.

        Raises:
            SettingsError: another process works on the recordings of this store.
            TooManyError: too many wait, or come in.
        """
        self._check_own()
        with self._lock:
            if sum(row.state in PENDING for row in self.rows.all()) >= MOST_WAITING:
                raise TooManyError(f"{MOST_WAITING} recordings wait already. Wait until some were analysed.")
            return Upload(self.spool)

    def add(self, upload: Upload, recording: Recording) -> Recording:
        """Put a file that has come whole into the queue, and return its row.

        Raises:
            SourceError: it is no video.
        """
        length = upload.check(recording.name)
        with self._lock:
            made = self.rows.add(dataclasses.replace(recording, length=length, spool=self.spool.key))
            upload.path.replace(self.spool.file(made.number))
            self._wake()
        return made

    def becoming(self, lesson: int) -> Recording | None:
        """Return the recording, waiting or under way, that is becoming the lesson of that number; None without one."""
        return next((row for row in self.rows.all() if row.lesson == lesson and row.state in PENDING), None)

    def keeps(self, recording: Recording) -> bool:
        """Return whether a recording has failed and its copy is kept here, so that it can be tried again."""
        mine = recording.state == "failed" and recording.spool == self.spool.key
        return mine and self.spool.file(recording.number).is_file()

    def try_again(self, number: int) -> Recording:
        """Let a recording that has failed wait anew, and return its row.

        Raises:
            RecordingNotFoundError: there is none.
            SettingsError: its copy is not kept here, or another process works on the recordings of this store.
        """
        with self._lock:
            self._check_own()
            found = self.rows.find(number)
            if not self.keeps(found):
                raise SettingsError(f"{found.name} cannot be tried again, as no copy of it is kept. Add it again.")
            self.rows.update(number, state="waiting", message="", done=0.0)
            self._wake()
            return dataclasses.replace(found, state="waiting", message="", done=0.0)

    def remove(self, number: int) -> Recording | None:
        """Cancel a recording that waits or is analysed, and return its row; forget one that has ended, return None.

        Raises:
            RecordingNotFoundError: there is none.
            SettingsError: another process works on the recordings of this store, or the copy is on another machine.
        """
        with self._lock:
            found = self.rows.find(number)
            if found.state not in PENDING:
                if self.keeps(found):
                    self._check_own()
                    self.spool.file(number).unlink(missing_ok=True)
                self.rows.remove(number)
                return None
            self._check_own()
            if found.spool != self.spool.key:
                raise SettingsError(f"The copy of {found.name} is on another machine. Cancel it on the pages there.")
            self.rows.update(number, state="cancelled", message="")
            if self._current is not None and self._current.number == number:
                self._cancelled = True  # the worker deletes copy and lesson when it comes to its next frame
            else:
                self.spool.file(number).unlink(missing_ok=True)
            return dataclasses.replace(found, state="cancelled")

    def close(self) -> None:
        """Stop orderly: what is being analysed waits for the next start."""
        with self._lock:
            self._closing = True
            worker = self._worker
        if worker is not None:
            worker.join()
        with self._lock:
            self.spool.release()
            self._ready = False

    def _own(self) -> bool:
        """Return whether this process may work on the recordings, and begin when it may; the lock is held."""
        if not self.spool.own():
            return False
        if not self._ready:
            self._ready = True
            self._take_up()
        self._wake()
        return True

    def _check_own(self) -> None:
        with self._lock:
            own = self._own()
        if not own:
            raise SettingsError(
                "Another roomread is at work on the recordings of this store. Add and cancel recordings on its pages, "
                "or end it first."
            )

    def _take_up(self) -> None:
        """Put rows and files in order after a process that may have been killed."""
        waiting, kept = set(), set()
        for row in self._mine():
            if row.state in ("running", "cancelled") and row.lesson is not None:
                self._forget(row.lesson)
                self.rows.update(row.number, lesson=None)
            if row.state in PENDING:
                self.rows.update(row.number, state="waiting", done=0.0)
                waiting.add(row.number)
            elif row.state == "failed":
                kept.add(row.number)
        for number in self.spool.sweep(waiting | kept) & waiting:
            self.rows.update(number, state="failed", message=LOST)

    def _mine(self) -> list[Recording]:
        """Return the recordings whose copies lie here, newest first; others belong to other machines."""
        return [row for row in self.rows.all() if row.spool == self.spool.key]

    def _wake(self) -> None:
        """See that somebody works where something waits; the lock is held."""
        if self._worker is None and not self._closing and any(row.state == "waiting" for row in self._mine()):
            self._worker = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._worker.start()

    def _run(self) -> None:
        try:
            while not self._closing:
                try:
                    recording = self._next()
                except StoreError:  # which may be back
                    time.sleep(AGAIN)
                    continue
                if recording is None:
                    break
                self._analyse(recording)
        finally:
            with self._lock:
                if self._worker is threading.current_thread():  # something unforeseen: the others are still due
                    self._worker = None
                    self._wake()

    def _next(self) -> Recording | None:
        """Return the recording whose turn it is; None ends the worker."""
        with self._lock:
            waiting = [row for row in self._mine() if row.state == "waiting"]
            if self._closing or not waiting:
                self._worker = None
                return None
            self._current, self._cancelled, self._told = waiting[-1], False, 0.0
            self.rows.update(waiting[-1].number, state="running")
            return waiting[-1]

    def _analyse(self, recording: Recording) -> None:
        path = self.spool.file(recording.number)
        end = _End("failed", BROKEN)
        try:
            if not path.is_file():
                raise SourceError(LOST)
            settings = AnalyzeSettings(fps=recording.settings["fps"], name=lesson_name(recording.name))
            request = Request(path, recording.purpose, recording.reference, settings, called=recording.name)
            heed = Heed(self._tell, self._begun, self._stopped, self.rows.naming(recording.number))
            handle = analyze_request(request, self.store, heed)
            complete = handle.lesson.state == "complete"
            end = _End("done") if complete else _End("waiting", recording.message, kept=True)
        except RoomreadError as error:
            end = self._end_of(error, recording)
        finally:
            while not self._settled(end) and not self._closing:  # else `start` puts the store in order
                time.sleep(AGAIN)

    def _end_of(self, error: RoomreadError, recording: Recording) -> _End:
        """Return how an analysis ends that met an error; where that is the store's, the recording is as good as before.

        Once it waits for a store that was busy its message says so, which tells the first such error from the second.
        """
        told = str(error).replace(str(self.spool.file(recording.number)), recording.name)
        told = without_folders(told, self.store.file, self.spool.folder)
        if not isinstance(error, StoreError):
            return _End("failed", told)
        if self._deleted():
            return _End("failed", DELETED, kept=True)
        if isinstance(error, StoreBusyError) and not recording.message:
            return _End("waiting", f"{told} {ONCE_MORE}", kept=True)
        return _End("failed", f"{told} {KEPT}", kept=True)

    def _deleted(self) -> bool:
        """Return whether the lesson that is being made has gone from the store."""
        current = self._current
        if current is None or current.lesson is None:
            return False
        try:
            self.store.numbered(current.lesson)
        except LessonNotFoundError:
            return True
        except StoreError:
            return False
        return False

    def _begun(self, lesson: int) -> None:
        with self._lock:
            if self._current is not None:
                self._current = dataclasses.replace(self._current, lesson=lesson)

    def _tell(self, seconds: float) -> None:
        now, current = time.monotonic(), self._current
        if current is not None and now - self._told >= TELL_EVERY:
            self._told = now
            with contextlib.suppress(StoreBusyError):  # told a second later
                self.rows.update(current.number, done=seconds)

    def _stopped(self) -> bool:
        """Return whether to stop; while something else has precedence, return later."""
        while self._held() and not (self._closing or self._cancelled):
            time.sleep(HOLD)
        return self._closing or self._cancelled

    def _settled(self, end: _End) -> bool:
        """Try to write how the analysis ended, and tell whether the store took it."""
        with self._lock:
            try:
                self._settle(end)
            except StoreError:
                return False
            self._current = None
            return True

    def _settle(self, end: _End) -> None:
        """Write how the analysis ended, and delete the copy unless it is kept.

        Of a lesson that is done it goes last, so that a kill in between loses nothing; of a recording that has failed
        it goes first, as the copies of those that are written down as failed stay.
        """
        recording = self._current
        if recording is None:
            return
        if self._cancelled:
            end = _End("cancelled")
        copy = self.spool.file(recording.number)
        if end.state == "failed" and not end.kept:
            copy.unlink(missing_ok=True)
        lesson = recording.lesson if end.state == "done" else None
        if lesson is None and recording.lesson is not None:
            self._forget(recording.lesson)
        done = 0.0 if end.state != "done" or recording.length is None else recording.length
        self.rows.update(recording.number, state=end.state, message=end.message, lesson=lesson, done=done)
        if not end.kept:
            copy.unlink(missing_ok=True)

    def _forget(self, number: int) -> None:
        """Delete the half-made lesson of that number."""
        with contextlib.suppress(LessonNotFoundError):
            self.store.delete(self.store.numbered(number))
