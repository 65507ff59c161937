"""Makes a task ready: fence first, then read, then restore.

The order matters. The fence ends whatever the partition's last owner had under way; offsets and
state read before it may still move.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiokafka import TopicPartition

from streams.engine.clock import Clock, Ticking, TickWriter
from streams.engine.hanging import end_hanging
from streams.engine.meta import Meta, PartitionCountError
from streams.engine.recovery import Restoration, is_up_to_date, restore, usable_from
from streams.engine.state import Changes, PartitionState
from streams.engine.store import RocksStore, Store
from streams.engine.transaction import TransactionalWriter, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from pathlib import Path

    from streams.engine.ending import EndProcess
    from streams.engine.input_log import Bounds, InputLog
    from streams.engine.processor import Processor
    from streams.engine.stage import BrokerConnection, EngineSettings, Stage

_FENCE_SECONDS_MAX = 60.0

_log = structlog.get_logger(__name__)


class InputLostError(RuntimeError):
    """An input no longer has the offset to go on from: records were deleted, or the topic was made anew."""


@dataclass(frozen=True, slots=True)
class TaskRuntime:
    """What all tasks of a worker share."""

    app_id: str
    connection: BrokerConnection
    settings: EngineSettings
    inputs: InputLog
    ticks: TickWriter
    restores: asyncio.Semaphore
    room_freed: Callable[[], None]
    end: EndProcess


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A fenced partition number of a stage, its store at the changelog's end."""

    stage: Stage
    partition: int
    processor: Processor
    writer: Writer
    store: Store
    state: PartitionState
    clock: Clock
    meta: Meta

    @property
    def changelog(self) -> TopicPartition:
        """Returns where changed states go."""
        return TopicPartition(self.stage.changelog, self.partition)

    def next_meta(self, changes: Changes) -> Meta:
        """Returns the record that goes with these changes."""
        return Meta(changes.offsets, changes.log_time, self.meta.release, self.meta.partitions)

    async def close(self) -> None:
        """Closes producer and store."""
        await self.writer.stop()
        self.store.close()


async def open_task(stage: Stage, partition: int, runtime: TaskRuntime) -> OpenTask:
    """Fences, restores and returns the task. Cancelled or failed, it leaves nothing open."""
    settings = runtime.settings
    async with AsyncExitStack() as undo:
        writer = TransactionalWriter(
            runtime.connection,
            f"{runtime.app_id}-{stage.name}-{partition}",
            settings.transaction,
            settings.crash_point,
        )
        undo.push_async_callback(writer.stop)
        async with asyncio.timeout(_FENCE_SECONDS_MAX):
            await writer.fence()
        partitions = await _require_equal_partitions(stage, writer)
        opened = await _restored(_Opening(stage, partition, runtime, writer), partitions)
        undo.pop_all()
    return opened


@dataclass(frozen=True, slots=True)
class _Opening:
    stage: Stage
    partition: int
    runtime: TaskRuntime
    writer: TransactionalWriter

    @property
    def inputs(self) -> list[TopicPartition]:
        return [TopicPartition(topic, self.partition) for topic in self.stage.inputs]


async def _require_equal_partitions(stage: Stage, writer: TransactionalWriter) -> int:
    counts = {topic: await writer.partition_count(topic) for topic in (*stage.inputs, stage.changelog)}
    if len(set(counts.values())) > 1:
        message = f"stage {stage.name} needs topics of one partition count, found {counts}"
        raise PartitionCountError(message)
    return counts[stage.changelog]


async def _restored(opening: _Opening, partitions: int) -> OpenTask:
    stage, partition, runtime = opening.stage, opening.partition, opening.runtime
    settings = runtime.settings
    changelog = TopicPartition(stage.changelog, partition)
    bounds = await runtime.inputs.bounds([changelog, *opening.inputs])
    if await runtime.inputs.written_end(changelog) != bounds[changelog].end:
        await end_hanging(runtime.connection, opening.writer, changelog)
        bounds = await runtime.inputs.bounds([changelog, *opening.inputs])
    committed = await runtime.inputs.committed(opening.inputs)
    processor = stage.processor()
    restoration = Restoration(
        changelog,
        bounds[changelog],
        processor.due,
        lambda left: settings.metrics.recovery_remaining(stage.name, partition, left),
    )
    with ExitStack() as undo:
        store = await _restored_store(opening, restoration)
        undo.callback(store.close)
        found = store.meta() or Meta({}, 0, settings.release, partitions)
        found.require(release=settings.release, partitions=partitions)
        offsets = _offsets_to_start_from(opening, found, committed, bounds)
        undo.pop_all()
    state = PartitionState(partition, store, processor.due, settings.transaction.limits)
    state.restart(offsets, found.log_time)
    ticking = Ticking(stage.tick_topic, settings.tick_quiet, runtime.ticks, runtime.end)
    clock = Clock(ticking, processor, state)
    start = Meta(offsets, found.log_time, settings.release, partitions)
    return OpenTask(stage, partition, processor, opening.writer, store, state, clock, start)


async def _restored_store(opening: _Opening, restoration: Restoration) -> Store:
    settings = opening.runtime.settings
    path = settings.state_dir / opening.stage.name / str(opening.partition)
    store, start = _open_store(path, restoration.bounds, settings.changelog_delete_retention)
    if start is not None and is_up_to_date(start, restoration.bounds):
        return store
    with ExitStack() as undo:
        undo.callback(store.close)
        async with opening.runtime.restores:
            records = await restore(opening.runtime.connection, store, start or 0, restoration)
        undo.pop_all()
    _log.info("restored", changelog=restoration.changelog, records=records, since=start)
    return store


def _open_store(path: Path, bounds: Bounds, delete_retention: timedelta) -> tuple[Store, int | None]:
    """Returns the store, and the changelog offset it lacks from; made anew, with None, where it is of no use."""
    store = RocksStore(path)
    mark = store.mark()
    start = usable_from(mark, bounds, delete_retention)
    if start is None:
        # Without a mark it is new, or what an interrupted restore left: deletions may be missing.
        store.close()
        shutil.rmtree(path)
        store = RocksStore(path)
        if mark is not None:
            _log.warning("store_dropped", path=str(path), mark=mark, changelog=bounds)
    return store, start


def _offsets_to_start_from(
    opening: _Opening,
    meta: Meta,
    committed: Mapping[TopicPartition, int],
    bounds: Mapping[TopicPartition, Bounds],
) -> dict[str, int]:
    """Returns every input's next offset: what the state says, else the group's offset, else the log's begin."""
    offsets = {}
    for source in opening.inputs:
        group = committed.get(source)
        mine = meta.offsets.get(source.topic)
        if mine is None:
            mine = bounds[source].begin if group is None else group
        elif group != mine:
            _log.warning("group_offset_differs", source=source, group=group, state=mine, wins="state")
        if not bounds[source].begin <= mine <= bounds[source].end:
            message = f"{source} is to go on from {mine}, and holds {bounds[source]}"
            raise InputLostError(message)
        offsets[source.topic] = mine
    return offsets
