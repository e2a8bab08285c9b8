"""Pieces of a video: together they are the whole, frame for frame."""

import itertools
import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from roomread.watch.frames import NATIVE, WHOLE, FrameSettings, Piece, VideoSource, open_source
from roomread.watch.pieces import cut


def write(path, codec, *, variable=False, between=0, options=None):
    """Write five seconds, each frame another picture, with a key frame every 20 frames."""
    noise, time = np.random.default_rng(0), 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(30000, 1001), options=options or {})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 20, between
        if variable:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(150):
            image = np.full((48, 64, 3), number, np.uint8)
            image[number % 48] = 255
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if variable:
                frame.pts, frame.time_base = time, Fraction(1, 1000)
                time += int(noise.choice([33, 34, 100, 333]))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


FORMS = {
    "an even rate": ("a.mp4", "mpeg4", {}),
    "frames between others": ("b.mp4", "libx264", {"between": 2}),
    "key frames after frames shown before them": (
        "c.mkv",
        "libx264",
        {"between": 3, "options": {"x264-params": "open-gop=1"}},
    ),
    "a container that seeks roughly": ("d.ts", "libx264", {"between": 2}),
    "a variable rate": ("e.mkv", "mpeg4", {"variable": True}),
    "a container without times of showing": ("f.avi", "mpeg4", {}),
}
SETTINGS = {
    "five a second": {"fps": 5.0},
    "all": {"fps": NATIVE},
    "a rate that divides nothing, a start and an end": {"fps": 7.3, "start": 1.1, "end": 3.9},
}


@pytest.mark.parametrize("chosen", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize(("name", "codec", "how"), FORMS.values(), ids=FORMS.keys())
def test_the_frames_of_the_pieces_are_those_of_the_whole(tmp_path, name, codec, how, chosen):
    path, settings = write(tmp_path / name, codec, **how), FrameSettings(**chosen)
    pieces = cut(path, settings, 0.9)
    whole = list(open_source(path, settings).frames())
    parts = [frame for piece in pieces for frame in open_source(path, settings, piece).frames()]
    assert len(pieces) > 1
    assert [(frame.time, frame.index) for frame in parts] == [(frame.time, frame.index) for frame in whole]
    assert all((one.image == other.image).all() for one, other in zip(parts, whole, strict=True))


def test_pieces_are_about_as_long_as_wanted_and_end_where_the_next_begins(tmp_path):
    pieces = cut(write(tmp_path / "a.mp4", "mpeg4"), FrameSettings(), 1.0)
    assert pieces[0].stamp is None and pieces[-1].end == math.inf
    assert all(one.end == other.start for one, other in itertools.pairwise(pieces))
    lengths = np.diff([piece.start for piece in pieces])
    assert len(pieces) > 3 and (abs(lengths - 1.0) < 0.4).all()


def test_a_video_no_longer_than_a_piece_and_a_half_is_one(tmp_path):
    assert cut(write(tmp_path / "a.mp4", "mpeg4"), FrameSettings(), 4.0) == (WHOLE,)


def test_without_key_frames_to_cut_at_a_video_is_one_piece(tmp_path, write_video):
    path = write_video(tmp_path / "short.mp4", [np.full((48, 64, 3), 9, np.uint8)] * 10, 10)
    assert cut(path, FrameSettings(), 0.2) == (WHOLE,)


def test_a_piece_counts_its_own_damage_and_only_the_last_says_that_the_video_breaks_off(tmp_path, write_video):
    noise = np.random.default_rng(0)
    path = write_video(tmp_path / "torn.mkv", [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60)], 10)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    settings = FrameSettings(fps=NATIVE)
    sources = [VideoSource(path, settings, piece) for piece in cut(path, settings, 1.2)]
    whole = VideoSource(path, settings)
    parts = [frame.time for source in sources for frame in source.frames()]
    assert parts == [frame.time for frame in whole.frames()]
    assert sum(source.damaged for source in sources) == whole.damaged
    assert [note for source in sources for note in source.notes] == whole.notes[-1:]
    assert "breaks off" in whole.notes[-1]


def test_a_file_of_which_nothing_is_a_video_is_refused(tmp_path):
    with pytest.raises(Exception, match=r"holds no video|cannot be opened"):
        cut(Path(__file__), FrameSettings(), 1.0)


def test_a_piece_begins_at_its_key_frame_even_where_seeking_goes_too_far(tmp_path):
    path, settings = write(tmp_path / "d.ts", "libx264", between=2), FrameSettings(fps=NATIVE)
    piece = cut(path, settings, 0.9)[1]
    assert isinstance(piece, Piece)
    first = next(iter(open_source(path, settings, piece).frames()))
    assert (first.time, first.index) == (piece.start, piece.index)
