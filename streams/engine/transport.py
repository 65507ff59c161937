"""The Faust transport that hands tasks one batch a partition. Registered as `brobygger://`.

Faust's own path of a message (conductor, stream, acknowledgement, commit) is not used: through the
stream Faust may drop a batch silently. Its agents subscribe, its assignor distributes, its worker
supervises; batches go from here straight to their task.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as faust_aiokafka

from streams.engine.ending import Fatal, end_process
from streams.engine.fetch_thread import BatchThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from faust.types import TP

    from streams.engine.app import EngineApp
    from streams.engine.supervise import Tasks

_NO_MESSAGES: tuple[Any, ...] = ()
_POLL_MAX = timedelta(milliseconds=200)


class _NeverRead(dict[Any, Any]):
    """Faust's read offsets, never set: below them it drops messages, also after a seek backwards."""

    def __getitem__(self, _key: object) -> None:
        return None

    def __setitem__(self, _key: object, _value: object) -> None:
        pass

    def update(self, *_args: object, **_kwargs: object) -> None:
        """Does nothing."""


class BatchConsumer(faust_aiokafka.Consumer):
    """Runs in the main loop; its thread holds the aiokafka consumer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes Faust's arguments."""
        super().__init__(*args, **kwargs)
        self._read_offset = _NeverRead()
        self._engine.attach(self._batch_thread, self._batch_thread.wake)

    async def getmany(self, timeout: float) -> AsyncIterator[Any]:  # noqa: ARG002, ASYNC109 - Faust's signature
        """Fetches once and hands every batch to its task; yields nothing, ever."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        if not self.should_stop:
            await self._fetch_once()
        for message in _NO_MESSAGES:
            yield message

    async def perform_seek(self) -> None:
        """Brings tasks in line with the assignment, in the background.

        Returns at once: Faust cancels a seek that takes longer than `broker_request_timeout`, and
        the worker would then heartbeat without ever consuming.
        """
        self._engine.assign({(tp.topic, tp.partition) for tp in self.assignment()})

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Returns once nothing of the old assignment is under way any more."""
        with Fatal(end_process, "revocation failed"):  # aiokafka would swallow it and consume on
            await self._engine.revoke()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Passes on to Faust, which seeks where there is something to seek, and closes all where there is not."""
        await super().on_partitions_assigned(assigned, generation_id)
        if not assigned:
            self._engine.assign(set())

    async def on_stop(self) -> None:
        """Commits what is folded and closes every task before the consumer leaves."""
        await self._engine.close()
        await super().on_stop()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - Faust's signature
        """Commits nothing: offsets are committed inside the tasks' transactions."""
        return False

    async def verify_all_partitions_active(self) -> None:
        """Does nothing: the engine's own watchdog looks at progress."""

    def ack(self, message: Any) -> bool:
        """Notes that the message is done with, and nothing else."""
        message.acked = True
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Does nothing: aborted batches and markers leave gaps, and nothing here counts offsets."""

    def _new_consumer_thread(self) -> BatchThread:
        self._batch_thread = BatchThread(self, loop=self.loop, beacon=self.beacon)
        self._batch_thread.fetch = cast("EngineApp", self.app).engine_settings.fetch
        return self._batch_thread

    @property
    def _engine(self) -> Tasks:
        return cast("EngineApp", self.app).engine

    async def _fetch_once(self) -> None:
        tasks = self._engine
        tasks.room_freed.clear()
        feeds = tasks.feeds_with_room()
        if not feeds:
            with suppress(TimeoutError):
                await asyncio.wait_for(tasks.room_freed.wait(), _POLL_MAX.total_seconds())
            return
        with Fatal(end_process, "the input cannot be read"):
            batches = await self._batch_thread.fetched(list(feeds), _POLL_MAX)
        for batch in batches:
            feeds[TopicPartition(batch.topic, batch.partition)].accept(batch)


class BatchTransport(faust_aiokafka.Transport):
    """Faust's aiokafka transport with `BatchConsumer`."""

    Consumer = BatchConsumer
