"""What was decided for good, by a reply or a person, and for which triggers that holds (T7).

It holds for all that the need carried, and for whatever else tells the same, before or after. It doesn't hold for what
was only planned, nor for what turns out to be another end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import StayStatus
from schemas.facts import CourseFact, ReferralFact, StayFact
from schemas.pathway import NEVER, KeptElsewhere
from streams.domain.calendar import DAY_MS
from streams.domain.fact_kinds import course_name, referral_name
from streams.domain.plans import PLANNED
from streams.domain.stays import SAME_END_MS
from streams.domain.triggers import COURSE_ENDS
from streams.domain.work import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.pathway import Need
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

_ENDS = (StayStatus.DISCHARGED_HOME, *COURSE_ENDS)


def decided_needs(work: Work, kind: str) -> list[Need]:
    """Returns the needs of a kind that a reply or a person has decided for good."""
    return [one for one in work.needs.values() if one.kind == kind and one.state == CLOSED and not one.by_facts]


def decided_elsewhere(work: Work, kind: str) -> list[KeptElsewhere]:
    """Returns what other numbers of the person have decided for good."""
    return [one for one in work.pathway.kept_elsewhere if one.kind == kind and not one.live]


def is_over(trigger: Trigger, decided: Iterable[Need | KeptElsewhere]) -> bool:
    """Tells whether a trigger has been decided for good."""
    return any(holds_for(one, trigger) for one in decided)


def holds_for(decided: Need | KeptElsewhere, trigger: Trigger) -> bool:
    """Tells whether a decision holds for a trigger: for what told it ahead only where that was what was decided."""
    return not _bound(decided, trigger).isdisjoint(decided.carries)


def _bound(decided: Need | KeptElsewhere, trigger: Trigger) -> frozenset[str]:
    """Returns the ids of a trigger by any of which a decision holds for it."""
    about_plan = trigger.is_planned or isinstance(decided, KeptElsewhere) or decided.trigger == PLANNED
    return trigger.ids if about_plan else trigger.told


def undecided_part(trigger: Trigger, decided: Iterable[Need]) -> Trigger:
    """Returns the end of a stay by itself, where a need of an episode that ended in it was decided before it came."""
    if trigger.by_itself is None:
        return trigger
    before = any(
        holds_for(one, trigger)
        and one.closed_at < trigger.occurred_at
        and trigger.occurred_at - one.covers > SAME_END_MS
        for one in decided
    )
    return trigger.by_itself if before else trigger


def decided_by(work: Work, need: Need) -> list[Trigger]:
    """Returns what has happened of which a need was decided for good."""
    happened = (undecided_part(one, (need,)) for one in work.derived.triggers if not one.is_planned)
    return [one for one in happened if need.kind in one.kinds and holds_for(need, one)]


def keep_decided(work: Work, kind: str) -> None:
    """Has decided needs carry whatever tells the same since: one telling may be taken back.

    They let go of what turns out to be another end, for something between has come, and of what told an end ahead that
    has come and was taken back.
    """
    for need in decided_needs(work, kind):
        happened = decided_by(work, need)
        apart = _apart(work, need, happened)
        kept = tellings(one for one in happened if one not in apart)
        gone = set(tellings(apart)).difference(kept)
        carries: Iterable[str] = dict.fromkeys((*(one for one in need.carries if one not in gone), *kept))
        if need.trigger == PLANNED and not kept and _was_taken_back(work, need):
            carries = without_plans(work, carries)
        if set(carries) != set(need.carries):
            work.change(need, carries=tuple(carries))


def _apart(work: Work, need: Need, happened: Sequence[Trigger]) -> list[Trigger]:
    """Returns what was told once a need was decided, and is another end than any that it was taken for.

    It tells one that was taken back again where none that stands is as near; else another where all still stands.
    """
    if not happened:
        return []
    place = {one: number for number, one in enumerate(need.carries)}
    own = {one.event_id for one in work.pathway.facts}  # another number's facts may come again, and be logged anew
    told = [one for one in work.facts.raising if one.event_id in place]
    before = place.keys() - {
        one.event_id
        for one in told
        if one.logged_at > need.closed_at and (one.event_id in own or one.occurred_at > need.covers)
    }
    stands = _ids_that_stand(work)
    apart: list[Trigger] = []
    for each in happened:
        number = min(place.get(one, len(place)) for one in _bound(need, each))
        if not before.isdisjoint(_bound(need, each)):
            continue
        earlier = [one for one in told if place[one.event_id] < number]
        gone = min((_distance(one, each) for one in earlier if one.event_id in before - stands), default=NEVER)
        other = min((_distance(one, each) for one in earlier if one.event_id in stands), default=NEVER)
        if (other < NEVER and other <= gone + DAY_MS) or (gone == NEVER and stands.issuperset(need.carries[:number])):
            apart.append(each)
    return apart


def _distance(told: StayFact | CourseFact | ReferralFact, end: Trigger) -> int:
    """Returns how far in time an end is from one for which it may have been taken, NEVER from any other."""
    match told:
        case CourseFact():
            return abs(told.status_at - end.occurred_at) if end.name == course_name(told) else NEVER
        case ReferralFact():
            return abs(told.status_at - end.occurred_at) if end.name == referral_name(told) else NEVER
        case StayFact():
            distance = abs(told.occurred_at - end.occurred_at)
            return distance if end.name is None and distance <= SAME_END_MS else NEVER


def _was_taken_back(work: Work, need: Need) -> bool:
    """Tells whether a need carries what told an end that was taken back."""
    ends = {one.event_id for one in work.facts.raising if one.status in _ENDS}
    return not ends.intersection(need.carries) <= _ids_that_stand(work)


def _ids_that_stand(work: Work) -> frozenset[str]:
    return frozenset[str]().union(*(one.ids for one in work.derived.triggers))


def tellings(happened: Iterable[Trigger]) -> list[str]:
    """Returns the ids of all that told what happened: a need that carries each of them outlives the end of any."""
    return [one for trigger in happened for one in sorted(trigger.told)]


def without_plans(work: Work, roots: Iterable[str], kept: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns roots without those of what is or was only planned, but for plans of which the roots ``kept`` tell.

    What comes once a programme has taken over, or Y has decided, is a need of its own, whether or not it was planned:
    but for the plan that a need is about. Where an end that came is taken back, what told it ahead is of the next one.
    """
    others = [one for one in work.derived.triggers if not one.raises_any(kept)]
    ahead = (one.ids if one.is_planned else one.foretold for one in others)
    told = (one.told for one in work.derived.triggers if not one.is_planned)
    only_ahead = frozenset[str]().union(*ahead).difference(*told)
    return tuple(root for root in roots if root not in only_ahead)
