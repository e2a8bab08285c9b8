"""Frames that somebody else sends: a page in a browser, another program."""

from __future__ import annotations

import io
import math
from functools import partial

import numpy as np
from PIL import Image as Pictures

from roomread.errors import SourceError
from roomread.pictures import REFUSED, pixels_of
from roomread.types import Image
from roomread.watch.livesource import LiveSettings, LiveSource
from roomread.watch.slot import Make

FORMS = ("JPEG",)  # a page should reach no other decoder than the one it needs
LONGEST_SIDE = 4096  # pixels; more than any camera that a page can reach, and no more than 50 MB once decoded
MOST_BYTES = 16 * 1024 * 1024  # of one picture as it is sent; a camera's largest has about a fifth of it


class PushSource(LiveSource):
    """Frames that are pushed from other threads; the newest wins here too."""

    def __init__(self, name: str = "page", settings: LiveSettings | None = None) -> None:
        super().__init__(name, LiveSettings() if settings is None else settings)
        self._timed: bool | None = None

    def push(self, picture: bytes | Image, time: float | None = None) -> None:
        """Hand over a picture; never waits. A JPEG is looked through now and decoded only if it is delivered.

        Args:
            picture: a JPEG file's bytes, or uint8 (height, width, 3), RGB, which is copied.
            time: seconds by the sender's own clock, from any beginning; None takes the moment of the call. One that
                is not later than the newest is dropped and counted.

        Raises:
            SourceError: it is no picture, or too large, or the source is closed.
            ValueError: a time that is no number, or times with some pictures and none with others.
        """
        make, size = _jpeg(picture) if isinstance(picture, bytes) else _array(picture)
        if time is not None and not math.isfinite(time):
            raise ValueError(f"time must be a number of seconds. Received: {time}.")
        with self._lock:
            if self._slot.ended:
                raise SourceError(
                    f"{self.name} is closed and takes no more pictures. Start to watch again to send some."
                )
            if self._timed not in (None, time is not None):
                raise ValueError("Either every picture comes with its time, or none does. Received: both.")
            self._timed = time is not None
            self._arrive(make, size, time)


def _jpeg(data: bytes) -> tuple[Make, tuple[int, int]]:
    """Return what decodes the file, and its width and height as its head states them."""
    if len(data) > MOST_BYTES:
        raise SourceError(
            f"A pushed picture is too large. Expected: at most {MOST_BYTES // 1024**2} MB. "
            f"Received: {len(data) / 1024**2:.1f} MB. Send it smaller, or with a lower quality."
        )
    try:
        with Pictures.open(io.BytesIO(data), formats=FORMS) as picture:
            size = picture.size
    except REFUSED:
        raise SourceError(
            f"A pushed picture cannot be read. Expected: a JPEG. Received: {len(data)} other bytes."
        ) from None
    _check_size(*size)
    return partial(_decoded, data), size


def _decoded(data: bytes) -> Image:
    """Return uint8 (height, width, 3), RGB, turned upright as the file notes."""
    try:
        return pixels_of(data, "RGB", FORMS)
    except REFUSED as error:
        raise SourceError(f"A pushed picture is damaged: {error}.") from error


def _array(picture: Image) -> tuple[Make, tuple[int, int]]:
    """Return what gives a copy of the array, and its width and height."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise SourceError(
            "A pushed array is no picture. Expected: uint8 (height, width, 3), RGB. "
            f"Received: {picture.dtype} {picture.shape}."
        )
    size = (picture.shape[1], picture.shape[0])
    _check_size(*size)
    mine = picture.copy()
    return lambda: mine, size


def _check_size(width: int, height: int) -> None:
    if max(width, height) > LONGEST_SIDE:
        raise SourceError(
            f"A pushed picture is too large. Expected: at most {LONGEST_SIDE} x {LONGEST_SIDE} pixels. "
            f"Received: {width} x {height}. Send it smaller."
        )
