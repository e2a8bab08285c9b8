"""What a batch is to look at: the recordings of a folder, a pattern or a list; and what tells one from another."""

from __future__ import annotations

import csv
import dataclasses
import glob
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomread.app.analyze import AnalyzeSettings, parse_moment, plain_settings
from roomread.app.names import check_name
from roomread.errors import SettingsError, SourceError
from roomread.outside import read_text
from roomread.pictures import is_picture

VIDEOS = (
    *(".3gp", ".asf", ".avi", ".dv", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
    *(".mpg", ".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv"),
)
LISTS = (".csv", ".tsv", ".txt")
COLUMNS = ("path", "name", "course", "began")
SAMPLES, SAMPLE = 16, 65536  # of a file's content, and how many bytes each has
WITHOUT = ("threads", "device")  # settings that do not change what is measured


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording of a batch; `name`, `course` and `began` are None where nothing was said."""

    path: Path
    name: str | None = None
    course: str | None = None
    began: str | None = None


def find_entries(sources: Sequence[str | Path], course: str | None = None) -> list[Entry]:
    """Return the recordings that are named, each once.

    Args:
        sources: of each one a folder (the videos in it and in its folders, in the order of their paths), a pattern
            such as `2026/*.mp4` (what fits it, in that order too), a list (CSV or text, see `read_list`), or a video.
        course: of all that no list gives another one.

    Raises:
        SettingsError: a list cannot be read.
        SourceError: there is nothing of that name, or nothing in it.
    """
    found = [entry for source in sources for entry in _entries(str(source))]
    each = {os.path.abspath(entry.path): entry for entry in reversed(found)}
    return [dataclasses.replace(one, course=one.course or course) for one in reversed(each.values())]


def _entries(source: str) -> list[Entry]:
    path = Path(source)
    if path.is_file() and path.suffix.lower() in LISTS:
        return read_list(path)
    if path.is_file():
        return [Entry(path)]
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix.lower() in VIDEOS and _shown(each, path))
    else:
        files = [Path(each) for each in sorted(glob.glob(source, recursive=True))]
    if not files:
        raise SourceError(
            f"There is no recording at {source}. Expected: a folder with videos, a pattern that fits some, a list "
            "(.csv or .txt) of them, or a video."
        )
    return [Entry(each) for each in files]


def _shown(path: Path, folder: Path) -> bool:
    """Return whether a path below a folder is a file, and nothing on the way to it is hidden."""
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def read_list(path: Path) -> list[Entry]:
    """Return the recordings of a list; their paths are relative to the list's folder.

    A table's first row names its columns: path, and as wanted name, course and began. Else each line is a path.

    Raises:
        SettingsError: the file cannot be read, or a row does not fit.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The list {path} cannot be read: {error}.") from error
    entries = []
    try:
        for number, row in _rows(path, lines):
            said = {name: (row.get(name) or "").strip() or None for name in COLUMNS}
            if said["path"] is None:
                raise ValueError(f"Line {number} names no path.")
            for column in ("name", "course"):
                if (given := said[column]) is not None:
                    check_name(f"The {column} in line {number} of the list {path}", given)
            entries.append(Entry(path.parent / said["path"], said["name"], said["course"], parse_moment(said["began"])))
    except (ValueError, csv.Error) as error:
        raise SettingsError(f"The list {path} cannot be used: {error}") from error
    if not entries:
        raise SettingsError(f"The list {path} names no recording. Expected: a path in each row.")
    return entries


def _rows(path: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each row and its cells by their columns."""
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    columns = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
    if "path" not in columns:
        if path.suffix.lower() != ".txt":
            raise ValueError(f"its first row names no column `path`. Expected: {', '.join(COLUMNS)}. Received: {first}")
        yield from ((number, {"path": line}) for number, line in enumerate(lines, 1) if line.strip())
        return
    if unknown := set(columns) - set(COLUMNS):
        raise ValueError(f"there is no column {min(unknown)!r}. Expected: {', '.join(COLUMNS)}.")
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    next(row for row in rows if any(row))
    for cells in rows:
        if len(cells) > len(columns):
            raise ValueError(
                f"line {rows.line_num} has more cells than columns. A cell with a {delimiter!r} needs quotes."
            )
        if any(cell.strip() for cell in cells):
            yield rows.line_num, dict(zip(columns, cells, strict=False))


def key_of(path: Path, settings: AnalyzeSettings, made_with: dict[str, Any], why: Sequence[str | None]) -> str:
    """Return what tells a recording with its settings from every other: as long as it is the same, so is the lesson.

    Made of the sizes and of samples of the content, wherever the file lies and whatever it is called, of every setting
    that changes what is measured, and of the networks' hashes.

    Args:
        path: of the recording, or of a folder of pictures.
        settings: how it is analysed.
        made_with: see `Observer.made_with`.
        why: the purpose, and the reference.

    Raises:
        SourceError: it cannot be read.
    """
    plain = {name: value for name, value in plain_settings(settings).items() if name not in WITHOUT}
    networks = {name: made["sha256"] for name, made in made_with.items() if isinstance(made, dict) and "sha256" in made}
    content = hashlib.sha256(json.dumps([plain, networks, *why], sort_keys=True).encode())
    try:
        for file in sorted(each for each in path.iterdir() if is_picture(each)) if path.is_dir() else [path]:
            with file.open("rb") as opened:
                size = opened.seek(0, os.SEEK_END)
                content.update(f"{size} ".encode())
                for place in range(SAMPLES):
                    opened.seek(max(size - SAMPLE, 0) * place // (SAMPLES - 1))
                    content.update(opened.read(SAMPLE))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}. Expected: a video.") from error
    return content.hexdigest()
