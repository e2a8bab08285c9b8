"""Pictures with what was seen in them: boxes, seats, and no face unless it is asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from roomread import style
from roomread.errors import OutputError
from roomread.types import NO_SEAT, Array, Frame, Image, Observation

MOSAIC = 5  # blocks along a hidden face, too few to know anybody by
AROUND = 0.2  # of a face's size that is hidden around its box
TICK = Fraction(1, 90_000)  # seconds, the video's unit of time
CODING = {"crf": "23", "preset": "veryfast"}


def annotate(frame: Frame, seen: Observation, show_faces: bool = False) -> Image:
    """Return a frame with a box around each face: uint8 (height, width, 3), RGB.

    A box says the number of the seat, above it where there is room; a solid line that the face could be read, a thin
    one that it could not. No expression stands there: what is shown of single seats is for `store.privacy` to say.

    Args:
        frame: the picture.
        seen: what was observed in it.
        show_faces: leave faces as they are; else they are blurred beyond knowing.
    """
    picture = Pictures.fromarray(frame.image)
    if not show_faces:
        for box in seen.tracks.boxes:
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


class AnnotatedVideo:
    """An MP4 of annotated frames at their own times; it stands in its place once it is complete."""

    def __init__(self, path: Path, show_faces: bool = False) -> None:
        """Begin the file under another name.

        Raises:
            OutputError: it cannot be written.
        """
        self.path, self.show_faces, self.made = path, show_faces, path.with_name(f".new-{path.name}")
        self.stream: av.VideoStream | None = None
        self.last = -1  # pts
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.container = av.open(str(self.made), "w", format="mp4")
        except (OSError, av.error.FFmpegError) as error:
            raise self._failure(error) from error

    def add(self, frame: Frame, seen: Observation) -> None:
        """Write the next frame; one of another size than the first is brought to its size, one no later is left out.

        Raises:
            OutputError: it cannot be written.
        """
        stamp = round(frame.time / TICK)
        if stamp <= self.last:  # a container may give two frames the same time, which an MP4 cannot
            return
        self.last = stamp
        height, width = (side - side % 2 for side in frame.image.shape[:2])  # H.264 wants even sizes
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(annotate(frame, seen, self.show_faces)), "rgb24")
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
