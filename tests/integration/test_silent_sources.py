"""A source falls silent and comes back, on a real broker, with a monitor that is restarted in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.topics import TopicSpec, describe, ensure_topics
from connectors.source_silence.monitor import SAID, SilenceMonitor
from schemas.codec import codec
from schemas.events import EventHeader
from schemas.outputs import Notice
from schemas.topics import catalogue, kafka_name
from tests.domain.story import a_step
from tests.integration.gateway_runner import read_topic

pytestmark = pytest.mark.integration
SOURCE = "sor:265161000016000"
ALLOWED = timedelta(hours=5)
STEP_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def connection(empty_broker: EmbeddedBroker) -> KafkaConnection:
    """Returns the way to the broker, with the topics there that the monitor reads."""
    connection = KafkaConnection(bootstrap=empty_broker.bootstrap)
    names = {topic: kafka_name(topic) for topic in (*SAID, "notices")}
    there = describe(connection, list(names.values()))
    partitions = {topic: there[name].partitions if name in there else 4 for topic, name in names.items()}
    ensure_topics(connection, [TopicSpec(names[one], partitions[one], catalogue()[one].config()) for one in names])
    return connection


async def test_a_silence_and_its_end_are_told_once_each_though_the_monitor_starts_anew(
    connection: KafkaConnection,
) -> None:
    await say(connection, "first")
    registry = CollectorRegistry()
    async with monitoring(connection, ALLOWED + timedelta(hours=1), registry):
        await until(lambda: told(connection), ["silent_source"])
    async with monitoring(connection, ALLOWED + timedelta(hours=9), CollectorRegistry()):
        await say(connection, "second")
        await until(lambda: told(connection), ["silent_source", "source_back", "silent_source"])
    async with monitoring(connection, timedelta(), CollectorRegistry()):
        await say(connection, "third")
        await until(lambda: told(connection), ["silent_source", "source_back", "silent_source", "source_back"])

    assert (registry.get_sample_value("brobygger_source_last_event_seconds", {"source": SOURCE}) or 0) > 0


@asynccontextmanager
async def monitoring(
    connection: KafkaConnection, ahead: timedelta, registry: CollectorRegistry
) -> AsyncIterator[SilenceMonitor]:
    """Runs a monitor whose clock is ahead by so much."""
    monitor = SilenceMonitor(connection, {SOURCE: ALLOWED}, registry, lambda: datetime.now(UTC) + ahead)
    running = asyncio.create_task(monitor.run())
    try:
        yield monitor
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def say(connection: KafkaConnection, name: str) -> None:
    """Publishes an admission that the source tells."""
    event: EventHeader = a_step(f"silence-{name}", datetime.now(UTC), "admitted").model_copy(update={"source": SOURCE})
    producer = AIOKafkaProducer(**connection.for_aiokafka())
    await producer.start()
    try:
        value, key = codec(type(event)).encode(event), (event.youth_id or "").encode()
        await producer.send_and_wait(kafka_name("discharges"), value, key)
    finally:
        await producer.stop()


async def told(connection: KafkaConnection) -> list[str]:
    """Returns the kinds of what was told of the source, in order, each once."""
    records = await read_topic(connection, "notices")
    notices = [cast("Notice", codec(Notice).decode(record.value)) for record in records]
    ours = [one for one in notices if one.subject == SOURCE]
    assert len({one.event_id for one in ours}) == len(ours)
    return [one.kind.value for one in ours]


async def until(look: Callable[[], Awaitable[list[str]]], wanted: list[str]) -> None:
    """Returns once what is looked at is as wanted; fails where it isn't in time."""
    async with asyncio.timeout(STEP_SECONDS_MAX):
        while await look() != wanted:  # noqa: ASYNC110 a topic tells nobody that it has grown
            await asyncio.sleep(0.2)  # between looks at the condition
