"""Pages asked for as a browser on this machine would ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from roomread.app.studio import Studio
from roomread.app.web.server import WebSettings, make_app
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

ADDRESS = "http://127.0.0.1:8642"
OWN = {"origin": ADDRESS}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """What the pages work on, with an empty store."""
    return Studio(LessonStore(tmp_path / "lessons.sqlite"))


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    """A browser on this machine."""
    studio.queue.start()
    with TestClient(make_app(studio, WebSettings(), 8642, None), ADDRESS) as made:
        yield made


@pytest.fixture
def guarded(studio: Studio) -> Callable[..., TestClient]:
    """A function that returns a browser elsewhere, for a server that asks for the token "secret"."""

    def make(**headers: Any) -> TestClient:
        app = make_app(studio, WebSettings(), 8642, "secret")
        return TestClient(app, ADDRESS, headers=headers, follow_redirects=False)

    return make


@pytest.fixture
def taught(
    studio: Studio, lesson: Callable[..., Lesson], observation: Callable[..., Observation]
) -> Callable[..., Lesson]:
    """A function that keeps a lesson of so many seats, seen twice a second; its other arguments describe the lesson."""

    def keep(seats: int = 6, seconds: int = 40, **changes: Any) -> Lesson:
        kept = studio.store.add(lesson(**({"duration": float(seconds)} | changes)))
        faces = [(seat, "happy") for seat in range(1, seats + 1)]
        studio.store.append(kept, [observation(i, i / 2, faces) for i in range(2 * seconds)])
        return studio.store.numbered(kept.number)

    return keep
