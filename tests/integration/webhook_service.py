"""A deliverer for tests: a real broker's topics, a real receiver that verifies, and a clock that is set by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import TopicSpec, ensure_topics
from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.deliverer import Deliverer, DelivererPorts, DelivererSettings, open_endpoints
from connectors.webhooks.endpoints import Registration
from connectors.webhooks.tables import DELIVERIES, webhooks_database_of
from connectors.webhooks.waiting import Waiting
from schemas.codec import codec
from schemas.identifiers import derived_id
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.log.decoding import read_json_record
from tests.unit.webhooks.receivers import Handler

PARTITIONS = 3
_POLL_SECONDS = 0.05
HAPPENS_MAX = timedelta(seconds=90)


def a_handover_event(programme: str, handover: str, number: int) -> HandoverEvent:
    at = datetime(2026, 3, 2, 12, number % 60, tzinfo=UTC)
    return HandoverEvent.model_validate(
        {
            "event_id": derived_id("test", programme, handover, str(number)),
            "source": "brobygger",
            "correlation_id": derived_id("test-correlation", handover),
            "occurred_at": at,
            "sent_at": at,
            "recorded_at": at,
            "youth_id": f"k001-{programme}-{handover}",
            "subject": handover,
            "type": "offered" if number == 0 else "updated",
            "programme": programme,
            "programme_version": number,
            "need_kind": "aftercare",
            "identity": "anonymous",
            "reply_by": at,
        }
    )


def events_of(programme: str, handovers: Iterable[str], count: int) -> list[HandoverEvent]:
    """Returns so many records of each handover, those of different handovers mixed."""
    names = list(handovers)
    return [a_handover_event(programme, handover, number) for number in range(count) for handover in names]


def make_topics(connection: KafkaConnection, *short_names: str) -> None:
    ensure_topics(connection, [TopicSpec(kafka_name(name), PARTITIONS) for name in short_names])


async def publish(connection: KafkaConnection, events: Iterable[HandoverEvent], *, commits: bool = True) -> None:
    """Publishes handover events in one transaction, as stage 2 does; one that is aborted in the end, where told so."""
    producer = AIOKafkaProducer(**connection.for_aiokafka(), transactional_id=f"test-{commits}")
    await producer.start()
    try:
        await producer.begin_transaction()
        for event in events:
            topic, key = kafka_name(f"handovers.{event.programme}"), (event.youth_id or "").encode()
            await producer.send(topic, codec(HandoverEvent).encode(event), key)
        await producer.flush()
        await (producer.commit_transaction if commits else producer.abort_transaction)()
    finally:
        await producer.stop()


@dataclass
class VerifyingReceiver:
    """Takes only what the library verifies, and keeps it; ``refused`` counts the rest."""

    secret: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def handle(self) -> Handler:
        """Returns the handler of its requests."""

        async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
            head, _, body = request.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            try:
                said = Webhook(self.secret).verify(body, headers)
            except WebhookVerificationError:
                self.refused += 1
                writer.write(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
                return
            self.got.append(said)
            self.ids.append({name.lower(): value for name, value in headers.items()}["webhook-id"])
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

        return handle

    def numbers(self, handover: str) -> list[int]:
        """Returns the numbers of a handover's records, as they came."""
        return [one["programme_version"] for one in self.got if one["subject"] == handover]


@dataclass
class Delivering:
    """A deliverer that runs in this process; ``now`` is its clock."""

    settings: DelivererSettings
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def registered(self, programme: str, port: int, path: str = "/hook") -> str:
        """Registers an endpoint on this machine, and returns its secret."""
        wanted = Registration(programme, f"http://127.0.0.1:{port}{path}")
        secret = open_endpoints(self.settings.data_folder).put(wanted, self.now)
        assert secret is not None
        return secret

    def waiting(self, programme: str) -> int:
        backlogs = Waiting(webhooks_database_of(self.settings.data_folder)).backlogs()
        return sum(one.waiting for one in backlogs if one.programme == programme)

    def kinds(self, programme: str) -> list[str]:
        """Returns what the records say that were ever queued for a programme, in their order."""
        wanted = select(DELIVERIES.c.body).where(DELIVERIES.c.programme == programme).order_by(DELIVERIES.c.number)
        with webhooks_database_of(self.settings.data_folder).reading() as reading:
            return [json.loads(body)["type"] for body in reading.execute(wanted).scalars()]

    def nothing_is_due(self, programme: str) -> bool:
        """Tells whether every record that waits was tried, and its next attempt is later than now."""
        return not Waiting(webhooks_database_of(self.settings.data_folder)).due(programme, self.now, (), 1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Deliverer]:
        """Runs it; stops it in the end. What it ended with by itself is raised."""
        deliverer = Deliverer(self.settings, DelivererPorts(clock=lambda: self.now))
        task = asyncio.create_task(deliverer.run())
        try:
            yield deliverer
            if task.done():
                task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(happened: Callable[[], Any]) -> None:
    """Waits until it has happened; fails where it doesn't in time."""
    async with asyncio.timeout(HAPPENS_MAX.total_seconds()):
        while not await asyncio.to_thread(happened):  # noqa: ASYNC110 - a database is asked; it sets no event here
            await asyncio.sleep(_POLL_SECONDS)


def settings_in(folder: Path, connection: KafkaConnection) -> DelivererSettings:
    """Returns settings by which it looks often at the clock, which tests set."""
    return DelivererSettings(
        data_folder=folder,
        kafka=connection,
        loopback_allowed=True,
        retry=RetryRules(look_again=timedelta(milliseconds=50)),
    )


def public_json(event: HandoverEvent) -> dict[str, Any]:
    """Returns an event as `brobygger subscribe --json` prints it."""
    shown: dict[str, Any] = json.loads(json.dumps(read_json_record(HandoverEvent, codec(HandoverEvent).encode(event))))
    return shown
