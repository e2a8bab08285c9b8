"""What somebody hostile may try, on this machine, in its network, or with a file; docs/security.md lists it."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hmac
import io
import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from roomread.app import queue as queues
from roomread.app import spool as spools
from roomread.app.studio import Studio
from roomread.app.web import access as accesses
from roomread.app.web import connections, guard, server
from roomread.app.web.access import FREE, LONGEST_WAIT, SESSION, Access
from roomread.app.web.guard import LARGEST_BODY, UPLOAD
from roomread.app.web.server import WebSettings, make_app, make_server
from roomread.errors import SettingsError, SourceError, StoreError
from roomread.store.codes import codes_of
from roomread.types import Lesson, Part
from roomread.watch import frames
from roomread.watch.frames import FrameSettings, VideoSource
from roomread.watch.push import MOST_BYTES

ADDRESS = "http://127.0.0.1:8642"
GIVEN = {"name": "room.mp4", "purpose": "research", "notice": "read"}
TOKEN = "correct horse battery"
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}{% raw %}</title>\"'=cmd|' /C calc'!A0"
TRACES = ("Traceback", 'File "', ".py", "/home", "site-packages")

Until = Callable[[Callable[[], object]], None]


class Clock:
    """Seconds that pass when a test says so."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(TOKEN, clock)


@pytest.fixture
def elsewhere(studio: Studio) -> Callable[..., TestClient]:
    """A function that returns a browser at an address, for one server that asks for TOKEN."""
    app = make_app(studio, WebSettings(), 8642, TOKEN)

    def make(address: str = "203.0.113.9", base: str = ADDRESS, **headers: Any) -> TestClient:
        return TestClient(app, base, headers=headers, client=(address, 5), follow_redirects=False)

    return make


@pytest.fixture
def served(studio: Studio, until: Until) -> Iterator[Callable[..., int]]:
    """A function that starts the real server and returns its port."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(token: str | None = None) -> int:
        listener = server._listen(WebSettings(port=0))
        port: int = listener.getsockname()[1]
        made = make_server(make_app(studio, WebSettings(), port, token), WebSettings())
        thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((made, thread))
        until(lambda: made.started)
        return port

    yield start
    for made, thread in running:
        made.should_exit = True
        thread.join()


def asked(port: int, path: str = "/login", *more: str) -> bytes:
    """Return the whole answer to a plain request."""
    lines = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *more, "", "")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode())
        return said(line)


def said(line: socket.socket) -> bytes:
    """Return what comes over a line before the other side closes it."""
    pieces = b""
    try:
        while piece := line.recv(65536):
            pieces += piece
    except ConnectionResetError:
        pass
    return pieces


# --- who reaches it ---


def test_by_default_nobody_on_the_network_reaches_it() -> None:
    with server._listen(WebSettings(port=0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_beyond_this_machine_a_token_is_made_where_none_was_chosen(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.pem").write_text("")
    settings = WebSettings(host="school.example", certificate=tmp_path / "c.pem", key=tmp_path / "c.pem")
    monkeypatch.setattr(server, "_listen", lambda _: socket.socket())
    monkeypatch.setattr(server, "make_server", Nothing)
    lines: list[str] = []
    server.serve(studio, settings, lines.append, show=False)
    assert len(lines[0].partition("Its token: ")[2].splitlines()[0]) >= 32
    assert "/login\n" in lines[0]


def test_a_wrong_certificate_is_told_before_any_address(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("no certificate")
    settings = WebSettings(host="127.0.0.1", port=0, certificate=tmp_path / "c.pem", key=tmp_path / "c.pem")
    lines: list[str] = []
    with pytest.raises(SettingsError, match=r"c\.pem cannot be used\. Expected: both in PEM"):
        server.serve(studio, settings, lines.append, show=False)
    assert not lines


class Nothing:
    """A server that does not serve."""

    def __init__(self, app: guard.Guard, _: WebSettings) -> None:
        assert app.access is not None

    def run(self, sockets: list[socket.socket]) -> None:
        sockets[0].close()


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"can be guessed\. Expected: at least 12 letters\. Received: 6"):
        WebSettings(token="school")


# --- tokens and sessions ---


def test_tokens_and_sessions_are_compared_in_constant_time(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not access.accepts(TOKEN, "1.2.3.4")
    assert not access.holds(access.session())
    assert compared[0] == (TOKEN.encode(), TOKEN.encode()) and compared[1][0] == compared[1][1]


def test_a_session_ends_by_itself_and_with_its_token(access: Access, clock: Clock) -> None:
    session = access.session()
    end, _, signature = session.partition(".")
    assert access.holds(session) and not Access(TOKEN + "x", clock).holds(session)
    for changed in ("", ".", TOKEN, f"{int(end) + 1}.{signature}", f"{end}.{signature[:-1]}", f"{end}.é"):
        assert not access.holds(changed)
    clock.now += SESSION - 1
    assert access.holds(session)
    clock.now += 1
    assert not access.holds(session)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_kept_from_scripts_other_sites_and_open_lines(
    elsewhere: Callable[..., TestClient], scheme: str
) -> None:
    answer = elsewhere(base=f"{scheme}://127.0.0.1:8642").post("/login", data={"token": TOKEN})
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/", f"max-age={SESSION}"} <= parts
    assert ("secure" in parts) == (scheme == "https")
    assert TOKEN not in answer.headers["set-cookie"]


def test_guesses_take_longer_each_time_and_keep_out_nobody_else(
    access: Access, clock: Clock, elsewhere: Callable[..., TestClient]
) -> None:
    session = access.session()
    for number in range(FREE):
        assert access.wait("2001:db8::1") == 0, number
        assert not access.accepts("wrong", "2001:db8::1")
    assert access.wait("2001:db8::2") == 1  # the same network
    assert not access.accepts(TOKEN, "2001:db8::2")  # not even looked at
    assert access.accepts(TOKEN, "2001:db8:0:1::1") and access.holds(session)
    for number in range(FREE + 1):  # by a socket that listens on both families
        assert not access.accepts("wrong", "::ffff:192.0.2.1"), number
    assert access.wait("192.0.2.1") > 0 and access.wait("::ffff:192.0.2.2") == 0
    waits = []
    for _ in range(9):
        clock.now += access.wait("2001:db8::1")
        assert not access.accepts("wrong", "2001:db8::1")
        waits.append(access.wait("2001:db8::1"))
    assert waits[:3] == [2, 4, 8] and waits[-1] == LONGEST_WAIT
    clock.now += LONGEST_WAIT
    assert access.accepts(TOKEN, "2001:db8::1") and access.wait("2001:db8::1") == 0

    for number in range(FREE):  # over the web, by header and by form alike
        ask = elsewhere(authorization="Bearer wrong") if number % 2 else elsewhere()
        answer = ask.get("/") if number % 2 else ask.post("/login", data={"token": "wrong"})
        assert answer.status_code == 401
    assert elsewhere(authorization=f"Bearer {TOKEN}").get("/").status_code == 429
    refused = elsewhere().post("/login", data={"token": TOKEN})
    assert refused.status_code == 429 and "too many wrong tokens" in refused.text
    other = elsewhere("203.0.113.10")
    assert other.post("/login", data={"token": TOKEN}).status_code == 303 and other.get("/").status_code == 200


def test_the_guessers_that_are_remembered_are_limited(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accesses, "MOST_ADDRESSES", 3)
    for number in range(9):
        access.accepts("wrong", f"10.0.0.{number}")
    assert len(access._guesses) == 3


def test_secrets_are_in_no_log_and_no_address(served: Callable[..., int], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "uvicorn"):
        port = served(TOKEN)
        bearer = f"Authorization: Bearer {TOKEN}"
        assert asked(port, "/api/lessons", bearer).startswith(b"HTTP/1.1 200")
        assert asked(port, f"/api/lessons?token={quote(TOKEN)}").startswith(b"HTTP/1.1 401")
        assert asked(port, "/broken\x01", bearer).startswith(b"HTTP/1.1 400")
    told = caplog.text + repr(WebSettings(token=TOKEN))
    assert TOKEN not in told and quote(TOKEN) not in told


# --- paths, names, text ---


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py", "/static/..%5cserver.py",
        "/static/%2e%2e%5c%2e%2e/server.py", "/static/%252e%252e/server.py", "/static//etc/passwd", "/static/%00",
        "/static/app.css%00.js", "/static/C:%5cWindows%5cwin.ini", "/static/CON", "/static/NUL.js", "/static/api/../x",
        "/static/live.js::$DATA", "/lessons/1/export/..%2f..%2fetc%2fpasswd", "/lessons/1/export/class.csv%00.json",
        "/lessons/..%2f1", "/lessons/1%00", "/lessons/%2e%2e", "/observe/..%2f1", "/api/lessons/..%2f..%2fstatic",
        "/api/recordings/..%2f..%2fx", "/api/recordings/1%00", f"/lessons/{2**63}", f"/lessons/{'9' * 5000}",
        "/api/lessons/-1", "/api/lessons/１", "/api/lessons/0x1", "/login/..%2fapi/lessons",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_finds_nothing(
    elsewhere: Callable[..., TestClient], taught: Callable[..., Lesson], path: str
) -> None:
    taught()
    for headers in ({}, {"authorization": f"Bearer {TOKEN}"}):
        answer = elsewhere(**headers).get(path)
        assert answer.status_code in (400, 401, 404, 405, 422), answer.status_code
        assert not any(secret in answer.text for secret in (*TRACES, "import ", "root:", "Tuesday"))


@pytest.mark.parametrize("name", ["CON", "a\x00.mp4", "C:\\x\\LPT1.mp4", "nul.mp4", "a:b.mp4", "‮4pm.exe", "-rf"])
def test_the_name_of_a_recording_is_only_ever_shown(
    client: TestClient, studio: Studio, clip: Path, looking: Any, until: Until, name: str
) -> None:
    numbers: set[str] = set()
    looking.step = lambda _: numbers.update(path.name for path in studio.queue.spool.folder.iterdir())
    answer = client.post(UPLOAD, params={**GIVEN, "name": name}, content=clip.read_bytes())
    assert answer.status_code == 201
    assert answer.json()["name"].isprintable() and not set(answer.json()["name"]) & set("/\\")
    until(lambda: client.get(UPLOAD).json()["recordings"][0]["state"] == "done")
    assert numbers == {"1", "lock"}


def test_a_name_cannot_end_a_header_or_begin_another(client: TestClient, taught: Callable[..., Lesson]) -> None:
    lesson = taught(name='x"; filename="evil.exe\r\nSet-Cookie: a=b\r\n\r\n<html>é\x00', purpose="research")
    for path in ("report.html", "export/class.csv", "export/class.dictionary.json"):
        answer = client.get(f"/lessons/{lesson.number}/{path}")
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        saved = answer.headers["content-disposition"]
        assert saved.isprintable() and saved.count('"') == 2 and saved.startswith('attachment; filename="x-filename-')
        assert "\x00" not in saved and saved.split('"')[1].endswith(path.partition("class")[2] or ".html")


def test_hostile_names_are_text_on_every_page_and_in_every_file(
    client: TestClient, studio: Studio, taught: Callable[..., Lesson]
) -> None:
    one, other = (taught(name=HOSTILE, source=HOSTILE) for _ in range(2))
    studio.store.add_parts(one, [Part(HOSTILE, 1.0, 9.0, "speech"), Part(HOSTILE, 5.0, 5.0, "marker")])
    n, mapping = one.number, "?mapping=sharma"
    pages = ("/", "/lessons", f"/lessons/{n}", f"/lessons/compare?a={n}&b={other.number}", f"/observe/{n}")
    files = (f"/lessons/{n}/report.html{mapping}", f"/api/lessons/{n}/chart{mapping}")
    told = {path: client.get(path) for path in (*pages, *files)}
    assert {path for path, answer in told.items() if answer.status_code != 200} == set()
    for path, answer in told.items():
        assert "<script>alert" not in answer.text, path
        assert "49" not in answer.text.partition("alert(1)")[2][:40], path
    assert "&lt;script&gt;alert" in told[f"/lessons/{n}"].text and "{{ 7*7 }}" in told[f"/lessons/{n}"].text
    answer = client.get(f"/api/lessons/{n}")
    assert answer.json()["name"] == HOSTILE and answer.headers["content-type"] == "application/json"


def test_no_cell_of_a_table_is_a_formula(client: TestClient, taught: Callable[..., Lesson], studio: Studio) -> None:
    lesson = taught(name="=cmd|' /C calc'!A0", reference="@SUM(1)", source="+1.mp4", began="2026-03-12T09:15:00+00:00")
    for table in ("class", "seats"):
        rows = list(csv.reader(io.StringIO(client.get(f"/lessons/{lesson.number}/export/{table}.csv").text)))
        assert len(rows) > 1
        for cell in (cell for row in rows for cell in row if cell):
            assert cell[0] not in "=+@\t\r" and (cell[0] != "-" or float(cell) < 0), cell
    said = {"observer": "=cmd|' /C calc'!A0", "start": 0.0, "seat": 1, "level": 1}
    answer = client.post(f"/api/observe/{lesson.number}/codes", json=said)
    assert answer.status_code == 400 and "begin with none of" in answer.json()["error"]
    assert codes_of(studio.store, lesson, False) == []


# --- files that come in ---


DISGUISED = {
    "program": b"\x7fELF" + bytes(500), "windows": b"MZ" + bytes(500), "zip": b"PK\x03\x04" + bytes(500),
    "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n", "hls": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "dash": b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>', "page": b"<html><script>",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", "picture": b"<svg><image href='/etc'/>",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("content", DISGUISED.values(), ids=DISGUISED)
def test_what_is_no_video_is_refused_whatever_its_name(client: TestClient, studio: Studio, content: bytes) -> None:
    answer = client.post(UPLOAD, params=GIVEN, content=content)
    assert answer.status_code == 400 and answer.json()["error"].startswith("room.mp4 ")
    assert str(studio.queue.spool.folder) not in answer.text
    assert {path.name for path in studio.queue.spool.folder.iterdir()} == {"lock"} and studio.queue.rows.all() == []


@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".ffconcat"])
def test_a_list_that_names_another_file_is_not_followed(tmp_path: Path, clip: Path, ending: str) -> None:
    for text in (f"ffconcat version 1.0\nfile '{clip}'\n", f"#EXTM3U\n#EXTINF:3,\nfile://{clip}\n#EXT-X-ENDLIST\n"):
        (path := tmp_path / f"list{ending}").write_text(text)
        with pytest.raises(SourceError, match="cannot be opened as a video"):
            VideoSource(path, FrameSettings())


def bomb(side: int) -> bytes:
    """Return a GIF of 40 bytes that says it is so many pixels wide and high."""
    size = struct.pack("<HH", side, side)
    head = b"GIF89a" + size + b"\xf0\0\0\0\0\0\xff\xff\xff"
    return head + b"," + struct.pack("<HH", 0, 0) + size + b"\0\x02\x02\x44\x01\0;"


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused(
    client: TestClient, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.post(UPLOAD, params=GIVEN, content=bomb(30_000))
    assert answer.status_code == 400
    assert "too large" in answer.text or "no frame that could be read" in answer.text
    monkeypatch.setattr(frames, "LARGEST_FRAME", 160 * 90 - 1)
    answer = client.post(UPLOAD, params=GIVEN, content=clip.read_bytes())
    assert answer.status_code == 400 and "Received: 160 x 90" in answer.text


def test_packed_bodies_are_not_unpacked(client: TestClient) -> None:
    packed = gzip.compress(b'{"name": "' + b"x" * 10_000_000 + b'"}')
    assert len(packed) < LARGEST_BODY
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    assert client.post("/api/live/markers", content=packed, headers=headers).status_code in (400, 422)


@pytest.mark.parametrize("opening", ["[", '{"name":'], ids=["lists", "objects"])
def test_json_of_any_depth_is_refused_in_words(client: TestClient, opening: str) -> None:
    deep = opening * (LARGEST_BODY // len(opening) - 10)
    answer = client.post("/api/live/markers", content=deep, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and answer.json()["error"] and len(answer.content) < 10_000


def test_too_many_recordings_are_refused(
    client: TestClient, studio: Studio, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "MOST_AT_ONCE", 1)
    with studio.queue.upload():
        answer = client.post(UPLOAD, params=GIVEN, content=clip.read_bytes())
        assert answer.status_code == 429 and "at most 1 at a time" in answer.json()["error"]
    monkeypatch.setattr(queues, "MOST_WAITING", 0)
    answer = client.post(UPLOAD, params=GIVEN, content=clip.read_bytes())
    assert answer.status_code == 429 and "wait already" in answer.json()["error"]
    assert {path.name for path in studio.queue.spool.folder.iterdir()} == {"lock"}


# --- connections ---


def test_slow_clients_are_closed_and_keep_nobody_out(
    served: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD", 1.0)
    port = served()
    slow = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(150)]
    for number, line in enumerate(slow):
        line.sendall((b"", b"GET / HTTP/1.1\r\nHost:")[number % 2])
    assert asked(port).startswith(b"HTTP/1.1 200")
    assert {said(line) for line in slow} == {b""}  # closed, without an answer
    for line in slow:
        line.close()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:  # likewise after a first answer
        line.sendall(f"GET /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\nGET /lo".encode())
        assert said(line).count(b"HTTP/1.1 200") == 1


def test_a_body_that_comes_too_slowly_is_given_up(served: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SLOWEST", 0.3)
    port = served(TOKEN)
    for path in ("/login", f"{UPLOAD}?name=a.mp4&purpose=research&notice=read"):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
            line.sendall(f"{head}Content-Length: 100\r\n\r\ntok".encode())
            assert line.recv(65536).split()[1] in (b"400", b"408")


def test_heads_of_any_length_are_refused(served: Callable[..., int]) -> None:
    port = served()
    assert b" 200 " not in asked(port, "/login", *(f"X-{number}: {'x' * 1000}" for number in range(200)))[:20]
    assert b" 200 " not in asked(port, "/login?" + "x" * 200_000)[:20]
    assert asked(port).startswith(b"HTTP/1.1 200")


def test_one_address_has_only_so_many_connections(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_OF_ONE", 3)
    made = make_server(make_app(studio, WebSettings(), 8642, TOKEN), WebSettings())

    async def open_some(address: str) -> int:
        lines = [Line(address) for _ in range(5)]
        for line in lines:
            one = connections.Connection(made.config, made.server_state, {})
            one.connection_made(line)  # type: ignore[arg-type]
        return sum(line.aborted for line in lines)

    assert asyncio.run(open_some("203.0.113.9")) == 2
    assert asyncio.run(open_some("203.0.113.10")) == 2
    assert asyncio.run(open_some("127.0.0.1")) == 0


class Line:
    """A transport that knows who is at its other end."""

    def __init__(self, address: str) -> None:
        self.address, self.aborted = address, False

    def get_extra_info(self, name: str, default: object = None) -> Any:
        return (self.address, 5) if name in ("peername", "sockname") else default

    def abort(self) -> None:
        self.aborted = True


def test_messages_that_are_too_large_close_the_line(served: Callable[..., int]) -> None:
    port = served()
    address = f"ws://127.0.0.1:{port}/api/live/view"
    with connect(address, origin=Origin(f"http://127.0.0.1:{port}"), compression=None) as line:
        line.recv()
        line.socket.sendall(b"\x82\xff" + struct.pack(">Q", MOST_BYTES + 1) + b"mask")  # the head says how much comes
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=20)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
    assert asked(port).startswith(b"HTTP/1.1 200")


def test_many_messages_and_those_nobody_asked_for_change_nothing(client: TestClient) -> None:
    own = {"origin": ADDRESS}
    with client.websocket_connect("ws://127.0.0.1:8642/api/live/view", headers=own) as line:
        assert line.receive_json()["state"] == "none"
        for number in range(300):
            line.send_text("x" * 1000) if number % 2 else line.send_bytes(b"x")
        assert client.get("/api/live").status_code == 200
    with client.websocket_connect("ws://127.0.0.1:8642/api/live/frames", headers=own) as line:
        line.send_text("no picture")
        with pytest.raises(WebSocketDisconnect) as closed:
            line.receive_json()
        assert closed.value.code == 4000


# --- what answers say ---


def test_every_answer_has_the_headers_that_protect_it(
    elsewhere: Callable[..., TestClient], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("/home/me/secret.sqlite")

    known = {"authorization": f"Bearer {TOKEN}"}
    client = elsewhere(**known)
    answers = {
        200: client.get("/lessons"), 401: elsewhere().get("/"), 403: client.get("/", headers={"origin": "null"}),
        404: client.get("/nothing"), 405: client.put("/api/live"), 413: client.post("/login", content=b"x" * 300_000),
        421: client.get("/", headers={"host": "x"}), 422: client.get("/lessons?page=x"),
    }  # fmt: skip
    monkeypatch.setattr(studio.store, "lessons", fail)
    app = make_app(studio, WebSettings(), 8642, None)
    answers[500] = TestClient(app, ADDRESS, raise_server_exceptions=False).get("/")
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';"), status
        assert {name: answer.headers[name] for name in guard.HEADERS if name != "cache-control"} == {
            name: value for name, value in guard.HEADERS.items() if name != "cache-control"
        }
        assert "server" not in answer.headers


def test_what_went_wrong_is_told_without_traces_and_folders(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(make_app(studio, WebSettings(), 8642, None), ADDRESS, raise_server_exceptions=False)
    for error, status in (
        (RuntimeError("/home/me/secret.sqlite"), 500),
        (ValueError("/home/me/secret.sqlite"), 500),
        (StoreError(f"The store {studio.store.name} cannot be used: disk full."), 400),
    ):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(studio.store, "numbered", fail)
        for path in ("/lessons/1", "/api/lessons/1"):
            answer = client.get(path)
            assert answer.status_code == status
            assert not any(
                trace in answer.text
                for trace in (*TRACES, str(Path(studio.store.name).parent), "RuntimeError", "/home/me")
            )
    studio.named = "/home/me/none.mp4"
    begin = {"name": "x", "purpose": "research", "notice": True, "source": "named"}
    answer = client.post("/api/live", json=begin)
    assert answer.status_code == 400 and "none.mp4" in answer.text and "/home" not in answer.text
