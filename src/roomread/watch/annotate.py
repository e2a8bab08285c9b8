"""Pictures with what was seen in them: boxes, seats, and no face unless it is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from roomread import style
from roomread.errors import OutputError
from roomread.types import NO_SEAT, Array, Frame, Image, Observation, Tracks

MOSAIC = 5  # blocks along a hidden face, too few to know anybody by
AROUND = 0.2  # of a face's size that is hidden around its box
TICK = Fraction(1, 90_000)  # seconds, the video's unit of time
HELD = 2.0  # seconds for which a place stays hidden after its face was found: whoever turns away is missed for a while
AHEAD = 5  # frames from which a face's place is hidden before it was found
CODING = {"crf": "23", "preset": "veryfast"}


def annotate(frame: Frame, seen: Observation, show_faces: bool = False, hide: Array | None = None) -> Image:
    """Return a frame with a box around each face: uint8 (height, width, 3), RGB.

    A box says the number of the seat, above it where there is room; a solid line that the face could be read, a thin
    one that it could not. No expression stands there: what is shown of single seats is for `store.privacy` to say.

    Args:
        frame: the picture.
        seen: what was observed in it.
        show_faces: leave faces as they are; else they are blurred beyond knowing.
        hide: float32 (n, 4), boxes of what is blurred; None: of the faces that were seen.
    """
    picture = Pictures.fromarray(frame.image)
    if not show_faces:
        for box in seen.tracks.boxes if hide is None else hide:
            _hide(picture, box)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(10, frame.image.shape[0] // 60))
    line = max(1, frame.image.shape[0] // 360)
    readable = ~np.isnan(seen.emotions[:, 0])
    for box, seat, read in zip(seen.tracks.boxes, seen.tracks.seats, readable, strict=True):
        colour = style.LIGHT.readable if read else style.LIGHT.unreadable
        left, top, right, bottom = (round(float(side)) for side in box)
        draw.rectangle((left, top, right, bottom), outline=colour, width=2 * line if read else line)
        if seat != NO_SEAT:
            _, high, wide, low = draw.textbbox((left, 0), str(seat), font=font, anchor="lb")
            foot = max(top - line, line - high)
            draw.rectangle((left, foot + high - line, wide + 2 * line, foot + low + line), fill=colour)
            draw.text((left + line, foot), str(seat), font=font, anchor="lb", fill=style.ink(colour))
    return np.asarray(picture)


def _hide(picture: Pictures.Image, box: Array) -> None:
    """Replace a face and what is about it by a mosaic."""
    left, top, right, bottom = (float(side) for side in box)
    x, y = AROUND * (right - left), AROUND * (bottom - top)
    part = (
        max(0, round(left - x)), max(0, round(top - y)),
        min(picture.width, round(right + x)), min(picture.height, round(bottom + y)),
    )  # fmt: skip
    face = picture.crop(part)
    small = face.resize((MOSAIC, MOSAIC), Pictures.Resampling.BOX)
    picture.paste(small.resize(face.size, Pictures.Resampling.NEAREST), part)


def _places(found: Sequence[Tracks]) -> Array:
    """Return where faces were in several frames, each seat's places as one: float32 (n, 4)."""
    seats, boxes = (np.concatenate([getattr(tracks, name) for tracks in found]) for name in ("seats", "boxes"))
    of_seats = [boxes[seats == seat] for seat in np.unique(seats[seats != NO_SEAT])]
    whole = [np.concatenate([places[:, :2].min(axis=0), places[:, 2:].max(axis=0)]) for places in of_seats]
    return np.concatenate([boxes[seats == NO_SEAT], np.array(whole, np.float32).reshape(-1, 4)])


class AnnotatedVideo:
    """An MP4 of annotated frames at their own times; it stands in its place once it is complete.

    A detector misses a face now and then, so a place is hidden for HELD seconds after a face was found in it, and in
    the AHEAD frames before; a face that is never found is not hidden.
    """

    def __init__(self, path: Path, show_faces: bool = False) -> None:
        """Begin the file under another name.

        Raises:
            OutputError: it is there already, or cannot be written.
        """
        if path.exists():  # it may be the recording itself
            raise OutputError(f"{path} is there already. Expected: a new name for the annotated video.")
        self.path, self.show_faces, self.made = path, show_faces, path.with_name(f".new-{path.name}")
        self.stream: av.VideoStream | None = None
        self.last = -1  # pts
        self.waiting: deque[tuple[Frame, Observation]] = deque()
        self.found: deque[tuple[float, Tracks]] = deque()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.container = av.open(str(self.made), "w", format="mp4")
        except (OSError, av.error.FFmpegError) as error:
            raise self._failure(error) from error

    def add(self, frame: Frame, seen: Observation) -> None:
        """Take the next frame; one of another size than the first is brought to its size, one no later is left out.

        Raises:
            OutputError: it cannot be written.
        """
        self.waiting.append((frame, seen))
        self.found.append((frame.time, seen.tracks))
        if len(self.waiting) > AHEAD:
            self._write(*self.waiting.popleft())

    def _write(self, frame: Frame, seen: Observation) -> None:
        stamp = round(frame.time / TICK)
        if stamp <= self.last:  # a container may give two frames the same time, which an MP4 cannot
            return
        self.last = stamp
        while self.found[0][0] < frame.time - HELD:
            self.found.popleft()
        drawn = annotate(frame, seen, self.show_faces, _places([tracks for _, tracks in self.found]))
        height, width = (side - side % 2 for side in frame.image.shape[:2])  # H.264 wants even sizes
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), "rgb24")
        try:
            if self.stream is None:
                self.stream = self.container.add_stream("libx264", options=CODING)
                self.stream.width, self.stream.height, self.stream.pix_fmt = width, height, "yuv420p"
                self.stream.time_base = self.stream.codec_context.time_base = TICK
            picture = picture.reformat(self.stream.width, self.stream.height, "yuv420p")
            picture.pts, picture.time_base = stamp, TICK
            self.container.mux(self.stream.encode(picture))
        except (OSError, av.error.FFmpegError) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Complete the file and move it into its place; without a frame nothing is left."""
        try:
            while self.waiting:
                self._write(*self.waiting.popleft())
            if self.stream is not None:
                self.container.mux(self.stream.encode(None))
            self.container.close()
            if self.stream is not None:
                self.made.replace(self.path)
        except (OSError, av.error.FFmpegError) as error:
            raise self._failure(error) from error
        finally:
            self.made.unlink(missing_ok=True)

    def _failure(self, error: Exception) -> OutputError:
        return OutputError(
            f"{self.path} cannot be written. Expected: a file name ending in .mp4, in a folder with room that may be "
            f"written to. Received: {error}."
        )
