"""Interventions: what a person decided about a need (``brobygger needs``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.codes import Identity, InterventionAction, NoticeKind
from schemas.pathway import NEVER, Need, replace
from streams.domain.consents import Asker, missing_for
from streams.domain.handovers import offer, withdraw
from streams.domain.needs import close
from streams.domain.work import CLOSED

if TYPE_CHECKING:
    from streams.domain.work import Work


def take_intervention(work: Work, decided: dict[str, Any]) -> None:
    """Does what a person decided; what is not allowed is told back with the reason and changes nothing."""
    if decided["action"] == InterventionAction.ERASED:
        erase(work)
        return
    need = work.needs.get(decided["statement_id"])
    if need is None:
        work.notify_once(NoticeKind.ESCALATED, decided["event_id"], decided["actor"], "unknown_need")
        return
    problem = _do(work, need, decided)
    if problem is not None:
        work.notify(NoticeKind.ESCALATED, decided["actor"], work.needs[need.need_id], reason_code=problem)


def erase(work: Work) -> None:
    """Forgets a young person at their wish: facts go, needs close, programmes are asked for deletion receipts.

    What stays are ids, states and reasons: the pathway's statistics, and what is owed until the receipts are in.
    """
    for need in list(work.needs.values()):
        if need.state != CLOSED:
            close(work, need, "erased")
    work.pathway = replace(work.pathway, facts=(), borrowed=(), kept_elsewhere=(), erased=True)
    work.derive_again()
    work.once = set()
    for one in work.handovers.values():
        work.handovers[one.handover_id] = replace(one, municipality="", consent_taker=None)


def _do(work: Work, need: Need, decided: dict[str, Any]) -> str | None:
    """Returns why a decision can't be done, or None where it was."""
    match decided["action"]:
        case InterventionAction.REOPENED:
            work.change(need, state="open", tried=(), reminded=0, clock_at=NEVER, reason_code=None)
            return None
        case _ if need.state == CLOSED:
            return "need_closed"
        case InterventionAction.ASSIGNED:
            work.change(need, owner=decided["actor"])
            return None
        case InterventionAction.CLOSED:
            close(work, need, decided["reason_code"] or "closed_by_person")
            return None
        case InterventionAction.OFFERED:
            return _offer_to(work, need, decided["programme"])
        case InterventionAction.ESCALATION_ANSWERED:
            return None
        case _:
            return "unknown_action"


def _offer_to(work: Work, need: Need, programme_id: str | None) -> str | None:
    programme = work.catalogue.programmes.get(programme_id or "")
    trigger = work.trigger_of(need)
    if programme is None or trigger is None:
        return "unknown_programme" if programme is None else "need_has_no_trigger"
    asker = Asker(programme.programme_id, need.kind, programme.lowest_age)
    for identity in (Identity.NAMED, Identity.ANONYMOUS):
        missing = missing_for(work.consents, asker, identity, work.derived.birth_day, work.now)
        if identity in programme.identity and missing is None:
            live = work.live_handover(need)
            if live is not None:
                withdraw(work, live, "offered_elsewhere")
            handover = offer(work, work.needs[need.need_id], trigger, programme, identity)
            work.handovers[handover.handover_id] = replace(handover, by_person=True)
            return None
    return "consent_wanted"
