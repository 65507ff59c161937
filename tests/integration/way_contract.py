"""What each way to receive and to answer has to offer a programme, so that the same tests run over all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

PROGRAMME, SITE = "headspace", "koebenhavn"
ANSWERS = ("reply_accepted", "reply_refused")
_SECONDS_MAX = 90
_POLL_SECONDS = 0.05
Found = TypeVar("Found")
Event = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """What became of an answer: ``reason`` is why it was refused, ``state`` is the handover's behind it."""

    accepted: bool
    reason: str | None
    state: str | None


@dataclass(frozen=True)
class Offer:
    """What a programme has to know of an offer: what is wanted and why, about whom, where, and by when to answer."""

    need_kind: str
    trigger: str
    identity: str
    age_band: str
    municipality: str
    site: str
    reply_by: datetime


class Way(Protocol):
    """One way, from the programme's side."""

    @property
    def text(self) -> str:
        """Returns all that has come so far, as it came."""

    async def told(self, handover_id: str, count: int) -> list[str]:
        """Returns what was said about a handover, in the order in which it came, once at least so much has come."""

    async def offer(self, handover_id: str) -> Offer:
        """Returns the offer of a handover, which was told of."""

    async def answer(self, handover_id: str, status: str, key: str | None = None, **fields: str) -> Answered:
        """Answers a handover and returns what became of that; with the key of an earlier answer, the same again."""

    async def tell_free_places(self, places: int) -> None:
        """Tells how many places are free at the programme's site; returns once that is taken."""

    def away(self) -> AbstractAsyncContextManager[None]:
        """Returns a time in which nothing of the programme's runs; behind it, it is back and goes on."""


@dataclass
class Received:
    """The records that have come by a way that brings records, each as often as it came."""

    events: list[Event] = field(default_factory=list)
    text: str = ""

    def of(self, handover_id: str) -> list[Event]:
        """Returns a handover's records, as they came."""
        return [one for one in self.events if one["subject"] == handover_id]

    def told(self, handover_id: str, count: int) -> list[str] | None:
        """Returns what was said about a handover, None while less than ``count`` has come."""
        said = [one["type"] for one in self.of(handover_id)]
        return said if len(said) >= count else None

    def offer(self, handover_id: str) -> Offer:
        """Returns a handover's one offer."""
        [event] = [one for one in self.of(handover_id) if one["type"] == "offered"]
        return Offer(
            **{name: str(event[name]) for name in ("need_kind", "trigger", "identity", "age_band")},
            municipality=event["municipality"],
            site=event["site"],
            reply_by=datetime.fromisoformat(event["reply_by"]),
        )


async def until(found: Callable[[], Awaitable[Found | None]]) -> Found:
    """Returns the first answer that is not None; fails where none comes in a minute and a half."""
    async with asyncio.timeout(_SECONDS_MAX):
        while (answer := await found()) is None:  # noqa: ASYNC110 - the service is asked; it sets no event here
            await asyncio.sleep(_POLL_SECONDS)
    return answer
