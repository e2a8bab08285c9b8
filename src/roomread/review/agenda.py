"""What a lesson was made of, from a file: agendas and slide times, captions, chapters, markers."""

from __future__ import annotations

import bisect
import csv
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from roomread import style
from roomread.errors import StructureError
from roomread.outside import check_ordinary
from roomread.types import ACTIVITY, MARKER, PAUSE, SPEECH, Part

MAX_BYTES = 10_000_000  # an hour of captions has 100 thousand; a video that was named by mistake has far more
PAUSE_SECONDS = 10.0  # silence that ends a stretch of speech; shorter: every look at the notes cuts the lesson
CHAPTER_SECONDS = 20.0  # captions stay for at most about 7 seconds; cues usually longer than this name parts

TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,6}):(?=[0-5]?\d(?!\d)))?(\d{1,9}(?:[.,]\d+)?)")
COLUMNS = {  # what the head of a table may call a column
    "start": "start", "from": "start", "begin": "start", "end": "end", "to": "end", "time": "time",
    "name": "name", "title": "name", "activity": "name", "slide": "name", "event": "name", "label": "name",
}  # fmt: skip
EXPECTED = "start,name or start,end,name (an agenda, slides), or time,name (markers)"
TIME_FORMS = "seconds, m:ss or h:mm:ss from the start of the recording"


@dataclass(frozen=True, slots=True)
class Structure:
    """The parts of a lesson in the order of their times."""

    parts: tuple[Part, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the parts, in words."""
        return tuple(_overlaps(self.parts))


def read_structure(path: str | Path) -> Structure:
    """Read the parts of a lesson from a table (CSV), WebVTT or SRT; the content decides which it is.

    Args:
        path: UTF-8, UTF-16 with a mark, or else read as Western European.

    Raises:
        StructureError: the file cannot be read as any of them; the message names the line.
    """
    path = Path(path)
    return parse_structure(_text(path), str(path))


def parse_structure(text: str, name: str) -> Structure:
    """Return the parts of a lesson from what such a file says.

    Args:
        text: of the file.
        name: what messages call it; nothing is read from there.

    Raises:
        StructureError: the text cannot be read as any of them; the message names the line.
    """
    lines = text.splitlines()
    cues = any("-->" in line for line in lines) or (lines and lines[0].startswith("WEBVTT"))
    parts = _parts_of_cues(list(_cues(name, lines))) if cues else list(_rows(name, lines))
    if not parts:
        raise StructureError(f"{name} holds no part of a lesson. Expected: cues, or rows {EXPECTED}. Received: none.")
    parts.sort(key=lambda part: (part.start, part.end))
    return Structure(tuple(parts))


def read_all(paths: Sequence[str | Path]) -> Structure:
    """Read several files as one structure.

    Raises:
        StructureError: one of them cannot be read.
    """
    parts = (part for path in paths for part in read_structure(path).parts)
    return Structure(tuple(sorted(parts, key=lambda part: (part.start, part.end))))


def seconds_of(text: str) -> float | None:
    """Return seconds from seconds, m:ss or h:mm:ss; None where the text is no such time."""
    found = TIME.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, rest = found.groups()
    return 3600 * float(hours or 0) + 60 * float(minutes or 0) + float(rest.replace(",", "."))


def _text(path: Path) -> str:
    try:
        check_ordinary(path, MAX_BYTES)
        data = path.read_bytes()
    except OSError as error:
        raise StructureError(
            f"{path} cannot be read. Expected: a table (CSV), WebVTT or SRT. Received: {error.strerror}."
        ) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _wrong(name: str, line: int, what: str, expected: str, received: object) -> StructureError:
    return StructureError(f"{name}, line {line}: {what}. Expected: {expected}. Received: {received}.")


def _time(name: str, line: int, text: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise _wrong(name, line, "this is no time", TIME_FORMS, repr(text[:40]))
    return seconds


def _rows(name: str, lines: list[str]) -> Iterator[Part]:
    """Yield the parts of a table; the columns are named in its first line, or seen from that line's own times."""
    columns: list[str] = []
    rows: list[tuple[int, dict[str, str]]] = []
    for line, cells in _cells(name, lines):
        if not columns:
            columns = _columns(name, line, cells)
            if seconds_of(cells[0]) is None:
                continue
        if len(cells) != len(columns):
            many = f"{len(cells)}; a name that holds the separator stands in quotes"
            raise _wrong(name, line, "the row has another length", f"{len(columns)} cells", many)
        rows.append((line, dict(zip(columns, cells, strict=True))))
    starts = [_time(name, line, row.get("start", row.get("time", ""))) for line, row in rows]
    order = [*sorted(starts), math.inf]
    for (line, row), start in zip(rows, starts, strict=True):
        if not row["name"]:
            raise _wrong(name, line, "the part has no name", "a name", "an empty cell")
        if "time" in row:
            yield Part(row["name"], start, start, MARKER)
            continue
        later = order[bisect.bisect_right(order, start, hi=len(starts))]
        end = _time(name, line, row["end"]) if row.get("end") else later
        if end <= start:
            raise _wrong(name, line, "the part ends before it starts", f"an end after {start:g} s", f"{end:g} s")
        yield Part(row["name"], start, end, ACTIVITY)


def _cells(name: str, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row that is not empty; the separator is the first row's commonest.

    Of two that tie, the one behind a time or a head: 12,5;Welcome.
    """
    first = next((line for line in lines if line.strip()), "")

    def fits(separator: str) -> tuple[int, bool]:
        cell = first.split(separator)[0].strip()
        return first.count(separator), seconds_of(cell) is not None or cell.lower() in COLUMNS

    reader = csv.reader(lines, delimiter=max("\t;,", key=fits), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise _wrong(name, reader.line_num, "this is no table", "each quote closed", error) from error


def _columns(name: str, line: int, row: list[str]) -> list[str]:
    """Return what each column of a table is."""
    if seconds_of(row[0]) is not None:
        return ["start", "end", "name"] if len(row) > 2 else ["start", "name"]
    columns = [COLUMNS.get(cell.lower(), "") for cell in row]
    known = sorted(name for name in columns if name)
    if known not in (["name", "start"], ["end", "name", "start"], ["name", "time"]):
        raise _wrong(name, line, "the first row names no known columns", EXPECTED, ",".join(row)[:80])
    return columns


def _cues(name: str, lines: list[str]) -> Iterator[Part]:
    """Yield every cue of WebVTT or SRT with its text as the name."""
    for number, line in enumerate(lines, 1):
        if "-->" not in line:
            continue
        left, _, right = line.partition("-->")
        start, end = _time(name, number, left), _time(name, number, (right.split() or [""])[0])
        if end < start:
            raise _wrong(name, number, "the cue ends before it starts", f"an end after {start:g} s", f"{end:g} s")
        words = []
        for text in map(lines.__getitem__, range(number, len(lines))):
            if not text.strip() or "-->" in text:
                break
            words.append(re.sub(r"<[^>]*>", "", text).strip())
        yield Part(" ".join(words), start, end, ACTIVITY)


def _parts_of_cues(cues: list[Part]) -> list[Part]:
    """Return chapters as named parts, and captions as stretches of speech and the pauses between them."""
    lengths = sorted(cue.end - cue.start for cue in cues)
    if lengths and lengths[len(lengths) // 2] >= CHAPTER_SECONDS:
        return [Part(cue.name or f"part {n}", cue.start, cue.end, ACTIVITY) for n, cue in enumerate(cues, 1)]
    stretches: list[list[float]] = []
    for cue in sorted((cue for cue in cues if cue.end > cue.start), key=lambda cue: cue.start):
        if stretches and cue.start - stretches[-1][1] < PAUSE_SECONDS:
            stretches[-1][1] = max(stretches[-1][1], cue.end)
        else:
            stretches.append([cue.start, cue.end])
    speech = [Part(SPEECH, start, end, SPEECH) for start, end in stretches]
    return speech + [Part(PAUSE, one.end, other.start, PAUSE) for one, other in itertools.pairwise(speech)]


def _overlaps(parts: Sequence[Part]) -> Iterator[str]:
    """Yield a sentence where parts begin before an earlier one has ended."""
    spans = [part for part in parts if part.kind != MARKER]
    reached, found = -math.inf, []
    for part in spans:
        if part.start < reached:
            found.append(part)
        reached = max(reached, part.end)
    if found:
        many = "One part begins" if len(found) == 1 else f"{len(found)} parts begin"
        first = f"{found[0].name} at {style.clock(found[0].start)}"
        yield f"{many} before an earlier one has ended (first: {first}); each is compared for itself."
