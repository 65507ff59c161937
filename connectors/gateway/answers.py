"""The door for programmes that answer over Kafka: each has a topic of its own, which it alone may write.

Whoever wrote ``answers.<programme>`` is that programme, by the cluster's access rules; so a record there is taken as
its ``POST /events/replies`` would be, by the same rules. What is refused is told on ``refusals.<programme>``.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from connectors.gateway.acceptance import accept
from connectors.gateway.clients import Client, ClientKind, Role
from connectors.gateway.ports import STORE_ERRORS
from connectors.gateway.publisher import Record, Unavailable
from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.codes import HandoverStatement, Identity, NeedKind
from schemas.events import Reply
from schemas.identifiers import derived_id
from schemas.internal import own_envelope
from schemas.outputs import HandoverEvent
from schemas.refusals import RefusedError
from schemas.topics import short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import ConsumerRecord

    from connectors.gateway.ports import Desk
    from connectors.kafka.connection import KafkaConnection
    from schemas.refusals import Refusal

GROUP = "brobygger-gateway-answers"
_TOPICS = re.compile(r"brobygger\.answers\.[a-z0-9-]+\.v1")
_PAUSE = timedelta(seconds=1)
_CLOSE_TIME_MAX = timedelta(seconds=5)
_POLL = timedelta(seconds=1)
_RECORDS_AT_ONCE = 100
_NEW_TOPIC_SEEN_WITHIN = timedelta(seconds=30)
_AVRO = b"\xc3\x01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


def start_reading_answers(desk: Desk, connection: KafkaConnection) -> asyncio.Task[None]:
    """Starts to read every programme's answers; cancelling the task ends it. The broker need not be there yet.

    An answer is taken at least once, in the order of its topic's partition: redelivered ones keep their event ids.
    """
    reading = asyncio.create_task(_read_for_ever(desk, connection))
    reading.add_done_callback(_end_process_where_it_failed)
    return reading


@dataclass(frozen=True, slots=True)
class Answered:
    """One record of an answers topic, and where it was."""

    place: str
    value: bytes


async def take_answers(desk: Desk, programme: str, answers: Sequence[Answered]) -> bool:
    """Takes a programme's answers in their order and tells it of those refused; False where all must come again."""
    client = _client_of(programme)
    bodies = [_as_json(answer.value) for answer in answers]
    try:
        outcomes = await accept(desk, client, "replies", bodies)
    except STORE_ERRORS as error:
        _log.error("store_unavailable", error=type(error).__name__)
        return False
    refusals = [
        _refusal_record(programme, answer, (body, outcome.refusal), desk.ports.clock())
        for answer, body, outcome in zip(answers, bodies, outcomes, strict=True)
        if outcome.refusal is not None and outcome.outcome == "refused"
    ]
    if refusals and isinstance(await desk.publish(refusals), Unavailable):
        return False
    return all(outcome.outcome != "unavailable" for outcome in outcomes)


async def _read_for_ever(desk: Desk, connection: KafkaConnection) -> None:
    while True:
        consumer = AIOKafkaConsumer(
            **connection.for_aiokafka(),
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            metadata_max_age_ms=int(_NEW_TOPIC_SEEN_WITHIN.total_seconds() * 1000),
        )
        consumer.subscribe(pattern=f"^{_TOPICS.pattern}$")
        try:
            await consumer.start()
            await _read(desk, consumer)
        except KafkaError as error:
            _log.warning("answers_unreachable", error=type(error).__name__)
        finally:
            await _close(consumer)
        await asyncio.sleep(_PAUSE.total_seconds())


async def _read(desk: Desk, consumer: AIOKafkaConsumer) -> None:
    while True:
        wait_ms = int(_POLL.total_seconds() * 1000)
        for partition, records in (await consumer.getmany(timeout_ms=wait_ms, max_records=_RECORDS_AT_ONCE)).items():
            programme = short_name(partition.topic).partition(".")[2]
            answers = [_answered(record) for record in records]
            await _take_all(desk, programme, answers)
            await consumer.commit({partition: records[-1].offset + 1})


async def _take_all(desk: Desk, programme: str, answers: Sequence[Answered]) -> None:
    while True:
        if await take_answers(desk, programme, answers):
            return
        await asyncio.sleep(_PAUSE.total_seconds())


def _answered(record: ConsumerRecord[bytes, bytes]) -> Answered:
    return Answered(f"{record.topic} {record.partition}@{record.offset}", record.value or b"")


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
    if not value.startswith(_AVRO):
        return value
    try:
        reply = codec(Reply).decode(value)
    except RefusedError:
        return value
    return reply.model_dump_json(exclude={"recorded_at"}).encode()


def _refusal_record(programme: str, answer: Answered, refused: tuple[bytes, Refusal], at: datetime) -> Record:
    body, refusal = refused
    event_id = derived_id("refused answer", answer.place)
    said = _said(body)
    told = HandoverEvent(
        **own_envelope(event_id, str(_uuid(said.get("statement_id")) or "unreadable"), at),
        causation_id=_uuid(said.get("event_id")),
        statement=HandoverStatement.REPLY_REFUSED,
        programme=programme,
        programme_version=0,
        need_kind=NeedKind.UNKNOWN,
        identity=Identity.UNKNOWN,
        reason_code=refusal.code,
    )
    topic = f"refusals.{programme}"
    why = [(f"refused-{name}", text.encode()) for name, text in refusal.as_dict().items()]
    return Record(topic, programme.encode(), codec(HandoverEvent).encode(told), (*headers_of(told, topic), *why))


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


async def _close(consumer: AIOKafkaConsumer) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIME_MAX.total_seconds()):
            await consumer.stop()


def _end_process_where_it_failed(reading: asyncio.Task[None]) -> None:
    if not reading.cancelled() and reading.exception() is not None:
        _log.error("answers_reading_failed", error=type(reading.exception()).__name__)
        signal.raise_signal(signal.SIGTERM)
