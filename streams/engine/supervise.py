"""The tasks of a worker, kept in line with what the group assigned to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog
from aiokafka import TopicPartition

from streams.engine.clock import TickWriter
from streams.engine.ending import EndProcess, Fatal
from streams.engine.opening import TaskRuntime, open_task
from streams.engine.task import RunningTask, TaskInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.engine.input_log import InputLog
    from streams.engine.stage import BrokerConnection, EngineSettings, Stage

_WATCH_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class TaskId(NamedTuple):
    """A stage's name and a partition number."""

    stage: str
    partition: int


class Tasks:
    """All tasks of this worker. Lives on the main loop; `ready` may be read from any thread."""

    def __init__(
        self,
        app_id: str,
        connection: BrokerConnection,
        stages: Sequence[Stage],
        settings: EngineSettings,
        end: EndProcess,
    ) -> None:
        """Has no task until the group assigns partitions. Raises ValueError where stages share an input."""
        self._app_id = app_id
        self._connection = connection
        self._stages = {stage.name: stage for stage in stages}
        self._stage_of = {topic: stage.name for stage in stages for topic in stage.inputs}
        if len(self._stage_of) != sum(len(stage.inputs) for stage in stages):
            message = "a topic is an input of one stage only"
            raise ValueError(message)
        self._settings = settings
        self._end = end
        self._wake_fetch: Callable[[], None] = _nothing
        self._runtime: TaskRuntime | None = None
        self._running: dict[TaskId, RunningTask] = {}
        self._starting: dict[TaskId, asyncio.Task[None]] = {}
        self._assigned: frozenset[TaskId] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._reconciling: asyncio.Task[None] | None = None
        self.room_freed = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Tells whether the worker has an assignment and every task of it takes batches."""
        assigned = self._assigned
        return assigned is not None and all(
            (task := self._running.get(task_id)) is not None and task.feed is not None for task_id in assigned
        )

    @property
    def running(self) -> dict[TaskId, RunningTask]:
        """Returns the tasks that are restored, parked ones included."""
        return dict(self._running)

    def attach(self, inputs: InputLog, wake_fetch: Callable[[], None]) -> None:
        """Says which consumer feeds the tasks."""
        self._wake_fetch = wake_fetch
        self._runtime = TaskRuntime(
            self._app_id,
            self._connection,
            self._settings,
            inputs,
            TickWriter(self._connection),
            asyncio.Semaphore(self._settings.restores_at_once),
            self._free_room,
            self._end,
        )

    def feeds_with_room(self) -> dict[TopicPartition, TaskInput]:
        """Returns the partitions to fetch now, each with the feed its batches go to."""
        return {
            TopicPartition(topic, task.partition): task.feed
            for task in self._running.values()
            if task.has_room and task.feed is not None
            for topic in task.stage.inputs
        }

    def assign(self, assigned: set[tuple[str, int]]) -> None:
        """Starts, resumes and closes tasks in the background, so that the worker owns exactly these."""
        self._settings.metrics.rebalanced()
        ids = self._complete_ids(assigned)
        self._assigned = frozenset(ids)
        self._reconciling = asyncio.create_task(self._reconcile(self._assigned))

    async def revoke(self) -> None:
        """Returns once no task folds or commits. Tasks are kept: most come back in the next assignment."""
        self._assigned = None
        for task in self._running.values():
            task.stop_feeding()
        if self._reconciling is not None:
            await asyncio.wait((self._reconciling,))
        async with self._changing:
            await self._cancel_starting()
            await asyncio.gather(*(task.park() for task in self._running.values()))

    async def close(self) -> None:
        """Commits what is folded and closes all. Ends the process where that fails: it is ending anyway."""
        self._assigned = None
        with Fatal(self._end, "closing failed"):  # Faust would log it and hang in its shutdown
            async with self._changing:
                await self._cancel_starting()
                await asyncio.gather(*(task.finish() for task in self._running.values()))
                self._running.clear()
            if self._runtime is not None:
                await self._runtime.ticks.stop()

    async def watch(self) -> None:
        """Runs for ever: tells the metrics, and ends the process where a task stands still with work at hand.

        Counts its own turns instead of reading a clock, so that a suspended process is not blamed.
        """
        turns_max = self._settings.stall_timeout.total_seconds() / _WATCH_SECONDS
        seen: dict[TaskId, tuple[int, int]] = {}
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for task_id, task in list(self._running.items()):
                progress, turns = seen.get(task_id, (-1, 0))
                stands = task.busy and task.progress == progress
                seen[task_id] = (task.progress, turns + 1 if stands else 0)
                if stands and turns > turns_max:
                    self._end(f"{task_id} makes no progress")
                self._observe(task)

    def _observe(self, task: RunningTask) -> None:
        metrics = self._settings.metrics
        metrics.task_observed(task.stage.name, task.partition, task.uncommitted_seconds)
        if task.feed is None:
            return
        for topic, offset in task.state.offsets.items():
            end = task.runtime.inputs.log_end(TopicPartition(topic, task.partition))
            if end is not None:
                metrics.lag_observed(topic, task.partition, max(0, end - offset))

    def _complete_ids(self, assigned: set[tuple[str, int]]) -> set[TaskId]:
        ids = set()
        for topic, partition in assigned:
            stage = self._stages[self._stage_of[topic]]
            missing = [other for other in stage.inputs if (other, partition) not in assigned]
            if missing:
                # While releases with different inputs share the group, its topics are dealt apart.
                _log.error("assignment_incomplete", stage=stage.name, partition=partition, missing=missing)
            else:
                ids.add(TaskId(stage.name, partition))
        return ids

    async def _reconcile(self, assigned: frozenset[TaskId]) -> None:
        with Fatal(self._end, "assignment failed"):
            async with self._changing:
                leaving = [self._running.pop(task_id) for task_id in list(self._running) if task_id not in assigned]
                await asyncio.gather(*map(self._close, leaving))
                for task_id in sorted(assigned):
                    self._starting[task_id] = asyncio.create_task(self._start(task_id))

    async def _start(self, task_id: TaskId) -> None:
        with Fatal(self._end, f"{task_id} cannot start"):
            task = self._running.get(task_id)
            if task is not None and await self._moved(task):
                await self._close(self._running.pop(task_id))
                task = None
            if task is None:
                runtime = self._task_runtime()
                opened = await open_task(self._stages[task_id.stage], task_id.partition, runtime)
                task = self._running[task_id] = RunningTask(opened, runtime)
            await task.start()
            _log.info("task_started", stage=task_id.stage, partition=task_id.partition, offsets=task.committed)

    async def _moved(self, task: RunningTask) -> bool:
        """Tells whether another worker has committed while the task was parked."""
        offsets = {TopicPartition(topic, task.partition): offset for topic, offset in task.committed.items()}
        committed = await self._task_runtime().inputs.committed(list(offsets))
        return any(offsets[partition] != offset for partition, offset in committed.items())

    async def _close(self, task: RunningTask) -> None:
        """Closes the task to the end, also where the caller is cancelled: half closed it would keep its folder."""
        closing = asyncio.create_task(task.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)

    async def _cancel_starting(self) -> None:
        starting, self._starting = self._starting, {}
        for start in starting.values():
            start.cancel()
        under_way = {*starting.values(), *self._closing}
        if under_way:
            await asyncio.wait(under_way)

    def _task_runtime(self) -> TaskRuntime:
        if self._runtime is None:
            message = "tasks have no consumer yet: attach comes first"
            raise RuntimeError(message)
        return self._runtime

    def _free_room(self) -> None:
        self.room_freed.set()
        self._wake_fetch()


def _nothing() -> None:
    pass
