"""The way over Kafka: a programme's own user reads its topic in its own group, and writes its own answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from connectors.kafka.connection import KafkaConnection
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.log.decoding import read_json_record
from tests.integration.way_contract import ANSWERS, PROGRAMME, Answered, Event, Offer, Received, until
from tests.integration.ways_over_http import free_places

_GROUP = f"{PROGRAMME}.desk"
_POLL_MS = 50


@dataclass
class OverKafka:
    """A consumer and a producer with the programme's name and password. Away, the group keeps its offsets."""

    connection: KafkaConnection
    received: Received = field(default_factory=Received)
    _consumer: AIOKafkaConsumer | None = None
    _producer: AIOKafkaProducer | None = None

    @property
    def text(self) -> str:
        """Returns all that has come; see ``Way``."""
        return self.received.text

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Runs the programme's own processes, until the end."""
        await self._begin()
        try:
            yield
        finally:
            await self._end()

    async def told(self, handover_id: str, count: int) -> list[str]:
        """Returns what was said; see ``Way``."""

        async def come() -> list[str] | None:
            await self._look()
            return self.received.told(handover_id, count)

        return await until(come)

    async def offer(self, handover_id: str) -> Offer:
        """Returns the offer; see ``Way``."""
        return self.received.offer(handover_id)

    async def answer(self, handover_id: str, status: str, key: str | None = None, **fields: str) -> Answered:
        """Writes the answer, and reads on the programme's topic what became of it; see ``Way``."""
        event_id = _event_id_of(key)
        offered = self.received.of(handover_id)[0]
        own = {name: offered[name] for name in ("subject", "youth_id", "programme")}
        now = self._first_time(event_id)
        await self._write(own | {"event_id": str(event_id), "occurred_at": now, "status": status} | fields)

        async def answered() -> Event | None:
            await self._look()
            answers = [one for one in self.received.of(handover_id) if one["causation_id"] == str(event_id)]
            return next((one for one in answers if one["type"] in ANSWERS), None)

        event = await until(answered)
        accepted = event["type"] == "reply_accepted"
        return Answered(accepted, None if accepted else event["reason_code"], event["state"])

    async def tell_free_places(self, places: int) -> None:
        """Writes it to the programme's answers; see ``Way``."""
        await self._write(free_places(places))

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Ends the programme's processes, and starts them anew; see ``Way``."""
        await self._end()
        yield
        await self._begin()

    _times: dict[UUID, str] = field(default_factory=dict)

    def _first_time(self, event_id: UUID) -> str:
        """Returns when an answer was first given: the same answer again says the same."""
        return self._times.setdefault(event_id, datetime.now(UTC).isoformat())

    async def _look(self) -> None:
        assert self._consumer is not None
        for records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                assert record.key is not None
                assert record.value is not None
                self.received.text += f"{record.key!r} {record.value!r} {record.headers!r}"
                self.received.events.append(read_json_record(HandoverEvent, record.value))
        await self._consumer.commit()

    async def _write(self, answer: Event) -> None:
        assert self._producer is not None
        topic, key = kafka_name(f"answers.{PROGRAMME}"), answer["subject"].encode()
        await self._producer.send_and_wait(topic, json.dumps(answer).encode(), key=key)

    async def _begin(self) -> None:
        arguments = self.connection.for_aiokafka()
        self._consumer = AIOKafkaConsumer(
            kafka_name(f"handovers.{PROGRAMME}"),
            **arguments,
            group_id=_GROUP,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self._producer = AIOKafkaProducer(**arguments, acks="all")
        await self._consumer.start()
        await self._producer.start()

    async def _end(self) -> None:
        assert self._consumer is not None
        assert self._producer is not None
        await self._consumer.stop()
        await self._producer.stop()


def _event_id_of(key: str | None) -> UUID:
    return uuid4() if key is None else uuid5(NAMESPACE_URL, key)
