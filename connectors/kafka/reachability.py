"""Whether the brokers do their part now: asked again and again, and said in the log whenever that changes."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from connectors.contact import Contact
from connectors.kafka.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiokafka.cluster import ClusterMetadata

    from connectors.kafka.connection import KafkaConnection

LOOK = timedelta(seconds=2)
_ANSWER_MAX = timedelta(seconds=2)
#: The client gives up by itself before this, which closes its connection; this is for where it doesn't.
_CUT_OFF = timedelta(seconds=3)


class Probe(Protocol):
    """Asks the brokers once."""

    async def fault(self) -> str | None:
        """Returns what is wrong as a word, None where nothing is; within three seconds, and never raises."""
        ...  # pragma: no cover

    async def close(self) -> None:
        """Closes what it has open."""
        ...  # pragma: no cover


class MetadataProbe:
    """Asks one broker which partitions have leaders; each of ours has to have one, or nothing can be written there."""

    def __init__(self, connection: KafkaConnection, topics_begin: str) -> None:
        """Takes where the brokers are, and how the names of the topics begin that matter."""
        self._connection = connection
        self._topics_begin = topics_begin
        self._client: AIOKafkaClient | None = None

    async def fault(self) -> str | None:
        """Asks over the connection that is open, a new one after each fault; see ``Probe``."""
        try:
            async with asyncio.timeout(_CUT_OFF.total_seconds()):
                if self._client is None:
                    self._client = AIOKafkaClient(
                        **self._connection.for_aiokafka(),
                        request_timeout_ms=int(_ANSWER_MAX.total_seconds() * 1000),
                    )
                    await self._client.bootstrap()
                found = await self._client.fetch_all_metadata()
        except (TimeoutError, KafkaError, OSError) as error:
            await self.close()
            return type(error).__name__
        return "partition_without_leader" if self._lacks_leader(found) else None

    async def close(self) -> None:
        """Closes the connection; the next question opens another."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _lacks_leader(self, found: ClusterMetadata) -> bool:
        ours = [topic for topic in found.topics() if topic.startswith(self._topics_begin)]
        return any(found.available_partitions_for_topic(one) != found.partitions_for_topic(one) for one in ours)


class BrokerWatch:
    """Asks every two seconds, and says in the log when it lost and found them. ``ready`` is what was answered last."""

    def __init__(self, probe: Probe) -> None:
        """Takes what asks."""
        self._probe = probe
        self._contact = Contact("broker")

    @property
    def ready(self) -> bool:
        """Returns whether what needs the brokers can do its work now; False before the first answer."""
        return self._contact.is_there

    async def run(self) -> None:
        """Runs until it is cancelled; nothing that the brokers do ends it."""
        try:
            while True:
                self._contact.note(await self._probe.fault())
                await asyncio.sleep(LOOK.total_seconds())
        finally:
            await self._probe.close()


def require_broker(connection: KafkaConnection) -> None:
    """Returns once a broker has answered; raises BrokerUnavailableError after three seconds at most. Blocks."""
    # In a thread of its own, which has no loop yet, wherever this is called.
    with ThreadPoolExecutor(1) as elsewhere, _without_the_clients_own_words():
        fault = elsewhere.submit(lambda: asyncio.run(_fault_once(connection))).result()
    if fault is not None:
        raise BrokerUnavailableError(
            f"no Kafka broker answers at {connection.bootstrap} ({fault}): check that it runs, that KAFKA_BOOTSTRAP "
            "names it, and that user and certificates are right; `brobygger doctor` tells what else is down"
        )


async def _fault_once(connection: KafkaConnection) -> str | None:
    # Partitions without leaders are each command's own affair: it may be what they are mended with.
    probe = MetadataProbe(connection, topics_begin="\0")
    try:
        return await probe.fault()
    finally:
        await probe.close()


@contextmanager
def _without_the_clients_own_words() -> Iterator[None]:
    """Keeps the client from printing what it tried: the error says it once, and what to do."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
