"""Watches a group consume a topic: `python -m benchmarks.engine.measure BOOTSTRAP GROUP TOPIC [LIMIT_S]`."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class CommitProgress:
    """How many records a group had committed, by seconds since the start of watching."""

    total: int
    points: list[tuple[float, int]]

    @property
    def committed(self) -> int:
        """Returns the number committed at the end of watching."""
        return self.points[-1][1] if self.points else 0

    def records_per_second(self, low: float = 0.1, high: float = 0.9) -> float:
        """Returns the rate between two shares of the topic: start-up and tail are left out."""
        first = next(point for point in self.points if point[1] >= low * self.total)
        last = next(point for point in self.points if point[1] >= high * self.total)
        return (last[1] - first[1]) / max(1e-9, last[0] - first[0])


async def watch_group(bootstrap: str, group: str, topic: str, limit_seconds: float) -> CommitProgress:
    """Returns once the group has committed the whole topic, or after the limit."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await consumer.start()
    await admin.start()
    try:
        await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - the public way needs a subscription
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        total = sum((await consumer.end_offsets(partitions)).values())
        points: list[tuple[float, int]] = []
        began = time.monotonic()
        while time.monotonic() - began < limit_seconds and not (points and points[-1][1] >= total):
            offsets = await _offsets(admin, group, topic)
            points.append((time.monotonic() - began, sum(offsets.values())))
            await asyncio.sleep(_POLL_SECONDS)
        return CommitProgress(total, points)
    finally:
        await admin.close()
        await consumer.stop()


async def committed(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """Returns the group's offset of every partition it has committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return await _offsets(admin, group, topic)
    finally:
        await admin.close()


async def _offsets(admin: AIOKafkaAdminClient, group: str, topic: str) -> dict[int, int]:
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
        return {}  # a new broker is still making room for offsets
    return {place.partition: found.offset for place, found in offsets.items() if place.topic == topic}


def main() -> None:
    """Prints the rate."""
    bootstrap, group, topic = sys.argv[1:4]
    limit = float(sys.argv[4]) if len(sys.argv) > 4 else 240.0  # noqa: PLR2004
    progress = asyncio.run(watch_group(bootstrap, group, topic, limit))
    rate = f"{progress.records_per_second():,.0f} records/s" if progress.committed >= progress.total else "not finished"
    print(f"{topic} {group}: committed {progress.committed}/{progress.total}; {rate}")


if __name__ == "__main__":
    main()
