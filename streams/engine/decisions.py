"""Reads from the coordinators' own log how the last transaction of an id was to end."""

from __future__ import annotations

import asyncio
import struct
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import ConsumerRecord

    from streams.engine.stage import BrokerConnection

_LOG = "__transaction_state"
_READ_MAX = timedelta(seconds=60)
_POLL_MS = 500
#: Apache Kafka's TransactionLogKey.json (version, transactional id) and TransactionLogValue.json (version, producer
#: id, producer epoch, time-out, status); the versions 0 and 1 begin alike.
_KEY = struct.Struct(">hh")
_VALUE = struct.Struct(">hqhib")
_PREPARE_COMMIT, _PREPARE_ABORT = 2, 3


async def last_decision(connection: BrokerConnection, transactional_id: str) -> bool | None:
    """Returns whether the last transaction of an id that was ended was to be committed, None where none was.

    Reads the log from its start, which takes long on a cluster with many transactions; raises TimeoutError after a
    minute, and KafkaError where the log may not be read.
    """
    options: dict[str, Any] = dict(connection.for_aiokafka())
    consumer = AIOKafkaConsumer(_LOG, **options, exclude_internal_topics=False, auto_offset_reset="earliest")
    async with asyncio.timeout(_READ_MAX.total_seconds()):
        await consumer.start()
        try:
            numbers = consumer.partitions_for_topic(_LOG) or ()
            return await _read(consumer, [TopicPartition(_LOG, number) for number in numbers], transactional_id)
        finally:
            await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], transactional_id: str) -> bool | None:
    ends = await consumer.end_offsets(partitions)
    decision = None
    for partition in partitions:  # one at a time: an id has all of its records in one
        consumer.unsubscribe()
        consumer.assign([partition])
        consumer.seek(partition, 0)
        await consumer.seek_to_beginning(partition)
        while await consumer.position(partition) < ends[partition]:
            for records in (await consumer.getmany(partition, timeout_ms=_POLL_MS)).values():
                decision = _decided(records, transactional_id, decision)
    return decision


def _decided(
    records: Iterable[ConsumerRecord[bytes, bytes]],
    transactional_id: str,
    decision: bool | None,  # noqa: FBT001
) -> bool | None:
    """Returns the last decision in the records, else the one before."""
    wanted = transactional_id.encode()
    for record in records:
        if record.key is None or record.value is None or record.key[_KEY.size :] != wanted:
            continue
        status = _VALUE.unpack_from(record.value)[-1]
        if status in (_PREPARE_COMMIT, _PREPARE_ABORT):
            decision = status == _PREPARE_COMMIT
    return decision
