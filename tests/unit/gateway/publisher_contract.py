"""What every publisher does: run on the fake one here, and on the real one with a real broker."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from uuid import uuid4

from connectors.gateway.publisher import OutgoingRecord, Published, Publisher, Unavailable

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

TIME_MAX_SECONDS = 10


class PublisherContract(ABC):
    """The contract; a subclass says how to make a publisher and how to read what it published."""

    @abstractmethod
    def running(self, *, reachable: bool) -> AbstractAsyncContextManager[Publisher]:
        """Yields a started publisher whose broker is reachable, or is not."""

    @abstractmethod
    async def published(self, publisher: Publisher, key: bytes) -> list[OutgoingRecord]:
        """Returns what was published under a key, per topic in order."""

    async def test_delivered_records_are_there_as_they_were_given(self) -> None:
        key = uuid4().hex.encode()
        records = [
            OutgoingRecord("persons", key, b"1", (("ce_id", b"a"), ("ce_id", b"b"))),
            OutgoingRecord("discharges", key, b"2"),
            OutgoingRecord("discharges", key, b"3"),
            OutgoingRecord("persons", key, b"\x00"),
        ]
        async with self.running(reachable=True) as publisher:
            await _until_reachable(publisher)
            outcome = await publisher.publish(records)

            assert outcome == Published()
            found = await self.published(publisher, key)
        for topic in ("persons", "discharges"):
            wanted = [record for record in records if record.topic == topic]
            assert [record for record in found if record.topic == topic] == wanted

    async def test_publishing_again_publishes_again(self) -> None:
        key = uuid4().hex.encode()
        record = OutgoingRecord("discharges", key, b"1")
        async with self.running(reachable=True) as publisher:
            await _until_reachable(publisher)
            await publisher.publish([record])
            await publisher.publish([record])

            assert await self.published(publisher, key) == [record, record]

    async def test_nothing_to_publish_is_delivered(self) -> None:
        async with self.running(reachable=True) as publisher:
            await _until_reachable(publisher)

            assert await publisher.publish([]) == Published()

    async def test_an_unreachable_broker_is_an_answer_in_time_and_no_error(self) -> None:
        async with asyncio.timeout(TIME_MAX_SECONDS), self.running(reachable=False) as publisher:
            outcome = await publisher.publish([OutgoingRecord("discharges", b"k", b"1")])

            assert isinstance(outcome, Unavailable)
            assert await publisher.is_reachable() is False

    async def test_stopping_twice_is_stopping(self) -> None:
        async with self.running(reachable=True) as publisher:
            await publisher.stop()


async def _until_reachable(publisher: Publisher) -> None:
    for _ in range(TIME_MAX_SECONDS * 10):
        if await publisher.is_reachable():
            return
        await asyncio.sleep(0.1)  # between looks at the condition
    raise TimeoutError
