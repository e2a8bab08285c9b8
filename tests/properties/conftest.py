"""How long Hypothesis looks, and the bounds that nothing here may pass."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from tests.soak.harness import SOAK

from roomread import outside

CASES = int(os.environ.get("ROOMREAD_CASES", "100000"))  # of one soak, in all
TESTS = 32  # about as many properties share them, those that start a process of their own left out
HANG = timedelta(seconds=5)  # nothing that reads a small file takes a fraction of it
ROOM = 3 * 1024**3  # bytes of addresses beyond those in use; what asks for more has believed a damaged head

usual = settings(deadline=HANG, suppress_health_check=list(HealthCheck), database=None, print_blob=False)
settings.register_profile("quick", usual, max_examples=25, derandomize=True)
settings.register_profile("soak", usual, max_examples=CASES // TESTS, print_blob=True)
settings.load_profile("soak" if SOAK else "quick")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less long for what a library reads for ever."""
    monkeypatch.setattr(outside, "LONGEST", 15.0)


@pytest.fixture(autouse=True, scope="module")
def bounded() -> Iterator[None]:
    """Make whatever asks for far more memory than its file can be worth fail."""
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
