"""Limits attempts to sign in, by address; kept in memory only, since an address can be personal."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS_MAX = 10
WINDOW = timedelta(minutes=15)
_ADDRESSES_MAX = 10_000


class Attempts:
    """Lets each address try ten times in a quarter of an hour. Not shared between processes."""

    def __init__(self, clock_seconds: Callable[[], float]) -> None:
        """Takes a clock that never goes back."""
        self._clock_seconds = clock_seconds
        self._tried_at: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """Returns 0 and counts the attempt, or the whole seconds after which to try again.

        It is counted before the token is looked at, so that attempts sent at once are counted too.
        """
        now = self._clock_seconds()
        tried_at = self._tried_at.setdefault(address, deque())
        self._tried_at.move_to_end(address)
        if len(self._tried_at) > _ADDRESSES_MAX:
            self._tried_at.popitem(last=False)
        while tried_at and tried_at[0] <= now - WINDOW.total_seconds():
            tried_at.popleft()
        if len(tried_at) >= ATTEMPTS_MAX:
            return math.ceil(tried_at[0] + WINDOW.total_seconds() - now)
        tried_at.append(now)
        return 0

    def forgive(self, address: str) -> None:
        """Forgets an address' attempts: it has signed in."""
        self._tried_at.pop(address, None)
