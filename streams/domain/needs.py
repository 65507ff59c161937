"""Needs: opening, choosing, waiting, escalating and closing. Whatever happens, each has a state and an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import ConsentDecision, ConsentGiver, Identity, NeedKind
from schemas.pathway import NEVER, Handover, Need, replace
from streams.domain.awaiting import (
    ask_for_unit,
    await_consent,
    await_discharge,
    await_slot,
    give_to_person,
    wait_for_reference,
)
from streams.domain.capacity import full_now, give_back_slots, has_slot, renumbered_slot
from streams.domain.consents import last_word, missing_for
from streams.domain.decided import decided_by, decided_needs, keep_decided, tellings, without_plans
from streams.domain.handovers import announce, close, offer, run_clock
from streams.domain.linking import leave_to_merged, tell_kept
from streams.domain.matching import choose
from streams.domain.occasions import (
    KINDS,
    ONE_AT_A_TIME,
    goes_round,
    lead_of,
    occasions,
    stay_holding,
)
from streams.domain.plans import overdue_at
from streams.domain.under_way import go_on
from streams.domain.work import CLOSED, LIVE_HANDOVERS, TAKEN_OVER

if TYPE_CHECKING:
    from schemas.facts import ConsentFact
    from streams.domain.occasions import Occasion
    from streams.domain.stays import Stay
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

#: What a person was given for a reason that no other programme mends.
_FOR_A_PERSON = ("no_show",)
#: What ends can let something begin that ends at once, and so on, for no longer than this.
_PASSES_MAX = 6
_VANISHED = {
    "discharge": "discharge_cancelled",
    "discharge_planned": "plan_cancelled",
    "course_ended": "course_corrected",
    "referral_rejected": "referral_corrected",
    "bridging": "bridging_withdrawn",
}


def reconcile_needs(work: Work) -> None:
    """Brings every need to where the facts, the clocks and the catalogue say that it is now."""
    for handover in list(work.handovers.values()):
        run_clock(work, handover)
    if work.derived.stays.deceased:
        _close_all(work, "deceased")
    else:
        for kind in KINDS:
            _reconcile_until_settled(work, kind)
    if work.is_merged:
        tell_kept(work)
    give_back_slots(work)


def reopen(work: Work, need: Need) -> Need:
    """Opens a closed need again, to be decided as if nobody had been asked yet."""
    return work.change(
        need, state="open", tried=(), reminded=0, clock_at=NEVER, reason_code=None, by_facts=False, closed_at=NEVER
    )


def refusal_by_youth(work: Work, kind: str, trigger: Trigger) -> str | None:
    """Returns why the young person's side wants no handover of a kind any more, since what led to a trigger began."""
    word = last_word(work.consents, kind, trigger.since, work.now)
    return None if word is None else _reason_of(word)


def _reason_of(word: ConsentFact) -> str:
    if word.decision == ConsentDecision.WITHDRAWN:
        return "consent_withdrawn"
    own = ConsentGiver.YOUNG_PERSON in word.given_by
    return "declined_by_young_person" if own else "declined_by_custody_holder"


def _close_all(work: Work, reason: str) -> None:
    for need in list(work.needs.values()):
        if need.state != CLOSED:
            close(work, need, reason, by_facts=True)


def _reconcile_until_settled(work: Work, kind: str) -> None:
    """Goes through a kind again as long as something ends by it, or is about something else: what waited may go on.

    So it does where something begins of a kind of which there are several needs: the others wait for that.
    """
    keep_decided(work, kind)
    going_on = _going_on(work, kind)
    for _ in range(_PASSES_MAX):
        _reconcile_kind(work, kind)
        before, going_on = going_on, _going_on(work, kind)
        if before <= going_on and (kind in ONE_AT_A_TIME or going_on <= before):
            return


def _reconcile_kind(work: Work, kind: str) -> None:
    """Goes through every open need of a kind, and every occasion that may open one: nothing open is left out."""
    found = occasions(work, kind)
    going_on = [one for one in work.needs.values() if one.kind == kind and one.state != CLOSED]
    for need in going_on:
        occasion = next((one for one in reversed(found) if one.raises(need)), None)
        if occasion is None:
            close(work, need, _why_vanished(work, need), by_facts=True)
        elif occasion.refused is not None:
            # Where a consent has come since, what came later goes on with it.
            close(work, need, refusal_by_youth(work, kind, occasion.newest) or "carried_on", by_facts=True)
        elif work.is_merged and need.state != "taken_over":
            leave_to_merged(work, need)
    if any(work.needs[need.need_id].state == CLOSED for need in going_on):
        return  # what waited for that is an occasion now
    if any(one.live and one.kind == kind for one in work.pathway.kept_elsewhere):
        _leave_to_kept(work, kind)
    for occasion in found if kind not in ONE_AT_A_TIME else found[-1:]:
        _reconcile_one(work, kind, occasion)


def _going_on(work: Work, kind: str) -> set[str]:
    """Returns the open needs of a kind, by id and what they are about, and the handovers under way for them."""
    mine = [need for need in work.needs.values() if need.kind == kind and need.state != CLOSED]
    needs = {need.need_id for need in mine} | {f"{need.need_id} {need.lead}" for need in mine}
    live = (one for one in work.handovers.values() if one.need_id in needs and one.state in LIVE_HANDOVERS)
    return needs | {one.handover_id for one in live}


def _why_vanished(work: Work, need: Need) -> str:
    """Returns why nothing raises a need any more: what raised it was taken back, or is held back by another stay."""
    if need.kind == NeedKind.PLAN and work.derived.municipality not in work.catalogue.municipalities_with_plans:
        return "moved"
    standing = [trigger for trigger in work.derived.triggers if trigger.not_before != NEVER]
    held = any(trigger.raises_any(need.roots) for trigger in standing)
    decided = (one for other in decided_needs(work, need.kind) for one in decided_by(work, other))
    if any(one.raises_any(need.roots) for one in decided):
        return "carried_on"
    return "readmitted" if held and work.stay_going_on() is not None else _VANISHED[need.trigger]


def _leave_to_kept(work: Work, kind: str) -> None:
    """Ends what waits here while another number of the person goes on with a handover of the kind."""
    for need in list(work.needs.values()):
        if need.kind == kind and need.state not in (CLOSED, "taken_over"):
            leave_to_merged(work, need)


def _reconcile_one(work: Work, kind: str, occasion: Occasion) -> None:
    stay = stay_holding(work, kind)
    lead = lead_of(work, occasion, stay)
    known = [one for one in work.needs.values() if one.kind == kind and occasion.raises(one)]
    need = next((one for one in known if one.state != CLOSED), None)
    if need is None:
        need = _opened(work, kind, occasion, lead, known)
    if need is None:
        return
    heard = _heard_apart(work, need, occasion)
    if heard is not occasion:
        occasion, lead = heard, lead_of(work, heard, stay)
    need = _carried(work, need, occasion, lead)
    refusal = refusal_by_youth(work, kind, lead or occasion.newest)
    if refusal is not None and not _stands(work, need):
        need = _answering(work, need, occasion)
        close(work, need, refusal, by_facts=True)
        return
    _drive(work, need, lead, stay)


def _stands(work: Work, need: Need) -> bool:
    """Tells whether what is under way for a need rests on a consent that nobody has ended, if only since outgrown."""
    handover = work.live_handover(need)
    if handover is None:
        return False
    return missing_for(work.consents, work.asker(handover), handover.identity, handover.offered_at) is None


def _heard_apart(work: Work, need: Need, occasion: Occasion) -> Occasion:
    """Returns what a need is about apart from what the programme that it is offered to anonymously told itself (V8)."""
    handover = work.live_handover(need)
    if handover is None or handover.identity != Identity.ANONYMOUS:
        return occasion
    heard = tuple(one for one in occasion.triggers if one.source != handover.programme)
    return occasion if not heard or len(heard) == len(occasion.triggers) else occasion._replace(triggers=heard)


def _opened(work: Work, kind: str, occasion: Occasion, lead: Trigger | None, known: list[Need]) -> Need | None:
    """Opens a need, or one again that the facts had closed."""
    others = [one for one in work.needs.values() if one.kind == kind and one.state != CLOSED]
    first = occasion.triggers[0]
    newest = lead or occasion.newest
    if work.is_merged or (others and kind in ONE_AT_A_TIME) or _is_elsewhere(work, kind, first):
        return None
    if any(not one.by_facts for one in known):
        return None
    if known:
        reason = refusal_by_youth(work, kind, newest)
        if reason is None:
            return reopen(work, known[0])
        work.change(_answering(work, known[0], occasion), reason_code=reason)
        return None
    need = Need(
        need_id=work.new_need_id(first, kind),
        kind=kind,
        trigger=newest.trigger,
        root=first.root,
        state="open",
        opened_at=work.now,
        owner=newest.source,
        clock_at=NEVER,
        version=work.catalogue.version,
        lead=newest.root,
        why=newest.reason,
    )
    work.needs[need.need_id] = need
    return need


def _answering(work: Work, need: Need, occasion: Occasion) -> Need:
    """Has a need carry all of its occasion, settled or only planned: what was refused answers that, too."""
    fresh = [one.root for one in occasion.triggers if not one.raises_any(need.carries)]
    return work.change(need, carries=(*need.carries, *fresh))


def _is_elsewhere(work: Work, kind: str, trigger: Trigger) -> bool:
    """Tells whether another number of the person goes on with a need of the kind, or has decided this one."""
    return any(
        one.kind == kind and (one.live or trigger.raises_any(one.carries)) for one in work.pathway.kept_elsewhere
    )


def _carried(work: Work, need: Need, occasion: Occasion, lead: Trigger | None) -> Need:
    """Has a need carry what has come: it bears the id of its oldest trigger, and is about its newest."""
    first = occasion.triggers[0]
    need_id = work.need_id(first, need.kind)
    is_told = any(fact.event_id == first.root for fact in work.pathway.facts)
    is_same = need.root in first.chain and not (is_told and need.root == first.root)
    known = work.needs.get(need_id)
    is_decided = known is not None and known.state == CLOSED and not known.by_facts
    if not work.is_merged and need_id != need.need_id and not is_same and not is_decided:
        need = _renamed(work, need, need_id, first.root)
    happened = [one for one in occasion.settled(work) if not one.is_planned]
    about = [*happened, *([lead] if lead is not None and lead not in happened else [])]
    fresh = [one.root for one in about if not one.raises_any(need.carries)]
    if lead is not None and lead.is_planned:
        # Each plan of a stay raises what any does, and goes on with it where another is cancelled.
        plans = (one.root for one in occasion.triggers if one.is_planned and lead.raises(one.root))
        fresh += [root for root in plans if root not in (*need.carries, *fresh)]
    if need.state == "taken_over":
        fresh = list(without_plans(work, fresh))
    carries = dict.fromkeys((*need.carries, *fresh, *tellings(happened)))
    covers = max((one.occurred_at for one in happened), default=0)
    need = work.change(need, carries=tuple(carries), covers=covers)
    if lead is None:
        newest = (happened or occasion.triggers)[-1]
        return work.change(need, trigger=newest.trigger, why=newest.reason)
    is_new = not lead.raises(need.lead)
    need = work.change(need, trigger=lead.trigger, why=lead.reason, lead=lead.root)
    handover = work.live_handover(need)
    if not is_new or (handover is not None and handover.state in TAKEN_OVER):
        return need
    if handover is not None:
        return work.change(need, tried=())
    return work.change(need, tried=(), state="open", reminded=0, reason_code=None, clock_at=NEVER)


def _renamed(work: Work, need: Need, need_id: str, root: str) -> Need:
    """Goes on with a need under the id of an older trigger that has come, as if that had come first.

    What goes on for it goes on. The need of the id before is closed, and carries nothing any more.
    """
    known = work.needs.pop(need_id, None)
    slot = renumbered_slot(work, need, known)
    work.needs[need.need_id] = replace(
        need, state=CLOSED, clock_at=NEVER, reason_code="carried_on", by_facts=True, closed_at=work.now, slot=None,
        carries=(), former_ids=(),
    )  # fmt: skip
    work.needs[need_id] = renamed = replace(
        need,
        need_id=need_id,
        root=root,
        slot=slot,
        attempts=max(need.attempts, known.attempts if known else 0),
        notices=max(need.notices, known.notices if known else 0),
        former_ids=tuple(sorted({*need.former_ids, need.need_id} - {need_id})),
    )
    for handover in list(work.handovers.values()):
        if handover.need_id == need.need_id:
            work.handovers[handover.handover_id] = replace(handover, need_id=need_id)
    return renamed


def _drive(work: Work, need: Need, lead: Trigger | None, stay: Stay | None) -> None:
    """Moves a need on: what is under way for it goes on or ends, and what waits is looked at again."""
    handover = work.live_handover(need)
    if lead is not None and lead.unknown_unit is not None:
        ask_for_unit(work, lead.unknown_unit)
    if handover is not None:
        # Where it ends, the kind is gone through once more: what waited for that may be what the need is about now.
        go_on(work, lead, handover, stay)
        return
    if work.is_merged:
        leave_to_merged(work, need)
        return
    if lead is None:
        settling_until = work.settling_until(need)
        if stay is not None:
            await_discharge(work, need, stay)
        elif settling_until == NEVER:
            close(work, need, _why_vanished(work, need), by_facts=True)
        elif need.clock_at <= work.now or need.clock_at == NEVER:
            work.change(need, clock_at=settling_until)
    elif lead.unknown_unit is not None:
        wait_for_reference(work, need)
    elif lead.is_planned and (reason := _why_not_announced(work, lead)) is not None:
        give_to_person(work, need, reason)
    else:
        _choose(work, need, lead)


def _why_not_announced(work: Work, trigger: Trigger) -> str | None:
    """Returns why a planned end is a person's matter: nobody follows on the course any more, or it is overdue."""
    if not trigger.opens:
        return "no_programme"
    due = overdue_at(trigger.occurred_at, work.catalogue.holidays)
    if work.now < due:
        work.wake_at(due)
        return None
    return "planned_end_overdue"


def _choose(work: Work, need: Need, trigger: Trigger) -> None:
    onward = _bridged_onward(work, trigger)
    if onward is None and work.is_kind_taken(need):
        give_to_person(work, need, "other_handover_live")
        return
    if goes_round(work, trigger):
        give_to_person(work, need, "bridging_loop")
        return
    if need.state == "with_person" and need.reason_code in _FOR_A_PERSON:
        give_to_person(work, need, need.reason_code)
        return
    choice = choose(work, need, trigger, work.now, full_now(work, need))
    if choice.identity is not None and (settled_at := _taken_back_until(work)) > work.now:
        work.change(need, state="open", clock_at=settled_at)
    elif choice.programme is not None and choice.identity is not None:
        if onward is not None:
            close(work, work.needs[onward.need_id], "bridged_onward")
        need = work.change(need, options=choice.options)
        if not trigger.is_planned and not has_slot(work, need, choice.programme):
            await_slot(work, need, choice.programme)
            return
        (announce if trigger.is_planned else offer)(work, need, trigger, choice.programme, choice.identity)
    elif choice.wanted is not None:
        await_consent(work, work.change(need, options=choice.options), trigger, choice.wanted)
    else:
        give_to_person(work, work.change(need, options=choice.options), _why_nobody(need))


def _taken_back_until(work: Work) -> int:
    """Returns until when nothing new leaves after a recall: a form that takes back two consents may be half told."""
    if not any(one.reason_code == "consent_withdrawn" for one in work.handovers.values()):
        return 0
    return max((end.logged_at for end in work.consents.ends), default=0) + work.catalogue.settle_ms


def _bridged_onward(work: Work, trigger: Trigger) -> Handover | None:
    """Returns the handover of the kind that has been taken over by the programme that now asks to bridge onward."""
    return next(
        (
            one
            for one in work.handovers.values()
            if one.state in TAKEN_OVER
            and one.accepted_at < trigger.occurred_at
            and one.programme == trigger.asked_by
            and work.needs[one.need_id].kind == NeedKind.BRIDGING
        ),
        None,
    )


def _why_nobody(need: Need) -> str:
    return "no_answer" if need.tried else "no_programme"
