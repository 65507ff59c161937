"""Tells those who follow a programme's topic that something has come; lives on one event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta


class Arrival:
    """The next thing to come to a programme's topic, after the moment in which this was asked for."""

    def __init__(self) -> None:
        """Starts with nothing come."""
        self._come = asyncio.Event()

    def come(self) -> None:
        """Wakes all who wait."""
        self._come.set()

    async def wait(self, time_max: timedelta) -> bool:
        """Returns True once something came or the process ends, False where neither happened in time."""
        try:
            async with asyncio.timeout(time_max.total_seconds()):
                return await self._come.wait()
        except TimeoutError:
            return False


class Arrivals:
    """The next arrivals of all programmes. Keeps nothing of what came: that is read from the database."""

    def __init__(self) -> None:
        """Starts with nobody waiting."""
        self._next: dict[str, Arrival] = {}
        self.ended = False

    def next_for(self, programme: str) -> Arrival:
        """Returns the programme's next arrival. Ask for it before reading, so that nothing comes unseen between."""
        arrival = self._next.setdefault(programme, Arrival())
        if self.ended:
            arrival.come()
        return arrival

    def tell(self, programmes: Iterable[str]) -> None:
        """Wakes those who wait for any of the programmes."""
        for programme in programmes:
            if (arrival := self._next.pop(programme, None)) is not None:
                arrival.come()

    def end(self) -> None:
        """Wakes everybody, now and from now on: the process ends."""
        self.ended = True
        self.tell(list(self._next))
