"""Reads a whole topic as it grows: what is there and what comes, until enough came or time is up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition

from schemas.refusals import RefusedError
from schemas.topics import entry_of, kafka_name, short_name
from streams.log.decoding import read_json_record
from streams.log.reading import all_partition_counts, open_consumer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka.structs import ConsumerRecord

    from connectors.kafka.connection import KafkaConnection

_POLL = timedelta(milliseconds=200)


class TopicError(Exception):
    """A topic can't be read this way; the text says why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: a topic by its short name, how many records, for how long at most, and from where."""

    topic: str
    limit: int | None
    timeout: timedelta
    from_beginning: bool


def follow(connection: KafkaConnection, wanted: Wanted, take: Callable[[dict[str, Any]], None]) -> int:
    """Hands committed records to ``take`` as JSON, in the order per partition, and returns how many there were.

    Blocks until ``limit`` came or the timeout has passed. Raises TopicError where the topic doesn't exist or
    its records are the engine's own.
    """
    check_can_be_shown(wanted.topic)
    return asyncio.run(_follow(connection, wanted, take))


def check_can_be_shown(topic: str) -> None:
    """Raises TopicError where no topic has this name or its records can't be shown."""
    try:
        entry = entry_of(topic)
    except LookupError as error:
        raise TopicError(f"no topic is named {topic!r}; `brobygger topics list` shows them") from error
    if short_name(topic) == "dead-letters":
        raise TopicError("dead letters are sealed; `brobygger dead-letters list` and `show` read them")
    if entry.per == "source":
        raise TopicError(f"{short_name(topic)} is between a source and the gateway; the source's own user reads it")
    if entry.model is None:
        raise TopicError(f"{short_name(topic)} is in the engine's own format and only the engine reads it")
    if entry.per is not None and "." not in short_name(topic):
        raise TopicError(f"there is one {topic} topic a programme: {topic}.<programme>, e.g. {topic}.headspace")


async def _follow(connection: KafkaConnection, wanted: Wanted, take: Callable[[dict[str, Any]], None]) -> int:
    topic = kafka_name(short_name(wanted.topic))
    partitions = (await all_partition_counts(connection)).get(topic, 0)
    if not partitions:
        raise TopicError(f"the cluster has no topic {topic}; `brobygger topics apply` creates them")
    places = [TopicPartition(topic, number) for number in range(partitions)]
    count = 0
    consumer = open_consumer(connection)
    await consumer.start()
    try:
        consumer.assign(places)
        bounds = await (consumer.beginning_offsets if wanted.from_beginning else consumer.end_offsets)(places)
        for place, offset in bounds.items():
            consumer.seek(place, offset)  # seek_to_... would race with the reset that an assignment begins
        async with asyncio.timeout(wanted.timeout.total_seconds()):
            while wanted.limit is None or count < wanted.limit:
                left = None if wanted.limit is None else wanted.limit - count
                batches = await consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000), max_records=left)
                for record in (one for some in batches.values() for one in some):
                    take(record_as_json(record))
                    count += 1
    except TimeoutError:
        return count
    finally:
        await consumer.stop()
    return count


def record_as_json(record: ConsumerRecord[bytes, bytes]) -> dict[str, Any]:
    """Returns a record as JSON; one that can't be decoded keeps its place and says why instead of its event."""
    place = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": None if record.key is None else record.key.decode("utf-8", "replace"),
    }
    model = entry_of(record.topic).model
    if record.value is None or model is None:
        return place | {"event": None}
    try:
        return place | {"event": read_json_record(model, record.value)}
    except RefusedError as error:
        return place | {"unreadable": error.refusal.as_dict()}
