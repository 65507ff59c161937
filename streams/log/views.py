"""Pathways as the public view shows them, read from the compacted topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.outputs import NeedView, PathwayView
from schemas.topics import kafka_name
from streams.log.decoding import read_model
from streams.log.reading import committed_records
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.kafka.connection import KafkaConnection

PATHWAYS = kafka_name("pathways")
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class NeedOfPathway:
    """A need and the pathway that it belongs to."""

    need: NeedView
    pathway: PathwayView


def pathway_of(connection: KafkaConnection, youth_id: str, partitions: int) -> PathwayView | None:
    """Returns the latest view of a young person, or None. Reads the one partition that can hold it; blocks."""
    number = partition_of(youth_id.encode(), partitions)
    return _latest_views(connection, number).get(youth_id.encode())


def needs_of(connection: KafkaConnection, partitions: int) -> Iterator[NeedOfPathway]:
    """Yields every need of every pathway's latest view, the closed ones too; blocks."""
    for number in range(partitions):
        for view in _latest_views(connection, number).values():
            for need in view.needs:
                yield NeedOfPathway(need, view)


def _latest_views(connection: KafkaConnection, number: int) -> dict[bytes, PathwayView]:
    latest: dict[bytes, bytes] = {}
    for record in committed_records(connection, (PATHWAYS, number)):
        if record.key is not None and record.value is not None:
            latest[record.key] = record.value
        elif record.key is not None:
            latest.pop(record.key, None)
    return {key: read_model(PathwayView, value) for key, value in latest.items()}
