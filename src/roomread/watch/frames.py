"""Pictures, folders and videos as frames: colour order, rotation and true times are settled here."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av._core import ffmpeg_version_info, library_meta  # where `python -m av` finds them

from roomread.errors import SourceError
from roomread.outside import shown
from roomread.pictures import is_picture, read_picture
from roomread.types import Frame, Image

PICTURE_SECONDS = 1.0  # a folder's pictures have no clock of their own; they count as one second apart
NATIVE = math.inf  # frames per second that take every frame
LARGEST_FRAME = 40_000_000  # pixels; 8K has 33 million. A small file can promise thousands of times as many
OPENING = {  # nothing but a real container in a plain file: no list that names other files or addresses, no guesswork
    "format_whitelist": "mov,mp4,3gp,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg,mxf,dv,gif",
    "protocol_whitelist": "file",
    "max_pixels": str(LARGEST_FRAME),
}
LEAST_FPS = 0.001  # one frame in a quarter of an hour
USUAL_RATE = Fraction(25)  # frames a second, where a file does not say
SLOWEST = 3600  # seconds from one frame to the next; a file that claims more has a damaged head
LONGEST = 24 * 3600.0  # seconds; a frame that claims to come later has a damaged stamp
RESTARTED, SURE = 1.0, 8  # seconds by which stamps fall back, and for how many frames, where a clock began anew
END_TOLERANCE = 1.0  # seconds that a container may promise more than it holds before it counts as cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSettings:
    """Which frames of a source are looked at."""

    fps: float = 5.0  # analysed per second of video; NATIVE takes every frame. A folder's pictures are all taken
    start: float = 0.0  # seconds from the start of the source
    end: float = math.inf  # seconds from the start of the source
    threads: int = 2  # processor threads for decoding

    def __post_init__(self) -> None:
        if not self.fps >= LEAST_FPS:
            raise ValueError(f"fps must be at least {LEAST_FPS}. Received: {self.fps}.")
        if not 0 <= self.start < self.end or self.start > LONGEST:
            raise ValueError(
                f"start must lie before end, and within a day. Received: {self.start}, {self.end} seconds."
            )


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a video that begins at a key frame, so that nothing before it need be decoded.

    stamp: of its first frame, by the stream's own clock; None where the source begins. index: number of that frame.
    start, end: seconds; a frame at `end` is the next piece's; infinite: to the end of what is looked at.
    due: seconds, when the next frame is due on the grid of the whole source.
    """

    stamp: int | None = None
    index: int = 0
    start: float = 0.0
    end: float = math.inf
    due: float = 0.0


WHOLE = Piece()


@dataclass
class Grid:
    """Chooses frames so many times a second; `due` is when the next one is due, in seconds."""

    fps: float
    due: float

    def takes(self, time: float) -> bool:
        """Return whether a frame at this time is taken, and wait for the next one then."""
        if time + 1e-6 < self.due:
            return False
        self.due = time if self.fps == NATIVE else max(self.due + 1 / self.fps, time)
        return True


class Source(Protocol):
    """Something that yields frames.

    name: without its folders. notes: what was lost, complete once the frames are through.
    """

    name: str
    notes: list[str]

    @property
    def length(self) -> float | None:
        """Seconds that will be looked at, where known."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; ends early, with a note, where the rest cannot be read."""
        ...


def _counted(path: Path) -> tuple[list[str | int], str]:
    """Return what puts frame2.png before frame10.png."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", path.name)], path.name


def open_source(path: Path, settings: FrameSettings, piece: Piece = WHOLE) -> Source:
    """Return the frames of a picture, a folder of pictures, or a video, of which `piece` may be a part.

    Raises:
        SourceError: there is nothing at the path, a folder holds no picture, or the file is neither picture nor video.
    """
    try:
        path.stat()
    except FileNotFoundError:
        pass  # told below
    except OSError as error:  # Path's own questions pass some of these on
        raise SourceError(f"{shown(path)} cannot be read: {error.strerror}.") from error
    if path.is_dir():
        pictures = sorted((entry for entry in _inside(path) if is_picture(entry)), key=_counted)
        if not pictures:
            raise SourceError(
                f"The folder {path} holds no picture. Expected: files ending in .jpg, .png, .webp or the like. "
                "Name a video file to analyse a video."
            )
        begin, end = settings.start / PICTURE_SECONDS, min(settings.end / PICTURE_SECONDS, len(pictures))
        return PictureSource(shown(path), pictures[: math.ceil(end)], math.ceil(begin))
    if not path.exists():
        raise SourceError(f"{path} does not exist. Expected: a picture, a folder of pictures, or a video file.")
    if is_picture(path):
        read_picture(path)  # a single picture that cannot be read is an error, not a note
        return PictureSource(shown(path), [path])
    return VideoSource(path, settings, piece)


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read: {error.strerror}.") from error


@dataclass
class PictureSource:
    """Pictures in the order of their names, one second apart; those before number `begin` are passed over."""

    name: str
    paths: list[Path]
    begin: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def length(self) -> float | None:
        """Seconds that the pictures stand for."""
        return max(0, len(self.paths) - self.begin) * PICTURE_SECONDS

    def frames(self) -> Iterator[Frame]:
        """Yield every picture that can be read; the others are counted and named in `notes`."""
        unread = []
        sizes = set()
        for index, path in enumerate(self.paths[self.begin :], self.begin):
            try:
                image = read_picture(path)
            except SourceError:
                unread.append(shown(path))
                continue
            sizes.add(image.shape)
            yield Frame(image, index * PICTURE_SECONDS, index)
        if unread:
            self.notes.append(
                f"{len(unread)} of {len(self.paths) - self.begin} pictures could not be read: {', '.join(unread)}."
            )
        if len(sizes) > 1:
            self.notes.append("The pictures differ in size, so their seats cannot be compared.")


class VideoSource:
    """A video file, or a piece of one, at the times that its container states.

    damaged: parts that could not be decoded, once the frames are through.
    """

    def __init__(self, path: Path, settings: FrameSettings, piece: Piece = WHOLE) -> None:
        """Open the file.

        Raises:
            SourceError: it cannot be opened, or holds no video.
        """
        self.path, self.settings, self.piece, self.name = path, settings, piece, shown(path)
        self.notes: list[str] = []
        self.damaged = 0
        with open_video(self.path) as container:
            self.total = _duration(container)

    @property
    def length(self) -> float | None:
        """Seconds that will be looked at, where the container says how long it is."""
        if self.total is None:
            return None
        return max(0.0, min(self.total, self.settings.end) - self.settings.start)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames that are due, upright, in RGB; what cannot be decoded is counted in `notes`.

        Of a piece `notes` says only, of the last one, that the video breaks off.
        """
        with open_video(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = self.settings.threads
            yield from self._due(container, stream)

    def _due(self, container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[Frame]:
        """Yield a frame whenever 1/fps has passed since the one before was due."""
        piece, clock, damaged, ratio = self.piece, Clock(stream), list[float](), pixel_ratio(stream)
        end = min(self.settings.end, piece.end)
        grid = Grid(self.settings.fps, self.settings.start if piece.stamp is None else piece.due)
        if piece.stamp is not None:
            _seek_before(container, stream, piece.stamp)
            clock.last = (piece.start, piece.index - 1)
        elif self.settings.start > 0:
            _seek_before(container, stream, clock.stamp(self.settings.start))
        last = 0.0
        for decoded in _decode(container, stream, clock, damaged):
            if piece.stamp is not None and decoded.pts is not None and decoded.pts < piece.stamp:
                continue  # of the piece before: it stands behind the key frame, but is shown before it
            time, index = clock.read(decoded)
            if time >= end:
                last = time
                break
            last = time + clock.step
            if not grid.takes(time):
                continue
            try:
                image = upright(decoded, ratio)
            except (av.FFmpegError, ValueError):  # of a kind that nothing here can turn into RGB
                damaged.append(time)
                continue
            yield Frame(image, time, index)
        self.damaged = sum(piece.start <= time < piece.end or math.isnan(time) for time in damaged)
        if self.damaged and piece == WHOLE:
            self.notes.append(damage_note(self.damaged))
        if clock.restarts:
            times = "once" if clock.restarts == 1 else f"{clock.restarts} times"
            self.notes.append(f"The recording's clock began anew {times}; what follows is taken to follow at once.")
        if math.isinf(piece.end) and self.total is not None and last + END_TOLERANCE < min(self.total, end):
            self.notes.append(
                f"The video breaks off at {last:.1f} s of {self.total:.1f} s; the rest could not be read and is lost."
            )


def damage_note(n: int) -> str:
    """Return in words that so many parts of a video are lost."""
    parts = "1 damaged part" if n == 1 else f"{n} damaged parts"
    return f"{parts} of the video could not be decoded: those frames are missing."


def open_video(path: Path) -> av.container.InputContainer:
    """Open a video file, to be closed by the caller.

    Raises:
        SourceError: it cannot be opened, or holds no video.
    """
    try:
        if os.path.getsize(path) == 0:
            raise SourceError(f"{path} is empty. Expected: a video file.")
        container = av.open(str(path), options=OPENING, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path} cannot be opened as a video. Expected: MP4, MOV, MKV, WebM or the like. "
            f"Received: {error.strerror or error}."
        ) from error
    if not container.streams.video:
        container.close()
        raise SourceError(f"{path} holds no video. Expected: a file with a video track.")
    if container.streams.video[0].codec_context is None:
        container.close()
        raise SourceError(f"{path} holds a video that cannot be decoded here. Expected: H.264, H.265, VP9 or the like.")
    coded = container.streams.video[0].codec_context
    if coded.width * coded.height > LARGEST_FRAME:
        container.close()
        raise SourceError(
            f"The pictures of {path} are too large. Expected: at most {LARGEST_FRAME:,} pixels. "
            f"Received: {coded.width} x {coded.height}."
        )
    coded.options = {"max_pixels": str(LARGEST_FRAME)}  # a stream may change its size on the way
    return container


def decodes(codec: str) -> bool:
    """Tell whether this installation reads pictures that a codec wrote, by FFmpeg's name of it."""
    try:
        return av.Codec(codec, "r").is_decoder
    except av.codec.codec.UnknownCodecError:
        return False


def ffmpeg() -> tuple[str, str, str]:
    """Return the version, the licence and the build options of the FFmpeg that reads and writes videos here."""
    about = library_meta["libavcodec"]
    return ffmpeg_version_info, about["license"], about["configuration"]


class Clock:
    """Times and numbers of decoded frames, from their own stamps."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.base = stream.time_base or Fraction(1, 1000)
        self.first = stream.start_time or 0
        rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
        # seconds, used where a frame carries no stamp
        self.step = float(1 / (rate if rate * SLOWEST >= 1 else USUAL_RATE))
        self.last: tuple[float, int] | None = None
        self.behind = 0  # frames in a row whose stamps lie before the last one's
        self.restarts = 0

    def stamp(self, time: float) -> int:
        """Return the stamp of a moment in seconds."""
        return self.first + self.stamp_of(time)

    def stamp_of(self, seconds: float) -> int:
        """Return a length of time in the stream's own unit."""
        return int(seconds / self.base)

    def seconds(self, stamp: int) -> float:
        """Return the moment of a stamp, in seconds from the start of the source."""
        return (stamp - self.first) * self.base.numerator / self.base.denominator

    def read(self, frame: av.VideoFrame) -> tuple[float, int]:
        """Return seconds from the start of the source, never running backwards, and the number of the frame."""
        before, index = (-self.step, -1) if self.last is None else self.last
        time = before + self.step
        if frame.pts is not None and self.seconds(frame.pts) <= LONGEST:
            stated = self.seconds(frame.pts)
            self.behind = self.behind + 1 if stated < before - RESTARTED else 0
            if self.behind == SURE:  # the clock of a recorder began anew: several files as one
                self.first = frame.pts - self.stamp_of(time)
                self.behind, self.restarts = 0, self.restarts + 1
            if not self.behind:
                time = self.seconds(frame.pts)
        time = max(time, before, 0.0)
        self.last = (time, round(time / self.step) if self.last is None else index + 1)
        return self.last


def _seek_before(container: av.container.InputContainer, stream: av.VideoStream, stamp: int) -> None:
    """Go to a key frame at or before a stamp; to the start of the file where the container knows no better.

    A file that is damaged there is read from wherever that leads: what is too early is passed over.
    """
    for target in (stamp, 0 if stream.start_time is None else stream.start_time):
        try:
            container.seek(target, stream=stream)
            reached = next(packets_of(container, stream)).pts
            container.seek(target, stream=stream)
        except av.FFmpegError:
            continue
        if reached is not None and reached <= stamp:
            return


def packets_of(container: av.container.InputContainer, *streams: av.VideoStream) -> Iterator[av.Packet[Any]]:
    """Yield a file's packets; those of a stream that begins in its middle are unknown to PyAV, and passed over."""
    while True:
        try:
            yield from container.demux(*streams)
        except IndexError:
            continue
        return


def _decode(
    container: av.container.InputContainer, stream: av.VideoStream, clock: Clock, damaged: list[float]
) -> Iterator[av.VideoFrame]:
    """Yield every frame that can be decoded; add to `damaged` the seconds of each packet that cannot, NaN: unknown."""
    packets = packets_of(container, stream)
    while True:
        time = math.nan
        try:
            packet = next(packets)
            time = math.nan if packet.pts is None else clock.seconds(packet.pts)
            yield from packet.decode()
        except StopIteration:
            return
        except av.EOFError:
            return
        except av.InvalidDataError:
            damaged.append(time)
        except av.FFmpegError:
            damaged.append(time)
            return


def _duration(container: av.container.InputContainer) -> float | None:
    stream = container.streams.video[0]
    base = stream.time_base or Fraction(0)
    if stream.duration is not None and base:
        return float(stream.duration * base)
    whole = None if container.duration is None else container.duration / av.time_base  # of the longest track, from 0
    try:  # Matroska says when each track ends
        hours, minutes, seconds = map(float, stream.metadata.get("DURATION", "").split(":"))
        whole = 3600 * hours + 60 * minutes + seconds
    except ValueError:
        pass
    return None if whole is None else max(0.0, whole - float((stream.start_time or 0) * base))


def pixel_ratio(stream: av.VideoStream) -> float:
    """Return how wide the pixels of a video are for their height; 1 where that is not told."""
    told = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return float(told) if told and told > 0 else 1.0


def upright(frame: av.VideoFrame, ratio: float = 1.0) -> Image:
    """Return uint8 (height, width, 3), RGB, turned as the container says that a phone was held.

    Args:
        frame: as it was decoded.
        ratio: width over height of its pixels; the picture is made as wide as it is meant to be seen.
    """
    width = round(frame.width * ratio)
    image: Image = np.asarray(frame.to_ndarray(format="rgb24", width=width), np.uint8)
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90))) if frame.rotation else image
