"""Addresses of streams, and what of them may be shown: never a user, a password, a query or a value in the path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from roomread.errors import SourceError

SCHEMES = ("rtsp", "http", "https")
VALUE = re.compile("=|%3d", re.IGNORECASE)  # some cameras take rtsp://HOST/user=admin&password=...


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a stream is.

    full: as it was typed, with everything secret in it; for the library that opens it, and for nobody's eyes.
    plain: without user and password, with its query, which may hold secrets too.
    shown: for names, notes and errors: neither user, password nor query, and of the path what stands before any `=`.
    """

    scheme: str
    full: str
    plain: str
    shown: str
    user: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"


def is_address(source: str) -> bool:
    """Tell whether a source is meant as an address rather than as a path."""
    return "://" in source


def parse_address(source: str) -> Address:
    """Return the parts of an address.

    Raises:
        SourceError: it is none that can be opened; the text repeats nothing of it that may be secret.
    """
    scheme = source.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise SourceError(
            "This kind of address cannot be watched. Expected: rtsp://, http:// or https://. "
            f"Received: {scheme[:20] if scheme.isalnum() else 'another'}://."
        )
    try:
        parts = urlsplit(source)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not source.isascii() or not source.isprintable() or " " in source:
        raise SourceError(
            f"The {scheme} address is not one. Expected: {scheme}://HOST:PORT/PATH in plain letters, everything else "
            "written as %20 and the like. Received: an address of another form; it is not repeated, as it may hold a "
            "password."
        )
    if "@" in parts.path + parts.query + parts.fragment:
        raise SourceError(
            f"The {scheme} address has an @ after the host. Expected: {scheme}://USER:PASSWORD@HOST/PATH, where / is "
            "written as %2F, ? as %3F and # as %23 within user and password, and @ as %40 everywhere. Received: an "
            "address of another form; it is not repeated, as it may hold a password."
        )
    place = f"[{host}]" if ":" in host else host
    place += "" if port is None else f":{port}"
    return Address(
        scheme=scheme,
        full=source,
        plain=urlunsplit((scheme, place, parts.path, parts.query, "")),
        shown=f"{scheme}://{place}{VALUE.split(parts.path)[0]}",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
