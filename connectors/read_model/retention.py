"""How long the read model keeps what the topics told: as long as the topics do, and what is still open until it ends.

A read model that is made anew gets from the topics what is left of them there, so that both hold the same: records of
the window, and the handovers that those tell of. Needs are not this module's: a pathway's latest view has them, or not.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, or_

from connectors.read_model.tables import HANDOVER_EVENTS, HANDOVERS, INTERVENTIONS, NOTICES, in_transaction
from schemas.topics import entry_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_AWAITED = ("announced", "offered", "waitlisted", "accepted", "in_contact")


def prune(engine: Engine, at: datetime) -> int:
    """Returns how many rows were deleted as of a time; blocks, raises ReadModelUnavailableError.

    Records of programmes' topics, notices and decisions leave after their topics' days. A handover leaves when nothing
    is awaited any more and as long has passed since it was last told of: one that ended, or was withdrawn with no
    receipt to come.
    """
    told_before, noticed_before = at - _window("handovers"), at - _window("notices")
    states = HANDOVERS.c.state
    withdrawn = and_(states == "withdrawn", HANDOVERS.c.reply_by.is_(None))
    ended = or_(withdrawn, states.is_(None), states.not_in([*_AWAITED, "withdrawn"]))
    old = [
        delete(HANDOVER_EVENTS).where(HANDOVER_EVENTS.c.said_at < told_before),
        delete(HANDOVERS).where(HANDOVERS.c.updated_at < told_before, ended),
        delete(NOTICES).where(NOTICES.c.said_at < noticed_before),
        delete(INTERVENTIONS).where(INTERVENTIONS.c.said_at < at - _window("interventions")),
    ]

    def work(connection: Connection) -> int:
        return sum(connection.execute(statement).rowcount for statement in old)

    return in_transaction(engine, work)


def _window(topic: str) -> timedelta:
    days = entry_of(topic).retention_days
    if days is None:
        raise LookupError(f"topics.toml: {topic} is kept without limit, and so is what is read of it")
    return timedelta(days=days)
