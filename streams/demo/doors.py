"""The demo's way in: the gateway's real doors, with a token for each simulated source and programme."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.gateway.clients.clients import ClientKind, Clients, NewClient, open_clients
from streams.instance import gateway_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from streams.demo.people import YoungPerson
    from streams.settings import Settings

_PREFIX = "demo-"
HOSPITAL = f"{_PREFIX}region-hovedstaden"
MUNICIPALITY = f"{_PREFIX}municipality"


@dataclass(frozen=True, slots=True)
class DemoClient:
    """Sends messages and statements; every answer is returned, refusals too."""

    http: httpx.AsyncClient
    tokens: dict[str, str]

    async def message(self, bundle: dict[str, Any] | bytes) -> str:
        """Sends a MedCom message as the hospital; returns the Acknowledgement's code, or the HTTP status."""
        body = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
        answer = await self.http.post(
            "/medcom/fhir", content=body, headers=self.headers(HOSPITAL, "application/fhir+json")
        )
        try:
            return str(answer.json()["entry"][0]["resource"]["response"]["code"])
        except (ValueError, KeyError, IndexError):
            return str(answer.status_code)

    async def statement(self, topic: str, client: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Sends one statement in the public JSON form; returns the status and the answer."""
        answer = await self.http.post(
            f"/events/{topic}", content=json.dumps(fields), headers=self.headers(client, "application/json")
        )
        return answer.status_code, answer.json()

    async def lines(self, topic: str, client: str, statements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Sends many statements in one body, and returns the outcome of each, in order."""
        body = b"".join(json.dumps(one).encode() + b"\n" for one in statements)
        headers = self.headers(client, "application/x-ndjson")
        answer = await self.http.post(f"/events/{topic}", content=body, headers=headers)
        return [json.loads(line) for line in answer.content.splitlines()]

    def headers(self, client: str, media_type: str) -> dict[str, str]:
        """Returns the headers of a request in a client's name."""
        return {"Authorization": f"Bearer {self.tokens[client]}", "Content-Type": media_type}


def person_of(person: YoungPerson) -> dict[str, str]:
    """Returns who a statement is about, in the public form."""
    return {"cpr": person.cpr, "municipality": person.municipality}


def demo_tokens(settings: Settings, programmes: list[str]) -> dict[str, str]:
    """Returns a fresh token for each simulated client; those of an earlier demo are revoked."""
    clients = open_clients(gateway_settings(settings).ledger_database)
    now = datetime.now(UTC)
    _revoke(clients, {HOSPITAL, MUNICIPALITY, *programmes}, now)
    tokens, legal = {}, {"data_controller": "Demo", "legal_basis": "synthetic data, no person"}
    for name in (HOSPITAL, MUNICIPALITY):
        # One client sends for all of the simulated hospitals, as a hub does.
        source = NewClient(kind=ClientKind.SOURCE, name=name, any_sender=name == HOSPITAL, **legal)
        tokens[name] = clients.create(source, now)
    for name in programmes:
        tokens[name] = clients.create(NewClient(kind=ClientKind.PROGRAMME, name=name, **legal), now)
    return tokens


def _revoke(clients: Clients, names: set[str], now: datetime) -> None:
    for client in clients.listed():
        if client.name in names and client.revoked_at is None:
            clients.revoke(client.client_id, now)
