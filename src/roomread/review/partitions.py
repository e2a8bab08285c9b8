"""The class over time of many lessons as one data set of Parquet files, one file for each lesson."""

from __future__ import annotations

import posixpath
import re
from datetime import datetime
from urllib.parse import quote

import fsspec

from roomread.engagement.mappings import Mapping
from roomread.errors import MissingExtraError, OutputError, SettingsError
from roomread.review.export import as_bytes, table_of
from roomread.store.privacy import Gate

NONE = "__HIVE_DEFAULT_PARTITION__"  # stands for a course or a day that is not known; readers make NULL of it
FILE = re.compile(r"lesson-(\d+)\.parquet")


class Partitions:
    """A folder `course=…/day=YYYY-MM-DD/lesson-N.parquet`, wherever fsspec finds one; of one store."""

    def __init__(self, address: str) -> None:
        """Find the folder, and what lies in it.

        Args:
            address: a path, or a URL such as s3://bucket/folder.

        Raises:
            MissingExtraError: the package for such a URL is not installed.
            SettingsError: there is no such kind of URL.
            OutputError: the folder cannot be used.
        """
        self.address = address
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
        except ImportError as error:
            raise MissingExtraError(f"{address} cannot be written: {error}.") from error
        except ValueError as error:
            raise SettingsError(f"{address} cannot be written: {error}. Expected: a folder or a URL of it.") from error
        try:
            self._files.makedirs(self._root, exist_ok=True)
            found = self._files.glob(f"{self._root}/course=*/day=*/lesson-*.parquet")
        except OSError as error:
            raise self._broken(error) from error
        named = ((FILE.fullmatch(posixpath.basename(path)), path) for path in found)
        self._known = {int(match[1]): path for match, path in named if match}

    def write(self, gate: Gate, mapping: Mapping, course: str | None) -> str:
        """Write a lesson's class over time in the place of what was written of it before, and return its path.

        Raises:
            OutputError: it cannot be written.
        """
        lesson = gate.lesson
        table = table_of(gate, mapping, "class")
        table.insert(0, "lesson", lesson.number)
        table.insert(1, "name", lesson.name)
        day = NONE if lesson.began is None else datetime.fromisoformat(lesson.began).date().isoformat()
        folder = f"{self._root}/course={NONE if course is None else quote(course, safe='')}/day={day}"
        path = f"{folder}/lesson-{lesson.number}.parquet"
        try:
            self._files.makedirs(folder, exist_ok=True)
            self._files.pipe_file(
                f"{path}.new", as_bytes(table, "parquet")
            )  # under a name that no reader of the data set takes
            self._files.mv(f"{path}.new", path)
            before = self._known.get(lesson.number, path)
            if before != path:
                self._files.rm_file(before)
        except OSError as error:
            raise self._broken(error) from error
        self._known[lesson.number] = path
        return path

    def _broken(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.address} cannot be written to: {error.strerror or error}. Expected: a folder or a URL with room "
            "that may be written to."
        )
