"""Where the read model's records come from: the committed records of the topics that it is projected from."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import kafka_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection

Place = tuple[str, int]

PATHWAYS, NOTICES, INTERVENTIONS = kafka_name("pathways"), kafka_name("notices"), kafka_name("interventions")
_HANDOVERS = kafka_name("handovers.").removesuffix(".v1")
_NEW_TOPICS_AFTER = timedelta(seconds=10)
_FIRST_TOPICS_AFTER = timedelta(seconds=1)
_POLL = timedelta(milliseconds=500)
_RECORDS_MAX = 500


@dataclass(frozen=True, slots=True)
class FetchedRecord:
    """One committed record. ``topic`` is its full name, ``timestamp`` its milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """Records in order per partition. ``caught_up`` is True from the first batch on that reached the logs' ends."""

    records: Sequence[FetchedRecord]
    caught_up: bool


class LogReplacedError(Exception):
    """Raised where a log ends before what was projected from it: it is another log than before."""


class TopicFeed(Protocol):
    """Gives the records to project."""

    def batches(self, progress: Mapping[Place, int]) -> AsyncGenerator[FetchedBatch]:
        """Yields what follows the next offsets of ``progress``, then what comes, without end.

        A partition that ``progress`` does not know starts with its oldest record. Topics that are made later
        join in. Raises LogReplacedError, and aiokafka's KafkaError where the broker can't be reached at first.
        """
        ...  # pragma: no cover


class KafkaFeed:
    """The broker's records, read_committed, by one consumer of no group."""

    def __init__(self, connection: KafkaConnection) -> None:
        """Takes where the broker is; connects when the first batch is asked for."""
        self._connection = connection

    async def batches(self, progress: Mapping[Place, int]) -> AsyncGenerator[FetchedBatch]:
        """Yields the records; see ``TopicFeed``."""
        async with AsyncExitStack() as stack:
            reading = await _opened(self._connection, stack, progress)
            while True:
                await reading.find_topics()
                async for batch in reading.fetched():
                    yield batch


async def _opened(connection: KafkaConnection, stack: AsyncExitStack, progress: Mapping[Place, int]) -> _Reading:
    consumer = AIOKafkaConsumer(
        **connection.for_aiokafka(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        retry_backoff_ms=20,
    )
    admin = AIOKafkaAdminClient(**connection.for_aiokafka())
    # Registered before they start: one that fails to start still has connections to close.
    stack.push_async_callback(consumer.stop)
    stack.push_async_callback(admin.close)
    await admin.start()
    await consumer.start()
    return _Reading(consumer, admin, dict(progress))


class _Reading:
    """A consumer's way through the logs: where it stands in each, and which ends it has yet to reach."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, following: dict[Place, int]) -> None:
        self._consumer = consumer
        self._admin = admin
        self._following = following
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._ends: dict[TopicPartition, int] = {}

    async def find_topics(self) -> None:
        """Assigns the partitions of all topics that are wanted and there."""
        described = await self._admin.describe_topics()
        counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
        places = frozenset(TopicPartition(name, number) for name in _wanted(counts) for number in range(counts[name]))
        if places == self._assigned:
            return
        self._consumer.assign(list(places))
        begins = await self._consumer.beginning_offsets(list(places))
        self._ends = await self._consumer.end_offsets(list(places))
        for place in places:
            following = self._following.get((place.topic, place.partition), 0)
            if following > self._ends[place]:
                raise LogReplacedError(f"{place.topic} {place.partition} ends before {following}")
            self._consumer.seek(place, max(following, begins[place]))
        self._assigned = places

    async def fetched(self) -> AsyncGenerator[FetchedBatch]:
        """Yields what comes until it is time to look for new topics."""
        if not self._assigned:
            # A cluster without our topics: a consumer of nothing can't be asked, and nothing is missing yet.
            yield FetchedBatch((), caught_up=True)
            await asyncio.sleep(_FIRST_TOPICS_AFTER.total_seconds())
            return
        waited = timedelta()
        while waited < _NEW_TOPICS_AFTER:
            got = await self._consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000), max_records=_RECORDS_MAX)
            waited += _POLL
            for place, records in got.items():
                self._following[place.topic, place.partition] = records[-1].offset + 1
            yield FetchedBatch([_fetched(one) for records in got.values() for one in records], await self._caught_up())

    async def _caught_up(self) -> bool:
        for place in list(self._ends):
            # The position, not the last record: a log ends with a transaction's marker.
            if await self._consumer.position(place) < self._ends[place]:
                return False
            del self._ends[place]
        return True


def _wanted(topics: Iterable[str]) -> list[str]:
    return [name for name in topics if name in {PATHWAYS, NOTICES, INTERVENTIONS} or name.startswith(_HANDOVERS)]


def programme_of(topic: str) -> str | None:
    """Returns the programme whose topic this is, or None.

    >>> programme_of("brobygger.handovers.headspace.v1")
    'headspace'
    """
    if not topic.startswith(_HANDOVERS):
        return None
    return topic.removeprefix(_HANDOVERS).removesuffix(".v1")


def _fetched(record: ConsumerRecord[bytes, bytes]) -> FetchedRecord:
    return FetchedRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
    )
