"""Who may ask: this machine alone, its own pages alone, and with a token where others may reach it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from roomread.app.web.access import Access, unmapped

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "roomread"
SAFE = ("GET", "HEAD", "OPTIONS")
LOGIN, STATIC = "/login", "/static/"  # what a page without the token may ask for
SCRIPTED = "/api/docs"  # the one page with a script in it: FastAPI's own
LARGEST_BODY = 256 * 1024  # bytes of any request but a recording's
UPLOAD = "/api/recordings"
SLOWEST = 30.0  # seconds in which a body must come; of a recording, its next piece

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Guard:
    """What stands before every request and websocket.

    app: what answers.
    hosts: names and ports under which the server may be asked, such as "127.0.0.1:8642", in small letters as browsers
        write them; another name in a request is another site that points here. The address at which the request
        arrived is no name, and as good as they.
    access: tells who knows the token; None asks for none, on the loopback address only.
    """

    app: App
    hosts: frozenset[str]
    access: Access | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self.app(scope, _with_patience(scope, receive), _with_headers(scope, send))

    def refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and words where a request is refused, else None."""
        path = scope["path"]
        host, secure = headers.get("host", "").lower(), scope["scheme"] in ("https", "wss")
        name, port = scope.get("server") or (None, None)
        arrived = frozenset() if name is None or port is None else hosts_of([unmapped(name)], port, secure)
        if host not in self.hosts | arrived:
            return 421, "This address is not served here. Open the one that roomread printed."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{'https' if secure else 'http'}://{host}":
            return 403, "Requests from other sites are refused."
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "Requests from other sites are refused."
        if scope["type"] == "websocket" and origin is None:
            return 403, "A websocket needs an origin, as browsers send it."
        if self.access is not None and path != LOGIN and not path.startswith(STATIC):
            unknown = _unknown(self.access, scope, headers)
            if unknown is not None:
                return unknown
        if scope["type"] == "http" and scope["method"] not in SAFE and not _fits(scope, headers):
            return 413, f"The request is too large, or of unknown length. Expected: at most {LARGEST_BODY} bytes."
        return None


def hosts_of(names: Iterable[str], port: int, secure: bool) -> frozenset[str]:
    """Return names and a port as browsers write them: in small letters, and without the port that is the usual one."""
    written = frozenset(f"[{name}]" if ":" in name else name.lower() for name in names)
    with_port = frozenset(f"{name}:{port}" for name in written)
    return with_port | written if port == (443 if secure else 80) else with_port


def caller(scope: Scope) -> str:
    """Return the address that asks."""
    return str(scope["client"][0]) if scope.get("client") else ""


def _unknown(access: Access, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
    """Return status and words for who neither has a session nor knows the token, else None."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        morsel = None
    if morsel is not None and access.holds(morsel.value):
        return None
    given = headers.get("authorization", "").removeprefix("Bearer ").encode("latin-1").decode("utf-8", "replace")
    wait = access.wait(caller(scope))
    if given and wait:
        return 429, f"There were too many wrong tokens. Wait {math.ceil(wait)} seconds, then try again."
    if given and access.accepts(given, caller(scope)):
        return None
    return 401, "The token is missing or wrong. Expected: the one that roomread printed."


def _fits(scope: Scope, headers: dict[str, str]) -> bool:
    """Tell whether a body may come: a recording's is limited where it is read."""
    if _is_upload(scope):
        return True
    length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
    return length.isdecimal() and int(length) <= LARGEST_BODY


def _is_upload(scope: Scope) -> bool:
    return bool(scope["path"] == UPLOAD and scope["method"] == "POST")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status % 1000, "reason": words})
        return
    api = scope["path"].startswith("/api/")
    form = "application/json" if api else "text/plain; charset=utf-8"
    body = json.dumps({"error": words}) if api else words
    if status == 401 and b"text/html" in dict(scope["headers"]).get(b"accept", b""):  # a browser that opens a page
        body, form = f'{words} <a href="{LOGIN}">Enter it</a>.', "text/html; charset=utf-8"
    told = _with_headers(scope, send)
    await told({"type": "http.response.start", "status": status, "headers": [(b"content-type", form.encode())]})
    await told({"type": "http.response.body", "body": body.encode()})


def _with_headers(scope: Scope, send: Send) -> Send:
    """Return a `send` that adds what every answer says to the browser."""
    scripts = " 'unsafe-inline'" if scope["path"].startswith(SCRIPTED) else ""
    every = HEADERS | {"content-security-policy": POLICY.format(scripts=scripts)}

    async def add(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            more = [(name.encode(), value.encode()) for name, value in every.items() if name.encode() not in given]
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return add


def _with_patience(scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` that counts a caller as gone whose body comes too slowly."""
    clock = asyncio.get_running_loop().time
    end, whole = clock() + SLOWEST, False

    async def take() -> MutableMapping[str, Any]:
        nonlocal end, whole
        if whole:  # nothing comes but the caller's leaving
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), end - clock())
        except TimeoutError:
            return {"type": "http.disconnect"}
        whole = not message.get("more_body", False)
        if _is_upload(scope):
            end = clock() + SLOWEST
        return message

    return take
