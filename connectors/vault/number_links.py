"""Which numbers are one person's: one was replaced by another, or it turned out that it was not.

Each number keeps its youth id, and nothing that is kept under it moves: a link is said, and may be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from connectors.vault.locking import hold_alone
from connectors.vault.tables import LINKS, hold_known, in_transaction, reading
from schemas.instants import milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

NUMBERS_MAX = 32


@dataclass(frozen=True, slots=True)
class NumberLink:
    """The number of ``youth_id`` was replaced by that of ``linked_to``, or ``linked`` is false and it was not."""

    youth_id: str
    linked_to: str
    linked: bool
    occurred_at: datetime


class NumberLinks:
    """The links in the vault's database; each call blocks on it, and raises VaultUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the vault's engine."""
        self._engine = engine

    def record(self, links: Sequence[NumberLink]) -> None:
        """Keeps what was said, in any order and any number of times with the same result: the latest stands.

        Of a link and its undoing at the same millisecond the undoing stands, since it joins less. Raises
        ErasedMeanwhileError where the vault knows no number of one of the two any more.
        """
        if not links:
            return

        def work(connection: Connection) -> None:
            hold_alone(connection, "number links")
            hold_known(connection, {one for link in links for one in (link.youth_id, link.linked_to)})
            for link in links:
                _record_one(connection, link)

        in_transaction(self._engine, work)

    def leads_back(self, youth_id: str, linked_to: str) -> bool:
        """Returns whether ``linked_to`` is the same as, or was itself replaced in the end by, ``youth_id``."""
        return reading(self._engine, lambda connection: youth_id in _replacing(connection, linked_to))

    def linked_with(self, youth_id: str) -> frozenset[str]:
        """Returns the youth ids of a person's other numbers, at most NUMBERS_MAX of them."""
        return reading(self._engine, lambda connection: numbers_of(connection, youth_id)) - {youth_id}


def numbers_of(connection: Connection, youth_id: str) -> frozenset[str]:
    """Returns the youth ids of all numbers of a person, this one among them, at most NUMBERS_MAX."""
    known, fresh = {youth_id}, {youth_id}
    while fresh and len(known) < NUMBERS_MAX:
        touching = LINKS.c.youth_id.in_(fresh) | LINKS.c.linked_to.in_(fresh)
        rows = connection.execute(select(LINKS.c.youth_id, LINKS.c.linked_to).where(touching, LINKS.c.linked))
        fresh = {one for row in rows for one in row} - known
        known |= fresh
    return frozenset(known)


def _replacing(connection: Connection, youth_id: str) -> set[str]:
    """Returns a number's youth id and those that have replaced it, one after the other."""
    known, fresh = {youth_id}, {youth_id}
    while fresh and len(known) < NUMBERS_MAX:
        rows = connection.scalars(select(LINKS.c.linked_to).where(LINKS.c.youth_id.in_(fresh), LINKS.c.linked))
        fresh = set(rows.all()) - known
        known |= fresh
    return known


def _record_one(connection: Connection, link: NumberLink) -> None:
    at_ms = milliseconds_of(link.occurred_at)
    own = (LINKS.c.youth_id == link.youth_id) & (LINKS.c.linked_to == link.linked_to)
    row = connection.execute(select(LINKS.c.linked, LINKS.c.stated_at_ms).where(own)).one_or_none()
    values = {"linked": link.linked, "stated_at_ms": at_ms}
    if row is None:
        ids = {"youth_id": link.youth_id, "linked_to": link.linked_to}
        connection.execute(insert(LINKS).values(ids | values))
    elif (at_ms, not link.linked) > (row.stated_at_ms, not row.linked):
        connection.execute(update(LINKS).where(own).values(values))
