"""Three ways without Kafka, each answered by POST: pages pulled with a cursor, server-sent events, signed webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from connectors.webhooks.deliverer import Deliverer, DelivererPorts, open_endpoints
from connectors.webhooks.endpoints import Registration
from streams.cli.up import free_port
from tests.integration.secured import SecuredService
from tests.integration.way_contract import PROGRAMME, SITE, Answered, Offer, Received, until
from tests.integration.webhook_service import settings_in
from tests.unit.webhooks.receivers import a_receiver


@dataclass
class ByPost:
    """What the three have in common: records that came, and answers by ``POST /handovers/{id}/replies``."""

    http: httpx.AsyncClient
    received: Received = field(default_factory=Received)

    @property
    def text(self) -> str:
        """Returns all that has come; see ``Way``."""
        return self.received.text

    async def told(self, handover_id: str, count: int) -> list[str]:
        """Returns what was said; see ``Way``."""

        async def come() -> list[str] | None:
            await self.look()
            return self.received.told(handover_id, count)

        return await until(come)

    async def look(self) -> None:
        """Takes what is new, where the programme has to ask for it."""

    async def offer(self, handover_id: str) -> Offer:
        """Returns the offer; see ``Way``."""
        return self.received.offer(handover_id)

    async def answer(self, handover_id: str, status: str, key: str | None = None, **fields: str) -> Answered:
        """Answers in the short form, and asks at its Location where the outcome takes longer; see ``Way``."""
        headers = {"idempotency-key": key or str(uuid4())}
        door = f"/handovers/{handover_id}/replies"
        taken = await self.http.post(door, json={"status": status} | fields, headers=headers)

        async def outcome() -> httpx.Response | None:
            asked = taken if taken.status_code != httpx.codes.ACCEPTED else await self._ask(taken.headers["location"])
            return asked if asked.status_code != httpx.codes.ACCEPTED else None

        answer = await until(outcome)
        said = answer.json()
        assert "outcome" in said, answer.text
        return Answered(said["outcome"] == "accepted", said["reason_code"], said["state"])

    async def tell_free_places(self, places: int) -> None:
        """Tells it at the door for whole replies; see ``Way``."""
        answer = await self.http.post("/events/replies", json=free_places(places))
        assert answer.status_code == 201, answer.text

    async def _ask(self, location: str) -> httpx.Response:
        return await self.http.get(location)


@dataclass
class Pulling(ByPost):
    """``GET /handovers``, two records a page. Away, it keeps its cursor."""

    _cursor: str = ""

    async def look(self) -> None:
        """Pulls to the end."""
        while True:
            answer = await self.http.get("/handovers", params={"cursor": self._cursor, "limit": 2})
            self.received.text += answer.text
            page = answer.json()
            self.received.events += [one["event"] for one in page["records"]]
            self._cursor = page["next"]
            if not page["records"]:
                return

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Does not pull; see ``Way``."""
        yield


@dataclass
class Streaming(ByPost):
    """``GET /handovers`` as server-sent events. Away, it keeps the last id."""

    _last_id: str | None = None
    _following: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Opens the stream."""
        self._following = asyncio.create_task(self._follow())

    async def end(self) -> None:
        """Closes the stream."""
        assert self._following is not None
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Closes the stream, and goes on where it was; see ``Way``."""
        await self.end()
        yield
        await self.begin()

    async def _follow(self) -> None:
        own = {} if self._last_id is None else {"last-event-id": self._last_id}
        headers = {"accept": "text/event-stream"} | own
        async with self.http.stream("GET", "/handovers", headers=headers) as answer:
            assert answer.status_code == 200
            event: dict[str, str] = {}
            async for line in answer.aiter_lines():
                self.received.text += line
                name, _, value = line.partition(": ")
                event[name] = value
                if not line and "data" in event:
                    self.received.events.append(json.loads(event["data"])["event"])
                    self._last_id, event = event["id"], {}


@dataclass
class Webhooks(ByPost):
    """The programme's own server, which takes what its secret verifies. Away, nobody listens on its port."""

    running: SecuredService | None = None
    refused: int = 0
    _port: int = field(default_factory=free_port)
    _secret: str = ""
    _behind: timedelta = timedelta()
    _server: AsyncExitStack = field(default_factory=AsyncExitStack)

    @asynccontextmanager
    async def registered(self) -> AsyncIterator[None]:
        """Registers the endpoint and runs the deliverer as the gateway's user, until the end."""
        assert self.running is not None
        folder = self.running.service.settings.data_folder
        wanted = Registration(PROGRAMME, f"http://127.0.0.1:{self._port}/hook")
        self._secret = open_endpoints(folder).put(wanted, datetime.now(UTC)) or ""
        ports = DelivererPorts(clock=lambda: datetime.now(UTC) - self._behind)
        delivering = asyncio.create_task(
            Deliverer(settings_in(folder, self.running.as_gateway.connection), ports).run()
        )
        await self._listen()
        try:
            yield
            assert not delivering.done(), "the deliverer ended by itself"
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering
            await self._server.aclose()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Closes its port for a day of the deliverer's clock: what failed in it is due when the day is over."""
        await self._server.aclose()
        self._behind = timedelta(days=1)
        yield
        await self._listen()
        self._behind = timedelta()

    async def _listen(self) -> None:
        await self._server.enter_async_context(a_receiver(self._take, port=self._port))

    async def _take(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        try:
            event = Webhook(self._secret).verify(body, dict(_header(line) for line in head.split(b"\r\n")[1:]))
        except WebhookVerificationError:
            self.refused += 1
            writer.write(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
            return
        self.received.text += request.decode()
        self.received.events.append(event)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def free_places(places: int) -> dict[str, Any]:
    """Returns the reply that tells how many places are free at the programme's site."""
    return {
        "subject": "free_capacity",
        "occurred_at": datetime.now(UTC).isoformat(),
        "programme": PROGRAMME,
        "status": "free_capacity",
        "free_places": places,
        "site": SITE,
    }


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode().partition(": ")
    return name.lower(), value
