"""Connections that say nothing, or only slowly, are closed, so that they keep nobody else out."""

from __future__ import annotations

import asyncio
import ipaddress

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 10.0  # seconds in which the head of a request must come
MOST_OF_ONE = 100  # connections of one address at a time, websockets included; a browser has about ten


class Connection(H11Protocol):
    """Uvicorn's connection, which would wait for the head of a request for ever."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; close at once where others have too many connections from one address."""
        super().connection_made(transport)
        address = "" if self.client is None else self.client[0]
        clients = (getattr(one, "client", None) for one in self.connections)
        of_one = sum(client is not None and client[0] == address for client in clients)
        if of_one > MOST_OF_ONE and not ipaddress.ip_address(address).is_loopback:
            transport.abort()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; the head of a request must be whole in time, however many pieces it has."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._head is None:
            self._await_head()

    def _await_head(self) -> None:
        self._head = self.loop.call_later(HEAD, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None
