"""The log of disclosures: its chain checked partition by partition, and what was told about one young person."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.codec import codec
from schemas.disclosures import NO_DISCLOSURE, Broken, first_break
from schemas.outputs import Disclosure
from schemas.refusals import RefusedError
from schemas.topics import kafka_name
from streams.log.decoding import read_model
from streams.log.following import TopicError
from streams.log.reading import committed_records, partition_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.kafka.connection import KafkaConnection

DISCLOSURES = kafka_name("disclosures")


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found of one partition's chain: how many hold, the last digest of them, and the first break."""

    partition: int
    disclosures: int
    head: str
    broken: Broken | None


def chains(connection: KafkaConnection) -> Iterator[Chain]:
    """Yields each partition's chain, read from its beginning; blocks. Raises TopicError where there is no topic."""
    for number in range(_partitions(connection)):
        yield _chain(connection, number)


def disclosures_about(connection: KafkaConnection, youth_id: str) -> list[Disclosure]:
    """Returns what was disclosed about a young person, oldest first; blocks.

    Every partition is read, since a disclosure lies in that of the pathway that it was decided in.
    """
    key = youth_id.encode()
    found = [
        read_model(Disclosure, record.value)
        for number in range(_partitions(connection))
        for record in committed_records(connection, (DISCLOSURES, number))
        if record.key == key and record.value is not None
    ]
    return sorted(found, key=lambda one: one.occurred_at)


def _chain(connection: KafkaConnection, number: int) -> Chain:
    held, head = 0, NO_DISCLOSURE
    for record in committed_records(connection, (DISCLOSURES, number)):
        fields = _fields(record.value)
        broken = _unreadable(held + 1) if fields is None else first_break([fields], held, head)
        if fields is None or broken is not None:
            return Chain(number, held, head, broken)
        held, head = held + 1, fields["digest"]
    return Chain(number, held, head, None)


def _fields(value: bytes | None) -> dict[str, Any] | None:
    try:
        return codec(Disclosure).decode_raw(value or b"")
    except RefusedError:
        return None


def _unreadable(position: int) -> Broken:
    return Broken(position, "value", "a disclosure is a whole Avro record")


def _partitions(connection: KafkaConnection) -> int:
    count = asyncio.run(partition_counts(connection)).get(DISCLOSURES, 0)
    if not count:
        raise TopicError(f"the cluster has no topic {DISCLOSURES}; `brobygger topics apply` creates it")
    return count
