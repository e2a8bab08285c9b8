"""What several test files share: made-up faces, readings and lessons, a store, and a way to write a video."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import fastparquet
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pictures
from tests.postgres import Postgres, find_postgres, running_postgres

from roomread.learn import readers as forms
from roomread.learn.datasets import OTHER_VOTES, VOTES, LabelledFaces, validation_rows
from roomread.store.lessons import LessonStore
from roomread.types import EMOTIONS, N_EMOTIONS, N_SIGNALS, Array, Image, Lesson, Observation, Readings, Tracks

Expression = str | None | Sequence[float]  # one of EMOTIONS, surely; None: could not be read; or seven probabilities


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tutorials: each takes half a minute, and nobody is to wait for one at the end."""
    items.sort(key=lambda item: item.path.name != "test_tutorials.py")


def probabilities(expression: Expression) -> Array:
    """Return float32 (7,) for one face."""
    if expression is None:
        return np.full(N_EMOTIONS, np.nan, np.float32)
    if isinstance(expression, str):
        expression = [float(name == expression) for name in EMOTIONS]
    return np.array(expression, np.float32)


@pytest.fixture
def lesson() -> Callable[..., Lesson]:
    """A function that builds a lesson; its arguments replace what an ordinary one says."""

    def build(**changes: Any) -> Lesson:
        values: dict[str, Any] = {
            "number": 1, "name": "Tuesday", "source": "tuesday.mp4", "purpose": "research", "reference": None,
            "sample": False, "began": None, "created": "2026-03-12T09:15:00+00:00", "duration": 10.0, "width": 1280,
            "height": 720, "state": "complete", "notes": (), "made_with": {"roomread": "0.1.0"},
        }  # fmt: skip
        return Lesson(**(values | changes))

    return build


@pytest.fixture
def readings() -> Callable[..., Readings]:
    """A function that builds readings from frame times and faces: (row of the frame, seat, expression)."""

    def build(times: Iterable[float], faces: Iterable[tuple[int, int, Expression]] = ()) -> Readings:
        rows = sorted(faces, key=lambda face: face[:2])
        n = len(rows)
        seats = np.array([seat for _, seat, _ in rows], np.int64)
        left = seats[:, None] * np.float32(50)
        return Readings(
            times=np.array(list(times), np.float64),
            frames=np.array([frame for frame, _, _ in rows], np.int64),
            seats=seats,
            boxes=(left + np.array([0, 100, 40, 150], np.float32)).reshape(n, 4).astype(np.float32),
            scores=np.full(n, 0.9, np.float32),
            sharpness=np.full(n, 100, np.float32),
            emotions=np.array([probabilities(shown) for _, _, shown in rows], np.float32).reshape(n, N_EMOTIONS),
            signals=np.full((n, N_SIGNALS), np.nan, np.float32),
        )

    return build


@pytest.fixture
def observation() -> Callable[..., Observation]:
    """A function that builds what was seen in one frame from its number, its time and faces: (seat, expression)."""

    def build(index: int, time: float, faces: Iterable[tuple[int, Expression]] = ()) -> Observation:
        rows = list(faces)
        n, noise = len(rows), np.random.default_rng(index)
        tracks = Tracks(
            seats=np.array([seat for seat, _ in rows], np.int64),
            boxes=noise.uniform(0, 700, (n, 4)).astype(np.float32),
            scores=noise.uniform(0, 1, n).astype(np.float32),
        )
        emotions = np.array([probabilities(shown) for _, shown in rows], np.float32).reshape(n, N_EMOTIONS)
        signals = noise.uniform(-1, 1, (n, N_SIGNALS)).astype(np.float32)
        signals[::2] = np.nan  # read less often than expressions
        return Observation(time, index, tracks, emotions, noise.uniform(0, 900, n).astype(np.float32), signals)

    return build


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test session; where the program is missing, the test is skipped."""
    with running_postgres(find_postgres()) as server:
        yield server


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a store may be made, on each database: what --db takes."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if request.param == "SQLite":
        return str(tmp_path / "store" / "lessons.sqlite")
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_store()


@pytest.fixture
def store(db: str) -> Iterator[LessonStore]:
    """An empty store, on each database."""
    made = LessonStore(db)
    yield made
    made.close()


@pytest.fixture
def file_store(tmp_path: Path) -> LessonStore:
    """An empty store in a file."""
    return LessonStore(tmp_path / "store" / "lessons.sqlite")


@pytest.fixture(scope="session")
def labelled_faces() -> LabelledFaces:
    """56 made-up faces: 28 to fit on, then 14 of `validation`, 7 of PublicTest, 7 of PrivateTest; each class as often.

    A class is a bright square at a place of its own, so that even a tiny network can learn them.
    """
    n, noise = 56, np.random.default_rng(0)
    labels = np.arange(n) % N_EMOTIONS
    images = noise.integers(0, 60, (n, 48, 48, 1)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = divmod(int(label), 3)
        image[top * 16 : top * 16 + 16, left * 16 : left * 16 + 16] += 180
    held_out = validation_rows()
    fitting = np.setdiff1d(np.arange(held_out[-1]), held_out)[:28]
    rows = np.concatenate([fitting, held_out[:14], 28709 + np.arange(14)])
    usages = np.repeat(["Training", "PublicTest", "PrivateTest"], [42, 7, 7])
    votes = noise.multinomial(10, np.full(len(VOTES + OTHER_VOTES), 0.1), n).astype(np.float32)
    return LabelledFaces(images, labels.astype(np.int64), rows.astype(np.int64), usages, votes, fer2013=True)


@pytest.fixture
def fer_table(labelled_faces: LabelledFaces, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The same faces as the table that FER-2013's Parquet files hold, to be spoilt by a test at will.

    With as many of Training as these, 42, tables are taken for FER-2013.
    """
    monkeypatch.setattr(forms, "FER2013_TRAINING", 42)
    votes = {
        f"ferplus_{name}": labelled_faces.votes[:, column].astype(np.int64)
        for column, name in enumerate(VOTES + OTHER_VOTES)
    }
    pictures = [png(image[..., 0]) for image in labelled_faces.images]
    about = {"row": labelled_faces.rows, "label": labelled_faces.labels, "usage": labelled_faces.usages.astype(object)}
    return pd.DataFrame({**about, **votes, "image": pd.Series(pictures, dtype=object)})


@pytest.fixture
def write_parquet(tmp_path: Path) -> Callable[[pd.DataFrame], Path]:
    """A function that writes a table as `faces.parquet` and returns its path."""

    def write(table: pd.DataFrame) -> Path:
        path = tmp_path / "faces.parquet"
        fastparquet.write(str(path), table, write_index=False)
        return path

    return write


def png(gray: Array) -> bytes:
    """Return a gray picture as the bytes of a PNG file."""
    file = io.BytesIO()
    Pictures.fromarray(gray).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def write_video() -> Callable[[Path, Iterable[Image], float], Path]:
    """A function that writes pictures, uint8 (height, width, 3), RGB, even sides, as a video and returns its path."""

    def write(path: Path, images: Iterable[Image], fps: float) -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=Fraction(fps).limit_denominator(1001))
            stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
            for number, image in enumerate(images):
                if number == 0:
                    stream.height, stream.width = image.shape[:2]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write
