"""What observers said of glances, from every form it comes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from roomread.errors import CodesError
from roomread.review.codes import Codes, parse_words, read_codes
from roomread.types import WHOLE_CLASS

Write = Callable[..., Path]

BORIS_HEAD = (
    "Observation id,Observation date,Description,Media file,Total length,FPS,Subject,Behavior,Behavioral category,"
    "Modifiers,Behavior type,Start (s),Stop (s),Duration (s),Comment start,Comment stop"
)
TABLE_HEAD = "start,end,seat,observer,level"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes lines as a file and returns its path."""

    def write(*lines: str, name: str = "codes.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return write


def rows(codes: Codes) -> list[tuple[object, ...]]:
    columns = (codes.starts, codes.ends, codes.seats, codes.observers, codes.levels)
    return list(zip(*(column.tolist() for column in columns), strict=True))


TWO_GLANCES = [(0.0, 20.0, 3, "Anna", 2), (20.0, 40.0, 12, "Anna", 0)]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((TABLE_HEAD, "0,20,3,Anna,2", "20,40,12,Anna,0"), id="table"),
        pytest.param(("Time,Duration,Seat,Observer,Level,note", "0,20,seat 3,Anna,2,", "20,20,12,Anna,0,x"), id="time"),
        pytest.param(("\ufeffstart;end;seat;observer;level", "0,0;20,0;3;Anna;2", "0:20;0:40;12;Anna;0.0"), id="excel"),
        pytest.param((TABLE_HEAD, "0,20,3,Anna,2", ",,,,", "20,40,12,Anna,0", "40,60,3,,"), id="rows without a level"),
        pytest.param(
            (
                "seat 3 (Anna)\t\t00:00:00.000\t00:00:20.000\t00:00:20.000\t2",
                "seat 12 (Anna)\t\t00:00:20.000\t00:00:40.000\t00:00:20.000\t0",
            ),
            id="ELAN, hh:mm:ss.ms",
        ),
        pytest.param(
            (
                '"#file:///C:/class.eaf -- offset: 0"',
                "Tier\tBegin Time - ss.msec\tEnd Time - ss.msec\tDuration - ss.msec\tValue",
                "seat 3 (Anna)\t0.0\t20.0\t20.0\t2",
                "seat 12 (Anna)\t20.0\t40.0\t20.0\t0",
            ),
            id="ELAN, seconds, with a head",
        ),
        pytest.param(
            (
                "seat 3 (Anna)\tx\t00:00:00.000\t0.0\t00:00:20.000\t20.0\t00:00:20.000\t20.0\t2",
                "seat 12 (Anna)\tx\t00:00:20.000\t20.0\t00:00:40.000\t40.0\t00:00:20.000\t20.0\t0",
            ),
            id="ELAN, times in two ways",
        ),
        pytest.param(
            (
                BORIS_HEAD,
                "Anna,2026-03-12,,c.mp4,600,25,seat 3,2,,,STATE,0.000,20.000,20.0,,",
                "Anna,2026-03-12,,c.mp4,600,25,seat 12,0,,,STATE,20.000,40.000,20.0,,",
            ),
            id="BORIS",
        ),
    ],
)
def test_every_form_says_the_same(write: Write, lines: tuple[str, ...]) -> None:
    assert rows(read_codes([write(*lines)])) == TWO_GLANCES


def test_boris_takes_tabs_and_a_variable_for_the_observer(write: Write) -> None:
    head = "Observation id\tObserver\tSubject\tBehavior\tStart (s)\tStop (s)"
    path = write(head, "Monday\tBen\tclass\tHigh\t0\t20", name="events.tsv")
    assert rows(read_codes([path], {"high": 1})) == [(0.0, 20.0, WHOLE_CLASS, "Ben", 1)]


def test_files_of_several_observers_are_read_together(write: Write) -> None:
    one = write(TABLE_HEAD, "0,20,3,Anna,2", name="anna.csv")
    other = write(TABLE_HEAD, "0,20,3,Ben,1", name="ben.csv")
    assert [row[3:] for row in rows(read_codes([one, other]))] == [("Anna", 2), ("Ben", 1)]


def test_words_stand_for_levels(write: Write) -> None:
    path = write(TABLE_HEAD, "0,20,class,Anna,Off task", "20,40,class,Anna,on task")
    assert read_codes([path], parse_words("off task=0,On task=1")).levels.tolist() == [0, 1]


@pytest.mark.parametrize("text", ["low", "low=", "=1", "low=x", "low=0,,high=1", "low=-1", "low=99"])
def test_words_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(CodesError, match="words of the levels cannot be read"):
        parse_words(text)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x,20,3,Anna,2", "the start cannot be read"),
        ("-5,20,3,Anna,2", "the start cannot be read"),
        ("nan,20,3,Anna,2", "the start cannot be read"),
        ("0,,3,Anna,2", "the end cannot be read"),
        ("0,1:2:3:4,3,Anna,2", "the end cannot be read"),
        ("20,20,3,Anna,2", "takes no time"),
        ("0,20,0,Anna,2", "this is no seat"),
        ("0,20,left,Anna,2", "this is no seat"),
        ("0,20,,Anna,2", "this is no seat"),
        ("0,20,3,,2", "nobody is named"),
        ("0,20,3,Anna,1.5", "this is no level"),
        ("0,20,3,Anna,-1", "this is no level"),
        ("0,20,3,Anna,high", "this is no level"),
        ("0,20,3,Anna,200", "this is no level"),
    ],
)
def test_a_row_that_cannot_be_is_named(write: Write, row: str, words: str) -> None:
    with pytest.raises(CodesError, match=rf"codes.csv, row 3: .*{words}.*Received: ."):
        read_codes([write(TABLE_HEAD, "0,20,3,Anna,2", row)])


def test_a_word_that_no_level_was_given_is_refused(write: Write) -> None:
    with pytest.raises(CodesError, match=r"row 2: .*Expected one of: low, high\. Received: 1"):
        read_codes([write(TABLE_HEAD, "0,20,3,Anna,1")], {"low": 0, "high": 1})


@pytest.mark.parametrize(
    "row",
    ["seat 3\t\t00:00:00.000\t00:00:20.000\t00:00:20.000\t2", "seat 3 (Anna)\t0\t20\t20\t2", "seat 3 (Anna)\t2"],
    ids=["nobody in the tier", "seconds or milliseconds", "no times"],
)
def test_an_annotation_that_cannot_be_read_is_named(write: Write, row: str) -> None:
    with pytest.raises(CodesError, match=r"row 2: this is no annotation of a seat"):
        read_codes([write("seat 1 (Anna)\t\t00:00:00.000\t00:00:20.000\t00:00:20.000\t2", row)])


@pytest.mark.parametrize("lines", [(), ("a,b,c", "1,2,3"), ("start,end,level", "0,20,1"), ("hello",)])
def test_a_file_of_another_form_is_refused(write: Write, lines: tuple[str, ...]) -> None:
    with pytest.raises(CodesError, match=r"holds no codes of a known form\. Expected: the columns start, end"):
        read_codes([write(*lines)])


def test_an_empty_form_holds_no_level(write: Write) -> None:
    with pytest.raises(CodesError, match="holds no level"):
        read_codes([write(TABLE_HEAD, "0,20,3,,")])


def test_a_missing_file_a_folder_and_bytes_that_are_no_text_are_told_in_words(write: Write, tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CodesError, match="cannot be read"):
            read_codes([path])
    with pytest.raises(CodesError, match="no text in UTF-8"):
        read_codes([write(TABLE_HEAD, "0,20,3,Jörg,2", encoding="latin-1")])


def test_a_row_with_more_cells_than_columns_is_refused(write: Write) -> None:
    path = write("start,end,seat,observer,level", "0,5,1,5,3,Anna,2")  # decimal commas
    with pytest.raises(CodesError, match=r"codes.csv, row 2: there are more cells .* Expected: 5. Received: 7"):
        read_codes([path])
