"""Checks of what a programme's reply does: each is answered once, as its handover's state allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.codes import HandoverEventType, Identity, ReplyStatus
from schemas.instants import days_of
from tests.model.checks_of_folds import ANSWERS, Found, consents_told, is_silent, to_programmes
from tests.model.ledger import FOLDED, Handed, Ledger
from tests.model.reference import (
    forbidden_beyond_doubt,
    is_carried_beyond_doubt,
)
from tests.model.reference_needs import (
    REPLIES,
)
from tests.model.steps import local_of
from tests.model.world import Seen

WAITLIST_DAYS = 366


def replies_are_answered(ledger: Ledger, seen: Seen) -> Found:
    """Every reply is answered once; what the table allows is accepted, what it doesn't is refused with a reason."""
    if seen.model != "Reply" or seen.outcome not in FOLDED:
        return
    event = seen.event
    answers = [fields for _, fields in to_programmes(seen) if fields["causation_id"] == event["event_id"]]
    mine = [fields for fields in answers if fields["type"] in ANSWERS]
    if event["status"] in (ReplyStatus.UNDELIVERABLE, ReplyStatus.UNKNOWN) or event["event_id"] in ledger.firsts:
        return
    if len(mine) != 1:
        yield f"reply {event['status']} was answered {len(mine)} times"
        return
    yield from _right_answer(ledger, seen, mine[0])


def _right_answer(ledger: Ledger, seen: Seen, answer: dict[str, Any]) -> Found:
    event, refused = seen.event, answer["type"] == HandoverEventType.REPLY_REFUSED
    handed = ledger.handovers.get(event["subject"])
    if event["status"] == ReplyStatus.CODE_CLAIMED:
        return
    held = handed is not None and any(one.handover_id == handed.handover_id for one in seen.before.handovers)
    follows = REPLIES.get((handed.state, event["status"])) if handed and held else None
    if handed is None or handed.programme != event["programme"]:
        follows = None
    if follows is None or handed is None:
        if not refused:
            yield f"reply {event['status']} in state {handed.state if handed else None} was {answer['type']}"
        elif not answer["reason_code"]:
            yield f"reply {event['status']} refused without a reason"
        return
    yield from _allowed_answer(ledger, seen, handed, answer, follows)


def _allowed_answer(ledger: Ledger, seen: Seen, handed: Handed, answer: dict[str, Any], follows: str) -> Found:
    event, refused = seen.event, answer["type"] == HandoverEventType.REPLY_REFUSED
    if event["status"] == ReplyStatus.WAITLISTED:
        until = event["waitlisted_until"]
        today = days_of(local_of(seen.now).date())
        allowed = until is not None and today <= until <= today + WAITLIST_DAYS
        if refused is allowed:
            yield f"waitlisted {'within' if allowed else 'out of'} the bounds was {answer['type']}"
        if not allowed:
            return
    if event["status"] == ReplyStatus.IDENTITY_WANTED:
        wish = ledger.wish(handed, seen.now, under_way=False)
        reason = None if handed.identity == Identity.NAMED else "anonymous"
        known = ledger.certain_consents(seen.number)
        reason = reason or forbidden_beyond_doubt(wish, known)
        told = ledger.consents(consents_told(ledger, seen))  # a refusal may rest on what was told moments ago
        carried = reason is None and all(is_carried_beyond_doubt(wish, said) for said in (known, told))
        if (carried if refused else reason is not None) and not is_silent(ledger, seen):
            yield f"identity {answer['type']} ({answer['reason_code']}), by the table: {reason or 'granted'}"
        return
    if refused:
        yield f"reply {event['status']} in state {handed.state} refused as {answer['reason_code']}"
    elif answer["state"] != follows:
        yield f"reply {event['status']} in state {handed.state} led to {answer['state']}"


REPLY_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (replies_are_answered,)
