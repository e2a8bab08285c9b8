"""How cameras, streams and files that are played as if live are opened, and their pictures taken out.

Everything here is told its format and the protocols it may use, so that no content can lead FFmpeg to another file or
address: RTSP speaks RTSP over TCP alone; HTTP is not FFmpeg's at all (see `watch.web`); files are opened as in
`watch.frames`. FFmpeg's buffering is left as it is, but for what it counts frames for: a stream is shown as soon as its
size is known.
"""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from roomread.errors import SourceError
from roomread.outside import shown
from roomread.types import Image
from roomread.watch.address import Address
from roomread.watch.cameras import Camera, device, find_again
from roomread.watch.frames import LARGEST_FRAME, Clock, open_video, packets_of, pixel_ratio, upright
from roomread.watch.livesource import LiveSettings
from roomread.watch.outages import BrokenError, Patience
from roomread.watch.web import Download

IDLE = 0.005  # seconds between two questions to a camera that has no picture yet
QUICK = {"fpsprobesize": "0"}  # frames looked at to guess a rate that nobody needs here
RTSP = QUICK | {
    "protocol_whitelist": "rtsp,tcp",
    "format_whitelist": "rtsp",
    "rtsp_transport": "tcp",  # UDP loses parts of pictures, and firewalls stop it
    "allowed_media_types": "video",  # a room's sound is never fetched
}
HTTP = QUICK | {
    "protocol_whitelist": "none",  # the bytes come from `watch.web`; FFmpeg opens nothing by itself
    "format_whitelist": "mpjpeg,mjpeg,mpegts,matroska,webm,flv,mov,mp4",  # no list that names other addresses
}

Wanted = Callable[[], bool]


class Stream(ABC):
    """Something that gives pictures by itself, opened anew with each call of `pictures`.

    name: without anything secret. endless: whether it is an outage when it ends. expected, advice: what should be
    there, and what to look after, for messages. damaged: pictures that could not be decoded, over all openings.
    ratio: width of a pixel over its height.
    """

    endless = True
    expected = ""
    advice = "Check that it is switched on, connected and named rightly."

    def __init__(self, name: str, settings: LiveSettings) -> None:
        self.name, self.settings = name, settings
        self.damaged, self.ratio = 0, 1.0
        self.stopped = threading.Event()

    def interrupt(self) -> None:
        """Make `pictures` end soon; from any thread."""
        self.stopped.set()

    def pictures(self, wanted: Wanted) -> Generator[av.VideoFrame, None, None]:
        """Open, and yield the pictures as they come.

        Args:
            wanted: asked before a picture is decoded that no other depends on; False leaves it out.

        Raises:
            BrokenError: it cannot be opened, gives out, is silent for too long, or sends what is no video.
        """
        patience = Patience(self.settings.opening, self.settings.stall)
        reason = ""
        try:
            with self._opened(patience) as container:
                patience.renew()
                yield from self._decode(container, patience, wanted)
        except av.ExitError:  # FFmpeg was interrupted by the limit that `timeout` gave it
            reason = patience.words
        except av.EOFError:
            reason = "an end before there was a picture"
        except av.InvalidDataError:
            reason = "data that is no video"
        except av.FFmpegError as error:
            reason = error.strerror or "an error without a name"
        if reason:  # outside of the handlers: FFmpeg's errors hold the address with its password
            raise BrokenError(reason)

    @abstractmethod
    def _opened(self, patience: Patience) -> AbstractContextManager[InputContainer]:
        """Open the source."""

    def _decode(self, container: InputContainer, patience: Patience, wanted: Wanted) -> Iterator[av.VideoFrame]:
        """Yield every whole picture; ask for all parts of the stream, so that sound alone counts as silence too."""
        if not container.streams.video:
            raise BrokenError("no video in it")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise BrokenError("video of a kind that cannot be decoded here")
        self.ratio = pixel_ratio(stream)
        stream.thread_type = "AUTO" if not self.endless else "SLICE"  # threads by frame would hold pictures back
        stream.codec_context.thread_count = self.settings.threads
        stream.codec_context.options = {"max_pixels": str(LARGEST_FRAME)}
        alone = self.endless and stream.codec_context.codec.intra_only  # no picture depends on another
        packets = packets_of(container)
        while not self.stopped.is_set():
            try:
                packet = next(packets, None)
            except av.BlockingIOError:  # a camera of macOS that has no picture yet
                self.stopped.wait(IDLE)
                packets = packets_of(container)
                patience.check()
                continue
            if packet is None:
                return
            patience.check()
            if packet.stream is stream and not (alone and patience.fresh and packet.size and not wanted()):
                yield from self._whole(packet, patience)

    def _whole(self, packet: av.Packet[Any], patience: Patience) -> Iterator[av.VideoFrame]:
        try:
            decoded = packet.decode()
        except av.InvalidDataError:
            self.damaged += 1
            return
        for frame in decoded:
            if packet.is_corrupt or frame.is_corrupt:  # cut off in the middle; the rest is gray
                self.damaged += 1
                continue
            patience.renew()
            yield frame


class CameraStream(Stream):
    """A camera of this machine."""

    expected = "a camera that is plugged in, that no other program uses, and that you may use"

    def __init__(self, camera: Camera, settings: LiveSettings) -> None:
        super().__init__(camera.name, settings)
        self.camera = camera

    def _opened(self, patience: Patience) -> AbstractContextManager[InputContainer]:
        camera = find_again(self.camera)
        if camera is None:
            raise BrokenError("the camera is not there")
        self.camera = camera
        kind = device()
        limits = (self.settings.opening, self.settings.stall)
        wishes = _wishes(kind, self.settings.size)
        while not self.stopped.is_set():
            try:
                return av.open(camera.address, "r", format=kind, options=wishes.pop(0), timeout=limits)
            except av.FFmpegError as error:  # it does not know this size or rate; one that hangs would do so again
                if isinstance(error, av.ExitError) or not wishes:
                    raise
        raise BrokenError("closed before it was opened")


def _wishes(kind: str, size: tuple[int, int]) -> list[dict[str, str]]:
    """Return what to ask a camera for, the best first; the last resort is what it gives unasked."""
    sizes = [{"video_size": f"{width}x{height}"} for width, height in (size, (1280, 720), (640, 480))]
    if kind == "v4l2":  # takes the size that is nearest; compressed, as USB is too slow for large raw pictures
        return [{"input_format": "mjpeg"} | sizes[0], sizes[0], {}]
    if kind == "avfoundation":  # has no nearest, and asks for a rate that many cameras do not have
        return [*({"framerate": rate} | one for one in sizes for rate in ("30", "15")), {}]
    return [{"vcodec": "mjpeg"} | sizes[0], *sizes, {}]


class RtspStream(Stream):
    """A camera or server in the network that speaks RTSP."""

    expected = "a camera or server that sends video over RTSP (TCP)"

    def __init__(self, address: Address, settings: LiveSettings) -> None:
        super().__init__(address.shown, settings)
        self._address = address

    def _opened(self, patience: Patience) -> AbstractContextManager[InputContainer]:
        limits = (self.settings.opening, self.settings.stall)
        return av.open(self._address.full, "r", format="rtsp", options=RTSP, timeout=limits, metadata_errors="replace")


class HttpStream(Stream):
    """A camera or server that sends pictures in one HTTP answer that does not end, mostly MJPEG."""

    expected = "a stream of pictures over HTTP, such as MJPEG"

    def __init__(self, address: Address, settings: LiveSettings) -> None:
        super().__init__(address.shown, settings)
        self._address = address
        self._download: Download | None = None

    def interrupt(self) -> None:
        """Make `pictures` end at once, also while it waits for the network."""
        super().interrupt()
        if self._download is not None:
            self._download.cut()

    @contextmanager
    def _opened(self, patience: Patience) -> Iterator[InputContainer]:
        with closing(Download(self._address, patience)) as download:
            self._download = download
            if self.stopped.is_set():  # while the address was asked for
                download.cut()
            with av.open(download, "r", format=download.format, options=HTTP, metadata_errors="replace") as container:
                yield container


class FileStream(Stream):
    """A video file, played at its own pace as if it came from a camera."""

    endless = False
    expected = "a video file"
    advice = "Play it in a video player to see whether it is whole."

    def __init__(self, path: Path, settings: LiveSettings) -> None:
        """Open the file once, to know that it can be.

        Raises:
            SourceError: it cannot.
        """
        super().__init__(shown(path), replace(settings, opening=math.inf, stall=math.inf))  # pictures may lie far apart
        self._path = path
        with open_video(path) as container:
            self._clock = Clock(container.streams.video[0])

    @contextmanager
    def _opened(self, patience: Patience) -> Iterator[InputContainer]:
        try:
            container = open_video(self._path)
        except SourceError as error:
            raise BrokenError(str(error)) from None
        with container:
            self._clock = Clock(container.streams.video[0])
            yield container

    def pictures(self, wanted: Wanted) -> Generator[av.VideoFrame, None, None]:
        """Yield each picture when its moment has come."""
        began: float | None = None
        for frame in super().pictures(wanted):
            moment, _ = self._clock.read(frame)
            began = time.monotonic() - moment if began is None else began
            self.stopped.wait(max(0.0, began + moment - time.monotonic()))
            yield frame


def to_rgb(frame: av.VideoFrame, ratio: float) -> Image:
    """Return uint8 (height, width, 3), RGB, upright; `ratio` is the width of its pixels over their height.

    Raises:
        SourceError: the frame cannot be converted.
    """
    try:
        return upright(frame, ratio)
    except (av.FFmpegError, ValueError) as error:
        raise SourceError(f"A frame cannot be converted: {error}.") from error
