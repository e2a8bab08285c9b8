"""Processes that end with their test, and what holds for a store whatever became of them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

SOAK = os.environ.get("ROOMREAD_SOAK") == "1"  # `make soak`


@contextmanager
def child(*command: object) -> Iterator[subprocess.Popen[str]]:
    """Start a process that ends with the block, by force if need be."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def check_whole(path: Path) -> None:
    """Fail where SQLite finds anything wrong with a store."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
