"""One task's producer: what makes outputs, state and offsets appear together or not at all.

aiokafka speaks the first transaction protocol, in which a fence protects one transactional id: each
task has its own, so a new owner of a partition shuts out the old one, and nobody else.

Points a test may crash at, in order: `before_send`, `after_send`, `before_commit`, and in the task
`after_commit_before_store`.
"""

from __future__ import annotations

import asyncio
import time
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.engine import faust_private
from streams.engine.limits import MIB
from streams.engine.packing import pack_outputs, pack_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from streams.engine.outputs import Destination, Outgoing
    from streams.engine.packing import BatchBuilder
    from streams.engine.stage import BrokerConnection, TransactionSettings

#: A little under the broker's default `max.message.bytes`, which counts a whole batch.
_BATCH_BYTES = 1 * MIB
_RETRY_BACKOFF_MS = 8


class Writes(NamedTuple):
    """What one transaction writes. `changelog` is where `states` go; `offsets` are the next to read."""

    outputs: Mapping[Destination, list[Outgoing]]
    states: Mapping[bytes, bytes | None]
    changelog: TopicPartition
    offsets: Mapping[TopicPartition, int]


class Writer(Protocol):
    """What a task writes its transactions with, once fenced."""

    async def write(self, group: str, writes: Writes) -> int | None:
        """Commits all of it, or raises. Returns the changelog offset after the last state written, if known."""

    async def stop(self) -> None:
        """Closes connections."""


class TransactionalWriter:
    """Writes transactions under one id. One at a time; any exception leaves it unusable.

    Not a retry in sight: aiokafka retries what can succeed, without limit, so a caller bounds the
    time; what raises here cannot succeed.
    """

    def __init__(
        self,
        connection: BrokerConnection,
        transactional_id: str,
        settings: TransactionSettings,
        crash_point: Callable[[str], None],
    ) -> None:
        """Connects to nothing yet. Called with a running event loop."""
        self.transactional_id = transactional_id
        self._crash_point = crash_point
        self._deadline_seconds = settings.deadline.total_seconds()
        options: dict[str, Any] = dict(connection.for_aiokafka())
        self._producer = AIOKafkaProducer(
            **options,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(settings.timeout.total_seconds() * 1000),
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
        )

    async def fence(self) -> None:
        """Shuts out every earlier writer of this id, its open transaction aborted, before it returns.

        Offsets and state read after it are final; read before it, they may yet move.
        """
        await self._producer.start()

    @property
    def producer_id(self) -> int:
        """Returns the number that brokers know the id by, once it is fenced."""
        return faust_private.producer_id(self._producer)

    async def end_again(self, partitions: Iterable[TopicPartition], *, committed: bool) -> None:
        """Commits or aborts whatever an earlier epoch of this id left open on the partitions; raises as `write`."""
        async with asyncio.timeout(self._deadline_seconds):
            await self._producer.begin_transaction()
            faust_private.add_to_transaction(self._producer, partitions)
            await (self._producer.commit_transaction() if committed else self._producer.abort_transaction())

    async def partition_count(self, topic: str) -> int:
        """Returns the topic's number of partitions."""
        return len(await self._producer.partitions_for(topic))

    async def write(self, group: str, writes: Writes) -> int | None:
        """Commits all of it, or raises. Returns the changelog offset after the last state written.

        None where the broker could not tell that offset, which says nothing of success. Raises
        TimeoutError at the deadline, KafkaError where the broker refuses or another writer took over.
        """
        async with asyncio.timeout(self._deadline_seconds):
            await self._producer.begin_transaction()
            self._crash_point("before_send")
            changelog_end = await self._send(group, writes)
            self._crash_point("before_commit")
            await self._producer.commit_transaction()
        return changelog_end

    async def stop(self) -> None:
        """Closes connections. An open transaction is left to the next writer's fence."""
        await self._producer.stop()

    async def _send(self, group: str, writes: Writes) -> int | None:
        """Sends all three parts and awaits every delivery: a commit succeeds over a failed send."""
        # Offsets go before records, never beside them. Brokers since 3.6 verify a transaction at the
        # first record of each partition, and find it in motion while offsets are being added: they
        # refuse the record once, and the retry costs more than the round trip saved.
        offsets = asyncio.ensure_future(self._producer.send_offsets_to_transaction(dict(writes.offsets), group))
        await asyncio.sleep(0)
        shipments = [(writes.changelog, self._packed_states(writes)), *self._packed_outputs(writes)]
        await offsets
        changelog_end, *_ = await asyncio.gather(*(self._ship(*shipment) for shipment in shipments))
        self._crash_point("after_send")
        return changelog_end

    def _packed_states(self, writes: Writes) -> Iterator[BatchBuilder]:
        now_ms = int(time.time() * 1000)
        return _primed(pack_states(self._producer.create_batch, writes.states.items(), now_ms))

    def _packed_outputs(self, writes: Writes) -> Iterator[tuple[TopicPartition, Iterator[BatchBuilder]]]:
        for destination, messages in writes.outputs.items():
            batches = _primed(pack_outputs(self._producer.create_batch, messages))
            yield TopicPartition(*destination), batches

    async def _ship(self, destination: TopicPartition, batches: Iterator[BatchBuilder]) -> int | None:
        deliveries = []
        records_last = 0
        for batch in batches:
            records_last = batch.record_count()
            delivery = await self._producer.send_batch(batch, destination.topic, partition=destination.partition)
            deliveries.append(delivery)
        offset_last = -1
        for delivery in deliveries:
            offset_last = (await delivery).offset
        return offset_last + records_last if offset_last >= 0 else None


def _primed(batches: Iterator[BatchBuilder]) -> Iterator[BatchBuilder]:
    """Packs the first batch now, while the broker is busy with the offsets; the rest when it is wanted."""
    return chain(list(islice(batches, 1)), batches)
