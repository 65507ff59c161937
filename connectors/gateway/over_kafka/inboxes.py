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
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from schemas.refusals import Refusal
from schemas.topics import catalogue, kafka_name, short_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection

_PAUSE = timedelta(seconds=1)
_CLOSE_TIME_MAX = timedelta(seconds=5)
_POLL = timedelta(seconds=1)
_RECORDS_AT_ONCE = 100
_NEW_TOPIC_SEEN_WITHIN = timedelta(seconds=30)
_PARTY = "<party>"
_POLL_OF_ONE = timedelta(milliseconds=200)
_UNREADABLE = Refusal(
    "unreadable_header",
    "headers",
    "the name of a header is text in UTF-8",
    "correct it, and send again every record that the producer had sent in one batch with it",
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record of an inbox was."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Returns it in one word for logs and derived ids, which must not change."""
        return f"{self.topic} {self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Received:
    """One record of an inbox, and where it was. Of headers with one name the last counts.

    ``refusal`` says why nothing of it could be read.
    """

    place: Place
    value: bytes
    headers: dict[str, bytes] = field(default_factory=dict)
    refusal: Refusal | None = None


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
    unreadable = False
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
            if unreadable:
                await _pass_unreadable(inboxes, consumer, admin)
                unreadable = False
            await _read(inboxes, consumer, admin)
        except UnicodeDecodeError:
            unreadable = True  # and what was read beside it is read again, from the last commit on
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
            await _take_all(inboxes, partition, [_received(record) for record in records])
            await _pass(consumer, admin, partition, records[-1].offset + 1)


async def _pass_unreadable(inboxes: Inboxes, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient | None) -> None:
    """Reads record by record until none is left on which aiokafka fails: a header's name that is not UTF-8.

    It fails on all of the batch from there on, wherever one begins to read: each of these is refused.
    """
    wait_ms, found = int(_POLL_OF_ONE.total_seconds() * 1000), True
    while found or not consumer.assignment():
        found = False
        for partition in consumer.assignment():
            try:
                records = (await consumer.getmany(partition, timeout_ms=wait_ms, max_records=1)).get(partition, [])
                received = [_received(record) for record in records]
                end = records[-1].offset + 1 if records else None
            except UnicodeDecodeError:
                found, offset = True, await consumer.position(partition)
                received = [Received(Place(partition.topic, partition.partition, offset), b"", refusal=_UNREADABLE)]
                end = offset + 1
                consumer.seek(partition, end)
                _log.warning("record_unreadable", topic=partition.topic, partition=partition.partition, offset=offset)
            if end is not None:
                await _take_all(inboxes, partition, received)
                await _pass(consumer, admin, partition, end)


async def _take_all(inboxes: Inboxes, partition: TopicPartition, records: Sequence[Received]) -> None:
    party = short_name(partition.topic).partition(".")[2]
    while True:
        if await inboxes.take(party, records):
            return
        await asyncio.sleep(_PAUSE.total_seconds())


async def _pass(
    consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient | None, partition: TopicPartition, end: int
) -> None:
    await consumer.commit({partition: end})
    if admin is not None:
        await _empty(admin, partition, end)


async def _empty(admin: AIOKafkaAdminClient, partition: TopicPartition, end: int) -> None:
    try:
        await admin.delete_records({partition: RecordsToDelete(before_offset=end)})
    except KafkaError as error:
        _log.warning("inbox_not_emptied", topic=partition.topic, error=type(error).__name__)


def _received(record: ConsumerRecord[bytes, bytes]) -> Received:
    place = Place(record.topic, record.partition, record.offset)
    return Received(place, record.value or b"", {name: value or b"" for name, value in record.headers})


async def _close(close: Callable[[], Awaitable[None]]) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIME_MAX.total_seconds()):
            await close()


def _end_process_where_it_failed(reading: asyncio.Task[None]) -> None:
    if not reading.cancelled() and reading.exception() is not None:
        _log.error("reading_inboxes_failed", error=type(reading.exception()).__name__)
        signal.raise_signal(signal.SIGTERM)
