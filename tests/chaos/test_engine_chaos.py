"""Kills, pauses and restarts of two workers under load, against an offline fold of the same input."""

from __future__ import annotations

import asyncio
import random
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from connectors.kafka.connection import KafkaConnection
from streams.engine.stage import EngineSettings, TransactionSettings
from streams.engine.transaction import TransactionalWriter, Writes
from tests.chaos.harness import CRASH_POINTS, Load, Worker, read_topic, tell_to_stop
from tests.chaos.pipeline import INTAKE, JOIN_LOG
from tests.chaos.undisturbed import APP, PATIENCE_SECONDS, check, revive, stop, until_drained, until_moving

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

_SEED = 20261122
_SESSION_SECONDS = 6.0
_LOAD_PER_SECOND = 500


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


async def test_output_under_faults_equals_an_undisturbed_fold(
    connection: KafkaConnection, tmp_path: Path, plan: Plan
) -> None:
    bootstrap = connection.bootstrap
    rng = random.Random(_SEED)
    workers = [Worker(bootstrap, APP, f"worker-{number}", tmp_path) for number in range(2)]
    for worker in workers:
        worker.start()
    enough = asyncio.Event()
    load = asyncio.create_task(Load(bootstrap, _SEED, _LOAD_PER_SECOND).run(enough))
    try:
        await until_moving(bootstrap, [])
        for fault in plan.shuffled(rng):
            await _inflict(fault, rng.choice(workers), rng)
            await revive(workers)
            await until_moving(bootstrap, [])
        enough.set()
        sent = await load
        await until_drained(bootstrap, [])
    finally:
        enough.set()
        await stop(workers)

    await check(bootstrap, workers, sent)


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


def _writer(connection: KafkaConnection) -> TransactionalWriter:
    return TransactionalWriter(connection, "zombie", TransactionSettings(), EngineSettings(Path()).crash_point)


async def _inflict(fault: str, worker: Worker, rng: random.Random) -> None:
    if fault == "kill":
        # It dies by its own hand, at a point that no signal from outside could hit.
        await tell_to_stop(worker, PATIENCE_SECONDS)
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)
        worker.start(rng.choice(CRASH_POINTS), str(rng.randint(20, 200)))
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)
    elif fault == "pause":
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(_SESSION_SECONDS + 4.0)  # the pause itself is the fault
        worker.send(signal.SIGCONT)
    elif fault == "restart":
        await tell_to_stop(worker, PATIENCE_SECONDS)
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)
    else:
        worker.send(signal.SIGKILL)
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)
        worker.delete_state()
