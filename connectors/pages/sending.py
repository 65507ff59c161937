"""Sends what a page decided through the gateway's own acceptance, each form once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from connectors.gateway.publisher import Unavailable
from connectors.gateway.statements.acceptance import accept_statements
from connectors.gateway.statements.ledger import DuplicateStatus
from connectors.gateway.statements.reading import record_of
from connectors.pages.problems import PageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.gateway.ports import Desk
    from connectors.pages.incoming_forms import Form
    from connectors.pages.visits import Visitor
    from schemas.events import EventHeader

ACT_FIELD = "act_id"
_TIMES = ("occurred_at", "sent_at", "recorded_at")


def new_act_id() -> str:
    """Returns the id that a form carries, so that the same form sent twice is one act."""
    return str(uuid4())


def act_id_of(form: Form) -> UUID:
    """Returns a form's act; raises PageError where it carries none."""
    try:
        return UUID(form.one(ACT_FIELD))
    except ValueError as error:
        raise PageError(400, "Formularen kunne ikke læses", "Gå tilbage, genindlæs siden, og prøv igen.") from error


async def send_reply(desk: Desk, visitor: Visitor, body: bytes) -> None:
    """Sends a reply as ``POST /events/replies`` does; returns once the broker has confirmed it.

    The same form sent again differs in its time alone; its act is known by then, and the first answer stands.
    Raises PageError where it is not taken.
    """
    [outcome] = await accept_statements(desk, visitor.client, "replies", [body])
    if outcome.outcome == "unavailable":
        raise not_sent()
    if outcome.refusal is not None and outcome.refusal.code != "conflicting_duplicate":
        raise PageError(
            422,
            "Svaret blev ikke registreret",
            f"Ring til driften, og oplys koden {outcome.refusal.code}. Intet er ændret.",
        )


async def publish_once(desk: Desk, topic: str, event: EventHeader, make: Callable[[], object] = str) -> bool:
    """Publishes an event as of the time at which it first came; False where it was published before.

    ``make`` blocks, and is called before the event counts as done, so that whoever repeats one that was cut off there
    gets what it makes all the same. Raises PageError where the broker doesn't confirm it, and the same form may be sent
    again; or where the event's id stands for something else.
    """
    said = event.model_dump_json(exclude=set(_TIMES))
    mark = (event.event_id, desk.fingerprints.of("page", topic, said))
    [entered] = await asyncio.to_thread(desk.ledger.enter, [mark], event.recorded_at)
    if entered.standing is DuplicateStatus.CONFLICTING:
        raise PageError(409, "Formularen er allerede brugt", "Gå tilbage, genindlæs siden, og udfyld en ny formular.")
    if entered.standing is DuplicateStatus.REPEATED:
        return False
    of_then = event.model_copy(update=dict.fromkeys(_TIMES, entered.recorded_at))
    if isinstance(await desk.publish([record_of(topic, of_then)]), Unavailable):
        raise not_sent()
    await asyncio.to_thread(make)
    await asyncio.to_thread(desk.ledger.finish, [event.event_id])
    return True


def not_sent() -> PageError:
    """Returns the error for what the broker did not confirm."""
    return PageError(503, "Det er ikke sendt", "Systemet kunne ikke modtage det. Gå tilbage, og prøv igen om lidt.")
