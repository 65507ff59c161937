"""A pathway's facts told apart by kind, in one pass: every part of what they say begins there."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from schemas.facts import ConsentFact, CorrespondenceFact, CourseFact, PersonFact, ReferralFact, StayFact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schemas.facts import Fact


class FactKinds(NamedTuple):
    """The facts of each kind, in the order of (occurred_at, event_id)."""

    stays: Sequence[StayFact]
    courses: Sequence[CourseFact]
    referrals: Sequence[ReferralFact]
    consents: Sequence[ConsentFact]
    persons: Sequence[PersonFact]
    correspondence: Sequence[CorrespondenceFact]

    @property
    def raising(self) -> Iterator[StayFact | CourseFact | ReferralFact]:
        """What may raise a need: all that was told of stays, courses and referrals."""
        return chain(self.stays, self.courses, self.referrals)


def course_name(fact: CourseFact) -> tuple[str, str]:
    """Returns what the statements of one course have in common."""
    return fact.programme, fact.subject


def referral_name(fact: ReferralFact) -> tuple[str, str]:
    """Returns what the statements of one referral have in common: another source's id is of another."""
    return fact.source, fact.subject


def told_apart(facts: Iterable[Fact]) -> FactKinds:
    """Returns the facts by kind."""
    stays: list[StayFact] = []
    courses: list[CourseFact] = []
    referrals: list[ReferralFact] = []
    consents: list[ConsentFact] = []
    persons: list[PersonFact] = []
    correspondence: list[CorrespondenceFact] = []
    for fact in facts:
        if type(fact) is StayFact:
            stays.append(fact)
        elif type(fact) is ConsentFact:
            consents.append(fact)
        elif type(fact) is PersonFact:
            persons.append(fact)
        elif type(fact) is CourseFact:
            courses.append(fact)
        elif type(fact) is ReferralFact:
            referrals.append(fact)
        elif type(fact) is CorrespondenceFact:
            correspondence.append(fact)
    return FactKinds(stays, courses, referrals, consents, persons, correspondence)
