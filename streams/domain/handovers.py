"""Handovers: offering, reminding, expiring, withdrawing. One at a time for each need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import HandoverStatement, Identity, NoticeKind
from schemas.identifiers import derived_text
from schemas.pathway import NEVER, Handover, Need, replace
from streams.domain.calendar import after_days, after_working_days, start_of
from streams.domain.consents import Asker, consent_taker

if TYPE_CHECKING:
    from schemas.programmes import Programme
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_PERSON_AFTER_OVERDUE_DAYS = 3
_CODE_TO_OWNER_DAYS = 7
_HIDDEN_REASONS = frozenset({"deceased"})


def offer(work: Work, need: Need, trigger: Trigger, programme: Programme, identity: str) -> Handover:
    """Offers a need to a programme: its reply clock starts now."""
    closed = work.catalogue.holidays | frozenset(programme.closing_days)
    municipality = work.derived.municipality or ""
    attempts = need.attempts + 1
    handover = Handover(
        handover_id=derived_text("handover", need.need_id, programme.programme_id, str(attempts)),
        need_id=need.need_id,
        programme=programme.programme_id,
        site=municipality if programme.receiver == "home_municipality" else programme.sites.get(municipality),
        version=work.catalogue.version,
        identity=identity,
        state="offered",
        municipality=municipality,
        offered_at=work.now,
        occurred_at=trigger.occurred_at,
        clock_at=after_working_days(work.now, programme.remind_working_days, closed),
        first_contact_days=programme.first_contact_days,
        reply_by=after_working_days(work.now, programme.reply_working_days, closed),
        consent_taker=consent_taker(
            work.consents, Asker(programme.programme_id, need.kind, programme.lowest_age), work.now
        ),
    )
    work.change(
        need,
        state="offered",
        owner=work.owner(),
        clock_at=NEVER,
        attempts=attempts,
        reminded=0,
        reason_code=None,
        version=work.catalogue.version,
    )
    return work.tell(handover, HandoverStatement.OFFERED)


def withdraw(work: Work, handover: Handover, reason: str) -> Handover:
    """Withdraws a handover, for a reason that the programme is told unless it is none of its business."""
    handover = replace(handover, state="withdrawn", clock_at=NEVER, reason_code=reason)
    told = None if reason in _HIDDEN_REASONS else reason
    return work.tell(handover, HandoverStatement.WITHDRAWN, reason_code=told, reply_by=None)


def mark_deleted(work: Work, handover: Handover) -> None:
    """Keeps the programme's receipt that it deleted what it was told."""
    work.handovers[handover.handover_id] = replace(handover, state="deleted", clock_at=NEVER)


def accept(work: Work, handover: Handover) -> Handover:
    """Takes a programme's acceptance: from now on its promise of a first contact runs."""
    due = after_days(work.now, handover.first_contact_days)
    handover = replace(handover, state="accepted", clock_at=due, reminded=0)
    need = work.needs[handover.need_id]
    work.change(need, state="taken_over", owner=handover.programme, clock_at=NEVER, reason_code=None)
    return handover


def waitlist(handover: Handover, until_day: int) -> Handover:
    """Puts an offer on the programme's waiting list, through the end of a day."""
    return replace(handover, state="waitlisted", clock_at=start_of(until_day + 1), reminded=1)


def run_clock(work: Work, handover: Handover) -> None:
    """Does what a handover's clock says, where it has run out."""
    if handover.clock_at > work.now:
        return
    if handover.state in ("offered", "waitlisted"):
        _remind_or_expire(work, handover)
    elif handover.state == "accepted":
        _ask_for_first_contact(work, handover)


def _remind_or_expire(work: Work, handover: Handover) -> None:
    if handover.reminded == 0 and work.now < handover.reply_by:
        handover = replace(handover, reminded=1, clock_at=handover.reply_by)
        work.tell(handover, HandoverStatement.REMINDED)
        return
    withdraw(work, handover, "expired")
    mark_tried(work, handover)


def mark_tried(work: Work, handover: Handover) -> None:
    """Notes that a programme had its chance with a need: it is not offered it again."""
    need = work.needs[handover.need_id]
    work.change(need, tried=(*need.tried, handover.programme))


def _ask_for_first_contact(work: Work, handover: Handover) -> None:
    """Reminds the programme, then a person; an unclaimed code is asked of whoever took the consent."""
    need = work.needs[handover.need_id]
    step = handover.reminded + 1
    if step > 1:
        work.handovers[handover.handover_id] = replace(handover, reminded=step, clock_at=NEVER)
        kind = NoticeKind.CODE_UNCLAIMED if handover.identity == Identity.ANONYMOUS else NoticeKind.ESCALATED
        work.notify(kind, work.owner(), need, reason_code="first_contact_overdue")
        return
    if handover.identity == Identity.ANONYMOUS:
        due = after_days(handover.clock_at, _CODE_TO_OWNER_DAYS)
        work.handovers[handover.handover_id] = replace(handover, reminded=step, clock_at=due)
        work.notify(NoticeKind.CODE_UNCLAIMED, handover.consent_taker or work.owner(), need)
        return
    due = after_days(handover.clock_at, _PERSON_AFTER_OVERDUE_DAYS)
    work.tell(replace(handover, reminded=step, clock_at=due, overdue=True), HandoverStatement.REMINDED)
