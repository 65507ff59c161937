"""The fake publisher keeps the contract of the real one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.unit.gateway.builders import FakePublisher
from tests.unit.gateway.publisher_contract import PublisherContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.gateway.publisher import OutgoingRecord, Publisher


class TestFakePublisher(PublisherContract):
    @asynccontextmanager
    async def running(self, *, reachable: bool) -> AsyncIterator[Publisher]:
        publisher = FakePublisher()
        publisher.reachable = reachable
        await publisher.start()
        yield publisher
        await publisher.stop()

    async def published(self, publisher: Publisher, key: bytes) -> list[OutgoingRecord]:
        assert isinstance(publisher, FakePublisher)
        return [record for record in publisher.records if record.key == key]
