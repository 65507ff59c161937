"""Needs: opening, choosing, waiting, escalating and closing. Whatever happens, each has a state and an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import NeedKind
from schemas.pathway import NEVER, Need
from streams.domain.awaiting import await_consent, await_slot, give_to_person, wait_for_reference
from streams.domain.capacity import full_now, give_back_slots, has_slot
from streams.domain.consents import Asker, last_word
from streams.domain.handovers import announce, offer, run_clock, withdraw
from streams.domain.linking import leave_to_other
from streams.domain.matching import choose
from streams.domain.plans import overdue_at
from streams.domain.under_way import has_grown_out, keep
from streams.domain.work import CLOSED

if TYPE_CHECKING:
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_BRIDGING_LOOP_MS = 30 * 86_400_000
_VANISHED = {
    "discharge": "discharge_cancelled",
    "discharge_planned": "plan_cancelled",
    "course_ended": "course_corrected",
    "referral_rejected": "referral_corrected",
    "bridging": "bridging_withdrawn",
}


def reconcile(work: Work) -> None:
    """Brings every need to where the facts, the clocks and the catalogue say that it is now."""
    _reconcile_all(work)
    give_back_slots(work)


def _reconcile_all(work: Work) -> None:
    for handover in list(work.handovers.values()):
        run_clock(work, handover)
    if work.derived.stays.deceased:
        _close_all(work)
        return
    for need in list(work.needs.values()):
        if need.state != CLOSED and work.trigger_of(need) is None:
            close(work, need, _VANISHED[need.trigger], by_facts=True)
    if work.absorbed:
        leave_to_other(work)
    for trigger in work.derived.triggers:
        for kind in trigger.kinds:
            if not work.is_elsewhere(trigger, kind):
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
    if need is not None and need.state != CLOSED and _follows(work, need, trigger):
        _drive(work, work.needs[need.need_id], trigger)


def _follows(work: Work, need: Need, trigger: Trigger) -> bool:
    """Moves a need from a plan to what became of it, once that has settled; tells whether it may go on now."""
    if need.trigger == trigger.trigger:
        return True
    settled_at = trigger.logged_at + work.catalogue.settle_ms
    if not trigger.is_planned and settled_at > work.now:
        work.wake_at(settled_at)
        return False
    work.change(need, trigger=trigger.trigger)
    return True


def _opened(work: Work, trigger: Trigger, kind: str) -> Need | None:
    """Opens a need once it has settled; a plan is needed only where someone makes plans."""
    settled_at = max(trigger.logged_at + work.catalogue.settle_ms, trigger.not_before)
    if settled_at > work.now:
        work.wake_at(settled_at)
        return None
    if kind == NeedKind.PLAN and work.derived.municipality not in work.catalogue.municipalities_with_plans:
        return None
    need = Need(
        need_id=work.need_id(trigger, kind),
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


def _last_word(work: Work, trigger: Trigger, kind: str) -> str | None:
    return last_word(work.consents, Asker(None, kind, 0), trigger.since, work.now)


def _drive(work: Work, need: Need, trigger: Trigger) -> None:
    word = _last_word(work, trigger, need.kind)
    if word is not None:
        reason = "consent_withdrawn" if word == "withdrawn" else "declined_by_young_person"
        close(work, need, reason, by_facts=True)
        return
    if trigger.unknown_unit is not None:
        wait_for_reference(work, need, trigger.unknown_unit)
        return
    handover = work.live_handover(need)
    if trigger.is_planned and _is_overdue(work, trigger):
        if handover is not None:
            withdraw(work, handover, "planned_end_overdue")
        give_to_person(work, work.needs[need.need_id], "planned_end_overdue")
        return
    if handover is not None and keep(work, need, trigger, handover):
        return
    _choose(work, work.needs[need.need_id], trigger)


def _is_overdue(work: Work, trigger: Trigger) -> bool:
    due = overdue_at(trigger.occurred_at)
    if work.now < due:
        work.wake_at(due)
    return due <= work.now


def _choose(work: Work, need: Need, trigger: Trigger) -> None:
    if trigger.trigger == "bridging" and _goes_round(work, trigger):
        give_to_person(work, need, "bridging_loop")
        return
    choice = choose(work, need, trigger, work.now, full_now(work, need))
    if choice.programme is not None and choice.identity is not None:
        need = work.change(need, options=choice.options)
        if not trigger.is_planned and not has_slot(work, need, choice.programme):
            await_slot(work, need, choice.programme)
            return
        said = (announce if trigger.is_planned else offer)(work, need, trigger, choice.programme, choice.identity)
        has_grown_out(work, said)
    elif choice.wanted is not None:
        await_consent(work, work.change(need, options=choice.options), trigger, choice.wanted)
    else:
        give_to_person(work, work.change(need, options=choice.options), _why_nobody(need))


def _goes_round(work: Work, trigger: Trigger) -> bool:
    """Tells whether a wish to bridge is at least the third of the young person's within thirty days."""
    earlier = [
        one
        for one in work.derived.triggers
        if one.trigger == "bridging"
        and one.root != trigger.root
        and 0 <= trigger.occurred_at - one.occurred_at <= _BRIDGING_LOOP_MS
    ]
    return len(earlier) > 1


def _why_nobody(need: Need) -> str:
    return "no_answer" if need.tried else "no_programme"
