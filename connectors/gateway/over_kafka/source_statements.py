"""The door for sources that state over Kafka: each has a topic of its own, which it alone may write.

Whoever wrote ``statements.<id>`` is the source whose client was made with that id, by the cluster's access rules. A
record is what ``POST /events/{topic}`` takes, by the same rules: JSON in the public form, or the published event in
Avro with an empty ``youth_id`` and the header ``person``. What became of it is told on ``receipts.<id>``.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import structlog

from connectors.gateway.clients.permissions import check_may_submit, role_for
from connectors.gateway.over_kafka.inboxes import Inboxes, Received
from connectors.gateway.ports import STORE_ERRORS
from connectors.gateway.publisher import OutgoingRecord, Unavailable
from connectors.gateway.statements.acceptance import LineOutcome, accept_statements
from connectors.gateway.statements.forms import FORMS, MODELS
from connectors.strict_json import read_json_object
from schemas.codec import SINGLE_OBJECT, codec
from schemas.refusals import Refusal, RefusedError
from schemas.topics import short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gateway.clients.clients import Client
    from connectors.gateway.ports import Desk

GROUP = "brobygger-gateway-statements"
_NOT_A_SOURCES = "replies"
_TYPES = [topic for topic in FORMS if topic != _NOT_A_SOURCES]
_UNKNOWN_TYPE = Refusal(
    "unknown_topic", "ce_type", f"the header names one of: {', '.join(_TYPES)}", "set the record's header ce_type"
)
_REVOKED = Refusal(
    "unauthenticated",
    "source",
    "the source has a client that is not revoked",
    "ask operations: `brobygger clients create source --kafka` makes one; then send the statement again",
)
_log = structlog.get_logger(__name__)


def inboxes_of_sources(desk: Desk) -> Inboxes:
    """Returns every source's statements and what takes them; redelivered ones keep their event ids."""
    return Inboxes("statements", GROUP, partial(take_statements, desk))


async def take_statements(desk: Desk, source_id: str, records: Sequence[Received]) -> bool:
    """Takes a source's statements in their order and writes each its receipt; False where all must come again.

    A source that floods waits in its own topic until its quota lets it go on.
    """
    try:
        client = await asyncio.to_thread(desk.entrance.clients.on_kafka, source_id)
    except STORE_ERRORS as error:
        return _store_unavailable(error)
    take = partial(_take, desk, client, source_id, records)
    return await take() if client is None else await desk.quota.let_in(client, len(records), take)


async def _take(desk: Desk, client: Client | None, source_id: str, records: Sequence[Received]) -> bool:
    try:
        outcomes = await _outcomes(desk, client, [_read(record, client, desk.limits.nesting_max) for record in records])
    except STORE_ERRORS as error:
        return _store_unavailable(error)
    if any(outcome.outcome == "unavailable" for outcome in outcomes):
        return False
    receipts = [_receipt(source_id, *one) for one in zip(records, outcomes, strict=True)]
    return not isinstance(await desk.publish(receipts), Unavailable)


def _store_unavailable(error: Exception) -> Literal[False]:
    _log.error("store_unavailable", error=type(error).__name__)
    return False


@dataclass(frozen=True, slots=True)
class _Stated:
    """One statement in the public JSON form."""

    topic: str
    body: bytes


async def _outcomes(desk: Desk, client: Client | None, read: Sequence[_Stated | Refusal]) -> list[LineOutcome]:
    outcomes: list[LineOutcome] = []
    for topic, some in groupby(read, lambda one: one.topic if isinstance(one, _Stated) else None):
        if topic is None or client is None:
            outcomes += [LineOutcome("refused", None, one) for one in some if isinstance(one, Refusal)]
        else:
            outcomes += await accept_statements(
                desk, client, topic, [one.body for one in some if isinstance(one, _Stated)]
            )
    return outcomes


def _read(record: Received, client: Client | None, nesting_max: int) -> _Stated | Refusal:
    if client is None:
        return _REVOKED
    if record.refusal is not None:
        return record.refusal
    topic = short_name(record.headers.get("ce_type", b"").decode("utf-8", "replace"))
    if topic not in _TYPES:
        return _UNKNOWN_TYPE
    try:
        _check_allowed(client, topic)
        is_avro = record.value.startswith(SINGLE_OBJECT)
        body = _as_json(topic, record, nesting_max) if is_avro else record.value
    except RefusedError as error:
        return error.refusal
    return _Stated(topic, body)


def _check_allowed(client: Client, topic: str) -> None:
    """Raises RefusedError where the source's own door over HTTP would not let it in."""
    role = role_for(topic)
    if role not in client.roles:
        help_ = "ask operations: `brobygger clients create source --kafka --role` gives roles"
        raise RefusedError(Refusal("forbidden", "source", f"the source's client has the role {role}", help_))
    check_may_submit(client, topic)


def _as_json(topic: str, record: Received, nesting_max: int) -> bytes:
    """Returns an Avro event in the public JSON form; raises RefusedError where it or its person can't be read."""
    event = codec(MODELS[topic]).decode(record.value)
    if getattr(event, "youth_id", None) is not None:
        rule = "the service alone knows a young person's id; a source says who it is in the header person"
        raise RefusedError(Refusal("foreign_field", "youth_id", rule, "leave youth_id empty"))
    said = event.model_dump(mode="json", exclude={"recorded_at", "youth_id"})
    return json.dumps(said | {"person": _person_of(record, nesting_max)}).encode()


def _person_of(record: Received, nesting_max: int) -> dict[str, Any]:
    try:
        return read_json_object(record.headers.get("person", b""), nesting_max)
    except RefusedError as error:
        rule = "with a value in Avro the header person is the JSON that says who it is about"
        advice = 'set it to what the JSON form has as person, e.g. {"cpr": "...", "municipality": "0217"}'
        raise RefusedError(Refusal("missing_field", "person", rule, advice)) from error


def _receipt(source_id: str, record: Received, outcome: LineOutcome) -> OutgoingRecord:
    """Returns what became of a record: a repeat's receipt is the first one's, its claim code too for a day.

    Like the statement it is kept for a week at most, in a topic that the source alone reads.
    """
    said = {"outcome": "refused"} if outcome.refusal is not None else {"outcome": "accepted"}
    told = outcome.as_dict() | said
    headers = (
        ("content-type", b"application/json"),
        ("partition", str(record.place.partition).encode()),
        ("offset", str(record.place.offset).encode()),
    )
    return OutgoingRecord(f"receipts.{source_id}", source_id.encode(), json.dumps(told).encode(), headers)
