"""Who knows the token: sessions that end by themselves, and guesses that take longer each time."""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

SESSION = 12 * 3600  # seconds after which the token is asked for again; a school day
FREE = 5  # wrong tokens of one address before it waits; people mistype
LONGEST_WAIT = 60.0  # seconds between two guesses after some more: 1,440 a day
FORGOTTEN = 900.0  # seconds after its last wait when an address begins anew
MOST_ADDRESSES = 10_000  # that are remembered; beyond that the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Guesses:
    """How often an address was wrong, and until when, by the clock, it waits."""

    n: int
    until: float


class Access:
    """The token of a server, and what follows from it.

    A session is a moment and its signature by the token; so a new token ends all of them, and nothing is kept.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token, self._clock = token.encode(), clock
        self._guesses: dict[str, Guesses] = {}

    def session(self) -> str:
        """Return a new session: what a cookie holds."""
        end = str(int(self._clock()) + SESSION)
        return f"{end}.{self._signature(end)}"

    def holds(self, session: str) -> bool:
        """Tell whether a session is one of ours and has not ended."""
        end, _, signature = session.partition(".")
        return hmac.compare_digest(signature.encode(), self._signature(end).encode()) and int(end) > self._clock()

    def wait(self, address: str) -> float:
        """Return the seconds for which no token of an address is looked at; 0 where it may try now."""
        found = self._guesses.get(_network(address))
        return 0.0 if found is None else max(0.0, found.until - self._clock())

    def accepts(self, given: str, address: str) -> bool:
        """Tell whether a token is the right one; of an address that must wait it is not looked at."""
        if self.wait(address):
            return False
        network, now = _network(address), self._clock()
        before = self._guesses.pop(network, None)
        if hmac.compare_digest(given.encode(), self._token):
            return True
        n = 1 if before is None or now > before.until + FORGOTTEN else before.n + 1
        pause = 0.0 if n < FREE else min(LONGEST_WAIT, 2.0 ** min(n - FREE, 10))
        self._guesses[network] = Guesses(n, now + pause)
        if len(self._guesses) > MOST_ADDRESSES:
            del self._guesses[next(iter(self._guesses))]
        return False

    def _signature(self, end: str) -> str:
        return hmac.new(self._token, f"session until {end}".encode(), sha256).hexdigest()


def _network(address: str) -> str:
    """Return what counts as one guesser: an address, and of IPv6 the network that one household has."""
    plain = unmapped(address)
    return str(ipaddress.ip_network(f"{plain}/64", strict=False)) if ":" in plain else plain


def unmapped(address: str) -> str:
    """Return an IPv4 address as such that came by a socket of IPv6 (`::ffff:192.0.2.1`), and any other as it is."""
    if not address.lower().startswith("::ffff:"):
        return address
    return str(ipaddress.IPv6Address(address).ipv4_mapped or address)
