"""Files that leave: the forms of tables, and that every file is whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from roomread.errors import OutputError

TABLES = ("class", "seats")  # of a lesson that leave it: the class over time, and single readings
FORMATS = {  # of their files, with the media type of each; `review.export` writes them
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


def check_folder(folder: Path) -> None:
    """Make a folder when it is missing, and see that a file can be written there, before long work depends on it.

    Raises:
        OutputError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be written to. Expected: a folder with room that may be written to. "
            f"Received: {error.strerror or error}. Choose another folder."
        ) from error


def check_new(path: Path, why: str) -> None:
    """Refuse a name that something has already; `why` says what might be lost.

    Raises:
        OutputError: something is there.
    """
    if path.exists():
        raise OutputError(f"{path} is there already, {why}. Expected: a new name. Nothing was changed.")


def write_whole(files: dict[Path, Callable[[Path], object]]) -> None:
    """Write files under other names and move them into place once all are complete.

    Raises:
        OutputError: a folder or file cannot be written; none of the files is changed then, unless it is moving them
            into place that fails, which the text says.
    """
    # A path without a name is a folder, which is told below; a link stays one, and what it leads to is written.
    made = {path: path.resolve().with_name(f".new-{path.resolve().name}") for path in files if path.name}
    changed: list[str] = []
    try:
        for path, write in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            if path.exists() and not path.is_file():
                raise OSError(errno.EINVAL, "it is a device, a pipe or a socket, and no ordinary file", str(path))
            write(made[path])
        for path, new in made.items():
            new.replace(path.resolve())
            changed.append(path.name)
    except OSError as error:
        kept = f"{', '.join(changed)} is new already" if changed else "Nothing was changed"
        raise OutputError(
            f"{path} cannot be written. Expected: a file name in a folder with room that may be written to. "
            f"Received: {error.strerror or error}. {kept}."
        ) from error
    finally:
        for new in made.values():
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
