"""A record on its way to an endpoint, and how much waits for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.instants import moment_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A record to be delivered. ``handover`` names its queue, ``body`` is what the receiver gets."""

    event_id: str
    handover: str
    youth_id: str
    correlation_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery(NewDelivery):
    """A record that waits, or whose delivery was given up. ``rounds`` counts how often it was sent again."""

    number: int
    programme: str
    queued_at: datetime
    rounds: int
    attempts: int
    outcome: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many records wait for a programme, since when the oldest does, and when one is tried next."""

    programme: str
    waiting: int
    failing: int
    oldest_at: datetime
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class LastAttempts:
    """What came of a programme's attempts: why and when one failed last, and when something was last delivered."""

    error: str | None = None
    error_at: datetime | None = None
    delivered_at: datetime | None = None


def delivery_of_row(row: Row[Any]) -> Delivery:
    """Returns the delivery of a row of ``deliveries``."""
    return Delivery(
        event_id=row.event_id,
        handover=row.handover,
        youth_id=row.youth_id,
        correlation_id=row.correlation_id,
        body=row.body,
        number=row.number,
        programme=row.programme,
        queued_at=moment_of(row.queued_at_ms),
        rounds=row.rounds,
        attempts=row.attempts,
        outcome=row.outcome,
        ended_at=None if row.ended_at_ms is None else moment_of(row.ended_at_ms),
    )
