"""Triggers: what in the facts raises a need. A function of the set of facts, the catalogue's units and courses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import CourseStatus, NeedKind, ReferralStatus, Specialty, VisitationDecision
from schemas.pathway import NEVER
from streams.domain.calendar import last_moment
from streams.domain.chains import Standing, spells
from streams.domain.fact_kinds import course_name, referral_name
from streams.domain.plans import PLANNED, ExpectedEnd, Plan, expected_end, is_planned_end, plans_for, plans_of, stay_of
from streams.domain.stays import (
    Stay,
    Stays,
    believed_until,
    is_psychiatric,
    is_psychiatric_step,
    parted_from,
    raises_by_itself,
    stays_of,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from schemas.facts import CourseFact, PersonFact, ReferralFact
    from schemas.programmes import Catalogue
    from streams.domain.fact_kinds import FactKinds
    from streams.domain.stays import Step

_Course = Standing["CourseFact"]
_Referral = Standing["ReferralFact"]
COURSE_ENDS = (CourseStatus.COMPLETED, CourseStatus.DROPPED_OUT, CourseStatus.REFERRED_ELSEWHERE)
_REFERRAL_BEGINS = (ReferralStatus.PROPOSED, ReferralStatus.ACTIVE)


class Trigger(NamedTuple):
    """One reason for help. ``root`` is the root of its revise chain: with the kind it makes the need's id.

    ``chain`` are the ids of that chain and of others that told the very same, ``ids`` those of everything that told it:
    a need that any of them raised is this one's. ``foretold`` are those of them that told only what it is the end of:
    the plan of a stay, the beginning of a course.
    ``logged_at`` is the log time of the first record that could raise it, from which it settles;
    ``course`` the programme whose course ended; ``name`` that of the course or referral, None of a stay;
    ``unknown_unit`` one that reference data must name first; ``asked_by`` the programme that asked for bridging;
    ``not_before`` a time before which no need opens, NEVER where what it tells is over: what was taken over goes on.
    ``opens`` tells whether the catalogue of now lets it raise a need; one that is under way goes on all the same.
    ``by_itself`` is the end of a stay without the episodes of it that ended before, None where none did.
    """

    root: str
    chain: frozenset[str]
    ids: frozenset[str]
    trigger: str
    reason: str
    occurred_at: int
    since: int
    logged_at: int
    source: str
    kinds: tuple[str, ...] = (NeedKind.AFTERCARE, NeedKind.PLAN)
    course: str | None = None
    unknown_unit: str | None = None
    asked_by: str | None = None
    not_before: int = 0
    opens: bool = True
    by_itself: Trigger | None = None
    foretold: frozenset[str] = frozenset()
    name: tuple[str, str] | None = None

    @property
    def told(self) -> frozenset[str]:
        """The ids of all that told that it has happened."""
        return self.ids - self.foretold

    @property
    def is_planned(self) -> bool:
        """Tells whether what raises it has not happened yet."""
        return self.trigger == PLANNED

    @property
    def is_of_stay(self) -> bool:
        """Tells whether it is the end of a stay, planned or come."""
        return self.course is None and self.trigger in (PLANNED, "discharge")

    def settled_at(self, settle_ms: int) -> int:
        """Returns the time from which on it may raise a need."""
        return max(self.logged_at + settle_ms, self.not_before)

    def raises(self, root: str) -> bool:
        """Tells whether a need with this root is one that the trigger raises."""
        return root in self.ids

    def raises_any(self, roots: Iterable[str]) -> bool:
        """Tells whether any of these roots is of a need that the trigger raises."""
        return not self.ids.isdisjoint(roots)


class Derived(NamedTuple):
    """Everything that follows from the set of facts alone. ``bridgings`` are the wishes to bridge: root and time.

    ``word_of`` are the programmes on whose word alone the birth day or the municipality rests.
    """

    stays: Stays
    birth_day: int | None
    municipality: str | None
    triggers: Sequence[Trigger]
    bridgings: Sequence[tuple[str, int]]
    homes: Sequence[tuple[int, str]]
    word_of: frozenset[str]

    def municipality_at(self, moment: int) -> str | None:
        """Returns the municipality at a time, the first known where nothing was known then."""
        known = [home for at, home in self.homes if at <= moment] or [home for _, home in self.homes[:1]]
        return known[-1] if known else None


def oldest_first(triggers: Iterable[Trigger]) -> list[Trigger]:
    """Returns triggers, oldest first, those of one moment always in the same order."""
    return sorted(triggers, key=lambda one: (one.occurred_at, one.trigger, min(one.ids)))


def derive(facts: FactKinds, catalogue: Catalogue) -> Derived:
    """Returns what the facts say, whatever the order in which they came."""
    stays = stays_of(facts.stays)
    birth_day, homes, word_of = _person(facts.persons, catalogue.programmes)
    plans = plans_of(facts.stays)
    triggers = [trigger for stay in stays.stays for trigger in _of_stay(stay, plans, stays.stays, catalogue)]
    triggers += [one for plan in plans if (one := _of_plan(plan, plans, stays.stays, catalogue)) is not None]
    for course in spells(facts.courses, course_name, _course_position, _is_ended):
        triggers += _of_course(course, catalogue)
    bridgings: list[tuple[str, int]] = []
    for referral in spells(facts.referrals, referral_name, _referral_position, _is_raising):
        triggers += _of_referral(referral)
        bridgings += [asked for steps in referral if (asked := _bridging_asked(steps)) is not None]
    return Derived(stays, birth_day, homes[-1][1] if homes else None, triggers, bridgings, homes, word_of)


def _person(
    stated: Sequence[PersonFact], programmes: Container[str]
) -> tuple[int | None, Sequence[tuple[int, str]], frozenset[str]]:
    """Returns the birth day, since when which municipality, and by whose word where programmes alone say so."""
    born = _of_others([fact for fact in stated if fact.birth_date is not None], programmes)
    lived = _of_others([fact for fact in stated if fact.municipality is not None], programmes)
    homes = [(one.occurred_at, one.municipality) for one in lived if one.municipality is not None]
    word_of = frozenset(one.source for one in (*born[-1:], *lived[-1:]) if one.source in programmes)
    return born[-1].birth_date if born else None, homes, word_of


def _of_others(told: list[PersonFact], programmes: Container[str]) -> list[PersonFact]:
    """Returns what others than programmes told, where any did."""
    return [fact for fact in told if fact.source not in programmes] or told


def _of_plan(plan: Plan, plans: Sequence[Plan], stays: Sequence[Stay], catalogue: Catalogue) -> Trigger | None:
    """Returns the trigger of a planned end: each plan of a stay raises what any of them does."""
    stay = stay_of(plan, stays)
    if stay is None:
        return None
    psychiatric = is_psychiatric(stay, catalogue.units)
    fact = plan.fact
    ids = plan.ids.union(*(one.ids for one in plans_for(stay, plans, stays)))
    return Trigger(
        root=plan.root,
        chain=ids,
        ids=ids,
        trigger=PLANNED,
        reason=PLANNED,
        occurred_at=fact.planned_at or fact.occurred_at,
        since=fact.occurred_at if stay.started_at is None else stay.started_at,
        logged_at=plan.logged_at,
        source=fact.source,
        kinds=(NeedKind.AFTERCARE,),
        unknown_unit=_first_unknown(stay, catalogue.units) if psychiatric is None else None,
        opens=psychiatric is not False,
    )


def _of_stay(stay: Stay, plans: Sequence[Plan], stays: Sequence[Stay], catalogue: Catalogue) -> Iterator[Trigger]:
    """Yields the trigger of a stay's end, and before it those of episodes that ended while it went on."""
    if stay.deceased:
        return
    for step in stay.parted:
        yield _of_left(step, stay, parted_from(step, catalogue.holidays), (plans, catalogue))
    before = [step for step in stay.left if raises_by_itself(step, stay, catalogue.holidays)]
    until = believed_until(stay, catalogue.holidays) if before else 0
    yield from (_of_left(step, stay, until, (plans, catalogue)) for step in before)
    if stay.ended_by is None or stay.ended_at is None:
        return
    left = [step for step in stay.left if step not in before]
    psychiatric = is_psychiatric(stay, catalogue.units)
    planned = [plan for plan in plans_for(stay, plans, stays) if not any(is_planned_end(plan, step) for step in before)]
    to_come = [plan for plan in planned if not any(is_planned_end(plan, step) for step in left)]
    settled_at = stay.end_logged_at + catalogue.settle_ms
    root, chain = _root_of(stay, _told_by(to_come, settled_at), ())
    foretold = frozenset[str]().union(*(plan.ids for plan in to_come))
    end = Trigger(
        root=root,
        chain=chain,
        ids=stay.end_ids.union(stay.other_ids, foretold),
        trigger="discharge",
        reason="discharged_home",
        occurred_at=stay.ended_at,
        since=stay.ended_at if stay.started_at is None else stay.started_at,
        logged_at=stay.end_logged_at,
        source=stay.end_source,
        unknown_unit=_first_unknown(stay, catalogue.units) if psychiatric is None else None,
        opens=psychiatric is not False,
        foretold=foretold,
    )
    if left:
        root, chain = _root_of(stay, _told_by(planned, settled_at), left)
        foretold = frozenset[str]().union(*(plan.ids for plan in planned))
        ids = end.ids.union(foretold, *(step.ids for step in left))
        end = end._replace(root=root, chain=chain, ids=ids, by_itself=end, foretold=foretold)
    yield end


def _told_by(plans: Sequence[Plan], moment: int) -> Plan | None:
    """Returns the plan sent last of those that were known by a time."""
    return next((plan for plan in plans if plan.logged_at <= moment), None)


def _root_of(stay: Stay, plan: Plan | None, left: Sequence[Step]) -> tuple[str, frozenset[str]]:
    """Returns root and chain of a stay's end: of its plan, of the first episode that ended in it, or its own."""
    if plan is not None:
        return plan.root, plan.ids
    first = left[0] if left else None
    return (stay.ended_by or "", stay.end_ids) if first is None else (first.root, first.ids)


def _of_left(step: Step, stay: Stay, believed: int, known: tuple[Sequence[Plan], Catalogue]) -> Trigger:
    """Returns the trigger of an episode that ended while another lasts whose end nobody believes is still to come."""
    plans, catalogue = known
    psychiatric = is_psychiatric_step(step, catalogue.units)
    fact = step.fact
    plan = next((plan for plan in plans if is_planned_end(plan, step)), None)
    return Trigger(
        root=step.root if plan is None else plan.root,
        chain=step.ids if plan is None else plan.ids,
        ids=step.ids if plan is None else step.ids | plan.ids,
        trigger="discharge",
        reason="discharged_home",
        occurred_at=fact.occurred_at,
        since=fact.occurred_at if stay.started_at is None else stay.started_at,
        logged_at=step.logged_at,
        source=fact.source,
        unknown_unit=fact.unit if psychiatric is None else None,
        not_before=believed,
        opens=psychiatric is not False,
        foretold=frozenset() if plan is None else plan.ids,
    )


def _first_unknown(stay: Stay, units: dict[str, str]) -> str:
    return min(unit for unit in stay.units if units.get(unit, Specialty.UNKNOWN) == Specialty.UNKNOWN)


def _of_course(course: list[list[_Course]], catalogue: Catalogue) -> Iterator[Trigger]:
    """Yields the triggers of a course: of its ends, told or, of one that goes on (again), expected."""
    for steps in course:
        last = steps[-1][1]
        end = expected_end(steps, catalogue)
        told = _of_told_end(steps, end, catalogue)
        if told is not None:
            yield told if steps is course[-1] else told._replace(not_before=NEVER)
        elif end is not None and last.status == CourseStatus.ACTIVE and steps is course[-1]:
            yield _of_expected_end(steps, last, end)


def _is_ended(fact: CourseFact) -> bool:
    return fact.status in COURSE_ENDS


def _course_position(step: _Course) -> tuple[int, int, str]:
    root, fact, _ = step
    return _position(fact, COURSE_ENDS), fact.occurred_at, root


def _of_told_end(steps: list[_Course], end: ExpectedEnd | None, catalogue: Catalogue) -> Trigger | None:
    """Returns the trigger of an end that was told, None of a course that goes on."""
    root, last, _ = steps[-1]
    if not _is_ended(last):
        return None
    own = any(last.programme in one.only_courses for one in catalogue.programmes.values())
    same = [one for step in steps for one in step[2] if step[0] == root or one.status == last.status]
    logged_at = min(one.logged_at for one in same if _is_ended(one))
    told_ahead = end is not None and end.followed and end.raised_at(catalogue.settle_ms) < logged_at
    root = end.root if end is not None and told_ahead else root
    return Trigger(
        root=root,
        chain=_ids(step for step in steps if step[0] == root),
        ids=_ids(steps),
        trigger="course_ended",
        reason=last.status,
        occurred_at=last.status_at,
        since=min(step[1].status_at for step in steps),
        logged_at=logged_at,
        source=last.source,
        kinds=(NeedKind.AFTERCARE,),
        course=last.programme,
        opens=own or last.status != CourseStatus.COMPLETED,
        foretold=_ids(step for step in steps if not _is_ended(step[1])),
        name=course_name(last),
    )


def _of_expected_end(steps: list[_Course], last: CourseFact, end: ExpectedEnd) -> Trigger:
    return Trigger(
        root=end.root,
        chain=_ids(step for step in steps if step[0] == end.root),
        ids=_ids(steps),
        trigger=PLANNED,
        reason="course_ends",
        occurred_at=end.ends_at,
        since=min(step[1].status_at for step in steps),
        logged_at=end.logged_at,
        source=last.source,
        kinds=(NeedKind.AFTERCARE,),
        course=last.programme,
        not_before=end.notice_at if end.followed else 0,
        opens=end.followed,
        name=course_name(last),
    )


def _ids(steps: Iterable[_Course] | Iterable[_Referral]) -> frozenset[str]:
    """Returns the ids of all that was told of one course, or referral."""
    return frozenset(one for root, _, chain in steps for one in (root, *(fact.event_id for fact in chain)))


def _position(fact: CourseFact | ReferralFact, ends: Container[str]) -> int:
    """Returns when a status came; an end told by day came after whatever else that day was told by time."""
    by_day = fact.status in ends and fact.occurred_on is not None and fact.status_at == fact.occurred_at
    return last_moment(fact.status_at, fact.occurred_on) if by_day else fact.status_at


def _of_referral(referral: list[list[_Referral]]) -> Iterator[Trigger]:
    """Yields the triggers of a referral; what was rejected, or asked for, and is not any more is held back for good."""
    for steps in referral:
        if _is_raising(steps[-1][1]):
            told = _of_raising(steps)
            yield told if steps is referral[-1] else told._replace(not_before=NEVER)


def _of_raising(steps: list[_Referral]) -> Trigger:
    root, last, _ = steps[-1]
    rejected = _is_rejected(last)
    told = [one for step in steps for one in step[2]]
    return Trigger(
        root=root,
        chain=_ids(step for step in steps if step[0] == root),
        ids=_ids(steps),
        trigger="referral_rejected" if rejected else "bridging",
        reason=(last.reason_code or "rejected") if rejected else "bridging_asked_for",
        occurred_at=last.status_at,
        since=min(step[1].status_at for step in steps),
        logged_at=min(one.logged_at for one in told if (one.decision == last.decision if rejected else one.bridging)),
        source=last.source,
        kinds=(NeedKind.AFTERCARE,) if rejected else (NeedKind.BRIDGING,),
        course=last.programme if rejected else None,
        asked_by=None if rejected else last.referred_from,
        foretold=_ids(step for step in steps if not _is_raising(step[1])),
        name=referral_name(last),
    )


def _is_raising(fact: ReferralFact) -> bool:
    return _is_rejected(fact) or _is_asked_for(fact)


def _is_rejected(fact: ReferralFact) -> bool:
    return fact.decision == VisitationDecision.REJECTED


def _is_asked_for(fact: ReferralFact) -> bool:
    return fact.bridging and fact.status in _REFERRAL_BEGINS


def _referral_position(step: _Referral) -> tuple[int, int, str]:
    root, fact, _ = step
    decided = fact.decision is not None or fact.status not in _REFERRAL_BEGINS
    return _position(fact, (fact.status,) if decided else ()), fact.occurred_at, root


def _bridging_asked(steps: list[_Referral]) -> tuple[str, int] | None:
    """Returns the root of a wish to bridge and when it was first made, whatever has become of it since."""
    asked = [(fact.status_at, root) for root, fact, _ in steps if fact.bridging]
    if not asked:
        return None
    at, root = min(asked)
    return root, at
