"""Follows the topics that letters are made from: notices, and what the sources themselves said."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka.topics import partition_counts
from connectors.source_letters.letters import letter_for_notice, source_statement_of
from connectors.source_letters.outbox import Read
from schemas.codec import codec
from schemas.events import Consent, Correspondence, Discharge, Enrolment, EventHeader, Referral
from schemas.outputs import Notice
from schemas.refusals import RefusedError
from schemas.topics import kafka_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pydantic import BaseModel

    from connectors.kafka.connection import KafkaConnection
    from connectors.source_letters.outbox import NewLetter, SourceStatement
    from connectors.source_letters.sending import PostRoom

_POLL = timedelta(milliseconds=500)
_LOOK_FOR_TOPICS = timedelta(seconds=10)
_RECORDS_MAX = 500
_NOTICES = kafka_name("notices")
_STATEMENTS: dict[str, type[BaseModel]] = {
    kafka_name("discharges"): Discharge,
    kafka_name("correspondence"): Correspondence,
    kafka_name("referrals"): Referral,
    kafka_name("enrolments"): Enrolment,
    kafka_name("consents"): Consent,
}
_log = structlog.get_logger(__name__)


class LetterFollower:
    """Moves what concerns mailboxes from the topics into the database, together with how far it read."""

    def __init__(self, connection: KafkaConnection, room: PostRoom) -> None:
        """Takes where the brokers are."""
        self._connection = connection
        self._room = room
        self._since: dict[str, datetime] = {}
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
            self.ready = True
            places = await self._places()
            consumer.assign(places)
            await self._seek(consumer, places)
            while True:
                await self._look_for_mailboxes(consumer, places)
                await self._take(consumer)
        finally:
            self.ready = False
            await consumer.stop()

    async def _places(self) -> list[TopicPartition]:
        """Returns the partitions of all topics; waits until the instance has made them."""
        wanted = [_NOTICES, *_STATEMENTS]
        while True:
            known = await asyncio.to_thread(partition_counts, self._connection, wanted)
            if len(known) == len(wanted):
                return [TopicPartition(name, number) for name, count in known.items() for number in range(count)]
            await asyncio.sleep(_LOOK_FOR_TOPICS.total_seconds())

    async def _seek(self, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
        known = await asyncio.to_thread(self._room.outbox.positions)
        begins = await consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, known.get((place.topic, place.partition), begins[place]))

    async def _look_for_mailboxes(self, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
        """Reads what sources said once more where one got a mailbox: only those that have one are kept."""
        listed = await asyncio.to_thread(self._room.mailboxes.listed)
        since = {one.recipient: one.since for one in listed}
        if since.keys() - self._since.keys():
            await consumer.seek_to_beginning(*[place for place in places if place.topic != _NOTICES])
        self._since = since

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        if not self._since:  # without mailboxes nothing is read, and nothing missed: see ``Mailbox.since``
            await asyncio.sleep(_POLL.total_seconds())
            return
        batches = await consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000), max_records=_RECORDS_MAX)
        if batches:
            records = [(place.topic, one.value or b"") for place, some in batches.items() for one in some]
            statements, letters = sorted_out(records, self._since)
            ends = {(place.topic, place.partition): some[-1].offset + 1 for place, some in batches.items() if some}
            await asyncio.to_thread(self._room.outbox.take, Read(statements, letters, ends), self._room.clock())


def sorted_out(
    records: Iterable[tuple[str, bytes]], since: Mapping[str, datetime]
) -> tuple[list[SourceStatement], list[NewLetter]]:
    """Returns what mailboxes' sources said, and the letters that notices to them become.

    ``records`` are topics and values, ``since`` from when on each recipient has a mailbox.
    """
    statements, letters = [], []
    for topic, value in records:
        event = _decoded(topic, value)
        if isinstance(event, Notice):
            letter = letter_for_notice(event)
            if letter is not None and event.recipient in since and event.occurred_at >= since[event.recipient]:
                letters.append(letter)
        elif isinstance(event, EventHeader) and event.source in since:
            statements.append(source_statement_of(event))
    return statements, letters


def _decoded(topic: str, value: bytes) -> BaseModel | None:
    try:
        return codec(Notice if topic == _NOTICES else _STATEMENTS[topic]).decode(value)
    except RefusedError as error:
        # Doors and stage 2 alone write here, so this is a fault of ours; holding all others up would not mend it.
        _log.error("record_unreadable", topic=topic, code=error.refusal.code)
        return None
