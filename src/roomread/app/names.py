"""The names that somebody gives: of lessons, their parts, and recordings; and files' names without their folders."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path, PurePosixPath

from roomread.errors import SettingsError

LONGEST_NAME = 200  # letters


def check_name(what: str, name: str) -> None:
    """Refuse a name that is empty or too long for a page.

    Raises:
        SettingsError: it is.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise SettingsError(
            f"{what} cannot be used. Expected: 1 to {LONGEST_NAME} letters on one line. Received: {name[:80]!r}."
        )


def file_name(text: str) -> str:
    """Return a file's name without its folders, of printable letters, at most LONGEST_NAME; only ever shown.

    Raises:
        SettingsError: nothing is left.
    """
    last = unicodedata.normalize("NFC", text).replace("\\", "/").rstrip("/").rpartition("/")[2]
    clean = "".join(letter for letter in last if letter.isprintable()).strip()
    if not clean.strip("."):
        raise SettingsError("The recording has no name. Expected: the name of a file, such as Tuesday.mp4.")
    stem, ending = PurePosixPath(clean).stem, PurePosixPath(clean).suffix[:10]
    return stem[: LONGEST_NAME - len(ending)] + ending


def lesson_name(name: str) -> str:
    """Return what the lesson of a recording is called: the file's name without its ending."""
    return PurePosixPath(name).stem.strip()


def without_folders(text: str, *paths: Path | None) -> str:
    """Return a text that names files of this machine without the folders in which they lie.

    Args:
        text: such as the words of an error.
        paths: of the files; None, and one that is not absolute, has no folder to hide, nor has one in the root.
    """
    for path in paths:
        if path is None or not path.is_absolute() or path.parent == path.parent.parent:
            continue
        folder, name = rf"(?<!\w){re.escape(str(path.parent))}", path.parent.name.replace("\\", r"\\")
        text = re.sub(folder + re.escape(os.sep), "", text)
        text = re.sub(rf"{folder}(?!\w)", name, text)
    return text
