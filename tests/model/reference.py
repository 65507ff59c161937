"""The reference model of consent: who may be told what, when. Written from the specification, blind to the code.

The rules are those of ``docs/specification/consents.md``, and it reads as the law does. A consent is in force for an
offer where those gave it who had to (``givers_needed``), to this programme and this kind of need (``covers``), it has
begun and has not lapsed (``lapsed``), no birthday has put the decision into other hands (``outgrown``), and nobody who
may end it has ended it (``ended``). ``why_not`` puts the five together and is what everything else asks. Times are
milliseconds, days are Danish days since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.codes import ConsentDecision, ConsentGiver, Custody, Identity, NeedKind

OWN_DECISION, ADULT = 15, 18
_TWO = 2
MINUTE = 60_000
_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_EPOCH = date(1970, 1, 1).toordinal()
YOUTH = frozenset({ConsentGiver.YOUNG_PERSON})
HOLDER = frozenset({ConsentGiver.CUSTODY_HOLDER})
BOTH_HOLDERS = HOLDER | {ConsentGiver.OTHER_CUSTODY_HOLDER}
ENDS = (ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN)


class WhyNot(StrEnum):
    """Why a consent carries no offer."""

    NO_CONSENT = "nobody has said anything that covers it"
    UNREADABLE = "a code that this release doesn't know, or fields that contradict each other"
    AGE_UNKNOWN = "the birth date is unknown"
    CUSTODY_UNKNOWN = "custody is unknown"
    GIVER = "those who have to give it have not all given it"
    NOT_BEGUN = "it is dated ahead"
    LAPSED = "it has lapsed"
    OUTGROWN = "custody holders gave it, and Y decides now"
    TOO_YOUNG = "Y was younger than the programme's lowest age"
    ENDED = "somebody who may end it has refused or withdrawn"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said about a consent. ``said_at`` is when; a Danish midnight means that day, the time untold."""

    said_at: int
    decision: str
    givers: frozenset[str]
    custody: str
    unable: bool
    scope: str
    receiver: str | None
    purpose: str | None
    subject: str
    lapses_at: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """An offer that would leave at a time, or goes on then: of what kind, to whom, by name or not.

    ``lowest_age`` is the programme's; ``born`` the day of Y's birth; ``under_way`` that it left before.
    """

    kind: str
    programme: str
    identity: str
    moment: int
    lowest_age: int
    born: int | None
    under_way: bool = False


def why_not(wish: Wish, statements: Sequence[Statement]) -> WhyNot | None:
    """Returns None where a consent in force carries the offer, else why the nearest one doesn't."""
    return in_force(wish, statements)[1]


def in_force(wish: Wish, statements: Sequence[Statement]) -> tuple[tuple[Statement, ...], WhyNot | None]:
    """Returns the consents that carry an offer, or why none does.

    An anonymous offer leaves under Y's agreement, or under a named consent that is itself in force.
    """
    return _carrying(wish, with_custody_known(statements, wish.moment, by_all=True))


def _carrying(wish: Wish, statements: Sequence[Statement]) -> tuple[tuple[Statement, ...], WhyNot | None]:
    scopes = (wish.identity,) if wish.identity == Identity.NAMED else (Identity.ANONYMOUS, Identity.NAMED)
    carrying: list[Statement] = []
    reasons: list[WhyNot] = []
    for scope in scopes:
        given = [one for one in statements if one.decision == ConsentDecision.GIVEN and one.scope == scope]
        covering = [one for one in given if covers(one, wish)]
        standing = [one for one in covering if not ended(one, wish, statements)]
        reasons += [WhyNot.ENDED] * (len(standing) < len(covering))
        for one in standing:
            reason = _obstacle(one, wish, standing)
            carrying += [one] if reason is None else []
            reasons += [reason] if reason else []
    if carrying:
        return tuple(carrying), None
    return (), max(reasons, key=list(WhyNot).index, default=WhyNot.NO_CONSENT)


def with_custody_known(statements: Sequence[Statement], moment: int, *, by_all: bool = False) -> list[Statement]:
    """Returns the statements with the custody that was told last (C10): one that leaves it out takes nothing back.

    What any statement says of it counts; not ``by_all``, what a named consent that is given says. Joint where the order
    can't be told. Who gave as the other holder of a sole custody gave nothing (C4).
    """
    told = [
        one
        for one in statements
        if (by_all or (one.scope == Identity.NAMED and one.decision == ConsentDecision.GIVEN))
        and readable(one)
        and one.said_at <= moment
        and one.custody in (Custody.SOLE, Custody.JOINT)
    ]
    if not told:
        return list(statements)
    joint = max((_interval(one.said_at)[1] for one in told if one.custody == Custody.JOINT), default=0)
    sole = max((_interval(one.said_at)[0] for one in told if one.custody == Custody.SOLE), default=0)
    custody = Custody.JOINT if joint > sole else Custody.SOLE
    return [replace(one, custody=_told_in(one, custody), givers=_who_can_be(one)) for one in statements]


def _told_in(one: Statement, custody: str) -> str:
    """Returns the custody that a statement goes by: a consent that itself tells none goes by none (C10)."""
    tells_none = one.decision == ConsentDecision.GIVEN and one.custody not in (Custody.SOLE, Custody.JOINT)
    return one.custody if tells_none else custody


def _who_can_be(one: Statement) -> frozenset[str]:
    contradicts = one.custody == Custody.SOLE and one.decision == ConsentDecision.GIVEN
    return one.givers - {ConsentGiver.OTHER_CUSTODY_HOLDER} if contradicts else one.givers


def forbidden_beyond_doubt(wish: Wish, statements: Sequence[Statement]) -> WhyNot | None:
    """Returns why no consent carries an offer, whichever statement tells custody; None where one does."""
    of_given = _carrying(wish, with_custody_known(statements, wish.moment))[1]
    as_said = _carrying(wish, statements)[1]
    reason = why_not(wish, statements)
    return reason if reason and of_given and as_said else None


def is_carried_beyond_doubt(wish: Wish, statements: Sequence[Statement]) -> bool:
    """Tells whether a consent carries an offer however the specification is read.

    It says that who refuses to be named may still agree anonymously. Whether somebody who takes an anonymous agreement
    back still stands by a named consent, it doesn't; nor what is ended by an end that names a consent of another scope,
    nor whether Y may end what holders gave because Y is unable; nor whether an end that names one consent ends more.
    """
    all_ends = [replace(one, subject="") if one.decision in ENDS else one for one in statements]
    carrying, _ = in_force(wish, all_ends)
    carrying = tuple(one for one in carrying if one.lapses_at != wish.moment)
    ends_said = [end for end in statements if end.decision in ENDS and readable(end)]
    taken_back = any(end.scope == Identity.ANONYMOUS and covers(end, wish) for end in ends_said)
    named = {end.subject for end in ends_said}
    by_youth = any(ConsentGiver.YOUNG_PERSON in end.givers for end in ends_said)
    untouched = [one for one in carrying if one.subject not in named and not (one.unable and by_youth)]
    custodies = {one.custody for one in statements if readable(one)} & {Custody.SOLE, Custody.JOINT}
    doubtful = taken_back and all(one.scope == Identity.NAMED for one in untouched)
    return bool(untouched) and not doubtful and len(custodies) < _TWO


def still_carried(wish: Wish, left_at: int, statements: Sequence[Statement]) -> bool:
    """Tells whether a consent that carried an offer when it left still does beyond doubt, however old it has grown.

    One that had lapsed when something was ended leaves nothing in force: that end closes the need (C26).
    """
    then, _ = in_force(replace(wish, moment=left_at), [one for one in statements if one.said_at <= left_at])
    ended_at = max((one.said_at for one in statements if one.decision in ENDS), default=0)
    lasting = (one for one in then if not lapsed(one, ended_at) and one.lapses_at != ended_at)
    carried = {(one.subject, one.said_at) for one in lasting}
    mine = [one for one in statements if one.decision in ENDS or (one.subject, one.said_at) in carried]
    return is_carried_beyond_doubt(replace(wish, under_way=True), mine)


def _obstacle(one: Statement, wish: Wish, others: Sequence[Statement]) -> WhyNot | None:
    """Returns what keeps a consent that nobody has ended from carrying an offer, or None."""
    if not readable(one):
        return WhyNot.UNREADABLE
    if wish.born is None:
        return WhyNot.AGE_UNKNOWN
    if one.said_at > wish.moment:
        return WhyNot.NOT_BEGUN
    if wish.under_way:
        return None  # lapse, custody and birthdays are looked at where something new is told (C27): an end alone counts
    needed = givers_needed(one, wish.born)
    if isinstance(needed, WhyNot):
        return needed
    gave = one.givers if needed == YOUTH else _with_other_holders(one, others, wish)
    if not needed <= gave:
        return WhyNot.GIVER
    return _over(one, needed, wish)


def _over(one: Statement, needed: frozenset[str], wish: Wish) -> WhyNot | None:
    if lapsed(one, wish.moment):
        return WhyNot.LAPSED
    if outgrown(one, needed, wish):
        return WhyNot.OUTGROWN
    if one.scope == Identity.ANONYMOUS and wish.born is not None:
        age = _age_at(wish.born, one.said_at)
        decides = age >= ADULT or (age >= OWN_DECISION and not one.unable)
        return None if decides or age >= wish.lowest_age else WhyNot.TOO_YOUNG
    return None


def givers_needed(one: Statement, born: int) -> frozenset[str] | WhyNot:
    """Returns who has to give a consent, all of them, by Y's age when it was said (the table's middle column)."""
    age = _age_at(born, one.said_at)
    if age >= ADULT:
        return YOUTH
    if age >= OWN_DECISION and not one.unable:
        return YOUTH
    if one.scope == Identity.ANONYMOUS:
        return YOUTH
    return _holders(one.custody)


def enders_allowed(one: Statement, age: int, *, unable: bool) -> frozenset[str]:
    """Returns who may refuse or withdraw a consent, any of them, by Y's age when they do (the last column)."""
    holders = _holders(one.custody)
    required = BOTH_HOLDERS if isinstance(holders, WhyNot) else holders
    if age >= ADULT:
        return YOUTH
    if age >= OWN_DECISION and not unable:
        return YOUTH
    return YOUTH if one.scope == Identity.ANONYMOUS else required


def covers(one: Statement, wish: Wish) -> bool:
    """Tells whether a consent is to this programme and this kind of need: receiver and purpose bind, all it names."""
    return one.receiver in (None, wish.programme) and one.purpose in (None, wish.kind)


def readable(one: Statement) -> bool:
    """Tells whether every code of a statement is known; one that isn't neither gives nor ends."""
    codes = (one.decision, one.scope, *one.givers)
    return "UNKNOWN" not in codes and one.purpose != NeedKind.UNKNOWN and bool(one.givers)


def lapsed(one: Statement, moment: int) -> bool:
    """Tells whether a consent is over: after the same day a year later, or its own earlier end."""
    given = _date_of(one.said_at)
    last = date(given.year + 1, given.month, 28 if (given.month, given.day) == (2, 29) else given.day)
    return _date_of(moment) > last or (one.lapses_at is not None and moment > one.lapses_at)


def outgrown(one: Statement, needed: frozenset[str], wish: Wish) -> bool:
    """Tells whether custody holders gave what Y decides now: from the 15th birthday, the 18th where Y was unable."""
    if needed == YOUTH or wish.born is None:
        return False
    own = ADULT if _age_at(wish.born, one.said_at) >= OWN_DECISION else OWN_DECISION
    return _age_at(wish.born, wish.moment) >= own


def ended(one: Statement, wish: Wish, statements: Iterable[Statement]) -> bool:
    """Tells whether somebody who may has ended a consent, for this programme and this kind of need."""
    return any(ends(end, one, wish, statements) for end in statements if end.decision in ENDS)


def ends(end: Statement, one: Statement, wish: Wish, statements: Iterable[Statement]) -> bool:
    """Tells whether a refusal or withdrawal ends a consent as far as this offer goes.

    It counts per scope, for the receiver and the purpose that it names (all where it names none), from when it was
    said. Where the two can't be ordered the end wins. One that names another consent's statement is about that one.
    """
    if not readable(end) or end.scope != one.scope or end.said_at > wish.moment or not covers(end, wish):
        return False
    if wish.born is None or _interval(end.said_at)[1] <= _interval(one.said_at)[0]:
        return False
    about_another = end.subject != one.subject and any(
        other.subject == end.subject and other.decision == ConsentDecision.GIVEN for other in statements
    )
    allowed = enders_allowed(one, _age_at(wish.born, end.said_at), unable=one.unable)
    return not about_another and bool(end.givers & allowed)


def may_end_something(end: Statement, wish: Wish, statements: Iterable[Statement]) -> bool:
    """Tells whether an end could, read as widely as it can be, end any consent at all for a programme and a kind.

    Where this is False, whoever acts on it acts for nobody: the consents that are left stand.
    """
    born = wish.born
    if not readable(end) or end.decision not in ENDS or born is None:
        return False
    names_a_consent = any(one.subject == end.subject and one.decision == ConsentDecision.GIVEN for one in statements)
    if not covers(end, wish) and not names_a_consent:
        return False
    age = _age_at(born, end.said_at)
    if ConsentGiver.YOUNG_PERSON in end.givers:
        return True
    unable = end.unable or any(one.unable for one in statements if one.decision == ConsentDecision.GIVEN)
    return age < OWN_DECISION if end.scope == Identity.NAMED and not unable else age < ADULT


def _with_other_holders(one: Statement, others: Sequence[Statement], wish: Wish) -> frozenset[str]:
    """Returns who gave a consent: of joint custody, two holders may say it each for themselves."""
    said = (other for other in others if readable(other) and other.said_at <= wish.moment)
    same = (other for other in said if wish.born is not None and givers_needed(other, wish.born) != YOUTH)
    if one.custody != Custody.JOINT:
        return one.givers
    return one.givers.union(
        *(other.givers for other in same if other.custody == Custody.JOINT and not lapsed(other, wish.moment))
    )


def _holders(custody: str) -> frozenset[str] | WhyNot:
    match custody:
        case Custody.SOLE:
            return HOLDER
        case Custody.JOINT:
            return BOTH_HOLDERS
        case _:
            return WhyNot.CUSTODY_UNKNOWN


def age_on(born: int, day: int) -> int:
    """Returns an age in whole years on a day."""
    birth, now = date.fromordinal(born + _EPOCH), date.fromordinal(day + _EPOCH)
    return now.year - birth.year - ((now.month, now.day) < (birth.month, birth.day))


def _age_at(born: int, moment: int) -> int:
    return age_on(born, _date_of(moment).toordinal() - _EPOCH)


def is_by_day(moment: int) -> bool:
    """Tells whether a time is a day alone: told as its Danish midnight."""
    local = _local(moment)
    return (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


def _interval(moment: int) -> tuple[int, int]:
    """Returns between which times something was said: its minute, or its day where no time was told."""
    if not is_by_day(moment):
        return moment // MINUTE * MINUTE, moment // MINUTE * MINUTE + MINUTE
    start = _local(moment)
    return moment, round((start + timedelta(days=1)).timestamp() * 1000)


@lru_cache(maxsize=10_000)
def _local(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(_COPENHAGEN)


def _date_of(moment: int) -> date:
    return _local(moment).date()
