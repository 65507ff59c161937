"""A source that states over Kafka, on a real broker with users and rules: taken, told, deleted, and nobody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import describe
from schemas.events import Enrolment
from schemas.topics import kafka_name
from streams.log.decoding import read_json_record
from tests.integration.attempts import OTHER_SOURCE, SOURCE, Attempt
from tests.integration.attempts_of_sources import ATTEMPTS_OF_A_SOURCE
from tests.integration.command_line import until
from tests.integration.gateway_runner import read_topic
from tests.integration.secured import PARTITIONS, Secured, a_secured_broker, a_secured_service, readmes_example
from tests.unit.gateway.builders import a_statement

pytestmark = pytest.mark.integration
on_the_service = pytest.mark.asyncio(loop_scope="module")

STATEMENTS = kafka_name(f"statements.{SOURCE}")
_TAKEN_MAX_SECONDS = 60
_ENROLMENT = ("ce_type", b"brobygger.enrolments.v1")
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(secured: Secured) -> AsyncIterator[Secured]:
    """Has workers and a gateway run."""
    async with a_secured_service(secured):
        yield secured


@pytest.mark.parametrize("attempt", ATTEMPTS_OF_A_SOURCE, ids=str)
def test_a_sources_credentials_are_refused(source: KafkaConnection, attempt: Attempt) -> None:
    with pytest.raises(Exception, match=attempt.refused_by) as refusal:
        attempt.attempt(source)

    assert not isinstance(refusal.value, AssertionError)


def test_a_sources_topic_keeps_nothing_for_long(secured: Secured) -> None:
    config = describe(secured.connection, [STATEMENTS])[STATEMENTS].config

    assert (config["retention.ms"], config["segment.ms"]) == (str(7 * 86_400_000), "3600000")
    assert config["message.timestamp.type"] == "LogAppendTime"  # or a record of long ago would be deleted unread


@on_the_service
async def test_readmes_source_states_once_is_told_each_time_and_leaves_nothing_behind(
    service: Secured, source: KafkaConnection, tmp_path: Path
) -> None:
    for times in (1, 2):
        folder = tmp_path / str(times)
        folder.mkdir()
        with readmes_example(f"brobygger-source-{SOURCE}", source, folder) as printed:
            await asyncio.to_thread(until, lambda: receipts_in(printed()) >= 1, _TAKEN_MAX_SECONDS)
    await asyncio.to_thread(until, lambda: left_in(service.connection, STATEMENTS) == 0, _TAKEN_MAX_SECONDS)

    [course] = [one for one in await courses_on(service.connection) if one["subject"] == "course-8"]
    assert course["source"] == f"{SOURCE}-kommune"


@on_the_service
async def test_a_header_that_no_client_can_read_or_packed_records_hold_nobody_up(
    service: Secured, source: KafkaConnection
) -> None:
    def all_told() -> bool:
        return len(asyncio.run(receipts_of(source))) == told_before + 6

    told_before = len(await receipts_of(source))
    with KafkaProducer(**source.for_kafka_python(), linger_ms=1_000) as producer:
        for name, header in (("before", "ce_note"), ("bad", _NotUtf8("x")), ("after", "ce_note")):
            producer.send(STATEMENTS, a_course(name), partition=0, headers=[_ENROLMENT, (header, b"")])
        producer.flush()
        for name, partition in (("next", 0), ("elsewhere", 1)):
            producer.send(STATEMENTS, a_course(name), partition=partition, headers=[_ENROLMENT]).get(30)
    with KafkaProducer(**source.for_kafka_python(), compression_type="gzip") as packing:
        packing.send(STATEMENTS, a_course("packed"), partition=2, headers=[_ENROLMENT]).get(30)
        await asyncio.to_thread(until, all_told, _TAKEN_MAX_SECONDS)

    taken = {one["subject"] for one in await courses_on(service.connection)}
    codes = [one["refused"]["code"] for one in await receipts_of(source) if one["outcome"] == "refused"]
    assert taken >= {"before", "next", "elsewhere", "packed"}
    assert not taken & {"bad", "after"}
    assert codes == ["unreadable_header"] * 2


class _NotUtf8(str):
    """The name of a header that is written as no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Returns bytes that no text in UTF-8 has."""
        return b"\xff"


def a_course(subject: str) -> bytes:
    """Returns the public form of a course."""
    return json.dumps(a_statement("enrolments", subject=subject)).encode()


async def receipts_of(connection: KafkaConnection) -> list[dict[str, Any]]:
    """Returns every receipt that the source has been written."""
    return [json.loads(record.value) for record in await read_topic(connection, f"receipts.{SOURCE}")]


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


async def courses_on(connection: KafkaConnection) -> list[dict[str, Any]]:
    """Returns every course that was published."""
    return [read_json_record(Enrolment, record.value) for record in await read_topic(connection, "enrolments")]
