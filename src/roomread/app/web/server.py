"""The web application, and the server that answers for it on this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import ssl
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from roomread import __version__
from roomread.app.studio import Studio
from roomread.app.web import home, lessons, live, observe, recordings
from roomread.app.web.access import Access
from roomread.app.web.connections import Connection
from roomread.app.web.guard import LOGIN, Guard, hosts_of
from roomread.app.web.site import Refusal, Site, add_refusals
from roomread.errors import SettingsError, StoreError
from roomread.store.lessons import LessonStore
from roomread.store.upkeep import tidy
from roomread.watch.push import MOST_BYTES

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERY = ("0.0.0.0", "::", "")  # every address of this machine, and no name of it
PORT = 8642
FORGET_EVERY = 3600.0  # seconds
SHORTEST_TOKEN = 12  # letters of one that somebody chose
TRIES = 20  # ports after the first that are tried where somebody listens already


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where the server listens.

    Beyond the loopback address others can reach it, so that a certificate is needed and a token is asked for.
    """

    host: str = "127.0.0.1"
    port: int = PORT  # 0 takes any free one
    certificate: Path | None = None  # PEM
    key: Path | None = None  # PEM
    token: str | None = field(default=None, repr=False)  # None makes one where one is needed

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise ValueError(f"port must be 0 to 65535. Received: {self.port}.")
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise ValueError(
                f"The token can be guessed. Expected: at least {SHORTEST_TOKEN} letters. Received: {len(self.token)}."
            )
        if (self.certificate is None) != (self.key is None):
            raise ValueError("A certificate and its key belong together. Received: one of them.")
        if not self.local and self.certificate is None:
            raise ValueError(
                f"Others can reach {self.host}, so the connection must be encrypted. Expected: a certificate and its "
                "key (--cert FILE --key FILE), or the loopback address, which is the default."
            )
        for path in (self.certificate, self.key):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is no file. Expected: a certificate or key in PEM.")

    @property
    def local(self) -> bool:
        """Whether nobody but this machine can reach it."""
        return self.host in LOOPBACK

    @property
    def names(self) -> tuple[str, ...]:
        """What others call this machine, as far as it knows; browsers must ask for one of these, or for its address."""
        here = socket.gethostname()
        return (here, f"{here}.local") if self.host in EVERY else (self.host,)


def make_app(studio: Studio, settings: WebSettings, port: int, token: str | None) -> Guard:
    """Return the application behind its guard.

    Args:
        studio: what the pages work on; closed when the server ends.
        settings: where it listens.
        port: the one that it listens on.
        token: what callers must know; None where none is asked for.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:  # waits for a deletion that is under way
            group.start_soon(_forget_again_and_again, studio.store)
            yield
            group.cancel_scope.cancel()
        studio.close()

    app = FastAPIOffline(
        docs_url="/api/docs", redoc_url=None, static_url="/static/api", openapi_url="/api/openapi.json",
        title="roomread", version=__version__, lifespan=life, separate_input_output_schemas=False,
        description="Lessons of one store, and the one that runs. Everything has passed the privacy gate.",
        responses={"4XX": {"model": Refusal, "description": "Refused"}},
    )  # fmt: skip
    site = Site(studio)
    add_refusals(app, site)
    access = None if token is None else Access(token)
    app.include_router(home.routes(site, access))
    for module in (live, lessons, recordings, observe):
        app.include_router(module.routes(site))
    app.mount("/static", StaticFiles(packages=[("roomread.app.web", "static")]))
    return Guard(app, hosts_of((*settings.names, *LOOPBACK), port, settings.certificate is not None), access)


async def _forget_again_and_again(store: LessonStore) -> None:
    """End what was broken off and delete what is due, now and every hour; pages tell of a store that fails."""
    while True:
        with contextlib.suppress(StoreError):
            await run_in_threadpool(tidy, store)
        await anyio.sleep(FORGET_EVERY)


def serve(
    studio: Studio, settings: WebSettings, say: Callable[[str], None], page: str = "/", show: bool = True
) -> None:
    """Answer until Ctrl-C.

    Args:
        studio: what the pages work on.
        settings: where to listen.
        say: receives the address, and the token where there is one.
        page: the one that is opened first, where no token is asked for.
        show: open it in the user's browser.

    Raises:
        SettingsError: nothing can listen there.
        StoreError: the store, or the folder for recordings, cannot be used.
    """
    with _listen(settings) as listener:
        studio.queue.start()
        port = listener.getsockname()[1]
        token = None if settings.local else settings.token or secrets.token_urlsafe(24)
        app = make_app(studio, settings, port, token)
        scheme = "https" if settings.certificate else "http"
        name = f"[{settings.names[0]}]" if ":" in settings.names[0] else settings.names[0]
        address = f"{scheme}://{name}:{port}{page if token is None else LOGIN}"
        server = make_server(app, settings)
        say(f"roomread is at {address}" + (f"\nIts token: {token}" if token else "") + "\nCtrl-C ends it.")
        if show:
            threading.Timer(0.3, webbrowser.open, [address]).start()
        server.run(sockets=[listener])


def make_server(app: Guard, settings: WebSettings) -> uvicorn.Server:
    """Return what answers for an application: no log of requests, and no patience with who says nothing.

    Raises:
        SettingsError: certificate and key cannot be used.
    """
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, http=Connection, ws="websockets-sansio",
        ws_max_size=MOST_BYTES, timeout_graceful_shutdown=2,
        ssl_certfile=settings.certificate, ssl_keyfile=settings.key,
    )  # fmt: skip
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"The certificate {settings.certificate} and the key {settings.key} cannot be used. Expected: both in PEM, "
            f"without a password, that belong together. Received: {error.strerror or error}."
        ) from error
    return uvicorn.Server(config)


def _listen(settings: WebSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    last: OSError | None = None
    for port in range(settings.port, settings.port + (TRIES if settings.port == PORT else 1)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # where it means: also just after another server has ended
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, port))
        except OSError as error:
            listener.close()
            last = error
            continue
        listener.listen(128)
        return listener
    reason = "" if last is None else last.strerror
    raise SettingsError(
        f"Nothing can listen on {settings.host}, port {settings.port}: {reason}. Choose another one with --port."
    )
