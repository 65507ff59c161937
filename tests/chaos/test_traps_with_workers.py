"""Traps that only whole workers on a real broker show: each docstring names one, each test fails where it opens."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError
from kafka.structs import TopicPartition as AdminPartition

from streams.engine.membership import leave_group
from tests.chaos.harness import Load, Worker, eventually, group_offsets, read_topic
from tests.chaos.pipeline import INTAKE, SOURCES
from tests.chaos.undisturbed import APP, PATIENCE_SECONDS, stop, until_moving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connectors.kafka.connection import KafkaConnection
    from streams.engine.processor import StoredRecord

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

_SEED = 20261124
_LOAD_PER_SECOND = 200
_SOURCE = TopicPartition(SOURCES[0], 0)
_PATIENT = "tests.chaos.patient_worker"


async def test_a_worker_that_opens_slowly_stays_in_the_group_and_consumes(
    connection: KafkaConnection, tmp_path: Path
) -> None:
    """The traps: a slow `on_partitions_assigned` keeps heartbeats from beginning, and rebalances never end; a
    `perform_seek` slower than Faust's request time-out is cancelled, and the worker heartbeats and never consumes.

    Besides: Faust makes `<id>-data` in the folder where it is started.
    """
    folder = tmp_path / "working"
    folder.mkdir()
    worker = Worker(connection.bootstrap, APP, "worker-0", tmp_path, _PATIENT, folder)
    # Ten heartbeats take five seconds: longer than session, rebalance and request may each take.
    worker.start("3", "3", "10")
    async with _load(connection) as sent:
        try:
            await until_moving(connection.bootstrap, [])
        finally:
            await _end_load(sent)
            await stop([worker])

    assert worker.exits == [0]
    assert list(folder.iterdir()) == []


async def test_a_worker_ends_though_a_thread_of_it_does_not(connection: KafkaConnection, tmp_path: Path) -> None:
    """The trap: asked to stop while the consumer's thread begins, Faust stops everything but that thread, for which
    the interpreter waits for ever. Such a worker is a member of the group that consumes nothing."""
    worker = Worker(connection.bootstrap, APP, "worker-0", tmp_path, "tests.chaos.late_thread_worker")
    worker.start()
    try:
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)
    finally:
        worker.send(signal.SIGKILL)
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)

    assert worker.exits == [0]
    assert "thread_lives_on" in worker.log_file.read_text()


async def test_a_static_member_keeps_its_place_until_it_is_taken_out(
    connection: KafkaConnection, tmp_path: Path
) -> None:
    """The trap: a static member sends no LeaveGroup at SIGTERM, and its partitions wait for its session to end."""
    workers = [Worker(connection.bootstrap, APP, f"worker-{number}", tmp_path, _PATIENT) for number in range(2)]
    for worker in workers:
        worker.start("1800", "1800", "0")  # no session ends within the test
    async with _load(connection) as sent:
        try:
            # One alone moves everything: the other may still be starting.
            await eventually(lambda: asyncio.to_thread(_are_members, connection, 2), PATIENCE_SECONDS, "both are there")
            await until_moving(connection.bootstrap, [])
            await stop(workers[:1])
            was_member = await asyncio.to_thread(leave_group, connection, APP, "worker-0")
            await until_moving(connection.bootstrap, [])
        finally:
            await _end_load(sent)
            await stop(workers)

    assert was_member
    assert [worker.exits for worker in workers] == [[0], [0]]


def _are_members(connection: KafkaConnection, count: int) -> bool:
    """Tells whether so many workers are in the group, each with its partitions."""
    with KafkaAdminClient(**connection.for_kafka_python()) as admin:
        try:
            group = admin.describe_groups([APP])[APP]
        except CoordinatorNotAvailableError:
            return False  # the broker is still making room for the group
    return group["group_state"] == "Stable" and len(group["members"]) == count


async def test_a_worker_whose_records_are_gone_ends_and_skips_nothing(
    connection: KafkaConnection, tmp_path: Path
) -> None:
    """The trap: a reset to the earliest offset hides that records were deleted before they were folded."""
    worker = Worker(connection.bootstrap, APP, "worker-0", tmp_path)
    worker.start()
    async with _load(connection) as sent:
        try:
            await until_moving(connection.bootstrap, [])
            await stop([worker])
        finally:
            await _end_load(sent)
            await stop([worker])
    await _send(connection, b"one", b"more")
    with KafkaAdminClient(**connection.for_kafka_python()) as admin:
        admin.delete_records({AdminPartition(*_SOURCE): -1})
    before = await read_topic(connection.bootstrap, INTAKE)

    worker.start()
    await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)

    assert worker.exits == [0, 70]
    assert "InputLostError" in worker.log_file.read_text()
    assert {record for record in _origins(await read_topic(connection.bootstrap, INTAKE)) if _is_of_source(record)} == {
        record for record in _origins(before) if _is_of_source(record)
    }


async def test_aborted_records_of_others_are_not_folded(connection: KafkaConnection, tmp_path: Path) -> None:
    """The traps: Faust's consumer reads uncommitted records unless told; aborted batches and markers leave gaps in
    the offsets, which are no lost records.
    """
    worker = Worker(connection.bootstrap, APP, "worker-0", tmp_path)
    await _transact(connection, b"aborted", commits=False)
    await _transact(connection, b"committed", commits=True)
    await _transact(connection, b"aborted", commits=False)
    worker.start()
    try:
        await eventually(lambda: _arrived(connection, 1), PATIENCE_SECONDS, "the committed record arrives")
        await _send(connection, b"plain")
        await eventually(lambda: _arrived(connection, 2), PATIENCE_SECONDS, "the record after the gap arrives")
    finally:
        await stop([worker])

    origins = _origins(await read_topic(connection.bootstrap, INTAKE))
    offsets = await group_offsets(connection.bootstrap, APP)
    # Each transaction is a record and its marker.
    assert origins == [f"{_SOURCE.topic}/0/{offset}/{count}".encode() for offset, count in ((2, 1), (6, 2))]
    assert offsets[_SOURCE] == 7
    assert worker.exits == [0]


_RunningLoad = tuple[asyncio.Event, "asyncio.Task[int]"]


@asynccontextmanager
async def _load(connection: KafkaConnection) -> AsyncIterator[_RunningLoad]:
    enough = asyncio.Event()
    load = asyncio.create_task(Load(connection.bootstrap, _SEED, _LOAD_PER_SECOND).run(enough))
    try:
        yield enough, load
    finally:
        enough.set()
        await load


async def _end_load(load: _RunningLoad) -> int:
    """Ends the load and returns how many records it sent."""
    enough, sent = load
    enough.set()
    return await sent


async def _send(connection: KafkaConnection, *values: bytes) -> None:
    async with AIOKafkaProducer(**connection.for_aiokafka()) as producer:
        for value in values:
            await producer.send_and_wait(_SOURCE.topic, value, key=b"key", partition=_SOURCE.partition)


async def _transact(connection: KafkaConnection, value: bytes, *, commits: bool) -> None:
    async with AIOKafkaProducer(**connection.for_aiokafka(), transactional_id="of-a-source") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(_SOURCE.topic, value, key=b"key", partition=_SOURCE.partition)
        await (producer.commit_transaction() if commits else producer.abort_transaction())


async def _arrived(connection: KafkaConnection, number: int) -> bool:
    return len(_origins(await read_topic(connection.bootstrap, INTAKE))) >= number


def _origins(intake: dict[int, list[StoredRecord]]) -> list[bytes]:
    return [record.headers[0][1] or b"" for records in intake.values() for record in records if record.headers]


def _is_of_source(origin: bytes) -> bool:
    return origin.startswith(f"{_SOURCE.topic}/{_SOURCE.partition}/".encode())
