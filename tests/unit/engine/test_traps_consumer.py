"""Traps of consuming, in aiokafka and in Faust: each docstring names one, each test fails where it opens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata

from streams.engine import faust_private, transport
from streams.engine.app import EngineApp, build_app
from streams.engine.faust_private import FetchedPartition
from streams.engine.fetch_thread import BatchThread
from streams.engine.stage import EngineSettings, Stage

from .builders import Counting
from .fakes import EndedError, NoConnection, until

FIRST, SECOND = TopicPartition("in", 0), TopicPartition("in", 1)
_LONG = timedelta(seconds=60)


class FetcherOfATest(fetcher.Fetcher):  # type: ignore[misc]
    """aiokafka's own fetcher, its background loop and its broker left away."""

    def __init__(self, subscriptions: SubscriptionState) -> None:
        self._subscriptions = subscriptions
        self._loop = asyncio.get_running_loop()
        self._records: dict[TopicPartition, Any] = {}
        self._fetch_waiters: set[asyncio.Future[None]] = set()
        self._wait_consume_future: asyncio.Future[None] | None = None
        self._prefetch_backoff = 60.0
        self._in_flight: set[int] = set()
        self._pending_tasks: set[asyncio.Task[None]] = set()
        self._default_reset_strategy = fetcher.OffsetResetStrategy.NONE
        self._fetch_max_wait_ms = self._fetch_min_bytes = self._fetch_max_bytes = self._max_partition_fetch_bytes = 1
        self._isolation_level, self._client_rack, self._fetcher_timeout = fetcher.READ_COMMITTED, None, 1.0

    def _select_read_replica(self, tp: TopicPartition) -> int:
        return 1

    def bring(self, partition: TopicPartition, begin: int, count: int) -> None:
        """Does what an answer to a fetch request does."""
        batch = BatchBuilder(10_000, 0)
        for number in range(count):
            batch.append(timestamp=number, key=b"key", value=b"value")
        data = fetcher.MemoryRecords(_with_base_offset(bytes(batch._build()), begin))
        records = fetcher.PartitionRecords(
            partition, data, [], begin, faust_private.raw_records, None, False, fetcher.READ_COMMITTED
        )
        self._records[partition] = fetcher.FetchResult(
            partition,
            assignment=self._subscriptions.subscription.assignment,
            partition_records=records,
            backoff=self._prefetch_backoff,
        )
        self.wake()

    def wake(self) -> None:
        for waiter in list(self._fetch_waiters):
            self._notify(waiter)


class ConsumerOfATest:
    """The parts of an aiokafka consumer that stand between the engine and the network."""

    def __init__(self) -> None:
        self._subscription = SubscriptionState()
        self._subscription.subscribe({"in"})
        self._fetcher = FetcherOfATest(self._subscription)
        self.threads: dict[str, int] = {}
        self.sought: list[tuple[TopicPartition, int]] = []

    def assign(self, *partitions: TopicPartition, position: int = 0) -> None:
        """Does what a rebalance and the seeks after it do."""
        self._subscription.assign_from_subscribed(partitions)
        for partition in partitions:
            self.seek(partition, position)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((partition, offset))
        self.threads["seek"] = threading.get_ident()
        self._fetcher.seek_to(partition, offset)

    async def start(self) -> None:
        self.threads["start"] = threading.get_ident()

    async def stop(self) -> None:
        pass


class ThreadOfATest(BatchThread):
    """The consumer's thread on the test's own loop."""

    def __init__(self, consumer: ConsumerOfATest) -> None:
        self._of_a_test = consumer
        self.thread_loop = asyncio.get_running_loop()

    def _ensure_consumer(self) -> Any:
        return self._of_a_test

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await fun(*args, **kwargs)


@pytest.fixture
def app(tmp_path: Path) -> EngineApp:
    return build_app("app", _Nowhere(), [Stage("stage", ("in",), "log", Counting)], EngineSettings(tmp_path))


@pytest.fixture
async def consumer() -> ConsumerOfATest:
    faust_private.install_raw_records()
    consumer = ConsumerOfATest()
    consumer.assign(FIRST, SECOND)
    return consumer


async def test_a_fetch_that_outlives_a_rebalance_brings_nothing(consumer: ConsumerOfATest) -> None:
    """The trap: a `getmany` under way survives a rebalance and returns records of the new assignment."""
    fetch = asyncio.create_task(ThreadOfATest(consumer).fetched([FIRST], _LONG))
    await until(lambda: consumer._fetcher._fetch_waiters)
    consumer.assign(FIRST, position=5)
    consumer._fetcher.bring(FIRST, 5, 2)

    assert await fetch == []
    assert [(batch.start, batch.end) for batch in await ThreadOfATest(consumer).fetched([FIRST], _LONG)] == [(5, 7)]


async def test_a_missing_offset_is_not_raised_into_a_fetch_of_the_old_assignment(consumer: ConsumerOfATest) -> None:
    """The trap: where nothing resets offsets, a new assignment without any raises into the fetch under way."""
    fetch = asyncio.create_task(ThreadOfATest(consumer).fetched([FIRST], _LONG))
    await until(lambda: consumer._fetcher._fetch_waiters)
    consumer._subscription.assign_from_subscribed([FIRST])
    await _update_positions(consumer, FIRST)
    consumer._fetcher.wake()

    assert await fetch == []


async def test_a_missing_offset_does_not_outlive_the_seek(consumer: ConsumerOfATest) -> None:
    """The trap: the error of an assignment not sought yet lies in wait for the first fetch after the seek."""
    consumer._subscription.assign_from_subscribed([FIRST])
    await _update_positions(consumer, FIRST)
    assert isinstance(consumer._fetcher._records[FIRST], fetcher.FetchError)
    thread = ThreadOfATest(consumer)
    await thread.seek({FIRST: 3})
    fetch = asyncio.create_task(thread.fetched([FIRST], _LONG))
    await until(lambda: consumer._fetcher._fetch_waiters)
    consumer._fetcher.bring(FIRST, 3, 1)

    assert [batch.start for batch in await fetch] == [3]


async def test_an_offset_that_the_log_has_lost_ends_the_process(
    app: EngineApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: a reset to the earliest offset hides that records were lost before they were folded."""
    worker = _consumer_of(app)
    monkeypatch.setattr(app.engine, "feeds_with_room", lambda: {FIRST: None})
    monkeypatch.setattr(transport, "end_process", _end)
    consumer = ConsumerOfATest()
    consumer.assign(FIRST)
    consumer._fetcher._set_error(FIRST, OffsetOutOfRangeError({FIRST: 0}))
    monkeypatch.setattr(worker._batch_thread, "fetched", ThreadOfATest(consumer).fetched)

    with pytest.raises(EndedError, match="the input cannot be read") as ended:
        await worker._fetch_once()
    assert isinstance(ended.value.__cause__, OffsetOutOfRangeError)


async def test_a_workers_consumer_reads_committed_records_and_resets_nothing(app: EngineApp) -> None:
    """The trap: Faust's consumer reads uncommitted records unless told, and resets lost offsets to the earliest."""
    thread = _consumer_of(app)._batch_thread
    made = thread._create_worker_consumer(app.transport)

    assert (made._isolation_level, made._auto_offset_reset) == ("read_committed", "none")


async def test_a_fetch_that_wants_nothing_takes_nothing(consumer: ConsumerOfATest) -> None:
    """The trap: an empty set of partitions means all of them."""
    consumer._fetcher.bring(FIRST, 0, 1)

    assert faust_private.take_fetched(consumer, []) == []
    assert FIRST in consumer._fetcher._records


async def test_a_worker_without_room_fetches_nothing(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: an empty set of partitions means all of them, also where every task is full."""
    worker = _consumer_of(app)
    fetches = []

    async def fetched(wanted: Collection[TopicPartition], wait: timedelta) -> list[FetchedPartition]:
        fetches.append(wanted)
        return []

    monkeypatch.setattr(worker._batch_thread, "fetched", fetched)
    monkeypatch.setattr(transport, "_POLL_MAX", timedelta(0))
    await worker._fetch_once()

    assert fetches == []


async def test_a_seek_runs_in_the_thread_that_owns_the_consumer(
    app: EngineApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: Faust's `seek` touches the aiokafka consumer from the caller's thread, and no seek goes to 0."""
    thread = _consumer_of(app)._batch_thread
    monkeypatch.setattr(thread, "_create_consumer", lambda loop: consumer)
    consumer = ConsumerOfATest()
    consumer._subscription.assign_from_subscribed([FIRST])
    await thread.start()
    await thread.seek({FIRST: 0})
    await thread.stop()

    assert consumer.sought == [(FIRST, 0)]
    assert consumer.threads["seek"] == consumer.threads["start"] != threading.get_ident()
    assert consumer._fetcher._prefetch_backoff == 0


async def test_an_unread_partition_does_not_hold_up_the_others(consumer: ConsumerOfATest) -> None:
    """The trap: aiokafka asks a broker for nothing while one partition of it lies unread."""
    faust_private.fetch_past_unread_partitions(consumer)
    consumer._fetcher.bring(FIRST, 0, 1)
    requests, *_ = consumer._fetcher._get_actions_per_node(consumer._subscription.subscription.assignment)

    assert [(node, partition) for node, request in requests for _, [(partition, *_)] in request._topics] == [(1, 1)]


async def test_offsets_below_those_once_read_are_delivered(app: EngineApp) -> None:
    """The trap: Faust's `_drain_messages` drops what lies below its read offset, also after a seek back."""
    worker = _consumer_of(app)
    worker._read_offset[FIRST] = 10
    worker._read_offset.update({FIRST: 10})
    delivered: list[int] = []
    stopped = asyncio.Event()

    async def getmany(timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - Faust's signature
        yield FIRST, SimpleNamespace(topic="in", offset=3, key=None, value=None)
        stopped.set()

    async def callback(message: Any) -> None:
        delivered.append(message.offset)

    worker.getmany, worker.callback = getmany, callback
    await worker._drain_messages(SimpleNamespace(_stopped=stopped))

    assert delivered == [3]


async def test_batches_pass_by_fausts_messages(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: through the stream a message without `generation_id` is dropped silently, as is one not decoded."""
    worker = _consumer_of(app)
    accepted: list[FetchedPartition] = []
    batch = FetchedPartition("in", 0, 0, [], 4)

    async def fetched(wanted: Collection[TopicPartition], wait: timedelta) -> list[FetchedPartition]:
        return [batch]

    monkeypatch.setattr(app.engine, "feeds_with_room", lambda: {FIRST: SimpleNamespace(accept=accepted.append)})
    monkeypatch.setattr(worker._batch_thread, "fetched", fetched)
    worker.resume_flow()

    assert [message async for message in worker.getmany(1.0)] == []
    assert accepted == [batch]


async def test_acknowledging_moves_no_offset(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: acknowledged out of order, Faust commits past messages in flight, and over gaps it made up."""
    worker = _consumer_of(app)
    committed: list[Any] = []

    async def commit(offsets: Any) -> bool:
        committed.append(offsets)
        return True

    monkeypatch.setattr(worker._thread, "commit", commit)
    monkeypatch.setattr(app.topics, "acks_enabled_for", lambda topic: True)
    for offset in (0, 2, 1):
        worker.ack(SimpleNamespace(tp=FIRST, topic="in", offset=offset, acked=False))
    await worker._add_gap(FIRST, 0, 100)
    worker._acked[FIRST].extend([0, 1, 2])

    assert not await worker.commit()
    assert committed == []
    assert worker._n_acked == 0
    assert not worker._gap[FIRST]
    assert worker._committed_offset[FIRST] is None


def _consumer_of(app: EngineApp) -> Any:
    """Returns the consumer with the parts that Faust does not call public."""
    return app.consumer


class _Nowhere(NoConnection):
    def for_faust(self, transport: str) -> dict[str, object]:
        return {"broker": f"{transport}://127.0.0.1:1"}


def _end(reason: str, error: BaseException | None = None) -> NoReturn:
    raise EndedError(reason) from error


def _with_base_offset(batch: bytes, offset: int) -> bytes:
    return offset.to_bytes(8, "big") + batch[8:]


async def _update_positions(consumer: ConsumerOfATest, partition: TopicPartition) -> None:
    """Lets aiokafka find out that the group has no offset for the partition."""
    assignment = consumer._subscription.subscription.assignment
    updating = asyncio.create_task(consumer._fetcher._update_fetch_positions(assignment, 1, [partition]))
    state = assignment.state_value(partition)
    await until(lambda: state._committed_futs)
    state.update_committed(OffsetAndMetadata(-1, ""))
    await updating
    with pytest.raises(NoOffsetForPartitionError):
        consumer._fetcher._records[partition].check_raise()
