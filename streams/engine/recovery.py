"""Brings a task's store to the changelog's end.

The store may be missing, behind (the process died between commit and write), or useless: ahead of a
changelog that was made anew, or so old that deletions have left the log unseen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.engine import faust_private
from streams.engine.limits import MIB
from streams.engine.meta import ENGINE_PREFIX
from streams.engine.store import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.engine.due_index import DueChanges
    from streams.engine.input_log import Bounds
    from streams.engine.processor import Record
    from streams.engine.stage import BrokerConnection
    from streams.engine.store import Store

_FETCH_BYTES = 4 * MIB
_POLL_MS = 500
#: A restore that brings nothing for so long has lost its broker.
_SILENCE_MAX = timedelta(seconds=60)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restoration:
    """What is to be read into which store."""

    changelog: TopicPartition
    bounds: Bounds
    due: Callable[[bytes, bytes], int | None]
    remaining: Callable[[int], None]


class RecoveryError(RuntimeError):
    """The changelog stopped giving records before its end."""


def usable_from(mark: Mark | None, bounds: Bounds, delete_retention: timedelta) -> int | None:
    """Returns the changelog offset a store with this mark lacks from, None where it must be dropped.

    Half of the retention leaves room for the time the restore itself takes.
    """
    if mark is None:
        return None
    age = timedelta(milliseconds=time.time() * 1000 - mark.written_at_ms)
    if not bounds.begin <= mark.changelog_offset <= bounds.end or age > delete_retention / 2:
        return None
    return mark.changelog_offset


def is_up_to_date(start: int, bounds: Bounds) -> bool:
    """Tells whether nothing but the last transaction's commit marker lies between `start` and the end.

    A changelog partition has one writer, so one offset after its last record is its marker.
    """
    return bounds.end - start <= 1


async def restore(connection: BrokerConnection, store: Store, start: int, restoration: Restoration) -> int:
    """Reads the committed changelog from `start` into the store and returns the number of records.

    Interrupted, it leaves a store without a newer mark, to be read again from the same offset.
    """
    options: dict[str, Any] = dict(connection.for_aiokafka())
    if restoration.bounds.end <= start:
        return 0
    consumer = AIOKafkaConsumer(
        **options,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        key_deserializer=faust_private.raw_records,
        max_partition_fetch_bytes=_FETCH_BYTES,
        fetch_max_bytes=2 * _FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([restoration.changelog])
        consumer.seek(restoration.changelog, max(start, restoration.bounds.begin))
        records = await _read_to_end(consumer, store, restoration)
    finally:
        await consumer.stop()
    store.write({}, {}, Mark(restoration.bounds.end, int(time.time() * 1000)))
    restoration.remaining(0)
    return records


async def _read_to_end(consumer: AIOKafkaConsumer, store: Store, restoration: Restoration) -> int:
    count, read_at = 0, time.monotonic()
    end = restoration.bounds.end
    while (position := await consumer.position(restoration.changelog)) < end:
        restoration.remaining(end - position)
        fetched = await consumer.getmany(timeout_ms=_POLL_MS)
        for batches in fetched.values():
            records = faust_private.flattened(batches)
            _write(store, records, restoration.due)
            count += len(records)
        if fetched:
            read_at = time.monotonic()
        elif time.monotonic() - read_at > _SILENCE_MAX.total_seconds():
            message = f"{restoration.changelog} gave nothing at {position}, its end is {end}"
            raise RecoveryError(message)
    return count


def _write(store: Store, records: Sequence[Record], due: Callable[[bytes, bytes], int | None]) -> None:
    states: dict[bytes, bytes | None] = {}
    dues: DueChanges = {}
    for record in records:
        key, value = record.key, record.value
        if key is None:
            continue
        states[key] = value
    for key, value in states.items():
        if value is not None and not key.startswith(ENGINE_PREFIX):
            moment = due(key, value)
            if moment is not None:
                dues[moment, key] = True
    store.write(states, dues, None)
