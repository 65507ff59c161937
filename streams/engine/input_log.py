"""What a task asks of the worker's consumer. A port, so that tasks can be tested without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiokafka import TopicPartition


class Bounds(NamedTuple):
    """The first offset a log still has, and the offset after its last committed one."""

    begin: int
    end: int


class InputLog(Protocol):
    """The input partitions and their offsets. Called from the main loop; every call may raise KafkaError."""

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Returns the group's offsets, asked of the broker now; partitions without one are left out."""

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """Returns every partition's bounds, asked of the broker now."""

    async def written_end(self, partition: TopicPartition) -> int:
        """Returns the offset after a partition's last record, committed or not, asked of the broker now."""

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Sets where fetching goes on. What was fetched before is dropped."""

    def log_end(self, partition: TopicPartition) -> int | None:
        """Returns the log's end as last seen, None where nothing was fetched yet. Does not wait."""
