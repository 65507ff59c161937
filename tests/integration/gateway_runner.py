"""A gateway as a process of its own, and what it wrote to its topics."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.gateway.clients.clients import ClientKind, NewClient, open_clients
from connectors.gateway.publisher import OutgoingRecord
from connectors.kafka.topics import describe
from schemas.codec import codec
from schemas.topics import entry_of, kafka_name
from tests.unit.gateway.prepared import ROOT

if TYPE_CHECKING:
    from connectors.gateway.settings import GatewaySettings
    from connectors.kafka.connection import KafkaConnection

READY_TIME_MAX = timedelta(seconds=60)


@dataclass
class Process:
    """A gateway process and how to talk to it."""

    settings: GatewaySettings
    crash_file: Path
    port: int = field(default_factory=lambda: free_port())  # noqa: PLW0108 it is defined below
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        arguments = [self.settings.model_dump_json(), str(self.port), str(self.crash_file)]
        command = [sys.executable, "-m", "tests.integration.gateway_process", *arguments]
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_TIME_MAX.total_seconds()
        while not self._is_ready():
            assert self.running.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)  # between looks at the condition

    @property
    def log(self) -> Path:
        """Returns the file of what it printed."""
        return self.crash_file.with_name("gateway.log")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Returns the running process."""
        assert self.running is not None
        return self.running

    def client(self, kind: ClientKind = ClientKind.SOURCE, name: str = "region-h") -> httpx.Client:
        """Returns an HTTP client with a new token."""
        legal = {"data_controller": "Region H", "legal_basis": "Sundhedsloven §43"}
        new = NewClient(kind=kind, name=name, any_sender=kind is ClientKind.SOURCE, **legal)
        token = open_clients(self.settings.ledger_database).create(new, datetime.now(UTC))
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"authorization": f"Bearer {token}"}, timeout=60
        )

    def stop(self) -> None:
        """Stops it, as an operator would."""
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()
            self.running.wait(30)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


def peak_bytes(pid: int) -> int:
    """Returns the most memory that a process has held so far (Linux, proc(5))."""
    status = Path("/proc", str(pid), "status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def records_of(connection: KafkaConnection, topic: str, gateway: Process) -> list[OutgoingRecord]:
    """Returns a topic's records of the young people whom this gateway's vault allotted."""
    ours = youth_ids_of(gateway)
    return [record for record in asyncio.run(read_topic(connection, topic)) if record.key in ours]


def event_ids_of(connection: KafkaConnection, topic: str, gateway: Process) -> Counter[str]:
    """Returns how often each event id stands on a topic among this gateway's records."""
    model = entry_of(topic).model
    assert model is not None
    records = records_of(connection, topic, gateway)
    return Counter(codec(model).decode_raw(record.value)["event_id"] for record in records)


def youth_ids_of(gateway: Process) -> set[bytes]:
    # The vault offers no list of young people, and none is wanted.
    rows = sqlite3.connect(gateway.settings.data_folder / "vault.sqlite").execute("SELECT youth_id FROM youth_index")
    return {row[0].encode() for row in rows}


async def read_topic(connection: KafkaConnection, topic: str) -> list[OutgoingRecord]:
    """Returns everything on a topic, per partition in order."""
    name = kafka_name(topic)
    count = describe(connection, [name])[name].partitions
    consumer = AIOKafkaConsumer(**connection.for_aiokafka(), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(count)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        left = {partition for partition in partitions if ends[partition]}
        records: list[OutgoingRecord] = []
        while left:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records += [OutgoingRecord(topic, one.key, one.value, tuple(one.headers)) for one in batch]
            left = {partition for partition in left if await consumer.position(partition) < ends[partition]}
        return records
    finally:
        await consumer.stop()
