"""Handovers: offering, reminding, expiring, withdrawing. One at a time for each need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import Disclosed, HandoverEventType, Identity, NoticeKind
from schemas.identifiers import derived_text
from schemas.pathway import NEVER, Handover, Need, replace
from streams.domain.awaiting import review_at
from streams.domain.calendar import after_days, after_working_days, birthday, on_working_day, start_of_day_ms
from streams.domain.capacity import appointment_on
from streams.domain.consents import Asker, basis_of
from streams.domain.decided import without_plans
from streams.domain.disclosing import disclose
from streams.domain.occasions import stay_holding
from streams.domain.plans import PLANNED, overdue_at
from streams.domain.work import CLOSED

if TYPE_CHECKING:
    from collections.abc import Container

    from schemas.programmes import Programme
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_PERSON_AFTER_OVERDUE_DAYS = 3
_CODE_TO_OWNER_DAYS = 7
_DELETION_WORKING_DAYS = 5
_HIDDEN_REASONS = frozenset({"deceased"})
_RECALLS = frozenset({"consent_withdrawn", "declined_by_young_person", "declined_by_custody_holder", "erased"})


def offer(work: Work, need: Need, trigger: Trigger, programme: Programme, identity: str) -> Handover:
    """Offers a need to a programme: its reply clock starts now. What was announced to it becomes the offer."""
    begun = _begun(work, need, trigger, programme, identity)
    closed = work.catalogue.holidays | programme.closed_at(begun.site)
    handover = replace(
        begun,
        state="offered",
        offered_at=work.now,
        occurred_at=trigger.occurred_at,
        identity=identity,
        appointment_on=appointment_on(work, need, programme),
        clock_at=after_working_days(work.now, programme.remind_working_days, closed),
        reply_by=after_working_days(work.now, programme.reply_working_days, closed),
    )
    return _said(work, need, handover, HandoverEventType.OFFERED)


def announce(work: Work, need: Need, trigger: Trigger, programme: Programme, identity: str) -> Handover:
    """Gives a programme a heads-up: week, age band and municipality of what will be offered, and nothing more."""
    overdue = overdue_at(trigger.occurred_at, work.catalogue.holidays)
    handover = replace(_begun(work, need, trigger, programme, identity), clock_at=overdue)
    return _said(work, need, handover, HandoverEventType.ANNOUNCED)


def postpone(handover: Handover, occurs_at: int, closed: Container[int]) -> Handover:
    """Returns a heads-up with another time of the planned end, and its clock moved along."""
    return replace(handover, occurred_at=occurs_at, clock_at=overdue_at(occurs_at, closed))


def _begun(work: Work, need: Need, trigger: Trigger, programme: Programme, identity: str) -> Handover:
    """Returns the heads-up that a programme has already, else a new handover in that state."""
    live = work.live_handover(need)
    if live is not None and live.programme == programme.programme_id:
        return live
    municipality = work.derived.municipality or ""
    attempts = need.attempts + 1
    asker = Asker(programme.programme_id, need.kind, programme.lowest_age)
    consent = basis_of(work.consents, asker, identity, work.now)
    born = work.derived.birth_day
    return Handover(
        handover_id=derived_text("handover", need.need_id, programme.programme_id, str(attempts)),
        need_id=need.need_id,
        programme=programme.programme_id,
        site=municipality if programme.receiver == "home_municipality" else programme.sites.get(municipality),
        version=work.catalogue.version,
        identity=identity,
        state="announced",
        municipality=municipality,
        offered_at=work.now,
        occurred_at=trigger.occurred_at,
        clock_at=NEVER,
        first_contact_days=programme.first_contact_days,
        consent_taker=None if consent is None else consent.recorded_by,
        correlation=need.need_id,
        lowest_age=programme.lowest_age,
        too_old_at=NEVER if born is None else birthday(born, programme.highest_age + 1),
    )


def _said(work: Work, need: Need, handover: Handover, event_type: str) -> Handover:
    """Says a new offer or heads-up, keeps the need with it, and enters the disclosure."""
    work.change(
        need,
        state=handover.state,
        owner=work.owner(),
        clock_at=NEVER,
        attempts=need.attempts if handover.handover_id in work.handovers else need.attempts + 1,
        reminded=0,
        reason_code=None,
        version=work.catalogue.version,
    )
    if work.now < handover.too_old_at:
        work.wake_at(handover.too_old_at)
    handover = work.tell(handover, event_type)
    disclose(work, handover, Disclosed.HANDOVER)
    return handover


def withdraw(work: Work, handover: Handover, reason: str) -> Handover:
    """Withdraws a handover, for a reason that the programme is told unless it is none of its business.

    Where the young person took it back, or the programme holds the identity, that is a recall: the programme
    is asked for a deletion receipt by ``reply_by``, and its clock runs until it comes.
    """
    recalled = reason in _RECALLS or handover.granted
    due = after_working_days(work.now, _DELETION_WORKING_DAYS, work.catalogue.holidays) if recalled else NEVER
    handover = replace(handover, state="withdrawn", clock_at=due, reply_by=due, reason_code=reason, reminded=0)
    told = None if reason in _HIDDEN_REASONS else reason
    return work.tell(handover, HandoverEventType.WITHDRAWN, reason_code=told)


def close(work: Work, need: Need, reason: str, *, by_facts: bool = False, told: str | None = None) -> None:
    """Closes a need with a reason and withdraws what is under way for it.

    What the facts closed, other facts open again; what an answer or a person closed stays closed.
    ``told`` is what the programme hears as the reason, where that is another.
    """
    handover = work.live_handover(need)
    if handover is not None:
        withdraw(work, handover, told or reason)
    need = work.needs[need.need_id]
    kept = (need.root, need.lead) if need.trigger == PLANNED and need.state != "taken_over" else ()
    carries = need.carries if by_facts else without_plans(work, need.carries, kept)
    work.change(
        need, state=CLOSED, clock_at=NEVER, reason_code=reason, by_facts=by_facts, closed_at=work.now, carries=carries
    )


def mark_deleted(work: Work, handover: Handover) -> None:
    """Keeps the programme's receipt that it deleted what it was told."""
    work.handovers[handover.handover_id] = replace(handover, state="deleted", clock_at=NEVER)


def take_over(work: Work, handover: Handover) -> Handover:
    """Takes a programme's acceptance: from now on its promise of a first contact runs."""
    begins = work.now if handover.appointment_on is None else max(work.now, start_of_day_ms(handover.appointment_on))
    by = after_days(begins, handover.first_contact_days)
    due = on_working_day(by, work.catalogue.holidays)
    handover = replace(handover, state="accepted", clock_at=due, contact_by=by, accepted_at=work.now, reminded=0)
    need = work.needs[handover.need_id]
    carries = without_plans(work, need.carries)
    work.change(need, state="taken_over", owner=handover.programme, clock_at=NEVER, reason_code=None, carries=carries)
    return handover


def waitlist(handover: Handover, until_day: int) -> Handover:
    """Puts an offer on the programme's waiting list, through the end of a day."""
    return replace(handover, state="waitlisted", clock_at=start_of_day_ms(until_day + 1), reminded=1)


def run_clock(work: Work, handover: Handover) -> None:
    """Does what a handover's clock says, where it has run out."""
    if handover.clock_at > work.now:
        return
    if handover.state in ("offered", "waitlisted"):
        _remind_or_expire(work, handover)
    elif handover.state == "accepted":
        _ask_for_first_contact(work, handover)
    elif handover.state == "withdrawn":
        _ask_for_receipt(work, handover)


def _ask_for_receipt(work: Work, handover: Handover) -> None:
    """Tells a person that a deletion receipt is missing, and again ever more rarely until it is there."""
    due = review_at(work, handover.clock_at, handover.reminded)
    work.handovers[handover.handover_id] = replace(handover, clock_at=due, reminded=handover.reminded + 1)
    need = work.needs[handover.need_id]
    work.notify(NoticeKind.DELETION_OVERDUE, work.owner(), need, reason_code="deletion_overdue")


def _remind_or_expire(work: Work, handover: Handover) -> None:
    if handover.reminded == 0 and work.now < handover.reply_by:
        handover = replace(handover, reminded=1, clock_at=handover.reply_by)
        work.tell(handover, HandoverEventType.REMINDED)
        return
    withdraw(work, handover, "expired")
    mark_tried(work, handover)


def mark_tried(work: Work, handover: Handover) -> None:
    """Notes that a programme had its chance with a need: it is not offered it again."""
    need = work.needs[handover.need_id]
    work.change(need, tried=(*need.tried, handover.programme))


def _ask_for_first_contact(work: Work, handover: Handover) -> None:
    """Reminds the programme, then a person ever more rarely; an unclaimed code is asked of the consent's taker.

    Nobody is reminded while the young person is in hospital: on each working day it is looked at again.
    """
    need = work.needs[handover.need_id]
    if stay_holding(work, need.kind) is not None:
        due = on_working_day(after_days(work.now, 1), work.catalogue.holidays)
        work.handovers[handover.handover_id] = replace(handover, clock_at=due)
        return
    anonymous = handover.identity == Identity.ANONYMOUS
    step = handover.reminded + 1
    if step > 1:
        due = review_at(work, handover.clock_at, step - 2)
        work.handovers[handover.handover_id] = replace(handover, reminded=step, clock_at=due)
        kind = NoticeKind.CODE_UNCLAIMED if anonymous else NoticeKind.ESCALATED
        work.notify(kind, work.owner(), need, reason_code="first_contact_overdue")
        return
    if anonymous:
        due = max(after_days(handover.contact_by, _CODE_TO_OWNER_DAYS), after_days(work.now, 1))
    else:
        due = after_days(handover.clock_at, _PERSON_AFTER_OVERDUE_DAYS)
    due = on_working_day(due, work.catalogue.holidays)
    if anonymous:
        work.handovers[handover.handover_id] = replace(handover, reminded=step, clock_at=due)
        work.notify(NoticeKind.CODE_UNCLAIMED, handover.consent_taker or work.owner(), need)
    else:
        work.tell(replace(handover, reminded=step, clock_at=due, overdue=True), HandoverEventType.REMINDED)
