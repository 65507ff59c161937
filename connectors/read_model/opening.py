"""Puts the read model together: database, projector and those who wait, opened and closed with the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.read_model.answers import Answers
from connectors.read_model.arrivals import Arrivals
from connectors.read_model.projector import Projector
from connectors.read_model.tables import open_read_model

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connectors.read_model.feed import TopicFeed
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

    async def close(self) -> None:
        """Ends projecting and closes the database."""
        self.end_waiting()
        await self.projector.stop()
        self.engine.dispose()


def read_model_at(url: str, feed: TopicFeed, tally: Tally) -> ReadModel:
    """Returns the read model of a database, projected once its projector is started; the broker need not be there.

    Blocks, and raises ReadModelUnavailableError where the database can't be opened.
    """
    engine = open_read_model(url)
    answers, arrivals = Answers(engine), Arrivals()
    return ReadModel(engine, answers, arrivals, Projector(engine, feed, (answers, arrivals), tally))
