"""Limits attempts to sign in, by address and by key; kept in memory only, since an address can be personal."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS_MAX = 10
WINDOW = timedelta(minutes=15)
_COUNTED_MAX = 20_000


class Attempts:
    """Lets each address, and each key from wherever, be tried ten times in a quarter of an hour.

    Not shared between processes. A key is known by its public part, so that guesses at one from many addresses are
    counted together, and those of many at one address.
    """

    def __init__(self, clock_seconds: Callable[[], float]) -> None:
        """Takes a clock that never goes back."""
        self._clock_seconds = clock_seconds
        self._tried_at: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_seconds(self, address: str, token: str) -> int:
        """Returns 0 and counts the attempt, or the whole seconds after which to try again.

        It is counted before the token is looked at, so that attempts sent at once are counted too.
        """
        now = self._clock_seconds()
        counted = [self._counted(one, now) for one in _counted_by(address, token)]
        if full := [tried_at for tried_at in counted if len(tried_at) >= ATTEMPTS_MAX]:
            return math.ceil(max(tried_at[0] for tried_at in full) + WINDOW.total_seconds() - now)
        for tried_at in counted:
            tried_at.append(now)
        return 0

    def forgive(self, address: str, token: str) -> None:
        """Forgets the attempts of an address and a key: it has signed in."""
        for one in _counted_by(address, token):
            self._tried_at.pop(one, None)

    def _counted(self, one: tuple[str, str], now: float) -> deque[float]:
        tried_at = self._tried_at.setdefault(one, deque())
        self._tried_at.move_to_end(one)
        if len(self._tried_at) > _COUNTED_MAX:
            self._tried_at.popitem(last=False)
        while tried_at and tried_at[0] <= now - WINDOW.total_seconds():
            tried_at.popleft()
        return tried_at


def _counted_by(address: str, token: str) -> list[tuple[str, str]]:
    client_id, _, secret = token.partition(".")
    return [("address", address), *([("key", client_id)] if client_id and secret else [])]
