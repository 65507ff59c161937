"""Which replies came in by a handover's own door, and whose they are: so that only they can ask what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from connectors.gateway.tables import SENT_REPLIES, in_transaction, reading
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class SentReply:
    """A reply as it first came; ``body`` is the fingerprint of the request's body."""

    event_id: UUID
    programme: str
    body: bytes
    occurred_at: datetime


class SentReplies:
    """The replies in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def enter(self, reply: SentReply) -> SentReply:
        """Returns the reply that first came under this event id, having entered this one where it is the first.

        A repeat is then published as of the first one's time, byte for byte, and is recognised.
        """

        def work(connection: Connection) -> SentReply:
            known = connection.execute(select(SENT_REPLIES).where(_is(reply.event_id))).one_or_none()
            if known is not None:
                return SentReply(reply.event_id, known.programme, known.body, moment_of(known.occurred_at_ms))
            values = {
                "event_id": str(reply.event_id),
                "programme": reply.programme,
                "body": reply.body,
                "occurred_at_ms": milliseconds_of(reply.occurred_at),
            }
            connection.execute(insert(SENT_REPLIES).values(values))
            return reply

        return in_transaction(self._engine, work)

    def is_from(self, event_id: UUID, programme: str) -> bool:
        """Tells whether the programme has sent a reply with that event id by a handover's door."""
        own = select(SENT_REPLIES.c.event_id).where(_is(event_id), SENT_REPLIES.c.programme == programme)
        return reading(self._engine, lambda connection: connection.execute(own).first()) is not None

    def prune(self, before: datetime) -> int:
        """Returns how many replies from before that time were deleted."""
        old = delete(SENT_REPLIES).where(SENT_REPLIES.c.occurred_at_ms < milliseconds_of(before))
        return in_transaction(self._engine, lambda connection: connection.execute(old).rowcount)


def _is(event_id: UUID):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return SENT_REPLIES.c.event_id == str(event_id)
