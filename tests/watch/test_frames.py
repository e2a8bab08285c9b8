import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.errors import SourceError
from roomread.watch import frames as module
from roomread.watch.frames import NATIVE, FrameSettings, open_source
from roomread.watch.livesource import LiveSettings
from roomread.watch.streams import FileStream, to_rgb


def gray(level, size=(64, 48)):
    return np.full((size[1], size[0], 3), level, np.uint8)


def frames_of(path, **settings):
    source = open_source(path, FrameSettings(**settings))
    return list(source.frames()), source


@pytest.fixture
def clip(tmp_path, write_video):
    """Two seconds at 10 frames a second; frame k has the gray level 10 k."""
    path = tmp_path / "clip.mp4"
    write_video(path, [gray(10 * k) for k in range(20)], 10)
    return path


def test_native_yields_every_frame_with_its_time_and_number(clip):
    frames, source = frames_of(clip, fps=NATIVE)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 10, atol=1e-3)
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.image.mean() for frame in frames], 10 * np.arange(20), atol=6)
    assert source.length == pytest.approx(2.0, abs=0.11)
    assert source.notes == []


def test_a_rate_takes_the_first_frame_that_is_due(clip):
    frames, _ = frames_of(clip, fps=4)
    assert [frame.index for frame in frames] == [0, 3, 5, 8, 10, 13, 15, 18]


def test_a_rate_above_the_videos_own_takes_every_frame_once(clip):
    assert len(frames_of(clip, fps=1000)[0]) == 20


def test_start_and_end_cut_by_true_times(clip):
    frames, source = frames_of(clip, fps=NATIVE, start=0.5, end=1.2)
    np.testing.assert_allclose([frame.time for frame in frames], [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1], atol=1e-3)
    assert [frame.index for frame in frames] == list(range(5, 12))
    assert source.length == pytest.approx(0.7)


def test_a_variable_rate_keeps_the_containers_times(tmp_path):
    path = tmp_path / "variable.mkv"
    times = [0.0, 0.04, 0.5, 0.54, 2.0]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(gray(40 * number), format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames, _ = frames_of(path, fps=NATIVE)
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=2e-3)


@pytest.mark.parametrize(("ratio", "width"), [(Fraction(4, 3), 128), (Fraction(8, 9), 85), (Fraction(1), 96)])
def test_pictures_are_as_wide_as_they_are_meant_to_be_seen(tmp_path, ratio, width):
    path = tmp_path / "camcorder.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = ratio
        for level in (50, 100, 150):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gray(level, (96, 64)), format="rgb24")))
        container.mux(stream.encode(None))
    frames, _ = frames_of(path, fps=NATIVE)
    assert [frame.image.shape for frame in frames] == [(64, width, 3)] * 3
    assert [round(frame.image.mean() / 50) for frame in frames] == [1, 2, 3]
    live = FileStream(path, LiveSettings())
    assert [to_rgb(frame, live.ratio).shape for frame in live.pictures(lambda: True)] == [(64, width, 3)] * 3


def test_numbered_pictures_come_in_the_order_of_their_numbers(tmp_path):
    for number in (1, 2, 10, 12):
        Pictures.fromarray(gray(10 * number)).save(tmp_path / f"frame{number}.png")
    frames, _ = frames_of(tmp_path)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [10, 20, 100, 120]


def test_a_picture_that_grows_too_large_on_the_way_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / "grows.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number, size in enumerate([(64, 48), (64, 48), (96, 64)]):
            file = io.BytesIO()
            Pictures.fromarray(gray(100, size)).save(file, "JPEG")
            packet = av.Packet(file.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 10)
            container.mux(packet)
    assert len(frames_of(path, fps=NATIVE)[0]) == 3
    monkeypatch.setattr(module, "LARGEST_FRAME", 64 * 48)
    frames, source = frames_of(path, fps=NATIVE)
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 2
    assert source.notes == ["1 damaged part of the video could not be decoded: those frames are missing."]


def test_a_video_in_which_no_place_is_found_is_read_from_its_beginning(clip, monkeypatch):
    opened = module.open_video

    class Lost:
        def __init__(self, path):
            self.container = opened(path)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.container.close()

        def __getattr__(self, name):
            return getattr(self.container, name)

        def seek(self, *_, **__):
            raise av.InvalidDataError(0, "Invalid data found when processing input")

    monkeypatch.setattr(module, "open_video", Lost)
    frames, _ = frames_of(clip, fps=NATIVE, start=1.0)
    assert [frame.index for frame in frames] == list(range(10, 20))


def test_colours_are_rgb(tmp_path, write_video):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 255
    path = tmp_path / "red.mp4"
    write_video(path, [red] * 3, 10)
    mean = frames_of(path)[0][0].image.mean(axis=(0, 1))
    assert mean[0] > 200
    assert mean[2] < 60


def rotate_header(path, matrix):
    """Write another display matrix into an MP4's track header, as a phone held upright does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version, times, track, reserved, duration, layer, volume: then the matrix
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("matrix", "bright_corner"),
    [
        pytest.param((0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000), "top right", id="a quarter clockwise"),
        pytest.param((-0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000), "bottom right", id="half round"),
        pytest.param((0, -0x10000, 0, 0x10000, 0, 0, 0, 0, 0x40000000), "bottom left", id="a quarter the other way"),
    ],
)
def test_a_phones_rotation_is_undone(tmp_path, write_video, matrix, bright_corner):
    image = gray(0, (96, 64))
    image[:16, :16] = 255  # top left as recorded
    path = tmp_path / "phone.mp4"
    write_video(path, [image] * 3, 10)
    rotate_header(path, matrix)
    seen = frames_of(path)[0][0].image
    height, width = seen.shape[:2]
    assert (width, height) == ((96, 64) if bright_corner == "bottom right" else (64, 96))
    corners = {
        "top left": seen[:16, :16],
        "top right": seen[:16, -16:],
        "bottom left": seen[-16:, :16],
        "bottom right": seen[-16:, -16:],
    }
    assert max(corners, key=lambda name: corners[name].mean()) == bright_corner


def test_a_truncated_video_keeps_what_could_be_read_and_says_what_is_lost(tmp_path, write_video):
    rng = np.random.default_rng(0)
    path = tmp_path / "long.mkv"
    write_video(path, [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60)], 10)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    frames, source = frames_of(path, fps=NATIVE)
    assert 10 < len(frames) < 55
    assert any("breaks off" in note for note in source.notes)


def test_a_clock_that_begins_anew_goes_on_and_is_told(tmp_path, write_video):
    parts = [write_video(tmp_path / name, [gray(10 * k) for k in range(20)], 10) for name in ("a.ts", "b.ts")]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    frames, source = frames_of(tmp_path / "both.ts", fps=NATIVE)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(40) / 10, atol=0.011)
    assert source.notes == ["The recording's clock began anew once; what follows is taken to follow at once."]
    assert len(frames_of(tmp_path / "both.ts", fps=5)[0]) == 20
    assert frames_of(parts[0])[1].notes == []


def test_one_stamp_that_falls_back_moves_no_clock(clip):
    with av.open(str(clip)) as container:
        clock, times = module.Clock(container.streams.video[0]), []
        for number, frame in enumerate(container.decode(video=0)):
            if number in (12, 13):
                frame.pts = 0
            times.append(clock.read(frame)[0])
    np.testing.assert_allclose(times, np.arange(20) / 10, atol=1e-3)
    assert clock.restarts == 0


@pytest.mark.parametrize("name", ["late.mkv", "late.webm"])
def test_a_track_that_begins_late_or_is_outlasted_by_sound_is_whole(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx" if name.endswith("webm") else "mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("libopus", rate=48_000)
        for number in range(40):
            picture = av.VideoFrame.from_ndarray(gray(5 * number), format="rgb24")
            picture.pts, picture.time_base = 50 + number, Fraction(1, 10)
            container.mux(video.encode(picture))
        for number in range(600):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 960 * 2), np.int16), format="s16", layout="stereo")
            samples.sample_rate, samples.pts, samples.time_base = 48_000, 960 * number, Fraction(1, 48_000)
            container.mux(sound.encode(samples))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    frames, source = frames_of(path, fps=NATIVE)
    assert len(frames) == 40 and frames[0].time == 0
    assert source.length == pytest.approx(4.0, abs=0.11)
    assert source.notes == []


def test_start_and_end_cut_a_folder_too(tmp_path):
    for level in range(6):
        Pictures.fromarray(gray(10 * level)).save(tmp_path / f"{level}.png")
    frames, source = frames_of(tmp_path, start=1.5, end=4.0)
    assert [(frame.time, frame.index) for frame in frames] == [(2.0, 2), (3.0, 3)]
    assert source.length == 2.0
    assert frames_of(tmp_path, start=9.0)[0] == []


def test_a_folder_yields_its_pictures_by_name_one_second_apart(tmp_path):
    for name, level in (("b.png", 20), ("a.png", 10), ("c.jpg", 30)):
        Pictures.fromarray(gray(level)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    frames, source = frames_of(tmp_path)
    assert [frame.time for frame in frames] == [0.0, 1.0, 2.0]
    np.testing.assert_allclose([frame.image.mean() for frame in frames], [10, 20, 30], atol=1)
    assert source.notes == []


def test_an_unreadable_picture_among_good_ones_is_skipped_counted_and_named(tmp_path):
    Pictures.fromarray(gray(10)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"not a picture")
    frames, source = frames_of(tmp_path)
    assert len(frames) == 1
    assert source.notes == ["1 of 2 pictures could not be read: b.png."]


def test_pictures_of_several_sizes_are_told(tmp_path):
    Pictures.fromarray(gray(10)).save(tmp_path / "a.png")
    Pictures.fromarray(gray(10, (32, 32))).save(tmp_path / "b.png")
    assert "differ in size" in frames_of(tmp_path)[1].notes[0]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.mp4", None, "does not exist"),
        ("text.mp4", b"hello world\n" * 100, "cannot be opened as a video"),
        ("empty.mp4", b"", "is empty"),
        ("noise.bin", bytes(range(256)) * 40, "cannot be opened as a video"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "cannot be opened as a video"),
        ("text.jpg", b"hello", "cannot be read: it is no picture"),
        ("empty.png", b"", "cannot be read"),
    ],
)
def test_a_bad_source_is_refused_in_words(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=words):
        open_source(tmp_path / name, FrameSettings())


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(SourceError, match="holds no picture"):
        open_source(tmp_path, FrameSettings())


@pytest.mark.parametrize("settings", [{"fps": 0.0}, {"fps": float("nan")}, {"start": -1.0}, {"start": 5.0, "end": 5.0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="Received"):
        FrameSettings(**settings)
