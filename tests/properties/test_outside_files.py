"""Files from outside, damaged in every way: each is read properly or refused in words."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sqlite3
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from roomread.app.analyze import AnalyzeSettings
from roomread.app.watching import WatchSettings
from roomread.config import read_settings
from roomread.errors import RoomreadError, SourceError
from roomread.faces.onnx import open_network
from roomread.learn.datasets import VOTES_IN_FILE
from roomread.learn.load import open_model
from roomread.learn.readers import read_faces, read_label_map, read_votes
from roomread.learn.settings import TrainSettings
from roomread.modelcard import PUBLISHED_INT8, ModelCard, read_card, sha256_of, write_card
from roomread.pictures import read_picture
from roomread.review.agenda import read_structure
from roomread.review.codes import read_codes
from roomread.store.lessons import LessonStore
from roomread.store.recordings import Recording, Recordings
from roomread.store.summaries import Kept, list_lessons, read_summary, write_summary
from roomread.types import EMOTIONS, PURPOSES, Lesson, Observation, Part, Tracks
from roomread.watch.address import parse_address
from roomread.watch.frames import FrameSettings, open_source
from roomread.watch.masks import MaskSettings, draw_zones

pytestmark = [
    pytest.mark.soak,
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),  # Pillow says what it makes good
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),  # of the fixtures, where a case fails
]

ODD = (
    "", " ", "nan", "-inf", "1e308", "1e400", "-1", "-0", "9" * 5000, "0x10", "²", "٣", "½", "\0", "\x1b[31m",
    "\u202e", "\u2028", "\ufeff", "👩\u200d🏫", "e\u0301", "a" * 200_000, " " * 50_000 + ".", "(" * 20_000, "[" * 9999,
    '"', '""', "'", "\n", "\r", ",", ";", "\t", "#", "-->", "=1+1", "../../x", "true", "null", "{}", "00:00:00",
    "99:99:99", "1970-01-01", "datetime", "𝟗", "-",
)  # fmt: skip


Edit = tuple[str, int, int, bytes]  # what is done, where, to how many bytes, and with what
EDITS = st.lists(
    st.tuples(
        st.sampled_from(("flip", "flip", "fill", "cut", "double", "put", "end")),
        st.integers(0, 2**32),
        st.sampled_from((1, 2, 4, 8, 64, 1024)),
        st.binary(min_size=1, max_size=16) | st.sampled_from((b"\xff", b"\0", b"\x7f")),
    ),
    min_size=1,
    max_size=5,
)


def damaged(sample: bytes, edits: list[Edit]) -> bytes:
    """Return a file with some bytes changed, cut out, doubled, put in or cut off."""
    data = bytearray(sample)
    for kind, where, n, used in edits:
        first = where % (len(data) + 1)
        part = data[first : first + n]
        match kind:
            case "flip":
                data[first : first + 1] = bytes(byte ^ (1 << used[0] % 8) for byte in part[:1])
            case "fill":
                data[first : first + n] = (used * n)[: len(part)]
            case "cut":
                del data[first : first + n]
            case "double":
                data[first:first] = part
            case "put":
                data[first:first] = used
            case "end":
                del data[first:]
    return bytes(data)


Change = tuple[str, int, int, str]  # what is done, in which row, at which cell, and with what
CHANGES = st.tuples(
    st.lists(
        st.tuples(
            st.sampled_from(("cell", "cell", "cell", "more", "less", "column", "line", "lost")),
            st.integers(0, 100),
            st.integers(0, 100),
            st.sampled_from(ODD) | st.sampled_from(ODD) | st.text(max_size=20) | st.floats().map(str),
        ),
        max_size=3,
    ),
    st.sampled_from(",\t=: "),
    st.sampled_from(("\n", "\n", "\n", "\r\n", "\r", "\u2028", "\n\n", "\n\r")),
    st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")),
)


def retyped(sample: bytes, changes: tuple[list[Change], str, str, str]) -> bytes:
    """Return a text with odd values in the place of some of its own, lines lost or doubled, in another encoding."""
    steps, separator, end, encoding = changes
    rows = [line.split(separator) for line in sample.decode("utf-8").splitlines()]
    for kind, number, place, odd in steps:
        if not rows:
            break
        row = rows[number % len(rows)]
        place %= len(row) + 1
        match kind:
            case "cell":
                row[place : place + 1] = [odd]
            case "more":
                row.insert(place, odd)
            case "less":
                del row[place : place + 1]
            case "column":  # doubled, in every row
                rows = [[*cells[: place + 1], *cells[place:]] for cells in rows]
            case "line":
                rows.append(list(row))
            case "lost":
                rows.remove(row)
    return end.join(separator.join(cells) for cells in rows).encode(encoding, "replace")


def picture(form: str, **options: Any) -> bytes:
    """Return 48 x 48 gray levels as a picture file of some form."""
    held = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (48, 48), np.uint8)
    Pictures.fromarray(noise).convert("RGB").save(held, form, **options)
    return held.getvalue()


PIXELS = " ".join(["7"] * 48 * 48)
TABLE = f"emotion,pixels,Usage\n3,{PIXELS},Training\n6,{PIXELS},PublicTest\n".encode()
AGENDA = b"start,end,name\n0:00,5:00,Talk\n300,12:30,Group work\n1:02:03,1:20:00,Quiz\n"
CAPTIONS = b"WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n<v Anna>Good morning\n\n00:00:20.000 --> 00:00:23.000\nSo\n"
CODES = b"start,end,seat,observer,level\n0,20,3,Anna,2\n0:20,0:40,seat 12,Bo,0\n40,60,class,Anna,1\n"
ELAN = b"seat 3 (Anna)\t\t00:00:00.000\t0.0\t00:00:20.000\t20.0\t00:00:20.000\t20.0\t2\n"
BORIS = b"Observation id,Subject,Behavior,Start (s),Stop (s)\nAnna,3,2,0,20\nAnna,12,0,20,40\n"
SETTINGS = b"""fps = 2.5
end = 100
threads = 2
[masks]
fractions = [[0, 0, 0.5, 1], [0.1, 0.1, 0.9, 0.1, 0.5, 0.5]]
[detector]
width = 640
threshold = 0.5
[signals]
rate = 1
"""
RUN = b"name = 'try'\nepochs = 2\nlearning_rate = 0.1\nteachers = ['a.onnx']\nteacher_share = 0.5\n"
RUN += b"[augment]\nshift = 0.1\n"
LABELS = b"[labels]\nAnger = 'angry'\nJoy = 'happy'\ncontempt = '-'\n[splits]\ndev = 'validation'\n"
VOTES = b"Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n" + (
    b"Training,a.png,4,0,0,1,3,2,0,0,0,0\nPublicTest,b.png,6,0,1,1,0,0,0,0,2,0\n"
)


def card_of(model: bytes) -> bytes:
    """Return a card that fits a model."""
    card = ModelCard(
        name="x", task="expression", sha256=sha256(model).hexdigest(), licence="", origin="", input="", output="",
        classes=EMOTIONS, figures=({"split": "validation", "n": 3},), recipe={"files": {"x.keras": "0"}},
    )  # fmt: skip
    return json.dumps(dataclasses.asdict(card), indent=1).encode()


def read_carded(path: Path) -> None:
    """Read a card beside a model that it was made for."""
    model = path.with_suffix(".onnx")
    model.write_bytes(b"model")
    assert read_card(model, "expression").classes == EMOTIONS


def read_parts(path: Path) -> None:
    for part in read_structure(path).parts:
        assert 0 <= part.start <= part.end and part.start < np.inf


def read_levels(path: Path) -> None:
    codes = read_codes([path])
    assert np.isfinite([codes.starts, codes.ends]).all() and (codes.ends > codes.starts).all()
    assert (codes.levels >= 0).all()


def read_pixels(path: Path) -> None:
    image = read_picture(path)
    assert image.dtype == np.uint8 and image.shape[2] == 3


def read_data(path: Path) -> None:
    faces = read_faces(path)
    assert len(faces) and set(faces.labels.tolist()) <= set(range(7))
    faces.counts()


def read_frames(path: Path) -> None:
    times = [frame.time for frame in open_source(path, FrameSettings(fps=1000.0)).frames()]
    assert times == sorted(times) and all(0 <= time < 1e6 for time in times)


def read_network(path: Path) -> None:
    """Open a network whose card fits it, and use it."""
    card = dataclasses.replace(read_card(PUBLISHED_INT8, "expression"), sha256=sha256_of(path))
    write_card(card, path)
    open_network(path, "expression")(np.zeros((2, 48, 48, 1), np.float32))


READERS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "data set": ("faces.csv", TABLE, read_data),
    "votes": ("votes.csv", VOTES, read_votes),
    "label map": ("map.toml", LABELS, read_label_map),
    "agenda": ("agenda.csv", AGENDA, read_parts),
    "captions": ("captions.vtt", CAPTIONS, read_parts),
    "codes": ("codes.csv", CODES, read_levels),
    "ELAN": ("elan.txt", ELAN, read_levels),
    "BORIS": ("boris.csv", BORIS, read_levels),
    "settings": ("settings.toml", SETTINGS, lambda path: read_settings(AnalyzeSettings, path)),
    "live settings": (
        "live.toml",
        b"window = 5\n[source]\nfps = 3\nsize = [640, 480]\n",
        lambda path: read_settings(WatchSettings, path),
    ),
    "card": ("card.json", card_of(b"model"), read_carded),
    "run": ("run.toml", RUN, lambda path: read_settings(TrainSettings, path)),
}


def reads(name: str, data: bytes, read: Callable[[Path], object]) -> None:
    """Read a file of these bytes; what cannot be read is refused in words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        with contextlib.suppress(RoomreadError):
            read(path)


@pytest.mark.parametrize("kind", READERS)
@given(how=CHANGES | EDITS | st.binary(max_size=200))
def test_a_text_that_is_damaged_is_read_or_refused(kind: str, how: Any) -> None:
    name, sample, read = READERS[kind]
    match how:
        case tuple():
            how = retyped(sample, how)
        case list():
            how = damaged(sample, how)
    reads(name, how, read)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, write_video: Callable[..., Path]) -> dict[str, bytes]:
    """Whole files that are no text, by their names."""
    folder = tmp_path_factory.mktemp("samples")
    table = pd.DataFrame({"image": pd.Series([picture("PNG")] * 3, dtype=object), "label": [0, 3, 6], "row": [0, 1, 2]})
    table["usage"] = pd.Series(["Training", "PublicTest", "PrivateTest"], dtype=object)
    for name in VOTES_IN_FILE:
        table[f"ferplus_{name}"] = 1
    fastparquet.write(str(folder / "faces.parquet"), table, write_index=False)
    for name in VIDEOS:
        write_video(folder / name, [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(5)], 10)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


VIDEOS = ("a.mp4", "a.mkv", "a.avi", "a.ts", "a.mpg")
PICTURES = {form: picture(form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")}


@pytest.mark.parametrize("form", PICTURES)
@given(edits=EDITS)
def test_a_picture_that_is_damaged_is_read_or_refused(form: str, edits: list[Edit]) -> None:
    reads("a.png", damaged(PICTURES[form], edits), read_pixels)


@pytest.mark.parametrize("name", VIDEOS)
@given(edits=EDITS)
def test_a_video_that_is_damaged_is_read_or_refused(name: str, samples: dict[str, bytes], edits: list[Edit]) -> None:
    reads(name, damaged(samples[name], edits), read_frames)


@settings(max_examples=settings().max_examples // 5, deadline=None)  # a process of its own reads each
@given(edits=EDITS)
def test_a_parquet_file_that_is_damaged_is_read_or_refused(samples: dict[str, bytes], edits: list[Edit]) -> None:
    reads("faces.parquet", damaged(samples["faces.parquet"], edits), read_data)


@given(edits=EDITS)
def test_a_network_that_is_damaged_is_used_or_refused(edits: list[Edit]) -> None:
    reads("a.onnx", damaged(PUBLISHED_INT8.read_bytes(), edits), read_network)


def read_store(path: Path) -> None:
    """Open a store and read all that is in it."""
    store = LessonStore(path)
    list_lessons(store, ("glance", "happy"))
    Recordings(store).all()
    for lesson in store.lessons():
        assert isinstance(lesson.name, str) and lesson.purpose in PURPOSES
        store.readings(lesson)
        store.parts(lesson)
        read_summary(store, lesson, "glance", "key")


@given(edits=EDITS)
def test_a_store_that_is_damaged_is_read_or_refused(stored: bytes, edits: list[Edit]) -> None:
    reads("lessons.sqlite", damaged(stored, edits), read_store)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with a lesson of three frames, a part, an entry and a recording."""
    path = tmp_path_factory.mktemp("store") / "lessons.sqlite"
    store = LessonStore(path)
    lesson = Lesson(
        number=0, name="Tuesday", source="a.mp4", purpose="research", reference=None, sample=False, began=None,
        created="2026-03-12T09:15:00+00:00", duration=3.0, width=64, height=48, state="complete", notes=("One.",),
        made_with={"roomread": "0", "mesh": {"name": "x"}},
    )  # fmt: skip
    tracks = Tracks(np.array([1, 2]), np.ones((2, 4), np.float32), np.ones(2, np.float32))
    unread = np.full((2, 7), np.nan, np.float32), np.ones(2, np.float32), np.full((2, 11), 0.5, np.float32)
    lesson = store.add(lesson, [Observation(float(time), time, tracks, *unread) for time in range(3)])
    store.add_parts(lesson, [Part("Talk", 0.0, 2.0, "activity")])
    write_summary(store, lesson, "glance", Kept("key", {"n": 1}, {"x": [1, 2]}))
    Recordings(store).add(Recording(name="b.mp4", purpose="demo", reference=None, settings={"fps": 2}))
    return path.read_bytes()


TABLES = ("store", "lessons", "frames", "faces", "parts", "summaries", "recordings")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a number beyond 32 bits
@given(table=st.sampled_from(TABLES), place=st.integers(0, 40), value=st.sampled_from(ODD) | st.floats() | st.binary())
def test_a_store_whose_rows_are_damaged_is_read_or_refused(
    stored: bytes, table: str, place: int, value: str | float | bytes
) -> None:
    def read(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as connection, contextlib.suppress(sqlite3.IntegrityError):
            columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            connection.execute(f'update {table} set "{columns[place % len(columns)]}" = ?', (value,))
            connection.commit()
        read_store(path)

    reads("lessons.sqlite", stored, read)


@given(
    user=st.text(),
    password=st.text(min_size=6),
    rest=st.text(),
    scheme=st.sampled_from(("rtsp", "http", "HTTPS", "ftp")),
)
def test_no_address_gives_its_password_away(user: str, password: str, rest: str, scheme: str) -> None:
    secret = f"s3cr3t{password}"
    try:
        address = parse_address(f"{scheme}://{user}:{secret}@host/{rest}?key=s3cr3t")
    except SourceError as error:
        shown = str(error)
    else:
        shown = f"{address!r} {address.shown}"
    assert "s3cr3t" not in shown


@given(source=st.text() | st.text().map("rtsp://{}".format) | st.text().map("http://{}".format))
def test_any_text_is_an_address_or_none(source: str) -> None:
    with contextlib.suppress(SourceError):
        parse_address(source)


NUMBERS = st.floats() | st.integers(-10, 10_000).map(float) | st.floats(0, 1)
ZONES = st.lists(st.lists(NUMBERS, max_size=12).map(tuple), max_size=3).map(tuple)


@given(fractions=ZONES, pixels=ZONES, width=st.integers(1, 200), height=st.integers(1, 200))
def test_a_mask_is_drawn_or_refused(
    fractions: tuple[tuple[float, ...], ...], pixels: tuple[tuple[float, ...], ...], width: int, height: int
) -> None:
    with contextlib.suppress(ValueError):
        settings = MaskSettings(fractions=fractions, pixels=pixels)
        drawn = draw_zones(settings, width, height)
        assert drawn.shape == (height, width) and drawn.dtype == bool


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small network in each form, by its ending."""
    import keras

    from roomread.learn.export import export_onnx, save_keras

    folder = tmp_path_factory.mktemp("networks")
    parts = [keras.Input((48, 48, 1)), keras.layers.Conv2D(2, 3, strides=8), keras.layers.Flatten()]
    network = keras.Sequential([*parts, keras.layers.Dense(7, activation="softmax")])
    export_onnx(network, folder / "a.onnx", np.zeros((1, 48, 48, 1), np.uint8))
    for name in ("a.keras", "a.h5"):
        save_keras(network, folder / name)
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")  # Keras and HDF5 say what they make good
@pytest.mark.parametrize("ending", [".onnx", ".keras", ".h5"])
@settings(max_examples=settings().max_examples // 5, deadline=None)  # what HDF5 reads for ever ends by its own limit
@given(edits=EDITS)
def test_anybodys_network_that_is_damaged_is_used_or_refused(
    ending: str, networks: dict[str, bytes], edits: list[Edit]
) -> None:
    def read(path: Path) -> None:
        answers = open_model(path, "fer2013").predict_faces(np.zeros((2, 48, 48, 1), np.uint8))
        assert answers.shape == (2, 7)

    reads(f"a{ending}", damaged(networks[ending], edits), read)
