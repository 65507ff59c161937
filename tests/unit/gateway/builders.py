"""A gateway with everything real but the broker, and what its tests send."""

from __future__ import annotations

import asyncio
import atexit
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from connectors.gateway.app import build_gateway
from connectors.gateway.clients.clients import ClientKind, Clients, NewClient, open_clients
from connectors.gateway.lists.readers import ListReaders
from connectors.gateway.ports import GatewayPorts
from connectors.gateway.publisher import OutgoingRecord, Published, Unavailable
from connectors.gateway.settings import GatewaySettings, Limits
from connectors.gateway.statements.forms import EXAMPLES
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from schemas.codec import codec
from schemas.topics import entry_of
from tests.unit.gateway.prepared import ROOT, make_ready, settings_in, share_routes
from tests.unit.read_model.builders import FakeLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from fastapi import FastAPI

MESSAGES = ROOT / "tests" / "messages" / "medcom-fhir"
NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
FHIR = {"content-type": "application/fhir+json"}
NDJSON = {"content-type": "application/x-ndjson"}
YOUTH_ID = "00112233445566778899aabbccddeeff"
_PUBLISHED_SECONDS_MAX = 20
# A process takes longer to start than most lists to be read: all tests' gateways share these.
LIST_READERS = ListReaders(2, 8, timedelta(seconds=60))
atexit.register(LIST_READERS.close)


class FakePublisher:
    """Keeps what is published; answers ``Unavailable`` while ``reachable`` is False, keeping nothing."""

    def __init__(self) -> None:
        """Starts reachable, with nothing published."""
        self.records: list[OutgoingRecord] = []
        self.reachable = True
        self.batches = 0
        self._grown = asyncio.Event()

    async def start(self) -> None:
        """Has nothing to do."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> Published | Unavailable:
        """Keeps the records."""
        if not self.reachable:
            return Unavailable("timed_out")
        self.batches += 1
        self.records.extend(records)
        self._grown.set()
        return Published()

    async def published(self, count: int) -> None:
        """Returns once so many records were published."""
        async with asyncio.timeout(_PUBLISHED_SECONDS_MAX):
            while len(self.records) < count:
                self._grown.clear()
                await self._grown.wait()

    async def is_reachable(self) -> bool:
        """Tells whether it is reachable."""
        return self.reachable

    async def stop(self) -> None:
        """Has nothing to do."""


class FixedClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        """Starts at NOW and second 0."""
        self.now = NOW
        self.seconds = 0.0


@dataclass
class Gateway:
    """A running gateway and what a test looks at."""

    settings: GatewaySettings
    publisher: FakePublisher
    clock: FixedClock
    http: httpx.AsyncClient
    app: FastAPI
    crash: list[Callable[[], None]] = field(default_factory=list)
    log: FakeLog = field(default_factory=FakeLog)

    @cached_property
    def clients(self) -> Clients:
        """Returns the gateway's clients."""
        return open_clients(self.settings.ledger_database)

    def token(self, kind: ClientKind = ClientKind.SOURCE, name: str = "region-h", **changes: Any) -> dict[str, str]:
        """Returns the headers of a new client."""
        legal = {"data_controller": "Region Hovedstaden", "legal_basis": "Sundhedsloven §43"}
        hub = {"any_sender": kind is ClientKind.SOURCE and not {"senders", "roles"} & changes.keys()}
        client = NewClient(kind=kind, name=name, **(legal | hub | changes))
        return {"authorization": f"Bearer {self.clients.create(client, NOW)}"}

    async def statement(self, topic: str, headers: dict[str, str], **changes: Any) -> httpx.Response:
        """Posts a topic's example with changes."""
        return await self.http.post(f"/events/{topic}", json=a_statement(topic, **changes), headers=headers)

    async def message(self, message: dict[str, Any] | bytes, headers: dict[str, str]) -> httpx.Response:
        """Posts a MedCom message."""
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        return await self.http.post("/medcom/fhir", content=content, headers=FHIR | headers)

    def published(self, topic: str) -> list[dict[str, Any]]:
        """Returns what was published on a topic, decoded into numbers and text."""
        model = entry_of(topic).model
        assert model is not None
        return [codec(model).decode_raw(record.value) for record in self.publisher.records if record.topic == topic]

    def pseudonym(self, programme: str) -> str:
        """Returns a programme's pseudonym of YOUTH_ID."""
        return Pseudonyms(pseudonym_roots(self.settings.keys_folder)).pseudonym_of(programme, YOUTH_ID)

    def crashes(self, times: int = 1) -> None:
        """Makes the gateway fail that many times between confirmation and answer."""
        self.crash.extend([_crash] * times)


class Crashed(Exception):  # noqa: N818 it stands for the end of a process, not for an error
    """Stands for the end of the process."""


def _crash() -> None:
    raise Crashed


@asynccontextmanager
async def a_gateway(
    folder: Path,
    *,
    databases: dict[str, str] | None = None,
    list_readers: ListReaders | None = LIST_READERS,
    **limits: Any,
) -> AsyncIterator[Gateway]:
    """Yields a gateway on a data folder; entering it again is a restart. ``databases`` are the URLs of other ones.

    The processes that read lists are the same for all tests, unless ``list_readers`` are others, or None.
    """
    settings = settings_in(folder, limits=Limits(**limits), **(databases or {}))
    make_ready(folder)
    publisher, clock = FakePublisher(), FixedClock()
    crash: list[Callable[[], None]] = []
    log = FakeLog()

    def crash_once() -> None:
        if crash:
            crash.pop()()

    ports = GatewayPorts(publisher, lambda: clock.now, lambda: clock.seconds, crash_once, log, list_readers)
    app = build_gateway(settings, ports)
    share_routes(app)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        await log.wait_until_taken()
        yield Gateway(settings, publisher, clock, http, app, crash, log)


def a_statement(topic: str, **changes: Any) -> dict[str, Any]:
    """Returns a topic's example statement with changes; a change to ... leaves the field out."""
    return {name: value for name, value in (EXAMPLES[topic] | changes).items() if value is not ...}


def a_message(name: str = "hn-06-SLHJ-discharge-home", **changes: Any) -> dict[str, Any]:
    """Returns a published message with changes to the Bundle."""
    message: dict[str, Any] = json.loads((MESSAGES / f"{name}.json").read_text(encoding="utf-8"))
    return message | changes


def with_header_id(message: dict[str, Any], header_id: str) -> dict[str, Any]:
    """Returns a message whose MessageHeader has another id, references included."""
    [old] = [
        entry["resource"]["id"] for entry in message["entry"] if entry["resource"]["resourceType"] == "MessageHeader"
    ]
    renamed: dict[str, Any] = json.loads(json.dumps(message).replace(old, header_id))
    return renamed


def response_code(acknowledgement: httpx.Response) -> str:
    """Returns the code of an Acknowledgement."""
    bundle = acknowledgement.json()
    [header] = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "MessageHeader"]
    code: str = header["response"]["code"]
    return code


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """Returns the status, code and field of a refusal."""
    refusal = answer.json()["refused"]
    assert set(refusal) == {"code", "field", "rule", "help"}
    return answer.status_code, refusal["code"], refusal["field"]
