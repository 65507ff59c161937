"""Puts the read model together: database, projector and those who wait, opened and closed with the process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.read_model.answers import Answers
from connectors.read_model.arrivals import Arrivals
from connectors.read_model.projector import Projector
from connectors.read_model.tables import open_read_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Engine

    from connectors.read_model.feed import Feed
    from connectors.read_model.projector import Tally


@dataclass(frozen=True, slots=True)
class ReadModel:
    """The read model, opened."""

    engine: Engine
    answers: Answers
    arrivals: Arrivals
    projector: Projector

    def end_waiting(self) -> None:
        """Sends everybody away who waits or follows; a process calls it before it waits for its requests to end."""
        self.answers.end()
        self.arrivals.end()


@asynccontextmanager
async def opened_read_model(url: str, feed: Feed, tally: Tally) -> AsyncIterator[ReadModel]:
    """Yields the read model, being projected; the broker need not be there.

    Raises ReadModelUnavailableError where the database can't be opened.
    """
    engine = await asyncio.to_thread(open_read_model, url)
    answers, arrivals = Answers(engine), Arrivals()
    projector = Projector(engine, feed, (answers, arrivals), tally)
    projector.start()
    read_model = ReadModel(engine, answers, arrivals, projector)
    try:
        yield read_model
    finally:
        read_model.end_waiting()
        await projector.stop()
        engine.dispose()
