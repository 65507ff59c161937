"""Triggers: what in the facts raises a need. A function of the set of facts, the catalogue's units and courses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import CourseStatus, NeedKind, ReferralStatus, Specialty, VisitationDecision
from streams.domain.chains import standing
from streams.domain.plans import PLANNED, ExpectedEnd, Plan, expected_end, plan_of, plans_of, stay_of
from streams.domain.stays import Stay, Stays, is_psychiatric, stays_of

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from schemas.facts import CourseFact, PersonFact, ReferralFact
    from schemas.programmes import Catalogue
    from streams.domain.fact_kinds import FactKinds


class Trigger(NamedTuple):
    """One reason for help. ``root`` is the root of its revise chain: with the kind it makes the need's id.

    ``also`` are the roots of others that told the same: a need that one of them raised is this one's.
    ``logged_at`` is the log time of the first record that could raise it, from which it settles;
    ``course`` the programme whose course ended; ``unknown_unit`` one that reference data must name first;
    ``asked_by`` the programme that asked for bridging; ``not_before`` a time before which no need opens.
    """

    root: str
    trigger: str
    reason: str
    occurred_at: int
    since: int
    logged_at: int
    source: str
    kinds: tuple[str, ...] = (NeedKind.AFTERCARE, NeedKind.PLAN)
    course: str | None = None
    unknown_unit: str | None = None
    bridged_from: str | None = None
    asked_by: str | None = None
    not_before: int = 0
    also: tuple[str, ...] = ()

    @property
    def is_planned(self) -> bool:
        """Tells whether what raises it has not happened yet."""
        return self.trigger == PLANNED

    def raises(self, root: str) -> bool:
        """Tells whether a need with this root is one that the trigger raises."""
        return root == self.root or root in self.also


class Derived(NamedTuple):
    """Everything that follows from the set of facts alone."""

    stays: Stays
    birth_day: int | None
    municipality: str | None
    triggers: Sequence[Trigger]


def derive(facts: FactKinds, catalogue: Catalogue) -> Derived:
    """Returns what the facts say, whatever the order in which they came."""
    stays = stays_of(facts.stays)
    birth_day, municipality = _person(facts.persons, catalogue.programmes)
    plans = plans_of(facts.stays)
    triggers = [_of_stay(stay, plans, catalogue) for stay in stays.stays]
    triggers += [_of_plan(plan, stays.stays, catalogue) for plan in plans]
    if facts.courses:
        triggers += _of_courses(facts.courses, catalogue)
    if facts.referrals:
        triggers += _of_referrals(facts.referrals)
    raised = [trigger for trigger in triggers if trigger is not None]
    return Derived(stays, birth_day, municipality, raised)


def _person(stated: Sequence[PersonFact], programmes: Container[str]) -> tuple[int | None, str | None]:
    """Returns birth date and municipality: the latest said, by programmes only where nobody else says."""
    birth_day = municipality = None
    for of_programme in (True, False):
        for fact in stated:
            if (fact.source in programmes) is not of_programme:
                continue
            birth_day = birth_day if fact.birth_date is None else fact.birth_date
            municipality = municipality if fact.municipality is None else fact.municipality
    return birth_day, municipality


def _of_plan(plan: Plan, stays: Sequence[Stay], catalogue: Catalogue) -> Trigger | None:
    stay = stay_of(plan, stays)
    if stay is None:
        return None
    psychiatric = is_psychiatric(stay, catalogue.units)
    if psychiatric is False:
        return None
    fact = plan.fact
    return Trigger(
        root=plan.root,
        trigger=PLANNED,
        reason=PLANNED,
        occurred_at=fact.planned_at or fact.occurred_at,
        since=fact.occurred_at if stay.started_at is None else stay.started_at,
        logged_at=plan.logged_at,
        source=fact.source,
        kinds=(NeedKind.AFTERCARE,),
        unknown_unit=None if psychiatric else _first_unknown(stay, catalogue.units),
    )


def _of_stay(stay: Stay, plans: Sequence[Plan], catalogue: Catalogue) -> Trigger | None:
    if stay.ended_by is None or stay.ended_at is None or stay.deceased:
        return None
    psychiatric = is_psychiatric(stay, catalogue.units)
    if psychiatric is False:
        return None
    unknown = None if psychiatric else _first_unknown(stay, catalogue.units)
    since = stay.ended_at if stay.started_at is None else stay.started_at
    plan = plan_of(stay, plans) if plans else None
    known = plan is not None and plan.logged_at <= stay.end_logged_at + catalogue.settle_ms
    return Trigger(
        root=plan.root if plan is not None and known else stay.ended_by,
        trigger="discharge",
        reason="discharged_home",
        occurred_at=stay.ended_at,
        since=since,
        logged_at=stay.end_logged_at,
        source=stay.end_source,
        unknown_unit=unknown,
        also=stay.also_ended_by,
    )


def _first_unknown(stay: Stay, units: dict[str, str]) -> str:
    return min(unit for unit in stay.units if units.get(unit, Specialty.UNKNOWN) == Specialty.UNKNOWN)


def _of_courses(statements: Sequence[CourseFact], catalogue: Catalogue) -> list[Trigger | None]:
    courses: dict[tuple[str, str], list[tuple[str, CourseFact, Sequence[CourseFact]]]] = {}
    for root, fact, chain in standing(statements):
        courses.setdefault((fact.programme, fact.statement_id), []).append((root, fact, chain))
    return [_of_course(steps, catalogue) for steps in courses.values()]


def _of_course(steps: list[tuple[str, CourseFact, Sequence[CourseFact]]], catalogue: Catalogue) -> Trigger | None:
    root, last, chain = max(steps, key=lambda step: (step[1].status_at, step[1].occurred_at, step[0]))
    ended = (CourseStatus.COMPLETED, CourseStatus.DROPPED_OUT, CourseStatus.REFERRED_ELSEWHERE)
    own = any(last.programme in one.only_courses for one in catalogue.programmes.values())
    end = expected_end(steps, catalogue.programmes.values()) if own else None
    if last.status == CourseStatus.ACTIVE and end is not None:
        return _of_expected_end(steps, last, end)
    if last.status not in ended or (last.status == CourseStatus.COMPLETED and not own):
        return None
    logged_at = min(one.logged_at for one in chain)
    told_ahead = end is not None and end.raised_at(catalogue.settle_ms) < logged_at
    return Trigger(
        root=end.root if end is not None and told_ahead else root,
        trigger="course_ended",
        reason=last.status,
        occurred_at=last.status_at,
        since=min(step[1].status_at for step in steps),
        logged_at=logged_at,
        source=last.source,
        kinds=(NeedKind.AFTERCARE,),
        course=last.programme,
    )


def _of_expected_end(
    steps: list[tuple[str, CourseFact, Sequence[CourseFact]]], last: CourseFact, end: ExpectedEnd
) -> Trigger:
    return Trigger(
        root=end.root,
        trigger=PLANNED,
        reason="course_ends",
        occurred_at=end.ends_at,
        since=min(step[1].status_at for step in steps),
        logged_at=end.logged_at,
        source=last.source,
        kinds=(NeedKind.AFTERCARE,),
        course=last.programme,
        not_before=end.notice_at,
    )


def _of_referrals(statements: Sequence[ReferralFact]) -> list[Trigger | None]:
    referrals: dict[tuple[str, str], list[tuple[str, ReferralFact, Sequence[ReferralFact]]]] = {}
    for root, fact, chain in standing(statements):
        referrals.setdefault((fact.source, fact.statement_id), []).append((root, fact, chain))
    return [_of_referral(steps) for steps in referrals.values()]


def _of_referral(steps: list[tuple[str, ReferralFact, Sequence[ReferralFact]]]) -> Trigger | None:
    root, last, chain = max(steps, key=lambda step: (step[1].status_at, step[1].occurred_at, step[0]))
    rejected = last.decision == VisitationDecision.REJECTED
    bridging = last.bridging and last.status in (ReferralStatus.PROPOSED, ReferralStatus.ACTIVE)
    if not rejected and not bridging:
        return None
    return Trigger(
        root=root,
        trigger="referral_rejected" if rejected else "bridging",
        reason=(last.reason_code or "rejected") if rejected else "bridging_asked_for",
        occurred_at=last.status_at,
        since=min(step[1].status_at for step in steps),
        logged_at=min(one.logged_at for one in chain),
        source=last.source,
        kinds=(NeedKind.AFTERCARE,) if rejected else (NeedKind.BRIDGING,),
        course=last.programme if rejected else None,
        bridged_from=last.bridged_from,
        asked_by=None if rejected else last.referred_from,
    )
