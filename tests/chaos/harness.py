"""Workers as processes, a load on their inputs, and what they left in the topics."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.engine.processor import StoredRecord
from tests.chaos.pipeline import INTAKE, PARTITIONS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

CRASH_POINTS = ("before_send", "after_send", "before_commit", "after_commit_before_store")
#: Exits of a worker that the faults explain: asked to stop, killed, ended itself after a fence.
EXPECTED_EXITS = {0, -signal.SIGKILL, 70}

_ROOT = Path(__file__).parents[2]
_KEYS = 300
_COORDINATOR_SECONDS = 60.0
#: The client waits so long for what it doesn't know yet, which is every topic when it begins.
_BACKOFF_MS = 20


@dataclass
class Worker:
    """One worker process that may be started many times, always as the same member of the group."""

    bootstrap: str
    app_id: str
    instance_id: str
    folder: Path
    module: str = "tests.chaos.worker"
    working_folder: Path = _ROOT
    exits: list[int] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Starts it with what its module takes besides: of `worker.py` a point to crash at and a count."""
        self.reap()
        command = [sys.executable, "-m", self.module, self.bootstrap, self.app_id, self.instance_id]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(self.state_dir), *options],
                cwd=self.working_folder,
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                stdout=log,
                stderr=log,
            )

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process, where it runs."""
        if self.runs:
            assert self._process is not None
            self._process.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Waits for the process to end. Raises TimeoutExpired where it does not."""
        if self._process is not None:
            self._process.wait(seconds)
            self.reap()

    def reap(self) -> None:
        """Notes how the process ended, where it did."""
        if self._process is not None and self._process.poll() is not None:
            self.exits.append(self._process.returncode)
            self._process = None

    def delete_state(self) -> None:
        """Removes the state folder; the process does not run."""
        shutil.rmtree(self.state_dir, ignore_errors=True)

    @property
    def runs(self) -> bool:
        """Tells whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def listens(self) -> bool:
        """Tells whether the process has a handler for SIGTERM by now (Linux, proc(5): SigCgt)."""
        if not self.runs:
            return False
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)

    @property
    def state_dir(self) -> Path:
        """Returns its state folder."""
        return self.folder / self.instance_id

    @property
    def log_file(self) -> Path:
        """Returns where it logs."""
        return self.folder / f"{self.instance_id}.log"


async def tell_to_stop(worker: Worker, seconds: float) -> None:
    """Sends SIGTERM once the process listens for it: while it still starts it would end by it, having done nothing."""
    await eventually(lambda: worker.listens or not worker.runs, seconds, f"{worker.instance_id} listens")
    worker.send(signal.SIGTERM)


@dataclass(frozen=True)
class Load:
    """A steady stream of records on the inputs, the same for the same seed."""

    bootstrap: str
    seed: int
    records_per_second: int

    async def run(self, enough: asyncio.Event) -> int:
        """Sends until `enough` is set, and returns the number sent; every one is acknowledged."""
        rng = random.Random(self.seed)
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True, linger_ms=5)
        await producer.start()
        sent, began = 0, asyncio.get_running_loop().time()
        try:
            while not enough.is_set():
                behind = int((asyncio.get_running_loop().time() - began) * self.records_per_second) - sent
                for _ in range(max(0, min(behind, 1000))):
                    key = f"key-{rng.randrange(_KEYS)}".encode()
                    await producer.send(
                        rng.choice(SOURCES), str(sent).encode(), key=key, partition=rng.randrange(PARTITIONS)
                    )
                    sent += 1
                await asyncio.sleep(0.01)  # spaces the load; nothing is tested by it
            await producer.flush()
        finally:
            await producer.stop()
        return sent


async def read_topic(bootstrap: str, topic: str, isolation: str = "read_committed") -> dict[int, list[StoredRecord]]:
    """Returns every record of the topic by partition."""
    consumer = _consumer(bootstrap, isolation)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        found: dict[int, list[StoredRecord]] = {number: [] for number in range(PARTITIONS)}
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                found[partition.partition].extend(
                    StoredRecord(record.offset, record.timestamp, record.key, record.value, record.headers)
                    for record in records
                )
        return found
    finally:
        await consumer.stop()


def _consumer(bootstrap: str, isolation: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        auto_offset_reset="none",
        retry_backoff_ms=_BACKOFF_MS,
    )


async def log_ends(
    bootstrap: str, topics: tuple[str, ...], isolation: str = "read_committed"
) -> dict[TopicPartition, int]:
    """Returns the offset after the last committed record or marker of every partition."""
    consumer = _consumer(bootstrap, isolation)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(
            [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        )
        return ends
    finally:
        await consumer.stop()


async def group_offsets(bootstrap: str, group: str) -> dict[TopicPartition, int]:
    """Returns the offsets the group has committed; waits where the broker is still making room for them."""
    offsets: dict[TopicPartition, int] = {}

    async def answered() -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await admin.start()
            found = await admin.list_consumer_group_offsets(group)
        except KafkaError as error:
            if not error.retriable:
                raise
            return False
        finally:
            await admin.close()
        offsets.update({partition: place.offset for partition, place in found.items()})
        return True

    await eventually(answered, _COORDINATOR_SECONDS, f"the broker knows the offsets of {group}")
    return offsets


async def eventually(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Returns once the (async) condition holds; fails after the limit."""
    limit = time.monotonic() + seconds
    while True:
        result = condition()
        if await result if asyncio.iscoroutine(result) else result:
            return
        if time.monotonic() > limit:
            message = f"not within {seconds} s: {what}"
            raise AssertionError(message)
        await asyncio.sleep(0.1)  # between looks at the condition


__all__ = [
    "CRASH_POINTS",
    "EXPECTED_EXITS",
    "INTAKE",
    "Load",
    "Worker",
    "eventually",
    "group_offsets",
    "log_ends",
    "read_topic",
    "tell_to_stop",
]
