"""Checks of one fold by the consent table: what may leave, what goes on, and who may end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.codes import ConsentDecision, Custody, HandoverEventType, Identity, StayStatus
from tests.model.checks_of_folds import NEW, TELLING, Found, consents_told, is_silent, to_programmes, wish_of
from tests.model.ledger import FOLDED, Handed, Ledger
from tests.model.reference import (
    ENDS,
    WhyNot,
    Wish,
    forbidden_beyond_doubt,
    in_force,
    is_carried_beyond_doubt,
    may_end_something,
    still_carried,
    with_custody_known,
)
from tests.model.reference_needs import (
    MAY_END_TAKEN,
    OF_CONSENT,
    PSYCHIATRIC,
    TAKEN,
    Fact,
    standing,
    unknown_code,
)
from tests.model.world import Seen


def consent_in_force(ledger: Ledger, seen: Seen) -> Found:
    """No offer, heads-up or identity without a consent in force at that moment."""
    for statement, fields in to_programmes(seen):
        if statement in TELLING or _names_now(ledger, statement, fields):
            wish = wish_of(ledger, seen, fields)
            reason = forbidden_beyond_doubt(wish, ledger.certain_consents(seen.number))
            if reason is not None and not is_silent(ledger, seen) and not _unsaid(ledger, seen, reason):
                yield f"{statement} to {fields['programme']} ({fields['identity']}): {reason}"


def _names_now(ledger: Ledger, statement: str, fields: dict[str, Any]) -> bool:
    """Tells whether an update tells a programme by name whom it knew anonymously."""
    known = ledger.handovers.get(fields["subject"])
    named = fields["identity"] == Identity.NAMED and statement == HandoverEventType.UPDATED
    return bool(named and known and known.identity == Identity.ANONYMOUS)


def _unsaid(ledger: Ledger, seen: Seen, reason: WhyNot) -> bool:
    """Tells whether it is left open: whether a person may decide for somebody whose birth date nobody knows."""
    by_person = any(number == seen.number and action == "offered" for _, number, action in ledger.acts)
    return reason == WhyNot.AGE_UNKNOWN and by_person


def disclosure_names_its_consent(ledger: Ledger, seen: Seen) -> Found:
    """A disclosure names the consent that it rests on; there is one for every telling."""
    disclosed = [one.fields for one in seen.said if one.topic == "disclosures"]
    told = [fields for statement, fields in to_programmes(seen) if statement in TELLING]
    for fields in told:
        mine = [one for one in disclosed if one["subject"] == fields["subject"]]
        if not mine and fields["type"] != HandoverEventType.OFFERED:
            yield f"{fields['type']} to {fields['programme']} is in no disclosure"
        wish, known = wish_of(ledger, seen, fields), ledger.certain_consents(seen.number)
        carrying = (*in_force(wish, known)[0], *in_force(wish, with_custody_known(known, seen.now))[0])
        names = {one.subject for one in carrying}
        under_way = any(not ledger.has_heard(seen.number, fact) for fact in consents_told(ledger, seen))
        names = set() if ledger.is_parted or under_way else names  # once parted each number has its own consents again
        for one in mine:
            if names and one["consent_id"] not in names:
                yield f"disclosure of a handover ({fields['identity']}) names {one['consent_id']}, not {sorted(names)}"


def consent_takes_nothing_back(ledger: Ledger, seen: Seen) -> Found:
    """A later consent widens: nothing is withdrawn because somebody consents."""
    event = seen.event
    plain = seen.model == "Consent" and not event["revises"] and not event["cancels"]
    plain = plain and event["custody"] == Custody.UNKNOWN  # who has custody may be news, and end what rested on it
    if plain and event["decision"] == ConsentDecision.GIVEN and seen.outcome in FOLDED:
        for statement, fields in to_programmes(seen):
            handed = ledger.handovers.get(fields["subject"])
            later = handed is not None and event["occurred_at"] > handed.left_at
            onward = fields["reason_code"] == "bridged_onward"  # hands Y on as soon as another one may hear of Y (T10)
            if statement == HandoverEventType.WITHDRAWN and later and not onward:
                yield f"withdrawn from {fields['programme']} ({fields['reason_code']}) at a later consent"


def nothing_leaves_between_two_ends(ledger: Ledger, seen: Seen) -> Found:
    """After a recall for want of consent nothing new leaves before what was taken back has settled (C25)."""
    since = seen.now - ledger.catalogue.settle_ms
    told = [fact for fact in standing(ledger.of(frozenset({seen.number}))) if fact.model == "Consent"]
    ends = [fact for fact in told if fact.event["decision"] in ENDS and fact.event["occurred_at"] <= seen.now]
    fresh = any(since < fact.told_at for fact in ends)
    recall = (HandoverEventType.WITHDRAWN, "consent_withdrawn")
    mine = [one for one in ledger.handovers.values() if one.number == seen.number]
    recalled = any(what[:2] == recall and what[2] > since for one in mine for what in one.told)
    if fresh and recalled and seen.model != "Intervention":
        for statement, fields in to_programmes(seen):
            if statement in NEW and fields["subject"] not in ledger.handovers:
                yield f"{statement} to {fields['programme']} while what was taken back settles"


def what_goes_on_stays(ledger: Ledger, seen: Seen) -> Found:
    """What a programme has taken over is ended by the young person, a death, an erasure, a person or a cancellation."""
    for statement, fields in to_programmes(seen):
        handed = ledger.handovers.get(fields["subject"])
        if statement != HandoverEventType.WITHDRAWN or handed is None or handed.state not in TAKEN:
            continue
        reason = fields["reason_code"]
        by_links = len(ledger.widest(seen.number)) > len(ledger.of(frozenset({seen.number})))
        dead = any(fact.event.get("status") == "deceased" for fact in ledger.widest(seen.number))
        allowed = (
            reason in (*MAY_END_TAKEN, "bridged_onward") or (dead and reason is None) or seen.model == "Intervention"
        )
        if not allowed and not by_links and not _corrected(ledger, seen, handed):
            yield f"{handed.state} handover withdrawn from {handed.programme} ({reason})"
        if reason == "withdrawn" and not dead:
            yield f"{handed.state} handover withdrawn from {handed.programme} without a reason"


def _corrected(ledger: Ledger, seen: Seen, handed: Handed) -> bool:
    """Tells whether a source took back or changed what raises needs, after the handover was told of."""
    later = [
        fact for fact in ledger.widest(seen.number) if fact.told_at >= handed.told[0][2] and not unknown_code(fact)
    ]
    # A revision that comes between may join what was cancelled, by a name that nobody knew, to what was not.
    cancelled = any(fact.event["cancels"] for fact in ledger.widest(seen.number))
    return any(_corrects(fact, ledger) or (cancelled and fact.event["revises"]) for fact in later)


def _corrects(fact: Fact, ledger: Ledger) -> bool:
    event = fact.event
    if fact.model == "Discharge":
        psychiatric = ledger.catalogue.units.get(event["unit"]) in PSYCHIATRIC
        home = event["status"] == StayStatus.DISCHARGED_HOME and psychiatric
        return bool(event["cancels"] or (event["revises"] and not home))
    # A later word of a course or referral corrects nothing that was taken over (H6).
    return fact.model in ("Enrolment", "Referral") and bool(event["cancels"] or event["revises"])


def ended_by_somebody(ledger: Ledger, seen: Seen) -> Found:
    """What is ended for want of consent was ended by somebody who may end it."""
    for statement, fields in to_programmes(seen):
        if statement == HandoverEventType.WITHDRAWN and fields["reason_code"] in OF_CONSENT:
            ends = ledger.consents(ledger.widest(seen.number))
            wish = wish_of(ledger, seen, fields)
            told = consents_told(ledger, seen)
            corrected = any(fact.event["cancels"] or fact.event["revises"] for fact in told)
            custodies = {fact.event["custody"] for fact in told} - {Custody.UNKNOWN}
            corrected = corrected or len(custodies) > 1  # who has custody changed: what rested on it may end
            mine = (end for end in ends if may_end_something(end, wish, ends))
            doubtful = wish.born is None or corrected or ledger.is_parted or seen.model in ("Reply", "Intervention")
            handed = ledger.handovers.get(fields["subject"])
            left_at = handed.told[0][2] if handed else seen.now
            if not doubtful and not ledger.linked and still_carried(wish, left_at, ends):
                yield f"withdrawn from {fields['programme']} ({fields['reason_code']}) although a consent carries it"
            if not doubtful and not any(mine):
                yield f"withdrawn from {fields['programme']} ({fields['reason_code']}), ended by nobody who may"


def needs_closed_by_somebody(ledger: Ledger, seen: Seen) -> Found:
    """A need is closed as declined or withdrawn where somebody who may has said so, and nothing in force is left."""
    states = {need.need_id: need.state for need in seen.before.needs}
    for need in seen.after.needs:
        newly = need.state == "closed" and states.get(need.need_id) != "closed"
        if not newly or need.reason_code not in OF_CONSENT or seen.model in ("Reply", "Intervention"):
            continue
        born, statements = ledger.born(seen.number), ledger.consents(consents_told(ledger, seen))
        programmes = [one for one in ledger.catalogue.programmes.values() if need.kind in one.kinds]
        if born is None or any(fact.event["revises"] or fact.event["cancels"] for fact in consents_told(ledger, seen)):
            continue
        wishes = [
            Wish(need.kind, one.programme_id, how, seen.now, one.lowest_age, born)
            for one in programmes
            for how in one.identity
        ]
        if not any(may_end_something(end, wish, statements) for end in statements for wish in wishes):
            yield f"need closed as {need.reason_code} by nobody who may"
        known = ledger.certain_consents(seen.number)
        for wish in wishes:
            if not ledger.linked and is_carried_beyond_doubt(wish, known):
                yield f"need closed as {need.reason_code} while a consent to {wish.programme} is in force"


CONSENT_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (
    consent_in_force,
    disclosure_names_its_consent,
    consent_takes_nothing_back,
    nothing_leaves_between_two_ends,
    what_goes_on_stays,
    ended_by_somebody,
)
#: These look at folds in which nothing was said too.
QUIET_CONSENT_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (needs_closed_by_somebody,)
