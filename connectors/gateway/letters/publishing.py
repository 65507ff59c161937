"""Publishes what a MedCom letter says, whichever door it came through: kept first, confirmed, then done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from connectors.gateway.publisher import Published
from connectors.gateway.statements.reading import record_of
from connectors.vault.identities import PersonUpdate
from connectors.vault.tables import ErasedMeanwhileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.gateway.letters.receipts import MessageFingerprint
    from connectors.gateway.ports import Desk
    from connectors.person_details import PersonDetails
    from schemas.events import EventHeader


async def publish_letter(
    desk: Desk,
    letter: MessageFingerprint,
    events: Sequence[tuple[str, EventHeader]],
    details: PersonDetails,
    recorded_at: datetime,
) -> bool:
    """Returns whether the broker has confirmed a letter's events, whose receipt is open; if so it is marked done.

    The vault keeps whom the letter is about before anything is published, and the ``persons`` event goes first. Raises
    what the stores raise; of somebody who was erased in between nothing is published, and the letter may come again.
    """
    _, first = events[0]
    if first.youth_id is not None:
        await _keep(desk, letter, PersonUpdate(first.youth_id, details, first.sent_at))
    records = [
        record_of(topic, event.model_copy(update={"recorded_at": recorded_at}))
        for topic, event in sorted(events, key=lambda entry: entry[0] != "persons")
    ]
    if not isinstance(await desk.publish(records), Published):
        return False
    await asyncio.to_thread(desk.receipts.close, letter)
    return True


async def _keep(desk: Desk, letter: MessageFingerprint, stated: PersonUpdate) -> None:
    try:
        await asyncio.to_thread(desk.identities.keep, [stated])
    except ErasedMeanwhileError:
        await asyncio.to_thread(desk.receipts.withdraw, letter)
        raise
