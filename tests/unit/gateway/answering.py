"""The domain for tests of doors: answers each reply that is published, on the log of the read model."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from schemas.codec import codec
from schemas.events import Reply
from schemas.topics import entry_of
from tests.unit.read_model.builders import an_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gateway.publisher import OutgoingRecord, Published, Unavailable
    from tests.unit.gateway.builders import Gateway


class FakeDomain:
    """Answers what is published from now on, as it is told to; each reply once."""

    def __init__(self, gateway: Gateway) -> None:
        self.answer: dict[str, Any] = {}
        self.replies: list[Reply] = []
        self._gateway, self._publish = gateway, gateway.publisher.publish
        self._offsets = count(1000)
        gateway.publisher.publish = self.publish  # type: ignore[method-assign]

    async def publish(self, records: Sequence[OutgoingRecord]) -> Published | Unavailable:
        """Publishes, and answers the replies among the records."""
        outcome = await self._publish(records)
        for record in records:
            if self._gateway.publisher.reachable and entry_of(record.topic).model is Reply:
                self._answer(codec(Reply).validated(codec(Reply).decode_raw(record.value)))
        return outcome

    def _answer(self, reply: Any) -> None:
        known = reply.event_id in {one.event_id for one in self.replies}
        self.replies.append(reply)
        if not known:
            own = {"programme": reply.programme, "youth_id": reply.youth_id} | self.answer
            self._gateway.log.append(an_answer(reply.event_id, place=(0, next(self._offsets)), **own))
