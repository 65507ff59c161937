"""A source that states over Kafka, on a real broker with users and rules: taken, told, deleted, and nobody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import describe
from schemas.events import Enrolment
from schemas.topics import kafka_name
from streams.log.decoding import read_json
from tests.integration.attempts import ATTEMPTS_OF_A_SOURCE, OTHER_SOURCE, SOURCE, Attempt
from tests.integration.command_line import until
from tests.integration.secured import PARTITIONS, Secured, a_secured_broker, a_secured_service, readmes_example

pytestmark = pytest.mark.integration

STATEMENTS = kafka_name(f"statements.{SOURCE}")
_TAKEN_MAX_SECONDS = 60
_LAWFUL = ("--data-controller", "Helsingør Kommune", "--legal-basis", "Serviceloven §50")


@pytest.fixture(scope="module")
def secured(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with a_secured_broker(cache_dir, tmp_path_factory.mktemp("data")) as running:
        for kafka_id in (SOURCE, OTHER_SOURCE):
            made = running.run("clients", "create", "source", f"{kafka_id}-kommune", "--kafka", kafka_id, *_LAWFUL)
            assert made.exit_code == 0, made.output
        for command in ("topics", "acls"):
            assert running.run(command, "apply").exit_code == 0
        yield running


@pytest.fixture(scope="module")
def source(secured: Secured) -> KafkaConnection:
    return secured.user(f"source-{SOURCE}")


@pytest.mark.parametrize("attempt", ATTEMPTS_OF_A_SOURCE, ids=str)
def test_a_sources_credentials_are_refused(source: KafkaConnection, attempt: Attempt) -> None:
    with pytest.raises(Exception, match=attempt.refused_by) as refusal:
        attempt.attempt(source)

    assert not isinstance(refusal.value, AssertionError)


def test_a_sources_topic_keeps_nothing_for_long(secured: Secured) -> None:
    config = describe(secured.connection, [STATEMENTS])[STATEMENTS].config

    assert (config["retention.ms"], config["segment.ms"]) == (str(7 * 86_400_000), "3600000")


async def test_readmes_source_states_once_is_told_each_time_and_leaves_nothing_behind(
    secured: Secured, source: KafkaConnection, tmp_path: Path
) -> None:
    async with a_secured_service(secured):
        for times in (1, 2):
            folder = tmp_path / str(times)
            folder.mkdir()
            with readmes_example(f"brobygger-source-{SOURCE}", source, folder) as printed:
                await asyncio.to_thread(until, lambda: receipts_in(printed()) >= 1, _TAKEN_MAX_SECONDS)
        await asyncio.to_thread(until, lambda: left_in(secured.connection, STATEMENTS) == 0, _TAKEN_MAX_SECONDS)

    [course] = all_on(secured.connection, kafka_name("enrolments"))
    assert (course["source"], course["statement_id"]) == (f"{SOURCE}-kommune", "course-8")


def receipts_in(printed: str) -> int:
    """Returns how many receipts were printed; all of them say that it was accepted."""
    outcomes = [json.loads(line.partition(" ")[2])["outcome"] for line in printed.splitlines()]
    assert set(outcomes) <= {"accepted"}
    return len(outcomes)


def left_in(connection: KafkaConnection, topic: str) -> int:
    """Returns how many records can still be read; transactions write none there."""
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    with KafkaConsumer(**connection.for_kafka_python()) as consumer:
        begin, end = consumer.beginning_offsets(places), consumer.end_offsets(places)
    return sum(end[place] - begin[place] for place in places)


def all_on(connection: KafkaConnection, topic: str) -> list[dict[str, Any]]:
    """Returns every event on a topic."""
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    found = []
    with KafkaConsumer(**connection.for_kafka_python()) as consumer:
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=200).values():
                found += [read_json(Enrolment, record.value) for record in records]
    return found
