"""The body of an HTTP answer as a file that FFmpeg reads.

Python's own HTTP is used instead of FFmpeg's as the safer one: it checks certificates, follows no redirect, reaches no
other address whatever the stream contains, keeps the password out of FFmpeg's messages, and can be cut off at once from
another thread. No proxy is asked either: it would see the password, and a room's camera is near.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import urllib.request
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError, URLError

from roomread.watch.address import Address
from roomread.watch.outages import BrokenError, Patience

PLAYLISTS = ("mpegurl", "dash+xml")  # HLS and DASH: lists of further addresses


class Download:
    """An opened address. read: for FFmpeg. format: FFmpeg's name of what comes, where the answer's head says so."""

    def __init__(self, address: Address, patience: Patience) -> None:
        """Ask for the address.

        Raises:
            BrokenError: it cannot be had, or is no stream of pictures.
        """
        self._patience = patience
        reason = ""
        try:
            self._body = self._ask(address)
        except HTTPError as error:
            error.close()
            reason = _status(error.code)
        except URLError as error:
            reason = _network(error.reason)
        except OSError as error:
            reason = _network(error)
        except (HTTPException, ValueError):  # urllib: ValueError for a way to ask for a password that it does not know
            reason = "an answer that is not understood"
        if reason:  # outside of the handlers: their errors may hold the address with its query
            raise BrokenError(reason)
        self._line = socket.socket(fileno=socket.dup(self._body.fileno()))
        try:
            self.format = _format(self._body.headers.get("Content-Type", ""))
        except BrokenError:
            self.close()
            raise

    def _ask(self, address: Address) -> HTTPResponse:
        opener = urllib.request.OpenerDirector()
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ]
        if address.user is not None:
            passwords.add_password(None, address.plain, address.user, address.password or "")
            handlers.append(urllib.request.HTTPBasicAuthHandler(passwords))
            handlers.append(urllib.request.HTTPDigestAuthHandler(passwords))
        for handler in handlers:
            opener.add_handler(handler)
        request = urllib.request.Request(address.plain, headers={"User-Agent": "roomread"})
        answer: HTTPResponse = opener.open(request, timeout=self._patience.silence)
        return answer

    def read(self, n: int) -> bytes:
        """Return up to n bytes as soon as there are some; none at the end.

        Raises:
            BrokenError: no picture could be made of what came for too long, or the line broke.
        """
        try:
            data = self._body.read1(n)
        except TimeoutError:
            data, reason = b"", f"nothing for {self._patience.silence:g} s"
        except OSError as error:
            data, reason = b"", _network(error)
        except (HTTPException, ValueError):  # ValueError: closed
            data, reason = b"", "an answer that breaks off"
        else:
            reason = ""
        if reason:
            raise BrokenError(reason)
        self._patience.check(len(data))
        return data

    def cut(self) -> None:
        """Break the line off, so that a `read` which waits in another thread returns."""
        with contextlib.suppress(OSError):  # it is closed already
            self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the line."""
        self.cut()
        self._body.close()
        self._line.close()


def _format(header: str) -> str | None:
    """Return FFmpeg's name for what the header Content-Type says; None where its bytes must tell.

    Raises:
        BrokenError: it is none of a stream.
    """
    kind = header.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return "mpjpeg"
    if any(kind.endswith(playlist) for playlist in PLAYLISTS):
        raise BrokenError("a playlist (HLS or DASH), which names further addresses; these are not followed")
    if kind.startswith("image/"):
        raise BrokenError("a single picture; look for the camera's address for video")
    if kind.startswith("text/"):
        raise BrokenError("a page; look for the camera's address for video")
    return None


def _status(code: int) -> str:
    """Return the words for an HTTP status; the server's own are left out, as it could write anything there."""
    if code == 401:
        return "HTTP 401, as user or password are wrong or missing; write http://USER:PASSWORD@HOST/PATH"
    if 300 <= code < 400:
        return f"HTTP {code}, a redirection to another address; these are not followed, so name the right one"
    return f"HTTP {code}"


def _network(error: str | BaseException) -> str:
    """Return the words for what the network or its encryption says."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"a certificate that is not valid ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "a connection that was closed without an answer"
