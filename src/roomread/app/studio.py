"""What the pages work on: one store, one running lesson at most, one queue."""

from __future__ import annotations

import threading
from pathlib import Path

from roomread.app.live import LiveLesson, LiveRequest
from roomread.app.names import without_folders
from roomread.app.queue import RecordingQueue
from roomread.errors import SettingsError
from roomread.store.lessons import LessonStore
from roomread.watch.livesource import LiveSource


class Studio:
    """What the server holds.

    store: the lessons. named: the source that the command line named, for the page to offer; None without one.
    live: the lesson that runs, or ran last; None before the first.
    queue: the recordings; they wait while a lesson runs.
    """

    def __init__(self, store: LessonStore, named: str | None = None) -> None:
        self.store, self.named = store, named
        self.live: LiveLesson | None = None
        self.queue = RecordingQueue(store, held=self.busy)
        self._lock = threading.Lock()

    def without_folders(self, text: str) -> str:
        """Return a text for the pages: without the folders of the store, the recordings and the named source."""
        named = None if self.named is None else Path(self.named)
        return without_folders(text, self.store.file, self.queue.spool.folder, named)

    def begin(self, source: LiveSource, request: LiveRequest) -> LiveLesson:
        """Begin a lesson.

        Raises:
            SettingsError: another one runs, or there is no such mapping.
        """
        with self._lock:
            if (other := self.running_lesson()) is not None:
                raise SettingsError(
                    f"The lesson {other.request.name!r} is running. Expected: one lesson at a time. "
                    "Stop it before another one begins."
                )
            self.live = LiveLesson(self.store, source, request)
            return self.live

    def running_lesson(self, number: int | None = None) -> LiveLesson | None:
        """Return the lesson that runs, if one does, and it has that number in the store; None asks for any."""
        live = self.live
        return live if live is not None and not live.over and number in (None, live.view().lesson) else None

    def busy(self) -> bool:
        """Return whether a lesson runs."""
        return self.running_lesson() is not None

    def running(self) -> LiveLesson:
        """Return the lesson that runs.

        Raises:
            SettingsError: there is none.
        """
        live = self.running_lesson()
        if live is None:
            raise SettingsError("No lesson is running. Begin one first.")
        return live

    def close(self) -> None:
        """End what runs; what was seen of a lesson is kept, and a recording begins anew with the next start."""
        if (live := self.running_lesson()) is not None:
            live.stop()
        self.queue.close()
