"""The tutorials run as they are read: their blocks in order, in one folder, printing what the pages show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

for needed in ("duckdb", "ray", "skimage"):
    pytest.importorskip(needed)

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script_of(page: str) -> str:
    """Return what a page has to be run, as one script; `console` blocks wait for somebody and are left out."""
    blocks = {"sh": "{}", "python": "python - <<'END'\n{}END\n"}
    return "".join(blocks[kind].format(text) for kind, text in BLOCK.findall(page) if kind in blocks)


def without_numbers(text: str) -> str:
    """Return a text in which every number is 0 and every stretch of space is one blank: machines round apart."""
    return re.sub(r"[-−+]?\d[\d.,:]*%?", "0", " ".join(text.split()))


@pytest.mark.learn
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_prints_what_it_shows(
    path: Path, fer_table: pd.DataFrame, write_parquet: Callable[[pd.DataFrame], Path], tmp_path: Path
) -> None:
    page, folder = path.read_text(encoding="utf-8"), tmp_path / "tutorial"
    folder.mkdir()
    own = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT / "src"),
        "ROOMREAD_DB": str(folder / "lessons.sqlite"),
        "FER2013": str(write_parquet(fer_table)),
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script_of(page)],
        cwd=folder,
        env=os.environ | own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    printed = without_numbers(ran.stdout)
    for line in "".join(text for kind, text in BLOCK.findall(page) if kind == "text").splitlines():
        assert without_numbers(line.strip("… ")) in printed, f"{line}\nis not in\n{ran.stdout}"


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_short_and_says_what_is_prohibited(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert page.count("\n") <= 170
    assert "European Union" in page and "](../responsible-use.md)" in page
