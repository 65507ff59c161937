"""Stays: what the hospital's steps that stand say, in the order in which they happened.

A transfer sends no end, only a new start from the receiving hospital: an inpatient start takes over every
episode then open, whatever its id. An emergency visit beside an open stay is an episode of its own. A step that
names no episode is about the stay at its time: a letter may tell what a HospitalNotification tells too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import Specialty, StayClass, StayStatus
from schemas.events import UNNUMBERED
from streams.domain.chains import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.facts import StayFact

_PSYCHIATRIC = frozenset({Specialty.CHILD_PSYCHIATRY, Specialty.ADULT_PSYCHIATRY, Specialty.PSYCHIATRIC_EMERGENCY})
#: Two ends within so long are one where either names no episode.
_SAME_END_MS = 86_400_000
_DECEASED: str = StayStatus.DECEASED
_ORDER: dict[str, int] = {
    StayStatus.ADMITTED: 0,
    StayStatus.ON_LEAVE: 1,
    StayStatus.BACK: 2,
    StayStatus.DISCHARGED_HOME: 3,
    StayStatus.DECEASED: 4,
}


@dataclass(slots=True)
class Stay:
    """One joined stay. ``ended_by`` is the root of the discharge that ended it, None while it goes on.

    ``also_ended_by`` are the roots of others that told the same end; ``end_unnumbered`` tells that ``ended_by`` names
    no episode. ``left_logged_at`` is set where one of several open episodes was discharged while another lasts.
    """

    started_at: int | None
    units: set[str] = field(default_factory=set)
    specialties: set[str] = field(default_factory=set)
    open_episodes: dict[str, str] = field(default_factory=dict)
    on_leave: bool = False
    ended_by: str | None = None
    also_ended_by: tuple[str, ...] = ()
    end_unnumbered: bool = False
    ended_at: int | None = None
    end_logged_at: int = 0
    end_source: str = ""
    left_logged_at: int | None = None
    first_root: str = ""
    news_at: int = 0
    deceased: bool = False


class Stays(NamedTuple):
    """Every stay of a young person, oldest first, and whether the last word is that the person died."""

    stays: Sequence[Stay]
    deceased: bool


class _Step(NamedTuple):
    root: str
    fact: StayFact
    logged_at: int


def stays_of(statements: Sequence[StayFact]) -> Stays:
    """Returns the stays that the facts of stays say."""
    if not statements:
        return Stays((), deceased=False)
    steps = [
        _Step(root, fact, fact.logged_at if len(chain) == 1 else min(one.logged_at for one in chain))
        for root, fact, chain in standing(statements)
        if fact.status in _ORDER and not (fact.status == _DECEASED and _is_undone_death(fact, statements))
    ]
    if len(steps) > 1:
        steps.sort(key=lambda step: (step.fact.occurred_at, _ORDER[step.fact.status], step.root))
    stays: list[Stay] = []
    deceased = False
    for step in steps:
        _take(stays, step)
        deceased = deceased or step.fact.status == StayStatus.DECEASED
    return Stays(stays, deceased)


def _is_undone_death(fact: StayFact, statements: Sequence[StayFact]) -> bool:
    """Tells whether a later message of the same episode says that the person lives.

    A revised death can look like a second one (DOMAIN §2: its activity is the previous message's), so an AN_MORS
    undoes every death told before it, not only the one that it names.
    """
    return any(
        one.cancels
        and one.source == fact.source
        and one.status == StayStatus.DECEASED
        and one.episode_id == fact.episode_id
        and one.sent_at >= fact.sent_at
        for one in statements
    )


def _take(stays: list[Stay], step: _Step) -> None:
    status = step.fact.status
    stay = stays[-1] if stays and stays[-1].ended_by is None else None
    if status == StayStatus.ADMITTED:
        stay = stay or _opened(stays, step, step.fact.occurred_at)
        _start(stay, step.fact)
    elif status == StayStatus.DISCHARGED_HOME:
        if stay is None and _was_told(stays, step):
            return
        _end(stay or _opened(stays, step, None), step)
    elif status == StayStatus.DECEASED:
        stay = stay or _opened(stays, step, None)
        stay.deceased, stay.ended_by, stay.ended_at = True, step.root, step.fact.occurred_at
    else:
        stay = stay or _opened(stays, step, None)
        stay.on_leave = status == StayStatus.ON_LEAVE
        stay.open_episodes.setdefault(step.fact.episode_id, StayClass.INPATIENT)
    _note(stays[-1], step)


def _was_told(stays: list[Stay], step: _Step) -> bool:
    """Tells whether a discharge after the last stay's end is of that stay, or of one before; keeps its root there.

    An end that names its episode is the one that the stay bears, whichever came first.
    """
    fact, last = step.fact, stays[-1] if stays else None
    known = any(fact.episode_id in stay.open_episodes for stay in stays)
    if last is None or last.ended_at is None or fact.occurred_at - last.ended_at > _SAME_END_MS or last.deceased:
        return known and fact.episode_id != UNNUMBERED  # of an episode that a transfer had taken over
    if fact.episode_id == UNNUMBERED:
        last.also_ended_by += (step.root,)
        last.end_logged_at = min(last.end_logged_at, step.logged_at)
        return True
    if not last.end_unnumbered or (known and fact.episode_id not in last.open_episodes):
        return known
    logged_at, others = last.end_logged_at, (*last.also_ended_by, last.ended_by or "")
    _end(last, step)
    last.end_logged_at, last.also_ended_by = min(logged_at, step.logged_at), others
    return True


def _opened(stays: list[Stay], step: _Step, started_at: int | None) -> Stay:
    stay = Stay(started_at, first_root=step.root)
    stays.append(stay)
    return stay


def _start(stay: Stay, fact: StayFact) -> None:
    if fact.episode_id == UNNUMBERED and stay.open_episodes:
        return  # a letter about the stay that goes on
    if fact.stay_class == StayClass.EMERGENCY:
        stay.open_episodes.setdefault(fact.episode_id, StayClass.EMERGENCY)
        return
    for episode in stay.open_episodes:
        stay.open_episodes[episode] = "taken_over"
    stay.open_episodes[fact.episode_id] = StayClass.INPATIENT
    stay.on_leave = False


def _end(stay: Stay, step: _Step) -> None:
    fact = step.fact
    stay.open_episodes[fact.episode_id] = "ended"
    if fact.episode_id == UNNUMBERED:
        stay.open_episodes = dict.fromkeys(stay.open_episodes, "ended")
    elif UNNUMBERED in stay.open_episodes and fact.stay_class != StayClass.EMERGENCY:
        stay.open_episodes[UNNUMBERED] = "ended"
    if any(state not in ("ended", "taken_over") for state in stay.open_episodes.values()):
        stay.left_logged_at = step.logged_at if stay.left_logged_at is None else stay.left_logged_at
        return
    stay.ended_by, stay.ended_at, stay.end_logged_at = step.root, fact.occurred_at, step.logged_at
    stay.end_source, stay.on_leave, stay.end_unnumbered = fact.source, False, fact.episode_id == UNNUMBERED


def _note(stay: Stay, step: _Step) -> None:
    stay.units.add(step.fact.unit)
    stay.specialties.add(step.fact.specialty)
    stay.news_at = max(stay.news_at, step.logged_at)


def is_of(stay: Stay, fact: StayFact) -> bool:
    """Tells whether a statement is about a stay: by its episode, by its time where it names none."""
    if fact.episode_id != UNNUMBERED:
        return fact.episode_id in stay.open_episodes
    begun = stay.started_at is None or stay.started_at <= fact.occurred_at
    return begun and (stay.ended_at is None or fact.occurred_at <= stay.ended_at)


def is_psychiatric(stay: Stay, units: dict[str, str]) -> bool | None:
    """Tells whether any unit of the stay is psychiatric; None where none is known to be and one is unknown.

    Reference data decides; where it doesn't know the unit, the event's own specialty does.
    """
    unknown = False
    for unit in stay.units:
        specialty = units.get(unit, Specialty.UNKNOWN)
        if specialty in _PSYCHIATRIC:
            return True
        unknown = unknown or specialty == Specialty.UNKNOWN
    if unknown and stay.specialties & _PSYCHIATRIC:
        return True
    told = stay.specialties - {Specialty.UNKNOWN}
    return None if unknown and not told else False
