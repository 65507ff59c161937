"""Takes statements: each is read, entered, published and marked done; or refused by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import structlog

from connectors.gateway.api_errors import BROKER_UNAVAILABLE
from connectors.gateway.publisher import Unavailable
from connectors.gateway.statements.ledger import DuplicateStatus, Entered
from connectors.gateway.statements.reading import Submission, wants_claim_code
from connectors.vault.tables import ErasedMeanwhileError
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from connectors.gateway.clients.clients import Client
    from connectors.gateway.ports import Desk
    from schemas.events import EventHeader

_METRIC_OUTCOMES = {"accepted": "published"}
_CONFLICTING = Refusal(
    "conflicting_duplicate",
    "event_id",
    "an event_id stands for one statement and is never used for another",
    "send what has changed under a new event_id, with `revises` naming this one",
)
NO_CODE = "the code was claimed, or shown more than a day ago: record the consent anew, of today, for a new code"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What became of one statement.

    ``claim_code`` is an anonymous consent's, shown again to a repeat; where it can't be, ``no_code`` says what to do.
    """

    outcome: Literal["accepted", "repeated", "refused", "unavailable"]
    event_id: UUID | None = None
    refusal: Refusal | None = None
    claim_code: str | None = field(default=None, repr=False)
    no_code: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns it as the report's line has it."""
        event_id = {} if self.event_id is None else {"event_id": str(self.event_id)}
        refused = {} if self.refusal is None else {"refused": self.refusal.as_dict()}
        code = {} if self.claim_code is None else {"claim_code": self.claim_code}
        no_code = {} if self.no_code is None else {"claim_code_help": self.no_code}
        return {"outcome": self.outcome} | event_id | refused | code | no_code


async def accept_statements(desk: Desk, client: Client, topic: str, bodies: Sequence[bytes]) -> list[LineOutcome]:
    """Returns each body's outcome, in order, once the broker has confirmed all that are accepted.

    Nothing is lost: what is ``unavailable`` may be sent again and is published under the same event ids. Raises
    what the stores raise; nothing was accepted then, and all of it may be sent again, also what was about somebody
    who was erased in between.
    """
    at = desk.ports.clock()
    read = await asyncio.to_thread(_read_all, desk, client, topic, bodies, at)
    return await accept_read(desk, client, topic, read, at)


async def accept_read(
    desk: Desk, client: Client, topic: str, read: Sequence[Submission | Refusal], at: datetime
) -> list[LineOutcome]:
    """Returns the outcomes of what was read, as ``accept_statements`` does; ``at`` is when it was received."""
    statements = [item for item in read if isinstance(item, Submission)]
    marks = [(item.event_id, desk.fingerprints.of("statement", item.content)) for item in statements]
    entered = await asyncio.to_thread(desk.ledger.enter, marks, at)
    fresh = [
        (item, entry)
        for item, entry in zip(statements, entered, strict=True)
        if entry.standing is DuplicateStatus.FRESH
    ]
    try:
        published = await _publish(desk, fresh)
    except ErasedMeanwhileError as error:
        gone = [item.event_id for item, _ in fresh if item.youth_ids & error.youth_ids]
        await asyncio.to_thread(desk.ledger.withdraw, gone)
        raise
    repeated = [
        item for item, entry in zip(statements, entered, strict=True) if entry.standing is DuplicateStatus.REPEATED
    ]
    codes = published.codes | await asyncio.to_thread(_codes_again, desk, repeated)
    standings = iter(entered)
    outcomes = [_outcome(item, standings, replace(published, codes=codes)) for item in read]
    _count(desk, client, topic, outcomes)
    return outcomes


def _read_all(
    desk: Desk,
    client: Client,
    topic: str,
    bodies: Sequence[bytes],
    at: datetime,
) -> list[Submission | Refusal]:
    return [_read(desk, client, topic, body, at) for body in bodies]


def _read(desk: Desk, client: Client, topic: str, body: bytes, at: datetime) -> Submission | Refusal:
    try:
        return desk.reader.read(topic, body, client, at)
    except RefusedError as error:
        return error.refusal


@dataclass(frozen=True, slots=True)
class _Published:
    """What the broker has not confirmed, and the claim codes of what it has."""

    unconfirmed: frozenset[UUID] = frozenset()
    codes: dict[UUID, str] = field(default_factory=dict, repr=False)


async def _publish(desk: Desk, fresh: Sequence[tuple[Submission, Entered]]) -> _Published:
    """Has the vault keep whom it is about, publishes, and marks done.

    Claim codes are made before the statements are done, so that whoever repeats one that was cut off there gets a
    code all the same.
    """
    if not fresh:
        return _Published()
    stated = [one for statement, entry in fresh for one in statement.stated(entry.recorded_at)]
    await asyncio.to_thread(desk.identities.keep, stated)
    links = [statement.linked.link for statement, _ in fresh if statement.linked is not None]
    await asyncio.to_thread(desk.links.record, links)
    records = [record for statement, entry in fresh for record in statement.records(entry.recorded_at)]
    if isinstance(await desk.publish(records), Unavailable):
        return _Published(frozenset(statement.event_id for statement, _ in fresh))
    return await asyncio.to_thread(_finish, desk, [statement for statement, _ in fresh])


def _finish(desk: Desk, statements: Sequence[Submission]) -> _Published:
    codes = {
        statement.event_id: desk.claim_codes.make(statement.event.youth_id, desk.ports.clock(), statement.event_id)
        for statement in statements
        if statement.wants_claim_code and statement.event.youth_id is not None
    }
    desk.ledger.finish([statement.event_id for statement in statements])
    return _Published(codes=codes)


def _codes_again(desk: Desk, repeated: Sequence[Submission]) -> dict[UUID, str]:
    codes = ((one.event_id, code_again(desk, one.event)) for one in repeated if one.wants_claim_code)
    return {event_id: code for event_id, code in codes if code is not None}


def code_again(desk: Desk, event: EventHeader) -> str | None:
    """Returns the claim code of a consent that is told again; None where it has none to be shown. Blocks."""
    if not wants_claim_code(event) or event.youth_id is None:
        return None
    return desk.claim_codes.again(event.youth_id, desk.ports.clock(), event.event_id)


def _outcome(item: Submission | Refusal, standings: Any, published: _Published) -> LineOutcome:
    if isinstance(item, Refusal):
        return LineOutcome("refused", None, item)
    standing: DuplicateStatus = next(standings).standing
    if standing is DuplicateStatus.CONFLICTING:
        return LineOutcome("refused", item.event_id, _CONFLICTING)
    if item.event_id in published.unconfirmed:
        return LineOutcome("unavailable", item.event_id, BROKER_UNAVAILABLE)
    if standing is DuplicateStatus.REPEATED:
        code = published.codes.get(item.event_id)
        no_code = NO_CODE if item.wants_claim_code and code is None else None
        return LineOutcome("repeated", item.event_id, None, code, no_code)
    return LineOutcome("accepted", item.event_id, claim_code=published.codes.get(item.event_id))


def _count(desk: Desk, client: Client, topic: str, outcomes: Sequence[LineOutcome]) -> None:
    for outcome in outcomes:
        desk.metrics.events.labels(topic, _METRIC_OUTCOMES.get(outcome.outcome, outcome.outcome)).inc()
        code = outcome.refusal.code if outcome.refusal else None
        if code is not None:
            desk.metrics.refusals.labels("events", code).inc()
        _log.info(
            "statement_received",
            topic=topic,
            outcome=outcome.outcome,
            code=code,
            event_id=outcome.event_id and str(outcome.event_id),
            client=client.client_id,
        )
