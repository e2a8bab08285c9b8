"""The real server, a real browser, and a camera that shows a film of the synthetic room."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import av
import pytest
import uvicorn
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, expect, sync_playwright

from roomread.app.studio import Studio
from roomread.app.web.server import WebSettings, make_app
from roomread.store.lessons import LessonStore

MISSING = "Chromium is missing: apt install chromium, or set ROOMREAD_CHROMIUM to the file that starts it"
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 20.0  # seconds that anything may take to appear; a busy machine needs some of them
expect.set_options(timeout=1000 * PATIENCE)
GRAVE = ("serious", "critical")  # what axe calls that which shuts somebody out
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (360, 1280)  # pixels: of a small phone and of a screen


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A running server. address: without a slash at its end. studio: what it works on, to look into."""

    address: str
    studio: Studio


@dataclass(eq=False)
class Visitor:
    """Somebody with a browser, who notes what went wrong in any of their pages.

    wrong: errors on the console, errors of scripts, and requests that went elsewhere.
    expected: how the console's line about an answer begins that the test asked for, as of a page that is not there.
    """

    browser: Browser
    address: str
    wrong: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def open(self, path: str, *, status: int = 200, width: int = 1280, scheme: Any = "light", **more: Any) -> Page:
        """Open a page in a window of its own, and return it once it and its scripts are there."""
        context = self.browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, **more)
        context.set_default_timeout(1000 * PATIENCE)
        page = context.new_page()
        page.on("console", self._read)
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("request", lambda request: self._check_address(request.url))
        page.on("websocket", lambda websocket: self._check_address(websocket.url.replace("ws", "http", 1)))
        if status >= 400:
            self.expected.append(f"Failed to load resource: the server responded with a status of {status}")
        answer = page.goto(self.address + path)
        assert answer is not None and answer.status == status
        return page

    def _read(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(tuple(self.expected)):
            self.wrong.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _check_address(self, address: str) -> None:
        if not address.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"request to elsewhere: {address}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, so that `-m 'not browser'` leaves it out."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What drives browsers. For one module: its event loop would otherwise stand in the way of other tests' own."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> str:
    """The file that starts Chromium."""
    named = os.environ.get("ROOMREAD_CHROMIUM")
    names = [named] if named else [*NAMES, playwright.chromium.executable_path]
    found = [path for name in names if (path := shutil.which(name))]
    if not found and named:
        pytest.fail(f"ROOMREAD_CHROMIUM names no program. Received: {named}.")
    if not found:
        pytest.skip(MISSING)
    return found[0]


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """Chromium without a camera."""
    started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    yield started
    started.close()


@pytest.fixture(scope="module")
def filmed_browser(playwright: Playwright, chromium: str, film: Path) -> Iterator[Browser]:
    """Chromium whose camera shows `film` again and again, and may be used without asking."""
    arguments = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    started = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield started
    started.close()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a synthetic class of six, 640 x 480, as the motion JPEG that Chromium takes for a camera."""
    pytest.importorskip("skimage")
    from roomread.demo.film import paint_frames
    from roomread.demo.script import RoomSettings
    from roomread.demo.truth import plan_room

    room = RoomSettings(width=640, height=480, seats=6, seconds=3.0, fps=30, walker=False)
    path = tmp_path_factory.mktemp("film") / "room.mjpeg"
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=room.fps)
        stream.width, stream.height, stream.pix_fmt = room.width, room.height, "yuvj420p"
        stream.bit_rate = 20_000_000
        for image in paint_frames(plan_room(room)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """A function that starts the server with an empty store of its own, on a free port; all end with the test."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(token: str | None = None) -> Served:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        studio = Studio(LessonStore(tmp_path / f"{port}.sqlite"))
        studio.queue.start()
        app = make_app(studio, WebSettings(port=port), port, token)
        config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
        thread.start()
        running.append((server, thread))
        wait_until(lambda: server.started, "the server has started")
        return Served(f"http://127.0.0.1:{port}", studio)

    yield start
    for server, _ in running:
        server.should_exit = True
    for _, thread in running:
        thread.join()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """The server, with an empty store."""
    return serve()


@pytest.fixture
def visitor(browser: Browser, served: Served) -> Iterator[Visitor]:
    """Somebody without a camera; the test fails if anything went wrong in their pages."""
    yield from _visiting(browser, served)


@pytest.fixture
def filmed(filmed_browser: Browser, served: Served) -> Iterator[Visitor]:
    """Somebody whose camera shows `film`; the test fails if anything went wrong in their pages."""
    yield from _visiting(filmed_browser, served)


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """A function that fails where a page shuts somebody out, light or dark, on a small screen or a large one.

    That is: as far as axe can tell, or by having to be scrolled sideways.
    """
    checker = Axe()

    def check(page: Page) -> None:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} is too wide"
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                told = [
                    f"{fault['help']} ({fault['id']}, {fault['impact']}): "
                    + "; ".join(f"{' '.join(node['target'])} {node['html'][:120]}" for node in fault["nodes"])
                    for fault in checker.run(page, options={"resultTypes": ["violations"]})["violations"]
                    if fault["impact"] in GRAVE
                ]
                assert not told, f"{page.url}, {scheme}, {width} pixels, shuts somebody out:\n" + "\n".join(told)

    return check


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], Any], str], None]:
    """A function that waits until something holds, and fails with words where it does not."""
    return wait_until


def wait_until(holds: Callable[[], Any], what: str) -> None:
    """Wait until `holds()`; fail after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.02)


def _visiting(browser: Browser, served: Served) -> Iterator[Visitor]:
    visitor = Visitor(browser, served.address)
    yield visitor
    for context in browser.contexts:
        try:
            context.close()
        except Error as error:  # a page that was left half loaded; what matters has been noted
            visitor.wrong.append(f"closing: {error}")
    assert not visitor.wrong, "\n".join(visitor.wrong)
