"""Where uploaded recordings lie until they are analysed: a private folder, files named by numbers alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from platformdirs import user_data_path

from roomread.errors import SettingsError, SourceError, StoreError
from roomread.watch.frames import FrameSettings, open_source

LARGEST = 20 * 1000**3  # bytes of one recording; a long lesson in the best quality of a phone has about 10
LEFT_FREE = 1000**3  # bytes that an upload leaves on the disk, for the store and for everybody else
MOST_AT_ONCE = 8  # recordings that come in at a time; a page sends one after the other
LOCK, COMING = "lock", "in-"  # a file, and how the names of those begin that are coming in


class TooLargeError(SettingsError):
    """A recording is larger than what may come, or than the disk has room for."""


class TooManyError(SettingsError):
    """More recordings come in, or wait, than may."""


class Spool:
    """The folder of one store's recordings. One process at a time owns it; the right ends with the process.

    key: what tells it from the folders of other machines on the same store; known once it is owned. A store that is a
    file has one folder, whose key is empty.
    """

    def __init__(self, folder: Path, shared: bool = False) -> None:
        """Hold a folder.

        Args:
            folder: made when it is first owned.
            shared: other machines work on the same store.
        """
        self.folder, self.shared = folder, shared
        self.key = ""
        self._owned: sqlite3.Connection | None = None

    def own(self) -> bool:
        """Try to own the folder, and tell whether this process does; the folder is made when it is missing.

        Raises:
            StoreError: it cannot be made, or holds files that roomread did not put there.
        """
        if self._owned is not None:
            return True
        try:
            if self.folder.is_dir() and not (self.folder / LOCK).exists() and any(self.folder.iterdir()):
                raise StoreError(
                    f"The folder {self.folder} is where recordings would wait, and holds other files. Expected: none, "
                    "or a folder that roomread made. Rename it, or the store. Nothing was changed."
                )
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise StoreError(
                f"The folder {self.folder} for recordings cannot be made: {error.strerror}. Use --db FILE."
            ) from error
        # SQLite's lock of a file is the one that every system has, and that a killed process loses
        held = sqlite3.connect(self.folder / LOCK, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            held.execute("PRAGMA journal_mode=MEMORY")  # no second file
            if self.shared:
                self.key = _key(held)
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            held.close()
            return False
        self._owned = held
        return True

    def release(self) -> None:
        """Let another process own the folder."""
        if self._owned is not None:
            self._owned.close()
            self._owned = None

    def file(self, number: int) -> Path:
        """Return where the recording of that number lies."""
        return self.folder / str(number)

    def room(self) -> int:
        """Return how many bytes may come now."""
        place = self.folder if self.folder.exists() else self.folder.parent
        return max(0, min(LARGEST, shutil.disk_usage(place).free - LEFT_FREE))

    def sweep(self, keep: Collection[int]) -> set[int]:
        """Delete the recordings but those of the numbers to keep, and return the numbers that have no file."""
        names = {str(number) for number in keep}
        for path in self.folder.iterdir():
            made_here = path.name.isdigit() or path.name.startswith(COMING)
            if made_here and path.name not in names:
                with contextlib.suppress(OSError):
                    path.unlink()
        return {number for number in keep if not self.file(number).is_file()}


class Upload:
    """A file that is coming in. Leaving its `with` block deletes it, unless it was moved to its place."""

    def __init__(self, spool: Spool) -> None:
        """Begin a file that nobody else may read.

        Raises:
            TooManyError: too many others are coming in.
        """
        if sum(path.name.startswith(COMING) for path in spool.folder.iterdir()) >= MOST_AT_ONCE:
            raise TooManyError(
                f"Too many recordings are coming in. Expected: at most {MOST_AT_ONCE} at a time. Wait for one to end."
            )
        self._spool = spool
        handle, name = tempfile.mkstemp(prefix=COMING, dir=spool.folder)
        self.path, self.size = Path(name), 0
        self._file = os.fdopen(handle, "wb")

    def write(self, piece: bytes) -> None:
        """Take what has come.

        Raises:
            TooLargeError: it is too much.
            StoreError: it cannot be written.
        """
        check_size(self._spool, self.size, len(piece))
        try:
            self._file.write(piece)
        except OSError as error:
            raise StoreError(f"The recording cannot be written: {error.strerror}. Nothing was kept.") from error
        self.size += len(piece)

    def check(self, name: str) -> float | None:
        """Close the file, see that it is a video, and return its seconds, None where it does not say.

        Raises:
            SourceError: it is none.
        """
        self._file.close()
        try:
            source = open_source(self.path, FrameSettings(fps=1.0))
            if next(iter(source.frames()), None) is None:
                raise SourceError(f"{name} holds no frame that could be read. Expected: a video. Nothing was kept.")
        except SourceError as error:
            raise SourceError(str(error).replace(str(self.path), name)) from error
        return source.length

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def spool_of(name: str, file: Path | None) -> Spool:
    """Return the spool of a store: beside its file, or in the folder for a user's data.

    Args:
        name: of the store.
        file: of the store; None: it is a database that other machines may share.
    """
    if file is not None:
        return Spool(file.with_name(f"{file.name}-recordings"))  # with its ending: two stores may share a stem
    sign = hashlib.sha256(name.encode()).hexdigest()[:12]
    return Spool(user_data_path("roomread", appauthor=False) / f"recordings-{sign}", shared=True)


def _key(held: sqlite3.Connection) -> str:
    """Return the key that a folder's lock keeps, made at random by whoever owns the folder first."""
    held.execute("BEGIN EXCLUSIVE")
    held.execute("CREATE TABLE IF NOT EXISTS spool (key TEXT)")
    if held.execute("SELECT key FROM spool").fetchone() is None:
        held.execute("INSERT INTO spool VALUES (?)", (secrets.token_hex(8),))
    (key,) = held.execute("SELECT key FROM spool").fetchone()
    held.execute("COMMIT")
    return str(key)


def check_size(spool: Spool, had: int, more: int) -> None:
    """Refuse bytes that may not come.

    Args:
        spool: where they would lie.
        had: bytes that are there already.
        more: bytes to come.

    Raises:
        TooLargeError: there are too many.
    """
    room = spool.room()
    if had + more > LARGEST or more > room:
        raise TooLargeError(
            f"The recording is too large. Expected: at most {min(LARGEST, had + room) / 1e9:.1f} GB, so that "
            f"{LEFT_FREE / 1e9:.0f} GB stay free on the disk and no file has more than {LARGEST / 1e9:.0f} GB. "
            f"Received: {(had + more) / 1e9:.1f} GB or more. Nothing was kept."
        )
