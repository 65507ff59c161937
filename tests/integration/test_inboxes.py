"""The inboxes of many parties, read by one process: what holds one party up holds up nobody else."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import pytest
from kafka import KafkaProducer
from kafka.errors import InvalidRecordError

from connectors.gateway.over_kafka.inboxes import Inboxes, Received, start_reading
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.topics import TopicSpec, ensure_topics
from schemas.topics import entry_of, kafka_name
from tests.integration.emptying import empty
from tests.integration.packed_batches import pack_a_lie, pack_by_zstd
from tests.integration.webhook_service import until

pytestmark = pytest.mark.integration
HELD_UP, OTHER = "held-up", "other"
_QUICK_MAX_SECONDS = 15


@dataclass
class Taken:
    """What was taken of each party, in its order; from whom nothing is taken for now."""

    values: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    waits: set[str] = field(default_factory=set)

    async def take(self, party: str, records: Sequence[Received]) -> bool:
        """Takes a party's records, or none of them."""
        if party in self.waits:
            return False
        self.values[party] += [b"refused" if one.refusal else one.value for one in records]
        return True

    async def until(self, party: str, count: int) -> float:
        """Waits until so many of a party are taken; returns the seconds."""
        began = monotonic()
        await until(lambda: len(self.values[party]) >= count)
        return monotonic() - began


class _NotUtf8(str):
    """The name of a header that is written as no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Returns bytes that no text in UTF-8 has."""
        return b"\xff"


@pytest.fixture
def broker_with_inboxes(broker: EmbeddedBroker) -> EmbeddedBroker:
    empty(broker.connection)
    config = entry_of("answers").config()
    specs = [TopicSpec(kafka_name(f"answers.{party}"), 3, config) for party in (HELD_UP, OTHER)]
    ensure_topics(broker.connection, specs)
    return broker


async def test_a_party_that_must_wait_holds_up_nobody_else_and_loses_nothing(
    broker_with_inboxes: EmbeddedBroker,
) -> None:
    taken = Taken(waits={HELD_UP})
    with KafkaProducer(**broker_with_inboxes.connection.for_kafka_python()) as producer:
        send(producer, HELD_UP, 250)
        send(producer, OTHER, 250)
    reading = start_reading(Inboxes("answers", "inboxes-that-wait", taken.take), broker_with_inboxes.connection)

    await taken.until(OTHER, 250)
    assert taken.values[HELD_UP] == []
    taken.waits.clear()
    await taken.until(HELD_UP, 250)

    await ended(reading)
    assert taken.values[HELD_UP] == taken.values[OTHER] == [str(number).encode() for number in range(250)]


async def test_records_that_cannot_be_read_slow_nobody_else_down(broker_with_inboxes: EmbeddedBroker) -> None:
    taken = Taken()
    with KafkaProducer(**broker_with_inboxes.connection.for_kafka_python(), linger_ms=1_000) as producer:
        for number in range(400):
            bad = [(_NotUtf8("x"), b"")] if number == 0 else []
            producer.send(kafka_name(f"answers.{HELD_UP}"), str(number).encode(), partition=0, headers=bad)
        producer.flush()
        reading = start_reading(Inboxes("answers", "inboxes-unread", taken.take), broker_with_inboxes.connection)
        await taken.until(HELD_UP, 5)
        send(producer, OTHER, 250)
        seconds = await taken.until(OTHER, 250)

    await ended(reading)
    assert taken.values[OTHER] == [str(number).encode() for number in range(250)]
    assert seconds < _QUICK_MAX_SECONDS
    assert len(taken.values[HELD_UP]) < 400


async def test_a_party_that_must_wait_and_writes_what_cannot_be_read_holds_up_nobody_else(
    broker_with_inboxes: EmbeddedBroker,
) -> None:
    taken = Taken(waits={HELD_UP})
    with KafkaProducer(**broker_with_inboxes.connection.for_kafka_python()) as producer:
        producer.send(kafka_name(f"answers.{HELD_UP}"), b"bad", partition=0, headers=[(_NotUtf8("x"), b"")]).get(30)
        send(producer, OTHER, 250)
    reading = start_reading(Inboxes("answers", "inboxes-both", taken.take), broker_with_inboxes.connection)

    await taken.until(OTHER, 250)
    taken.waits.clear()
    await taken.until(HELD_UP, 1)

    await ended(reading)
    assert taken.values[HELD_UP] == [b"refused"]


def test_a_record_that_lies_about_its_size_does_not_end_the_broker(
    broker_with_inboxes: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_a_lie(monkeypatch, 1_500_000_000)
    to_broker = broker_with_inboxes.connection.for_kafka_python()

    with KafkaProducer(**to_broker, compression_type="gzip", retries=0) as producer:
        sent = producer.send(kafka_name(f"answers.{HELD_UP}"), bytes(2_000))
        with pytest.raises(InvalidRecordError):
            sent.get(30)

    with KafkaProducer(**to_broker) as producer:
        producer.send(kafka_name(f"answers.{OTHER}"), b"there").get(30)


async def test_what_is_packed_too_well_or_in_another_way_is_refused_and_holds_up_nobody(
    broker_with_inboxes: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_by_zstd(monkeypatch)
    taken, to_broker = Taken(), broker_with_inboxes.connection.for_kafka_python()
    topic, much = kafka_name(f"answers.{HELD_UP}"), bytes(30 * 1024 * 1024)
    with KafkaProducer(**to_broker, compression_type="gzip", max_request_size=2 * len(much)) as producer:
        producer.send(topic, b"course " * 1_000, partition=0).get(30)
        producer.send(topic, much, partition=0).get(30)
    with KafkaProducer(**to_broker, compression_type="zstd") as producer:
        producer.send(topic, bytes(2_000), partition=0).get(30)
    with KafkaProducer(**to_broker) as producer:
        send(producer, HELD_UP, 1)
        send(producer, OTHER, 250)
    reading = start_reading(Inboxes("answers", "inboxes-packed", taken.take), broker_with_inboxes.connection)

    await taken.until(OTHER, 250)
    await taken.until(HELD_UP, 4)

    await ended(reading)
    assert taken.values[HELD_UP] == [b"course " * 1_000, b"refused", b"refused", b"0"]


def send(producer: KafkaProducer, party: str, count: int) -> None:
    """Sends so many numbered records to one partition of a party's inbox."""
    for number in range(count):
        producer.send(kafka_name(f"answers.{party}"), str(number).encode(), partition=0)
    producer.flush()


async def ended(reading: asyncio.Task[None]) -> None:
    """Ends the reading."""
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
