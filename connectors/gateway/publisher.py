"""Publishes events and waits until the broker has them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.topics import kafka_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.kafka.connection import KafkaConnection

_RECONNECT_PAUSE = timedelta(seconds=1)
_PROBE_TIME_MAX = timedelta(seconds=2)
_STOP_TIME_MAX = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """One record to publish; ``topic`` is the catalogue's short name."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """The broker has confirmed every record."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The broker has not confirmed every record in time; some may be there all the same, or come later."""

    reason: str


class Publisher(Protocol):
    """Publishes records."""

    async def start(self) -> None:
        """Returns at once, whether or not the broker can be reached; it is tried again in the background."""
        ...  # pragma: no cover

    async def publish(self, records: Sequence[OutgoingRecord]) -> Published | Unavailable:
        """Sends the records in their order and waits for every confirmation, for a bounded time.

        Never raises for what the broker does. After ``Unavailable`` the caller may publish the same again:
        readers deduplicate by event id.
        """
        ...  # pragma: no cover

    async def is_reachable(self) -> bool:
        """Tells, within two seconds, whether the broker answers."""
        ...  # pragma: no cover

    async def stop(self) -> None:
        """Sends what is waiting, for a bounded time, and closes the connection."""
        ...  # pragma: no cover


class KafkaPublisher:
    """One idempotent producer: the broker stores a retried send once, in all its replicas."""

    def __init__(self, connection: KafkaConnection, publish_time_max: timedelta) -> None:
        """Takes where the broker is, and how long one ``publish`` may wait."""
        self._connection = connection
        self._publish_seconds_max = publish_time_max.total_seconds()
        self._producer: AIOKafkaProducer | None = None
        self._connecting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connects in the background; see ``Publisher``."""
        self._connecting = asyncio.create_task(self._connect())

    async def publish(self, records: Sequence[OutgoingRecord]) -> Published | Unavailable:
        """Sends the records and waits for every confirmation; see ``Publisher``."""
        producer = self._producer
        if producer is None:
            return Unavailable("not_connected")
        try:
            async with asyncio.timeout(self._publish_seconds_max):
                await _send_all(producer, records)
        except TimeoutError:
            return Unavailable("timed_out")
        except KafkaError as error:
            if not error.retriable:
                # An idempotent producer that lost its sequence refuses everything from then on.
                await self._reconnect(producer)
            return Unavailable(type(error).__name__)
        return Published()

    async def is_reachable(self) -> bool:
        """Tells, within two seconds, whether the broker answers."""
        if self._producer is None:
            return False
        try:
            async with asyncio.timeout(_PROBE_TIME_MAX.total_seconds()):
                await self._producer.client.fetch_all_metadata()
        except (TimeoutError, KafkaError):
            return False
        return True

    async def stop(self) -> None:
        """Closes the connection; see ``Publisher``."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._producer is not None:
            await _close(self._producer)
            self._producer = None

    async def _connect(self) -> None:
        while self._producer is None:
            producer = AIOKafkaProducer(
                **self._connection.for_aiokafka(),
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                request_timeout_ms=int(self._publish_seconds_max * 1000),
            )
            try:
                await producer.start()
            except KafkaError as error:
                _log.warning("broker_unreachable", error=type(error).__name__)
                await _close(producer)
                await asyncio.sleep(_RECONNECT_PAUSE.total_seconds())
            except asyncio.CancelledError:
                await _close(producer)
                raise
            else:
                self._producer = producer

    async def _reconnect(self, broken: AIOKafkaProducer) -> None:
        if self._producer is not broken:
            return
        self._producer = None
        await self.start()
        await _close(broken)


async def _send_all(producer: AIOKafkaProducer, records: Sequence[OutgoingRecord]) -> None:
    deliveries = [
        await producer.send(kafka_name(record.topic), record.value, record.key, headers=list(record.headers))
        for record in records
    ]
    outcomes = await asyncio.gather(*deliveries, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _close(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_STOP_TIME_MAX.total_seconds()):
            await producer.stop()
