"""Which statements came before, and which answer each Idempotency-Key was given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import delete, insert, select, update

from connectors.gateway.tables import (
    ANSWERS,
    DONE,
    PENDING,
    STATEMENTS,
    LedgerUnavailableError,
    in_transaction,
    reading,
)
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine


_Known: TypeAlias = tuple[bytes, str, "datetime"]


class DuplicateStatus(StrEnum):
    """How a statement stands to those received before."""

    FRESH = "fresh"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"


@dataclass(frozen=True, slots=True)
class Entered:
    """A statement's standing, and when it was first recorded. Fresh ones are to be published as of then."""

    standing: DuplicateStatus
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """An answer as it was given; ``body`` is the fingerprint of the request's body."""

    body: bytes
    status: int
    media_type: str
    content: bytes


class StatementLedger:
    """The ledger in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def enter(self, statements: Sequence[tuple[UUID, bytes]], at: datetime) -> list[Entered]:
        """Returns each statement's standing, in order, having entered the new ones as pending.

        A statement is its event id and its content's fingerprint. One that was entered and never finished is
        fresh again, as of its first time: whether the broker has it is not known.
        """

        def work(connection: Connection) -> list[Entered]:
            known = _known(connection, [str(event_id) for event_id, _ in statements])
            before = frozenset(known)
            entered = [_standing(str(event_id), content, known, at) for event_id, content in statements]
            new = [
                {"event_id": event_id, "content": content, "recorded_at_ms": milliseconds_of(at), "state": PENDING}
                for event_id, (content, _, _) in known.items()
                if event_id not in before
            ]
            if new:
                connection.execute(insert(STATEMENTS), new)
            return entered

        return in_transaction(self._engine, work)

    def finish(self, event_ids: Sequence[UUID]) -> None:
        """Marks statements done: the broker has confirmed them."""
        wanted = STATEMENTS.c.event_id.in_([str(event_id) for event_id in event_ids])
        done = update(STATEMENTS).where(wanted).values(state=DONE)
        in_transaction(self._engine, lambda connection: connection.execute(done))

    def withdraw(self, event_ids: Sequence[UUID]) -> None:
        """Forgets statements that were entered and not finished: told again, they are about somebody else."""
        wanted = STATEMENTS.c.event_id.in_([str(event_id) for event_id in event_ids])
        unfinished = delete(STATEMENTS).where(wanted, STATEMENTS.c.state == PENDING)
        in_transaction(self._engine, lambda connection: connection.execute(unfinished))

    def answer_to(self, request: bytes) -> StoredResponse | None:
        """Returns the answer that was given under an Idempotency-Key's fingerprint."""
        wanted = select(ANSWERS).where(ANSWERS.c.request == request)
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else StoredResponse(row.body, row.status, row.media_type, row.answer)

    def keep_answer(self, request: bytes, answer: StoredResponse, at: datetime) -> None:
        """Keeps an answer under an Idempotency-Key's fingerprint; the first one stays."""
        values = {
            "request": request,
            "body": answer.body,
            "recorded_at_ms": milliseconds_of(at),
            "status": answer.status,
            "media_type": answer.media_type,
            "answer": answer.content,
        }

        def work(connection: Connection) -> None:
            if connection.execute(select(ANSWERS.c.request).where(ANSWERS.c.request == request)).first() is None:
                connection.execute(insert(ANSWERS).values(values))

        in_transaction(self._engine, work)

    def is_reachable(self) -> bool:
        """Tells whether the database answers."""
        try:
            reading(self._engine, lambda connection: connection.execute(select(1)).scalar())
        except LedgerUnavailableError:
            return False
        return True

    def prune(self, before: datetime) -> int:
        """Returns how many statements and answers from before that time were deleted."""
        limit = milliseconds_of(before)

        def work(connection: Connection) -> int:
            old = [delete(table).where(table.c.recorded_at_ms < limit) for table in (STATEMENTS, ANSWERS)]
            return sum(connection.execute(statement).rowcount for statement in old)

        return in_transaction(self._engine, work)


def _known(connection: Connection, event_ids: list[str]) -> dict[str, _Known]:
    rows = connection.execute(select(STATEMENTS).where(STATEMENTS.c.event_id.in_(event_ids)))
    return {row.event_id: (row.content, row.state, moment_of(row.recorded_at_ms)) for row in rows}


def _standing(event_id: str, content: bytes, known: dict[str, _Known], at: datetime) -> Entered:
    """Returns a statement's standing; one that stands twice in the same request is repeated the second time."""
    known_content, state, recorded_at = known.get(event_id, (content, PENDING, at))
    if known_content != content:
        return Entered(DuplicateStatus.CONFLICTING, recorded_at)
    known[event_id] = (content, DONE, recorded_at)
    return Entered(DuplicateStatus.REPEATED if state == DONE else DuplicateStatus.FRESH, recorded_at)
