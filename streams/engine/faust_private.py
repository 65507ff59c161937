"""Every name of Faust and aiokafka that they do not call public, and why it is needed.

Both are pinned exactly. `tests/unit/engine/test_private_names.py` fails when an upgrade renames or
changes one of them; nothing else in the engine may reach behind an underscore of theirs.
"""

from __future__ import annotations

import asyncio
import copy
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.producer import sender as aiokafka_sender

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

    from streams.engine.processor import Record
    from streams.engine.stage import FetchSettings


class FetchedPartition(NamedTuple):
    """What one partition gave: `records` stand at or after `start`, and the next fetch begins at `end`.

    Offsets skip numbers, and `records` may be empty where only markers or aborted batches were read.
    """

    topic: str
    partition: int
    start: int
    records: Sequence[Record]
    end: int


def producer_id(producer: AIOKafkaProducer) -> int:
    """Returns a started transactional producer's number, which stays over fences until its epochs are used up."""
    return int(producer._txn_manager.producer_id)


def add_to_transaction(producer: AIOKafkaProducer, partitions: Iterable[TopicPartition]) -> None:
    """Adds partitions to the open transaction without writing to them: its end writes their markers."""
    for partition in partitions:
        producer._txn_manager.maybe_add_partition_to_txn(partition)


def raw_records(data: bytes | None) -> bytes | None:
    """Marks a consumer, as its key deserializer, whose records shall stay as aiokafka's parser left them.

    What it returns for a partition is a list of lists then, for `flattened`.
    """
    return data


class _RawOrFullRecords(aiokafka_fetcher.PartitionRecords):  # type: ignore[misc]
    """Gives consumers marked with `raw_records` one list a batch; others get ConsumerRecords as before.

    Building a ConsumerRecord, and a generator's step, for each record are a third of a fold's cost.
    """

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        if self._key_deserializer is raw_records:
            return self._unpack_batches()
        return super()._unpack_records()  # type: ignore[no-any-return]

    def _unpack_batches(self) -> Iterator[list[Record]]:
        """Yields every batch's records: aiokafka's own `_unpack_records`, but for the loop over records."""
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                message = f"Invalid CRC - {self._tp}"
                raise CorruptRecordException(message)
            if self._holds_committed_records(batch):
                # A fetch begins with the batch that holds its offset, which may not be the batch's first.
                begin, records = self.next_fetch_offset, list(batch)
                if records and records[0].offset < begin:
                    records = [record for record in records if record.offset >= begin]
                self.next_fetch_offset = batch.next_offset
                yield records
            self.next_fetch_offset = batch.next_offset

    def _holds_committed_records(self, batch: Any) -> bool:
        if self._isolation_level == aiokafka_fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return False
        return not batch.is_control_batch


def flattened(batches: Iterable[list[Record]]) -> list[Record]:
    """Returns the records that a marked consumer gives batch by batch."""
    return list(chain.from_iterable(batches))


def install_raw_records() -> None:
    """Lets consumers of this process ask for raw records. Others see no difference. Repeating is harmless."""
    aiokafka_fetcher.PartitionRecords = _RawOrFullRecords


def set_marker_backoff(wait: timedelta) -> None:
    """Sets how long producers of this process wait where the last transaction's markers are being written.

    aiokafka's 20 ms is longer than most brokers take, and every transaction under load pays it.
    """
    aiokafka_sender.BACKOFF_OVERRIDE = wait.total_seconds()


def prepare_worker_consumer(consumer: AIOKafkaConsumer, fetch: FetchSettings) -> None:
    """Sets what Faust has no settings for. Before the consumer's start."""
    consumer._isolation_level = "read_committed"
    consumer._auto_offset_reset = "none"
    consumer._key_deserializer = raw_records
    consumer._fetch_min_bytes = fetch.bytes_min
    consumer._fetch_max_bytes = fetch.response_bytes_max
    consumer._fetch_max_wait_ms = int(fetch.wait_max.total_seconds() * 1000)
    consumer._max_partition_fetch_bytes = fetch.partition_bytes_max


def fetch_past_unread_partitions(consumer: AIOKafkaConsumer) -> None:
    """Lets a broker's other partitions be fetched while one is left unread. After the consumer's start."""
    consumer._fetcher._prefetch_backoff = 0.0


def current_assignment(consumer: AIOKafkaConsumer) -> Any:
    """Returns the object that stands for the present assignment; another one after every rebalance."""
    subscription = consumer._subscription.subscription
    return None if subscription is None else subscription.assignment


def fetching(consumer: AIOKafkaConsumer) -> AbstractContextManager[None]:
    """Returns a context in which the consumer counts as alive; one that never fetches leaves the group."""
    context: AbstractContextManager[None] = consumer._subscription.fetch_context()
    return context


async def await_records(consumer: AIOKafkaConsumer, wake: asyncio.Future[None], wait: timedelta) -> None:
    """Returns when a fetch has brought records, `wake` is done, or `wait` has passed."""
    waiter = consumer._fetcher._create_fetch_waiter()
    await asyncio.wait((waiter, wake), timeout=wait.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    if waiter.done():
        waiter.result()
    else:
        waiter.cancel()


def take_fetched(consumer: AIOKafkaConsumer, wanted: Iterable[TopicPartition]) -> list[FetchedPartition]:
    """Takes what has been fetched of the wanted partitions, without waiting.

    Runs on the consumer's loop and never gives way, so that neither a seek nor a rebalance falls in
    between. Raises KafkaError where a partition can't be read, e.g. OffsetOutOfRangeError.
    """
    fetcher = consumer._fetcher
    assignment = current_assignment(consumer)
    taken = []
    for partition in wanted:
        result = fetcher._records.get(partition)
        if result is None or not assignment.active:
            continue
        del fetcher._records[partition]
        fetcher._notify(fetcher._wait_consume_future)
        if isinstance(result, aiokafka_fetcher.FetchError):
            result.check_raise()
        start = assignment.state_value(partition).position
        records = flattened(result.getall())
        end = assignment.state_value(partition).position
        if end != start:
            taken.append(FetchedPartition(partition.topic, partition.partition, start, records, end))
    return taken


def log_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """Returns the end of what is committed in the log, as the last fetch saw it; None before the first."""
    assignment = current_assignment(consumer)
    state = None if assignment is None else assignment.state_value(partition)
    return None if state is None else state.lso


async def written_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
    """Asks the broker for the offset after a partition's last record, whatever the consumer's isolation level."""
    fetcher = copy.copy(consumer._fetcher)
    fetcher._isolation_level = aiokafka_fetcher.READ_UNCOMMITTED
    ends: Mapping[TopicPartition, int] = await fetcher.end_offsets([partition], consumer._request_timeout_ms)
    return ends[partition]


async def committed_offsets(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, int]:
    """Asks the broker for the group's offsets of the partitions; those without one are left out."""
    offsets = await consumer._coordinator.fetch_committed_offsets(list(partitions))
    return {partition: found.offset for partition, found in offsets.items() if found.offset >= 0}
