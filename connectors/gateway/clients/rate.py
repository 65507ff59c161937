"""A token bucket per client: of requests, and of statements in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at_seconds: float


class RateLimit:
    """Lets each client do so much a second, and a burst at once. Not shared between processes."""

    def __init__(self, per_second: int, burst: int, clock_seconds: Callable[[], float]) -> None:
        """Takes the rate, the burst, and a clock that never goes back."""
        self._per_second = per_second
        self._burst = burst
        self._clock_seconds = clock_seconds
        self._buckets: dict[str, _Bucket] = {}

    def __str__(self) -> str:
        """Returns the limit in words: so much a second, so much at once."""
        return f"{self._per_second} a second in the long run, {self._burst} at once"

    def wait_seconds(self, client_id: str, count: int = 1) -> int:
        """Returns 0 and counts so many, or the whole seconds after which to try again.

        More than a burst counts as a burst: it is taken once nothing else was for a while.
        """
        count = min(count, self._burst)
        bucket = self._filled(client_id)
        if bucket.tokens < count:
            return math.ceil((count - bucket.tokens) / self._per_second)
        bucket.tokens -= count
        return 0

    def give_back(self, client_id: str, count: int) -> None:
        """Counts so many no longer."""
        bucket = self._filled(client_id)
        bucket.tokens = min(self._burst, bucket.tokens + min(count, self._burst))

    def suspend(self, client_id: str, seconds: float) -> None:
        """Takes what is left from a client, and as much beside it as comes back in so many seconds."""
        bucket = self._filled(client_id)
        bucket.tokens = min(bucket.tokens, 0) - seconds * self._per_second

    def suspended_seconds(self, client_id: str) -> int:
        """Returns 0, or the whole seconds until what ``suspend`` took has come back."""
        return math.ceil(max(0, -self._filled(client_id).tokens) / self._per_second)

    def _filled(self, client_id: str) -> _Bucket:
        now = self._clock_seconds()
        bucket = self._buckets.setdefault(client_id, _Bucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at_seconds) * self._per_second)
        bucket.filled_at_seconds = now
        return bucket
