"""What leaves a pathway: facts of things long closed, and ids whose window for duplicates has passed.

A fact's id is kept for 400 days after it was logged, so that a repeat is known; then the fact leaves with
the stay, course, referral or consent that it is about, once nothing is open that could follow from it.
What leaves changes nothing that is still to be decided: no trigger of what stays comes or goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from schemas.codes import ConsentDecision, CourseStatus, ReferralStatus
from schemas.facts import CourseFact, PersonFact, ReferralFact
from schemas.pathway import NEVER, replace
from streams.domain.consents import lapses_at
from streams.domain.plans import plans_of
from streams.domain.stays import is_psychiatric
from streams.domain.work import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from schemas.facts import ConsentFact, Fact
    from schemas.pathway import Need
    from streams.domain.stays import Stay
    from streams.domain.work import Work

S = TypeVar("S", CourseFact, ReferralFact)
WINDOW_DAYS = 400
_WINDOW_MS = WINDOW_DAYS * 86_400_000
_GOING_ON = frozenset(
    {
        CourseStatus.WAITING,
        CourseStatus.ACTIVE,
        ReferralStatus.PROPOSED,
        ReferralStatus.ACTIVE,
        ReferralStatus.ON_HOLD,
    }
)


def forget(work: Work) -> bool:
    """Lets go of what is old and closed, and asks to be looked at again when the next of it grows old.

    Tells whether facts have left, and with them perhaps what the pathway shows.
    """
    horizon = work.now - _WINDOW_MS
    pathway = work.pathway
    logged = [one.logged_at for one in pathway.facts if type(one) is not PersonFact]
    logged += [one.logged_at for one in pathway.seen]
    logged += [one.fact.logged_at for one in pathway.borrowed]
    if not logged:
        return False
    if min(logged) <= horizon:
        _let_go(work, horizon)
        logged = [at for at in logged if at > horizon]
    if logged:
        work.wake_at(min(logged) + _WINDOW_MS)
    return len(work.pathway.facts) < len(pathway.facts)


def _let_go(work: Work, horizon: int) -> None:
    facts = work.pathway.facts
    gone = _old_stays(work, horizon) | _old_persons(work.facts.persons, horizon)
    gone |= _old_groups(work, horizon, work.facts.courses, lambda one: (one.programme, one.statement_id))
    gone |= _old_groups(work, horizon, work.facts.referrals, lambda one: (one.source, one.statement_id))
    gone |= _old_consents(work, horizon, gone)
    gone |= {fact.event_id for fact in work.facts.correspondence if fact.logged_at <= horizon}
    seen = tuple(one for one in work.pathway.seen if one.logged_at > horizon)
    kept = tuple(fact for fact in facts if fact.event_id not in gone)
    borrowed = tuple(one for one in work.pathway.borrowed if one.fact.event_id not in gone)
    work.pathway = replace(work.pathway, facts=kept, seen=seen, borrowed=borrowed)
    if not gone:
        return
    work.derive_again()
    triggers = work.derived.triggers
    work.needs = {
        key: need
        for key, need in work.needs.items()
        if any(trigger.raises(need.root) for trigger in triggers) or _is_busy(work, need, horizon)
    }
    work.handovers = {key: one for key, one in work.handovers.items() if one.need_id in work.needs}
    work.once = {(kind, about) for kind, about in work.once if about not in gone}


def _is_busy(work: Work, need: Need, horizon: int) -> bool:
    """Tells whether a need, or a handover made for it, still waits for something or is not old."""
    clocks = (one.clock_at for one in work.handovers.values() if one.need_id == need.need_id)
    return need.state != CLOSED or need.opened_at > horizon or any(clock != NEVER for clock in clocks)


def _busy_roots(work: Work, horizon: int) -> set[str]:
    return {need.root for need in work.needs.values() if _is_busy(work, need, horizon)}


def _old_stays(work: Work, horizon: int) -> set[str]:
    """Returns the ids of the steps of old stays; a stay's episodes leave together, a death stays for good."""
    if work.derived.stays.deceased:
        return set()
    steps = work.facts.stays
    busy = _busy_roots(work, horizon)
    kept = {step.episode_id for step in steps if step.logged_at > horizon}
    kept |= {plan.fact.episode_id for plan in plans_of(steps) if plan.root in busy}
    going_on = [stay for stay in work.derived.stays.stays if _goes_on(stay, busy, work.catalogue.units)]
    for stay in going_on:
        kept |= set(stay.open_episodes)
    while together := [
        stay
        for stay in work.derived.stays.stays
        if not kept.isdisjoint(stay.open_episodes) and not kept.issuperset(stay.open_episodes)
    ]:
        kept.update(*(stay.open_episodes for stay in together))
    return {step.event_id for step in steps if step.episode_id not in kept}


def _goes_on(stay: Stay, busy: set[str], units: dict[str, str]) -> bool:
    if stay.ended_by is None:
        return is_psychiatric(stay, units) is not False
    return stay.ended_by in busy or not busy.isdisjoint(stay.also_ended_by)


def _old_groups(work: Work, horizon: int, statements: Iterable[S], group: Callable[[S], tuple[str, str]]) -> set[str]:
    """Returns the ids of the facts of old courses, or referrals."""
    busy = _busy_roots(work, horizon)
    groups: dict[tuple[str, str], list[S]] = {}
    for fact in statements:
        groups.setdefault(group(fact), []).append(fact)
    return {
        fact.event_id
        for facts in groups.values()
        if _all_old(facts, horizon)
        and not any({fact.event_id, fact.revises} & busy for fact in facts)
        and max(facts, key=lambda fact: fact.status_at).status not in _GOING_ON
        for fact in facts
    }


def _old_consents(work: Work, horizon: int, gone: set[str]) -> set[str]:
    """Returns the ids of old, lapsed consents; while something could be closed by a refusal or withdrawal, all stay.

    A consent given after a withdrawal overrules it, lapsed or not: neither may leave before the other.
    """
    asking = any(trigger.root not in gone for trigger in work.derived.triggers)
    consents = work.facts.consents
    if asking and any(fact.decision != ConsentDecision.GIVEN for fact in consents):
        return set()
    groups: dict[str, list[ConsentFact]] = {}
    for fact in consents:
        groups.setdefault(fact.statement_id, []).append(fact)
    return {
        fact.event_id
        for facts in groups.values()
        if _all_old(facts, horizon) and all(lapses_at(fact) <= work.now for fact in facts)
        for fact in facts
    }


def _old_persons(facts: Sequence[PersonFact], horizon: int) -> set[str]:
    """Returns the ids of old statements about the person that later ones have overruled in every field."""
    gone, birth_day_known, municipality_known = set(), False, False
    for fact in reversed(facts):
        overruled = (fact.birth_date is None or birth_day_known) and (fact.municipality is None or municipality_known)
        if overruled and fact.logged_at <= horizon:
            gone.add(fact.event_id)
        birth_day_known = birth_day_known or fact.birth_date is not None
        municipality_known = municipality_known or fact.municipality is not None
    return gone


def _all_old(facts: Iterable[Fact], horizon: int) -> bool:
    return all(fact.logged_at <= horizon for fact in facts)
