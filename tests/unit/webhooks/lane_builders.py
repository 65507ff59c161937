"""A lane with a real database, a clock that is set by hand, and a receiver that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.deliveries import NewDelivery
from connectors.webhooks.endpoints import Endpoints, Registration
from connectors.webhooks.escalating import Escalator
from connectors.webhooks.lanes import Bench, Lane
from connectors.webhooks.metrics import DelivererMetrics
from connectors.webhooks.sending import Delivered, SendingOutcome, WebhookMessage
from connectors.webhooks.signing import SecretBox
from connectors.webhooks.tables import webhooks_database_of
from connectors.webhooks.waiting import Waiting
from schemas.events import Reply
from schemas.identifiers import derived_text

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROGRAMME = "headspace"
URL = "https://hooks.example.dk/"


def a_record(handover: str, number: int) -> NewDelivery:
    event_id = derived_text("event", handover, str(number))
    youth_id = f"k001-pseudonym-{handover}"
    return NewDelivery(event_id, handover, youth_id, derived_text("correlation"), f"{handover}{number}".encode())


@dataclass
class Receiver:
    """Answers by ``answer`` and remembers every body it got; holds a body back while its gate is shut."""

    answer: Callable[[str], SendingOutcome] = lambda _: Delivered()
    got: list[str] = field(default_factory=list)
    messages: list[WebhookMessage] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, message: WebhookMessage) -> SendingOutcome:
        body = message.body.decode()
        self.messages.append(message)
        async with self.arrived:
            self.got.append(body)
            self.arrived.notify_all()
        if body in self.gates:
            await self.gates[body].wait()
        return self.answer(body)

    async def has_got(self, count: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.got) >= count)

    async def close(self) -> None:
        return


@dataclass
class Replies:
    """Takes replies; ``fails`` makes it raise after the reply was taken, as a killed process would."""

    published: list[Reply] = field(default_factory=list)
    fails: bool = False

    async def publish(self, reply: Reply) -> None:
        self.published.append(reply)
        if self.fails:
            raise ConnectionError


class World:
    """Everything around a lane; ``restart`` gives a new lane on the same database."""

    def __init__(self, folder: Path, retry: RetryRules | None = None) -> None:
        self.now = START
        self.receiver, self.replies = Receiver(), Replies()
        database = webhooks_database_of(folder)
        self.endpoints, self.waiting = Endpoints(database, SecretBox(folder / "keys")), Waiting(database)
        self.metrics = DelivererMetrics()
        self.bench = Bench(self.endpoints, self.waiting, retry or RetryRules(), 4, lambda: self.now, self.metrics)
        self.offsets = 0
        self.secret = self.endpoints.put(Registration(PROGRAMME, URL), self.now)
        self.lane = self.restart()

    def restart(self) -> Lane:
        self.lane = Lane(PROGRAMME, self.bench, self.receiver)
        return self.lane

    def comes(self, *records: NewDelivery) -> None:
        self.offsets += len(records)
        self.waiting.enqueue(PROGRAMME, records, {0: self.offsets}, self.now)

    async def turns(self, count: int = 1) -> None:
        """Lets the lane begin attempts, and waits for each of their ends."""
        for _ in range(count):
            await self.lane.turn()
            await self.lane.finish()

    async def passes(self, time: timedelta, turns: int = 1) -> None:
        self.now += time
        await self.turns(turns)

    async def escalate(self) -> list[Reply]:
        await Escalator(self.bench, self.replies).turn()
        return self.replies.published

    def waiting_count(self) -> int:
        return sum(one.waiting for one in self.waiting.backlogs())
