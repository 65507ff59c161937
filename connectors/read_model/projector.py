"""Keeps the read model up with the topics, as a task: what fails is said, and tried again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from traceback import extract_tb
from typing import TYPE_CHECKING, Protocol

import structlog
from aiokafka.errors import KafkaError

from connectors.read_model.feed import LogReplacedError
from connectors.read_model.projection import OvertakenError, forget_all, progress_of, project
from connectors.read_model.tables import ReadModelUnavailableError
from schemas.topics import short_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

    from connectors.read_model.answers import Answers
    from connectors.read_model.arrivals import Arrivals
    from connectors.read_model.feed import FetchedBatch, TopicFeed
    from connectors.read_model.projection import Projected

_RETRY_PAUSE = timedelta(seconds=1)
_EXPECTED = (KafkaError, OSError, ReadModelUnavailableError, OvertakenError, LogReplacedError)
_log = structlog.get_logger(__name__)


class Tally(Protocol):
    """Counts records by topic (its short name) and outcome: ``projected`` or ``unreadable``; and failed attempts."""

    def count_records(self, topic: str, outcome: str, count: int) -> None:
        """Counts records."""
        ...  # pragma: no cover

    def count_failure(self) -> None:
        """Counts one attempt that failed."""
        ...  # pragma: no cover


class Projector:
    """Projects what the feed gives, wakes those who wait for it, and starts again where that fails."""

    def __init__(self, engine: Engine, feed: TopicFeed, waiting: tuple[Answers, Arrivals], tally: Tally) -> None:
        """Takes the read model's database, where records come from, who waits for them, and who counts."""
        self._engine = engine
        self._feed = feed
        self._answers, self._arrivals = waiting
        self._tally = tally
        self._is_current = False
        self._supervision: asyncio.Task[None] | None = None

    @property
    def is_current(self) -> bool:
        """Tells whether projecting goes on and has reached the logs' ends, as they were when it began."""
        return self._is_current

    def start(self) -> None:
        """Begins in the background."""
        self._supervision = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Ends; what is being committed is committed."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.wait({self._supervision})

    async def _supervise(self) -> None:
        while True:
            attempt = asyncio.create_task(self._project_all())
            try:
                await asyncio.wait({attempt})
            except asyncio.CancelledError:
                attempt.cancel()
                await asyncio.wait({attempt})
                raise
            self._is_current = False
            self._tally.count_failure()
            self._say(attempt.exception())
            await asyncio.sleep(_RETRY_PAUSE.total_seconds())

    def _say(self, error: BaseException | None) -> None:
        # A fault of ours is found by its line. Its text may hold what was in a record, so that is not logged.
        where = None if error is None or isinstance(error, _EXPECTED) else extract_tb(error.__traceback__)[-1]
        line = None if where is None else f"{where.name}:{where.lineno}"
        _log.error("read_model_stopped", error=type(error).__name__, line=line)

    async def _project_all(self) -> None:
        progress = await asyncio.to_thread(progress_of, self._engine)
        try:
            async with aclosing(self._feed.batches(progress)) as batches:
                async for batch in batches:
                    await self._take(batch)
        except LogReplacedError:
            # Rows of a log that is no more would stand beside those of the new one under the same offsets.
            await asyncio.to_thread(forget_all, self._engine)
            raise

    async def _take(self, batch: FetchedBatch) -> None:
        if batch.records:
            projected = await asyncio.to_thread(project, self._engine, batch.records)
            self._count(projected)
            self._answers.tell(projected.told)
            self._arrivals.tell({one.programme for one in projected.told})
        self._is_current = self._is_current or batch.caught_up

    def _count(self, projected: Projected) -> None:
        outcomes: Mapping[str, dict[str, int]] = {"projected": projected.taken, "unreadable": projected.unreadable}
        for outcome, counts in outcomes.items():
            for topic, count in counts.items():
                self._tally.count_records(short_name(topic), outcome, count)
