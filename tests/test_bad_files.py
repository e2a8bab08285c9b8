"""What is no ordinary file, or claims to be far more than it is, is told in words by every command, and soon."""

from __future__ import annotations

import os
import socket
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import av.container
import fastparquet
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pictures

from roomread import outside, pictures
from roomread.app.analyze import AnalyzeSettings
from roomread.cli.main import main
from roomread.config import read_settings
from roomread.errors import CodesError, DataError, SettingsError, SourceError, StoreError
from roomread.faces.detector import DetectorSettings
from roomread.learn.readers import read_faces, read_parquet
from roomread.outside import read_apart
from roomread.pictures import is_picture, read_picture
from roomread.review.agenda import read_structure
from roomread.review.codes import parse_words, read_codes
from roomread.store.lessons import LessonStore
from roomread.types import Lesson
from roomread.watch.frames import LONGEST, Clock, FrameSettings, open_source, open_video, packets_of
from roomread.watch.live import open_live

SIDE = 30_000  # pixels; 900 million of them, 2.7 GB as RGB


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb() -> bytes:
    """A whole PNG of one bit a pixel, in a few hundred kilobytes."""
    squeezer = zlib.compressobj(1)
    rows = b"".join(squeezer.compress(bytes(1 + SIDE // 8)) for _ in range(SIDE)) + squeezer.flush()
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff_bomb() -> bytes:
    tags = {256: SIDE, 257: SIDE, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: SIDE, 279: SIDE * SIDE}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + body + bytes(4)


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": png_bomb,
    "gif": lambda: b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0, 0, 0)
    + b"," + struct.pack("<HHHHB", 0, 0, SIDE, SIDE, 0),
    "tiff": tiff_bomb,
    "webp": lambda: b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<I", 10)
    + b"\x2f" + struct.pack("<I", (16383) | (16383 << 14)) + bytes(5),
    "bmp": lambda: b"BM" + struct.pack("<IHHI", 100, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("form", BOMBS)
def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_unfolded(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"bomb.{form}"
    path.write_bytes(BOMBS[form]())
    with pytest.raises(SourceError, match="cannot be read"):
        read_picture(path)


def test_a_picture_that_is_larger_than_a_camera_takes_is_refused_from_its_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.png"
    Pictures.new("RGB", (10, 7)).save(path)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 69)
    with pytest.raises(SourceError, match=r"small\.png cannot be read: it has 10 x 7 pixels, more than 69 in all\."):
        read_picture(path)


def test_a_video_whose_head_claims_huge_frames_gives_none_of_them(
    tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    path = write_video(tmp_path / "a.avi", [np.full((48, 64, 3), 100, np.uint8)] * 3, 10)
    path.write_bytes(path.read_bytes().replace(struct.pack("<II", 64, 48), struct.pack("<II", SIDE, SIDE)))
    for frame in open_source(path, FrameSettings()).frames():
        assert frame.image.shape == (48, 64, 3)


@pytest.mark.parametrize("read", [lambda path: open_source(path, FrameSettings()), lambda path: open_live(str(path))])
def test_a_video_that_nothing_decodes_is_refused(
    read: Callable[[Path], object], tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    path = write_video(tmp_path / "a.avi", [np.full((48, 64, 3), 100, np.uint8)] * 3, 10)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZZZ"))
    with pytest.raises(SourceError, match="cannot be decoded"):
        read(path)


def test_a_title_in_another_encoding_does_not_matter(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    path = write_video(tmp_path / "a.avi", [np.full((48, 64, 3), 100, np.uint8)] * 3, 10)
    encoder = b"Lavf"  # the name of what wrote the file stands in its metadata
    assert encoder in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(encoder, b"Caf\xe9"))
    assert len(list(open_source(path, FrameSettings(fps=100)).frames())) == 3


def test_a_stamp_that_claims_a_year_is_taken_for_damaged(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    path = write_video(tmp_path / "a.mp4", [np.full((48, 64, 3), 100, np.uint8)] * 4, 10)
    with open_video(path) as container:
        clock, times = Clock(container.streams.video[0]), []
        for number, frame in enumerate(container.decode(video=0)):
            assert frame.pts is not None and frame.time_base is not None
            frame.pts += int(365 * LONGEST / frame.time_base) if number == 1 else 0
            times.append(clock.read(frame)[0])
    assert times == pytest.approx([0, 0.1, 0.2, 0.3])


def test_packets_of_a_stream_that_begins_in_the_middle_are_passed_over() -> None:
    steps = iter([1, None, 2])

    def demux() -> Iterator[int]:
        for step in steps:
            if step is None:
                raise IndexError
            yield step

    container = SimpleNamespace(demux=demux)
    assert list(cast(Iterator[object], packets_of(cast(av.container.InputContainer, container)))) == [1, 2]


def test_a_head_that_claims_days_from_frame_to_frame_is_taken_for_damaged() -> None:
    stream = SimpleNamespace(time_base=None, start_time=None, average_rate=Fraction(1, 419430), guessed_rate=None)
    assert Clock(cast(av.VideoStream, stream)).step == pytest.approx(0.04)


@pytest.fixture
def store(tmp_path: Path) -> LessonStore:
    """An empty store in a file, which is what can be held, filled and spoilt."""
    return LessonStore(tmp_path / "store" / "lessons.sqlite")


@pytest.fixture(params=["zero", "pipe", "socket", "folder", "nothing", "link to itself", "long name"])
def odd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The path of something that is no ordinary file."""
    if sys.platform == "win32":
        pytest.skip("Windows has none of these")
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    path = Path("odd.png")
    with socket.socket(socket.AF_UNIX) as listener:
        match request.param:
            case "zero":
                path = Path("/dev/zero")
            case "pipe":
                os.mkfifo(path)
            case "socket":
                listener.bind(str(path))
            case "folder":
                path.mkdir()
            case "link to itself":
                path.symlink_to(path)
            case "long name":
                path = Path("x" * 5000)
        yield path


COMMANDS = (
    "analyze {} --purpose demo --db a.sqlite", "predict {} --whole", "data {}", "data a.csv --labels {}", "check {}",
    "augment {} --whole", "lessons --db {}", "analyze a.png --purpose demo --db a.sqlite --settings {}",
    "analyze a.png --purpose demo --db a.sqlite --agenda {} --json", "predict a.png --model {}", "train {}",
)  # fmt: skip


@pytest.mark.parametrize("line", COMMANDS)
def test_what_is_no_ordinary_file_is_told_in_words(line: str, odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Pictures.new("RGB", (60, 40)).save("a.png")
    words = [word.format(odd) for word in line.split()]
    try:
        code = main(words)
    except SystemExit as wrong_use:
        code = int(wrong_use.code or 0)
    told = capsys.readouterr()
    assert code in (0, 1, 2) and "Traceback" not in told.err
    assert code == 0 or "roomread" in told.err


NAMES = ("two\nlines", "\x1b[31mred", "quotes\"' 😀", "-dash", "bad\udcff", "a" * 240)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_a_file_may_have_any_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [f"./{name}.png" for name in NAMES]
    for path in paths:
        Pictures.new("RGB", (60, 40)).save(path)
    quick = ["--signals", "0", "--db", "a.sqlite", "--purpose", "demo"]
    assert main(["analyze", *paths, *quick, "--out", "out", "--json"]) == 0
    assert main(["predict", *paths, "--whole", "--json"]) == 0
    assert main(["lessons", "--db", "a.sqlite"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    kept = [lesson.source for lesson in LessonStore(Path("a.sqlite")).lessons()]
    assert len(kept) == len(NAMES) and all(source.isprintable() for source in kept)


def test_a_reference_that_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    Pictures.new("RGB", (60, 40)).save(path)
    line = [
        "analyze",
        str(path),
        "--purpose",
        "research",
        "--reference",
        "bad\udcff",
        "--db",
        str(tmp_path / "a.sqlite"),
    ]
    assert main([*line, "--signals", "0"]) == 1
    assert "roomread: The store" in capsys.readouterr().err


def test_only_pictures_are_taken_for_pictures(tmp_path: Path) -> None:
    for name in ("a.mpg", "a.pdf", "a.eps", "a.h5"):
        (tmp_path / name).write_bytes(b"x")
        assert not is_picture(tmp_path / name)
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(SourceError, match="it is no picture"):
        read_picture(tmp_path / "a.png")


def test_links_are_followed_out_of_a_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "train" / "happy", tmp_path / "elsewhere.png"
    inside.mkdir(parents=True)
    Pictures.new("L", (48, 48), 7).save(outside)
    (inside / "a.png").symlink_to(outside)
    assert len(read_faces(tmp_path / "train")) == 1
    (inside / "b.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match=r"b\.png"):
        read_faces(tmp_path / "train")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table.assign(label=[[1]]),
        lambda table: table.assign(label=[{"a": 1}]),
        lambda table: table.assign(image=[{"bytes": "x"}]),
        lambda table: table.assign(row=["first"]),
        lambda table: table.assign(row=[float("nan")]),
        lambda table: table.assign(usage=[{"a": 1}]),
        lambda table: table.drop(columns="usage"),
    ],
    ids=["list", "object", "nested", "word", "NaN", "odd split", "no split"],
)
def test_a_parquet_file_of_other_columns_is_refused(
    spoil: Callable[[pd.DataFrame], pd.DataFrame], tmp_path: Path
) -> None:
    table = spoil(pd.DataFrame({"image": [b"x"], "label": [3], "usage": ["Training"]}))
    fastparquet.write(str(tmp_path / "a.parquet"), table, object_encoding="infer")
    with pytest.raises(DataError, match="parquet"):
        read_parquet(tmp_path / "a.parquet")


def test_a_field_of_100_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"emotion,pixels,Usage\n3," + b"7 " * 50_000_000 + b",Training\n")
    with pytest.raises(DataError, match="field larger"):
        read_faces(path)
    with pytest.raises(CodesError, match="bytes, more than"):
        read_codes([path])


def test_long_tables_and_captions_take_no_longer_than_they_are(tmp_path: Path) -> None:
    n = 100_000
    (tmp_path / "a.csv").write_text("".join(f"{k},a\n" for k in range(n)), encoding="utf-8")
    assert len(read_structure(tmp_path / "a.csv").parts) == n
    (tmp_path / "a.vtt").write_text("WEBVTT\n" + "0 --> 30\n" * n, encoding="utf-8")
    assert len(read_structure(tmp_path / "a.vtt").parts) == n
    (tmp_path / "elan.txt").write_text(f"a{' ' * 130_000}b\t0\t1\t2\t3\n", encoding="utf-8")
    with pytest.raises(CodesError):
        read_codes([tmp_path / "elan.txt"])


@pytest.mark.parametrize("level", ["²", "9" * 5000, "-1", ""])
def test_a_level_is_a_plain_number(level: str) -> None:
    with pytest.raises(CodesError):
        parse_words(f"low={level}")


def test_a_glance_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,duration,seat,observer,level\n1:00,0,1,a,1\n", encoding="utf-8")
    with pytest.raises(CodesError, match="takes no time"):
        read_codes([tmp_path / "a.csv"])


@pytest.mark.parametrize(
    "text",
    [
        f"fps = {'9' * 5000}", f"fps = {'9' * 400}", f"fps = 0x{'f' * 9000}", "fps = nan", f"masks = {'[' * 5000}",
        "threads = 1000000", "fps = 1e-300", "start = 1e300", 'model = "a\\u0000b"', "[detector]\nsmallest_face = inf",
        "[masks]\nfractions = [[nan, 0, 1, 1]]", "[masks]\npixels = [[0, 0, 1e300, 1]]",
    ],
)  # fmt: skip
def test_a_number_that_nobody_means_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"a\.toml"):
        read_settings(AnalyzeSettings, path)


def test_a_mark_at_the_beginning_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("fps = 3", encoding="utf-8-sig")
    assert read_settings(AnalyzeSettings, path).fps == 3
    with pytest.raises(ValueError, match="smallest_face"):
        DetectorSettings(smallest_face=float("nan"))


@pytest.mark.parametrize(
    ("column", "value"),
    [("notes", "{"), ("notes", "3"), ("notes", 100_000 * "["), ("purpose", "fun"), ("name", b"\xff")],
)
def test_a_lesson_whose_row_is_damaged_is_told(
    column: str, value: object, store: LessonStore, lesson: Callable[..., Lesson]
) -> None:
    kept = store.add(lesson())
    with store.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE lessons SET {column} = ?", (value,))
    for read in (store.lessons, lambda: store.find("1"), lambda: store.numbered(kept.number)):
        with pytest.raises(StoreError):
            read()


@pytest.mark.parametrize("version", ["odd", -1])
def test_a_store_of_no_version_is_refused(version: object, store: LessonStore) -> None:
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE store SET version = ?", (version,))
    with pytest.raises(StoreError, match="damaged"):
        LessonStore(store.name)


def test_what_a_library_reads_for_ever_or_does_not_survive_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(b"x")
    assert read_apart(path, "import sys; print(sys.argv[1], end='')") == str(path).encode()
    for program, words in (
        ("import os; os.abort()", "it is damaged"),
        ("raise KeyError('x')", "KeyError: 'x'"),
    ):
        with pytest.raises(OSError, match=words):
            read_apart(path, program)
    monkeypatch.setattr(outside, "LONGEST", 0.2)
    with pytest.raises(OSError, match="could not be read within"):
        read_apart(path, "while True: pass")
