"""Publishes what a person decided about a need, and watches for what comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.outputs import NeedView, Notice, PathwayView
from schemas.topics import kafka_name
from streams.log.decoding import read_model
from streams.log.reading import opened
from streams.log.views import PATHWAYS
from streams.log.writing import outbound_of
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from connectors.kafka.connection import KafkaConnection
    from schemas.events import Intervention

NOTICES = kafka_name("notices")
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


def decide(connection: KafkaConnection, decision: Intervention, partitions: int, wait: timedelta) -> Effect:
    """Publishes a decision and returns what came of it within ``wait``; blocks that long at most.

    Raises KafkaError where the broker didn't confirm the decision.
    """
    return asyncio.run(_decide(connection, decision, partitions, wait))


async def _decide(connection: KafkaConnection, decision: Intervention, partitions: int, wait: timedelta) -> Effect:
    key = (decision.youth_id or "").encode()
    number = partition_of(key, partitions)
    places = [TopicPartition(PATHWAYS, number), TopicPartition(NOTICES, number)]
    consumer = opened(connection)
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:
            # Fixes the position now: what the decision causes comes after it.
            await consumer.position(place)
        await _publish(connection, decision)
        return await _effect(consumer, decision, wait)
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


async def _effect(consumer: AIOKafkaConsumer, decision: Intervention, wait: timedelta) -> Effect:
    """Returns the first sign of the decision: a notice that refuses it counts before a view."""
    key = (decision.youth_id or "").encode()
    shown: Effect = UnderWay()
    try:
        async with asyncio.timeout(wait.total_seconds()):
            while isinstance(shown, UnderWay):
                batches = await consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000))
                found = [(place.topic, one.value) for place, some in batches.items() for one in some if one.key == key]
                for topic, value in found:
                    effect = _refused(value, decision) if topic == NOTICES else _shown(value, decision)
                    shown = effect if isinstance(effect, NotDone) or isinstance(shown, UnderWay) else shown
    except TimeoutError:
        return shown
    return shown


def _refused(value: bytes, decision: Intervention) -> Effect:
    notice = read_model(Notice, value)
    about = {notice.statement_id, str(notice.correlation_id)}
    told = notice.recipient == decision.actor and bool(about & {decision.statement_id, str(decision.event_id)})
    return NotDone(notice.reason_code or notice.kind) if told else UnderWay()


def _shown(value: bytes, decision: Intervention) -> Effect:
    view = read_model(PathwayView, value)
    return next((Done(need) for need in view.needs if str(need.need_id) == decision.statement_id), UnderWay())
