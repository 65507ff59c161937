"""What a need waits for while no programme has it: a discharge, reference data, consent, a slot, a person.

Each has a clock. Nobody is reminded but on working days, and of the same thing ever more rarely, to once a quarter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import NoticeKind
from streams.domain.calendar import after_days, after_working_days, on_working_day
from streams.domain.capacity import ask_for_slot
from streams.domain.stays import believed_until

if TYPE_CHECKING:
    from schemas.pathway import Need
    from schemas.programmes import Programme
    from streams.domain.stays import Stay
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_CONSENT_REMINDER_WORKING_DAYS = 2
_CONSENT_PERSON_WORKING_DAYS = 5
_SLOT_ANSWER_WORKING_DAYS = 1
#: In how many days a person hears again of what still waits: the last for ever after.
_REVIEW_DAYS = (14, 28, 56, 91)


def review_at(work: Work, moment: int, reviews: int) -> int:
    """Returns when a person hears again of what still waits, having heard of it so many times beside the first."""
    days = _REVIEW_DAYS[min(reviews, len(_REVIEW_DAYS) - 1)]
    return on_working_day(after_days(moment, days), work.catalogue.holidays)


def await_discharge(work: Work, need: Need, stay: Stay) -> None:
    """Waits for the end of the stay that the young person is in; who tells of that stay owns the need meanwhile."""
    until = believed_until(stay, work.catalogue.holidays)
    if need.state != "in_hospital":
        work.change(need, state="in_hospital", owner=stay.source, reason_code="readmitted", clock_at=until, reminded=0)
    elif need.clock_at != until:
        work.change(need, clock_at=until)


def ask_for_unit(work: Work, unit: str) -> None:
    """Asks operations once to have reference data name a unit."""
    work.notify_once(NoticeKind.UNKNOWN_UNIT, unit, work.catalogue.operations, "unknown_unit")


def wait_for_reference(work: Work, need: Need) -> None:
    """Waits until reference data names a unit; operations are told again ever more rarely."""
    if need.state != "awaiting_reference":
        work.change(
            need,
            state="awaiting_reference",
            owner=work.catalogue.operations,
            reason_code="unknown_unit",
            clock_at=review_at(work, work.now, 0),
            reminded=0,
        )
    elif need.clock_at <= work.now:
        _hear_again(work, need, NoticeKind.UNKNOWN_UNIT)


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
    if given_up:
        give_to_person(work, need, "consent_missing")
        return
    if need.state != "awaiting_consent":
        ask_for_consent(work, need, trigger, wanted)
        return
    if need.reason_code != wanted:
        need = work.change(need, reason_code=wanted)
        work.notify(NoticeKind.CONSENT_WANTED, trigger.source, need)
    if need.clock_at <= work.now:
        _remind_of_consent(work, need, trigger)


def ask_for_consent(work: Work, need: Need, trigger: Trigger, wanted: str) -> None:
    """Asks the source for consent, its clock anew."""
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


def _remind_of_consent(work: Work, need: Need, trigger: Trigger) -> None:
    if need.reminded == 0:
        due = after_working_days(need.opened_at, _CONSENT_PERSON_WORKING_DAYS, work.catalogue.holidays)
        need = work.change(need, reminded=1, clock_at=due)
        work.notify(NoticeKind.CONSENT_REMINDER, trigger.source, need)
        return
    give_to_person(work, need, "consent_missing")


def give_to_person(work: Work, need: Need, reason: str) -> None:
    """Gives a need to its owner, who is told again, ever more rarely, until something is decided.

    Where the young person has moved since, or is only now known to live somewhere, it is given to the owner there.
    """
    need, home = work.needs[need.need_id], work.derived.municipality or ""
    if need.state != "with_person" or need.home not in (None, home):
        due, owner = review_at(work, work.now, 0), work.owner()
        need = work.change(
            need, state="with_person", owner=owner, home=home, clock_at=due, reason_code=reason, reminded=0
        )
        work.notify(NoticeKind.ESCALATED, owner, need, reason_code=reason)
    elif need.clock_at <= work.now:
        _hear_again(work, need, NoticeKind.ESCALATED)


def _hear_again(work: Work, need: Need, kind: NoticeKind) -> None:
    reviews = need.reminded + 1
    need = work.change(need, reminded=reviews, clock_at=review_at(work, need.clock_at, reviews))
    work.notify(kind, need.owner, need)
