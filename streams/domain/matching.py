"""Matching: which programmes fit a need, in which order, and why the others don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import Identity
from schemas.pathway import NEVER, Need, Option
from streams.domain.calendar import age_on, birthday, local_day
from streams.domain.consents import ADULT_AGE, OWN_CONSENT_AGE, Asker, missing_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.programmes import Catalogue, Programme
    from streams.domain.triggers import Derived, Trigger
    from streams.domain.work import Work


class Choice(NamedTuple):
    """The outcome of a look at the whole catalogue.

    ``programme`` and ``identity`` are set where an offer may leave now. ``wanted`` is what consent is
    missing where one would fit but for it. ``options`` tells of every programme of the need's kind, best first.
    """

    options: tuple[Option, ...]
    programme: Programme | None = None
    identity: str | None = None
    wanted: str | None = None


def covers(programme: Programme, municipality: str | None) -> bool:
    """Tells whether a programme serves a municipality."""
    return municipality in programme.sites


def choose(work: Work, need: Need, trigger: Trigger, now: int, full: Mapping[str, str]) -> Choice:
    """Returns which programme is offered the need at a time, or what stands in the way of each.

    ``full`` tells why programmes that fit otherwise have no capacity.
    """
    options, wanted = [], None
    day = local_day(now)
    for programme in ranked(work.catalogue, need.kind, trigger):
        problem = _problem(programme, trigger, work.derived, need, day) or full.get(programme.programme_id)
        if problem is None:
            identity, problem = identity_for(work, programme, need.kind, trigger, now)
            if identity is not None:
                options.append(Option(programme.programme_id, "offered"))
                return Choice(tuple(options), programme, identity)
            wanted = wanted or problem
        _watch(work, programme, problem)
        options.append(Option(programme.programme_id, problem or ""))
    if wanted is not None:
        _watch_birthdays(work)
    return Choice(tuple(options), wanted=wanted)


def _watch_birthdays(work: Work) -> None:
    """Has a need that waits for consent looked at again on the birthdays that change whose is wanted."""
    if work.derived.birth_day is not None:
        days = (birthday(work.derived.birth_day, age) for age in (OWN_CONSENT_AGE, ADULT_AGE))
        work.wake_at(min((day for day in days if day > work.now), default=NEVER))


def _watch(work: Work, programme: Programme, problem: str | None) -> None:
    """Has a need looked at again on the birthday from which a programme may fit it."""
    if problem == "under_age" and work.derived.birth_day is not None:
        fits_at = birthday(work.derived.birth_day, programme.lowest_age)
        if fits_at > work.now:
            work.wake_at(fits_at)


def ranked(catalogue: Catalogue, kind: str, trigger: Trigger) -> list[Programme]:
    """Returns the programmes that take this kind of need: own course first, then specific before general."""
    taking = [
        one for one in catalogue.from_specific_to_general if kind in one.kinds and trigger.trigger in one.triggers
    ]
    if trigger.course is not None:
        taking.sort(key=lambda one: trigger.course not in one.only_courses)
    return taking


def _problem(programme: Programme, trigger: Trigger, derived: Derived, need: Need, day: int) -> str | None:
    """Returns why a programme doesn't fit on a day, consent left out; None where it does."""
    if programme.only_courses and trigger.course not in programme.only_courses:
        return "other_course"
    if day < programme.valid_from or (programme.valid_to is not None and day > programme.valid_to):
        return "not_valid"
    if not covers(programme, derived.municipality):
        return "municipality_not_covered"
    if programme.programme_id == trigger.asked_by:
        return "asked_for_it"
    if not any(may_take(programme, trigger, derived, identity) for identity in programme.identity):
        return "told_of_it_itself"
    if programme.programme_id in need.tried:
        return "already_tried"
    return _problem_of_age(programme, derived.birth_day, day)


def _problem_of_age(programme: Programme, birth_day: int | None, day: int) -> str | None:
    if birth_day is None:
        return "birth_date_unknown"
    age = age_on(birth_day, day)
    if age < programme.lowest_age:
        return "under_age"
    return "over_age" if age > programme.highest_age else None


def may_take(programme: Programme, trigger: Trigger, derived: Derived, identity: str) -> bool:
    """Tells whether a programme takes young people with an identity, for what this trigger tells.

    Who itself tells of numbers gets no anonymous offer that rests on it: it would learn whose pseudonym that is.
    """
    own = programme.programme_id == trigger.source or programme.programme_id in derived.word_of
    return identity in programme.identity and not (own and identity == Identity.ANONYMOUS)


def identity_for(
    work: Work, programme: Programme, kind: str, trigger: Trigger, at: int
) -> tuple[str | None, str | None]:
    """Returns with which identity a need of a kind may be offered (named before anonymous), else what is wanted."""
    asker, missing = Asker(programme.programme_id, kind, programme.lowest_age), None
    for identity in (Identity.NAMED, Identity.ANONYMOUS):
        if may_take(programme, trigger, work.derived, identity):
            missing = missing_for(work.consents, asker, identity, at)
            if missing is None:
                return identity, None
    return None, missing
