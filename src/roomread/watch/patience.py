"""How a stream says that it gives nothing more, and how long it may be silent."""

from __future__ import annotations

import time

MOST_BYTES = 64 * 1024 * 1024  # between two pictures; a raw one of 4096 x 4096 pixels has 48 MB


class BrokenError(Exception):
    """A stream could not be opened, or gave out. Its text is a phrase for the user, and holds no address."""


class Patience:
    """Ends when what comes makes no picture for too long.

    limit: seconds without a picture that are allowed now. silence: seconds without a single byte.
    """

    def __init__(self, opening: float, stall: float) -> None:
        self.limit, self.silence = opening, min(opening, stall)
        self._stall, self._opened = stall, False
        self._since, self._bytes = time.monotonic(), 0

    @property
    def words(self) -> str:
        """What is to be said when it ends."""
        return f"{'no picture' if self._opened else 'no answer'} for {self.limit:g} s"

    @property
    def fresh(self) -> bool:
        """Whether there was a picture within the last second, or less where less is allowed."""
        return self._opened and time.monotonic() - self._since < min(1.0, self.limit / 2)

    def renew(self) -> None:
        """Begin anew, as the stream was opened or has given a picture."""
        self.limit, self._opened = self._stall, True
        self._since, self._bytes = time.monotonic(), 0

    def check(self, n_bytes: int = 0) -> None:
        """Take note of bytes that have come; raise BrokenError when there are too many, or it is too late."""
        self._bytes += n_bytes
        if self._bytes > MOST_BYTES:
            raise BrokenError(f"{MOST_BYTES // 1024**2} MB without a picture in them")
        if time.monotonic() - self._since > self.limit:
            raise BrokenError(self.words)
