"""Files from outside: ordinary ones, and no larger than their kind can be."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

MOST_BYTES = 50_000_000  # of what is read whole as text; tables, captions and settings have a thousandth of it

LONGEST = 120.0  # seconds that a file is read apart; the largest data sets and networks take a few


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


def read_apart(path: Path, program: str) -> bytes:
    """Return what a program of Python prints of a file, run in a process of its own.

    For libraries that believe what a file says of itself: a damaged one ends the whole process, or is read for ever.

    Args:
        path: of an ordinary file; the program's first argument.
        program: its text.

    Raises:
        OSError: it did not come to its proper end; `strerror` says why in words.
    """
    check_ordinary(path)
    command: list[str | Path] = [sys.executable, "-W", "ignore", "-c", program, path]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=LONGEST)
    except subprocess.TimeoutExpired as error:
        raise OSError(errno.EIO, f"it could not be read within {LONGEST:.0f} s", str(path)) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(errno.EIO, said[-1] if said else "it is damaged", str(path)) from error
    return done.stdout


def shown(path: Path) -> str:
    """Return a file's name as it can be shown and kept, see `printable`; that of `.` and `..` is their folder's."""
    named = path.resolve() if path.name in ("", "..") else path
    return printable(named.name or str(path))


def printable(text: str) -> str:
    """Return a text as it can be shown and kept: in one line, with a sign for what is no letter."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
