"""When a record that could not be delivered is tried again, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_ASKED_DIGITS_MAX, _ASKED_CHARACTERS_MAX = 6, 64
_DOUBLINGS_MAX = 32


class RetryRules(BaseModel):
    """How patient the deliverer is. A record is given up at whichever bound it meets first.

    ``look_again`` is how late at most it sees that a record's time has come, or what another process has changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    first_delay: timedelta = timedelta(seconds=5)
    delay_max: timedelta = timedelta(hours=1)
    attempts_max: Annotated[int, Field(ge=1, le=10_000)] = 200
    age_max: timedelta = timedelta(days=3)
    look_again: timedelta = timedelta(milliseconds=500)

    def delay_after(self, event_id: str, attempts: int, asked: timedelta | None = None) -> timedelta:
        """Returns how long to wait after so many failed attempts (1 or more).

        Doubles from ``first_delay`` to ``delay_max``, less up to half of it, a part that the event's id and the
        attempt decide: the same at every run, another for every record, so that they don't all come back at
        once. Never shorter than the receiver ``asked`` for, as long as that is within ``delay_max``.
        """
        longest = min(self.first_delay * (1 << min(attempts - 1, _DOUBLINGS_MAX)), self.delay_max)
        digest = sha256(f"{event_id}:{attempts}".encode()).digest()
        shortened = longest * (1 - int.from_bytes(digest[:4]) / 2**33)
        return max(shortened, min(asked or timedelta(), self.delay_max))

    def is_over(self, attempts: int, queued_at: datetime, now: datetime) -> bool:
        """Returns whether a record that failed so often and waits since then is given up."""
        return attempts >= self.attempts_max or now - queued_at >= self.age_max


def asked_delay(retry_after: str, now: datetime) -> timedelta | None:
    """Returns how long a Retry-After asks to wait, in seconds or until a date (RFC 9110 §10.2.3); None where neither.

    >>> asked_delay("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, tzinfo=UTC))
    datetime.timedelta(seconds=37)
    """
    asked = retry_after.strip()
    if asked.isascii() and asked.isdecimal():
        return timedelta(seconds=int(asked)) if len(asked) <= _ASKED_DIGITS_MAX else None
    try:
        until = parsedate_to_datetime(asked[:_ASKED_CHARACTERS_MAX])
        # A date without a zone is asctime's, which is in UTC.
        aware = until.replace(tzinfo=UTC) if until.tzinfo is None else until
        return max(aware - now, timedelta())
    except (ValueError, OverflowError):
        return None
