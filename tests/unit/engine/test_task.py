"""A task between a feed and a writer: what it commits, and what it forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from aiokafka import TopicPartition

from streams.engine.clock import Clock, Ticking, TickWriter
from streams.engine.faust_private import Fetched
from streams.engine.input_log import Bounds
from streams.engine.limits import TransactionLimits
from streams.engine.meta import META_KEY, Meta
from streams.engine.opening import OpenTask, TaskRuntime
from streams.engine.processor import StoredRecord, Tick
from streams.engine.stage import EngineSettings, Stage, TransactionSettings
from streams.engine.state import PartitionState
from streams.engine.store import MemoryStore
from streams.engine.task import RunningTask
from streams.engine.transaction import Writes

from .builders import Counting, a_record


class EndedError(Exception):
    """Stands for the end of the process."""


class FakeWriter:
    """Commits at once, or when told to; remembers what it was given."""

    def __init__(self) -> None:
        self.written: list[Writes] = []
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self.failure: Exception | None = None

    async def write(self, group: str, writes: Writes) -> int | None:
        await self.may_commit.wait()
        if self.failure is not None:
            raise self.failure
        self.written.append(writes)
        return 100 + len(self.written)

    async def stop(self) -> None:
        pass


class FakeInputs:
    """Remembers seeks; committed offsets are what the writer was given last."""

    def __init__(self) -> None:
        self.sought: list[Mapping[TopicPartition, int]] = []

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {}

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        return {}

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.sought.append(offsets)

    def log_end(self, partition: TopicPartition) -> int | None:
        return None


class FakeTicks(TickWriter):
    """Keeps ticks instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[Tick] = []

    async def append(self, topic: str, partition: int, tick: Tick) -> int:
        self.sent.append(tick)
        return len(self.sent) - 1


class Bench:
    """A running task and everything around it."""

    def __init__(self, limits: TransactionLimits | None = None) -> None:
        transaction = TransactionSettings(floor=timedelta(0), stretch=0, limits=limits or TransactionLimits())
        settings = EngineSettings(Path("/nowhere"), transaction=transaction, tick_quiet=timedelta(0))
        self.writer, self.inputs, self.store = FakeWriter(), FakeInputs(), MemoryStore()
        self.ticks = FakeTicks()
        self.ended: list[tuple[str, BaseException | None]] = []
        self.crashes: list[str] = []
        processor = Counting()
        state = PartitionState(0, self.store, processor.due, transaction.limits)
        state.restart({"in": 0}, 0)
        stage = Stage("stage", ("in",), "changelog", Counting, tick_topic="in")
        clock = Clock(Ticking("in", timedelta(0), self.ticks, self.end), processor, state)
        meta = Meta({"in": 0}, 0, "1", 4)
        opened = OpenTask(stage, 0, processor, self.writer, self.store, state, clock, meta)
        runtime = TaskRuntime(
            "app",
            _NoConnection(),
            settings,
            self.inputs,
            self.ticks,
            asyncio.Semaphore(1),
            lambda: None,
            self.end,
        )
        self.task = RunningTask(opened, runtime)

    def end(self, reason: str, error: BaseException | None = None) -> NoReturn:
        self.ended.append((reason, error))
        raise EndedError(reason)

    def feed(self, first: int, last: int, *, start: int | None = None) -> None:
        records = [a_record(offset, b"key-%d" % offset) for offset in range(first, last)]
        assert self.task.feed is not None
        self.task.feed.accept(Fetched("in", 0, first if start is None else start, records, last))


class _NoConnection:
    def for_aiokafka(self) -> dict[str, object]:
        return {}

    def for_faust(self, transport: str) -> dict[str, object]:
        return {}


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.task.start()
    return bench


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - fakes have no event for everything
            await asyncio.sleep(0)


async def test_a_batch_is_committed_with_offset_outputs_and_meta(bench: Bench) -> None:
    bench.feed(0, 3)
    await until(lambda: bench.task.committed == {"in": 3})

    [writes] = bench.writer.written
    assert writes.offsets == {TopicPartition("in", 0): 3}
    assert [message.value for message in writes.outputs["out", 0]] == [b"1", b"1", b"1"]
    assert Meta.decode(writes.states[META_KEY] or b"") == Meta({"in": 3}, 20, "1", 4)
    await bench.task.close()


async def test_the_store_is_written_after_the_commit_only(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)

    before = dict(bench.store.states())
    bench.writer.may_commit.set()
    await until(lambda: bench.task.committed == {"in": 1})

    assert (before, list(dict(bench.store.states()))) == ({}, [b"key-0"])
    await bench.task.close()


async def test_folding_goes_on_while_a_transaction_is_under_way(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)
    bench.feed(1, 5)
    await until(lambda: bench.task.state.records == 4)

    bench.writer.may_commit.set()
    await until(lambda: bench.task.committed == {"in": 5})

    assert [writes.offsets[TopicPartition("in", 0)] for writes in bench.writer.written] == [1, 5]
    await bench.task.close()


async def test_parking_waits_for_the_commit_and_forgets_the_rest(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)
    bench.feed(1, 5)
    await until(lambda: bench.task.state.records == 4)

    parking = asyncio.create_task(bench.task.park())
    await asyncio.sleep(0)
    bench.writer.may_commit.set()
    await parking

    assert (bench.task.committed, bench.task.state.offsets, bench.task.state.changed) == ({"in": 1}, {"in": 1}, False)
    await bench.task.close()


async def test_a_task_started_again_seeks_to_what_is_committed(bench: Bench) -> None:
    bench.feed(0, 2)
    await until(lambda: bench.task.committed == {"in": 2})
    await bench.task.park()
    await bench.task.start()

    assert bench.inputs.sought[-1] == {TopicPartition("in", 0): 2}
    await bench.task.close()


async def test_a_batch_for_a_feed_taken_away_is_dropped(bench: Bench) -> None:
    feed = bench.task.feed
    await bench.task.park()
    await bench.task.start()
    assert feed is not None

    feed.accept(Fetched("in", 0, 0, [a_record(0)], 1))

    assert not bench.task.busy
    await bench.task.close()


async def test_a_gap_between_batches_ends_the_process(bench: Bench) -> None:
    with pytest.raises(EndedError, match="expected 0"):
        bench.feed(5, 6)

    await bench.task.close()


async def test_offsets_that_hold_no_records_are_passed_over(bench: Bench) -> None:
    assert bench.task.feed is not None
    bench.task.feed.accept(Fetched("in", 0, 0, [], 4))
    bench.feed(6, 7, start=4)
    await until(lambda: bench.task.committed == {"in": 7})

    assert not bench.ended
    await bench.task.close()


async def test_a_failed_commit_ends_the_process(bench: Bench) -> None:
    bench.writer.failure = RuntimeError("fenced")
    bench.feed(0, 1)
    await until(lambda: bench.ended)

    assert bench.ended == [("transaction stage 0", bench.writer.failure)]


async def test_finishing_commits_what_is_folded(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)
    bench.feed(1, 3)
    await until(lambda: bench.task.state.records == 2)
    finishing = asyncio.create_task(bench.task.finish())
    await asyncio.sleep(0)
    bench.writer.may_commit.set()

    await finishing

    assert bench.writer.written[-1].offsets == {TopicPartition("in", 0): 3}


async def test_a_full_transaction_ends_inside_a_batch() -> None:
    bench = Bench(TransactionLimits(changed_keys_max=2))
    await bench.task.start()
    bench.feed(0, 5)
    await until(lambda: bench.task.committed == {"in": 5})

    assert [writes.offsets[TopicPartition("in", 0)] for writes in bench.writer.written] == [2, 4, 5]
    await bench.task.close()


async def test_a_quiet_partition_with_a_passed_deadline_gets_one_tick(bench: Bench) -> None:
    bench.feed(0, 1)
    await until(lambda: bench.ticks.sent)
    for _ in range(50):
        await asyncio.sleep(0)

    assert bench.ticks.sent == [Tick(None, b"tick")]
    await bench.task.close()


async def test_a_tick_fires_the_deadline_and_no_further_tick_follows(bench: Bench) -> None:
    bench.feed(0, 1)
    await until(lambda: bench.ticks.sent)
    assert bench.task.feed is not None
    bench.task.feed.accept(Fetched("in", 0, 1, [StoredRecord(1, 5000, None, b"tick")], 2))
    await until(lambda: bench.task.committed == {"in": 2})

    assert [message.value for message in bench.writer.written[-1].outputs["out", 0]] == [b"fired"]
    assert bench.task.state.next_due() is None
    await bench.task.close()
