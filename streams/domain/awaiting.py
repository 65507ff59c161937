"""What a need waits for while no programme has it: reference data, consent, a slot, a person. Each with a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import NoticeKind
from streams.domain.calendar import after_days, after_working_days
from streams.domain.capacity import ask_for_slot

if TYPE_CHECKING:
    from schemas.pathway import Need
    from schemas.programmes import Programme
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_CONSENT_REMINDER_WORKING_DAYS = 2
_CONSENT_PERSON_WORKING_DAYS = 5
_SLOT_ANSWER_WORKING_DAYS = 1
_REVIEW_DAYS = 14


def wait_for_reference(work: Work, need: Need, unit: str) -> None:
    """Waits until reference data names a unit; operations are told again every fortnight."""
    if need.state != "awaiting_reference":
        due = after_days(work.now, _REVIEW_DAYS)
        operations = work.catalogue.operations
        work.change(need, state="awaiting_reference", owner=operations, reason_code="unknown_unit", clock_at=due)
    elif need.clock_at <= work.now:
        need = work.change(need, clock_at=after_days(need.clock_at, _REVIEW_DAYS))
        work.notify(NoticeKind.UNKNOWN_UNIT, need.owner, need)
    work.notify_once(NoticeKind.UNKNOWN_UNIT, unit, work.catalogue.operations, "unknown_unit")


def await_slot(work: Work, need: Need, programme: Programme) -> None:
    """Waits for the programme's answer; where none comes within a working day, a person hears of it."""
    ask_for_slot(work, need, programme)
    need = work.needs[need.need_id]
    if need.state == "with_person" or (need.state == "awaiting_slot" and need.clock_at <= work.now):
        give_to_person(work, need, "no_slot_answer")
    elif need.state != "awaiting_slot":
        due = after_working_days(work.now, _SLOT_ANSWER_WORKING_DAYS, work.catalogue.holidays)
        work.change(need, state="awaiting_slot", owner=work.owner(), reason_code=None, clock_at=due)


def await_consent(work: Work, need: Need, trigger: Trigger, wanted: str) -> None:
    """Asks the source for consent, reminds it after two working days, tells a person after five."""
    given_up = need.state == "with_person" and need.reason_code == "consent_missing"
    if need.state != "awaiting_consent" and not given_up:
        due = after_working_days(work.now, _CONSENT_REMINDER_WORKING_DAYS, work.catalogue.holidays)
        need = work.change(
            need,
            state="awaiting_consent",
            owner=trigger.source,
            clock_at=due,
            opened_at=work.now,
            reminded=0,
            reason_code=wanted,
        )
        work.notify(NoticeKind.CONSENT_WANTED, trigger.source, need)
        return
    if need.reason_code != wanted and need.state == "awaiting_consent":
        need = work.change(need, reason_code=wanted)
        work.notify(NoticeKind.CONSENT_WANTED, trigger.source, need)
    if given_up:
        give_to_person(work, need, "consent_missing")
    elif need.clock_at <= work.now:
        _remind_of_consent(work, need, trigger)


def _remind_of_consent(work: Work, need: Need, trigger: Trigger) -> None:
    if need.reminded == 0:
        due = after_working_days(need.opened_at, _CONSENT_PERSON_WORKING_DAYS, work.catalogue.holidays)
        need = work.change(need, reminded=1, clock_at=due)
        work.notify(NoticeKind.CONSENT_REMINDER, trigger.source, need)
        return
    give_to_person(work, need, "consent_missing")


def escalate(work: Work, need: Need, reason: str) -> None:
    """Gives a need to a person whatever programmes are left."""
    tried = tuple(work.catalogue.programmes)
    give_to_person(work, work.change(need, tried=tried, state="open"), reason)


def give_to_person(work: Work, need: Need, reason: str) -> None:
    """Gives a need to its owner, who is told again every fortnight until something is decided."""
    if need.state != "with_person":
        due = after_days(work.now, _REVIEW_DAYS)
        owner = work.owner()
        need = work.change(need, state="with_person", owner=owner, clock_at=due, reason_code=reason)
        work.notify(NoticeKind.ESCALATED, owner, need, reason_code=reason)
    elif need.clock_at <= work.now:
        need = work.change(need, clock_at=after_days(need.clock_at, _REVIEW_DAYS))
        work.notify(NoticeKind.ESCALATED, need.owner, need)
