"""The service for tests: a real broker, real workers, statements published as the gateway publishes them."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from connectors.kafka.connection import KafkaConnection
from connectors.vault.keys import create_keys
from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.events import EventHeader
from schemas.outputs import HandoverEvent, Notice
from schemas.topics import kafka_name, short_name
from streams.cli.up import free_port
from streams.demo.watching import OutputWatch
from streams.log.reading import open_consumer
from streams.provision import apply_programmes, create_topics, receiving_programmes, set_calendar
from streams.settings import Settings
from streams.supervision import Child, stop_all, wait_until_ready

_TOPIC_OF = {
    "Discharge": "discharges",
    "Referral": "referrals",
    "Enrolment": "enrolments",
    "Consent": "consents",
    "Person": "persons",
    "Reply": "replies",
    "Intervention": "interventions",
}
_READY_MAX = timedelta(seconds=90)
_FOLDED_MAX_SECONDS = 90


@dataclass
class Service:
    """A running service. The calendar runs ahead of the clock by ``ahead``."""

    settings: Settings
    connection: KafkaConnection
    watch: OutputWatch
    workers: list[Child] = field(default_factory=list)
    ahead: timedelta = timedelta()
    worker_connection: KafkaConnection | None = None

    def start_workers(self, count: int = 2) -> None:
        """Starts workers and blocks until all partitions are ready."""
        for number in range(len(self.workers), count):
            self.workers.append(self._worker(number + 1))
        for worker in self.workers:
            if worker.process is None or worker.ended() is not None:
                worker.start()
        wait_until_ready(self.workers, _READY_MAX, threading.Event())

    def stop_workers(self) -> None:
        """Stops all workers in order."""
        stop_all(self.workers)

    def kill_worker(self, number: int) -> None:
        """Kills a worker at once; it is not started again by itself."""
        os.kill(self.workers[number].pid, signal.SIGKILL)
        process = self.workers[number].process
        assert process is not None
        process.wait()

    async def publish(self, events: Iterable[EventHeader]) -> None:
        """Publishes statements, each confirmed by the broker."""
        producer = AIOKafkaProducer(**self.connection.for_aiokafka(), enable_idempotence=True, acks="all")
        await producer.start()
        try:
            for event in events:
                topic = kafka_name(_TOPIC_OF[type(event).__name__])
                assert event.youth_id is not None
                value = codec(type(event)).encode(event)
                headers = headers_of(event, topic)
                await producer.send_and_wait(topic, value, key=event.youth_id.encode(), headers=headers)
        finally:
            await producer.stop()

    async def wait_until_folded(self) -> None:
        """Blocks until all that was published is folded and committed."""
        await asyncio.wait_for(self.watch.wait_until_folded(), _FOLDED_MAX_SECONDS)

    async def wait_until_intake_folded(self) -> None:
        """Blocks until the intake log is folded to its end; what stands on the sources' topics may not be in it yet."""
        async with asyncio.timeout(_FOLDED_MAX_SECONDS):
            while not await self.watch.intake_folded():  # noqa: ASYNC110 - the broker is asked; it sets no event here
                await asyncio.sleep(0.05)

    async def set_calendar(self, moment: datetime) -> None:
        """Sets the calendar."""
        await set_calendar(self.connection, self.settings.partitions, moment)
        self.ahead = moment - datetime.now(UTC)

    async def step_to(self, moment: datetime) -> None:
        """Sets the calendar, and blocks until what is due then has fired."""
        await self.wait_until_folded()
        await self.set_calendar(moment)
        await self.wait_until_folded()

    async def said(self) -> list[tuple[str, dict[str, Any]]]:
        """Returns (topic, record) of every committed handover record and notice, in log order per partition."""
        names = ["notices", *(f"handovers.{one}" for one in receiving_programmes(self.settings))]
        partitions = [
            TopicPartition(kafka_name(name), number) for name in names for number in range(self.settings.partitions)
        ]
        found: list[tuple[str, dict[str, Any]]] = []
        async for topic, record in committed_records(self.connection, partitions):
            model = Notice if topic == kafka_name("notices") else HandoverEvent
            found.append((short_name(topic), codec(model).decode_raw(record.value)))
        return found

    def _worker(self, number: int) -> Child:
        name, port = f"worker-{number}", free_port()
        environment = {
            **os.environ,
            **(self.worker_connection or self.connection).as_variables(),
            "BROBYGGER_DATA": str(self.settings.data_folder),
            "BROBYGGER_PARTITIONS": str(self.settings.partitions),
        }
        arguments = ["worker", "--instance-id", name, "--health-port", str(port)]
        log = self.settings.log_folder / f"{name}.log"
        return Child(name, arguments, environment, log, f"http://127.0.0.1:{port}/ready")


async def committed_records(
    connection: KafkaConnection, partitions: list[TopicPartition]
) -> AsyncIterator[tuple[str, Any]]:
    """Yields (topic, record) of everything committed in the partitions, to their ends as they are now."""
    consumer = open_consumer(connection)
    await consumer.start()
    try:
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        left = {one for one in partitions if begins[one] < ends[one]}
        consumer.assign(left)
        for partition in left:
            consumer.seek(partition, begins[partition])
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    yield partition.topic, record
            left = {one for one in left if await consumer.position(one) < ends[one]}
    finally:
        await consumer.stop()


@asynccontextmanager
async def a_service(
    folder: Path, where: str | KafkaConnection, partitions: int = 4, settle_seconds: int = 900
) -> AsyncIterator[Service]:
    """Provisions a fresh cluster and yields the service without workers; stops them in the end."""
    connection = KafkaConnection(bootstrap=where) if isinstance(where, str) else where
    settings = Settings(
        data_folder=folder,
        kafka=connection,
        partitions=partitions,
        calendar_allowed=True,
        settle_seconds=settle_seconds,
    )
    create_keys(settings.keys_folder)
    await asyncio.to_thread(create_topics, settings, connection)
    await apply_programmes(settings, connection)
    async with OutputWatch(settings, connection, receiving_programmes(settings)) as watch:
        service = Service(settings, connection, watch)
        try:
            yield service
        finally:
            stop_all(service.workers)
