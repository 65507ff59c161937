"""Interventions: what a person decided about a need (``brobygger needs``).

``_ALLOWED`` is the table of which act a need's state allows (docs/specification/rules.md). What isn't allowed, or can't
be done as the facts are, is told back with the reason and changes nothing; what is done stands until facts change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.codes import Identity, InterventionAction, NoticeKind
from schemas.pathway import NEVER, Need, replace
from schemas.rules import CONSENT_REASONS
from streams.domain.awaiting import ask_for_consent, review_at
from streams.domain.consents import missing_for
from streams.domain.handovers import announce, close, offer, withdraw
from streams.domain.linking import tell_erased
from streams.domain.matching import identity_for
from streams.domain.needs import refusal_by_youth, reopen
from streams.domain.occasions import ONE_AT_A_TIME, Occasion, goes_on_with, lead_of, stay_holding
from streams.domain.plans import overdue_at
from streams.domain.triggers import oldest_first
from streams.domain.work import CLOSED, PENDING_HANDOVERS, TAKEN_OVER

if TYPE_CHECKING:
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_WAITING = ("open", "awaiting_consent", "awaiting_slot", "awaiting_reference", "in_hospital", "with_person")
_OPEN = (*_WAITING, *PENDING_HANDOVERS, "taken_over")
_ALLOWED: dict[str, tuple[str, ...]] = {
    InterventionAction.ASSIGNED: _OPEN,
    InterventionAction.OFFERED: (*_WAITING, *PENDING_HANDOVERS),
    InterventionAction.REOPENED: (*_WAITING, CLOSED),
    InterventionAction.CLOSED: _OPEN,
    InterventionAction.ESCALATION_ANSWERED: (*_OPEN, CLOSED),
    InterventionAction.CONSENT_ASKED: ("awaiting_consent", "with_person", "taken_over"),
}
#: After an answer nobody is reminded for the longest time that anybody is not.
_ANSWERED_REVIEWS = 3


def apply_intervention(work: Work, decided: dict[str, Any]) -> None:
    """Does what a person decided; what is not allowed is told back with the reason and changes nothing."""
    if decided["action"] == InterventionAction.ERASED:
        forget_person(work)
        return
    need = work.need_named(decided["subject"])
    if need is None:
        work.notify_once(NoticeKind.ESCALATED, decided["event_id"], decided["actor"], "unknown_need")
        return
    problem = _why_not(work, need, decided["action"]) or _do(work, need, decided)
    if problem is not None:
        work.notify(NoticeKind.ESCALATED, decided["actor"], need, reason_code=problem)


def forget_person(work: Work, told_by: str | None = None) -> None:
    """Forgets a young person at their wish: facts go, needs close, programmes are asked for deletion receipts.

    What stays are ids, states and reasons: the pathway's statistics, and what is owed until the receipts are in. The
    pathways of the person's other numbers are told, but for the one that told this one.
    """
    if work.pathway.erased:
        return
    for need in list(work.needs.values()):
        if need.state != CLOSED:
            close(work, need, "erased")
    for handover in list(work.handovers.values()):
        if handover.state not in ("withdrawn", "deleted"):
            withdraw(work, handover, "erased")
    tell_erased(work, told_by)
    work.pathway = replace(work.pathway, facts=(), borrowed=(), shared=(), kept_elsewhere=(), erased=True)
    work.derive_again()
    work.once = set()
    for one in work.handovers.values():
        work.handovers[one.handover_id] = replace(one, municipality="", consent_taker=None)


def _why_not(work: Work, need: Need, action: str) -> str | None:
    """Returns why a need's state allows no such act, or None."""
    states = _ALLOWED.get(action)
    if states is None:
        return "unknown_action"
    if work.derived.stays.deceased:
        return "deceased"
    if need.state in states:
        return None
    if need.state == CLOSED:
        return "need_closed"
    if need.state == "taken_over":
        return "taken_over"
    return "consent_not_wanted" if action == InterventionAction.CONSENT_ASKED else "already_offered"


def _do(work: Work, need: Need, decided: dict[str, Any]) -> str | None:
    """Returns why a decision can't be done, or None where it was."""
    match decided["action"]:
        case InterventionAction.REOPENED:
            return _reopen(work, need)
        case InterventionAction.ASSIGNED:
            work.change(need, owner=decided["actor"])
        case InterventionAction.CLOSED:
            close(work, need, decided["reason_code"] or "closed_by_person")
        case InterventionAction.OFFERED:
            return _offer_to(work, need, decided["programme"])
        case InterventionAction.ESCALATION_ANSWERED:
            return _answer(work, need)
        case InterventionAction.CONSENT_ASKED:
            return _ask_again(work, need)
    return None


def _lead(work: Work, need: Need) -> Trigger | None:
    """Returns what a need is about, as far as the facts still say it, settled or not."""
    known = (one for one in work.derived.triggers if one.raises_any(need.roots))
    raising = oldest_first(one for one in known if goes_on_with(work, one, need))
    return lead_of(work, Occasion(tuple(raising)), stay_holding(work, need.kind)) if raising else None


def _reopen(work: Work, need: Need) -> str | None:
    """Opens a closed need again, or has every programme tried once more for one that waits."""
    if need.state != CLOSED:
        reopen(work, need)
        return None
    lead = _lead(work, need)
    if lead is None:
        return "need_has_no_trigger" if stay_holding(work, need.kind) is None else "in_hospital"
    if need.kind in ONE_AT_A_TIME and work.open_need(need.kind) is not None:
        return "other_need_open"
    if work.is_merged or work.is_kind_taken(need):
        return "other_handover_live"
    refusal = refusal_by_youth(work, need.kind, lead)
    if refusal is None:
        reopen(work, need)
    return refusal


def _answer(work: Work, need: Need) -> str | None:
    """Takes it that a person has seen to what they were reminded of: the next time is the latest there is.

    Of a deletion receipt that never came nobody is reminded again.
    """
    overdue = [
        one
        for one in work.handovers.values()
        if one.need_id == need.need_id and one.state == "withdrawn" and one.clock_at != NEVER
    ]
    for one in overdue:
        work.handovers[one.handover_id] = replace(one, clock_at=NEVER)
    live, due = work.live_handover(need), review_at(work, work.now, _ANSWERED_REVIEWS)
    if need.state in ("with_person", "awaiting_reference"):
        work.change(need, clock_at=due, reminded=_ANSWERED_REVIEWS)
    elif live is not None and live.state == "accepted" and live.reminded:
        reminded = _ANSWERED_REVIEWS + 2
        work.handovers[live.handover_id] = replace(live, clock_at=due, reminded=reminded)
    elif not overdue:
        return "nothing_to_answer"
    return None


def _ask_again(work: Work, need: Need) -> str | None:
    """Asks for consent anew: the source, or for what is under way by name who took the last one, for Y's own."""
    live = work.live_handover(need)
    if live is not None:
        named = live.identity == Identity.NAMED
        if not named or missing_for(work.consents, work.asker(live), Identity.NAMED, work.now) is None:
            return "consent_not_wanted"
        recipient = live.consent_taker or work.owner()
        work.notify(NoticeKind.CONSENT_WANTED, recipient, need, reason_code="own_consent_wanted")
        return None
    lead = _lead(work, need)
    if lead is None or need.reason_code not in CONSENT_REASONS:
        return "consent_not_wanted"
    ask_for_consent(work, need, lead, "consent_wanted" if need.state == "with_person" else need.reason_code or "")
    return None


def _offer_to(work: Work, need: Need, programme_id: str | None) -> str | None:
    """Offers a need to a programme that a person chose; of a planned end that is a heads-up, which stays there."""
    programme = work.catalogue.programmes.get(programme_id or "")
    lead = _lead(work, need)
    if programme is None:
        return "unknown_programme"
    if lead is None:
        return "need_has_no_trigger" if stay_holding(work, need.kind) is None else "in_hospital"
    if need.kind not in programme.kinds:
        return "wrong_kind"
    if lead.is_planned and work.now >= overdue_at(lead.occurred_at, work.catalogue.holidays):
        return "planned_end_overdue"
    if work.is_merged or work.is_kind_taken(need):
        return "other_handover_live"
    live = work.live_handover(need)
    if live is not None and live.programme == programme.programme_id:
        return "already_offered"
    identity, missing = identity_for(work, programme, need.kind, lead, work.now)
    if identity is None:
        return missing or "told_of_it_itself"
    if live is not None and live.state not in TAKEN_OVER:
        withdraw(work, live, "offered_elsewhere")
    tell = announce if lead.is_planned else offer
    handover = tell(work, work.needs[need.need_id], lead, programme, identity)
    work.handovers[handover.handover_id] = replace(handover, by_person=True)
    return None
