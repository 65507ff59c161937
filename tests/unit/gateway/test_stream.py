"""Server-sent events of a programme's topic: from any id on, alive while nothing comes, gone at the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.gateway.doors.handover_stream import OpenStreams, Stream, events_of
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


def a_stream(cursor: Cursor | None = None, heartbeat: timedelta = LONG, time_max: timedelta = LONG) -> Stream:
    return Stream("client", cursor or Cursor("headspace"), heartbeat, time_max)


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
    async with aclosing(events_of(read_model, OpenStreams(4), a_stream())) as events:
        [there] = await first(events, 1)
        coming = asyncio.ensure_future(anext(events))
        log.append(told("elsewhere", (0, 1), programme="stime"), told("two", (1, 0)))
        came = await asyncio.wait_for(coming, 20)

    assert places_of([there, came]) == [(0, 0), (1, 0)]
    assert fields_of(there)["event"] == "offered"


async def test_a_site_follows_its_own_records_alone(read_model: ReadModel, log: FakeLog) -> None:
    log.append(told("theirs", (0, 0), site="koebenhavn"), told("ours", (0, 1), site="helsingoer"))
    await log.wait_until_taken()
    stream = Stream("client", Cursor("headspace"), timedelta(), LONG, "helsingoer")
    async with aclosing(events_of(read_model, OpenStreams(4), stream)) as events:
        there, after = await first(events, 2)

    assert places_of([there]) == [(0, 1)]
    assert after == b": heartbeat\n\n"


async def test_the_last_id_is_where_another_stream_goes_on(read_model: ReadModel, log: FakeLog) -> None:
    log.append(*(told(str(number), (number % 2, number)) for number in range(6)))
    await log.wait_until_taken()
    async with aclosing(events_of(read_model, OpenStreams(4), a_stream())) as events:
        seen = await first(events, 4)
    behind = Cursor.read("headspace", fields_of(seen[-1])["id"])
    async with aclosing(events_of(read_model, OpenStreams(4), a_stream(behind))) as events:
        rest = await first(events, 2)

    assert sorted(places_of(seen + rest)) == [(number % 2, number) for number in (0, 2, 4, 1, 3, 5)]


async def test_while_nothing_comes_it_shows_that_it_lives(read_model: ReadModel) -> None:
    quick = a_stream(heartbeat=timedelta(milliseconds=1))
    async with aclosing(events_of(read_model, OpenStreams(4), quick)) as events:
        assert await first(events, 2) == [b": heartbeat\n\n"] * 2


async def test_it_ends_when_the_process_does(read_model: ReadModel) -> None:
    events = events_of(read_model, OpenStreams(4), a_stream())
    await first(events, 0)
    ending = asyncio.ensure_future(anext(events, None))
    read_model.end_waiting()

    assert await asyncio.wait_for(ending, 20) is None
    assert [one async for one in events_of(read_model, OpenStreams(4), a_stream())] == [b"retry: 2000\n\n"]


async def test_it_ends_when_its_time_is_up(read_model: ReadModel) -> None:
    brief = a_stream(time_max=timedelta())

    assert [one async for one in events_of(read_model, OpenStreams(4), brief)] == [b"retry: 2000\n\n"]


async def test_it_ends_where_the_database_cannot_be_read(read_model: ReadModel) -> None:
    with read_model.engine.begin() as connection:
        PROGRESS.drop(connection)

    streams = OpenStreams(4)
    events = [one async for one in events_of(read_model, streams, a_stream())]

    assert events == [b"retry: 2000\n\n"]
    assert not streams.is_full("client")


async def test_a_client_has_only_so_many_streams(read_model: ReadModel) -> None:
    streams = OpenStreams(2)
    opened = [events_of(read_model, streams, a_stream()) for _ in range(2)]
    for events in opened:
        await first(events, 0)

    assert streams.is_full("client")
    assert not streams.is_full("another")
    await opened[0].aclose()
    assert not streams.is_full("client")
    await opened[1].aclose()


async def test_one_stream_too_many_is_turned_away(gateway: Gateway) -> None:
    programme = a_programme(gateway)
    streams = gateway.app.state.desk.streams
    for client in gateway.clients.listed():
        for _ in range(streams.per_client_max):
            streams.opened(client.client_id)

    answer = await gateway.http.get("/handovers", headers=programme.headers | {"accept": "text/event-stream"})

    assert (answer.status_code, answer.json()["refused"]["code"]) == (429, "too_many_streams")


async def test_a_wrong_last_id_is_refused_before_the_stream_begins(gateway: Gateway) -> None:
    headers = a_programme(gateway).headers | {"accept": "text/event-stream", "last-event-id": "x"}

    answer = await gateway.http.get("/handovers", headers=headers)

    assert (answer.status_code, answer.json()["refused"]["code"]) == (422, "wrong_cursor")
