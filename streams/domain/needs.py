"""Needs: opening, choosing, waiting, escalating and closing. Whatever happens, each has a state and an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import HandoverStatement, NeedKind, NoticeKind
from schemas.pathway import NEVER, Handover, Need, replace
from streams.domain.calendar import after_days, after_working_days
from streams.domain.consents import Asker, last_word, missing_for
from streams.domain.handovers import offer, run_clock, withdraw
from streams.domain.matching import choose, covers

if TYPE_CHECKING:
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

CLOSED = "closed"
_CONSENT_REMINDER_WORKING_DAYS = 2
_CONSENT_PERSON_WORKING_DAYS = 5
_REVIEW_DAYS = 14
_VANISHED = {
    "discharge": "discharge_cancelled",
    "course_ended": "course_corrected",
    "referral_rejected": "referral_corrected",
    "bridging": "bridging_withdrawn",
}


def reconcile(work: Work) -> None:
    """Brings every need to where the facts, the clocks and the catalogue say that it is now."""
    for handover in list(work.handovers.values()):
        run_clock(work, handover)
    if work.derived.stays.deceased:
        _close_all(work)
        return
    for need in list(work.needs.values()):
        if need.state != CLOSED and work.trigger_of(need) is None:
            close(work, need, _VANISHED[need.trigger], by_facts=True)
    for trigger in work.derived.triggers:
        for kind in trigger.kinds:
            _reconcile_one(work, trigger, kind)


def close(work: Work, need: Need, reason: str, *, by_facts: bool = False) -> None:
    """Closes a need with a reason and withdraws what is under way for it.

    What the facts closed, other facts open again; what an answer or a person closed stays closed.
    """
    handover = work.live_handover(need)
    if handover is not None:
        withdraw(work, handover, reason)
    work.change(work.needs[need.need_id], state=CLOSED, clock_at=NEVER, reason_code=reason, by_facts=by_facts)


def _close_all(work: Work) -> None:
    for need in list(work.needs.values()):
        if need.state != CLOSED:
            close(work, need, "deceased", by_facts=True)


def _reconcile_one(work: Work, trigger: Trigger, kind: str) -> None:
    need = work.need_of(trigger, kind)
    if need is None:
        need = _opened(work, trigger, kind)
    elif need.state == CLOSED and need.by_facts and _last_word(work, trigger, kind) is None:
        need = work.change(need, state="open", tried=(), reminded=0, reason_code=None)
    if need is not None and need.state != CLOSED:
        _drive(work, need, trigger)


def _opened(work: Work, trigger: Trigger, kind: str) -> Need | None:
    """Opens a need once it has settled; a plan is needed only where someone makes plans."""
    settled_at = trigger.logged_at + work.catalogue.settle_ms
    if settled_at > work.now:
        work.wake_at(settled_at)
        return None
    if kind == NeedKind.PLAN and not _plans_are_made(work):
        return None
    need = Need(
        need_id=trigger.need_id(kind),
        kind=kind,
        trigger=trigger.trigger,
        root=trigger.root,
        state="open",
        opened_at=work.now,
        owner=trigger.source,
        clock_at=NEVER,
        version=work.catalogue.version,
    )
    work.needs[need.need_id] = need
    return need


def _plans_are_made(work: Work) -> bool:
    return any(
        NeedKind.PLAN in one.kinds and covers(one, work.derived.municipality)
        for one in work.catalogue.programmes.values()
    )


def _last_word(work: Work, trigger: Trigger, kind: str) -> str | None:
    return last_word(work.consents, Asker(None, kind, 0), trigger.since, work.now)


def _drive(work: Work, need: Need, trigger: Trigger) -> None:
    word = _last_word(work, trigger, need.kind)
    if word is not None:
        reason = "consent_withdrawn" if word == "withdrawn" else "declined_by_young_person"
        close(work, need, reason, by_facts=True)
        return
    if trigger.unknown_unit is not None:
        _wait_for_reference(work, need, trigger.unknown_unit)
        return
    handover = work.live_handover(need)
    if handover is not None and _keep(work, need, trigger, handover):
        return
    _choose(work, work.needs[need.need_id], trigger)


def _wait_for_reference(work: Work, need: Need, unit: str) -> None:
    if need.state != "awaiting_reference":
        due = after_days(work.now, _REVIEW_DAYS)
        operations = work.catalogue.operations
        work.change(need, state="awaiting_reference", owner=operations, reason_code="unknown_unit", clock_at=due)
    elif need.clock_at <= work.now:
        need = work.change(need, clock_at=after_days(need.clock_at, _REVIEW_DAYS))
        work.notify(NoticeKind.UNKNOWN_UNIT, need.owner, need)
    work.notify_once(NoticeKind.UNKNOWN_UNIT, unit, work.catalogue.operations, "unknown_unit")


def _keep(work: Work, need: Need, trigger: Trigger, handover: Handover) -> bool:
    """Tells whether a handover under way goes on, corrected where the facts were; else withdraws it."""
    pending = handover.state in ("announced", "offered", "waitlisted")
    if _consent_was_missing(work, need, handover):
        withdraw(work, handover, "consent_withdrawn")
        return False
    if handover.municipality != (work.derived.municipality or ""):
        if pending:
            withdraw(work, handover, "moved")
            work.change(work.needs[need.need_id], tried=())
            return False
        handover = replace(handover, municipality=work.derived.municipality or "")
        handover = work.tell(handover, HandoverStatement.UPDATED, reason_code="moved")
        work.notify(NoticeKind.ESCALATED, work.owner(), need, reason_code="moved")
    if pending and not handover.by_person and need.version == work.catalogue.version:
        choice = choose(work, need, trigger, handover.offered_at)
        if choice.programme is None or choice.programme.programme_id != handover.programme:
            withdraw(work, handover, "decided_anew")
            return False
        work.change(work.needs[need.need_id], options=choice.options)
        handover = replace(handover, identity=choice.identity or handover.identity)
    was = work.handovers[handover.handover_id]
    if (trigger.occurred_at, handover.identity) != (was.occurred_at, was.identity):
        work.tell(replace(handover, occurred_at=trigger.occurred_at), HandoverStatement.UPDATED)
    return True


def _consent_was_missing(work: Work, need: Need, handover: Handover) -> bool:
    """Tells whether the facts, as known now, held no consent at the moment the offer left."""
    asker = Asker(handover.programme, need.kind, 0)
    missing = missing_for(work.consents, asker, handover.identity, work.derived.birth_day, handover.offered_at)
    return missing is not None


def _choose(work: Work, need: Need, trigger: Trigger) -> None:
    choice = choose(work, need, trigger, work.now)
    if choice.programme is not None and choice.identity is not None:
        need = work.change(need, options=choice.options)
        offer(work, need, trigger, choice.programme, choice.identity)
    elif choice.wanted is not None:
        _await_consent(work, work.change(need, options=choice.options), trigger, choice.wanted)
    else:
        _give_to_person(work, work.change(need, options=choice.options), _why_nobody(need))


def _why_nobody(need: Need) -> str:
    return "no_answer" if need.tried else "no_programme"


def _await_consent(work: Work, need: Need, trigger: Trigger, wanted: str) -> None:
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
        _give_to_person(work, need, "consent_missing")
    elif need.clock_at <= work.now:
        _remind_of_consent(work, need, trigger)


def _remind_of_consent(work: Work, need: Need, trigger: Trigger) -> None:
    if need.reminded == 0:
        due = after_working_days(need.opened_at, _CONSENT_PERSON_WORKING_DAYS, work.catalogue.holidays)
        need = work.change(need, reminded=1, clock_at=due)
        work.notify(NoticeKind.CONSENT_REMINDER, trigger.source, need)
        return
    _give_to_person(work, need, "consent_missing")


def escalate(work: Work, need: Need, reason: str) -> None:
    """Gives a need to a person whatever programmes are left."""
    tried = tuple(work.catalogue.programmes)
    _give_to_person(work, work.change(need, tried=tried, state="open"), reason)


def _give_to_person(work: Work, need: Need, reason: str) -> None:
    """Gives a need to its owner, who is told again every fortnight until something is decided."""
    if need.state != "with_person":
        due = after_days(work.now, _REVIEW_DAYS)
        owner = work.owner()
        need = work.change(need, state="with_person", owner=owner, clock_at=due, reason_code=reason)
        work.notify(NoticeKind.ESCALATED, owner, need, reason_code=reason)
    elif need.clock_at <= work.now:
        need = work.change(need, clock_at=after_days(need.clock_at, _REVIEW_DAYS))
        work.notify(NoticeKind.ESCALATED, need.owner, need)
