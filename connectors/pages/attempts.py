"""Limits wrong keys at the sign-in by the address that they come from, in memory only: an address can be personal."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS_MAX = 10
WINDOW = timedelta(minutes=15)
_COUNTED_MAX = 20_000
# Whoever has an IPv6 address has this whole network of them (RFC 6177).
_PREFIX_BITS = 64


class Attempts:
    """Lets ten wrong keys in a quarter of an hour be tried from each address, an IPv6 network being one address.

    Not shared between processes. Nothing is counted by key: its public part is no secret, and whoever knows it could
    lock its holder out.
    """

    def __init__(self, clock_seconds: Callable[[], float]) -> None:
        """Takes a clock that never goes back."""
        self._clock_seconds = clock_seconds
        self._tried_at: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """Returns 0 and counts the attempt, or the whole seconds after which to try again.

        It is counted before the key is looked at, so that attempts sent at once are counted too.
        """
        now = self._clock_seconds()
        tried_at = self._counted(_network_of(address), now)
        if len(tried_at) >= ATTEMPTS_MAX:
            return math.ceil(tried_at[0] + WINDOW.total_seconds() - now)
        tried_at.append(now)
        return 0

    def take_back(self, address: str) -> None:
        """Counts one attempt of an address no longer, since its key was right; the wrong ones stay counted."""
        if tried_at := self._tried_at.get(_network_of(address)):
            tried_at.pop()

    def _counted(self, network: str, now: float) -> deque[float]:
        tried_at = self._tried_at.setdefault(network, deque())
        self._tried_at.move_to_end(network)
        if len(self._tried_at) > _COUNTED_MAX:
            self._tried_at.popitem(last=False)
        while tried_at and tried_at[0] <= now - WINDOW.total_seconds():
            tried_at.popleft()
        return tried_at


def _network_of(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:  # a proxy's own word, or a socket without an address
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), _PREFIX_BITS), strict=False))
