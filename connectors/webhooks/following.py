"""Follows the handover topics of the programmes that have endpoints, from offsets kept in the database."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka.topics import partition_counts
from connectors.vault.pairwise import EARLIER_MAX_MS
from connectors.webhooks.deliveries import NewDelivery
from schemas.codec import codec
from schemas.instants import milliseconds_of
from schemas.outputs import HandoverEvent
from schemas.refusals import RefusedError
from schemas.topics import kafka_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection
    from connectors.webhooks.endpoints import Endpoint
    from connectors.webhooks.lanes import Bench

_POLL = timedelta(milliseconds=200)
_LOOK_FOR_ENDPOINTS = timedelta(seconds=1)
_LOOK_FOR_TOPICS = timedelta(seconds=10)
_RECORDS_MAX = 500
_log = structlog.get_logger(__name__)


class Follower:
    """Moves committed records from topics into the database, each together with its topic's next offset."""

    def __init__(self, connection: KafkaConnection, bench: Bench, arrived: Callable[[str], None]) -> None:
        """Takes what is called with a programme for which something came."""
        self._connection = connection
        self._bench = bench
        self._arrived = arrived
        self._followed: dict[str, datetime] = {}
        self._missing: dict[str, datetime] = {}
        self._look_at = 0.0
        self.ready = False

    async def run(self) -> None:
        """Follows until it is cancelled; raises KafkaError where the brokers don't do their part."""
        consumer = AIOKafkaConsumer(
            **self._connection.for_aiokafka(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            while True:
                await self._look_for_endpoints(consumer)
                self.ready = True
                await self._take_for(consumer, _LOOK_FOR_ENDPOINTS)
        finally:
            self.ready = False
            await consumer.stop()

    async def _look_for_endpoints(self, consumer: AIOKafkaConsumer) -> None:
        endpoints = await asyncio.to_thread(self._bench.endpoints.listed, self._bench.clock())
        wanted = {one.programme: one.since for one in endpoints}
        now = asyncio.get_running_loop().time()
        if wanted == self._followed | self._missing and (not self._missing or now < self._look_at):
            return
        self._look_at = now + _LOOK_FOR_TOPICS.total_seconds()
        # The consumer itself knows no topics but those that it reads.
        known = await asyncio.to_thread(partition_counts, self._connection, [_topic_of(one) for one in wanted])
        places = {
            one: _places(topic, known[topic]) for one in endpoints if (topic := _topic_of(one.programme)) in known
        }
        found = {one.programme: one.since for one in places}
        self._missing = {programme: since for programme, since in wanted.items() if programme not in found}
        if found == self._followed:
            return
        consumer.assign([place for some in places.values() for place in some])
        for endpoint, some in places.items():
            for place, offset in (await self._starts(consumer, endpoint, some)).items():
                consumer.seek(place, offset)
        self._followed = found

    async def _starts(
        self, consumer: AIOKafkaConsumer, endpoint: Endpoint, places: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        known = await asyncio.to_thread(self._bench.waiting.positions, endpoint.programme)
        new = [place for place in places if place.partition not in known]
        starts = {place: known[place.partition] for place in places if place.partition in known}
        if not new:
            return starts
        # Records are dated so much too early at most; some from before are better than one too few.
        since = milliseconds_of(endpoint.since) - EARLIER_MAX_MS
        if since <= 0:
            begins: dict[TopicPartition, int] = await consumer.beginning_offsets(new)
            return starts | begins
        ends = await consumer.end_offsets(new)
        found = await consumer.offsets_for_times(dict.fromkeys(new, since))
        return starts | {place: ends[place] if (at := found[place]) is None else at.offset for place in new}

    async def _take_for(self, consumer: AIOKafkaConsumer, time: timedelta) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + time.total_seconds()
        while loop.time() < until:
            if not consumer.assignment():
                await asyncio.sleep(_POLL.total_seconds())
                continue
            timeout_ms = int(_POLL.total_seconds() * 1000)
            batches = await consumer.getmany(timeout_ms=timeout_ms, max_records=_RECORDS_MAX)
            for programme in self._followed:
                topic = _topic_of(programme)
                mine = {place.partition: some for place, some in batches.items() if place.topic == topic and some}
                if mine:
                    await self._take(programme, mine)

    async def _take(self, programme: str, batches: dict[int, list[ConsumerRecord[bytes, bytes]]]) -> None:
        records = [one for some in batches.values() for one in some]
        new = [delivery for one in records if (delivery := self._delivery_of(programme, one)) is not None]
        next_offsets = {partition: some[-1].offset + 1 for partition, some in batches.items()}
        await asyncio.to_thread(self._bench.waiting.enqueue, programme, new, next_offsets, self._bench.clock())
        self._arrived(programme)

    def _delivery_of(self, programme: str, record: ConsumerRecord[bytes, bytes]) -> NewDelivery | None:
        try:
            return delivery_of_record(record.value or b"")
        except RefusedError as error:
            # Only stage 2 writes here, so this is a fault of ours; holding all others up would not mend it.
            place = {"partition": record.partition, "offset": record.offset}
            _log.error("handover_unreadable", programme=programme, code=error.refusal.code, **place)
            self._bench.metrics.unreadable.labels(programme).inc()
            return None


def delivery_of_record(value: bytes) -> NewDelivery:
    """Returns what is delivered of a handover record: its public JSON form; raises RefusedError."""
    fields = codec(HandoverEvent).decode(value).model_dump(mode="json")
    return NewDelivery(
        event_id=fields["event_id"],
        handover=fields["subject"],
        youth_id=fields["youth_id"] or "",
        correlation_id=fields["correlation_id"],
        body=json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def _topic_of(programme: str) -> str:
    return kafka_name(f"handovers.{programme}")


def _places(topic: str, count: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(count)]
