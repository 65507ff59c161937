"""Writes events to statement topics, each confirmed by every replica."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.codes import ReplyStatus
from schemas.events import Reply
from schemas.topics import kafka_name, short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.kafka.connection import KafkaConnection
    from schemas.events import EventHeader

_REQUEST_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outbound:
    """A record to write. ``partition`` None lets Kafka's default partitioner choose by the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


def outbound_of(topic: str, event: EventHeader) -> Outbound:
    """Returns an event as a record of its topic, given by either name; see ``key_of``."""
    key, headers = key_of(event), tuple(headers_of(event, topic))
    value = codec(type(event)).encode(event)
    return Outbound(kafka_name(short_name(topic)), None if key is None else key.encode(), value, headers)


def key_of(event: EventHeader) -> str | None:
    """Returns the key that stage 1 wants: the youth id or, for free capacity, the programme; None for neither."""
    if isinstance(event, Reply) and event.status is ReplyStatus.FREE_CAPACITY:
        return event.programme
    return event.youth_id


def write_all(connection: KafkaConnection, records: Sequence[Outbound]) -> None:
    """Writes the records in their order and returns once all are confirmed; blocks.

    Raises KafkaError: some may be there all the same. Writing them again is safe, since event ids are the same.
    """
    asyncio.run(_write(connection, records))


async def _write(connection: KafkaConnection, records: Sequence[Outbound]) -> None:
    producer = AIOKafkaProducer(
        **connection.for_aiokafka(), acks="all", enable_idempotence=True, max_request_size=_REQUEST_BYTES_MAX
    )
    await producer.start()
    try:
        sent = [
            await producer.send(one.topic, one.value, key=one.key, partition=one.partition, headers=list(one.headers))
            for one in records
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
