"""Real receivers over HTTP, well-behaved and not, each on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_receiver(handler: Handler, tls: SSLContext | None = None, port: int = 0) -> AsyncIterator[int]:
    """Runs a receiver that reads a request whole and leaves the answer to the handler; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            await handler(head + await reader.readexactly(length), writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(text: bytes) -> Handler:
    """Returns a handler that writes the same bytes to everyone."""

    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    return handle


async def never_answering(_: bytes, writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def dripping(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Drip: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def never_ending(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 204 OK\r\n\r\n".replace(b"204", b"200"))
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()
