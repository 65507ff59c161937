"""Stands in for broker, consumer and process around a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from aiokafka import TopicPartition

from streams.engine.clock import Clock, Ticking, TickWriter
from streams.engine.faust_private import FetchedPartition
from streams.engine.input_log import Bounds
from streams.engine.limits import TransactionLimits
from streams.engine.meta import Meta
from streams.engine.opening import OpenTask, TaskRuntime
from streams.engine.processor import Processor, TickRecord
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
        self.knows_offsets = True
        self.stopped = False

    async def write(self, group: str, writes: Writes) -> int | None:
        await self.may_commit.wait()
        if self.failure is not None:
            raise self.failure
        self.written.append(writes)
        return 100 + len(self.written) if self.knows_offsets else None

    async def stop(self) -> None:
        self.stopped = True


class FakeInputs:
    """Remembers seeks; answers with the group's offsets it was given."""

    def __init__(self) -> None:
        self.sought: list[Mapping[TopicPartition, int]] = []
        self.group: dict[TopicPartition, int] = {}

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {partition: self.group[partition] for partition in partitions if partition in self.group}

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        return {}

    async def written_end(self, partition: TopicPartition) -> int:
        return 0

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.sought.append(offsets)

    def log_end(self, partition: TopicPartition) -> int | None:
        return None


class FakeTicks(TickWriter):
    """Keeps ticks instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[TickRecord] = []

    async def append(self, topic: str, partition: int, tick: TickRecord) -> int:
        self.sent.append(tick)
        return len(self.sent) - 1


class Bench:
    """A running task and everything around it."""

    def __init__(self, limits: TransactionLimits | None = None, processor: Processor | None = None) -> None:
        transaction = TransactionSettings(floor=timedelta(0), stretch=0, limits=limits or TransactionLimits())
        settings = EngineSettings(Path("/nowhere"), transaction=transaction, tick_quiet=timedelta(0))
        self.writer, self.inputs, self.store = FakeWriter(), FakeInputs(), MemoryStore()
        self.ticks = FakeTicks()
        self.ended: list[tuple[str, BaseException | None]] = []
        self.crashes: list[str] = []
        processor = processor or Counting()
        state = PartitionState(0, self.store, processor.due, transaction.limits)
        state.restart({"in": 0}, 0)
        stage = Stage("stage", ("in",), "changelog", Counting, tick_topic="in")
        clock = Clock(Ticking("in", timedelta(0), self.ticks, self.end), processor, state)
        meta = Meta({"in": 0}, 0, "1", 4)
        self.opened = OpenTask(stage, 0, processor, self.writer, self.store, state, clock, meta)
        runtime = TaskRuntime(
            "app",
            NoConnection(),
            settings,
            self.inputs,
            self.ticks,
            asyncio.Semaphore(1),
            lambda: None,
            self.end,
        )
        self.task = RunningTask(self.opened, runtime)

    def end(self, reason: str, error: BaseException | None = None) -> NoReturn:
        self.ended.append((reason, error))
        raise EndedError(reason)

    def feed(self, first: int, last: int, *, start: int | None = None) -> None:
        records = [a_record(offset, b"key-%d" % offset) for offset in range(first, last)]
        assert self.task.feed is not None
        self.task.feed.accept(FetchedPartition("in", 0, first if start is None else start, records, last))


class NoConnection:
    def for_aiokafka(self) -> dict[str, object]:
        return {}

    def for_kafka_python(self) -> dict[str, object]:
        return {}

    def for_faust(self, transport: str) -> dict[str, object]:
        return {}


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - fakes have no event for everything
            await asyncio.sleep(0)
