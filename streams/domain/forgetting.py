"""What leaves a pathway: facts of things long closed, and ids whose window for duplicates has passed.

A fact's id is kept for 400 days after it was logged, so that a repeat is known; then the fact leaves with
the stay, course, referral or consent that it is about, once nothing is open that could follow from it, or rests on
it. What leaves changes nothing that is still to be decided: no trigger of what stays comes or goes, and a number that
was replaced stays replaced. A closed need is kept as long after its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from schemas.codes import ConsentDecision, CourseStatus, ReferralStatus
from schemas.facts import ConsentFact, CourseFact, PersonFact, ReferralFact
from schemas.pathway import NEVER, replace
from streams.domain.calendar import DAY_MS
from streams.domain.consents import lapses_at
from streams.domain.fact_kinds import course_name, referral_name
from streams.domain.occasions import raised_together
from streams.domain.plans import plans_of
from streams.domain.stays import is_psychiatric
from streams.domain.work import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from schemas.facts import Fact
    from schemas.pathway import Need
    from streams.domain.stays import Stay
    from streams.domain.work import Work

S = TypeVar("S", CourseFact, ReferralFact)
WINDOW_DAYS = 400
_WINDOW_MS = WINDOW_DAYS * DAY_MS
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
    logged = [_kept_from(one) for one in pathway.facts if type(one) is not PersonFact]
    logged += [one.logged_at for one in pathway.seen]
    logged += [one.fact.logged_at for one in (*pathway.borrowed, *pathway.shared)]
    logged += [need.closed_at for need in work.needs.values() if need.state == CLOSED]
    if not logged:
        return False
    if min(logged) <= horizon:
        _let_go(work, horizon)
        logged = [at for at in logged if at > horizon]
    if logged:
        work.wake_at(min(logged) + _WINDOW_MS)
    return len(work.pathway.facts) < len(pathway.facts)


def _let_go(work: Work, horizon: int) -> None:
    pathway, busy = work.pathway, _busy_roots(work, horizon)
    gone = _old_causes(work, horizon, busy)
    while parted := _parted(work, gone) - busy:
        busy |= parted
        gone = _old_causes(work, horizon, busy)
    gone |= _old_consents(work, horizon, gone) | _old_persons(work, horizon, gone)
    gone |= {fact.event_id for fact in work.facts.correspondence if fact.logged_at <= horizon}
    work.pathway = replace(
        pathway,
        facts=tuple(fact for fact in pathway.facts if fact.event_id not in gone),
        seen=tuple(one for one in pathway.seen if one.logged_at > horizon),
        borrowed=tuple(one for one in pathway.borrowed if one.fact.event_id not in gone),
        shared=tuple(one for one in pathway.shared if one.fact.event_id not in gone),
    )
    if gone:
        work.derive_again()
    _let_go_of_decisions(work, horizon, gone)


def _let_go_of_decisions(work: Work, horizon: int, gone: set[str]) -> None:
    """Lets go of needs and handovers that are over, and of what was noted of them."""
    triggers = work.derived.triggers
    work.needs = {
        key: need
        for key, need in work.needs.items()
        if _is_busy(work, need, horizon) or any(one.raises_any(need.roots) for one in triggers)
    }
    work.handovers = {key: one for key, one in work.handovers.items() if one.need_id in work.needs}
    kept = tuple(
        one
        for one in work.pathway.kept_elsewhere
        if one.live or one.covers > horizon or any(trigger.raises_any(one.carries) for trigger in triggers)
    )
    work.pathway = replace(work.pathway, kept_elsewhere=kept)
    work.once = {
        (kind, about)
        for kind, about in work.once
        if about not in gone and ("/" not in about or about.partition("/")[0] in work.handovers)
    }


def _is_busy(work: Work, need: Need, horizon: int) -> bool:
    """Tells whether a need, or a handover made for it, still waits for something or is not old."""
    clocks = (one.clock_at for one in work.handovers.values() if one.need_id == need.need_id)
    return need.state != CLOSED or need.closed_at > horizon or any(clock != NEVER for clock in clocks)


def _busy_roots(work: Work, horizon: int) -> set[str]:
    """Returns the ids on which something rests: of busy needs, and of all that raises any while one is open."""
    needs = work.needs.values()
    busy = {root for need in needs if _is_busy(work, need, horizon) for root in need.roots}
    if not all(need.state == CLOSED for need in needs):
        busy.update(*(one.ids for one in work.derived.triggers if one.opens))
    return busy


def _old_causes(work: Work, horizon: int, busy: set[str]) -> set[str]:
    """Returns the ids of the facts of old stays, courses and referrals on which nothing rests."""
    gone = _old_stays(work, horizon, busy)
    gone |= _old_groups(horizon, busy, work.facts.courses, course_name)
    return gone | _old_groups(horizon, busy, work.facts.referrals, referral_name)


def _parted(work: Work, gone: set[str]) -> set[str]:
    """Returns the ids of what raises a need together and would go in part: what is left would be decided anew."""
    told = {one.event_id for one in work.facts.raising}
    together = (
        told.intersection(id_ for one in occasion.triggers for id_ in one.ids) for occasion in raised_together(work)
    )
    return set().union(*(ids for ids in together if ids & gone and ids - gone))


def _old_stays(work: Work, horizon: int, busy: set[str]) -> set[str]:
    """Returns the ids of the steps of old stays; a stay's episodes leave together, a death stays for good."""
    if work.derived.stays.deceased:
        return set()
    steps = work.facts.stays
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
    told_by = stay.end_ids.union(stay.other_ids, *(step.ids for step in (*stay.left, *stay.parted)))
    return not busy.isdisjoint(told_by)


def _old_groups(
    horizon: int, busy: set[str], statements: Iterable[S], group: Callable[[S], tuple[str, str]]
) -> set[str]:
    """Returns the ids of the facts of old courses, or referrals."""
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
    """Returns the ids of the consents where all lapsed long ago; while one could close or carry something, all stay.

    An end that names a lapsed one ends that alone: where nobody knows of it any more, whatever there is (C17).
    A refusal in a stay, course or referral answers its end, however long that goes on. A consent given after a
    withdrawal overrules it, lapsed or not: neither may leave before the other. What is under way rests on its consent,
    however long it goes on.
    """
    if any(need.state != CLOSED for need in work.needs.values()):
        return set()
    consents = work.facts.consents
    asking = any(fact.event_id not in gone for fact in work.facts.raising)
    if asking and any(fact.decision != ConsentDecision.GIVEN for fact in consents):
        return set()
    if any(_kept_from(fact) > horizon for fact in consents):
        return set()
    return {fact.event_id for fact in consents}


def _old_persons(work: Work, horizon: int, gone: set[str]) -> set[str]:
    """Returns the ids of old statements about the person that later ones have overruled in every field.

    Where the young person lived is kept as long as something is, or may still be told, that happened then: it decides
    which needs that raises.
    """
    facts, old = work.facts.persons, set()
    since = min([horizon, *(one.occurred_at for one in work.derived.triggers if one.root not in gone)])
    birth_day_known, home_known = False, False
    for fact in reversed(facts):
        if (fact.linked_to or fact.unlinked_from) is not None:
            continue
        overruled = (fact.birth_date is None or birth_day_known) and (fact.municipality is None or home_known)
        if overruled and fact.logged_at <= horizon:
            old.add(fact.event_id)
        birth_day_known = birth_day_known or fact.birth_date is not None
        home_known = home_known or (fact.municipality is not None and fact.occurred_at <= since)
    return old | _old_links(facts, horizon)


def _old_links(facts: Sequence[PersonFact], horizon: int) -> set[str]:
    """Returns the ids of links that were undone long ago; one that holds is kept for good, as the last word on it."""
    links: dict[str, list[PersonFact]] = {}
    for fact in facts:
        if (other := fact.linked_to or fact.unlinked_from) is not None:
            links.setdefault(other, []).append(fact)
    return {
        fact.event_id
        for told in links.values()
        if _all_old(told, horizon)
        for fact in (told if told[-1].linked_to is None else told[:-1])
    }


def _kept_from(fact: Fact) -> int:
    """Returns from when on a fact is kept for the window at least: a consent from when it lapses."""
    return max(fact.logged_at, lapses_at(fact)) if isinstance(fact, ConsentFact) else fact.logged_at


def _all_old(facts: Iterable[Fact], horizon: int) -> bool:
    return all(fact.logged_at <= horizon for fact in facts)
