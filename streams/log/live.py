"""Snapshots of the topics of a running cluster: bounds are taken once, records are read when asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import kafka_name
from streams.agents import join_pathways, merge_intake
from streams.engine.meta import META_KEY, Meta
from streams.log.reading import Offsets, all_partition_counts, committed_records, latest_of_key, open_consumer
from streams.log.snapshot import Extent, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connectors.kafka.connection import KafkaConnection
    from streams.engine.processor import StoredRecord

_CHANGELOGS = {merge_intake.STAGE: kafka_name("intake-state"), join_pathways.STAGE: kafka_name("pathway-state")}
_OUTPUTS = ("notices", "pathways", "disclosures", "pathway-state", "dead-letters")
_HANDOVERS = kafka_name("handovers.").removesuffix(".v1")


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """The topics of a cluster up to where they ended when it was taken."""

    connection: KafkaConnection
    extent: Extent
    ends: dict[str, list[int]]

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yields a partition's committed records up to the snapshot's end; see ``Snapshot``."""
        if partition >= len(self.ends.get(topic, ())):
            return iter(())
        start, end = self.extent.begins[topic][partition], self.ends[topic][partition]
        return iter(()) if start >= end else committed_records(self.connection, (topic, partition), start, end)


def take_snapshot(connection: KafkaConnection) -> LiveSnapshot:
    """Takes the bounds of every topic, in the order in which accounting needs them; blocks."""
    return asyncio.run(_take(connection))


async def _take(connection: KafkaConnection) -> LiveSnapshot:
    counts = await all_partition_counts(connection)
    names = [*(kafka_name(short) for short in _OUTPUTS), *(name for name in counts if name.startswith(_HANDOVERS))]
    outputs = _partitions(counts, names)
    inputs, intake = _partitions(counts, merge_intake.INPUTS), _partitions(counts, [join_pathways.INTAKE])
    changelogs = {stage: _partitions(counts, [changelog]) for stage, changelog in _CHANGELOGS.items()}
    consumer = open_consumer(connection)
    await consumer.start()
    try:
        # The order is the point: outputs end between the two looks at progress, the inputs after both.
        before = await _progress(consumer, changelogs)
        ends = await consumer.end_offsets(outputs)
        after = await _progress(consumer, changelogs)
        ends |= await consumer.end_offsets(intake)
        ends |= await consumer.end_offsets(inputs)
        begins = await consumer.beginning_offsets([*outputs, *intake, *inputs])
    finally:
        await consumer.stop()
    to_fold = sum(ends[place] - begins[place] for place in intake)
    extent = Extent(datetime.now(UTC), _listed(begins), before, after, to_fold)
    return LiveSnapshot(connection, extent, _listed(ends))


def _partitions(counts: dict[str, int], topics: Iterable[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(counts.get(topic, 0))]


def _listed(bounds: Offsets) -> dict[str, list[int]]:
    listed: dict[str, list[int]] = {}
    for place in sorted(bounds):
        listed.setdefault(place.topic, []).append(bounds[place])
    return listed


async def _progress(consumer: AIOKafkaConsumer, changelogs: dict[str, list[TopicPartition]]) -> Progress:
    progress: Progress = {}
    for stage, places in changelogs.items():
        progress[stage] = {}
        for place in places:
            record = await latest_of_key(consumer, place, META_KEY)
            if record is not None and record.value is not None:
                progress[stage][place.partition] = Meta.decode(record.value).offsets
    return progress
