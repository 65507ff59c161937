"""Tells a quiet partition the time, so that deadlines fire where nothing arrives.

The owner appends a tick to its own partition; the broker stamps it. Two ticks, or one from a worker
that has lost the partition, do no harm: a tick says nothing but the time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer

from streams.engine.ending import EndProcess, Fatal

if TYPE_CHECKING:
    from datetime import timedelta

    from streams.engine.processor import Processor, TickRecord
    from streams.engine.stage import BrokerConnection
    from streams.engine.state import PartitionState

_NO_DEADLINE_SECONDS = 5.0
_BUSY_SECONDS = 0.5
_RETRY_SECONDS_MIN = 0.05
_RETRY_SECONDS_MAX = 5.0


class TickWriter:
    """The worker's one idempotent producer for ticks; connects at the first."""

    def __init__(self, connection: BrokerConnection) -> None:
        """Connects to nothing yet."""
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def append(self, topic: str, partition: int, tick: TickRecord) -> int:
        """Returns the tick's offset once the broker has it. Raises KafkaError."""
        producer = await self._started()
        sent = await producer.send_and_wait(topic, tick.value, key=tick.key, partition=partition)
        return int(sent.offset)

    async def stop(self) -> None:
        """Closes connections."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                options: dict[str, Any] = dict(self._connection.for_aiokafka())
                producer = AIOKafkaProducer(**options, enable_idempotence=True, linger_ms=0)
                await producer.start()
                self._producer = producer
            return self._producer


@dataclass(frozen=True, slots=True)
class Ticking:
    """Where a stage's ticks go (None: it has none), and how long its log must have been quiet before one."""

    topic: str | None
    quiet: timedelta
    writer: TickWriter
    end: EndProcess


class Clock:
    """Decides when one task's partition needs a tick. One tick at a time is under way."""

    def __init__(self, ticking: Ticking, processor: Processor, state: PartitionState) -> None:
        """Ticks nothing yet; asks nothing of the processor before the first `check`."""
        self._ticking = ticking
        self._processor = processor
        self._state = state
        self._folded_at = time.monotonic()
        self._wake_ms: int | None = None
        self._wake_known = False
        self._retry_seconds = _RETRY_SECONDS_MIN
        self._next_offset = 0
        self._sending: asyncio.Task[None] | None = None

    def note_fold(self) -> None:
        """Notes that the log is not quiet, and that the next deadline may have moved."""
        self._folded_at = time.monotonic()
        self._wake_known = False

    def check(self, *, idle: bool) -> float:
        """Appends a tick where one is wanted, and returns the seconds until it wants to be asked again."""
        topic = self._ticking.topic
        if topic is None:
            return _NO_DEADLINE_SECONDS
        if not idle:
            return _BUSY_SECONDS
        wake_ms = self._next_wake()
        if wake_ms is None:
            return _NO_DEADLINE_SECONDS
        quiet_left = self._folded_at + self._ticking.quiet.total_seconds() - time.monotonic()
        left = max(wake_ms / 1000 - time.time(), quiet_left)
        if left > 0:
            return min(left, _NO_DEADLINE_SECONDS)
        if self._sending is not None or self._state.offsets[topic] < self._next_offset:
            return _RETRY_SECONDS_MIN
        return self._send(topic)

    def _next_wake(self) -> int | None:
        if not self._wake_known:
            wake_ms = self._processor.next_wake(self._state)
            if wake_ms != self._wake_ms:
                self._retry_seconds = _RETRY_SECONDS_MIN
            self._wake_ms, self._wake_known = wake_ms, True
        return self._wake_ms

    def _send(self, topic: str) -> float:
        # A broker's clock behind ours stamps a tick too early; each further one waits twice as long.
        self._retry_seconds = min(2 * self._retry_seconds, _RETRY_SECONDS_MAX)
        self._sending = asyncio.create_task(self._append(topic))
        return self._retry_seconds

    async def _append(self, topic: str) -> None:
        with Fatal(self._ticking.end, "tick"):
            tick = self._processor.tick(self._state)
            appended = await self._ticking.writer.append(topic, self._state.partition, tick)
        self._next_offset = appended + 1
        self._sending = None
