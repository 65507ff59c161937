"""How the simulated programmes answer what they are offered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from schemas.codes import HandoverEventType
from schemas.instants import moment_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class PlannedReply:
    """A reply that a programme will send at a time, unless it is withdrawn before."""

    at: datetime
    programme: str
    fields: dict[str, Any]


def replies_to(handover: dict[str, Any], chance: random.Random) -> Iterator[PlannedReply]:
    """Yields what a programme answers to a handover record: most accept and meet, some decline, some are silent."""
    if handover["type"] != HandoverEventType.OFFERED:
        return
    lot = chance.random()
    if lot < 0.15:  # noqa: PLR2004 - silent: reminder, then the next programme
        return
    if lot < 0.3:  # noqa: PLR2004
        yield _reply(handover, timedelta(hours=1), "declined", side="programme", reason_code="no_capacity")
        return
    yield _reply(handover, timedelta(hours=chance.randrange(1, 8)), "accepted")
    yield _reply(handover, timedelta(days=chance.randrange(2, 9)), "first_contact")
    if lot > 0.6:  # noqa: PLR2004
        yield _reply(handover, timedelta(days=chance.randrange(12, 20)), "fulfilled")


def _reply(handover: dict[str, Any], after: timedelta, status: str, **fields: Any) -> PlannedReply:
    at = moment_of(handover["occurred_at"]) + after
    own = {
        "subject": handover["subject"],
        "occurred_at": at.isoformat(),
        "programme": handover["programme"],
        "status": status,
        "youth_id": handover["youth_id"],
    }
    return PlannedReply(at, handover["programme"], own | fields)
