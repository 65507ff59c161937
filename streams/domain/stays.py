"""Stays: what the hospital's steps that stand say, in the order in which they happened.

A transfer sends no end, only a new start from the receiving hospital: an inpatient start takes over every
episode then open, whatever its id. An emergency visit beside an open stay is an episode of its own, and a stay of its
own where the open one has been silent so long that a person was told. A step that names no episode is about the stay at
its time: a letter may tell what a HospitalNotification tells too. An episode's id is no stay: systems use one again. A
step told by day alone happened at the time of that day that makes order of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import Specialty, StayClass, StayStatus
from schemas.events import UNNUMBERED
from streams.domain.calendar import DAY_MS, after_days, last_moment, local_day, on_working_day
from streams.domain.chains import linked_by_likeness, standing

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from schemas.facts import StayFact

_PSYCHIATRIC = frozenset({Specialty.CHILD_PSYCHIATRY, Specialty.ADULT_PSYCHIATRY, Specialty.PSYCHIATRIC_EMERGENCY})
#: Two ends within so long are one where either names no episode, or both name the same.
SAME_END_MS = DAY_MS
#: The end of an episode that a transfer took over may be told so long after the stay's own.
_LATE_END_MS = 30 * DAY_MS
_LEFT_DAYS = 7
_SILENT_DAYS = 60
_OVER = ("ended", "taken_over")
_DECEASED: str = StayStatus.DECEASED
_ORDER: dict[str, int] = {
    StayStatus.ADMITTED: 0,
    StayStatus.ON_LEAVE: 1,
    StayStatus.BACK: 2,
    StayStatus.DISCHARGED_HOME: 3,
    StayStatus.DECEASED: 4,
}
_ENDS = (StayStatus.DISCHARGED_HOME, StayStatus.DECEASED)


class Step(NamedTuple):
    """A statement that stands: the root of its chain, the chain's ids, and when the first came that tells the same."""

    root: str
    fact: StayFact
    logged_at: int
    ids: frozenset[str]


@dataclass(slots=True)
class Stay:
    """One joined stay. ``ended_by`` is the root of the discharge that ended it, None while it goes on.

    ``end_ids`` are the ids of every statement that told this very end, ``other_ids`` of other episodes' ends that came
    with it; ``end_unnumbered`` tells that ``ended_by`` names no episode. ``left`` are the ends of episodes of it while
    another lasted, ``left_at`` when the first came since somebody was last admitted to it. ``parted`` are those that an
    admission followed so late that a person had been told. ``source`` spoke of it last.
    """

    started_at: int | None
    units: set[str] = field(default_factory=set)
    specialties: set[str] = field(default_factory=set)
    open_episodes: dict[str, str] = field(default_factory=dict)
    on_leave: bool = False
    ended_by: str | None = None
    end_ids: frozenset[str] = frozenset()
    other_ids: frozenset[str] = frozenset()
    end_unnumbered: bool = False
    end_by_day: bool = False
    ended_at: int | None = None
    end_logged_at: int = 0
    end_source: str = ""
    left: list[Step] = field(default_factory=list)
    left_at: int | None = None
    parted: list[Step] = field(default_factory=list)
    first_root: str = ""
    source: str = ""
    last_at: int = 0
    news_at: int = 0
    deceased: bool = False


class Stays(NamedTuple):
    """Every stay of a young person, oldest first, and whether the last word is that the person died."""

    stays: Sequence[Stay]
    deceased: bool


def stays_of(statements: Sequence[StayFact]) -> Stays:
    """Returns the stays that the facts of stays say."""
    if not statements:
        return Stays((), deceased=False)
    statements, named = linked_by_likeness(statements, _kind_of)
    steps = [
        Step(root, fact, _first_told(fact, chain), _ids_of(root, chain, named))
        for root, fact, chain in standing(statements)
        if fact.status in _ORDER and not (fact.status == _DECEASED and _is_undone_death(fact, statements))
    ]
    deceased = any(step.fact.status == _DECEASED for step in steps)
    stays: list[Stay] = []
    for step in _in_order(steps):
        _take(stays, step)
    return Stays(stays, deceased)


def _kind_of(fact: StayFact) -> tuple[str, str, str, bool]:
    """Returns what a letter and its correction have in common: source, number, unit, and whether they tell an end."""
    return fact.source, fact.subject, fact.unit, fact.status in _ENDS


def _ids_of(root: str, chain: Sequence[StayFact], named: Mapping[str, str]) -> frozenset[str]:
    """Returns the ids of a chain, those among them by which corrections had named it before it was known."""
    told = (one.event_id for one in chain)
    return frozenset({root, *told, *(named[one.event_id] for one in chain if one.event_id in named)})


def _first_told(fact: StayFact, chain: Sequence[StayFact]) -> int:
    """Returns when the first of a chain came that tells what stands now."""
    return min(one.logged_at for one in chain if one.status == fact.status)


def _in_order(steps: list[Step]) -> list[Step]:
    """Returns the steps as they happened; what was told by day is put where its day makes order of it."""
    if len(steps) <= 1:
        return steps
    by_time = [step for step in steps if step.fact.occurred_on is None]
    ends = {local_day(step.fact.occurred_at): step.fact.occurred_at for step in by_time if step.fact.status in _ENDS}
    in_order = sorted(steps, key=lambda step: _position(step, ends))
    if len(by_time) == len(steps):
        return in_order
    for day_end in [step for step in in_order if step.fact.occurred_on is not None and step.fact.status in _ENDS]:
        if day_end.fact.occurred_on not in ends:
            _move_before_readmission(in_order, day_end)
    return in_order


def _position(step: Step, ends: Mapping[int, int]) -> tuple[int, int, bool, str]:
    """Returns where a step stands; an end told by day is with the end told by time of that day, else at its close."""
    fact, at = step.fact, step.fact.occurred_at
    if fact.occurred_on is not None and fact.status in _ENDS:
        at = ends.get(fact.occurred_on, last_moment(at, fact.occurred_on))
    return at, _ORDER[fact.status], fact.occurred_on is not None, step.root


def _move_before_readmission(in_order: list[Step], day_end: Step) -> None:
    """Puts the end of a day before an admission of that day by time, where a stay had begun on a day before."""
    day = day_end.fact.occurred_on
    index = in_order.index(day_end)
    first = next(
        (
            number
            for number, step in enumerate(in_order[:index])
            if step.fact.status == StayStatus.ADMITTED
            and step.fact.occurred_on is None
            and local_day(step.fact.occurred_at) == day
        ),
        None,
    )
    if first is not None and _is_open(in_order[:first]):
        in_order.insert(first, in_order.pop(index))


def _is_open(steps: Sequence[Step]) -> bool:
    stays: list[Stay] = []
    for step in steps:
        _take(stays, step)
    return any(stay.ended_by is None for stay in stays)


def _is_undone_death(fact: StayFact, statements: Sequence[StayFact]) -> bool:
    """Tells whether a later message of the same episode says that the person lives.

    A revised death can look like a second one (docs/specification/domain.md: its activity is the previous message's),
    so an AN_MORS undoes every death told before it, not only the one that it names. Systems write that a patient isn't
    dead by default: that alone undoes a death, and nothing else.
    """
    return any(
        (one.said_alive or (one.cancels and one.status == StayStatus.DECEASED))
        and not one.parked
        and one.source == fact.source
        and one.episode_id == fact.episode_id
        and (one.sent_at > fact.sent_at or (one.cancels and one.sent_at == fact.sent_at))
        for one in statements
    )


def _take(stays: list[Stay], step: Step) -> None:
    status = step.fact.status
    stay = _stay_of(stays, step)
    if status == StayStatus.ADMITTED:
        stay = stay or _opened(stays, step, step.fact.occurred_at)
        _start(stay, step.fact)
    elif status == StayStatus.DISCHARGED_HOME:
        if (stay is None or _is_silent(stay, step.fact)) and _was_told(stays, step):
            return
        stay = stay or _opened(stays, step, None)
        _end(stay, step)
    elif status == StayStatus.DECEASED:
        stay = stay or _opened(stays, step, None)
        stay.deceased, stay.ended_by, stay.ended_at = True, step.root, step.fact.occurred_at
    else:
        stay = stay or _opened(stays, step, None)
        stay.on_leave = status == StayStatus.ON_LEAVE
        stay.open_episodes.setdefault(step.fact.episode_id, StayClass.INPATIENT)
    _note(stay, step)


def _stay_of(stays: list[Stay], step: Step) -> Stay | None:
    """Returns the open stay that a step is of: the one with its episode, else the latest, if that is not long silent.

    A long stay may be silent: an inpatient start is its transfer however late. An emergency visit is not.
    """
    fact = step.fact
    going_on = [stay for stay in reversed(stays) if stay.ended_by is None]
    for stay in going_on:
        if fact.episode_id != UNNUMBERED and stay.open_episodes.get(fact.episode_id, "ended") not in _OVER:
            return stay
    if not going_on or (fact.stay_class == StayClass.EMERGENCY and _is_silent(going_on[0], fact)):
        return None
    return going_on[0]


def _is_silent(stay: Stay, fact: StayFact) -> bool:
    """Tells whether nothing was known to have happened in a stay for so long that it may be over unsaid."""
    return fact.occurred_at - stay.last_at > _SILENT_DAYS * DAY_MS


def _was_told(stays: list[Stay], step: Step) -> bool:
    """Tells whether a discharge after the last stay's end is of that stay, or of one before; keeps its ids there.

    An end that names its episode is the one that the stay bears, whichever came first.
    """
    fact = step.fact
    last = next((stay for stay in reversed(stays) if stay.ended_at is not None), None)
    if last is None or last.ended_at is None:
        return False
    named, known = fact.episode_id != UNNUMBERED, any(fact.episode_id in stay.open_episodes for stay in stays)
    by_day = fact.occurred_on is not None or last.end_by_day
    same_day = by_day and local_day(fact.occurred_at) == local_day(last.ended_at)
    if (not same_day and fact.occurred_at - last.ended_at > SAME_END_MS) or last.deceased:
        return named and known and (last.deceased or _was_taken_over(stays, fact))
    if named and last.end_unnumbered and (not known or fact.episode_id in last.open_episodes):
        logged_at, others = last.end_logged_at, last.end_ids
        _end(last, step)
        last.end_logged_at, last.end_ids = min(logged_at, step.logged_at), others | step.ids
        return True
    if named and not known and not same_day:
        return False
    if named:
        last.other_ids |= step.ids
    else:
        last.end_ids |= step.ids
    last.end_logged_at = min(last.end_logged_at, step.logged_at)
    last.open_episodes.setdefault(fact.episode_id, "ended")
    return True


def _was_taken_over(stays: list[Stay], fact: StayFact) -> bool:
    """Tells whether an end is of an episode that a transfer had taken over in a stay that ended not long before."""
    return any(
        stay.open_episodes.get(fact.episode_id) == "taken_over"
        and stay.ended_at is not None
        and fact.occurred_at - stay.ended_at <= _LATE_END_MS
        for stay in stays
    )


def _opened(stays: list[Stay], step: Step, started_at: int | None) -> Stay:
    stay = Stay(started_at, first_root=step.root)
    stays.append(stay)
    return stay


def _start(stay: Stay, fact: StayFact) -> None:
    if fact.episode_id == UNNUMBERED and stay.open_episodes:
        return  # a letter about the stay that goes on
    if fact.stay_class == StayClass.EMERGENCY:
        stay.open_episodes.setdefault(fact.episode_id, StayClass.EMERGENCY)
        return
    for episode, state in stay.open_episodes.items():
        stay.open_episodes[episode] = "ended" if state == "ended" else "taken_over"
    stay.open_episodes[fact.episode_id] = StayClass.INPATIENT
    stay.on_leave, stay.left_at = False, None
    parted = [step for step in stay.left if fact.occurred_at - step.fact.occurred_at > _LEFT_DAYS * DAY_MS]
    stay.left = [step for step in stay.left if step not in parted]
    stay.parted += parted


def _end(stay: Stay, step: Step) -> None:
    fact = step.fact
    told_again = stay.open_episodes.get(fact.episode_id) == "ended"
    stay.open_episodes[fact.episode_id] = "ended"
    if fact.episode_id == UNNUMBERED:
        stay.open_episodes = dict.fromkeys(stay.open_episodes, "ended")
    elif UNNUMBERED in stay.open_episodes and fact.stay_class != StayClass.EMERGENCY:
        stay.open_episodes[UNNUMBERED] = "ended"
    if any(state not in _OVER for state in stay.open_episodes.values()):
        stay.left = _left_again(stay.left, step) if told_again else [*stay.left, step]
        stay.left_at = step.logged_at if stay.left_at is None else min(stay.left_at, step.logged_at)
        return
    stay.ended_by, stay.end_ids, stay.end_logged_at = step.root, step.ids, step.logged_at
    stay.ended_at = max(fact.occurred_at, stay.started_at or fact.occurred_at)
    stay.end_source, stay.on_leave, stay.end_unnumbered = fact.source, False, fact.episode_id == UNNUMBERED
    stay.end_by_day = fact.occurred_on is not None


def _left_again(left: list[Step], step: Step) -> list[Step]:
    """Returns the ends beside a stay with one more, which tells the one of its episode within a day of it again."""
    since = step.fact.occurred_at - SAME_END_MS
    for number, one in enumerate(left):
        if one.fact.episode_id == step.fact.episode_id and one.fact.occurred_at >= since:
            both = one._replace(ids=one.ids | step.ids, logged_at=min(one.logged_at, step.logged_at))
            return [*left[:number], both, *left[number + 1 :]]
    return [*left, step]


def _note(stay: Stay, step: Step) -> None:
    stay.units.add(step.fact.unit)
    stay.specialties.add(step.fact.specialty)
    stay.source = step.fact.source
    stay.last_at = max(stay.last_at, step.fact.occurred_at)
    stay.news_at = max(stay.news_at, step.logged_at)


def is_of(stay: Stay, fact: StayFact) -> bool:
    """Tells whether a statement is about a stay: by its episode and time, by its time where it names no episode."""
    latest = last_moment(fact.occurred_at, fact.occurred_on)
    begun = stay.started_at is None or stay.started_at <= latest
    if fact.episode_id != UNNUMBERED:
        return begun and fact.episode_id in stay.open_episodes
    return begun and lasted(stay, fact.occurred_at)


def lasted(stay: Stay, moment: int) -> bool:
    """Tells whether a stay had not ended by a time, one whose end is told by day through that day."""
    if stay.ended_at is None:
        return True
    until = last_moment(stay.ended_at, local_day(stay.ended_at)) if stay.end_by_day else stay.ended_at
    return moment <= until


def end_missing_at(stay: Stay) -> int:
    """Returns when a person is told that the end of an open stay is missing.

    A week after one of its episodes ended while another lasts, else sixty days after the last news.
    """
    due = after_days(stay.news_at, _SILENT_DAYS)
    return due if stay.left_at is None else min(due, after_days(stay.left_at, _LEFT_DAYS))


def believed_until(stay: Stay, closed: Container[int]) -> int:
    """Returns until when an open stay holds needs back: until the first working day on which its end was missing."""
    return on_working_day(end_missing_at(stay), closed)


def parted_from(step: Step, closed: Container[int]) -> int:
    """Returns from when on an end that another admission followed late raised its need."""
    return on_working_day(after_days(step.logged_at, _LEFT_DAYS), closed)


def raises_by_itself(step: Step, stay: Stay, closed: Container[int]) -> bool:
    """Tells whether an end beside a stay raises a need of its own: the stay goes on, or its end was told after that."""
    if stay.ended_at is None:
        return True
    told_later = max(believed_until(stay, closed), step.logged_at) <= stay.end_logged_at
    return told_later and stay.ended_at - step.fact.occurred_at > SAME_END_MS


def is_psychiatric(stay: Stay, units: Mapping[str, str]) -> bool | None:
    """Tells whether any unit of the stay is psychiatric; None where none is known to be and one is unknown.

    Reference data decides; where it doesn't know the unit, the event's own specialty does.
    """
    return _are_psychiatric(stay.units, stay.specialties, units)


def is_psychiatric_step(step: Step, units: Mapping[str, str]) -> bool | None:
    """Tells whether a step was at a psychiatric unit; None where that is unknown."""
    return _are_psychiatric({step.fact.unit}, {step.fact.specialty}, units)


def _are_psychiatric(names: set[str], specialties: set[str], units: Mapping[str, str]) -> bool | None:
    unknown = False
    for unit in names:
        specialty = units.get(unit, Specialty.UNKNOWN)
        if specialty in _PSYCHIATRIC:
            return True
        unknown = unknown or specialty == Specialty.UNKNOWN
    if unknown and specialties & _PSYCHIATRIC:
        return True
    told = specialties - {Specialty.UNKNOWN}
    return None if unknown and not told else False
