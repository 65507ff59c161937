"""What every way in has to bring, so that one suite can hold all of them to the same promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streams.cli.sending.door_answers import Finality, GatewayResponse, finality_of, submission_result_of
from tests.unit.gateway.builders import Gateway


class NotNow(Exception):  # noqa: N818 an answer that is no receipt, and no error either
    """Raised by a way where the answer is that it can't be taken now: nothing was lost, and it may come again."""


@dataclass(frozen=True)
class Receipt:
    """What the sender holds afterwards: whether all was taken, and the receipt's bytes."""

    is_taken: bool
    content: bytes


class Sending(Protocol):
    """Sends bytes by one way, as one client does again and again."""

    async def __call__(self, content: bytes) -> Receipt:
        """Returns the receipt; raises NotNow where there is none yet."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class WayIn:
    """A connector at its door.

    ``opened`` readies a gateway and returns how a client of its own sends; ``good`` is taken whole and becomes
    ``events`` on ``topic``; ``bad`` is refused whole; ``is_own`` tells a receipt in the sender's own format.
    """

    name: str
    opened: Callable[[Gateway, Path], Sending]
    good: bytes
    bad: bytes
    topic: str
    is_own: Callable[[bytes], bool]
    events: int = 1


def receipt_of(answered: GatewayResponse) -> Receipt:
    """Returns what a door's answer is to its sender; raises NotNow."""
    if finality_of(answered) is Finality.TRANSIENT:
        raise NotNow
    return Receipt(answered.status < 400 and not submission_result_of(answered).refused, answered.content)
