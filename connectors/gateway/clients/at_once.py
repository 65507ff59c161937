"""Counts what each client has under way at once, such as requests and streams, from before it begins until it ends."""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

_HELD = "held"


class AtOnce:
    """Lets each client have only so many of something at once. Not shared between processes."""

    def __init__(self, per_client_max: int) -> None:
        """Takes how many."""
        self.per_client_max = per_client_max
        self._under_way: Counter[str] = Counter()

    def begin(self, request: Request, client_id: str) -> bool:
        """Counts one more until the request's answer has ended; False, uncounted, where it is one too many.

        Asking and counting are one step, so that of many requests sent at once none slips through.
        """
        if self._under_way[client_id] >= self.per_client_max:
            return False
        self._under_way[client_id] += 1
        held: ExitStack = request.scope[_HELD]
        held.callback(self._end, client_id)
        return True

    def _end(self, client_id: str) -> None:
        self._under_way[client_id] -= 1
        if not self._under_way[client_id]:
            del self._under_way[client_id]


class Slots:
    """Gives out a few slots for what costs much, one to a client: whoever keeps theirs long keeps nobody else out."""

    def __init__(self, count: int) -> None:
        """Takes how many there are."""
        self._free = asyncio.Semaphore(count)
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @asynccontextmanager
    async def of(self, client_id: str) -> AsyncIterator[None]:
        """Waits for a slot, behind what the same client has under way, and holds it."""
        async with self._turns.setdefault(client_id, asyncio.Lock()), self._free:
            yield


class UntilAnswered:
    """Middleware: lets go of what a request holds once its answer has ended, however it ended."""

    def __init__(self, app: ASGIApp) -> None:
        """Takes the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the application."""
        with ExitStack() as held:
            scope[_HELD] = held
            await self._app(scope, receive, send)
