"""Closes connections whose clients have stopped, so that a limit on connections never keeps everybody out.

A client that has begun something goes on with it within ``Limits.silence_max``: sends the head of a request, the rest
of a body that is answered already, takes what it asked for. Between requests it may rest for ``Limits.idle_max``;
while more than half of the places are taken, no longer than for the other. Where all places are taken, a new
connection gets the place of the one whose client has been waited for longest. Requests that are worked on, and streams
that wait for events, keep theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Iterator

    from connectors.gateway.settings import Limits

# Of what waits to be taken, so much has to go within ``silence_max``: some six kilobytes a second.
_TAKEN_BYTES_MIN = 64 * 1024
_SAID_EVERY_SECONDS = 60
_log = structlog.get_logger(__name__)


class WaitsFor(StrEnum):
    """What a connection waits for from its client."""

    HEAD = "head"
    NEXT_REQUEST = "next_request"
    BODY = "body"
    REST_OF_BODY = "rest_of_body"
    TAKING = "taking"


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait for a client: in which request, since when, and how much was not taken then."""

    what: WaitsFor
    request: object
    since_seconds: float
    untaken_bytes: int

    def is_same(self, other: Wait) -> bool:
        """Tells whether the client has done nothing, or too little, between this look and the other, later one."""
        taken = self.untaken_bytes - other.untaken_bytes
        return self.what is other.what and self.request is other.request and taken < _TAKEN_BYTES_MIN


class ClientConnection(H11Protocol):
    """uvicorn's connection, which knows what it waits for; ``wait`` is None while it waits for nothing of its client's.

    ``wait`` is as the last ``look`` found it.
    """

    def __init__(self, watch: ConnectionWatch, **given: Any) -> None:
        """Takes the watch over all connections, and what uvicorn gives."""
        super().__init__(**given)
        self._watch = watch
        self.wait: Wait | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Gets a place, of another connection where there is none."""
        super().connection_made(transport)
        self._watch.make_room(self.connections - {self})
        self.look(self._watch.clock_seconds())

    def resume_writing(self) -> None:
        """Goes on writing: the client has taken enough."""
        self.wait = None
        super().resume_writing()

    def look(self, now_seconds: float) -> None:
        """Notes what it waits for, and since when."""
        what = self._waits_for()
        if what is None:
            self.wait = None
            return
        found = Wait(what, self.cycle, now_seconds, self.transport.get_write_buffer_size())
        if self.wait is None or not self.wait.is_same(found):
            self.wait = found

    def end(self) -> None:
        """Closes it, without waiting for what its client has not taken."""
        self.connections.discard(self)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _waits_for(self) -> WaitsFor | None:
        if self.transport.get_write_buffer_size():
            return WaitsFor.TAKING
        if self.conn.their_state is h11.IDLE:
            begun = self.cycle is None or bool(self.conn.trailing_data[0])
            return WaitsFor.HEAD if begun else WaitsFor.NEXT_REQUEST
        if self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete:
            return WaitsFor.REST_OF_BODY
        if self.conn.their_state is h11.SEND_BODY and not self.cycle.body:
            return WaitsFor.BODY
        return None


class ConnectionWatch:
    """Looks at all connections of a server, and ends those whose time is up, or whose place another needs."""

    def __init__(self, limits: Limits, clock_seconds: Callable[[], float]) -> None:
        """Takes the limits and a clock that never goes back."""
        self.clock_seconds = clock_seconds
        self._places = limits.connections_max
        self._silence_seconds_max = limits.silence_max.total_seconds()
        self._idle_seconds_max = limits.idle_max.total_seconds()
        self._given_way, self._said_at_seconds = 0, -math.inf

    def look(self, connections: Iterable[asyncio.Protocol]) -> None:
        """Ends the connections that have waited too long; those that wait for a body are its reader's to end."""
        now, known = self.clock_seconds(), _known(connections)
        self._say_where_crowded(now)
        crowded = len(known) > self._places // 2
        for connection in known:
            connection.look(now)
            wait = connection.wait
            if wait is None or wait.what is WaitsFor.BODY:
                continue
            may_rest = wait.what is WaitsFor.NEXT_REQUEST and not crowded
            if now - wait.since_seconds >= (self._idle_seconds_max if may_rest else self._silence_seconds_max):
                connection.end()

    def make_room(self, others: Iterable[asyncio.Protocol]) -> None:
        """Ends one of the others where they have all places: the one whose client has been waited for longest.

        Of more than one where more came at once than there are places for.
        """
        known, now = _known(others), self.clock_seconds()
        too_many = len(known) + 1 - self._places
        if too_many <= 0:
            return
        for connection in chain(self._waiting_since(known, now), self._waiting_now(known, now)):
            connection.end()
            self._given_way += 1
            too_many -= 1
            if not too_many:
                return

    def _say_where_crowded(self, now: float) -> None:
        if self._given_way and now - self._said_at_seconds >= _SAID_EVERY_SECONDS:
            _log.warning("connections_crowded", gave_way=self._given_way, places=self._places)
            self._given_way, self._said_at_seconds = 0, now

    def _waiting_since(self, known: list[ClientConnection], now: float) -> Iterator[ClientConnection]:
        """Yields those that have waited since before the last look, the longest first."""
        for connection in sorted((one for one in known if one.wait is not None), key=_waits_since):
            connection.look(now)
            if connection.wait is not None and connection.wait.since_seconds < now:
                yield connection

    def _waiting_now(self, known: list[ClientConnection], now: float) -> Iterator[ClientConnection]:
        """Yields those that have begun to wait since they were last looked at."""
        for connection in known:
            connection.look(now)
            if connection.wait is not None and connection.wait.since_seconds == now:
                yield connection


def _known(connections: Iterable[asyncio.Protocol]) -> list[ClientConnection]:
    return [connection for connection in connections if isinstance(connection, ClientConnection)]


def _waits_since(connection: ClientConnection) -> float:
    assert connection.wait is not None, "those that wait alone are in line"  # noqa: S101
    return connection.wait.since_seconds
