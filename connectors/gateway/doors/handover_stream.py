"""Server-sent events: a programme follows its topic. What is not read stays in the database, never in a buffer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from connectors.read_model.handovers import page
from connectors.read_model.tables import ReadModelUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import timedelta

    from connectors.read_model.answers import TopicRecord
    from connectors.read_model.cursors import Cursor
    from connectors.read_model.opening import ReadModel

_RECORDS_AT_ONCE = 100
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": heartbeat\n\n"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """One client's stream: where it begins, how long it is silent at most, and how long it lasts at most.

    It ends so that its token is looked at again; a client goes on with the last id it has seen.
    """

    client_id: str
    cursor: Cursor
    heartbeat: timedelta
    time_max: timedelta
    site: str | None = None


@dataclass(frozen=True, slots=True)
class OpenStreams:
    """How many streams each client has open."""

    per_client_max: int
    _open: Counter[str] = field(default_factory=Counter)

    def is_full(self, client_id: str) -> bool:
        """Tells whether a client may open no more."""
        return self._open[client_id] >= self.per_client_max

    def opened(self, client_id: str) -> None:
        """Counts one more."""
        self._open[client_id] += 1

    def closed(self, client_id: str) -> None:
        """Counts one less."""
        self._open[client_id] -= 1


async def events_of(read_model: ReadModel, streams: OpenStreams, stream: Stream) -> AsyncGenerator[bytes]:
    """Yields what is there, then what comes, each event's id the cursor behind it; comments while nothing comes.

    Ends when its time is up, when the process ends and when the database can't be read. The next page is read
    once this one was sent, so that a slow client costs no memory.
    """
    cursor, loop = stream.cursor, asyncio.get_running_loop()
    ends_at = loop.time() + stream.time_max.total_seconds()
    streams.opened(stream.client_id)
    try:
        yield _RETRY
        while not read_model.arrivals.ended and loop.time() < ends_at:
            # Asked for before reading, so that nothing is committed unseen between the two.
            arrival = read_model.arrivals.next_for(cursor.programme)
            found = await asyncio.to_thread(page, read_model.engine, cursor, _RECORDS_AT_ONCE, stream.site)
            for record, behind in found.records:
                yield _event(record, behind)
            cursor = found.following
            if not found.records and not await arrival.wait(stream.heartbeat):
                yield _HEARTBEAT
    except ReadModelUnavailableError as error:
        _log.error("store_unavailable", error=type(error).__name__)
    finally:
        streams.closed(stream.client_id)


def _event(record: TopicRecord, behind: Cursor) -> bytes:
    data = json.dumps(record.record, ensure_ascii=False, separators=(",", ":"))
    return f"id: {behind.text}\nevent: {record.record['event']['statement']}\ndata: {data}\n\n".encode()
