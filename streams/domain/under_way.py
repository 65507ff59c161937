"""Handovers under way: whether each goes on, corrected where the facts were, or is withdrawn and decided anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import HandoverStatement, Identity, NoticeKind
from schemas.pathway import Handover, Need, replace
from streams.domain.calendar import birthday
from streams.domain.capacity import full_now, full_then
from streams.domain.consents import ADULT_AGE, OWN_CONSENT_AGE, Asker, missing_for
from streams.domain.handovers import offer, postpone, withdraw
from streams.domain.matching import choose
from streams.domain.work import PENDING_HANDOVERS

if TYPE_CHECKING:
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work


def keep(work: Work, need: Need, trigger: Trigger, handover: Handover) -> bool:
    """Tells whether a handover under way goes on, corrected where the facts were; else it is withdrawn."""
    reason = _why_not(work, need, trigger, handover)
    if reason is not None:
        withdraw(work, handover, reason)
        if reason == "moved":
            work.change(work.needs[need.need_id], tried=())
        return False
    if handover.state == "announced" and not trigger.is_planned:
        return _offer_announced(work, need, trigger, handover)
    if handover.state not in PENDING_HANDOVERS:
        _accompany(work, need, handover)
    elif not handover.by_person and need.version == work.catalogue.version:
        choice = choose(work, need, trigger, handover.offered_at, full_then(need))
        if choice.programme is None or choice.programme.programme_id != handover.programme:
            withdraw(work, handover, "decided_anew")
            return False
        work.change(work.needs[need.need_id], options=choice.options)
        handover = replace(handover, identity=choice.identity or handover.identity)
    _correct(work, trigger, handover)
    return True


def _why_not(work: Work, need: Need, trigger: Trigger, handover: Handover) -> str | None:
    """Returns why a handover can't go on whatever else fits, or None."""
    if _consent_was_missing(work, need, handover):
        return "consent_withdrawn"
    if trigger.is_planned and handover.state != "announced":
        return "discharge_cancelled"
    if handover.state not in PENDING_HANDOVERS:
        return None
    if handover.municipality != (work.derived.municipality or ""):
        return "moved"
    return "over_age" if has_grown_out(work, handover) else None


def _consent_was_missing(work: Work, need: Need, handover: Handover) -> bool:
    """Tells whether the facts, as known now, held no consent at the moment the offer left."""
    asker = Asker(handover.programme, need.kind, 0)
    missing = missing_for(work.consents, asker, handover.identity, work.derived.birth_day, handover.offered_at)
    return missing is not None


def has_grown_out(work: Work, handover: Handover) -> bool:
    """Tells whether the young person has become too old for what is not yet accepted, and watches for that day."""
    programme = work.catalogue.programmes.get(handover.programme)
    if programme is None or work.derived.birth_day is None or handover.by_person:
        return False
    too_old_at = birthday(work.derived.birth_day, programme.highest_age + 1)
    if handover.offered_at < too_old_at and work.now < too_old_at:
        work.wake_at(too_old_at)
    return handover.offered_at < too_old_at <= work.now


def _offer_announced(work: Work, need: Need, trigger: Trigger, handover: Handover) -> bool:
    """Makes a heads-up the offer, where its programme is still the one that fits."""
    choice = choose(work, need, trigger, work.now, full_now(work, need))
    if choice.programme is None or choice.identity is None or choice.programme.programme_id != handover.programme:
        withdraw(work, handover, "decided_anew")
        return False
    need = work.change(work.needs[need.need_id], options=choice.options)
    has_grown_out(work, offer(work, need, trigger, choice.programme, choice.identity))
    return True


def _accompany(work: Work, need: Need, handover: Handover) -> None:
    """Tells what a programme that has taken over, and people, must know of a move and of the birthdays that matter."""
    municipality = work.derived.municipality or ""
    if handover.municipality != municipality:
        moved = replace(handover, municipality=municipality)
        work.tell(moved, HandoverStatement.UPDATED, reason_code="moved")
        work.notify(NoticeKind.ESCALATED, work.owner(), work.needs[need.need_id], reason_code="moved")
    if work.derived.birth_day is None:
        return
    for age in (OWN_CONSENT_AGE, ADULT_AGE):
        day = birthday(work.derived.birth_day, age)
        if work.now < day:
            work.wake_at(day)
        elif handover.offered_at < day:
            _has_come_of_age(work, need, handover, age)


def _has_come_of_age(work: Work, need: Need, handover: Handover, age: int) -> None:
    """Asks for the young person's own consent where others gave it, and tells the programme of the 18th birthday."""
    about = f"{handover.handover_id}/{age}"
    if (NoticeKind.CONSENT_WANTED, about) in work.once:
        return
    asker = Asker(handover.programme, need.kind, 0)
    named = handover.identity == Identity.NAMED
    if named and missing_for(work.consents, asker, Identity.NAMED, work.derived.birth_day, work.now) is not None:
        recipient = handover.consent_taker or work.owner()
        work.notify_once(NoticeKind.CONSENT_WANTED, about, recipient, "own_consent_wanted")
    else:
        work.once.add((NoticeKind.CONSENT_WANTED, about))
    if age == ADULT_AGE:
        work.tell(work.handovers[handover.handover_id], HandoverStatement.UPDATED, reason_code="turned_18")


def _correct(work: Work, trigger: Trigger, handover: Handover) -> None:
    """Tells the programme where time or identity of what it was told have changed."""
    was = work.handovers[handover.handover_id]
    if (trigger.occurred_at, handover.identity) == (was.occurred_at, was.identity):
        return
    changed = replace(was, identity=handover.identity, occurred_at=trigger.occurred_at)
    if changed.state == "announced":
        changed = postpone(changed, trigger.occurred_at)
    work.tell(changed, HandoverStatement.UPDATED)
