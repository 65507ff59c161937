"""The door for programmes that answer over Kafka: each has a topic of its own, which it alone may write.

Whoever wrote ``answers.<programme>`` is that programme, by the cluster's access rules; so a record there is taken as
its ``POST /events/replies`` would be, by the same rules. What is refused is told on ``refusals.<programme>``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from connectors.gateway.clients.clients import Client, ClientKind, Role
from connectors.gateway.over_kafka.inboxes import Inboxes, Received
from connectors.gateway.ports import STORE_ERRORS
from connectors.gateway.publisher import OutgoingRecord, Unavailable
from connectors.gateway.statements.acceptance import LineOutcome, accept_statements
from schemas.cloudevents import headers_of
from schemas.codec import SINGLE_OBJECT, codec
from schemas.codes import HandoverEventType, Identity, NeedKind
from schemas.events import Reply
from schemas.identifiers import derived_id
from schemas.internal import own_header
from schemas.outputs import HandoverEvent
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gateway.ports import Desk
    from schemas.refusals import Refusal

GROUP = "brobygger-gateway-answers"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


def inboxes_of_programmes(desk: Desk) -> Inboxes:
    """Returns every programme's answers and what takes them; redelivered ones keep their event ids."""
    return Inboxes("answers", GROUP, partial(take_answers, desk))


async def take_answers(desk: Desk, programme: str, answers: Sequence[Received]) -> bool:
    """Takes a programme's answers in their order and tells it of those refused; False where all must come again.

    A programme that floods waits in its own topic until its quota lets it go on.
    """
    client = _client_of(programme)
    return await desk.quota.let_in(client, len(answers), partial(_take, desk, client, answers))


async def _take(desk: Desk, client: Client, answers: Sequence[Received]) -> bool:
    bodies = [_as_json(answer.value) for answer in answers]
    readable = [body for answer, body in zip(answers, bodies, strict=True) if answer.refusal is None]
    try:
        taken = iter(await accept_statements(desk, client, "replies", readable))
    except STORE_ERRORS as error:
        _log.error("store_unavailable", error=type(error).__name__)
        return False
    outcomes = [next(taken) if one.refusal is None else LineOutcome("refused", None, one.refusal) for one in answers]
    refusals = [
        _refusal_record(client.name, answer, (body, outcome.refusal), desk.ports.clock())
        for answer, body, outcome in zip(answers, bodies, outcomes, strict=True)
        if outcome.refusal is not None and outcome.outcome == "refused"
    ]
    if refusals and isinstance(await desk.publish(refusals), Unavailable):
        return False
    return all(outcome.outcome != "unavailable" for outcome in outcomes)


def _client_of(programme: str) -> Client:
    return Client(
        client_id=f"kafka:{programme}",
        kind=ClientKind.PROGRAMME,
        name=programme,
        roles=frozenset({Role.REPLIES}),
        senders=frozenset(),
        data_controller=None,
        legal_basis=None,
        created_at=_EPOCH,
        revoked_at=None,
    )


def _as_json(value: bytes) -> bytes:
    """Returns an answer in the public JSON form; an Avro reply that can't be read stays as it is, to be refused."""
    if not value.startswith(SINGLE_OBJECT):
        return value
    try:
        reply = codec(Reply).decode(value)
    except RefusedError:
        return value
    return reply.model_dump_json(exclude={"recorded_at"}).encode()


def _refusal_record(programme: str, answer: Received, refused: tuple[bytes, Refusal], at: datetime) -> OutgoingRecord:
    body, refusal = refused
    event_id = derived_id("refused answer", str(answer.place))
    said = _said(body)
    told = HandoverEvent(
        **own_header(event_id, str(_uuid(said.get("subject")) or "unreadable"), at),
        causation_id=_uuid(said.get("event_id")),
        type=HandoverEventType.REPLY_REFUSED,
        programme=programme,
        programme_version=0,
        need_kind=NeedKind.UNKNOWN,
        identity=Identity.UNKNOWN,
        reason_code=refusal.code,
    )
    topic = f"refusals.{programme}"
    why = [(f"refused-{name}", text.encode()) for name, text in refusal.as_dict().items()]
    return OutgoingRecord(
        topic, programme.encode(), codec(HandoverEvent).encode(told), (*headers_of(told, topic), *why)
    )


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _uuid(value: object) -> UUID | None:
    """Returns an id as it was given; anything else is not repeated, since it may be personal."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
