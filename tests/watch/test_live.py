import contextlib
import io
import itertools
import socket
import struct
import sys
import threading
import time
from base64 import b64encode
from contextlib import closing
from fractions import Fraction
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.errors import SourceError
from roomread.types import Frame
from roomread.watch import cameras, live, outages, streams
from roomread.watch.address import parse_address
from roomread.watch.cameras import Camera, find_again, find_camera, list_cameras
from roomread.watch.frames import NATIVE
from roomread.watch.live import StreamSource, open_live
from roomread.watch.livesource import LiveSettings
from roomread.watch.outages import BrokenError, Patience
from roomread.watch.push import PushSource
from roomread.watch.slot import Slot

LONG = 20.0  # seconds; far more than anything here takes, so that only a test that hangs ends by it


def settings(**changes):
    usual = {"fps": NATIVE, "first_wait": 0.01, "longest_wait": 0.05, "give_up": LONG}
    return LiveSettings(**(usual | changes))


def gray(level, size=(64, 48)):
    return np.full((size[1], size[0], 3), level, np.uint8)


@cache
def jpeg(level, size=(64, 48)):
    file = io.BytesIO()
    Pictures.fromarray(gray(level, size)).save(file, "JPEG")
    return file.getvalue()


def until(true):
    """Wait for something that another thread does."""
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def take(source, n):
    """Return n frames and close the source."""
    with closing(source):
        frames = list(itertools.islice(source.frames(), n))
    assert len(frames) == n
    assert np.all(np.diff([frame.time for frame in frames]) > 0)
    assert np.all(np.diff([frame.index for frame in frames]) > 0)
    return frames


class Handler(BaseHTTPRequestHandler):
    """One connection to the room's camera; what it does is written in each test."""

    server: "Room"

    def log_message(self, *_):
        pass

    def do_GET(self):
        room = self.server
        room.seen.append(dict(self.headers) | {"path": self.path})
        answer = room.answers[min(len(room.seen), len(room.answers)) - 1]
        answer(self)

    def begin(self, kind="multipart/x-mixed-replace; boundary=frame", status=200, **headers):
        self.send_response(status)
        for name, value in (({"Content-Type": kind} if kind else {}) | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def part(self, data, length=None):
        head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (length or len(data))
        self.wfile.write(head + data + b"\r\n")

    def hang(self):
        self.server.over.wait(LONG)

    def stream(self, level=100, size=(64, 48)):
        """Send pictures until the watcher or the test has had enough."""
        while not self.server.over.wait(0.01):
            self.part(jpeg(level, size))


class Room(ThreadingHTTPServer):
    """A camera in the network: each connection is answered by the next of `answers`, the last one for all others."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.seen, self.over = [], [], threading.Event()

    def address(self, user=""):
        return f"http://{user}127.0.0.1:{self.server_port}/video?token=hidden"

    def handle_error(self, *_):
        """A watcher that has gone is no error."""


@pytest.fixture
def room():
    server = Room()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def always(connection):
    connection.begin()
    connection.stream()


@pytest.fixture
def clip(tmp_path, write_video):
    """Half a second at 20 frames a second; frame k has the gray level 20 k."""
    return write_video(tmp_path / "clip.mp4", [gray(20 * k) for k in range(10)], 20)


def test_a_file_plays_at_its_own_pace_and_ends(clip):
    source = open_live(str(clip), settings())
    assert (source.name, source.length, source.state) == ("clip.mp4", None, "opening")
    began = time.monotonic()
    frames, arrived = [], []
    for frame in source.frames():
        frames.append(frame)
        arrived.append(time.monotonic() - began)
    assert arrived[0] < 5  # about 0.03 on an idle machine
    assert arrived[-1] > 0.4  # much longer than decoding takes
    times = [frame.time for frame in frames]
    assert np.all(np.diff(times) > 0) and times[-1] > 0.3
    assert [frame.image.mean() for frame in frames] == pytest.approx([20 * frame.index for frame in frames], abs=6)
    assert frames[-1].index == 9
    assert len(frames) == source.delivered == 10 - source.dropped
    assert source.state == "closed"
    assert all("not looked at" in note for note in source.notes)


def test_the_newest_frame_wins_and_only_what_is_delivered_becomes_rgb(clip, monkeypatch):
    made = []

    def make(frame, ratio):
        made.append(frame)
        return gray(0)

    monkeypatch.setattr(streams, "upright", make)
    source = open_live(str(clip), settings())
    frames = source.frames()
    next(frames)
    until(lambda: source.state == "closed")  # the file comes to its end meanwhile
    assert [frame.index for frame in frames] == [9]
    assert (source.delivered, source.dropped, len(made)) == (2, 8, 2)
    assert source.notes == [
        "8 frames were not looked at, as newer ones came before there was time; 2 frames were delivered."
    ]


def test_a_file_is_looked_at_as_often_as_the_rate_says(clip):
    frames = list(open_live(str(clip), settings(fps=5)).frames())
    assert 2 <= len(frames) <= 4


def test_a_file_that_can_be_analysed_can_be_watched_however_large(tmp_path, write_video):
    large = write_video(tmp_path / "large.avi", [gray(100, (4208, 4000))], 5)
    assert next(open_live(str(large), settings()).frames()).image.shape == (4000, 4208, 3)


def test_what_is_no_video_is_refused_without_asking_for_a_picture(tmp_path):
    Pictures.fromarray(gray(0)).save(tmp_path / "photo.jpg")
    with pytest.raises(SourceError, match=r"cannot be opened as a video\. Expected: MP4") as caught:
        open_live(str(tmp_path / "photo.jpg"), settings())
    assert "picture" not in str(caught.value)


def test_the_pictures_of_a_file_may_lie_further_apart_than_those_of_a_camera(tmp_path, write_video):
    slow = write_video(tmp_path / "slow.mp4", [gray(0)] * 3, 5)
    source = open_live(str(slow), settings(stall=0.05))
    assert len(list(source.frames())) + source.dropped == 3
    assert not [note for note in source.notes if "No picture" in note]


def test_a_file_that_breaks_off_ends_and_is_not_played_again(clip, monkeypatch):
    def broken(*_):
        raise av.error.OSError(5, "Input/output error", "clip.mp4")
        yield

    monkeypatch.setattr(streams.FileStream, "_whole", broken)
    with pytest.raises(
        SourceError, match=r"clip.mp4 cannot be watched. Expected: a video file. Received: Input/output"
    ):
        list(open_live(str(clip), settings()).frames())


def test_pictures_come_over_http_whatever_their_colours(room):
    room.answers = [always]
    source = open_live(room.address(), settings())
    frames = take(source, 3)
    assert frames[0].time >= 0 and frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.mean() == pytest.approx(100, abs=3)
    assert source.name == f"http://127.0.0.1:{room.server_port}/video"
    assert room.seen[0]["path"] == "/video?token=hidden"
    assert source.state == "closed"
    assert all("not looked at" in note for note in source.notes)


@pytest.mark.parametrize("kind", [None, "jpeg"], ids=["no type", "no proper type"])
def test_an_answer_that_does_not_say_what_it_is_is_known_by_its_bytes(room, kind):
    def answer(connection):
        connection.begin(kind)
        connection.stream()

    room.answers = [answer]
    frames = take(open_live(room.address(), settings()), 2)
    assert frames[0].image.mean() == pytest.approx(100, abs=3)


def test_a_password_is_sent_when_asked_for_and_never_shown(room):
    def ask(connection):
        connection.begin(status=401, WWW_Authenticate='Basic realm="room"')

    def breaks(connection):
        connection.begin()
        connection.part(jpeg(0))

    room.answers = [ask, breaks, ask, always]
    source = open_live(room.address("me:se%63ret@"), settings())
    with closing(source):
        frames = source.frames()
        next(frames)
        until(lambda: len(room.seen) > 3)
        next(frames)
    assert room.seen[1]["Authorization"] == "Basic " + b64encode(b"me:secret").decode()
    assert "ret@" not in str(source.notes) + source.name and "hidden" not in str(source.notes)
    assert len(source.notes) >= 1


def test_a_stream_that_stalls_is_opened_again_and_the_outage_is_noted(room):
    waiting = threading.Event()

    def stalls(connection):
        connection.begin()
        connection.part(jpeg(50))
        connection.hang()

    def refuses(connection):
        waiting.wait(LONG)
        connection.begin(status=503)

    room.answers = [stalls, refuses, always]
    source = open_live(room.address(), settings(stall=0.6))
    with closing(source):
        frames = source.frames()
        before = next(frames)
        until(lambda: source.state == "waiting")
        waiting.set()
        after = next(frames)
    assert after.time > before.time + 0.5 and after.index > before.index
    assert "No picture from " in source.notes[0] and source.notes[0].endswith(
        " (nothing for 0.6 s); the stream was opened again 2 times."
    )


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda c: c.part(jpeg(0)[:300], 600), "it ended"),
        (lambda c: (c.wfile.write(b"no picture at all\r\n" * 5000), c.hang()), "data that is no video"),
        (lambda c: [c.part(b"\xff\xd8 no picture") for _ in range(3)], "it ended"),
        (lambda c: c.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)), ""),
    ],
    ids=["cut off within a picture", "garbage", "garbage in the place of pictures", "reset"],
)
def test_a_stream_that_breaks_is_opened_again(room, spoil, reason):
    def breaks(connection):
        connection.begin()
        connection.part(jpeg(50))
        spoil(connection)

    room.answers = [breaks, always]
    source = open_live(room.address(), settings(stall=LONG))
    with closing(source):
        frames = source.frames()
        levels = [next(frames).image.mean()]
        until(lambda: len(room.seen) > 1)
        levels += [next(frames).image.mean() for _ in range(2)]
    assert levels[-1] == pytest.approx(100, abs=3)
    assert not [level for level in levels if min(abs(level - 50), abs(level - 100)) > 3]  # nothing half gray
    outage = [note for note in source.notes if "No picture" in note]
    assert len(outage) == 1 and reason in outage[0] and "opened again" in outage[0]


def test_pictures_that_cannot_be_decoded_are_counted(room):
    def damaged(connection):
        connection.begin()
        for _ in range(3):
            connection.part(b"\xff\xd8 no picture")
        connection.stream()

    room.answers = [damaged]
    source = open_live(room.address(), settings())
    take(source, 2)
    assert source.damaged == 3
    assert "3 frames were damaged and left out." in source.notes


def test_a_change_of_size_is_noted_once(room):
    def changes(connection):
        connection.begin()
        for size in itertools.cycle([(64, 48), (96, 64), (32, 32)]):
            connection.part(jpeg(0, size))
            if connection.server.over.wait(0.01):
                return

    room.answers = [changes]
    source = open_live(room.address(), settings())
    with closing(source):
        shapes = [frame.image.shape for frame in itertools.islice(source.frames(), 8)]
    assert len(set(shapes)) > 1
    (note,) = [note for note in source.notes if "changed its size" in note]
    assert "from 64 x 48 to 96 x 64 pixels" in note


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda c: c.begin(status=404), "HTTP 404"),
        (lambda c: c.begin(status=401, WWW_Authenticate='Basic realm="x"'), "HTTP 401, as user or password"),
        (lambda c: c.begin(status=401, WWW_Authenticate="Odd x"), "HTTP 401|not understood"),
        (lambda c: c.begin(status=302, Location="file:///etc/passwd"), "HTTP 302, a redirection"),
        (lambda c: c.begin("text/html"), "a page"),
        (lambda c: c.begin("image/jpeg"), "a single picture"),
        (lambda c: c.begin("application/vnd.apple.mpegurl"), "a playlist"),
        (lambda c: (c.begin("video/mp2t"), c.wfile.write(b"#EXTM3U\n#EXTINF:1,\nfile:///a.ts\n")), "no video"),
        (lambda c: (c.begin(), c.wfile.write(b"nothing" * 100)), "an end before"),
        (lambda c: c.wfile.write(b"220 mail here\r\n"), "not understood"),
        (lambda c: None, "closed without an answer"),
    ],
    ids=["404", "401", "odd 401", "302", "page", "picture", "playlist", "hidden list", "text", "no HTTP", "silence"],
)
def test_what_cannot_be_watched_is_refused_in_words(room, answer, words):
    room.answers = [answer]
    source = open_live(room.address("me:secret@"), settings())
    with pytest.raises(SourceError, match=rf"video cannot be watched\. Expected: .* Received: .*({words})") as caught:
        next(source.frames())
    assert "secret" not in str(caught.value) and "hidden" not in str(caught.value)
    assert caught.value.__context__ is None  # no other error, which may hold the address, is printed with it
    assert source.state == "closed"


def test_a_source_is_given_up_as_late_as_its_settings_say(room):
    def once(connection):
        connection.begin()
        connection.part(jpeg(0))

    room.answers = [once, lambda connection: connection.begin(status=503)]
    source = open_live(room.address(), settings(give_up=0.15))
    source.start()
    until(lambda: source.state != "opening")
    assert len(list(source.frames())) == 1
    assert "until it was given up at" in source.notes[0] and "(it ended)" in source.notes[0]
    silent = PushSource("page", settings(give_up=0.15))
    with pytest.raises(SourceError, match=r"page sent no picture. Expected: one within 0.15 seconds. Received: none"):
        list(silent.frames())


@pytest.mark.parametrize("headed", [True, False], ids=["between pictures", "before it answers"])
def test_close_returns_at_once_while_a_stream_hangs(room, headed):
    def hangs(connection):
        if headed:
            always_one(connection)
        connection.hang()

    def always_one(connection):
        connection.begin()
        connection.part(jpeg(0))

    room.answers = [hangs]
    source = open_live(room.address(), settings())
    seen: list[Frame] = []
    consumer = threading.Thread(target=lambda: seen.extend(source.frames()))
    consumer.start()
    until(lambda: source.delivered == 1 if headed else room.seen)
    began = time.monotonic()
    source.close()
    assert time.monotonic() - began < 3  # half a second on an idle machine
    consumer.join(LONG)
    assert not consumer.is_alive() and len(seen) == headed and source.state == "closed"
    source.close()
    assert source.notes == []


def test_a_camera_is_warm_before_anybody_looks_and_nothing_counts_as_dropped_till_then(room):
    room.answers = [always]
    source = open_live(room.address(), settings())
    source.start()
    until(lambda: source._slot.n > 3)
    assert source.dropped == 0
    assert take(source, 1)[0].index > 0


def rtsp_server(lengths):
    """Serve MPEG-4 over RTSP; connection k sends lengths[k] frames, then hangs if that is negative, else leaves."""
    listener = socket.create_server(("127.0.0.1", 0))

    def encoded(n):
        context = av.CodecContext.create("mpeg4", "w")
        context.width, context.height, context.pix_fmt, context.time_base = 64, 48, "yuv420p", Fraction(1, 25)
        for k in range(n):
            frame = av.VideoFrame.from_ndarray(gray(100), format="rgb24")
            frame.pts = k
            yield from (bytes(packet) for packet in context.encode(frame))

    def play(line, n):
        for k, data in enumerate(encoded(abs(n))):
            packet = struct.pack(">BBHII", 0x80, 0xE0, k, k * 3600, 1) + data
            line.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
            time.sleep(0.01)
        if n < 0:
            line.settimeout(LONG)
            while line.recv(1000):
                pass

    def serve():
        for n in lengths:
            line, _ = listener.accept()
            with line, line.makefile("rb") as lines:
                while head := [text.decode() for text in iter(lambda: lines.readline().strip(), b"")]:
                    sdp = "v=0\r\nc=IN IP4 0.0.0.0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\n"
                    body = sdp if head[0].startswith("DESCRIBE") else ""
                    count = next(text for text in head if text.startswith("CSeq"))
                    line.sendall(
                        f"RTSP/1.0 200 OK\r\n{count}\r\nSession: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n"
                        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
                    )
                    if head[0].startswith("PLAY"):
                        with contextlib.suppress(OSError):  # the watcher has gone
                            play(line, n)
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener, thread


def test_an_rtsp_stream_is_watched_over_tcp_and_opened_again_without_showing_its_password():
    listener, thread = rtsp_server([5, -5])
    with listener:
        port = listener.getsockname()[1]
        source = open_live(f"rtsp://me:secret@127.0.0.1:{port}/room", settings(stall=0.4))
        frames = source.frames()
        first = next(frames)
        until(lambda: source.notes)
        for frame in frames:  # the second connection hangs by now, or will soon
            assert frame.time > first.time
            break
        began = time.monotonic()
        source.close()
        assert time.monotonic() - began < 3
        thread.join(LONG)
    assert source.name == f"rtsp://127.0.0.1:{port}/room"
    assert source.notes[0].endswith("; the stream was opened again once.") and "secret" not in str(source.notes)


def test_an_rtsp_address_where_nobody_answers_is_refused_without_its_password():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceError, match=r"Expected: a camera or server.*Received: Connection refused") as caught:
        list(open_live(f"rtsp://me:secret@127.0.0.1:{port}/room", settings()).frames())
    assert "secret" not in str(caught.value) and caught.value.__context__ is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://a:b@host:554/live", "rtsp://host:554/live"),
        ("HTTP://a:b%40c@Host/x?pwd=secret#secret", "http://host/x"),
        ("http://a:b@c@host/x", "http://host/x"),
        ("https://[::1]:8/x", "https://[::1]:8/x"),
        ("rtsp://h/user=admin&password=secret&channel=1.sdp", "rtsp://h/user"),
        ("rtsp://h/live/user%3Dadmin%26pass%3Dsecret/more", "rtsp://h/live/user"),
        ("rtsp://h/user=admin_password=sec/secret.sdp", "rtsp://h/user"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(address, shown):
    assert parse_address(address).shown == shown
    assert shown in repr(parse_address(address)) and "secret" not in repr(parse_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://me:sec/ret@host/x",
        "rtsp://me:sec#ret@host/x",
        "http://me:sec ret@host/",
        "http://me:secret@host:99999/",
        "http://me:secret@/x",
        "http://me:sécret@host/",
        "http://me:secret@host/\r\nX: y",
        "file:///etc/secret",
        "concat:secret://me:secret@host",
    ],
)
def test_a_wrong_address_is_refused_and_not_repeated(address):
    with pytest.raises(SourceError, match=r"Expected: .* Received: ") as caught:
        open_live(address, settings())
    assert "sec" not in str(caught.value) and "ret" not in str(caught.value).replace("secret", "")


@pytest.mark.parametrize(
    ("source", "words"),
    [("nowhere.mp4", "a path where nothing is"), (".", "a folder"), ("/dev/nothing", "There is no camera at")],
)
def test_a_path_where_no_video_is_is_refused(source, words):
    with pytest.raises(SourceError, match=words):
        open_live(source, settings())


@pytest.fixture
def plug(tmp_path, monkeypatch):
    """A function that plugs a camera into a Linux machine, as the kernel would list it."""
    monkeypatch.setattr(cameras, "SYSTEM", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")

    def add(number, name, index=0, port=None):
        entry = tmp_path / f"video{number}"
        entry.mkdir()
        (entry / "name").write_text(f"{name}\n")
        (entry / "index").write_text(f"{index}\n")
        (entry / "device").symlink_to(tmp_path / f"port{port or number}")
        (tmp_path / f"port{port or number}").mkdir(exist_ok=True)
        return entry

    return add


def named(word):
    camera = find_camera(word)
    assert camera is not None and camera.word.startswith(word)
    return camera


def test_cameras_are_listed_in_the_order_of_their_numbers_without_their_further_entries(plug):
    for number, name, index in ((10, "Third", 0), (2, "Second", 0), (0, "First", 0), (1, "First", 1)):
        plug(number, name, index)
    assert [camera.name for camera in list_cameras()] == ["First", "Second", "Third"]
    assert named("camera").address == "/dev/video0"
    assert named("camera:1").address == "/dev/video2"
    with pytest.raises(SourceError, match=r"no camera 3. These are there: camera:0 \(First\)"):
        find_camera("camera:3")


def test_where_no_camera_can_be_reached_that_is_said(monkeypatch):
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert list_cameras() == []
    for source in ("camera", "/dev/zero"):
        with pytest.raises(SourceError, match=r"Expected: Linux, macOS or Windows\. Received: freebsd14"):
            open_live(source, settings())
    assert find_camera("class.mp4") is None


def test_without_a_camera_the_list_is_empty_and_the_error_says_so(plug):
    assert list_cameras() == []
    with pytest.raises(SourceError, match=r"There is no camera 0.*none is connected"):
        open_live("camera", settings())


def test_the_same_camera_is_found_again_and_never_another_one(plug):
    entry = plug(0, "Room", port=7)
    camera = named("camera")
    (entry / "device").unlink()
    entry.rename(entry.with_name("gone"))
    assert find_again(camera) is None
    plug(1, "Room", port=8)  # the same kind of camera, plugged in elsewhere
    assert find_again(camera) is None
    plug(2, "Room", port=7)
    back = find_again(camera)
    assert back is not None and back.address == "/dev/video2"


def test_a_camera_that_is_gone_and_back_goes_on(monkeypatch):
    monkeypatch.setattr(streams, "device", lambda: "lavfi")  # FFmpeg's own test pictures stand in for a camera
    places = iter(["testsrc=size=64x48:rate=50:duration=0.1,realtime", None, "testsrc=size=64x48:rate=50,realtime"])
    monkeypatch.setattr(
        streams, "find_again", lambda camera: Camera("Room", address) if (address := next(places)) else None
    )
    source = StreamSource(streams.CameraStream(Camera("Room", "anything"), settings()))
    with closing(source):
        frames = source.frames()
        next(frames)
        until(lambda: source.notes)
        assert next(frames).image.shape == (48, 64, 3)
    assert source.name == "Room"
    assert source.notes[0].endswith("(it ended); the stream was opened again 2 times.")


@pytest.mark.parametrize(
    ("error", "tried"),
    [(av.ExitError(0, "Immediate exit requested"), 1), (av.ArgumentError(22, "Invalid argument"), 3)],
    ids=["hangs", "does not know a size"],
)
def test_a_camera_is_asked_again_only_where_it_may_not_know_what_was_asked(monkeypatch, error, tried):
    asked = []

    def opened(*_, options=None, **__):
        asked.append(options)
        raise error

    monkeypatch.setattr(streams, "device", lambda: "v4l2")
    monkeypatch.setattr(streams, "find_again", lambda camera: camera)
    monkeypatch.setattr(av, "open", opened)
    with pytest.raises(SourceError, match="Room cannot be watched"):
        list(StreamSource(streams.CameraStream(Camera("Room", "/dev/video0"), settings())).frames())
    assert len(asked) == tried and asked[0]["input_format"] == "mjpeg"


def test_a_camera_that_is_closed_meanwhile_is_not_asked_again(monkeypatch):
    asked: list[str] = []
    camera = streams.CameraStream(Camera("Room", "/dev/video0"), settings())

    def opened(address, *_, **__):
        asked.append(address)
        camera.interrupt()
        raise av.ArgumentError(22, "Invalid argument")

    monkeypatch.setattr(streams, "device", lambda: "v4l2")
    monkeypatch.setattr(streams, "find_again", lambda camera: camera)
    monkeypatch.setattr(av, "open", opened)
    with pytest.raises(BrokenError, match="closed before"):
        list(camera.pictures(lambda: True))
    assert len(asked) == 1


def test_a_pushed_picture_is_delivered_and_the_newest_wins():
    source = PushSource(settings=settings())
    frames = source.frames()
    source.push(jpeg(50))
    first = next(frames)
    assert first.image.mean() == pytest.approx(50, abs=2) and (first.time, first.index) == (0, 0)
    picture = gray(99)
    for level in range(4):
        source.push(gray(level))
    source.push(picture)
    picture[:] = 0  # the sender uses its memory again
    newest = next(frames)
    assert newest.image.mean() == 99 and newest.index == 5 and newest.time > 0
    assert (source.delivered, source.dropped) == (2, 4)
    source.close()
    assert list(frames) == [] and source.state == "closed"
    assert "4 frames were not looked at" in source.notes[0]
    with pytest.raises(SourceError, match="is closed"):
        source.push(picture)


def test_pushed_times_count_and_what_comes_late_is_dropped():
    source = PushSource(settings=settings())
    frames = source.frames()
    source.push(gray(1), 100.0)
    assert next(frames).time == 0
    source.push(gray(2), 100.5)
    source.push(gray(3), 100.25)
    frame = next(frames)
    assert (frame.time, frame.image.max(), source.dropped) == (0.5, 2, 1)
    for time_of, words in ((None, "Either every picture"), (float("nan"), "must be a number")):
        with pytest.raises(ValueError, match=words):
            source.push(gray(0), time_of)


def bomb(side):
    data = bytearray(jpeg(0))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(data)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (b"", "Expected: a JPEG"),
        (b"no picture", "Expected: a JPEG"),
        (b"GIF89a" + bytes(100), "Expected: a JPEG"),
        (bomb(5000), "Expected: at most 4096 x 4096 pixels. Received: 5000 x 5000"),
        (bomb(12000), "cannot be read"),
        (bomb(40000), "cannot be read"),
        (bytes(17 * 1024 * 1024), "Expected: at most 16 MB"),
        (np.zeros((48, 64), np.uint8), r"Expected: uint8 \(height, width, 3\)"),
        (np.zeros((48, 64, 3), np.float32), "Received: float32"),
        (np.zeros((0, 64, 3), np.uint8), "Received: uint8"),
        (np.zeros((1, 5000, 3), np.uint8), "Received: 5000 x 1"),
    ],
    ids=["empty", "text", "gif", "large", "larger", "bomb", "heavy", "gray", "float", "no rows", "wide"],
)
def test_a_pushed_picture_that_is_none_is_refused(picture, words):
    with pytest.raises(SourceError, match=words):
        PushSource(settings=settings()).push(picture)


def test_a_pushed_picture_that_proves_damaged_is_left_out_and_counted():
    source = PushSource(settings=settings())
    frames, seen = source.frames(), []
    source.push(gray(1))
    next(frames)
    source.push(jpeg(0, (640, 480))[:1500])
    consumer = threading.Thread(target=lambda: seen.append(next(frames)))
    consumer.start()
    until(lambda: source.damaged)
    source.push(gray(2))
    consumer.join(LONG)
    assert seen[0].image.max() == 2
    source.close()
    assert "1 frame was damaged and left out." in source.notes


def test_a_page_that_sends_nothing_for_a_while_is_an_outage():
    source = PushSource(settings=settings(stall=0.05))
    source.push(gray(0))
    until(lambda: source.state == "waiting")
    source.push(gray(0))
    assert "No picture from" in source.notes[0]


def take_from(slot):
    taken = slot.take()
    assert taken is not None
    return taken


def test_a_rate_leaves_out_what_is_not_due_and_counts_what_was_due_and_overtaken():
    slot = Slot(fps=5)
    slot.ask()
    taken = []
    for k in range(100):  # a camera that sends 50 a second, and somebody who is always ready
        slot.put(lambda: gray(0), k / 50)
        if slot._room is not None:
            taken.append(take_from(slot).time)
    np.testing.assert_allclose(np.diff(taken), 0.2, atol=0.06)
    assert (len(taken), slot.dropped, slot.n) == (11, 0, 100)
    for k in range(100, 200):  # nobody is ready for two seconds
        slot.put(lambda: gray(0), k / 50)
    last = take_from(slot)
    assert last.index == 199 and 8 <= slot.dropped <= 10  # one of ten is delivered, refreshed up to the last moment


def test_a_camera_that_beats_no_faster_than_the_rate_loses_nothing_to_its_jitter():
    slot, noise = Slot(fps=5), np.random.default_rng(0)
    for k in range(100):
        slot.put(lambda: gray(0), 0.2 * k + noise.uniform(-0.02, 0.02))
        assert slot.take() is not None


def test_a_picture_that_nobody_waits_for_is_not_worth_decoding():
    slot = Slot(fps=5)
    assert slot.wants(0.0)
    slot.put(lambda: gray(0), 0.0)
    slot.take()
    assert not slot.wants(0.1) and slot.wants(0.2)


def test_pictures_that_are_not_due_are_not_even_decoded_where_each_stands_alone(room, monkeypatch):
    decoded = []

    class Counted(streams.HttpStream):
        def _whole(self, packet, patience):
            decoded.append(packet)
            return super()._whole(packet, patience)

    monkeypatch.setattr(live, "HttpStream", Counted)
    room.answers = [always]
    with closing(open_live(room.address(), settings(fps=1))) as source:
        frames = source.frames()
        next(frames)
        until(lambda: source._slot.n > 20)
        assert len(decoded) < source._slot.n / 2


def test_patience_ends_with_time_and_with_too_many_bytes(monkeypatch):
    waits = Patience(opening=0.01, stall=5)
    with pytest.raises(BrokenError, match=r"no answer for 0.01 s"):
        until(waits.check)
    waits = Patience(opening=5, stall=0.01)
    waits.renew()
    with pytest.raises(BrokenError, match=r"no picture for 0.01 s"):
        until(waits.check)
    monkeypatch.setattr(outages, "MOST_BYTES", 1000)
    with pytest.raises(BrokenError, match=r"without a picture"):
        Patience(5, 5).check(1001)


def test_outages_beyond_the_first_are_added_up(monkeypatch):
    monkeypatch.setattr(outages, "MOST_NOTES", 2)
    notes: list[str] = []
    told = outages.Outages(notes, stall=5)
    for _ in range(5):
        told.broke("it ended")
        told.over()
    told.close()
    assert len(notes) == 3 and notes[2] == "3 more outages, 0 s in all, are not listed."


@pytest.mark.parametrize(
    "wrong",
    [{"fps": 0.0}, {"stall": -1.0}, {"give_up": 0.0}, {"threads": 0}, {"size": (0, 10)}, {"opening": float("nan")}],
)
def test_live_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        LiveSettings(**wrong)
