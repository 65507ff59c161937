"""A programme's own server: takes the service's webhooks, and only what their signature vouches for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook, WebhookVerificationError

from connectors.webhooks.deliverer import open_endpoints
from connectors.webhooks.endpoints import Registration
from streams.scenarios.stage import ScenarioError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from streams.settings import Settings

_ARRIVES_MAX = timedelta(seconds=60)
_HEAD_BYTES_MAX = 64 * 1024
_TAKEN = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
_REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class WebhookReceiver:
    """What came by webhook, each record once, in the order in which it came."""

    secret: str = field(default="", repr=False)
    _events: dict[str, dict[str, Any]] = field(default_factory=dict)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def received(self, event_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Returns those records once all have come; raises ScenarioError where they don't within a minute."""
        wanted = set(event_ids)
        try:
            async with asyncio.timeout(_ARRIVES_MAX.total_seconds()), self._arrived:
                await self._arrived.wait_for(lambda: wanted <= self._events.keys())
        except TimeoutError as error:
            raise ScenarioError(f"webhooks: {len(wanted)} records did not come in {_ARRIVES_MAX}") from error
        return [one for event_id, one in self._events.items() if event_id in wanted]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one request."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            writer.write(await self._verified(body, headers))
            await writer.drain()
        writer.close()

    async def _verified(self, body: bytes, headers: dict[str, str]) -> bytes:
        try:
            event = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return _REFUSED
        async with self._arrived:
            self._events.setdefault(event["event_id"], event)
            self._arrived.notify_all()
        return _TAKEN


@asynccontextmanager
async def receiving(settings: Settings, programme: str) -> AsyncIterator[WebhookReceiver]:
    """Serves on this machine, registered as the programme's webhook; yields what it receives."""
    receiver = WebhookReceiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0, limit=_HEAD_BYTES_MAX)
    port = server.sockets[0].getsockname()[1]
    endpoints = open_endpoints(settings.data_folder)
    wanted = Registration(programme, f"http://127.0.0.1:{port}/", renews_secret=True)
    secret = await asyncio.to_thread(endpoints.put, wanted, datetime.now(UTC))
    assert secret is not None, "a registration that renews the secret gets one"  # noqa: S101
    receiver.secret = secret
    try:
        yield receiver
    finally:
        await asyncio.to_thread(endpoints.pause, programme, datetime.now(UTC))
        server.close()
