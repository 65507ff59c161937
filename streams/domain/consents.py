"""Consents: who may give and who may end one, and whether one is in force. Nothing else decides about consent.

``TABLE`` is the consent table of docs/specification/consents.md; its first row that fits decides. A consent binds by
scope, receiver and purpose, by all that it names. It lapses at the latest one year after it was given (Sundhedsloven
§44). Where two statements can't be ordered (a day beside a time, the same minute) the one that ends wins. What is
parked neither gives nor ends.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import ConsentDecision, ConsentGiver, Custody, Identity
from schemas.pathway import replace
from streams.domain.calendar import age_on, lapse_of, last_moment, local_day
from streams.domain.chains import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.facts import ConsentFact

OWN_CONSENT_AGE = 15
ADULT_AGE = 18
_ENDS = (ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN)
_HOLDERS: frozenset[str] = frozenset({ConsentGiver.CUSTODY_HOLDER, ConsentGiver.OTHER_CUSTODY_HOLDER})
#: Of a sole custody there is no other holder: who says so contradicts themselves.
_HOLDERS_OF: dict[str, frozenset[str]] = {
    Custody.SOLE: frozenset({ConsentGiver.CUSTODY_HOLDER}),
    Custody.JOINT: _HOLDERS,
}
_MINUTE_MS = 60_000


class Who(Enum):
    """Whose word counts."""

    YOUNG_PERSON = "the young person"
    HOLDERS = "every custody holder to give, any whose consent is required to end"
    EITHER = "the young person, or any custody holder whose consent is required"


class Rule(NamedTuple):
    """A row: from an age on, for these scopes, and whether a professional found that the young person can't judge."""

    youngest: int
    scopes: tuple[Identity, ...]
    unable: tuple[bool, ...]
    gives: Who
    ends: Who


_BOTH = (Identity.NAMED, Identity.ANONYMOUS)
_ABLE_OR_NOT = (False, True)
TABLE = (
    Rule(ADULT_AGE, _BOTH, _ABLE_OR_NOT, gives=Who.YOUNG_PERSON, ends=Who.YOUNG_PERSON),
    Rule(0, (Identity.ANONYMOUS,), _ABLE_OR_NOT, gives=Who.YOUNG_PERSON, ends=Who.YOUNG_PERSON),
    Rule(OWN_CONSENT_AGE, (Identity.NAMED,), (False,), gives=Who.YOUNG_PERSON, ends=Who.YOUNG_PERSON),
    Rule(OWN_CONSENT_AGE, (Identity.NAMED,), (True,), gives=Who.HOLDERS, ends=Who.EITHER),
    Rule(0, (Identity.NAMED,), _ABLE_OR_NOT, gives=Who.HOLDERS, ends=Who.HOLDERS),
)


class Asker(NamedTuple):
    """Who wants to know: a programme, the kind of need, and the lowest age of those whom the programme takes."""

    programme: str
    kind: str
    lowest_age: int = 0


class Consents(NamedTuple):
    """What was given and what was refused or withdrawn, of now or before, and the day of the young person's birth."""

    given: Sequence[ConsentFact]
    ends: Sequence[ConsentFact]
    birth_day: int | None


def standing_consents(statements: Sequence[ConsentFact]) -> list[ConsentFact]:
    """Returns the consent statements that stand."""
    return [fact for _, fact, _ in standing(statements)]


def consents_of(stand: Sequence[ConsentFact], birth_day: int | None, now: int) -> Consents:
    """Returns the consents as far as they are of now or before."""
    known = [one for one in stand if one.occurred_at <= now]
    given = [one for one in known if one.decision == ConsentDecision.GIVEN]
    return Consents(given, [one for one in known if one.decision in _ENDS], birth_day)


def rule_for(age: int, scope: str, *, unable: bool) -> Rule:
    """Returns the row of the table that decides."""
    return next(row for row in TABLE if age >= row.youngest and scope in row.scopes and unable in row.unable)


def missing_for(consents: Consents, asker: Asker, identity: str, at: int) -> str | None:
    """Returns None where a consent in force at a time covers an offer with this identity, else what is wanted."""
    _, missing = _basis(consents, asker, identity, at)
    return missing


def basis_of(consents: Consents, asker: Asker, identity: str, at: int) -> ConsentFact | None:
    """Returns the consent in force that an offer with this identity rests on at a time, the latest of several."""
    found, _ = _basis(consents, asker, identity, at)
    return found


def last_word(consents: Consents, kind: str, since: int, at: int) -> ConsentFact | None:
    """Returns the refusal or withdrawal that, as far as said at a time, ends a need of a kind; None where none does.

    None does that left a consent of either scope in force. Such a one, or one given later, overrules an end for good:
    that it has lapsed since is no withdrawal.
    """
    ends = [
        one
        for one in consents.ends
        if since <= _latest(one)
        and one.occurred_at <= at
        and _ends_kind(one, consents, kind)
        and _may_end_some(one, consents, kind)
    ]
    if not ends:
        return None
    last = max(ends, key=lambda one: (_latest(one), one.event_id))
    given = (one for one in consents.given if one.occurred_at <= at)
    return None if any(_had_force(one, consents, kind, max(_latest(last), one.occurred_at)) for one in given) else last


def _may_end_some(end: ConsentFact, consents: Consents, kind: str) -> bool:
    """Tells whether an end is by somebody who may: by what it says itself, or by a consent that it is about."""
    itself = end if end.custody in _HOLDERS_OF else replace(end, custody=_custody(consents, _latest(end)))
    about = (one for one in consents.given if _is_about(end, one, consents, Asker(one.receiver or "", kind)))
    return _may_end(end, itself, consents) or any(_may_end(end, one, consents) for one in about)


def _had_force(consent: ConsentFact, consents: Consents, kind: str, at: int) -> bool:
    """Tells whether a consent that nobody has ended carried an offer of a kind to somebody at a time."""
    asker = Asker(consent.receiver or "", kind)
    if not _covers(consent, asker) or _is_ended(consent, consents, asker):
        return False
    return _basis(consents, asker, consent.scope, at)[0] is not None


def _ends_kind(end: ConsentFact, consents: Consents, kind: str) -> bool:
    """Tells whether an end is about a kind of need whatever the programme: it, or the consent that it names."""
    about = _named_by(end, consents) or [end]
    return any(one.receiver is None and one.purpose in (None, kind) for one in about)


def lapses_at(consent: ConsentFact) -> int:
    """Returns the first moment at which a consent is no longer in force, its own end among what decides."""
    lapse = lapse_of(consent.occurred_at)
    return lapse if consent.lapses_at is None else min(lapse, consent.lapses_at)


def _basis(consents: Consents, asker: Asker, identity: str, at: int) -> tuple[ConsentFact | None, str | None]:
    """Returns the consent that an offer rests on, or None and what is wanted."""
    if consents.birth_day is None:
        return None, "birth_date_unknown"
    given = [
        one
        for one in consents.given
        if one.occurred_at <= at < lapses_at(one) and _covers(one, asker) and not _is_ended(one, consents, asker)
    ]
    named = [one for one in given if one.scope == Identity.NAMED]
    basis, missing = _named(named, consents.birth_day, _custody(consents, at), at)
    if identity == Identity.NAMED:
        return basis, missing
    agreed = [
        one
        for one in given
        if one.scope == Identity.ANONYMOUS
        and ConsentGiver.YOUNG_PERSON in one.given_by
        and _is_old_enough(one, consents.birth_day, asker)
    ]
    if agreed or basis is not None:
        return _newest([*agreed, *([basis] if basis else [])]), None
    return None, "consent_wanted" if missing == "named_consent_wanted" else missing


def _named(given: list[ConsentFact], birth_day: int, custody: str, at: int) -> tuple[ConsentFact | None, str | None]:
    if not given:
        return None, "named_consent_wanted"
    age = age_on(birth_day, local_day(at))
    own = [one for one in given if _is_own(one, birth_day)]
    if age >= OWN_CONSENT_AGE and own:
        return _newest(own), None
    of_holders = [one for one in given if rule_for(age, one.scope, unable=_unable(one, birth_day)).gives is Who.HOLDERS]
    if not of_holders:
        return None, "own_consent_wanted"
    told = [one for one in of_holders if one.custody in _HOLDERS_OF]
    if not told:
        return None, "custody_unknown"
    sole = [one for one in told if one.custody == custody == Custody.SOLE and _HOLDERS_OF[custody] <= {*one.given_by}]
    joint = [one for one in told if Custody.JOINT in (one.custody, custody)]
    both = {giver for one in joint for giver in _holders_in(one)} >= _HOLDERS
    basis = [*sole, *(one for one in joint if both and _holders_in(one))]
    return (_newest(basis), None) if basis else (None, "custody_holders_wanted")


def _holders_in(consent: ConsentFact) -> frozenset[str]:
    """Returns the custody holders among who gave a consent: of one that tells sole custody, the one there is."""
    return _HOLDERS_OF.get(consent.custody, _HOLDERS) & {*consent.given_by}


def _is_old_enough(consent: ConsentFact, birth_day: int, asker: Asker) -> bool:
    """Tells whether the young person could agree when doing so: whoever does not decide alone, from the lowest age."""
    age = age_on(birth_day, local_day(consent.occurred_at))
    own = rule_for(age, Identity.NAMED, unable=_unable(consent, birth_day)).gives is Who.YOUNG_PERSON
    return own or age >= asker.lowest_age


def _unable(consent: ConsentFact, birth_day: int) -> bool:
    """Tells whether a professional found, when it could be found, that the young person can't judge: from 15 on."""
    return consent.youth_unable and age_on(birth_day, local_day(consent.occurred_at)) >= OWN_CONSENT_AGE


def _is_own(consent: ConsentFact, birth_day: int) -> bool:
    """Tells whether the young person gave a named consent when old enough to."""
    age = age_on(birth_day, local_day(consent.occurred_at))
    rule = rule_for(age, consent.scope, unable=consent.youth_unable)
    return rule.gives is Who.YOUNG_PERSON and ConsentGiver.YOUNG_PERSON in consent.given_by


def _custody(consents: Consents, at: int | None = None) -> str:
    """Returns the custody last told by a time; joint before sole where the two can't be ordered."""
    told = [one for one in (*consents.given, *consents.ends) if at is None or one.occurred_at <= at]
    joint = max((_latest(one) // _MINUTE_MS for one in told if one.custody == Custody.JOINT), default=-1)
    sole = max((one.occurred_at // _MINUTE_MS for one in told if one.custody == Custody.SOLE), default=-1)
    if joint < 0 and sole < 0:
        return Custody.UNKNOWN
    return Custody.JOINT if joint >= sole else Custody.SOLE


def _newest(consents: list[ConsentFact]) -> ConsentFact:
    return max(consents, key=lambda one: (one.occurred_at, one.event_id))


def _covers(statement: ConsentFact, asker: Asker) -> bool:
    """Tells whether a statement is about an asker, by all that it names."""
    return statement.receiver in (None, asker.programme) and statement.purpose in (None, asker.kind)


def _is_ended(consent: ConsentFact, consents: Consents, asker: Asker) -> bool:
    """Tells whether a refusal or withdrawal by somebody who may has ended a consent, as far as it covers an asker."""
    return any(
        _is_about(end, consent, consents, asker)
        and _latest(end) // _MINUTE_MS >= _said_at(consent) // _MINUTE_MS
        and _may_end(end, consent, consents)
        for end in consents.ends
    )


def _is_about(end: ConsentFact, consent: ConsentFact, consents: Consents, asker: Asker) -> bool:
    """Tells whether an end is about a consent: one that names a consent is about that one, else about all it covers.

    Of a form that gave several it ends the one of its own scope. A withdrawal that names one and says another scope
    takes back what it names; a refusal ends its own scope alone.
    """
    named = _named_by(end, consents)
    if not named:
        return end.scope == consent.scope and _covers(end, asker)
    if end.subject != consent.subject:
        return False
    same_scope = any(one.scope == end.scope for one in named)
    return consent.scope == end.scope if same_scope or end.decision == ConsentDecision.REFUSED else True


def _named_by(end: ConsentFact, consents: Consents) -> list[ConsentFact]:
    return [one for one in consents.given if one.subject == end.subject]


def _may_end(end: ConsentFact, consent: ConsentFact, consents: Consents) -> bool:
    """Tells whether who refused or withdrew may: by the age on that day, and by whose consent is required.

    By the custody that the consent tells, and where that was joint at last, by either holder; where none is told, too.
    """
    own_holders = _HOLDERS_OF.get(consent.custody, _HOLDERS)
    is_joint = Custody.JOINT in (_custody(consents), _custody(consents, _latest(end)))
    required = _HOLDERS if is_joint else own_holders
    own, holders = ConsentGiver.YOUNG_PERSON in end.given_by, bool(required & {*end.given_by})
    if consents.birth_day is None:
        return own or holders
    age = age_on(consents.birth_day, local_day(end.occurred_at))
    match rule_for(age, consent.scope, unable=_unable(consent, consents.birth_day)).ends:
        case Who.YOUNG_PERSON:
            return own
        case Who.HOLDERS:
            return holders
        case Who.EITHER:
            return own or holders


def _said_at(consent: ConsentFact) -> int:
    """Returns when a consent was said: one that is dated ahead was said when it was sent."""
    return min(consent.occurred_at, consent.sent_at)


def _latest(statement: ConsentFact) -> int:
    return last_moment(statement.occurred_at, statement.occurred_on)
