"""Kills, pauses and restarts of two workers under load, against an offline fold of the same input."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import temporary_broker
from connectors.kafka.topics import TopicSpec, ensure_topics
from streams.engine.offline import OfflineTask
from streams.engine.stage import EngineSettings, TransactionSettings
from streams.engine.store import MemoryStore, RocksStore
from streams.engine.transaction import TransactionalWriter, Writes
from tests.chaos.harness import (
    CRASH_POINTS,
    EXPECTED_EXITS,
    Load,
    Worker,
    eventually,
    group_offsets,
    log_ends,
    read_topic,
)
from tests.chaos.pipeline import INTAKE, JOIN_LOG, OUTPUT, PARTITIONS, SOURCES, TOPICS, Join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engine.processor import StoredRecord

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

_SEED = 20261122
_APP = "chaos"
_SESSION_SECONDS = 6.0
_LOAD_PER_SECOND = 500
#: Long enough for a rebalance after a session time-out, on a busy machine.
_PATIENCE_SECONDS = 90.0
#: Two looks or more a second; a key falls silent, by a tick where need be, within less than these take.
_QUIET_LOOKS = 20


@dataclass(frozen=True)
class Plan:
    """How many faults of each kind."""

    kills: int
    pauses: int
    restarts: int
    deletions: int

    def shuffled(self, rng: random.Random) -> list[str]:
        """Returns the faults in a random order."""
        faults = ["kill"] * self.kills + ["pause"] * self.pauses
        faults += ["restart"] * self.restarts + ["delete"] * self.deletions
        rng.shuffle(faults)
        return faults


@pytest.fixture
def plan(*, soak: bool) -> Plan:
    return Plan(20, 5, 5, 3) if soak else Plan(2, 1, 1, 1)


@pytest.fixture
def connection(tmp_path: Path, cache_dir: Path) -> Iterator[KafkaConnection]:
    with temporary_broker(cache_dir) as broker:
        connection = KafkaConnection(bootstrap=broker.bootstrap)
        ensure_topics(connection, [TopicSpec(topic, PARTITIONS, _config(topic)) for topic in TOPICS])
        yield connection


async def test_output_under_faults_equals_an_undisturbed_fold(
    connection: KafkaConnection, tmp_path: Path, plan: Plan
) -> None:
    bootstrap = connection.bootstrap
    rng = random.Random(_SEED)
    workers = [Worker(bootstrap, _APP, f"worker-{number}", tmp_path) for number in range(2)]
    for worker in workers:
        worker.start()
    enough = asyncio.Event()
    load = asyncio.create_task(Load(bootstrap, _SEED, _LOAD_PER_SECOND).run(enough))
    try:
        await _until_moving(bootstrap)
        for fault in plan.shuffled(rng):
            await _inflict(fault, rng.choice(workers), rng)
            await _revive(workers)
            await _until_moving(bootstrap)
        enough.set()
        sent = await load
        await _until_drained(bootstrap)
    finally:
        enough.set()
        await _stop(workers)

    intake = await read_topic(bootstrap, INTAKE)
    await _check_intake(intake, sent, bootstrap)
    await _check_outputs(bootstrap, intake)
    _check_states(workers, intake)
    assert {code for worker in workers for code in worker.exits} <= EXPECTED_EXITS


async def test_a_writer_fenced_by_its_successor_commits_nothing(connection: KafkaConnection) -> None:
    zombie, successor = (_writer(connection) for _ in range(2))
    writes = Writes({}, {b"key": b"value"}, TopicPartition(JOIN_LOG, 0), {TopicPartition(INTAKE, 0): 1})
    await zombie.fence()
    await successor.fence()

    with pytest.raises(Exception, match=r"(?i)fenced|epoch"):
        await zombie.write("other-group", writes)

    await zombie.stop()
    await successor.stop()
    records = await read_topic(connection.bootstrap, JOIN_LOG)
    assert not any(records.values())


def _config(topic: str) -> dict[str, str]:
    if topic == INTAKE:
        return {"message.timestamp.type": "LogAppendTime"}
    return {"cleanup.policy": "compact"} if topic.endswith("changelog") else {}


def _writer(connection: KafkaConnection) -> TransactionalWriter:
    return TransactionalWriter(connection, "zombie", TransactionSettings(), EngineSettings(Path()).crash_point)


async def _inflict(fault: str, worker: Worker, rng: random.Random) -> None:
    if fault == "kill":
        # It dies by its own hand, at a point that no signal from outside could hit.
        worker.send(signal.SIGTERM)
        await asyncio.to_thread(worker.wait, _PATIENCE_SECONDS)
        worker.start(rng.choice(CRASH_POINTS), str(rng.randint(20, 200)))
        await asyncio.to_thread(worker.wait, _PATIENCE_SECONDS)
    elif fault == "pause":
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(_SESSION_SECONDS + 4.0)  # the pause itself is the fault
        worker.send(signal.SIGCONT)
    elif fault == "restart":
        worker.send(signal.SIGTERM)
        await asyncio.to_thread(worker.wait, _PATIENCE_SECONDS)
    else:
        worker.send(signal.SIGKILL)
        await asyncio.to_thread(worker.wait, _PATIENCE_SECONDS)
        worker.delete_state()


async def _revive(workers: list[Worker]) -> None:
    for worker in workers:
        if not worker.runs:
            worker.start()


async def _until_moving(bootstrap: str) -> None:
    """Waits until every partition of every input has moved on."""
    before = await group_offsets(bootstrap, _APP)

    async def moved() -> bool:
        now = await group_offsets(bootstrap, _APP)
        inputs = [TopicPartition(topic, number) for topic in (*SOURCES, INTAKE) for number in range(PARTITIONS)]
        return all(now.get(partition, -1) > before.get(partition, -1) for partition in inputs)

    await eventually(moved, _PATIENCE_SECONDS, "every partition moves")


async def _until_drained(bootstrap: str) -> None:
    """Waits until all inputs are folded and no deadline is left: no topic grows and no offset moves."""
    seen: list[object] = []

    async def settled() -> bool:
        seen.append((await log_ends(bootstrap, (*SOURCES, INTAKE, OUTPUT)), await group_offsets(bootstrap, _APP)))
        recent = seen[-_QUIET_LOOKS:]
        return len(recent) == _QUIET_LOOKS and all(look == recent[0] for look in recent)

    await eventually(settled, _PATIENCE_SECONDS, "nothing changes any more")


async def _stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.send(signal.SIGCONT)
        worker.send(signal.SIGTERM)
    for worker in workers:
        await asyncio.to_thread(worker.wait, _PATIENCE_SECONDS)


async def _check_intake(intake: dict[int, list[StoredRecord]], sent: int, bootstrap: str) -> None:
    """Every source record arrived once, in its partition's order per key, with its right number."""
    origins = Counter(record.headers[0][1] for records in intake.values() for record in records if record.headers)
    expected: Counter[bytes] = Counter()
    for topic in SOURCES:
        for number, records in (await read_topic(bootstrap, topic)).items():
            counts: Counter[bytes | None] = Counter()
            for record in records:
                counts[record.key] += 1
                expected[f"{topic}/{number}/{record.offset}/{counts[record.key]}".encode()] += 1
    assert expected.total() == sent
    assert origins == expected


async def _check_outputs(bootstrap: str, intake: dict[int, list[StoredRecord]]) -> None:
    outputs = await read_topic(bootstrap, OUTPUT)
    for number, records in intake.items():
        task = OfflineTask(Join(), number, MemoryStore())
        expected = [
            (message.key, message.value, message.timestamp_ms)
            for changes in task.fold(INTAKE, records)
            for message in changes.outputs.get((OUTPUT, number), ())
        ]
        assert [(record.key, record.value, record.timestamp) for record in outputs[number]] == expected


def _check_states(workers: list[Worker], intake: dict[int, list[StoredRecord]]) -> None:
    """Whoever owned a partition last holds exactly the oracle's state of it."""
    for number, records in intake.items():
        oracle = MemoryStore()
        for _ in OfflineTask(Join(), number, oracle).fold(INTAKE, records):
            pass
        stores = [RocksStore(path) for worker in workers if (path := worker.state_dir / "join" / str(number)).exists()]
        latest = max(stores, key=lambda store: meta.log_time if (meta := store.meta()) else 0)
        assert dict(latest.states()) == dict(oracle.states())
        for store in stores:
            store.close()
