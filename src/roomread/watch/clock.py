"""The clock of everything that is live: nobody sets it, and it goes on while the machine sleeps."""

from __future__ import annotations

import time

# Python's own monotonic clock stands still in a sleep on Linux and macOS: a lesson would close up over it.
_RUNNING = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def now() -> float:
    """Return seconds from any beginning."""
    return time.monotonic() if _RUNNING is None else time.clock_gettime(_RUNNING)
