"""Handovers by the ids that their programmes know them by, for those who speak with a programme."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import TopicPartition

from connectors.kafka.errors import BrokerUnavailableError
from schemas.codec import codec
from schemas.outputs import HandoverEvent
from schemas.refusals import RefusedError
from schemas.topics import short_name
from streams.agents.audience import traced_back
from streams.log.reading import all_partition_counts, open_consumer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiokafka import AIOKafkaConsumer

    from connectors.kafka.connection import KafkaConnection
    from connectors.vault.pseudonyms import Pseudonyms

_SILENCE_MAX = timedelta(seconds=30)
_POLL = timedelta(milliseconds=200)


class ToldHandover(NamedTuple):
    """A handover in our ids."""

    need_id: str
    handover_id: str
    programme: str


def find_told(connection: KafkaConnection, pseudonyms: Pseudonyms, handover_id: str) -> ToldHandover | None:
    """Returns the handover that a programme knows by an id, or None where no programme was told of it.

    Blocks while it reads the programmes' topics. Raises BrokerUnavailableError where nothing comes for 30 s.
    """
    found = asyncio.run(_first(connection, lambda told: bool(told["subject"] == handover_id)))
    fields = None if found is None else traced_back(pseudonyms, found)
    if fields is None:
        return None
    return ToldHandover(fields["correlation_id"], fields["subject"], fields["programme"])


def ids_told_of(connection: KafkaConnection, pseudonyms: Pseudonyms, youth_id: str) -> dict[str, str]:
    """Returns by which ids programmes know a young person's handovers, by ours; blocks and raises as ``find_told``."""
    known: dict[str, str] = {}

    def note(told: dict[str, Any]) -> bool:
        alias = pseudonyms.alias_under(told["programme"], told["youth_id"] or "")
        if alias is not None and alias.youth_id == youth_id:
            known[alias.ids.internal(told["subject"])] = told["subject"]
        return False

    asyncio.run(_first(connection, note))
    return known


async def _first(connection: KafkaConnection, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """Returns the first raw record of any programme's topic that is wanted, or None where all were looked at."""
    counts = await all_partition_counts(connection)
    topics = [topic for topic in counts if short_name(topic).startswith("handovers.")]
    places = [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]
    if not places:
        return None
    consumer = open_consumer(connection)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        consumer.assign(places)
        for place, offset in begins.items():
            consumer.seek(place, offset)
        async for told in _told_before(consumer, ends):
            if wanted(told):
                return told
    finally:
        await consumer.stop()
    return None


async def _told_before(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[dict[str, Any]]:
    """Yields the raw records up to the ends, what can't be read left out."""
    left = set(ends)
    silent = timedelta()
    while left := {place for place in left if await consumer.position(place) < ends[place]}:
        batches = await consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000))
        silent = timedelta() if batches else silent + _POLL
        if silent >= _SILENCE_MAX:
            raise BrokerUnavailableError("the programmes' topics can't be read; look at the broker's log")
        for record in (one for some in batches.values() for one in some):
            with suppress(RefusedError):
                yield codec(HandoverEvent).decode_raw(record.value or b"")
