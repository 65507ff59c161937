"""Faust's consumer thread, taught to hand over whole fetches instead of messages.

The aiokafka consumer lives here with an event loop of its own, so that heartbeats go on while the
main loop folds. Every method but those with an underscore is called from the main loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.engine import faust_private
from streams.engine.input_log import Bounds

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Mapping
    from datetime import timedelta

    from aiokafka import AIOKafkaConsumer, TopicPartition
    from faust.transport.drivers.aiokafka import Transport

    from streams.engine.stage import FetchSettings


class BatchThread(AIOKafkaConsumerThread):
    """The consumer's thread. Implements `InputLog`."""

    fetch: FetchSettings
    _fetch_wake: asyncio.Future[None] | None = None

    async def on_start(self) -> None:
        """Starts the consumer; it joins the group once Faust has subscribed."""
        await super().on_start()
        faust_private.fetch_past_unread_partitions(self._ensure_consumer())

    async def fetched(
        self, wanted: Collection[TopicPartition], wait: timedelta
    ) -> list[faust_private.FetchedPartition]:
        """Returns what the wanted partitions have, after `wait` at most; empty too after `wake` or a rebalance."""
        batches: list[faust_private.FetchedPartition] = await self.call_thread(self._fetched, wanted, wait)
        return batches

    def wake(self) -> None:
        """Ends a wait of `fetched` early, because other partitions are wanted now."""
        self.thread_loop.call_soon_threadsafe(self._wake_now)

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Returns the group's offsets, asked of the broker now."""
        offsets: Mapping[TopicPartition, int] = await self.call_thread(
            faust_private.committed_offsets, self._ensure_consumer(), partitions
        )
        return offsets

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """Returns every partition's bounds, asked of the broker now."""
        bounds: Mapping[TopicPartition, Bounds] = await self.call_thread(self._bounds, partitions)
        return bounds

    async def written_end(self, partition: TopicPartition) -> int:
        """Returns the offset after a partition's last record, committed or not."""
        end: int = await self.call_thread(self._written_end, partition)
        return end

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> None:  # type: ignore[override]
        """Sets where fetching goes on. Faust's own `seek` runs in the caller's thread, which is the wrong one."""
        await self.call_thread(self._seek, offsets)

    def log_end(self, partition: TopicPartition) -> int | None:
        """Returns the log's end as last seen."""
        return faust_private.log_end(self._ensure_consumer(), partition)

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        faust_private.prepare_worker_consumer(consumer, self.fetch)
        return consumer

    async def _fetched(
        self, wanted: Collection[TopicPartition], wait: timedelta
    ) -> list[faust_private.FetchedPartition]:
        consumer = self._ensure_consumer()
        assignment = faust_private.current_assignment(consumer)
        if assignment is None:
            return []
        batches = faust_private.take_fetched(consumer, wanted)
        if batches:
            return batches
        self._fetch_wake = self.thread_loop.create_future()
        with faust_private.fetching(consumer):
            await faust_private.await_records(consumer, self._fetch_wake, wait)
        self._fetch_wake = None
        # A fetch that outlives a rebalance must not read what the next assignment has sought.
        if faust_private.current_assignment(consumer) is not assignment:
            return []
        return faust_private.take_fetched(consumer, wanted)

    def _wake_now(self) -> None:
        if self._fetch_wake is not None and not self._fetch_wake.done():
            self._fetch_wake.set_result(None)

    async def _bounds(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Bounds]:
        consumer = self._ensure_consumer()
        begins = await consumer.beginning_offsets(list(partitions))
        ends = await consumer.end_offsets(list(partitions))
        return {partition: Bounds(begins[partition], ends[partition]) for partition in partitions}

    async def _written_end(self, partition: TopicPartition) -> int:
        return await faust_private.written_end(self._ensure_consumer(), partition)

    async def _seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        consumer = self._ensure_consumer()
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Does nothing: Faust's idea of a stalled partition rests on its own commits."""
