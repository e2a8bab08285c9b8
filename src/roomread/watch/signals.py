"""Which seats' faces are read for signals in a frame, and what was read of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from roomread.types import N_SIGNALS, NO_SEAT, Array, Image, check_shape

GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples fall evenly between 0 and 1, however many there are


class HeadSource(Protocol):
    """Anything that reads signals from faces."""

    def read(self, image: Image, boxes: Array, points: Array) -> Array:
        """Return float32 (n, 11) as `HeadReader.read` does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSettings:
    """How often each seat is read."""

    rate: float = 2.0  # times a second of the video, at most once in a frame; 0 reads none. A reading costs about as
    # much as finding all faces of a small frame; 10 and more are needed to see single blinks

    def __post_init__(self) -> None:
        if not self.rate >= 0 or not math.isfinite(self.rate):
            raise ValueError(f"rate must be a number from 0 on. Received: {self.rate}.")


class SignalReader:
    """Read each seat at its own moments, so that after its first sight every frame has about as many faces to read."""

    def __init__(self, source: HeadSource, settings: SignalSettings | None = None) -> None:
        self.source = source
        self.settings = SignalSettings() if settings is None else settings
        self._turns: dict[int, int] = {}  # of each seat: the last turn that it used

    def read(self, image: Image, boxes: Array, points: Array, due: Array) -> Array:
        """Return the signals of the faces of one frame; several threads may do so at once.

        Args:
            image: uint8 (height, width, 3), RGB.
            boxes: float32 (n, 4), pixels, (left, top, right, bottom).
            points: float32 (n, 5, 2), pixels, as in `Detections`.
            due: bool (n,), which are to be read, from `due`.

        Returns:
            float32 (n, 11), in the order of SIGNALS; NaN where something is missing or was not to be read.
        """
        check_shape("points", points, (len(boxes), 5, 2))
        signals = np.full((len(boxes), N_SIGNALS), np.nan, np.float32)
        if due.any():
            signals[due] = self.source.read(image, boxes[due], points[due])
        return signals

    def due(self, seats: Array, time: float) -> Array:
        """Return which of a frame's faces are to be read now, and take note that they are: bool (n,).

        A seat's turns begin `1 / rate` apart, at a moment of its own. It is read in the first frame of each turn in
        which it is seen, so at first sight too.

        Args:
            seats: int64 (n,).
            time: seconds; must not run backwards.
        """
        due = np.zeros(len(seats), bool)
        for row, seat in enumerate(seats.tolist()):
            if seat == NO_SEAT:
                continue
            turn = math.floor(time * self.settings.rate + seat * GOLDEN % 1 + 1e-9)  # times are rounded
            due[row] = self.settings.rate > 0 and turn > self._turns.get(seat, -1)
            self._turns[seat] = turn
        return due
