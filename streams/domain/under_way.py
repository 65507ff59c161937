"""Handovers under way: whether each goes on, corrected where the facts were, or is withdrawn and decided anew.

What ends one is looked at here and nowhere else: a consent that it rests on and no longer has, a stay, a move, an age,
another choice. What has been taken over goes on through all but the first; the programme and people are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import ConsentGiver, HandoverEventType, Identity, NoticeKind
from schemas.pathway import Handover, Need, replace
from streams.domain.calendar import birthday
from streams.domain.capacity import full_now, full_then
from streams.domain.consents import ADULT_AGE, OWN_CONSENT_AGE, basis_of, missing_for
from streams.domain.handovers import offer, postpone, withdraw
from streams.domain.matching import choose
from streams.domain.occasions import goes_on_with, goes_round
from streams.domain.plans import overdue_at
from streams.domain.work import TAKEN_OVER

if TYPE_CHECKING:
    from streams.domain.stays import Stay
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work


def go_on(work: Work, lead: Trigger | None, handover: Handover, stay: Stay | None) -> None:
    """Lets a handover under way go on, corrected where the facts were, or withdraws it.

    ``lead`` is what its need is about now, None while nothing counts; ``stay`` the one the young person is in.
    """
    need = work.needs[handover.need_id]
    reason = _why_not(work, need, lead, handover, stay)
    if reason is not None:
        _end(work, need, handover, reason)
        return
    if handover.state in TAKEN_OVER:
        _accompany(work, need, handover, stay)
    elif lead is None:
        _hold(work, handover)
        return
    elif handover.state == "announced" and not lead.is_planned:
        _offer_announced(work, need, lead, handover)
        return
    elif not handover.by_person and goes_round(work, lead):
        withdraw(work, handover, "decided_anew")
        return
    elif (
        not handover.by_person
        and need.version == work.catalogue.version
        and lead.unknown_unit is None
        and not _rests_on_own_word(work, handover)
    ):
        choice = choose(work, need, lead, handover.offered_at, full_then(need))
        if choice.programme is None or choice.programme.programme_id != handover.programme:
            withdraw(work, handover, "decided_anew")
            return
        work.change(need, options=choice.options)
        handover = replace(handover, identity=_identity_now(work, handover, choice.identity))
    if lead is not None:
        _correct(work, lead, handover)


def _end(work: Work, need: Need, handover: Handover, reason: str) -> None:
    """Withdraws a handover; its need is open, and of who has moved every programme may be asked anew."""
    withdraw(work, handover, reason)
    if reason == "moved":
        work.change(need, tried=())
    if need.state == "taken_over":
        work.change(need, state="open")


def _identity_now(work: Work, handover: Handover, identity: str | None) -> str:
    """Returns with which identity an offer goes on: by name is news, which takes a consent that is in force now."""
    if identity == Identity.NAMED != handover.identity:
        missing = missing_for(work.consents, work.asker(handover), Identity.NAMED, work.now)
        return handover.identity if missing is not None else identity
    return identity or handover.identity


def _why_not(work: Work, need: Need, lead: Trigger | None, handover: Handover, stay: Stay | None) -> str | None:
    """Returns why a handover can't go on whatever else fits, or None."""
    if missing_for(work.consents, work.asker(handover), handover.identity, handover.offered_at) is not None:
        return "consent_withdrawn"
    if handover.state in TAKEN_OVER:
        return "discharge_cancelled" if _is_undone(work, need, lead) else None
    if handover.state == "announced":
        planned_at = None if lead is None or not lead.is_planned else _planned_at(lead, handover)
        if planned_at is not None and work.now >= overdue_at(planned_at, work.catalogue.holidays):
            return "planned_end_overdue"
        if lead is None and stay is not None:
            return "plan_cancelled"
    elif _is_undone(work, need, lead):
        return "discharge_cancelled"
    elif stay is not None:
        return "readmitted"
    if _has_moved(work, handover):
        return "moved"
    return "over_age" if _has_grown_out(work, handover) else None


def _has_moved(work: Work, handover: Handover) -> bool:
    """Tells whether the young person lives elsewhere than a programme was told, by anybody's word but its own (V8)."""
    return handover.municipality != (work.derived.municipality or "") and not _rests_on_own_word(work, handover)


def _rests_on_own_word(work: Work, handover: Handover) -> bool:
    """Tells whether a programme that knows nobody's name would see what its own word about a number does."""
    return handover.identity == Identity.ANONYMOUS and handover.programme in work.derived.word_of


def _planned_at(lead: Trigger, handover: Handover) -> int:
    """Returns when what a handover is about happens: as announced where the catalogue of now knows no such end."""
    return handover.occurred_at if lead.is_planned and not lead.opens else lead.occurred_at


def _is_undone(work: Work, need: Need, lead: Trigger | None) -> bool:
    """Tells whether what was offered as having happened has not, as is known now, and nothing else has instead."""
    if lead is not None and not lead.is_planned:
        return False
    roots = (need.lead,) if lead is None and need.state != "taken_over" else need.carries
    happened = [trigger for trigger in work.derived.triggers if not trigger.is_planned]
    return not any(trigger.raises_any(roots) and goes_on_with(work, trigger, need) for trigger in happened)


def _has_grown_out(work: Work, handover: Handover) -> bool:
    """Tells whether the young person has become too old for what is not yet accepted, and watches for that day."""
    if handover.by_person:
        return False
    if handover.offered_at < handover.too_old_at and work.now < handover.too_old_at:
        work.wake_at(handover.too_old_at)
    return handover.offered_at < handover.too_old_at <= work.now


def _hold(work: Work, handover: Handover) -> None:
    """Lets no clock of a handover fire while what it is about settles."""
    if handover.clock_at <= work.now:
        work.handovers[handover.handover_id] = replace(
            handover, clock_at=work.settling_until(work.needs[handover.need_id])
        )


def _offer_announced(work: Work, need: Need, lead: Trigger, handover: Handover) -> None:
    """Makes a heads-up the offer, or withdraws it where its programme fits no more and no person chose it."""
    if handover.by_person:
        programme = work.catalogue.programmes.get(handover.programme)
        missing = missing_for(work.consents, work.asker(handover), handover.identity, work.now)
        identity = handover.identity if missing is None else None
    else:
        choice = choose(work, need, lead, work.now, full_now(work, need))
        programme, identity = choice.programme, choice.identity
        need = work.change(need, options=choice.options)
    if programme is None or identity is None or programme.programme_id != handover.programme:
        withdraw(work, handover, "decided_anew")
    else:
        offer(work, need, lead, programme, identity)


def _accompany(work: Work, need: Need, handover: Handover, stay: Stay | None) -> None:
    """Tells what a programme that has taken over, and people, must know of a move, a stay and the birthdays."""
    if stay is not None:
        _has_been_readmitted(work, handover, stay)
    if _has_moved(work, handover):
        municipality = work.derived.municipality or ""
        moved = replace(work.handovers[handover.handover_id], municipality=municipality)
        work.tell(moved, HandoverEventType.UPDATED, reason_code="moved")
        work.notify(NoticeKind.ESCALATED, work.owner(), need, reason_code="moved")
    if work.derived.birth_day is None:
        return
    for age in (OWN_CONSENT_AGE, ADULT_AGE):
        day = birthday(work.derived.birth_day, age)
        if work.now < day:
            work.wake_at(day)
        elif handover.offered_at < day:
            _has_come_of_age(work, handover, age)


def _has_been_readmitted(work: Work, handover: Handover, stay: Stay) -> None:
    about = ("readmitted", f"{handover.handover_id}/{stay.first_root}")
    begun_since = stay.started_at is None or stay.started_at >= handover.occurred_at
    if begun_since and about not in work.once:
        work.once.add(about)
        work.tell(work.handovers[handover.handover_id], HandoverEventType.UPDATED, reason_code="readmitted")


def _has_come_of_age(work: Work, handover: Handover, age: int) -> None:
    """Asks for the young person's own consent where others gave it, and tells the programme of the 18th birthday."""
    about = f"{handover.handover_id}/{age}"
    if (NoticeKind.CONSENT_WANTED, about) in work.once:
        return
    asker, named = work.asker(handover), handover.identity == Identity.NAMED
    basis = basis_of(work.consents, asker, handover.identity, handover.offered_at)
    by_others = basis is not None and ConsentGiver.YOUNG_PERSON not in basis.given_by
    if (named or by_others) and missing_for(work.consents, asker, handover.identity, work.now) is not None:
        recipient = handover.consent_taker or work.owner()
        work.notify_once(NoticeKind.CONSENT_WANTED, about, recipient, "own_consent_wanted")
    else:
        work.once.add((NoticeKind.CONSENT_WANTED, about))
    if age == ADULT_AGE:
        work.tell(work.handovers[handover.handover_id], HandoverEventType.UPDATED, reason_code="turned_18")


def _correct(work: Work, lead: Trigger, handover: Handover) -> None:
    """Tells the programme where time or identity of what it was told are others, as is known now."""
    was = work.handovers[handover.handover_id]
    occurred_at = was.occurred_at if lead.is_planned and was.state != "announced" else _planned_at(lead, was)
    if (occurred_at, handover.identity) == (was.occurred_at, was.identity):
        return
    changed = replace(was, identity=handover.identity, occurred_at=occurred_at)
    if changed.state == "announced":
        changed = postpone(changed, occurred_at, work.catalogue.holidays)
    work.tell(changed, HandoverEventType.UPDATED)
