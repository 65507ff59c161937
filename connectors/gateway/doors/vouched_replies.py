"""Replies that the service makes for a programme, because it alone can vouch for what they say.

That a claim code was shown, and that an identity is wanted at the door that releases it, are replies like any other
in the log; but no programme may state them itself (``permissions``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.gateway.publisher import Unavailable
from connectors.gateway.statements.reading import record_of
from schemas.events import Reply
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.gateway.ports import Desk
    from connectors.read_model.answers import TopicRecord
    from schemas.codes import ReplyStatus


@dataclass(frozen=True, slots=True)
class SystemReply:
    """A reply to be made: the same again is the same event, byte for byte."""

    event_id: UUID
    programme: str
    pseudonym: str
    subject: str
    status: ReplyStatus
    at: datetime
    correlation_id: UUID | None = None


async def answer_to_vouched(desk: Desk, vouched: SystemReply) -> TopicRecord | Unavailable | None:
    """Returns the domain's answer, having published the reply unless it was answered before.

    None where no answer came within ``limits.answer_time_max``: asking again later is safe. Raises what the read
    model raises.
    """
    known = await _answer(desk, vouched, timedelta())
    if known is not None:
        return known
    delivery = await desk.publish([record_of("replies", _reply(vouched))])
    if isinstance(delivery, Unavailable):
        return delivery
    return await _answer(desk, vouched, desk.limits.answer_time_max)


async def _answer(desk: Desk, vouched: SystemReply, time_max: timedelta) -> TopicRecord | None:
    answer = await desk.read_model.answers.answer_to(vouched.event_id, time_max)
    return answer if answer is not None and answer.programme == vouched.programme else None


def _reply(vouched: SystemReply) -> Reply:
    correlation_id = vouched.correlation_id or derived_id("statement", vouched.programme, str(vouched.event_id))
    times: dict[str, Any] = dict.fromkeys(("occurred_at", "sent_at", "recorded_at"), vouched.at)
    return Reply(
        event_id=vouched.event_id,
        source=vouched.programme,
        correlation_id=correlation_id,
        youth_id=vouched.pseudonym,
        subject=vouched.subject,
        programme=vouched.programme,
        status=vouched.status,
        **times,
    )
