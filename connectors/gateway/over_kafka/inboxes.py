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
from aiokafka.errors import CorruptRecordException, KafkaError, UnsupportedCodecError

from connectors.kafka.unpacking import UNPACKED_BYTES_MAX, bound_unpacking
from schemas.refusals import Refusal
from schemas.topics import catalogue, kafka_name, short_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection

_PAUSE = timedelta(seconds=1)
_CLOSE_TIME_MAX = timedelta(seconds=5)
_POLL = timedelta(seconds=1)
_RECORDS_AT_ONCE = 100
_NEW_TOPIC_SEEN_WITHIN = timedelta(seconds=30)
_PARTY = "<party>"
_POLL_OF_ONE = timedelta(milliseconds=200)
_SEND_AGAIN = "and send again every record that the producer had sent in one batch with it"
_UNREADABLE_HEADER = Refusal(
    "unreadable_header", "headers", "the name of a header is text in UTF-8", f"correct it, {_SEND_AGAIN}"
)
_UNREADABLE_BATCH = Refusal(
    "unreadable_batch",
    "value",
    f"a batch of records is packed by gzip or not at all, and unpacks to at most {UNPACKED_BYTES_MAX} bytes",
    f"set the producer's compression.type to none, {_SEND_AGAIN}",
)
# What aiokafka raises, from there on, for a batch that one party has written.
_UNREADABLE = (UnicodeDecodeError, UnsupportedCodecError, CorruptRecordException)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RecordPosition:
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

    place: RecordPosition
    value: bytes
    headers: dict[str, bytes] = field(default_factory=dict)
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Inboxes:
    """The inboxes of a catalogue's entry, such as ``answers``; ``take`` gets the party's id and its next records.

    ``take`` returns False where all of them must come again; other parties' records go on meanwhile.
    """

    short: str
    group: str
    take: Callable[[str, Sequence[Received]], Awaitable[bool]]


def start_reading(inboxes: Inboxes, connection: KafkaConnection) -> asyncio.Task[None]:
    """Starts to read all inboxes; cancelling the task ends it. The broker need not be there yet.

    A record is taken at least once, in the order of its partition. Where the catalogue says so, the topic is emptied
    of what was taken; what the broker doesn't delete then, it deletes once its time there has passed.
    """
    bound_unpacking()
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
        admin = (
            AIOKafkaAdminClient(**connection.for_aiokafka()) if catalogue()[inboxes.short].delete_after_read else None
        )
        try:
            await consumer.start()
            if admin is not None:
                await admin.start()
            reader = _Reader(inboxes, consumer, admin)
            if unreadable:
                await reader.pass_unreadable()
                unreadable = False
            await reader.read()
        except _UNREADABLE:
            unreadable = True  # and what was read beside it is read again, from the last commit on
        except KafkaError as error:
            _log.warning("inboxes_unreachable", inboxes=inboxes.short, error=type(error).__name__)
        finally:
            await _close(consumer.stop)
            if admin is not None:
                await _close(admin.close)
        await asyncio.sleep(_PAUSE.total_seconds())


@dataclass(slots=True)
class _Reader:
    """One consumer's way through the inboxes. A party that must wait, or writes what can't be read, delays no other."""

    inboxes: Inboxes
    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient | None
    waiting: dict[TopicPartition, float] = field(default_factory=dict)

    async def read(self) -> None:
        """Reads on without end."""
        while True:
            await self._take_some(self.consumer.assignment(), _POLL)

    async def pass_unreadable(self) -> None:
        """Reads record by record where aiokafka may fail, until nothing is left there.

        It fails on a header's name not in UTF-8 and on what it can't unpack, and then on all of the batch from there
        on, wherever one begins to read: each of these is refused. A partition that has nothing more for now is read as
        usual beside the others.
        """
        while not self.consumer.assignment():
            await self._take_some((), _POLL_OF_ONE)
        doubtful = set(self.consumer.assignment())
        while doubtful := doubtful & self.consumer.assignment():
            for partition in doubtful - self.waiting.keys():
                if not await self._take_one(partition):
                    doubtful.remove(partition)
            idle = doubtful <= self.waiting.keys()
            await self._take_some(self.consumer.assignment() - doubtful, _POLL_OF_ONE if idle else timedelta())

    async def _take_some(self, partitions: Collection[TopicPartition], wait: timedelta) -> None:
        self._resume()
        if not partitions:  # to aiokafka none would be all
            await asyncio.sleep(wait.total_seconds())
            return
        found = await self.consumer.getmany(
            *partitions, timeout_ms=int(wait.total_seconds() * 1000), max_records=_RECORDS_AT_ONCE
        )
        for partition, records in found.items():
            await self._take(partition, [_received(record) for record in records])

    async def _take_one(self, partition: TopicPartition) -> bool:
        """Takes a partition's next record, whether it can be read or not; False where there is none for now."""
        wait_ms = int(_POLL_OF_ONE.total_seconds() * 1000)
        try:
            records = (await self.consumer.getmany(partition, timeout_ms=wait_ms, max_records=1)).get(partition, [])
            received = [_received(record) for record in records]
        except _UNREADABLE as error:
            refusal = _UNREADABLE_HEADER if isinstance(error, UnicodeDecodeError) else _UNREADABLE_BATCH
            offset = await self.consumer.position(partition)
            received = [Received(RecordPosition(partition.topic, partition.partition, offset), b"", refusal=refusal)]
            self.consumer.seek(partition, offset + 1)
            _log.warning("record_unreadable", topic=partition.topic, partition=partition.partition, offset=offset)
        if received:
            await self._take(partition, received)
        return bool(received)

    async def _take(self, partition: TopicPartition, records: Sequence[Received]) -> None:
        """Has records taken and passes them; those that must come again are read again after a pause."""
        party = short_name(partition.topic).partition(".")[2]
        if await self.inboxes.take(party, records):
            await self._pass(partition, records[-1].place.offset + 1)
        elif partition in self.consumer.assignment():
            self.consumer.pause(partition)
            self.consumer.seek(partition, records[0].place.offset)
            self.waiting[partition] = asyncio.get_running_loop().time() + _PAUSE.total_seconds()

    def _resume(self) -> None:
        now = asyncio.get_running_loop().time()
        for partition in [one for one, until in self.waiting.items() if until <= now]:
            del self.waiting[partition]
            if partition in self.consumer.assignment():
                self.consumer.resume(partition)

    async def _pass(self, partition: TopicPartition, end: int) -> None:
        await self.consumer.commit({partition: end})
        if self.admin is not None:
            await _empty(self.admin, partition, end)


async def _empty(admin: AIOKafkaAdminClient, partition: TopicPartition, end: int) -> None:
    try:
        await admin.delete_records({partition: RecordsToDelete(before_offset=end)})
    except KafkaError as error:
        _log.warning("inbox_not_emptied", topic=partition.topic, error=type(error).__name__)


def _received(record: ConsumerRecord[bytes, bytes]) -> Received:
    place = RecordPosition(record.topic, record.partition, record.offset)
    return Received(place, record.value or b"", {name: value or b"" for name, value in record.headers})


async def _close(close: Callable[[], Awaitable[None]]) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIME_MAX.total_seconds()):
            await close()


def _end_process_where_it_failed(reading: asyncio.Task[None]) -> None:
    if not reading.cancelled() and reading.exception() is not None:
        _log.error("reading_inboxes_failed", error=type(reading.exception()).__name__)
        signal.raise_signal(signal.SIGTERM)
