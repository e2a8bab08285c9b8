"""What uploaded recordings are called, and how much of them is taken."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from roomread.app import spool as spools
from roomread.app.names import file_name, lesson_name
from roomread.app.spool import LEFT_FREE, Spool, TooLargeError, Upload, spool_of
from roomread.errors import SettingsError, StoreError

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.parametrize(
    ("given", "name", "lesson"),
    [
        ("Tuesday.mp4", "Tuesday.mp4", "Tuesday"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("C:\\Users\\Anna\\7b.mov", "7b.mov", "7b"),
        ("a/b/../", "..", None),
        ("Die\n\x00 \u202eeinz.mp4", "Die einz.mp4", "Die einz"),
        ("Caf\u0065\u0301.mkv", "Caf\u00e9.mkv", "Caf\u00e9"),
        ("x" * 400 + ".webm", "x" * 195 + ".webm", "x" * 195),
        (".mp4", ".mp4", ".mp4"),
        ("", None, None),
        ("\n\n", None, None),
    ],
)
def test_a_name_is_its_last_part_in_printable_letters(given: str, name: str | None, lesson: str | None) -> None:
    if lesson is None:
        with pytest.raises(SettingsError, match="has no name"):
            file_name(given)
        return
    assert file_name(given) == name
    assert lesson_name(file_name(given)) == lesson


def test_a_file_beyond_the_limit_or_the_room_on_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool")
    assert spool.own()
    monkeypatch.setattr(spools, "LARGEST", 1000)
    with Upload(spool) as upload:
        upload.write(b"x" * 900)
        with pytest.raises(TooLargeError, match="Nothing was kept"):
            upload.write(b"x" * 101)
    assert [path.name for path in spool.folder.iterdir()] == ["lock"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9 * LEFT_FREE, 8 * LEFT_FREE, LEFT_FREE + 10))
    assert spool.room() == 10
    with Upload(spool) as upload, pytest.raises(TooLargeError, match="1 GB stay free"):
        upload.write(b"x" * 11)
    spool.release()


def test_files_that_roomread_did_not_put_into_its_folder_stay(tmp_path: Path) -> None:
    spool = spool_of("a", tmp_path / "a.sqlite")
    spool.folder.mkdir()
    (spool.folder / "lesson.mp4").touch()
    with pytest.raises(StoreError, match="holds other files"):
        spool.own()
    (spool.folder / "lesson.mp4").unlink()
    assert spool.own()
    for name in ("lesson.mp4", "1", "2", "in-abc"):
        (spool.folder / name).touch()
    assert spool.sweep({2, 3}) == {3}
    assert {path.name for path in spool.folder.iterdir()} == {"lock", "lesson.mp4", "2"}
    spool.release()
    assert spool_of("a", tmp_path / "a.db").folder != spool.folder
