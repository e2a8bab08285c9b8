"""Live sources: a camera, a stream in the network, a file as if live. What breaks is opened again."""

from __future__ import annotations

import threading
from contextlib import closing
from functools import partial
from pathlib import Path

from roomread.errors import SourceError
from roomread.watch import outages
from roomread.watch.address import is_address, parse_address
from roomread.watch.cameras import find_camera
from roomread.watch.livesource import LiveSettings, LiveSource
from roomread.watch.outages import BrokenError
from roomread.watch.streams import CameraStream, FileStream, HttpStream, RtspStream, Stream, to_rgb

JOIN = 0.5  # seconds that `close` waits for the thread; FFmpeg lets go of a hanging camera or RTSP later, by its limits


def open_live(source: str, settings: LiveSettings | None = None) -> LiveSource:
    """Return a live source; nothing is opened before its `start` or `frames`.

    Args:
        source: camera, camera:1, /dev/video0, rtsp://..., http(s)://..., or a video file, played as if live.
        settings: how to watch it.

    Raises:
        SourceError: there is no such camera or file, or the address is none.
    """
    return StreamSource(_find_stream(source, LiveSettings() if settings is None else settings))


def _find_stream(source: str, settings: LiveSettings) -> Stream:
    if is_address(source):
        address = parse_address(source)
        return RtspStream(address, settings) if address.scheme == "rtsp" else HttpStream(address, settings)
    if (camera := find_camera(source)) is not None:
        return CameraStream(camera, settings)
    path = Path(source)
    if not path.is_file():
        raise SourceError(
            f"{source} cannot be watched. Expected: camera, camera:1, an rtsp:// or http:// address, or a video file. "
            f"Received: {'a folder' if path.is_dir() else 'a path where nothing is'}."
        )
    return FileStream(path, settings)


class StreamSource(LiveSource):
    """A stream, read by a thread of its own and opened again when it breaks."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.name, stream.settings)
        self._stream = stream
        self._thread: threading.Thread | None = None

    @property
    def damaged(self) -> int:
        """Frames that could not be decoded."""
        return self._spoilt + self._stream.damaged

    def start(self) -> None:
        """Begin to receive; `frames` does so too. Earlier, a camera can warm up while models are loaded."""
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name=f"roomread {self.name}", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the source and complete `notes`; from any thread, any number of times, within a second."""
        self._stream.interrupt()
        super().close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN)

    def _run(self) -> None:
        """Read until the source is closed, ends, or cannot be opened at all."""
        failed = True  # unless all goes its way, and so also where the program itself is wrong
        try:
            while (reason := self._look()) is not None and not self._stream.stopped.is_set():
                if self._size is None:
                    self.error = self._refusal(reason)
                    break
                if not self._stream.endless:
                    self.notes.append(f"The video breaks off at {self._time:.1f} s: {reason}.")
                    break
                self._await(reason)
            failed = False
        finally:
            if failed:
                self.error = SourceError(f"{self.name} broke off by a fault in this program. Please report it.")
            self._end()

    def _look(self) -> str | None:
        """Take pictures in until there are no more; return why, or None where that is the proper end."""
        stream = self._stream
        try:
            with closing(stream.pictures(lambda: self._slot.wants(outages.now() - self._origin))) as pictures:
                for frame in pictures:
                    self._arrive(partial(to_rgb, frame, stream.ratio), (frame.width, frame.height))
        except BrokenError as broken:
            return str(broken)
        return "it ended" if stream.endless else None

    def _await(self, reason: str) -> None:
        """Wait before the stream is opened again, the longer the more often that has failed."""
        settings, outage = self.settings, self._outages
        outage.broke(reason)
        wait = min(settings.first_wait * 2.0 ** min(outage.reopened, 30), settings.longest_wait)
        if not self._stream.stopped.wait(wait):
            outage.reopened += 1

    def _refusal(self, reason: str) -> SourceError:
        return SourceError(
            f"{self.name} cannot be watched. Expected: {self._stream.expected}. Received: {reason}. "
            f"{self._stream.advice}"
        )
