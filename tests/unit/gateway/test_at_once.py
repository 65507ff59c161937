"""What a client may have under way at once, on the running server: counted before it begins, until it has ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.gateway.clients.clients import ClientKind, open_clients
from tests.unit.gateway.builders import NOW
from tests.unit.gateway.serving import Served, Talk, a_server, until
from tests.unit.read_model.builders import told

STREAM = (
    "GET /handovers HTTP/1.1\r\nhost: t\r\naccept: text/event-stream\r\nconnection: close\r\n"
    "authorization: Bearer {}\r\n\r\n"
)
LONG = timedelta(minutes=10)
LETTER = (
    "POST /medcom/fhir HTTP/1.1\r\nhost: t\r\ncontent-type: application/fhir+json\r\ncontent-length: 100\r\n"
    "connection: close\r\nauthorization: Bearer {}\r\n\r\n"
)
HALF_A_BODY = (
    "POST /events/consents HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
    "connection: close\r\nauthorization: Bearer {}\r\n\r\n{{"
)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Runs a server on which a client may have two streams, and five requests, at once."""
    async with a_server(tmp_path / "data", streams_per_client_max=2, requests_per_client_max=5) as running:
        yield running


async def status_of(talk: Talk) -> int:
    """Returns an answer's status; a stream's connection stays."""
    async with asyncio.timeout(60):
        return int((await talk.reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])


async def test_of_many_streams_opened_at_once_only_so_many_are_let_in(served: Served) -> None:
    stream = STREAM.format(served.token()).encode()

    talks = await asyncio.gather(*(served.connect(stream) for _ in range(4)))
    statuses = await asyncio.gather(*(status_of(talk) for talk in talks))

    assert Counter(statuses) == {200: 2, 429: 2}
    other = await served.connect(STREAM.format(served.token()).encode())
    assert await status_of(other) == 200
    for talk in (*talks, other):
        talk.close()


async def test_a_stream_that_ended_lets_another_in(served: Served) -> None:
    stream = STREAM.format(served.token()).encode()
    for _ in range(5):
        talk = await served.connect(stream)
        assert await status_of(talk) == 200
        talk.close()
        await until(lambda: not served.server.server_state.tasks)


async def test_one_client_cannot_take_everybodys_places(served: Served) -> None:
    one, other = (served.token(ClientKind.SOURCE, name) for name in ("region-h", "region-syddanmark"))
    talks = [await served.connect(HALF_A_BODY.format(one).encode()) for _ in range(7)]
    answers = [asyncio.create_task(talk.answer()) for talk in talks]
    await until(lambda: sum(answer.done() for answer in answers) == 2)

    refused = [await answer for answer in answers if answer.done()]

    assert all(b"429 Too Many Requests" in answer and b"too_many_at_once" in answer for answer in refused)
    elsewhere = await served.connect(HALF_A_BODY.format(other).encode())
    await elsewhere.send(b"}")
    assert await status_of(elsewhere) == 422
    for talk in (*talks, elsewhere):
        talk.close()
    await asyncio.gather(*answers)


async def test_a_slow_large_letter_keeps_no_other_client_out(tmp_path: Path) -> None:
    async with a_server(tmp_path / "data", body_bytes_max=10, silence_max=LONG, body_time_max=LONG) as served:
        one, other = (served.token(ClientKind.SOURCE, name) for name in ("region-h", "region-syddanmark"))
        slow = [await served.connect(LETTER.format(one).encode() + b"{") for _ in range(4)]
        await until(lambda: len(served.server.server_state.tasks) == 4)

        answer = await (await served.connect(LETTER.format(other).encode() + b"{" + b" " * 98 + b"}")).answer()

        assert answer.startswith(b"HTTP/1.1 400")
        for talk in slow:
            talk.close()


async def test_a_stream_ends_with_its_token(served: Served) -> None:
    token = served.token()
    talk = await served.connect(STREAM.format(token).encode())
    assert await status_of(talk) == 200
    open_clients(served.settings.ledger_database).revoke(token.partition(".")[0], NOW + timedelta(minutes=1))

    served.log.append(told("one"))

    assert b"offered" not in await talk.answer()
