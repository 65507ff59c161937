"""A programme that receives by every way at once, each opened when a test first asks for it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from connectors.gateway.clients.clients import ClientKind
from connectors.pages.names import names_of
from schemas.programmes import load_programmes
from schemas.reference import load_reference
from tests.integration.closed_loop import ClosedLoop, Youth
from tests.integration.way_contract import PROGRAMME, Way
from tests.integration.way_in_browser import InBrowser, chromium
from tests.integration.way_over_kafka import OverKafka
from tests.integration.ways_over_http import Pulling, Streaming, Webhooks

_OFFERED_AT_ONCE = 20


@dataclass
class Programme:
    """headspace, by each way once it is first asked for; and offers that no test has had yet."""

    loop: ClosedLoop
    stack: AsyncExitStack
    ways: dict[str, Way] = field(default_factory=dict)
    unused: list[tuple[Youth, str]] = field(default_factory=list)

    async def way(self, name: str) -> Way:
        """Returns a way, which stays open until the last test."""
        if name not in self.ways:
            self.ways[name] = await getattr(self, f"_by_{name}")()
        return self.ways[name]

    async def offer(self) -> tuple[Youth, str]:
        """Returns a young person and the handover that headspace is offered."""
        if not self.unused:
            self.unused = await self.loop.offered(_OFFERED_AT_ONCE, PROGRAMME)
        return self.unused.pop()

    async def _by_kafka(self) -> Way:
        way = OverKafka(await asyncio.to_thread(self.loop.running.secured.user, PROGRAMME))
        await self.stack.enter_async_context(way.connected())
        return way

    async def _by_pull(self) -> Way:
        return Pulling(await self.stack.enter_async_context(self.loop.client(ClientKind.PROGRAMME, PROGRAMME)))

    async def _by_stream(self) -> Way:
        way = Streaming(await self.stack.enter_async_context(self.loop.client(ClientKind.PROGRAMME, PROGRAMME)))
        await way.begin()
        self.stack.push_async_callback(way.end)
        return way

    async def _by_webhook(self) -> Way:
        http = await self.stack.enter_async_context(self.loop.client(ClientKind.PROGRAMME, PROGRAMME))
        way = Webhooks(http, running=self.loop.running)
        await self.stack.enter_async_context(way.registered())
        return way

    async def _by_page(self) -> Way:
        settings = self.loop.running.service.settings
        names = names_of(load_programmes(settings.programmes_folder), load_reference(settings.reference_folder))
        token = self.loop.token(ClientKind.PROGRAMME, PROGRAMME)
        way = InBrowser(await self.stack.enter_async_context(chromium()), self.loop.running.doors, token, names)
        await self.stack.enter_async_context(way.signed_in())
        return way
