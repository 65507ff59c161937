"""Receivers that messages named and reference data doesn't know: what `brobygger reference check` shows operations.

Whoever may send messages can name anything, so that only what looks like an organisation's codes is kept, and only so
many of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from connectors.gateway.tables import UNKNOWN_RECEIVERS, in_transaction, reading
from connectors.vault.locking import hold_alone
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

KEPT_MAX = 1_000
_SOR, _GLN = re.compile(r"[0-9]{11,20}"), re.compile(r"[0-9]{13}")


@dataclass(frozen=True, slots=True)
class UnknownReceiver:
    """A receiver's codes, how many messages named it, and when the first and the last of them came."""

    sor: str
    gln: str
    messages: int
    first_seen: datetime
    last_seen: datetime


class UnknownReceivers:
    """The receivers in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def note(self, sor: str, gln: str, at: datetime) -> None:
        """Counts a message that named a receiver; what doesn't look like codes, or is one too many, is passed over."""
        if not (_SOR.fullmatch(sor) and _GLN.fullmatch(gln)):
            return

        def work(connection: Connection) -> None:
            hold_alone(connection, "unknown receivers")
            own = (UNKNOWN_RECEIVERS.c.sor == sor) & (UNKNOWN_RECEIVERS.c.gln == gln)
            seen = {"last_seen_ms": milliseconds_of(at), "messages": UNKNOWN_RECEIVERS.c.messages + 1}
            known = connection.execute(update(UNKNOWN_RECEIVERS).where(own).values(seen)).rowcount
            kept = connection.scalar(select(func.count()).select_from(UNKNOWN_RECEIVERS)) or 0
            if not known and kept < KEPT_MAX:
                first = {"first_seen_ms": milliseconds_of(at), "last_seen_ms": milliseconds_of(at), "messages": 1}
                connection.execute(insert(UNKNOWN_RECEIVERS).values(sor=sor, gln=gln, **first))

        in_transaction(self._engine, work)

    def listed(self) -> list[UnknownReceiver]:
        """Returns them, those that most messages named first."""
        order = (UNKNOWN_RECEIVERS.c.messages.desc(), UNKNOWN_RECEIVERS.c.sor, UNKNOWN_RECEIVERS.c.gln)
        rows = reading(self._engine, lambda one: one.execute(select(UNKNOWN_RECEIVERS).order_by(*order)).all())
        return [
            UnknownReceiver(row.sor, row.gln, row.messages, moment_of(row.first_seen_ms), moment_of(row.last_seen_ms))
            for row in rows
        ]

    def prune(self, before: datetime) -> int:
        """Deletes those that nobody has named since; returns how many."""
        old = delete(UNKNOWN_RECEIVERS).where(UNKNOWN_RECEIVERS.c.last_seen_ms < milliseconds_of(before))
        return in_transaction(self._engine, lambda connection: connection.execute(old).rowcount)
