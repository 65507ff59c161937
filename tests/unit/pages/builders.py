"""The pages on a gateway with everything real but the broker, and a browser without scripts to visit them."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from connectors.gateway.app import build_gateway
from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.ports import GatewayPorts
from connectors.gateway.settings import Limits
from connectors.pages.attach import attach_pages
from tests.unit.gateway.builders import FakePublisher, FixedClock, Gateway
from tests.unit.gateway.prepared import ROOT, make_ready, settings_in, share_routes
from tests.unit.read_model.builders import FakeLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.read_model.feed import FetchedRecord


@dataclass
class Pages:
    """The pages and their gateway."""

    gateway: Gateway

    def browser(self, base_url: str = "http://127.0.0.1") -> Browser:
        """Returns a browser that has been nowhere."""
        transport = httpx.ASGITransport(self.gateway.app)
        return Browser(httpx.AsyncClient(transport=transport, base_url=base_url, follow_redirects=True))

    def token(self, kind: ClientKind, name: str, **changes: Any) -> str:
        """Returns a new client's token."""
        return self.gateway.token(kind, name, **changes)["authorization"].removeprefix("Bearer ")

    async def signed_in(
        self, kind: ClientKind = ClientKind.PROGRAMME, name: str = "headspace", **changes: Any
    ) -> Browser:
        """Returns a browser in which a new client is signed in."""
        browser = self.browser()
        answer = await browser.sign_in(self.token(kind, name, **changes))
        assert answer.status_code == 200, answer.text
        return browser

    async def project(self, *records: FetchedRecord) -> None:
        """Puts records on the log, and returns once the pages can see them."""
        self.gateway.log.append(*records)
        await self.gateway.log.wait_until_taken()


@dataclass
class Browser:
    """What a browser does: keeps cookies, fills in forms, follows redirects."""

    http: httpx.AsyncClient

    async def see(self, path: str) -> httpx.Response:
        """Opens a page."""
        return await self.http.get(f"/pages{path}")

    async def sign_in(self, token: str) -> httpx.Response:
        """Opens the form, fills in a token and sends it."""
        return await self.submit("/sign-in", {"token": token})

    async def submit(self, path: str, fields: dict[str, Any], to: str | None = None, act: str = "") -> httpx.Response:
        """Opens a page, fills in the form of it that goes to a path (and does an act), and sends it."""
        page = await self.see(path)
        action = f"/pages{to or path}"
        hidden = next((one for one in forms_of(page.text, action) if not act or one.get("act") == act), None)
        assert hidden is not None, f"no form to {action} for {act or 'anything'} on {page.url}: {page.text}"
        return await self.http.post(action, data=hidden | fields)


def forms_of(text: str, action: str) -> list[dict[str, str]]:
    """Returns the hidden fields of each form that goes to an address; one without an action goes to its own page."""
    forms = re.findall(r'<form[^>]*method="post"([^>]*)>(.*?)</form>', text, flags=re.DOTALL)
    return [
        dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', body))
        for attributes, body in forms
        if f'action="{action}"' in attributes or "action" not in attributes
    ]


@asynccontextmanager
async def the_pages(folder: Path, **limits: Any) -> AsyncIterator[Pages]:
    """Yields the pages on a data folder, where nobody waits for an answer; entering it again is a restart."""
    settings = settings_in(
        folder,
        programmes_folder=ROOT / "programmes",
        limits=Limits(**{"answer_time_max": timedelta()} | limits),
    )
    make_ready(folder)
    publisher, clock, log = FakePublisher(), FixedClock(), FakeLog()
    app = build_gateway(settings, GatewayPorts(publisher, lambda: clock.now, lambda: clock.seconds, feed=log))
    attach_pages(app, settings)
    share_routes(app)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        await log.wait_until_taken()
        yield Pages(Gateway(settings, publisher, clock, http, app, log=log))
