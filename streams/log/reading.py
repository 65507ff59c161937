"""Reads committed records of one partition, within bounds, for commands: synchronous, one thread, no group."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka.errors import BrokerUnavailableError
from streams.engine.processor import StoredRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection

_SILENCE_MAX = timedelta(seconds=30)
_POLL = timedelta(milliseconds=50)
_STEP_BACK = 1000
#: The client waits so long for what it doesn't know yet, which is every topic when a command begins.
_BACKOFF_MS = 20
#: A broker answers one request of a connection after the other: what asks for offsets waits for a fetch as long.
_FETCH_WAIT_MS = 20
_FETCH_BYTES = 4 * 1024 * 1024

Offsets = Mapping[TopicPartition, int]


def open_consumer(connection: KafkaConnection) -> AIOKafkaConsumer:
    """Returns a consumer of no group that sees committed records only; call it where a loop runs."""
    return AIOKafkaConsumer(
        **connection.for_aiokafka(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
        retry_backoff_ms=_BACKOFF_MS,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )


async def all_partition_counts(connection: KafkaConnection) -> dict[str, int]:
    """Returns how many partitions each topic of the cluster has, by name."""
    admin = AIOKafkaAdminClient(**connection.for_aiokafka())
    await admin.start()
    try:
        described = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def stored(record: ConsumerRecord[bytes, bytes]) -> StoredRecord:
    """Returns a fetched record as the fold takes it."""
    return StoredRecord(record.offset, record.timestamp, record.key, record.value, tuple(record.headers))


def committed_records(
    connection: KafkaConnection, place: tuple[str, int], start: int = 0, end: int | None = None
) -> Iterator[StoredRecord]:
    """Yields the committed records of a topic's partition from ``start`` up to, not including, ``end``.

    Without ``end``, up to the end as it is when reading begins. Blocks; raises BrokerUnavailableError where
    nothing comes for 30 s before the end. Must not be called where an event loop runs.
    """
    partition = TopicPartition(*place)
    with asyncio.Runner() as runner:
        consumer = runner.run(_started(connection))
        try:
            last = runner.run(_positioned(consumer, partition, start, end))
            while runner.run(consumer.position(partition)) < last:
                for record in runner.run(_next_batch(consumer, partition, last)):
                    if record.offset < last:
                        yield stored(record)
        finally:
            runner.run(consumer.stop())


async def latest_of_key(consumer: AIOKafkaConsumer, partition: TopicPartition, key: bytes) -> StoredRecord | None:
    """Returns the latest committed record of a key that is written often, or None.

    Reads from the end backwards, each step ten times as far.
    """
    begin = (await consumer.beginning_offsets([partition]))[partition]
    upto = (await consumer.end_offsets([partition]))[partition]
    consumer.assign([partition])
    step, found = _STEP_BACK, None
    while upto > begin and found is None:
        start = max(begin, upto - step)
        consumer.seek(partition, start)
        while await consumer.position(partition) < upto:
            for record in await _next_batch(consumer, partition, upto):
                if record.key == key and record.offset < upto:
                    found = stored(record)
        upto, step = start, step * 10
    return found


async def _started(connection: KafkaConnection) -> AIOKafkaConsumer:
    consumer = open_consumer(connection)
    await consumer.start()
    return consumer


async def _positioned(consumer: AIOKafkaConsumer, partition: TopicPartition, start: int, end: int | None) -> int:
    """Seeks to ``start``, or to where the log begins now, and returns where to end."""
    begin: int = (await consumer.beginning_offsets([partition]))[partition]
    last: int = (await consumer.end_offsets([partition]))[partition]
    consumer.assign([partition])
    consumer.seek(partition, max(start, begin))
    return last if end is None else min(end, last)


async def _next_batch(
    consumer: AIOKafkaConsumer, partition: TopicPartition, end: int
) -> Sequence[ConsumerRecord[bytes, bytes]]:
    """Returns the next records, none where the end was reached by transaction markers alone."""
    silent = timedelta()
    while silent < _SILENCE_MAX:
        batches = await consumer.getmany(partition, timeout_ms=int(_POLL.total_seconds() * 1000))
        if batches:
            records: Sequence[ConsumerRecord[bytes, bytes]] = batches[partition]
            return records
        if await consumer.position(partition) >= end:
            return ()
        silent += _POLL
    raise BrokerUnavailableError(
        f"{partition.topic} {partition.partition} gives nothing before its end at {end}; "
        "look at the broker's log, then try again"
    )
