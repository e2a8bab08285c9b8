"""What a process that looks at people writes and says, read from its calls to the system: rows, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from roomread.store.lessons import LessonStore

ROOT = Path(__file__).parents[1]
CALLS = "%network,open,openat,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat"
WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|APPEND|TRUNC|TMPFILE)")
SYSTEM = ("/dev/", "/proc/", "/sys/")  # no place that keeps anything
OWN = re.compile(r"lessons\.sqlite(-wal|-shm|-journal)?$")

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing: apt install strace")


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., list[str]]:
    """A function that runs a command in an empty home and returns its calls, one a line."""

    def run(*command: object) -> list[str]:
        log = tmp_path / "calls"
        own = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # that writes files
        home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        home |= {"CI": "", "PYTHONPATH": os.pathsep.join((str(ROOT), *filter(None, sys.path)))}
        words = ["strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", log, sys.executable, *command]
        done = subprocess.run(
            [str(word) for word in words], cwd=tmp_path, env=own | home, capture_output=True, text=True
        )
        if "PTRACE" in done.stderr:
            pytest.skip("strace may not watch other processes here")
        assert done.returncode == 0, done.stderr
        return log.read_text(encoding="utf-8", errors="replace").splitlines()

    return run


def written(calls: list[str]) -> set[str]:
    """Return the paths that were opened for writing, made or moved to, without those that keep nothing."""
    paths = set()
    for call in calls:
        name = re.match(r"\d+ +(\w+)\(", call)
        if name is None or re.search(r"= -1 ", call):
            continue
        if name[1] in ("open", "openat") and not WRITES.search(call):
            continue
        if name[1] in ("open", "openat", "creat", "mkdir", "mkdirat") or name[1].startswith(("rename", "link", "sym")):
            paths |= set(re.findall(r'"([^"]+)"', call)[-1:])
    return {path for path in paths if not path.startswith(SYSTEM)}


def spoken(calls: list[str]) -> list[str]:
    """Return the calls that reach, or wait for, another machine."""
    return [call for call in calls if "AF_INET" in call and not re.search(r"\bsocket\(", call)]


def check(calls: list[str], store: Path) -> None:
    assert len(calls) > 100
    strange = {path for path in written(calls) if not (OWN.search(path) and Path(path).parent == store.parent)}
    assert strange == set()
    assert spoken(calls) == []
    assert {path.name for path in store.parent.iterdir() if path.name != "calls"} <= {store.name, "class.mp4"}
    assert len(LessonStore(store).readings(LessonStore(store).find("last")).times) > 5


def test_an_analysis_writes_its_store_and_reaches_nobody(
    watched: Callable[..., list[str]], tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    clip = write_video(tmp_path / "class.mp4", [np.full((90, 160, 3), 9 * k, np.uint8) for k in range(25)], 25)
    store = tmp_path / "lessons.sqlite"
    check(watched("-m", "roomread", "analyze", clip, "--purpose", "research", "--fps", 25, "--db", store), store)


def test_a_live_lesson_writes_its_store_and_reaches_nobody(watched: Callable[..., list[str]], tmp_path: Path) -> None:
    store = tmp_path / "lessons.sqlite"
    check(watched("-m", "tests.soak.child", store, "--frames", 30), store)
