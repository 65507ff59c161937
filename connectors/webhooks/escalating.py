"""Escalates handovers that could not be delivered: as a reply of the service's own, so that none is parked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from aiokafka import AIOKafkaProducer

from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.codes import ReplyStatus
from schemas.events import Reply
from schemas.identifiers import derived_id
from schemas.topics import kafka_name

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection
    from connectors.webhooks.deliveries import Delivery
    from connectors.webhooks.lanes import Bench

_LOOK_AGAIN = timedelta(seconds=1)
_AT_ONCE_MAX = 100
_SOURCE = "brobygger"
_TOPIC = "replies"


class ReplyPublisher(Protocol):
    """Publishes replies."""

    async def publish(self, reply: Reply) -> None:
        """Returns when the brokers have confirmed the reply; raises KafkaError where they don't."""
        ...  # pragma: no cover


class Escalator:
    """Publishes a reply for every record that was given up; killed in between, it publishes the same bytes again."""

    def __init__(self, bench: Bench, publisher: ReplyPublisher) -> None:
        """Takes what publishes."""
        self._bench = bench
        self._publisher = publisher

    async def run(self) -> None:
        """Escalates until it is cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(_LOOK_AGAIN.total_seconds())

    async def turn(self) -> None:
        """Escalates whatever was given up."""
        waiting = self._bench.waiting
        while given_up := await asyncio.to_thread(waiting.to_escalate, _AT_ONCE_MAX):
            for delivery in given_up:
                if delivery.youth_id:  # without one no young person is meant, and nothing can be escalated
                    await self._publisher.publish(undeliverable(delivery))
                await asyncio.to_thread(waiting.note_escalated, delivery)
                self._bench.metrics.given_up.labels(delivery.programme).inc()


def undeliverable(delivery: Delivery) -> Reply:
    """Returns the reply that says so, the same for the same giving up, another where it was sent again since."""
    parts = (delivery.event_id, *([str(delivery.rounds)] if delivery.rounds else []))
    at = delivery.ended_at
    return Reply.model_validate(
        {
            "event_id": derived_id("undeliverable", *parts),
            "source": _SOURCE,
            "correlation_id": delivery.correlation_id,
            "causation_id": UUID(delivery.event_id),
            "occurred_at": at,
            "sent_at": at,
            "recorded_at": at,
            "youth_id": delivery.youth_id,
            "subject": delivery.handover,
            "programme": delivery.programme,
            "status": ReplyStatus.UNDELIVERABLE,
            "reason_code": delivery.outcome,
        }
    )


class KafkaReplies:
    """One idempotent producer to the topic ``replies``."""

    def __init__(self, connection: KafkaConnection) -> None:
        """Takes the way to the brokers; call it where a loop runs."""
        self._producer = AIOKafkaProducer(**connection.for_aiokafka(), acks="all", enable_idempotence=True)

    async def start(self) -> None:
        """Connects; raises KafkaError."""
        await self._producer.start()

    async def publish(self, reply: Reply) -> None:
        """Publishes; see ``ReplyPublisher``."""
        key = (reply.youth_id or "").encode()
        headers = headers_of(reply, _TOPIC)
        await self._producer.send_and_wait(kafka_name(_TOPIC), codec(Reply).encode(reply), key, headers=headers)

    async def stop(self) -> None:
        """Closes the connection."""
        await self._producer.stop()
