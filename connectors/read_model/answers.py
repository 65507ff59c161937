"""Waits for the answers to replies: each comes on its programme's topic and names the reply as its cause."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from connectors.read_model.tables import HANDOVER_EVENTS, reading
from schemas.outputs import ANSWERS, HandoverEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta
    from uuid import UUID

    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """One projected record of a programme's topic; ``record`` is its JSON form, placed and whole."""

    programme: str
    partition: int
    offset: int
    record: dict[str, Any]

    @property
    def event(self) -> HandoverEvent:
        """Returns what it says."""
        return HandoverEvent.model_validate(self.record["event"])


class Answers:
    """Hands each answer to whoever waits for it; lives on one event loop."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the read model's database."""
        self._engine = engine
        self._waiting: dict[str, set[asyncio.Future[TopicRecord | None]]] = {}
        self._ended = False

    async def answer_to(self, event_id: UUID, time_max: timedelta) -> TopicRecord | None:
        """Returns the answer to the reply with that event id, or None where none came in time.

        An answer is a HandoverEvent with that ``causation_id`` that accepts, refuses or grants. It may be of any
        programme: whoever asks compares ``programme``. Raises ReadModelUnavailableError.
        """
        cause = str(event_id)
        coming: asyncio.Future[TopicRecord | None] = asyncio.get_running_loop().create_future()
        # Waiting begins before looking, so that no answer is committed unseen between the two.
        self._waiting.setdefault(cause, set()).add(coming)
        try:
            known = await asyncio.to_thread(self._known, cause)
            if known is not None or self._ended:
                return known
            async with asyncio.timeout(time_max.total_seconds()):
                return await coming
        except TimeoutError:
            return None
        finally:
            self._leave(cause, coming)

    def tell(self, records: Iterable[TopicRecord]) -> None:
        """Wakes those who wait for any of the records, which are committed."""
        for one in records:
            event = one.record["event"]
            if event["type"] in ANSWERS and event["causation_id"] in self._waiting:
                self._wake(event["causation_id"], one)

    def end(self) -> None:
        """Sends everybody away without an answer, now and from now on: the process ends."""
        self._ended = True
        for cause in list(self._waiting):
            self._wake(cause, None)

    def _wake(self, cause: str, answer: TopicRecord | None) -> None:
        for coming in self._waiting[cause]:
            if not coming.done():
                coming.set_result(answer)

    def _leave(self, cause: str, coming: asyncio.Future[TopicRecord | None]) -> None:
        waiting = self._waiting[cause]
        waiting.discard(coming)
        if not waiting:
            del self._waiting[cause]

    def _known(self, cause: str) -> TopicRecord | None:
        events = HANDOVER_EVENTS.c
        wanted = (
            select(events.programme, events.partition, events.offset, events.record)
            .where(events.causation_id == cause, events.type.in_(sorted(ANSWERS)))
            .order_by(events.programme, events.partition, events.offset)
            .limit(1)
        )
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else TopicRecord(row.programme, row.partition, row.offset, row.record)
