"""A gateway that serves on a real socket of this machine, in the test's own loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.gateway.app import build_gateway
from connectors.gateway.clients.clients import ClientKind, NewClient, open_clients
from connectors.gateway.ports import GatewayPorts
from connectors.gateway.server import server_of
from connectors.gateway.settings import Limits
from connectors.pages.attach import attach_pages
from tests.unit.gateway.builders import NOW, FakePublisher
from tests.unit.gateway.prepared import ROOT, make_ready, settings_in
from tests.unit.read_model.builders import FakeLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import uvicorn

    from connectors.gateway.settings import GatewaySettings

SECONDS_MAX = 60
# So little that a client that reads nothing is felt after some ten records, not after megabytes.
_SEND_BUFFER_BYTES = 4096


@dataclass(frozen=True)
class Served:
    """A running server, and the log that its read model follows."""

    server: uvicorn.Server
    settings: GatewaySettings
    log: FakeLog
    port: int

    @property
    def connections(self) -> int:
        """Returns how many connections the server has."""
        return len(self.server.server_state.connections)

    async def connect(self, start: bytes = b"", receive_bytes: int | None = None) -> Talk:
        """Returns a new connection, having sent the start of something."""
        raw = socket.socket()
        if receive_bytes is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=raw, limit=receive_bytes or 2**16)
        writer.write(start)
        await writer.drain()
        return Talk(reader, writer)

    async def status(self, path: str = "/health") -> int:
        """Returns what a new connection's request is answered."""
        talk = await self.connect(b"GET %b HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n" % path.encode())
        answer = await talk.answer()
        return int(answer.split(b" ", 2)[1])

    def token(self, kind: ClientKind = ClientKind.PROGRAMME, name: str = "headspace") -> str:
        """Returns a new client's token."""
        legal = {"data_controller": "Region H", "legal_basis": "Sundhedsloven §43"}
        new = NewClient(kind=kind, name=name, any_sender=kind is ClientKind.SOURCE, **legal)
        return open_clients(self.settings.ledger_database).create(new, NOW)


@dataclass(frozen=True)
class Talk:
    """One connection, from the client's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> bytes:
        """Returns all that comes until the server closes."""
        async with asyncio.timeout(SECONDS_MAX):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def send(self, some: bytes) -> None:
        """Sends more."""
        self.writer.write(some)
        await self.writer.drain()

    def close(self) -> None:
        """Closes it."""
        self.writer.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    """Returns once something is so."""
    async with asyncio.timeout(SECONDS_MAX):
        while not condition():  # noqa: ASYNC110 - the server is looked at; it sets no event here
            await asyncio.sleep(0.01)  # between looks at the condition


@asynccontextmanager
async def a_server(folder: Path, **limits: Any) -> AsyncIterator[Served]:
    """Yields a gateway with its pages, served on a free port of this machine."""
    settings = settings_in(folder, programmes_folder=ROOT / "programmes", limits=Limits(**limits))
    make_ready(folder)
    log = FakeLog()
    app = build_gateway(settings, GatewayPorts(FakePublisher(), feed=log))
    attach_pages(app, settings)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        listener.bind(("127.0.0.1", 0))
        server = server_of(app, settings, "127.0.0.1", 0)
        server.config.timeout_graceful_shutdown = 1
        serving = asyncio.create_task(server.serve([listener]))
        await until(lambda: server.started or serving.done())
        try:
            yield Served(server, settings, log, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await serving
