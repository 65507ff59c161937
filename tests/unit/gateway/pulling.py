"""What tests of the programmes' doors ask, and the wait until something is projected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from connectors.gateway.clients.clients import ClientKind
from connectors.read_model.feed import FetchedRecord
from tests.unit.gateway.builders import Gateway


@dataclass(frozen=True)
class Programme:
    """A programme with its token, at a gateway."""

    gateway: Gateway
    name: str
    headers: dict[str, str]

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Asks for a path."""
        return await self.gateway.http.get(path, params=parameters, headers=self.headers)

    async def pull(self, **parameters: Any) -> dict[str, Any]:
        """Returns a page."""
        answer = await self.get("/handovers", **parameters)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    async def reply(self, handover_id: str, key: str | None = None, **reply: Any) -> httpx.Response:
        """Replies to a handover."""
        headers = self.headers | ({} if key is None else {"idempotency-key": key})
        return await self.gateway.http.post(f"/handovers/{handover_id}/replies", json=reply, headers=headers)


def a_programme(gateway: Gateway, name: str = "headspace", site: str | None = None) -> Programme:
    """Returns a programme, or one site of it, with a new token."""
    return Programme(gateway, name, gateway.token(ClientKind.PROGRAMME, name, site=site))


async def project(gateway: Gateway, *records: FetchedRecord) -> None:
    """Puts records on the log, and returns once they are projected."""
    gateway.log.append(*records)
    await gateway.log.wait_until_taken()
