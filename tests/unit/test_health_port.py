"""The health port of worker, deliverer and watch: others are answered while somebody holds connections."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from connectors.gateway.settings import Limits
from streams.telemetry import HEALTH_LIMITS, serve_health
from tests.unit.gateway.serving import SECONDS_MAX, until

pytestmark = pytest.mark.long

HALF_A_HEAD = b"GET / HT"
PATHS = ("/health", "/ready", "/metrics")
LONG = timedelta(minutes=10)
FILES_MAX = 300
FLOOD = 400
LOG_BYTES_MAX = 4096
# A process of its own, since a limit on open files is for the whole process.
WITH_FEW_FILES = """
import asyncio, resource, sys
from prometheus_client import CollectorRegistry
from streams.telemetry import serve_health, set_up_logging

async def main(port, files_max):
    set_up_logging()
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    await serve_health(("127.0.0.1", port), lambda: {"part": True}, CollectorRegistry())
    print("serves", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*map(int, sys.argv[1:])))
"""


class Health:
    """A health port that is served in the test's own loop, of a process whose one part is ready or not."""

    def __init__(self) -> None:
        """Starts ready, on no port yet."""
        self.is_ready = True
        self.port = 0

    async def talk(self, start: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Returns a new connection, having sent the start of something."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(start)
        return reader, writer

    async def sent(self, start: bytes) -> bytes:
        """Returns all that a new connection gets until it is closed."""
        reader, writer = await self.talk(start)
        async with asyncio.timeout(SECONDS_MAX):
            answer = await reader.read()
        writer.close()
        return answer

    async def answer(self, path: str, method: str = "GET", host: str = "t") -> tuple[bytes, bytes]:
        """Returns the head and the body that a request is answered with."""
        request = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        head, _, body = (await self.sent(request.encode())).partition(b"\r\n\r\n")
        return head, body


@asynccontextmanager
async def served(**limits: int | timedelta) -> AsyncIterator[Health]:
    """Serves a health port with few places."""
    health = Health()
    bounds = Limits.model_validate({"connections_max": 8} | limits)
    server = await serve_health(("127.0.0.1", 0), lambda: {"part": health.is_ready}, CollectorRegistry(), bounds)
    health.port = server.sockets[0].getsockname()[1]
    try:
        yield health
    finally:
        server.close()
        await asyncio.sleep(0)  # in which its last connections go


@pytest.fixture
async def hasty() -> AsyncIterator[Health]:
    """Serves where silence is short."""
    async with served(silence_max=timedelta(seconds=0.3)) as health:
        yield health


@pytest.fixture
async def patient() -> AsyncIterator[Health]:
    """Serves where nobody's time is ever up."""
    async with served(silence_max=LONG, idle_max=LONG) as health:
        yield health


@pytest.fixture
def port_with_few_files(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Runs a process that may open few files; yields its health port, and the file of what it logs."""
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", WITH_FEW_FILES, str(port), str(FILES_MAX)]
    with log.open("wb") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serves\n", log.read_text(encoding="utf-8")
        yield port, log
        process.kill()


async def test_each_path_tells_what_it_is_for(hasty: Health) -> None:
    health, ready, metrics = [await hasty.answer(path) for path in PATHS]
    hasty.is_ready = False
    unready = await hasty.answer("/ready")

    assert (health[0].split()[1], health[1]) == (b"200", b'{"status":"up"}')
    assert (ready[0].split()[1], ready[1]) == (b"200", b'{"ready":true,"part":true}')
    assert (unready[0].split()[1], unready[1]) == (b"503", b'{"ready":false,"part":false}')
    assert b"\nbrobygger_process_start_time_seconds " in metrics[1]
    assert b"content-type: text/plain; version=" in metrics[0]


@pytest.mark.parametrize("path", ["/health", "/ready", "/nothing"])
async def test_head_gets_what_get_gets_without_a_body(hasty: Health, path: str) -> None:
    assert await hasty.answer(path, "HEAD") == ((await hasty.answer(path))[0], b"")


async def test_the_head_of_the_metrics_has_no_body(hasty: Health) -> None:
    head, body = await hasty.answer("/metrics", "HEAD")

    assert (head.split()[1], body) == (b"200", b"")


async def test_a_slash_too_many_leads_nowhere(hasty: Health) -> None:
    head, _ = await hasty.answer("/health/", host="evil.example")

    assert (head.split()[1], b"location" in head.lower()) == (b"404", False)


@pytest.mark.parametrize("start", [b"", HALF_A_HEAD, b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n" + HALF_A_HEAD])
async def test_whoever_stops_is_closed(hasty: Health, start: bytes) -> None:
    answer = await hasty.sent(start)

    assert answer.startswith(b"HTTP/1.1 200") is start.startswith(b"GET /health")


@pytest.mark.parametrize("start", [b"", HALF_A_HEAD])
async def test_a_limit_keeps_nobody_out(patient: Health, start: bytes) -> None:
    held = [await patient.talk(start) for _ in range(30)]

    heads = [(await patient.answer(path))[0] for path in PATHS]

    assert [head.split()[1] for head in heads] == [b"200"] * 3
    for _, writer in held:
        writer.transport.abort()


async def test_what_is_no_request_leaves_nothing_in_the_log(hasty: Health, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    answers = [await hasty.sent(b"\x16\x03\x01\r\n\r\n") for _ in range(20)]

    assert all(answer.startswith(b"HTTP/1.1 400") for answer in answers)
    assert caplog.records == []


async def test_an_address_that_is_taken_ends_the_process(hasty: Health) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await serve_health(("127.0.0.1", hasty.port), dict, CollectorRegistry())


async def test_a_flood_of_connections_takes_neither_the_files_nor_the_log(
    port_with_few_files: tuple[int, Path],
) -> None:
    port, log = port_with_few_files
    with ExitStack() as open_ones:
        held = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS_MAX)) for _ in range(FLOOD)
        ]
        for one in held[::8]:
            _begin(one)
        answers = [_asked(port, path) for path in PATHS]
        await until(lambda: sum(not _is_closed(one) for one in held) <= HEALTH_LIMITS.connections_max)

    assert [answer.split()[1] for answer in answers] == [b"200"] * 3
    assert log.stat().st_size < LOG_BYTES_MAX


def _begin(connection: socket.socket) -> None:
    try:
        connection.sendall(HALF_A_HEAD)
    except OSError:
        return  # it had to give way already


def _asked(port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
