"""The trap: a coordinator that forgets a marker, and the next commit revives what was to be made again.

A broker that verifies nothing lets a test write what no coordinator knows of, which is what such a one leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from connectors.kafka.embedded import EmbeddedBroker, temporary_broker
from streams.engine import faust_private, hanging
from streams.engine.transaction import TransactionalWriter
from tests.chaos.harness import read_topic
from tests.integration.test_traps_on_a_broker import BrokerInputs, Place, opened_task

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def careless_broker(cache_dir: Path) -> Iterator[EmbeddedBroker]:
    with temporary_broker(
        cache_dir, extra_properties={"transaction.partition.verification.enable": "false"}
    ) as running:
        yield running


@pytest.fixture
async def place(careless_broker: EmbeddedBroker, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    place = Place(careless_broker.connection, name)
    await asyncio.to_thread(place.create_topics)
    yield place
    for writer in place.writers:
        await writer.stop()


async def forgotten(place: Place, writer: TransactionalWriter, value: bytes) -> None:
    """Lets a writer write a transaction whose partitions no coordinator knows of."""
    writes = place.writes(value)._replace(offsets={place.source: 0})
    await writer._producer.begin_transaction()
    manager = writer._producer._txn_manager
    manager._txn_partitions |= {place.changelog, *(TopicPartition(*destination) for destination in writes.outputs)}
    await writer._send(place.name, writes)


async def test_what_hangs_of_a_commit_is_committed_before_anything_is_read(place: Place, tmp_path: Path) -> None:
    writer = await place.a_writer()
    await forgotten(place, writer, b"forgotten")
    await writer._producer.commit_transaction()  # of the offsets alone: that is all the coordinator knows of
    before = await place.committed()
    faust_private.install_raw_records()

    task = await opened_task(place, BrokerInputs(place.connection, place.name), tmp_path)

    assert before[:2] == (0, 0)
    assert (await place.committed())[:2] == (1, 1)
    assert task.store.get(b"key") == b"forgotten"
    await task.writer.write(place.name, place.writes(b"next")._replace(offsets={place.source: 0}))
    await task.close()
    states = (await read_topic(place.connection.bootstrap, place.changelog.topic))[0]
    assert [record.value for record in states] == [b"forgotten", b"next"]


async def test_what_hangs_of_an_abort_is_aborted(place: Place, tmp_path: Path) -> None:
    await forgotten(place, await place.a_writer(), b"under way")
    await place.a_writer()  # its fence aborts what the coordinator knows of

    task = await opened_task(place, BrokerInputs(place.connection, place.name), tmp_path)

    assert task.store.get(b"key") is None
    await task.writer.write(place.name, place.writes(b"next")._replace(offsets={place.source: 0}))
    await task.close()
    assert (await place.committed())[:2] == (1, 1)
    assert await place.sent() == (2, 2)


async def test_what_another_id_left_open_is_left_to_people(place: Place, tmp_path: Path) -> None:
    other = Place(place.connection, place.name, place.writers)
    writer = await other.a_writer(transactional_id=f"{place.name}-gone")
    await forgotten(place, writer, b"of another")
    await writer._producer.commit_transaction()

    with pytest.raises(hanging.HangingTransactionError):
        await opened_task(place, BrokerInputs(place.connection, place.name), tmp_path)
