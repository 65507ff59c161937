"""Ends that are known before they come: planned discharges, and courses that near their longest duration.

Their triggers bear the root that the end itself will have, so that a heads-up becomes the offer: where the
plan was known when the end settled. One told later changes nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import CourseStatus, StayStatus
from schemas.events import UNNUMBERED
from streams.domain.calendar import after_days, after_months, local_day, on_working_day, start_of_day_ms
from streams.domain.chains import standing
from streams.domain.stays import Stay, is_of, lasted

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from schemas.facts import CourseFact, StayFact
    from schemas.programmes import Catalogue
    from streams.domain.stays import Step

PLANNED = "discharge_planned"
_OVERDUE_DAYS = 7
#: No programme's courses last longer.
_COURSE_MONTHS_MAX = 120


class Plan(NamedTuple):
    """A planned discharge that stands; ``logged_at`` is when its first statement came."""

    root: str
    fact: StayFact
    logged_at: int
    ids: frozenset[str]


class ExpectedEnd(NamedTuple):
    """When a course ends at the latest, and from when on that is worth a heads-up. Times in milliseconds.

    ``followed`` tells whether a programme of the catalogue follows on the course.
    """

    root: str
    ends_at: int
    notice_at: int
    logged_at: int
    followed: bool

    def raised_at(self, settle_ms: int) -> int:
        """Returns when the heads-up's need opens, unless the course has ended before."""
        return max(self.logged_at + settle_ms, self.notice_at)


def overdue_at(planned_at: int, closed: Container[int]) -> int:
    """Returns when a planned end that has not come is for a person to look at: a week after its day, when at work."""
    return on_working_day(after_days(planned_at, _OVERDUE_DAYS), closed)


def plans_of(steps: Iterable[StayFact]) -> list[Plan]:
    """Returns the planned discharges that stand and name their day, the one sent last first."""
    statements = [fact for fact in steps if fact.status == StayStatus.DISCHARGE_PLANNED]
    if not statements:
        return []
    plans = [
        Plan(root, fact, min(one.logged_at for one in chain), frozenset({root, *(one.event_id for one in chain)}))
        for root, fact, chain in standing(statements)
        if fact.planned_at is not None
    ]
    return sorted(plans, key=lambda plan: (plan.fact.sent_at, plan.root), reverse=True)


def plans_for(stay: Stay, plans: Sequence[Plan], stays: Sequence[Stay]) -> list[Plan]:
    """Returns the plans for the end of a stay, the one sent last first: each of its episodes may have one."""
    return [plan for plan in plans if _stay_planned(plan, stays) is stay]


def stay_of(plan: Plan, stays: Sequence[Stay]) -> Stay | None:
    """Returns the stay whose end is planned: one that nothing else is known of where none was told, None if over."""
    stay = _stay_planned(plan, stays)
    if stay is not None:
        has_come = stay.ended_by is not None or any(is_planned_end(plan, step) for step in stay.left)
        return None if has_come else stay
    return Stay(None, units={plan.fact.unit}, specialties={plan.fact.specialty})


def is_planned_end(plan: Plan, step: Step) -> bool:
    """Tells whether the end of an episode in a stay that lasts is the one that was planned."""
    named = plan.fact.episode_id == step.fact.episode_id != UNNUMBERED
    return named and plan.fact.occurred_at <= step.fact.occurred_at


def _stay_planned(plan: Plan, stays: Sequence[Stay]) -> Stay | None:
    """Returns the stay that a plan was made in: the first that lasted then, and bears its episode where it names one.

    A plan is for one end alone: an episode that goes on again later has a plan of its own, or none.
    """
    fact = plan.fact
    told_of = [stay for stay in stays if is_of(stay, fact)]
    if told_of:
        return next((stay for stay in told_of if lasted(stay, fact.occurred_at)), told_of[-1])
    return next(
        (stay for stay in stays if fact.episode_id != UNNUMBERED and fact.episode_id in stay.open_episodes), None
    )


def expected_end(
    steps: Sequence[tuple[str, CourseFact, Sequence[CourseFact]]], catalogue: Catalogue
) -> ExpectedEnd | None:
    """Returns when a course ends at the latest, and when a working day tells so; None for one that was never active.

    One that no programme follows on is worth no heads-up. Its end is for a need that an earlier catalogue opened.
    """
    active = [step for step in steps if step[1].status == CourseStatus.ACTIVE]
    if not active:
        return None
    root, first, chain = min(active, key=lambda step: (step[1].status_at, step[0]))
    following = [one for one in catalogue.programmes.values() if first.programme in one.only_courses]
    lengths = [one.course_months for one in following if one.course_months]
    longest = after_months(first.started_on or local_day(first.status_at), min(lengths, default=_COURSE_MONTHS_MAX))
    told = [step[1].expected_end_on for step in active if step[1].expected_end_on is not None]
    ends_on = min([longest, *told])
    notice_months = max((one.course_notice_months for one in following if one.course_months), default=0)
    return ExpectedEnd(
        root=root,
        ends_at=start_of_day_ms(ends_on),
        notice_at=on_working_day(start_of_day_ms(after_months(ends_on, -notice_months)), catalogue.holidays),
        logged_at=min(one.logged_at for one in chain),
        followed=bool(lengths),
    )
