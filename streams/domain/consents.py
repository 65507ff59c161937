"""Consents: whether one is in force for an offer, and what is wanted where none is.

The rules are DOMAIN §4's: from 15 the young person's own consent, below it the custody holders' (both where
custody is joint); anonymous handovers need only the young person's own, from the programme's lowest age; a
consent lapses after a year on its day; a refusal or withdrawal ends what was given before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import ConsentDecision, ConsentGiver, Custody, Identity
from streams.domain.calendar import age_on, lapse_of, local_day
from streams.domain.chains import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.facts import ConsentFact

OWN_CONSENT_AGE = 15
ADULT_AGE = 18
_ENDS = (ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN)


class Asker(NamedTuple):
    """Who wants to know: a programme (or None, for a need before one is chosen) and the kind of need."""

    programme: str | None
    kind: str
    lowest_age: int


def standing_consents(statements: Sequence[ConsentFact]) -> list[ConsentFact]:
    """Returns the consent statements that stand."""
    return [fact for _, fact, _ in standing(statements)]


def missing_for(
    consents: Sequence[ConsentFact], asker: Asker, identity: str, birth_day: int | None, now: int
) -> str | None:
    """Returns None where a consent in force covers an offer with this identity, else what is wanted."""
    given = _in_force(consents, asker, now)
    if identity == Identity.ANONYMOUS:
        return _missing_anonymous(given, asker, birth_day)
    return _missing_named([one for one in given if one.scope == Identity.NAMED], birth_day, now)


def _missing_anonymous(given: list[ConsentFact], asker: Asker, birth_day: int | None) -> str | None:
    for one in given:
        own = ConsentGiver.YOUNG_PERSON in one.given_by
        if own and (birth_day is None or age_on(birth_day, local_day(one.occurred_at)) >= asker.lowest_age):
            return None
        if one.scope == Identity.NAMED:
            return None
    return "consent_wanted"


def _missing_named(given: list[ConsentFact], birth_day: int | None, now: int) -> str | None:
    if birth_day is None:
        return "birth_date_unknown"
    if not given:
        return "named_consent_wanted"
    age = age_on(birth_day, local_day(now))
    unable = age < ADULT_AGE and any(one.youth_unable for one in given)
    if age >= OWN_CONSENT_AGE and not unable:
        able = any(_given_by_able_youth(one, birth_day) for one in given)
        return None if able else "own_consent_wanted"
    return _missing_holders(given)


def _given_by_able_youth(consent: ConsentFact, birth_day: int) -> bool:
    own = ConsentGiver.YOUNG_PERSON in consent.given_by
    return own and age_on(birth_day, local_day(consent.occurred_at)) >= OWN_CONSENT_AGE


def _missing_holders(given: list[ConsentFact]) -> str | None:
    givers = {giver for one in given for giver in one.given_by}
    latest = max(given, key=lambda one: (one.custody != Custody.UNKNOWN, one.occurred_at, one.event_id))
    match latest.custody:
        case Custody.SOLE:
            enough = bool(givers & {ConsentGiver.CUSTODY_HOLDER, ConsentGiver.OTHER_CUSTODY_HOLDER})
        case Custody.JOINT:
            enough = givers >= {ConsentGiver.CUSTODY_HOLDER, ConsentGiver.OTHER_CUSTODY_HOLDER}
        case _:
            return "custody_unknown"
    return None if enough else "custody_holders_wanted"


def last_word(consents: Sequence[ConsentFact], asker: Asker, since: int, now: int) -> str | None:
    """Returns ``refused`` or ``withdrawn`` where that was the last that was said since then, and holds.

    A consent given after it, and not taken back, overrules it for good: that it has lapsed since is no withdrawal.
    """
    if all(one.decision not in _ENDS for one in consents):
        return None
    known = {one.statement_id for one in consents if one.decision == ConsentDecision.GIVEN}
    covered = {one.statement_id for one in consents if _covers(one, asker)}
    ends = [
        one
        for one in consents
        if one.decision in _ENDS
        and one.occurred_at >= since
        and (one.statement_id in covered or _ends_unnamed(one, known, asker))
    ]
    if not ends or _in_force(consents, asker, now):
        return None
    last = max(ends, key=lambda one: (one.occurred_at, one.event_id))
    return None if any(one.occurred_at >= last.occurred_at for one in _not_ended(consents, asker)) else last.decision


def consent_in_force(consents: Sequence[ConsentFact], asker: Asker, now: int) -> ConsentFact | None:
    """Returns the latest consent in force that covers an offer, or None."""
    given = _in_force(consents, asker, now)
    return max(given, key=lambda one: (one.occurred_at, one.event_id)) if given else None


def lapses_at(consent: ConsentFact) -> int:
    """Returns the first moment at which a consent is no longer in force, its own end among what decides."""
    lapse = lapse_of(consent.occurred_at)
    return lapse if consent.lapses_at is None else min(lapse, consent.lapses_at)


def _covers(consent: ConsentFact, asker: Asker) -> bool:
    if consent.receiver is not None:
        return consent.receiver == asker.programme
    return consent.purpose == asker.kind


def _in_force(consents: Sequence[ConsentFact], asker: Asker, now: int) -> list[ConsentFact]:
    return [one for one in _not_ended(consents, asker) if now < lapses_at(one)]


def _not_ended(consents: Sequence[ConsentFact], asker: Asker) -> list[ConsentFact]:
    """Returns the consents given that cover the asker and that nobody took back, lapsed ones among them."""
    given = [one for one in consents if one.decision == ConsentDecision.GIVEN]
    covering = [one for one in given if _covers(one, asker)]
    ends = [one for one in consents if one.decision in _ENDS]
    if not covering or not ends:
        return covering
    known = {one.statement_id for one in given}
    unnamed = [end for end in ends if _ends_unnamed(end, known, asker)]
    return [one for one in covering if not _is_ended(one, ends, unnamed)]


def _is_ended(consent: ConsentFact, ends: list[ConsentFact], unnamed: list[ConsentFact]) -> bool:
    by_name = any(end.statement_id == consent.statement_id and end.occurred_at >= consent.occurred_at for end in ends)
    return by_name or any(end.occurred_at >= consent.occurred_at for end in unnamed)


def _ends_unnamed(end: ConsentFact, known: set[str], asker: Asker) -> bool:
    """Tells whether a refusal or withdrawal that names no consent we know ends every one that it may have meant."""
    names_nothing = end.receiver is None and end.purpose is None
    return end.statement_id not in known and (names_nothing or _covers(end, asker))
