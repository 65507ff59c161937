"""One partition number of one stage: its fold, its transactions, its clock.

A task folds while its last transaction is under way, and begins the next as soon as the settings
allow. Everything runs on the main loop; what is folded but not committed exists in memory only.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from aiokafka import TopicPartition

from streams.engine.ending import Fatal
from streams.engine.meta import META_KEY, Meta
from streams.engine.pace import Pace
from streams.engine.store import Mark
from streams.engine.transaction import Writes

if TYPE_CHECKING:
    from streams.engine.faust_private import FetchedPartition
    from streams.engine.opening import OpenTask, TaskRuntime
    from streams.engine.state import Changes


@dataclass(slots=True)
class _Unfolded:
    """A batch, and the index of its first record not folded yet."""

    batch: FetchedPartition
    index: int = 0


class TaskInput:
    """The right to hand batches to a task. Taken away at every revocation, so that late batches find no way in."""

    def __init__(self, task: RunningTask, positions: dict[str, int]) -> None:
        """Expects every topic's next batch to begin at its position."""
        self._task = task
        self._positions = positions

    def accept(self, batch: FetchedPartition) -> None:
        """Queues the batch for folding, or drops it where the feed has been taken away. Never waits.

        Ends the process where the batch does not continue the last one: what lies between is lost.
        """
        if self._task.feed is not self:
            return
        expected = self._positions[batch.topic]
        if batch.start != expected:
            reason = f"{batch.topic} {batch.partition} continues at {batch.start}, expected {expected}"
            self._task.runtime.end(reason)
        self._positions[batch.topic] = batch.end
        self._task.enqueue(batch)


class RunningTask:
    """A task whose store is restored. `start` and `park` may alternate; `close` ends it."""

    def __init__(self, opened: OpenTask, runtime: TaskRuntime) -> None:
        """Takes over what `opening.open_task` made."""
        self.runtime = runtime
        self.stage = opened.stage
        self.partition = opened.partition
        self.committed = dict(opened.meta.offsets)
        self.state = opened.state
        self.feed: TaskInput | None = None
        self.progress = 0
        self._opened = opened
        self._committed_log_time = opened.meta.log_time
        self._queue: deque[_Unfolded] = deque()
        self._wakeup = asyncio.Event()
        self._pace = Pace(runtime.settings.transaction)
        self._loop_task: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._pending_since: float | None = None
        self._in_flight_since: float | None = None

    async def start(self) -> None:
        """Seeks the inputs to what is committed and begins to take batches."""
        await self.runtime.inputs.seek(self._by_partition(self.committed))
        self.feed = TaskInput(self, dict(self.committed))
        self._loop_task = asyncio.create_task(self._run())
        self.runtime.room_freed()

    def stop_feeding(self) -> None:
        """Refuses batches from now on and forgets those not folded."""
        self.feed = None
        self._queue.clear()

    async def park(self) -> None:
        """Waits for the transaction under way, forgets what is not committed, keeps store and producer."""
        await self._halt()
        self.state.restart(self.committed, self._committed_log_time)
        self._pending_since = self._in_flight_since = None

    async def finish(self) -> None:
        """Commits what is folded, then closes."""
        await self._halt()
        if self.state.changed:
            await self._commit(self.state.take())
        await self._opened.close()

    async def close(self) -> None:
        """Parks and gives everything back."""
        await self.park()
        await self._opened.close()

    @property
    def has_room(self) -> bool:
        """Tells whether more batches may be fetched."""
        return self.feed is not None and len(self._queue) < self.runtime.settings.fetch.batches_ahead

    @property
    def busy(self) -> bool:
        """Tells whether work lies here that must show progress."""
        return bool(self._queue) or self._committing is not None or self.state.changed

    @property
    def uncommitted_seconds(self) -> float:
        """Returns the age of the oldest fold not committed, 0 where there is none."""
        since = self._in_flight_since or self._pending_since
        return 0.0 if since is None else time.monotonic() - since

    def enqueue(self, batch: FetchedPartition) -> None:
        """Queues a batch; called by the feed."""
        self._queue.append(_Unfolded(batch))
        self._wakeup.set()

    async def _halt(self) -> None:
        self.stop_feeding()
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.wait((self._loop_task,))
            self._loop_task = None
        if self._committing is not None:
            await asyncio.wait((self._committing,))

    async def _run(self) -> None:
        with Fatal(self.runtime.end, f"fold {self.stage.name} {self.partition}"):
            while True:
                self._wakeup.clear()
                self._begin_transaction_if_due()
                if self._queue and not self.state.full:
                    self._fold_slice()
                    await asyncio.sleep(0)
                else:
                    await self._wait()

    async def _wait(self) -> None:
        """Waits for a batch, for the end of a transaction, for the next to be due, or for the clock."""
        loop = asyncio.get_running_loop()
        if self.state.changed and self._committing is None:
            timer = loop.call_later(self._pace.remaining_seconds(), self._wakeup.set)
        else:
            timer = loop.call_later(self._opened.clock.check(idle=not self.busy), self._wakeup.set)
        await self._wakeup.wait()
        timer.cancel()

    def _fold_slice(self) -> None:
        unfolded = self._queue[0]
        batch, index = unfolded.batch, unfolded.index
        began = time.monotonic()
        stop = min(len(batch.records), index + self._pace.slice_records)
        records = batch.records if stop == len(batch.records) else batch.records[:stop]
        folded = self._opened.processor.fold(self.state, batch.topic, records, index) if records else 0
        if folded == index < stop and not self.state.full:
            message = f"the processor of {self.stage.name} folds nothing at {batch.topic} {records[index].offset}"
            raise RuntimeError(message)
        at_end = folded == len(batch.records)
        next_offset = batch.end if at_end else batch.records[folded].offset
        self.state.folded(batch.topic, next_offset, folded - index)
        self._note_fold(folded - index, time.monotonic() - began)
        unfolded.index = folded
        if at_end:
            self._queue.popleft()
            self.runtime.room_freed()

    def _note_fold(self, records: int, seconds: float) -> None:
        self.progress += 1
        self._pace.note_fold(records, seconds)
        self._opened.clock.note_fold()
        if self._pending_since is None and self.state.changed:
            self._pending_since = time.monotonic() - seconds
        self.runtime.settings.metrics.batch_folded(self.stage.name, self.partition, records)

    def _begin_transaction_if_due(self) -> None:
        if self._committing is not None or not self.state.changed:
            return
        if self.state.full or self._pace.remaining_seconds() <= 0:
            changes = self.state.take()
            self._committing = asyncio.create_task(self._commit_in_background(changes))

    async def _commit_in_background(self, changes: Changes) -> None:
        with Fatal(self._end_transaction, f"transaction {self.stage.name} {self.partition}"):
            await self._commit(changes)
        self._committing = None
        self._wakeup.set()

    def _end_transaction(self, reason: str, error: BaseException | None = None) -> NoReturn:
        self.runtime.settings.metrics.produce_failed(self.stage.name, type(error).__name__)
        self.runtime.end(reason, error)

    async def _commit(self, changes: Changes) -> None:
        began = time.monotonic()
        self._pace.note_begin()
        self._in_flight_since, self._pending_since = self._pending_since, None
        meta = self._opened.next_meta(changes)
        changes.states[META_KEY] = meta.encode()
        writes = Writes(changes.outputs, changes.states, self._opened.changelog, self._by_partition(changes.offsets))
        changelog_end = await self._opened.writer.write(self.runtime.app_id, writes)
        self.runtime.settings.crash_point("after_commit_before_store")
        self._store(changes, changelog_end)
        self._note_commit(meta, time.monotonic() - began)
        self.runtime.settings.metrics.counted(self.stage.name, changes.counts)

    def _store(self, changes: Changes, changelog_end: int | None) -> None:
        # Without an offset the old mark stands, and the next restore reads a little more.
        mark = None if changelog_end is None else Mark(changelog_end, int(time.time() * 1000))
        self._opened.store.write(changes.states, changes.dues, mark)
        self.state.written()

    def _note_commit(self, meta: Meta, seconds: float) -> None:
        self.progress += 1
        self._in_flight_since = None
        self.committed, self._committed_log_time = meta.offsets, meta.log_time
        self._pace.note_end(seconds)
        metrics = self.runtime.settings.metrics
        metrics.transaction_committed(self.stage.name, self.partition, seconds)

    def _by_partition(self, offsets: dict[str, int]) -> dict[TopicPartition, int]:
        return {TopicPartition(topic, self.partition): offset for topic, offset in offsets.items()}
