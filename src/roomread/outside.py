"""Files from outside: ordinary ones, and no larger than their kind can be."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 50_000_000  # of what is read whole as text; tables, captions and settings have a thousandth of it


def check_ordinary(path: Path, most: float = float("inf")) -> None:
    """Refuse what reading might never come to an end of: devices, pipes, sockets; links are followed.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        OSError: it is none, is not there, or is too large; its `strerror` says so in words.
    """
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "it is a device, a pipe or a socket, and no ordinary file", str(path))
    if about.st_size > most:
        raise OSError(errno.EFBIG, f"it has {about.st_size} bytes, more than {most:.0f}", str(path))


def read_text(path: Path, most: float = MOST_BYTES) -> str:
    """Return what a file in UTF-8 says, with or without a mark at its beginning.

    Raises:
        OSError: it cannot be read, see `check_ordinary`.
        UnicodeDecodeError: it is no text in UTF-8.
    """
    check_ordinary(path, most)
    return path.read_text(encoding="utf-8-sig")


def shown(path: Path) -> str:
    """Return a file's name as it can be shown and kept: in one line, with a sign for what is no letter."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in path.name or str(path))
