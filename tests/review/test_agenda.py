"""The parts of a lesson from tables, captions and chapters."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from roomread.errors import StructureError
from roomread.review.agenda import MAX_BYTES, read_all, read_structure, seconds_of
from roomread.types import ACTIVITY, MARKER, PAUSE, SPEECH, Part

EXAMPLE = Path(__file__).parents[2] / "examples" / "agenda.csv"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes a file from text or bytes and returns its path."""

    def write(content: str | bytes, name: str = "agenda.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def spans(path: Path) -> list[tuple[str, float, float]]:
    return [(part.name, part.start, part.end) for part in read_structure(path).parts]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1:30", 90), ("90:00", 5400), ("1:00:01.5", 3601.5), ("00:01:02,250", 62.25), (" 5 ", 5)],
)
def test_times_are_seconds_or_have_colons(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "-5", "1:75", "nan", "inf", "1e3", "12h", "1:2:3:4", "9" * 400])
def test_what_is_no_time_is_none(text: str) -> None:
    assert seconds_of(text) is None


def test_the_example_is_read() -> None:
    read = read_structure(EXAMPLE)
    assert [part.name for part in read.parts] == ["Welcome", "Lecture", "Group work", "Discussion", "Closing"]
    assert read.parts[1] == Part("Lecture", 240, 990, ACTIVITY)
    assert read.parts[-1].end == math.inf
    assert read.notes == ()


TABLES = {
    "a header": "start,end,name\n0:00,1:00,One\n1:00,2:00,Two\n",
    "other words and another order": "Title;From;To\nOne;0;60\nTwo;60;120\n",
    "a further column": "start,end,name,room\n0,60,One,a\n60,120,Two,b\n",
    "no header": "0,60,One\n60,120,Two\n",
    "tabs": "start\tend\tname\n0\t60\tOne\n60\t120\tTwo\n",
    "rows out of order and empty lines": "start,end,name\n\n1:00,2:00,Two\n,,\n0:00,1:00,One\n\n",
    "ends left out": "start,end,name\n0,,One\n60,120,Two\n",
    "Windows line ends": "start,end,name\r\n0,60,One\r\n60,120,Two\r\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=list(TABLES))
def test_a_table_is_read_in_every_form(write: Write, text: str) -> None:
    assert spans(write(text)) == [("One", 0, 60), ("Two", 60, 120)]


@pytest.mark.parametrize("text", ["start,slide\n0:00,A\n1:00,B\n", "0:00,A\n1:00,B\n"], ids=["header", "none"])
def test_slide_times_last_until_the_next_slide_and_the_last_to_the_end(write: Write, text: str) -> None:
    assert spans(write(text)) == [("A", 0, 60), ("B", 60, math.inf)]


def test_markers_are_moments(write: Write) -> None:
    parts = read_structure(write("time,name\n16:30,Bell\n2:00,Alarm\n")).parts
    assert parts == (Part("Alarm", 120, 120, MARKER), Part("Bell", 990, 990, MARKER))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_whatever_encoding_a_spreadsheet_writes(write: Write, encoding: str) -> None:
    assert spans(write("start,end,name\n0,60,Übung\n".encode(encoding))) == [("Übung", 0, 60)]


SRT = "1\n00:00:01,000 --> 00:00:04,000\nGood morning.\n\n2\n00:00:06,000 --> 00:00:09,500\nToday\n\n"
SRT += "3\n00:00:30,000 --> 00:00:33,000\nWell.\n"
VTT = "WEBVTT Kind: captions\n\nNOTE made by hand\n\n00:01.000 --> 00:04.000 align:start\n<v Ann>Good morning.\n\n"
VTT += "two\n00:06.000 --> 00:09.500\nToday\n\n00:30.000 --> 00:33.000\nWell.\n"


@pytest.mark.parametrize(("text", "name"), [(SRT, "a.srt"), (VTT, "a.vtt"), ("\ufeff" + VTT, "a.txt")])
def test_captions_become_stretches_of_speech_and_pauses_and_lose_their_words(
    write: Write, text: str, name: str
) -> None:
    parts = read_structure(write(text, name)).parts
    assert parts == (
        Part("speech", 1, 9.5, SPEECH), Part("pause", 9.5, 30, PAUSE), Part("speech", 30, 33, SPEECH),
    )  # fmt: skip


def test_long_cues_are_chapters_with_their_names(write: Write) -> None:
    text = "WEBVTT\n\n00:00.000 --> 04:00.000\n<b>Welcome</b>\nand news\n\n04:00.000 --> 16:30.000\n\n"
    assert spans(write(text, "chapters.vtt")) == [("Welcome and news", 0, 240), ("part 2", 240, 990)]


def test_parts_that_overlap_are_kept_and_told(write: Write) -> None:
    read = read_structure(write("start,end,name\n0,100,One\n50,60,Two\n70,120,Three\n120,130,Four\n"))
    assert len(read.parts) == 4
    assert read.notes == (
        "2 parts begin before an earlier one has ended (first: Two at 0:50); each is compared for itself.",
    )


def test_several_files_are_one_structure_in_the_order_of_time(write: Write) -> None:
    agenda, markers = write("0,60,One\n60,90,Two\n"), write("time,name\n30,Bell\n", "markers.csv")
    assert [part.name for part in read_all([agenda, markers]).parts] == ["One", "Bell", "Two"]
    assert read_all([agenda, markers]).notes == ()
    slides = write("start,end,name\n50,80,Slide\n", "slides.csv")
    assert read_all([slides, agenda]).notes == (
        "2 parts begin before an earlier one has ended (first: Slide at 0:50); each is compared for itself.",
    )
    assert read_all([]).parts == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("12,5;Intro\n60,0;Lecture\n", [("Intro", 12.5, 60), ("Lecture", 60, math.inf)]),
        ("0:00,Intro; welcome\n4:00,Lecture\n", [("Intro; welcome", 0, 240), ("Lecture", 240, math.inf)]),
        ("start;name\n12,5;Intro\n", [("Intro", 12.5, math.inf)]),
    ],
)
def test_what_separates_the_cells_is_seen_beside_decimal_commas(
    write: Write, text: str, named: list[tuple[str, float, float]]
) -> None:
    assert spans(write(text)) == named


WRONG = {
    "nothing": ("", "holds no part of a lesson. Expected: .* Received: none"),
    "a header alone": ("start,end,name\n", "holds no part"),
    "a header without a cue": ("WEBVTT\n\n", "holds no part"),
    "unknown columns": ("when,what\n0,One\n", r"line 1: the first row names no known columns. Expected: start,name "),
    "a column twice": ("start,start,name\n0,1,One\n", "line 1: the first row names no known columns"),
    "a time that is none": ("start,end,name\n0,60,One\nsoon,90,Two\n", "line 3: this is no time. .* Received: 'soon'"),
    "a part reversed": ("start,end,name\n60,30,One\n", "line 2: the part ends before it starts. Expected: an end"),
    "a part of no length": ("start,end,name\n60,60,One\n", "line 2: the part ends before it starts"),
    "no name": ("start,end,name\n0,60,\n", "line 2: the part has no name"),
    "a comma in a name": ("start,end,name\n0,60,One, two\n", "line 2: the row has another length. Expected: 3 cells"),
    "a quote left open": ('start,end,name\n0,60,"One\n60,90,Two\n', "this is no table. Expected: each quote closed"),
    "a cue reversed": ("1\n00:00:09,0 --> 00:00:05,0\nHm\n", "line 2: the cue ends before it starts"),
    "a cue without an end": ("WEBVTT\n\n00:09.0 -->\nHm\n", "line 3: this is no time"),
    "a video": (b"\x00\x00\x00 ftypisom\x00\xff\xfe\n\x81", "line 1: the first row names no known columns"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=list(WRONG))
def test_a_file_that_is_wrong_is_told_in_one_sentence(write: Write, content: str | bytes, message: str) -> None:
    with pytest.raises(StructureError, match=message) as told:
        read_structure(write(content))
    assert "\n" not in str(told.value)


def test_a_file_that_is_missing_or_far_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match="cannot be read"):
        read_structure(tmp_path / "absent.csv")
    with pytest.raises(StructureError, match="cannot be read"):
        read_structure(tmp_path)
    with (tmp_path / "film.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(StructureError, match="more than 10000000"):
        read_structure(tmp_path / "film.csv")
