"""The ways in which programmes receive and answer, each from the programme's side of the door."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.log.decoding import read_json_record
from streams.scenarios.stage import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from connectors.kafka.connection import KafkaConnection
    from streams.demo.doors import DemoClient

_ARRIVES_MAX = timedelta(seconds=60)
_POLL = timedelta(milliseconds=100)
_JSON = "application/json"
_ANSWERS = frozenset({"reply_accepted", "reply_refused"})
_TAKEN = frozenset({200, 201, 202})
RawEvent = dict[str, Any]


class Receiving(Protocol):
    """One programme's way to receive its handovers."""

    async def received(self, event_ids: Iterable[str]) -> list[RawEvent]:
        """Returns those records of the programme's topic, in their order, once all of them have come this way.

        Raises ScenarioError where they don't come within a minute.
        """


class Channel(Receiving, Protocol):
    """One programme's way to receive its handovers and to answer them."""

    programme: str

    async def reply(self, handover: RawEvent, status: str, **fields: Any) -> None:
        """Answers a handover; raises ScenarioError where the answer is not taken."""


@dataclass(slots=True)
class Pulling:
    """``GET /handovers`` page by page, and ``POST /handovers/{id}/replies``."""

    doors: DemoClient
    programme: str
    _cursor: str = ""
    _events: dict[str, RawEvent] = field(default_factory=dict)

    async def received(self, event_ids: Iterable[str]) -> list[RawEvent]:
        """Pulls until the records are there; see ``Channel``."""
        wanted = frozenset(event_ids)
        await _until(lambda: self._has(wanted), f"GET /handovers of {self.programme}")
        return [one for event_id, one in self._events.items() if event_id in wanted]

    async def reply(self, handover: RawEvent, status: str, **fields: Any) -> None:
        """Answers in the short form; see ``Channel``."""
        place = f"/handovers/{handover['subject']}/replies"
        headers = self.doors.headers(self.programme, _JSON) | {"Idempotency-Key": str(uuid4())}
        answer = await self.doors.http.post(place, json={"status": status} | fields, headers=headers)
        _require_taken(place, answer.status_code, answer.text)

    async def _has(self, wanted: frozenset[str]) -> bool:
        headers = self.doors.headers(self.programme, _JSON)
        records: list[dict[str, Any]] = [{}]
        while records:
            answer = await self.doors.http.get("/handovers", params={"cursor": self._cursor}, headers=headers)
            _require_taken("/handovers", answer.status_code, answer.text)
            records, self._cursor = answer.json()["records"], answer.json()["next"]
            self._events |= {one["event"]["event_id"]: one["event"] for one in records}
        return wanted <= self._events.keys()


@dataclass(slots=True)
class LongForm:
    """Any way to receive, and ``POST /events/replies`` to answer."""

    doors: DemoClient
    programme: str
    receiving: Receiving

    async def received(self, event_ids: Iterable[str]) -> list[RawEvent]:
        """Receives as the other way does."""
        return await self.receiving.received(event_ids)

    async def reply(self, handover: RawEvent, status: str, **fields: Any) -> None:
        """Answers with everything that a reply says; see ``Channel``."""
        answered, answer = await self.doors.statement("replies", self.programme, _long_form(handover, status, fields))
        _require_taken("/events/replies", answered, str(answer.get("refused")))


@dataclass(slots=True)
class OverKafka:
    """A programme's own topic to receive, and its own ``answers`` topic; no HTTP at all."""

    connection: KafkaConnection
    programme: str
    partitions: int

    async def received(self, event_ids: Iterable[str]) -> list[RawEvent]:
        """Reads the topic from its beginning until the records are there; see ``Channel``."""
        wanted = set(event_ids)
        return await self._read(lambda event: event["event_id"] in wanted, len(wanted))

    async def reply(self, handover: RawEvent, status: str, **fields: Any) -> None:
        """Writes the answer, and waits on the programme's topic for what became of it; see ``Channel``."""
        statement = _long_form(handover, status, fields) | {"event_id": str(uuid4())}
        producer = AIOKafkaProducer(**self.connection.for_aiokafka(), enable_idempotence=True, acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(kafka_name(f"answers.{self.programme}"), json.dumps(statement).encode())
        finally:
            await producer.stop()
        event_id = statement["event_id"]
        [told] = await self._read(lambda one: one["causation_id"] == event_id and one["type"] in _ANSWERS, 1)
        if told["type"] != "reply_accepted":
            raise ScenarioError(f"answers.{self.programme}: {status} was refused: {told['reason_code']}")

    async def _read(self, wanted: Callable[[RawEvent], bool], count: int) -> list[RawEvent]:
        topic = kafka_name(f"handovers.{self.programme}")
        places = [TopicPartition(topic, number) for number in range(self.partitions)]
        consumer = AIOKafkaConsumer(**self.connection.for_aiokafka(), isolation_level="read_committed")
        await consumer.start()
        found: list[RawEvent] = []

        async def enough() -> bool:
            batches = await consumer.getmany(timeout_ms=_POLL // timedelta(milliseconds=1))
            events = [read_json_record(HandoverEvent, record.value) for some in batches.values() for record in some]
            found.extend(filter(wanted, events))
            return len(found) >= count

        try:
            consumer.assign(places)
            for place, begin in (await consumer.beginning_offsets(places)).items():
                consumer.seek(place, begin)
            await _until(enough, topic)
        finally:
            await consumer.stop()
        return found


async def enter_claim_code(doors: DemoClient, programme: str, code: str) -> None:
    """Has a programme enter the claim code that a young person brings; raises ScenarioError where it is not taken."""
    answer = await doors.http.post("/claims", json={"code": code}, headers=doors.headers(programme, _JSON))
    _require_taken("/claims", answer.status_code, answer.text)


async def _until(happened: Callable[[], Awaitable[bool]], where: str) -> None:
    try:
        async with asyncio.timeout(_ARRIVES_MAX.total_seconds()):
            while not await happened():  # noqa: ASYNC110 - the service is asked; it sets no event here
                await asyncio.sleep(_POLL.total_seconds())
    except TimeoutError as error:
        raise ScenarioError(f"{where}: what the log has did not come in {_ARRIVES_MAX}") from error


def _long_form(handover: RawEvent, status: str, fields: dict[str, Any]) -> RawEvent:
    own = {name: handover[name] for name in ("subject", "youth_id", "programme")}
    return own | {"status": status, "occurred_at": datetime.now(UTC).isoformat()} | fields


def _require_taken(place: str, status: int, text: str) -> None:
    if status not in _TAKEN:
        raise ScenarioError(f"{place} answered {status}: {text[:500]}")
