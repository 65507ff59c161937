"""Publishes what a person decided about a need, and watches for what comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.codes import NoticeKind
from schemas.outputs import NeedView, Notice, PathwayView
from schemas.pathway import decode_pathway
from schemas.topics import kafka_name
from streams.log.decoding import read_model
from streams.log.reading import open_consumer
from streams.log.views import PATHWAYS
from streams.log.writing import outbound_of
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from connectors.kafka.connection import KafkaConnection
    from schemas.events import Intervention

NOTICES, STATES = kafka_name("notices"), kafka_name("pathway-state")
# Everything of a transaction is committed at once, but each partition shows it a moment sooner or later.
_SHOWN_WITHIN = timedelta(seconds=1)
_WAIT = timedelta(seconds=5)
_POLL = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Done:
    """The decision shows in the view: the need as it is now."""

    need: NeedView


@dataclass(frozen=True, slots=True)
class NotDone:
    """The decision can't be done; ``reason`` is the notice's reason code."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The decision is published, and nothing has come of it in the time given."""


Effect = Done | NotDone | UnderWay


def publish_decision(connection: KafkaConnection, decision: Intervention, need: NeedView, partitions: int) -> Effect:
    """Publishes a decision about a need as it was last seen, and returns what came of it.

    Blocks, for the effect up to 5 s. Raises KafkaError where the broker didn't confirm the decision.
    """
    return asyncio.run(_decide(connection, decision, need, partitions))


async def _decide(connection: KafkaConnection, decision: Intervention, need: NeedView, partitions: int) -> Effect:
    number = partition_of((decision.youth_id or "").encode(), partitions)
    places = [TopicPartition(topic, number) for topic in (PATHWAYS, NOTICES, STATES)]
    consumer = open_consumer(connection)
    await consumer.start()
    try:
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)  # fixed now: what the decision causes comes after it
        await _publish(connection, decision)
        return await _effect(consumer, decision, need)
    finally:
        await consumer.stop()


async def _publish(connection: KafkaConnection, decision: Intervention) -> None:
    record = outbound_of("interventions", decision)
    producer = AIOKafkaProducer(**connection.for_aiokafka(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(record.topic, record.value, key=record.key, headers=list(record.headers))
    finally:
        await producer.stop()


async def _effect(consumer: AIOKafkaConsumer, decision: Intervention, need: NeedView) -> Effect:
    """Returns the first clear sign: a notice that refuses, or a view; or that it was folded and changed nothing."""
    key = (decision.youth_id or "").encode()
    folded = False
    try:
        async with asyncio.timeout(_WAIT.total_seconds()) as waiting:
            while True:
                batches = await consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000))
                found = [(place.topic, one.value) for place, some in batches.items() for one in some if one.key == key]
                signs = [sign for topic, value in found if (sign := _sign(topic, value, decision)) is not None]
                if signs:
                    return next((sign for sign in signs if isinstance(sign, NotDone)), signs[0])
                if not folded and any(topic == STATES and _holds(value, decision) for topic, value in found):
                    folded = True
                    waiting.reschedule(asyncio.get_running_loop().time() + _SHOWN_WITHIN.total_seconds())
    except TimeoutError:
        return Done(need) if folded else UnderWay()


def _sign(topic: str, value: bytes | None, decision: Intervention) -> Effect | None:
    if value is None or topic == STATES:
        return None
    return _refused(value, decision) if topic == NOTICES else _shown(value, decision)


def _refused(value: bytes, decision: Intervention) -> Effect | None:
    notice = read_model(Notice, value)
    about = {notice.subject, str(notice.correlation_id)}
    told = notice.recipient == decision.actor and bool(about & {decision.subject, str(decision.event_id)})
    return NotDone(notice.reason_code or notice.kind) if told and notice.kind is NoticeKind.ESCALATED else None


def _shown(value: bytes, decision: Intervention) -> Effect | None:
    view = read_model(PathwayView, value)
    return next((Done(need) for need in view.needs if str(need.need_id) == decision.subject), None)


def _holds(value: bytes | None, decision: Intervention) -> bool:
    seen = decode_pathway(value).seen if value else ()
    return any(one.event_id == str(decision.event_id) for one in seen)
