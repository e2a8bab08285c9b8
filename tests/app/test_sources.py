"""What a batch is to look at, and what tells one recording from another."""

import dataclasses
import os
import shutil

import pytest

from roomread.app.analyze import AnalyzeSettings
from roomread.app.sources import Entry, find_entries, key_of, read_list
from roomread.errors import SettingsError, SourceError
from roomread.outside import MOST_BYTES

MADE_WITH = {"roomread": "1", "detector": {"name": "d", "sha256": "00"}}
WHY = ("research", None)


@pytest.fixture
def folder(tmp_path):
    for name in ("b.mp4", "a.MKV", "deep/c.mov", "notes.txt", ".hidden/d.mp4", "picture.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_a_folder_gives_the_videos_in_it_and_below_by_their_paths(folder):
    assert [entry.path.relative_to(folder).as_posix() for entry in find_entries(folder.as_posix().split("\n"))] == [
        "a.MKV", "b.mp4", "deep/c.mov",
    ]  # fmt: skip


def test_a_pattern_gives_what_fits_it_and_nothing_twice(folder):
    found = find_entries([f"{folder}/*.mp4", folder / "b.mp4", f"{folder}/**/*.mov"], course="Physics")
    assert [(entry.path.name, entry.course) for entry in found] == [("b.mp4", "Physics"), ("c.mov", "Physics")]


def test_a_table_names_its_columns_and_its_paths_are_relative_to_it(folder):
    path = folder / "list.csv"
    path.write_text("path;course;name;began\nb.mp4;Maths;Monday;2026-03-12T09:15+01:00\ndeep/c.mov;;;\n", "utf-8")
    one, other = find_entries([path], course="Physics")
    began = one.began
    assert one == Entry(folder / "b.mp4", "Monday", "Maths", began) and str(began).startswith("2026-03-12T")
    assert other == Entry(folder / "deep/c.mov", None, "Physics", None)


def test_a_table_may_have_quotes_around_every_cell_as_r_writes_them(folder):
    (folder / "list.csv").write_text('"path","name"\n"b.mp4","Monday, 9"\n', "utf-8")
    assert find_entries([folder / "list.csv"]) == [Entry(folder / "b.mp4", "Monday, 9")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with named pipes")
def test_a_list_that_is_too_large_or_no_file_is_refused(folder):
    with (folder / "list.csv").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(SettingsError, match="more than"):
        read_list(folder / "list.csv")
    os.mkfifo(folder / "pipe.csv")
    with pytest.raises(SettingsError, match="a pipe"):
        read_list(folder / "pipe.csv")


def test_a_text_names_a_path_in_each_line(folder):
    (folder / "list.txt").write_text("b.mp4\n\ndeep/c.mov\n", "utf-8")
    assert [entry.path for entry in find_entries([folder / "list.txt"])] == [folder / "b.mp4", folder / "deep/c.mov"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("file,name\na.mp4,A\n", "no column `path`", id="no path"),
        pytest.param("path,nmae\na.mp4,A\n", "no column 'nmae'", id="an unknown column"),
        pytest.param("path,name\na.mp4,A,B\n", "more cells", id="a row too long"),
        pytest.param("path,began\na.mp4,yesterday\n", "must be a moment", id="no moment"),
        pytest.param("path,began\na.mp4,9999-12-31T23:59\n", "must be a moment", id="the end of the calendar"),
        pytest.param("path,name\n,A\n", "names no path", id="an empty path"),
        pytest.param(
            'path,name\na.mp4,"A\tB"\n',
            r"The name in line 2 of the list .*list\.csv cannot be used",
            id="a tab in a name",
        ),
        pytest.param(
            f"path,course\na.mp4,{'P' * 201}\n", "The course in line 2 .* 1 to 200 letters", id="a long course"
        ),
        pytest.param("path\n", "names no recording", id="nothing in it"),
    ],
)
def test_a_list_that_does_not_fit_is_told_in_words(tmp_path, text, words):
    (tmp_path / "list.csv").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=words):
        find_entries([tmp_path / "list.csv"])


def test_nothing_to_look_at_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no recording"):
        find_entries([tmp_path])


def test_a_recording_is_known_by_its_content_wherever_it_lies(folder):
    settings = AnalyzeSettings()
    key = key_of(folder / "b.mp4", settings, MADE_WITH, WHY)
    shutil.copy(folder / "b.mp4", folder / "copy.mp4")
    same = dataclasses.replace(settings, threads=7, name="Monday", began="2026-03-12T09:15+01:00")
    assert key_of(folder / "copy.mp4", same, MADE_WITH | {"roomread": "2"}, WHY) == key
    others = [
        key_of(folder / "a.MKV", settings, MADE_WITH, WHY),
        key_of(folder / "b.mp4", dataclasses.replace(settings, fps=4.0), MADE_WITH, WHY),
        key_of(folder / "b.mp4", settings, {"detector": {"name": "d", "sha256": "11"}}, WHY),
        key_of(folder / "b.mp4", settings, MADE_WITH, ("research", "R1")),
    ]
    assert len({key, *others}) == 5
