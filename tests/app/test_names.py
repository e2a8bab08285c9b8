"""Names that are shown: files without their folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomread.app.names import without_folders

ROOT = Path(Path.cwd().anchor)
STORE = ROOT / "home" / "me" / "lessons.sqlite"
ADDRESS = "an address rtsp:// or http://, 2026/11/22"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"The store {STORE} cannot be used.", "The store lessons.sqlite cannot be used."),
        (f"There is no {STORE}-recordings: {STORE.parent}.", "There is no lessons.sqlite-recordings: me."),
        (f"'{STORE}', {STORE}", "'lessons.sqlite', lessons.sqlite"),
        (f"{STORE.parent}adow is elsewhere", f"{STORE.parent}adow is elsewhere"),
        (ADDRESS, ADDRESS),
    ],
    ids=["a file", "beside it", "twice", "another folder", "no folder"],
)
def test_files_are_told_without_their_folders(text: str, told: str) -> None:
    assert without_folders(text, STORE, None, Path("camera")) == told


@pytest.mark.parametrize("path", [ROOT / "lessons.sqlite", ROOT, Path("lessons.sqlite")], ids=str)
def test_a_store_in_the_root_costs_no_slash(path: Path) -> None:
    assert without_folders(ADDRESS, path) == ADDRESS
