"""Topics that others write to and the gateway reads: one a party, which alone may write it, by the cluster's rules."""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from schemas.topics import catalogue, kafka_name, short_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiokafka import TopicPartition
    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection

_PAUSE = timedelta(seconds=1)
_CLOSE_TIME_MAX = timedelta(seconds=5)
_POLL = timedelta(seconds=1)
_RECORDS_AT_ONCE = 100
_NEW_TOPIC_SEEN_WITHIN = timedelta(seconds=30)
_PARTY = "<party>"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """One record of an inbox, and where it was. Of headers with one name the last counts."""

    place: str
    value: bytes
    headers: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inboxes:
    """The inboxes of a catalogue's entry, such as ``answers``; ``take`` gets the party's id and its next records.

    ``take`` returns False where all of them must come again.
    """

    short: str
    group: str
    take: Callable[[str, Sequence[Received]], Awaitable[bool]]


def start_reading(inboxes: Inboxes, connection: KafkaConnection) -> asyncio.Task[None]:
    """Starts to read all inboxes; cancelling the task ends it. The broker need not be there yet.

    A record is taken at least once, in the order of its partition. Where the catalogue says so, the topic is emptied
    of what was taken; what the broker doesn't delete then, it deletes once its time there has passed.
    """
    reading = asyncio.create_task(_read_for_ever(inboxes, connection))
    reading.add_done_callback(_end_process_where_it_failed)
    return reading


async def _read_for_ever(inboxes: Inboxes, connection: KafkaConnection) -> None:
    pattern = re.escape(kafka_name(f"{inboxes.short}.{_PARTY}")).replace(re.escape(_PARTY), "[a-z0-9-]+")
    while True:
        consumer = AIOKafkaConsumer(
            **connection.for_aiokafka(),
            group_id=inboxes.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            metadata_max_age_ms=int(_NEW_TOPIC_SEEN_WITHIN.total_seconds() * 1000),
        )
        consumer.subscribe(pattern=f"^{pattern}$")
        admin = AIOKafkaAdminClient(**connection.for_aiokafka()) if catalogue()[inboxes.short].emptied else None
        try:
            await consumer.start()
            if admin is not None:
                await admin.start()
            await _read(inboxes, consumer, admin)
        except KafkaError as error:
            _log.warning("inboxes_unreachable", inboxes=inboxes.short, error=type(error).__name__)
        finally:
            await _close(consumer.stop)
            if admin is not None:
                await _close(admin.close)
        await asyncio.sleep(_PAUSE.total_seconds())


async def _read(inboxes: Inboxes, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient | None) -> None:
    while True:
        wait_ms = int(_POLL.total_seconds() * 1000)
        for partition, records in (await consumer.getmany(timeout_ms=wait_ms, max_records=_RECORDS_AT_ONCE)).items():
            party = short_name(partition.topic).partition(".")[2]
            await _take_all(inboxes, party, [_received(record) for record in records])
            end = records[-1].offset + 1
            await consumer.commit({partition: end})
            if admin is not None:
                await _empty(admin, partition, end)


async def _take_all(inboxes: Inboxes, party: str, records: Sequence[Received]) -> None:
    while True:
        if await inboxes.take(party, records):
            return
        await asyncio.sleep(_PAUSE.total_seconds())


async def _empty(admin: AIOKafkaAdminClient, partition: TopicPartition, end: int) -> None:
    try:
        await admin.delete_records({partition: RecordsToDelete(before_offset=end)})
    except KafkaError as error:
        _log.warning("inbox_not_emptied", topic=partition.topic, error=type(error).__name__)


def _received(record: ConsumerRecord[bytes, bytes]) -> Received:
    place = f"{record.topic} {record.partition}@{record.offset}"
    return Received(place, record.value or b"", {name: value or b"" for name, value in record.headers})


async def _close(close: Callable[[], Awaitable[None]]) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIME_MAX.total_seconds()):
            await close()


def _end_process_where_it_failed(reading: asyncio.Task[None]) -> None:
    if not reading.cancelled() and reading.exception() is not None:
        _log.error("reading_inboxes_failed", error=type(reading.exception()).__name__)
        signal.raise_signal(signal.SIGTERM)
