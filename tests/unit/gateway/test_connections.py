"""Attackers who hold connections, on the running server: their silence ends them, and others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.settings import Limits
from tests.unit.gateway.serving import Served, Talk, a_server, until
from tests.unit.read_model.builders import told

pytestmark = pytest.mark.long

LONG = timedelta(minutes=10)
HALF_A_HEAD = b"GET /health HTTP/1.1\r\nhost: t\r\n"
ASKED = b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n"
HALF_A_BODY = (
    b"POST /pages/sign-in HTTP/1.1\r\nhost: t\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    b"content-length: 10000\r\n\r\nhalf"
)
REST_NOT_SENT = b"POST /events/consents HTTP/1.1\r\nhost: t\r\ncontent-length: 10000\r\n\r\nhalf"
ATTACKS = {
    "nothing at all": b"",
    "half a head": HALF_A_HEAD,
    "a whole request, then half a head": ASKED + HALF_A_HEAD,
    "half a body": HALF_A_BODY,
    "half a body that is answered already": REST_NOT_SENT,
}


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Served]:
    """Runs a server with few places, where silence is short."""
    async with a_server(tmp_path / "data", connections_max=8, silence_max=timedelta(seconds=0.3)) as served:
        yield served


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Served]:
    """Runs a server with few places, where nobody's time is ever up."""
    limits = {"connections_max": 8, "silence_max": LONG, "idle_max": LONG, "body_time_max": LONG}
    async with a_server(tmp_path / "data", **limits) as served:
        yield served


def a_stream(served: Served) -> bytes:
    """Returns the request of a programme that follows its topic."""
    head = "GET /handovers HTTP/1.1\r\nhost: t\r\naccept: text/event-stream\r\nauthorization: Bearer"
    return f"{head} {served.token()}\r\n\r\n".encode()


@pytest.mark.parametrize("attack", ATTACKS)
async def test_whoever_stops_is_closed(hasty: Served, attack: str) -> None:
    talk = await hasty.connect(ATTACKS[attack])

    await talk.answer()
    await until(lambda: hasty.connections == 0)


@pytest.mark.parametrize("attack", ["half a head", "half a body that is answered already"])
async def test_dripping_is_no_better_than_silence(hasty: Served, attack: str) -> None:
    talk = await hasty.connect(ATTACKS[attack])

    async def drip() -> None:
        with suppress(ConnectionError):
            while True:
                await talk.send(b"x")
                await asyncio.sleep(0.02)  # between drops

    dripping = asyncio.create_task(drip())

    await talk.answer()
    await until(lambda: hasty.connections == 0)
    dripping.cancel()


async def test_a_body_that_is_silent_is_answered_before_it_is_closed(hasty: Served) -> None:
    token = hasty.token(ClientKind.SOURCE, "region-h").encode()
    head = b"POST /events/consents HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 99\r\n"

    answer = await (await hasty.connect(head + b"authorization: Bearer " + token + b"\r\n\r\n{")).answer()

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in answer


async def test_a_stream_that_nobody_reads_is_closed(hasty: Served) -> None:
    hasty.log.append(*(told(str(number), (0, number)) for number in range(400)))
    await hasty.log.wait_until_taken()

    talk = await hasty.connect(a_stream(hasty), receive_bytes=1024)
    await until(lambda: hasty.connections == 1)

    await until(lambda: hasty.connections == 0)
    talk.close()


async def test_a_stream_that_is_read_stays_however_long_nothing_comes(hasty: Served) -> None:
    hasty.log.append(told("one"))
    await hasty.log.wait_until_taken()
    talk = await hasty.connect(a_stream(hasty))
    assert await talk.reader.readuntil(b"event: offered\n")
    silent = [await hasty.connect() for _ in range(3)]
    for one in silent:
        await one.answer()

    hasty.log.append(told("two", (0, 1)))

    assert await talk.reader.readuntil(b"event: offered\n")


async def test_a_connection_rests_between_its_requests(hasty: Served) -> None:
    talk = await hasty.connect(ASKED)
    await talk.reader.readuntil(b"}")
    silent = await hasty.connect()
    await silent.answer()

    await talk.send(ASKED)

    assert b"200 OK" in await talk.reader.readuntil(b"}")


async def test_where_half_of_the_places_are_taken_a_rest_is_short(hasty: Served) -> None:
    talks = [await hasty.connect(ASKED) for _ in range(6)]

    await until(lambda: hasty.connections < len(talks))

    for talk in talks:
        talk.close()


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_limit_keeps_nobody_out(patient: Served, attack: str) -> None:
    held = [await patient.connect(ATTACKS[attack]) for _ in range(30)]

    assert [await patient.status() for _ in range(5)] == [200] * 5

    for talk in held:
        talk.close()


async def test_the_log_says_where_places_are_short(patient: Served, capsys: pytest.CaptureFixture[str]) -> None:
    held = [await patient.connect() for _ in range(30)]
    said = ""

    def is_said() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return "connections_crowded" in said

    await until(is_said)
    for talk in held:
        talk.close()


async def test_whoever_is_served_keeps_their_place(patient: Served) -> None:
    streams = [await patient.connect(a_stream(patient)) for _ in range(4)]
    for talk in streams:
        await talk.reader.readuntil(b"retry: 2000\n\n")
    held = [await patient.connect() for _ in range(30)]
    await until(lambda: patient.connections == 8)

    patient.log.append(told("one"))

    for talk in streams:
        assert await talk.reader.readuntil(b"event: offered\n")
    for talk in held:
        talk.close()


async def test_hundreds_of_silent_connections_keep_nobody_out_and_are_closed(tmp_path: Path) -> None:
    places = Limits().connections_max
    async with a_server(tmp_path / "data") as served:
        with ExitStack() as open_ones:
            held: list[Talk] = [await served.connect() for _ in range(places + 8)]
            for talk in held:
                open_ones.callback(talk.close)

            assert await served.status() == 200
            await until(lambda: served.connections == 0)
