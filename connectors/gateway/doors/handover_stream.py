"""Server-sent events: a programme follows its topic. What is not read stays in the database, never in a buffer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from connectors.gateway.tables import LedgerUnavailableError
from connectors.read_model.handovers import records_after
from connectors.read_model.tables import ReadModelUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
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

    ``is_admitted`` tells whether its token is still valid, and blocks. A client whose stream has ended goes on with the
    last id it has seen.
    """

    is_admitted: Callable[[], bool]
    cursor: Cursor
    heartbeat: timedelta
    time_max: timedelta
    site: str | None = None


async def stream_events(read_model: ReadModel, stream: Stream) -> AsyncGenerator[bytes]:
    """Yields what is there, then what comes, each event's id the cursor behind it; comments while nothing comes.

    Ends before anything is sent to a token that has been revoked, when its time is up, when the process ends and when a
    database can't be read. The next page is read once this one was sent, so that a slow client costs no memory.
    """
    cursor, loop = stream.cursor, asyncio.get_running_loop()
    ends_at = loop.time() + stream.time_max.total_seconds()
    try:
        yield _RETRY
        while not read_model.arrivals.ended and loop.time() < ends_at:
            # Asked for before reading, so that nothing is committed unseen between the two.
            arrival = read_model.arrivals.next_for(cursor.programme)
            found = await asyncio.to_thread(records_after, read_model.engine, cursor, _RECORDS_AT_ONCE, stream.site)
            events = [_event(record, behind) for record, behind in found.records]
            cursor = found.following
            if not events and not await arrival.wait(stream.heartbeat):
                events = [_HEARTBEAT]
            for event in events:
                # A slow client takes long over a page: asked each time, since the token may end in between.
                if not await asyncio.to_thread(stream.is_admitted):
                    return
                yield event
    except (ReadModelUnavailableError, LedgerUnavailableError) as error:
        _log.error("store_unavailable", error=type(error).__name__)


def _event(record: TopicRecord, behind: Cursor) -> bytes:
    data = json.dumps(record.record, ensure_ascii=False, separators=(",", ":"))
    return f"id: {behind.text}\nevent: {record.record['event']['type']}\ndata: {data}\n\n".encode()
