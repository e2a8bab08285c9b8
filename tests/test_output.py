"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from roomread.errors import OutputError
from roomread.output import write_whole


def writer(text: str, error: BaseException | None = None) -> Callable[[Path], None]:
    """Return a writer that writes the text, and breaks off afterwards when there is an error to raise."""

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")
        if error is not None:
            raise error

    return write


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}


FULL = OSError(errno.ENOSPC, "No space left on device")


def test_files_are_written_together_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    write_whole({folder / "one": writer("1"), folder / "two": writer("2")})
    assert contents(folder) == {"one": "1", "two": "2"}


def test_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old", encoding="utf-8")
    write_whole({tmp_path / "one": writer("new")})
    assert contents(tmp_path) == {"one": "new"}


def test_a_file_is_not_seen_before_all_are_complete(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    write_whole(
        {
            tmp_path / "one": writer("1"),
            tmp_path / "two": lambda _: seen.append([name for name in contents(tmp_path) if not name.startswith(".")]),
        }
        | {tmp_path / "three": lambda path: (path.write_text("3"), (tmp_path / ".new-two").write_text("2"))}
    )
    assert seen == [[]]
    assert contents(tmp_path) == {"one": "1", "two": "2", "three": "3"}


@pytest.mark.parametrize("broken", [0, 1], ids=["the first", "the second"])
def test_nothing_is_changed_when_the_disk_is_full(tmp_path: Path, broken: int) -> None:
    (tmp_path / "one").write_text("old", encoding="utf-8")
    errors = [FULL if number == broken else None for number in range(2)]
    name = ("one", "two")[broken]
    with pytest.raises(
        OutputError, match=rf"{name} cannot be written\. .*No space left on device\. Nothing was changed"
    ):
        write_whole({tmp_path / "one": writer("1", errors[0]), tmp_path / "two": writer("2", errors[1])})
    assert contents(tmp_path) == {"one": "old"}


def test_nothing_is_changed_when_a_folder_stands_in_the_way_of_the_second_file(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old", encoding="utf-8")
    (tmp_path / "two").mkdir()
    with pytest.raises(OutputError):
        write_whole({tmp_path / "one": writer("1"), tmp_path / "two": writer("2")})
    assert contents(tmp_path) == {"one": "old"}
    assert not list((tmp_path / "two").iterdir())


def test_a_file_that_cannot_be_moved_into_place_is_named_and_what_was_moved_before_it_too(tmp_path: Path) -> None:
    def in_the_way(path: Path) -> None:
        path.write_text("2", encoding="utf-8")
        (tmp_path / "two").mkdir()

    with pytest.raises(OutputError, match=r"two cannot be written\. .* one is new already\.$"):
        write_whole({tmp_path / "one": writer("1"), tmp_path / "two": in_the_way})
    assert contents(tmp_path) == {"one": "1"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no such thing")], ids=["Ctrl-C", "another error"])
def test_nothing_half_written_is_left_by_an_error_of_another_kind(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write_whole({tmp_path / "one": writer("1"), tmp_path / "two": writer("2", error)})
    assert contents(tmp_path) == {}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="taken"):
        write_whole({tmp_path / "taken" / "one": writer("1")})
    assert contents(tmp_path) == {"taken": "mine"}


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole({tmp_path / ("x" * 300): writer("1")})
    assert contents(tmp_path) == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators alone")
def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real.txt")
    write_whole({link: lambda new: new.write_text("new")})
    assert link.is_symlink() and (tmp_path / "real.txt").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(), Path("/")):
        with pytest.raises(OutputError, match="cannot be written"):
            write_whole({path: lambda new: new.write_text("new")})
    assert (tmp_path / "pipe").is_fifo()
