"""The log of disclosures: its chain checked partition by partition, and what was told about one young person."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.vault.key_files import replaced
from schemas.codec import codec
from schemas.disclosures import NO_DISCLOSURE, Broken, Head, first_break
from schemas.outputs import Disclosure
from schemas.refusals import RefusedError
from schemas.topics import kafka_name
from streams.log.decoding import read_model
from streams.log.following import TopicError
from streams.log.reading import all_partition_counts, committed_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from connectors.kafka.connection import KafkaConnection

DISCLOSURES = kafka_name("disclosures")


class HeadsError(Exception):
    """Raised where the file of kept heads can't be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found of one partition's chain: how many hold, the last digest of them, and the first break."""

    partition: int
    disclosures: int
    head: str
    broken: Broken | None


def chains(connection: KafkaConnection, keys: Sequence[bytes], kept: Mapping[int, Head]) -> Iterator[Chain]:
    """Yields each partition's chain, read from its beginning; blocks. Raises TopicError where there is no topic.

    ``kept`` are the heads of an earlier look: a chain that does not hold one of them any more is broken there.
    """
    for number in range(_partitions(connection)):
        values = (record.value for record in committed_records(connection, (DISCLOSURES, number)))
        yield chain_of(number, values, keys, kept.get(number, Head()))


def heads_in(file: Path) -> dict[int, Head]:
    """Returns the heads that were kept in a file, by partition; none where there is no file yet. Raises HeadsError."""
    if not file.exists():
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[int, Head])
    except (OSError, msgspec.DecodeError) as error:
        raise HeadsError(f"{file} holds no heads of disclosures; put back the copy that you keep elsewhere") from error


def keep_heads(file: Path, found: Iterable[Chain]) -> None:
    """Writes the heads of whole chains to a file, whole or not at all; raises KeyFileError where it can't."""
    heads = {chain.partition: Head(chain.disclosures, chain.head) for chain in found}
    replaced(file, msgspec.json.encode(heads) + b"\n")


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


def chain_of(partition: int, values: Iterable[bytes | None], keys: Sequence[bytes], kept: Head) -> Chain:
    """Returns what is found of a partition's chain, its records in log order."""
    held, head = 0, NO_DISCLOSURE
    for value in values:
        fields = _fields(value)
        broken = _unreadable(held + 1) if fields is None else first_break([fields], held, head, keys)
        if broken is None and fields is not None and held + 1 == kept.position and fields["digest"] != kept.digest:
            broken = Broken(kept.position, "digest", "the disclosure is the one that was there at the last look")
        if fields is None or broken is not None:
            return Chain(partition, held, head, broken)
        held, head = held + 1, fields["digest"]
    if held < kept.position:
        rule = "the chain is as long as at the last look at least: what followed was cut off"
        return Chain(partition, held, head, Broken(held + 1, "position", rule))
    return Chain(partition, held, head, None)


def _fields(value: bytes | None) -> dict[str, Any] | None:
    try:
        return codec(Disclosure).decode_raw(value or b"")
    except RefusedError:
        return None


def _unreadable(position: int) -> Broken:
    return Broken(position, "value", "a disclosure is a whole Avro record")


def _partitions(connection: KafkaConnection) -> int:
    count = asyncio.run(all_partition_counts(connection)).get(DISCLOSURES, 0)
    if not count:
        raise TopicError(f"the cluster has no topic {DISCLOSURES}; `brobygger topics apply` creates it")
    return count
