"""Server-sent events of a programme's topic: from any id on, alive while nothing comes, gone at the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.gateway.doors.handover_stream import Stream, stream_events
from connectors.gateway.tables import LedgerUnavailableError
from connectors.read_model.cursors import Cursor
from connectors.read_model.opening import ReadModel
from connectors.read_model.tables import PROGRESS
from tests.unit.gateway.builders import Gateway
from tests.unit.gateway.pulling import a_programme
from tests.unit.read_model.builders import FakeLog, a_read_model, told

LONG = timedelta(seconds=30)


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
async def read_model(tmp_path: Path, log: FakeLog) -> AsyncIterator[ReadModel]:
    opened = a_read_model(tmp_path, log)
    opened.projector.start()
    await log.wait_until_taken()
    yield opened
    await opened.close()


def a_stream(
    cursor: Cursor | None = None,
    heartbeat: timedelta = LONG,
    time_max: timedelta = LONG,
    is_admitted: Callable[[], bool] = lambda: True,
) -> Stream:
    return Stream(is_admitted, cursor or Cursor("headspace"), heartbeat, time_max)


def fields_of(event: bytes) -> dict[str, Any]:
    """Returns an event's fields, its data read."""
    lines = dict(line.split(": ", 1) for line in event.decode().strip().splitlines())
    return lines | {"data": json.loads(lines["data"])}


def places_of(events: list[bytes]) -> list[tuple[int, int]]:
    return [(one["data"]["partition"], one["data"]["offset"]) for one in map(fields_of, events)]


async def first(events: AsyncIterator[bytes], count: int) -> list[bytes]:
    """Returns the first events after the line that says how soon to come again."""
    async with asyncio.timeout(20):
        assert await anext(events) == b"retry: 2000\n\n"
        return [await anext(events) for _ in range(count)]


async def test_what_is_there_comes_first_and_then_what_comes(read_model: ReadModel, log: FakeLog) -> None:
    log.append(told("one", (0, 0)), told("other", (0, 0), programme="stime"))
    await log.wait_until_taken()
    async with aclosing(stream_events(read_model, a_stream())) as events:
        [there] = await first(events, 1)
        coming = asyncio.ensure_future(anext(events))
        log.append(told("elsewhere", (0, 1), programme="stime"), told("two", (1, 0)))
        came = await asyncio.wait_for(coming, 20)

    assert places_of([there, came]) == [(0, 0), (1, 0)]
    assert fields_of(there)["event"] == "offered"


async def test_a_site_follows_its_own_records_alone(read_model: ReadModel, log: FakeLog) -> None:
    log.append(told("theirs", (0, 0), site="koebenhavn"), told("ours", (0, 1), site="helsingoer"))
    await log.wait_until_taken()
    stream = replace(a_stream(heartbeat=timedelta()), site="helsingoer")
    async with aclosing(stream_events(read_model, stream)) as events:
        there, after = await first(events, 2)

    assert places_of([there]) == [(0, 1)]
    assert after == b": heartbeat\n\n"


async def test_the_last_id_is_where_another_stream_goes_on(read_model: ReadModel, log: FakeLog) -> None:
    log.append(*(told(str(number), (number % 2, number)) for number in range(6)))
    await log.wait_until_taken()
    async with aclosing(stream_events(read_model, a_stream())) as events:
        seen = await first(events, 4)
    behind = Cursor.read("headspace", fields_of(seen[-1])["id"])
    async with aclosing(stream_events(read_model, a_stream(behind))) as events:
        rest = await first(events, 2)

    assert sorted(places_of(seen + rest)) == [(number % 2, number) for number in (0, 2, 4, 1, 3, 5)]


async def test_while_nothing_comes_it_shows_that_it_lives(read_model: ReadModel) -> None:
    quick = a_stream(heartbeat=timedelta(milliseconds=1))
    async with aclosing(stream_events(read_model, quick)) as events:
        assert await first(events, 2) == [b": heartbeat\n\n"] * 2


async def test_it_ends_when_the_process_does(read_model: ReadModel) -> None:
    events = stream_events(read_model, a_stream())
    await first(events, 0)
    ending = asyncio.ensure_future(anext(events, None))
    read_model.end_waiting()

    assert await asyncio.wait_for(ending, 20) is None
    assert [one async for one in stream_events(read_model, a_stream())] == [b"retry: 2000\n\n"]


async def test_it_ends_when_its_time_is_up(read_model: ReadModel) -> None:
    brief = a_stream(time_max=timedelta())

    assert [one async for one in stream_events(read_model, brief)] == [b"retry: 2000\n\n"]


async def test_it_ends_where_the_database_cannot_be_read(read_model: ReadModel) -> None:
    with read_model.engine.begin() as connection:
        PROGRESS.drop(connection)

    events = [one async for one in stream_events(read_model, a_stream())]

    assert events == [b"retry: 2000\n\n"]


async def test_it_ends_with_its_token_at_the_next_record_of_a_page_too(read_model: ReadModel, log: FakeLog) -> None:
    log.append(*(told(str(number), (0, number)) for number in range(5)))
    await log.wait_until_taken()
    admitted = iter([True, True, False])

    events = [one async for one in stream_events(read_model, a_stream(is_admitted=lambda: next(admitted)))]

    assert places_of(events[1:]) == [(0, 0), (0, 1)]


async def test_it_ends_with_its_token_while_nothing_comes(read_model: ReadModel) -> None:
    revoked = a_stream(heartbeat=timedelta(milliseconds=1), is_admitted=lambda: False)

    assert [one async for one in stream_events(read_model, revoked)] == [b"retry: 2000\n\n"]


async def test_it_ends_where_it_cannot_be_asked_whether_the_token_is_valid(read_model: ReadModel) -> None:
    def is_admitted() -> bool:
        raise LedgerUnavailableError("gone")

    quick = a_stream(heartbeat=timedelta(milliseconds=1), is_admitted=is_admitted)

    assert [one async for one in stream_events(read_model, quick)] == [b"retry: 2000\n\n"]


async def test_a_wrong_last_id_is_refused_before_the_stream_begins(gateway: Gateway) -> None:
    headers = a_programme(gateway).headers | {"accept": "text/event-stream", "last-event-id": "x"}

    answer = await gateway.http.get("/handovers", headers=headers)

    assert (answer.status_code, answer.json()["refused"]["code"]) == (422, "wrong_cursor")
