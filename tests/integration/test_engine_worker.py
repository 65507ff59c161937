"""The worker process on a real broker: what stands in the state wins over what stands in the group."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as AdminPartition

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.topics import TopicSpec, ensure_topics
from streams.engine.membership import leave_group
from tests.chaos.harness import Load, Worker, eventually, group_offsets, read_topic
from tests.chaos.pipeline import INTAKE, PARTITIONS, SOURCES, TOPICS

pytestmark = pytest.mark.integration

_APP = "engine-worker"
_PATIENCE_SECONDS = 60.0


async def test_offsets_reset_by_hand_fold_nothing_twice(broker: EmbeddedBroker, tmp_path: Path) -> None:
    connection = KafkaConnection(bootstrap=broker.bootstrap)
    ensure_topics(connection, [TopicSpec(topic, PARTITIONS) for topic in TOPICS])
    worker = Worker(broker.bootstrap, _APP, "worker-0", tmp_path)
    worker.start()
    enough = asyncio.Event()
    load = asyncio.create_task(Load(broker.bootstrap, 7, 200).run(enough))
    await eventually(lambda: _all_moved(broker.bootstrap), _PATIENCE_SECONDS, "every source moves")
    await _stop(worker)
    _reset_offsets(connection)

    worker.start()
    enough.set()
    sent = await load
    await eventually(lambda: _folded(broker.bootstrap, sent), _PATIENCE_SECONDS, "all that was sent is folded")
    await _stop(worker)

    assert "group_offset_differs" in worker.log_file.read_text()
    assert await _origins(broker.bootstrap) == sent
    assert worker.exits == [0, 0]
    assert [leave_group(connection, _APP, "worker-0") for _ in range(2)] == [True, False]


async def _all_moved(bootstrap: str) -> bool:
    offsets = await group_offsets(bootstrap, _APP)
    return all(offsets.get(TopicPartition(topic, number), 0) > 5 for topic in SOURCES for number in range(PARTITIONS))


async def _folded(bootstrap: str, sent: int) -> bool:
    offsets = await group_offsets(bootstrap, _APP)
    return sum(offset for place, offset in offsets.items() if place.topic in SOURCES) >= sent


async def _origins(bootstrap: str) -> int:
    """Returns the number of intake records that stand for a source record, each with its own origin."""
    records = [record for found in (await read_topic(bootstrap, INTAKE)).values() for record in found if record.headers]
    assert len({record.headers[0] for record in records}) == len(records)
    return len(records)


async def _stop(worker: Worker) -> None:
    worker.send(signal.SIGTERM)
    await asyncio.to_thread(worker.wait, _PATIENCE_SECONDS)


def _reset_offsets(connection: KafkaConnection) -> None:
    with KafkaAdminClient(**connection.for_kafka_python()) as admin:
        leave_group(connection, _APP, "worker-0")
        offsets = {
            AdminPartition(topic, number): OffsetAndMetadata(0, "", -1)
            for topic in (*SOURCES, INTAKE)
            for number in range(PARTITIONS)
        }
        admin.alter_group_offsets(_APP, offsets)
