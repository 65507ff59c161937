"""Sees what the service writes: handovers and notices as they come, and whether all that came in is folded."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.codec import codec
from schemas.topics import INTERNAL_STATEMENT_TOPICS, STATEMENT_TOPICS, entry_of, kafka_name, short_name
from streams.settings import APP_ID, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from connectors.kafka.connection import KafkaConnection

_POLL = timedelta(milliseconds=50)
#: The client waits so long for what it doesn't know yet, which is every topic in the beginning.
_BACKOFF_MS = 20


class OutputWatch:
    """One consumer over the outputs and the intake log, from where they end now.

    The outputs are notices, the programmes' handovers, and the topics in ``also``.
    """

    def __init__(
        self, settings: Settings, connection: KafkaConnection, programmes: list[str], also: Sequence[str] = ()
    ) -> None:
        """Prepares; connects to nothing yet."""
        logging.getLogger("aiokafka").setLevel(logging.ERROR)
        numbers = range(settings.partitions)
        self._outputs = [
            TopicPartition(kafka_name(name), number)
            for name in ("notices", *also, *(f"handovers.{one}" for one in programmes))
            for number in numbers
        ]
        self._intake = [TopicPartition(kafka_name("intake"), number) for number in numbers]
        self._statements = [
            TopicPartition(kafka_name(name), number)
            for name in (*STATEMENT_TOPICS, *INTERNAL_STATEMENT_TOPICS)
            for number in numbers
        ]
        arguments = connection.for_aiokafka() | {"enable_auto_commit": False, "retry_backoff_ms": _BACKOFF_MS}
        self._consumer = AIOKafkaConsumer(**arguments, isolation_level="read_committed")
        # It is assigned nothing: what asks for offsets on a connection that fetches waits for the fetch.
        self._ends = AIOKafkaConsumer(**arguments)
        self._group = AIOKafkaAdminClient(**connection.for_aiokafka())
        self._last: dict[TopicPartition, int] = {}
        self._seen: list[tuple[str, dict[str, Any]]] = []

    async def __aenter__(self) -> Self:
        """Starts at the ends of all logs."""
        await self._consumer.start()
        await self._ends.start()
        await self._group.start()
        ends = await self._consumer.end_offsets(self._outputs + self._intake)
        self._consumer.assign(self._outputs + self._intake)
        for partition, end in ends.items():
            self._consumer.seek(partition, end)  # seek_to_end would race with the reset that assigning begins
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes all connections."""
        await self._consumer.stop()
        await self._ends.stop()
        await self._group.close()

    async def new(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yields (topic, record) of what was said since the last call, and notes how far the intake log reaches."""
        await self._read_to_ends(self._outputs)
        seen, self._seen = self._seen, []
        for one in seen:
            yield one

    async def all_folded(self) -> bool:
        """Tells whether every statement and every intake record known has been folded and committed."""
        statements = await self._ends.end_offsets(self._statements)
        committed = await self._committed()
        if not all(committed.get(partition, 0) >= end for partition, end in statements.items()):
            return False
        return await self.intake_folded(committed)

    async def intake_folded(self, committed: dict[TopicPartition, int] | None = None) -> bool:
        """Tells whether every intake record known has been folded and committed."""
        committed = committed or await self._committed()
        # Asked in this order: what was committed has written its letters, which then stand before these ends.
        await self._read_to_ends(self._intake)
        return all(committed.get(partition, 0) > last for partition, last in self._last.items())

    async def _committed(self) -> dict[TopicPartition, int]:
        """Returns the offsets of the service's group, none while the broker makes room for them."""
        try:
            found = await self._group.list_consumer_group_offsets(APP_ID)
        except KafkaError as error:
            if not error.retriable:
                raise
            return {}
        return {partition: place.offset for partition, place in found.items()}

    async def wait_until_folded(self) -> None:
        """Blocks until all that came in is folded."""
        while not await self.all_folded():  # noqa: ASYNC110 - the broker is asked; it sets no event here
            await asyncio.sleep(_POLL.total_seconds())

    async def _read_to_ends(self, partitions: list[TopicPartition]) -> None:
        # The ends with what is not committed yet: a transaction's offsets can be seen before all that it wrote.
        ends = await self._ends.end_offsets(partitions)
        while not all([await self._consumer.position(partition) >= end for partition, end in ends.items()]):
            await self._poll()

    async def _poll(self) -> None:
        batches = await self._consumer.getmany(timeout_ms=int(_POLL.total_seconds() * 1000))
        for partition, records in batches.items():
            if partition in self._intake:
                self._last[partition] = records[-1].offset
                continue
            model, name = entry_of(partition.topic).model, short_name(partition.topic)
            assert model is not None, "only topics of events are watched"  # noqa: S101
            self._seen += [(name, codec(model).decode_raw(record.value)) for record in records]
