"""Checks of one fold: what was said, to whom, when, and whether it was allowed. A check yields a text a violation.

Each runs when the ledger has taken the fact and before it hears what was said: ``ledger.handovers`` is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from schemas.codes import ConsentDecision, Custody, HandoverStatement, Identity, NoticeKind, ReplyStatus, StayStatus
from schemas.instants import days_of
from schemas.outputs import Disclosure, HandoverEvent, Notice, PathwayView
from streams.domain.work import Said
from tests.model.ledger import FACTS, FOLDED, Handed, Ledger
from tests.model.reference import (
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
    LIVE,
    MAY_END_TAKEN,
    OF_CONSENT,
    PSYCHIATRIC,
    REPLIES,
    SILENT_AFTER_DEATH,
    STATEMENTS,
    TAKEN,
    Fact,
    in_hospital_since,
    is_dead,
    is_working_day,
    raises,
    standing,
    unknown_code,
)
from tests.model.steps import DAY, EMERGENCY, MINUTE, OTHER_PSYCHIATRY, PSYCHIATRY, SOMATIC, local_of, text_of
from tests.model.world import Seen

Found = Iterator[str]
NEW = frozenset({HandoverStatement.ANNOUNCED, HandoverStatement.OFFERED})
TELLING = NEW | {HandoverStatement.IDENTITY_GRANTED}
_ANSWERS = frozenset(
    {HandoverStatement.REPLY_ACCEPTED, HandoverStatement.REPLY_REFUSED, HandoverStatement.IDENTITY_GRANTED}
)
_REMINDING = frozenset({NoticeKind.CONSENT_REMINDER, NoticeKind.DELETION_OVERDUE, NoticeKind.CODE_UNCLAIMED})
_BY_CLOCK = frozenset({"consent_missing", "first_contact_overdue", "planned_end_overdue", "no_slot_answer"})
_ABOUT_NEEDS = frozenset({NoticeKind.CONSENT_WANTED, NoticeKind.DISCHARGE_PLANNED})
#: What no programme may see: units, episodes of care (named ``episode-…`` here) and the ids that sources gave.
WAITLIST_DAYS = 366
_UNITS = frozenset({PSYCHIATRY, OTHER_PSYCHIATRY, EMERGENCY, SOMATIC})
_FIELDS = {
    "handovers": frozenset(HandoverEvent.model_fields),
    "notices": frozenset(Notice.model_fields),
    "disclosures": frozenset(Disclosure.model_fields),
    "pathways": frozenset(PathwayView.model_fields),
}


def to_programmes(seen: Seen) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (statement, fields) of what programmes were told."""
    return ((one.fields["statement"], one.fields) for one in seen.said if one.topic.startswith("handovers."))


def notices(seen: Seen) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (kind, fields) of the notices."""
    return ((one.fields["kind"], one.fields) for one in seen.said if one.topic == "notices")


def consent_in_force(ledger: Ledger, seen: Seen) -> Found:
    """No offer, heads-up or identity without a consent in force at that moment."""
    for statement, fields in to_programmes(seen):
        if statement in TELLING or _names_now(ledger, statement, fields):
            wish = _wish(ledger, seen, fields)
            reason = forbidden_beyond_doubt(wish, ledger.certain_consents(seen.number))
            if reason is not None and not _silent(ledger, seen) and not _unsaid(ledger, seen, reason):
                yield f"{statement} to {fields['programme']} ({fields['identity']}): {reason}"


def _names_now(ledger: Ledger, statement: str, fields: dict[str, Any]) -> bool:
    """Tells whether an update tells a programme by name whom it knew anonymously."""
    known = ledger.handovers.get(fields["statement_id"])
    named = fields["identity"] == Identity.NAMED and statement == HandoverStatement.UPDATED
    return bool(named and known and known.identity == Identity.ANONYMOUS)


def _unsaid(ledger: Ledger, seen: Seen, reason: WhyNot) -> bool:
    """Tells whether it is left open: whether a person may decide for somebody whose birth date nobody knows."""
    by_person = any(number == seen.number and action == "offered" for _, number, action in ledger.acts)
    return reason == WhyNot.AGE_UNKNOWN and by_person


def _silent(ledger: Ledger, seen: Seen) -> bool:
    """Tells whether the reference has nothing to say, since two birth dates are told."""
    return len(ledger.births(seen.number)) > 1


def _wish(ledger: Ledger, seen: Seen, fields: dict[str, Any]) -> Wish:
    terms = ledger.terms_of(fields["programme"], fields["programme_version"])
    lowest, born = terms.lowest_age if terms else 0, ledger.born(seen.number)
    return Wish(fields["need_kind"], fields["programme"], fields["identity"], seen.now, lowest, born)


def disclosure_names_its_consent(ledger: Ledger, seen: Seen) -> Found:
    """A disclosure names the consent that it rests on; there is one for every telling."""
    disclosed = [one.fields for one in seen.said if one.topic == "disclosures"]
    told = [fields for statement, fields in to_programmes(seen) if statement in TELLING]
    for fields in told:
        mine = [one for one in disclosed if one["statement_id"] == fields["statement_id"]]
        if not mine and fields["statement"] != HandoverStatement.OFFERED:
            yield f"{fields['statement']} to {fields['programme']} is in no disclosure"
        wish, known = _wish(ledger, seen, fields), ledger.certain_consents(seen.number)
        carrying = (*in_force(wish, known)[0], *in_force(wish, with_custody_known(known, seen.now))[0])
        names = {one.statement_id for one in carrying}
        under_way = any(not ledger.has_heard(seen.number, fact) for fact in _consents(ledger, seen))
        names = set() if ledger.is_parted or under_way else names  # once parted each number has its own consents again
        for one in mine:
            if names and one["consent_id"] not in names:
                yield f"disclosure of a handover ({fields['identity']}) names {one['consent_id']}, not {sorted(names)}"


def after_the_settle_time(ledger: Ledger, seen: Seen) -> Found:
    """Nothing leaves before the settle time has passed since the first record that could raise the need."""
    for statement, fields in to_programmes(seen):
        if statement in NEW and not _settled(ledger, seen, fields["need_kind"]):
            yield f"{statement} to {fields['programme']} before anything that could raise it had settled"
    for kind, fields in notices(seen):
        if kind in _ABOUT_NEEDS and fields["need_kind"] and not _settled(ledger, seen, fields["need_kind"]):
            yield f"notice {kind} before anything that could raise its need had settled"


def _settled(ledger: Ledger, seen: Seen, kind: str) -> bool:
    facts = ledger.widest(seen.number)
    return any(fact.told_at + ledger.settle_ms <= seen.now and raises(fact, kind) for fact in facts)


def something_raised_it(ledger: Ledger, seen: Seen) -> Found:
    """No offer without a statement that stands and could raise it; UNKNOWN never routes."""
    for statement, fields in to_programmes(seen):
        if statement in NEW and not any(number == seen.number for _, number, _ in ledger.acts):
            persons, own = ledger.of(ledger.group(seen.number)), ledger.of(frozenset({seen.number}))
            widest = ledger.widest(seen.number)
            arrived = [fact for fact in widest if not fact.event["cancels"] or ledger.has_heard(seen.number, fact)]
            facts = [*standing(persons), *standing(own), *standing(widest), *standing(arrived)]
            if not any(raises(fact, fields["need_kind"]) for fact in facts):
                yield f"{statement} to {fields['programme']} although nothing that stands raises {fields['need_kind']}"


def not_in_hospital(ledger: Ledger, seen: Seen) -> Found:
    """No offer after a discharge while Y is in hospital again."""
    for statement, fields in to_programmes(seen):
        if statement == HandoverStatement.OFFERED and fields["trigger"] == "discharge":
            facts = [fact for fact in ledger.facts if fact.number == seen.number]
            admission = in_hospital_since(facts, ledger.catalogue.units, seen.now)
            if admission is not None and len(ledger.group(seen.number)) == 1:
                since = text_of(admission.event["occurred_at"])
                yield f"offered to {fields['programme']} while in hospital since {since}"


def silent_after_death(ledger: Ledger, seen: Seen) -> Found:
    """After a death nothing but withdrawals and answers to replies."""
    facts = ledger.of(ledger.group(seen.number))
    known = [fact for fact in facts if ledger.has_heard(seen.number, fact)]
    if is_dead(facts, seen.now) and is_dead(known, seen.now):
        for kind in [*(one for one, _ in to_programmes(seen)), *(one for one, _ in notices(seen))]:
            if kind in SILENT_AFTER_DEATH and not (seen.model == "Intervention" and kind == NoticeKind.ESCALATED):
                yield f"{kind} after a death"


def silent_after_erasure(ledger: Ledger, seen: Seen) -> Found:
    """Who was erased is told of to nobody, but for withdrawals and answers."""
    if ledger.erased.get(seen.number, seen.now) < seen.now and len(ledger.group(seen.number)) == 1:
        for statement, fields in to_programmes(seen):
            if statement not in _ANSWERS | {HandoverStatement.WITHDRAWN} or statement in TELLING:
                yield f"{statement} to {fields['programme']} after an erasure"


def unknown_codes_do_nothing(ledger: Ledger, seen: Seen) -> Found:
    """A statement with a code of a later release neither routes nor takes back."""
    is_unknown = seen.model in FACTS and unknown_code(Fact(seen.model, seen.event, seen.number, seen.now))
    if is_unknown and not ledger.decides_anew(seen):
        for statement, fields in to_programmes(seen):
            yield f"{seen.model} with an unknown code: {statement} to {fields['programme']} ({fields['reason_code']})"
        for before, after in _changed_needs(seen):
            yield f"{seen.model} with an unknown code: need {before} → {after}"


def _changed_needs(seen: Seen) -> Iterator[tuple[str, str]]:
    states = {need.need_id: need.state for need in seen.before.needs}
    for need in seen.after.needs:
        if states.get(need.need_id, need.state) != need.state:
            yield states[need.need_id], need.state


def repeats_do_nothing(ledger: Ledger, seen: Seen) -> Found:
    """The same event again is a duplicate, another content under its id is refused; neither changes anything."""
    first = ledger.firsts.get(seen.event["event_id"]) if seen.model and seen.model != "Letter" else None
    if first is None or seen.number in ledger.silenced or first["occurred_at"] < seen.now - 390 * DAY:
        return
    same = {**first, **_NOT_CONTENT} == {**seen.event, **_NOT_CONTENT}
    expected = "duplicate" if same else "conflicting_duplicate"
    if seen.outcome != expected and not _told_late(ledger, first, seen.now):
        yield f"{seen.model} again, {'same' if same else 'other'} content: {seen.outcome}"
    for statement, fields in to_programmes(seen):
        if not (seen.model == "Reply" and statement in _ANSWERS):
            yield f"{seen.model} again: {statement} to {fields['programme']}"


_NOT_CONTENT = dict.fromkeys(("sent_at", "recorded_at", "source_sequence", "correlation_id", "causation_id"))


def _told_late(ledger: Ledger, first: dict[str, Any], now: int) -> bool:
    told = [fact.told_at for fact in ledger.facts if fact.event["event_id"] == first["event_id"]]
    return bool(told) and min(told) < now - 390 * DAY


def consent_takes_nothing_back(ledger: Ledger, seen: Seen) -> Found:
    """A later consent widens: nothing is withdrawn because somebody consents."""
    event = seen.event
    plain = seen.model == "Consent" and not event["revises"] and not event["cancels"]
    plain = plain and event["custody"] == Custody.UNKNOWN  # who has custody may be news, and end what rested on it
    if plain and event["decision"] == ConsentDecision.GIVEN and seen.outcome in FOLDED:
        for statement, fields in to_programmes(seen):
            handed = ledger.handovers.get(fields["statement_id"])
            later = handed is not None and event["occurred_at"] > handed.left_at
            onward = fields["reason_code"] == "bridged_onward"  # hands Y on as soon as another one may hear of Y (T10)
            if statement == HandoverStatement.WITHDRAWN and later and not onward:
                yield f"withdrawn from {fields['programme']} ({fields['reason_code']}) at a later consent"


def what_goes_on_stays(ledger: Ledger, seen: Seen) -> Found:
    """What a programme has taken over is ended by the young person, a death, an erasure, a person or a cancellation."""
    for statement, fields in to_programmes(seen):
        handed = ledger.handovers.get(fields["statement_id"])
        if statement != HandoverStatement.WITHDRAWN or handed is None or handed.state not in TAKEN:
            continue
        reason = fields["reason_code"]
        by_links = len(ledger.widest(seen.number)) > len(ledger.of(frozenset({seen.number})))
        dead = any(fact.event.get("status") == "deceased" for fact in ledger.widest(seen.number))
        allowed = reason in MAY_END_TAKEN or (dead and reason is None) or seen.model == "Intervention"
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
    return fact.model in ("Enrolment", "Referral")


def ended_by_somebody(ledger: Ledger, seen: Seen) -> Found:
    """What is ended for want of consent was ended by somebody who may end it."""
    for statement, fields in to_programmes(seen):
        if statement == HandoverStatement.WITHDRAWN and fields["reason_code"] in OF_CONSENT:
            ends = ledger.consents(ledger.widest(seen.number))
            wish = _wish(ledger, seen, fields)
            told = _consents(ledger, seen)
            corrected = any(fact.event["cancels"] or fact.event["revises"] for fact in told)
            custodies = {fact.event["custody"] for fact in told} - {Custody.UNKNOWN}
            corrected = corrected or len(custodies) > 1  # who has custody changed: what rested on it may end
            mine = (end for end in ends if may_end_something(end, wish, ends))
            doubtful = wish.born is None or corrected or ledger.is_parted or seen.model in ("Reply", "Intervention")
            handed = ledger.handovers.get(fields["statement_id"])
            left_at = handed.told[0][2] if handed else seen.now
            if not doubtful and not ledger.linked and still_carried(wish, left_at, ends):
                yield f"withdrawn from {fields['programme']} ({fields['reason_code']}) although a consent carries it"
            if not doubtful and not any(mine):
                yield f"withdrawn from {fields['programme']} ({fields['reason_code']}), ended by nobody who may"


def _consents(ledger: Ledger, seen: Seen) -> list[Fact]:
    return [fact for fact in ledger.widest(seen.number) if fact.model == "Consent"]


def needs_closed_by_somebody(ledger: Ledger, seen: Seen) -> Found:
    """A need is closed as declined or withdrawn where somebody who may has said so, and nothing in force is left."""
    states = {need.need_id: need.state for need in seen.before.needs}
    for need in seen.after.needs:
        newly = need.state == "closed" and states.get(need.need_id) != "closed"
        if not newly or need.reason_code not in OF_CONSENT or seen.model in ("Reply", "Intervention"):
            continue
        born, statements = ledger.born(seen.number), ledger.consents(_consents(ledger, seen))
        programmes = [one for one in ledger.catalogue.programmes.values() if need.kind in one.kinds]
        if born is None or any(fact.event["revises"] or fact.event["cancels"] for fact in _consents(ledger, seen)):
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


def replies_are_answered(ledger: Ledger, seen: Seen) -> Found:
    """Every reply is answered once; what the table allows is accepted, what it doesn't is refused with a reason."""
    if seen.model != "Reply" or seen.outcome not in FOLDED:
        return
    event = seen.event
    answers = [fields for _, fields in to_programmes(seen) if fields["causation_id"] == event["event_id"]]
    mine = [fields for fields in answers if fields["statement"] in _ANSWERS]
    if event["status"] in (ReplyStatus.UNDELIVERABLE, ReplyStatus.UNKNOWN) or event["event_id"] in ledger.firsts:
        return
    if len(mine) != 1:
        yield f"reply {event['status']} was answered {len(mine)} times"
        return
    yield from _right_answer(ledger, seen, mine[0])


def _right_answer(ledger: Ledger, seen: Seen, answer: dict[str, Any]) -> Found:
    event, refused = seen.event, answer["statement"] == HandoverStatement.REPLY_REFUSED
    handed = ledger.handovers.get(event["statement_id"])
    if event["status"] == ReplyStatus.CODE_CLAIMED:
        return
    held = handed is not None and any(one.handover_id == handed.handover_id for one in seen.before.handovers)
    follows = REPLIES.get((handed.state, event["status"])) if handed and held else None
    if handed is None or handed.programme != event["programme"]:
        follows = None
    if follows is None or handed is None:
        if not refused:
            yield f"reply {event['status']} in state {handed.state if handed else None} was {answer['statement']}"
        elif not answer["reason_code"]:
            yield f"reply {event['status']} refused without a reason"
        return
    yield from _allowed_answer(ledger, seen, handed, answer, follows)


def _allowed_answer(ledger: Ledger, seen: Seen, handed: Handed, answer: dict[str, Any], follows: str) -> Found:
    event, refused = seen.event, answer["statement"] == HandoverStatement.REPLY_REFUSED
    if event["status"] == ReplyStatus.WAITLISTED:
        until = event["waitlisted_until"]
        today = days_of(local_of(seen.now).date())
        allowed = until is not None and today <= until <= today + WAITLIST_DAYS
        if refused is allowed:
            yield f"waitlisted {'within' if allowed else 'out of'} the bounds was {answer['statement']}"
        if not allowed:
            return
    if event["status"] == ReplyStatus.IDENTITY_WANTED:
        wish = ledger.wish(handed, seen.now, under_way=False)
        reason = None if handed.identity == Identity.NAMED else "anonymous"
        known = ledger.certain_consents(seen.number)
        reason = reason or forbidden_beyond_doubt(wish, known)
        told = ledger.consents(_consents(ledger, seen))  # a refusal may rest on what was told moments ago
        carried = reason is None and all(is_carried_beyond_doubt(wish, said) for said in (known, told))
        if (carried if refused else reason is not None) and not _silent(ledger, seen):
            yield f"identity {answer['statement']} ({answer['reason_code']}), by the table: {reason or 'granted'}"
        return
    if refused:
        yield f"reply {event['status']} in state {handed.state} refused as {answer['reason_code']}"
    elif answer["state"] != follows:
        yield f"reply {event['status']} in state {handed.state} led to {answer['state']}"


def told_in_sequence(ledger: Ledger, seen: Seen) -> Found:
    """Each programme hears of each handover what its state allows, and of none that is over."""
    states = {one.handover_id: one.state for one in ledger.handovers.values()}
    for statement, fields in to_programmes(seen):
        handover_id = fields["statement_id"]
        state = states.get(handover_id, "")
        allowed = STATEMENTS.get(statement)
        if allowed is not None and state not in allowed:
            yield f"{statement} to {fields['programme']} in state {state or '(never told)'}"
        if statement != HandoverStatement.REPLY_REFUSED:
            states[handover_id] = fields["state"] or state


def ids_name_one_content(ledger: Ledger, seen: Seen) -> Found:
    """An id is used for one content on its topic, ever."""
    mine: dict[tuple[str, str], dict[str, Any]] = {}
    for one in seen.said:
        if one.topic in ("letters", "pathways"):
            continue
        key = (one.topic, one.fields["event_id"])
        known = ledger.said.get(key) or mine.get(key)
        if known is not None and known != one.fields:
            differs = sorted(name for name in known if known[name] != one.fields.get(name))
            what = one.fields.get("kind") or one.fields.get("statement") or one.topic
            yield f"{what}: the id of an earlier {known.get('kind') or known.get('statement')}, differs in {differs}"
        mine[key] = one.fields


def nothing_private(ledger: Ledger, seen: Seen) -> Found:
    """Outputs have the published fields and no others; programmes see no unit, episode, source or name of an event."""
    for one in seen.said:
        topic = one.topic.partition(".")[0]
        if topic in _FIELDS and not set(one.fields) <= _FIELDS[topic]:
            yield f"{one.topic} holds {sorted(set(one.fields) - _FIELDS[topic])}"
        if topic == "handovers":
            yield from _private(one)


def _private(one: Said) -> Found:
    for name, value in one.fields.items():
        if isinstance(value, str) and (value in _UNITS or value.startswith(("episode-", "sor:"))):
            yield f"{one.topic} tells a unit, an episode or a source in {name}"
    if one.fields["statement"] == HandoverStatement.ANNOUNCED and one.fields["occurred_on"] is not None:
        yield "a heads-up tells a day"


def clocks_are_working_days(ledger: Ledger, seen: Seen) -> Found:
    """What a clock of reminding or escalating says, it says on a working day."""
    if seen.model or is_working_day(seen.now, ledger.catalogue.holidays):
        return
    for statement, fields in to_programmes(seen):
        handed = ledger.handovers.get(fields["statement_id"])
        expired = statement == HandoverStatement.WITHDRAWN and fields["reason_code"] == "expired"
        expired = expired and handed is not None and not _waitlisted(handed)
        if expired or statement == HandoverStatement.REMINDED:
            yield f"{statement} to {fields['programme']} on a day off"
    told = max([ledger.letter_at, *(fact.told_at for fact in ledger.facts)])
    settling = told + ledger.settle_max_ms + MINUTE > seen.now
    for kind, fields in notices(seen):
        # What brings a need to a person is told when it comes; what is told again is a clock's.
        again = any(
            need.need_id == fields["statement_id"] and need.state == "with_person" for need in seen.before.needs
        )
        escalated = kind == NoticeKind.ESCALATED and (again or fields["reason_code"] in _BY_CLOCK)
        if kind in _REMINDING or (escalated and not settling):
            yield f"notice {kind} ({fields['reason_code']}) on a day off"


def _waitlisted(handed: Handed) -> bool:
    return any(reason == ReplyStatus.WAITLISTED for _, reason, _ in handed.told)


def open_needs_do_not_vanish(ledger: Ledger, seen: Seen) -> Found:
    """What is open stays in the state, and nothing leaves "open" without a word."""
    kept = {need.need_id for need in seen.after.needs}
    for need in seen.before.needs:
        if need.state != "closed" and need.need_id not in kept and seen.number not in ledger.erased:
            yield f"an open need ({need.state}) vanished"
    if any(_changed_needs(seen)) and not any(one.topic == "pathways" for one in seen.said):
        yield "a need changed its state and no view says so"


def offers_are_not_taken_back_at_once(ledger: Ledger, seen: Seen) -> Found:
    """Nothing is offered and withdrawn in one fold."""
    new = {fields["statement_id"] for statement, fields in to_programmes(seen) if statement in NEW}
    for statement, fields in to_programmes(seen):
        if statement == HandoverStatement.WITHDRAWN and fields["statement_id"] in new:
            yield f"offered to {fields['programme']} and withdrawn at once ({fields['reason_code']})"


def notices_have_somebody(ledger: Ledger, seen: Seen) -> Found:
    """A notice names who has to do something."""
    for kind, fields in notices(seen):
        if not fields["recipient"]:
            yield f"notice {kind} to nobody"


def handovers_are_as_told(ledger: Ledger, seen: Seen) -> Found:
    """What the service holds is what the programme was told last."""
    told = {fields["statement_id"]: fields["state"] for _, fields in to_programmes(seen) if fields["state"]}
    for one in seen.after.handovers:
        handed = ledger.handovers.get(one.handover_id)
        state = told.get(one.handover_id, handed.state if handed else "")
        if one.state != state and {one.state, state} & LIVE:
            yield f"a handover to {one.programme} is {one.state}, its programme was told {state or 'nothing'}"


FOLD_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (
    consent_in_force,
    disclosure_names_its_consent,
    after_the_settle_time,
    something_raised_it,
    not_in_hospital,
    silent_after_erasure,
    consent_takes_nothing_back,
    what_goes_on_stays,
    ended_by_somebody,
    told_in_sequence,
    ids_name_one_content,
    nothing_private,
    clocks_are_working_days,
    offers_are_not_taken_back_at_once,
    notices_have_somebody,
)
#: These look at folds in which nothing was said too.
QUIET_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (
    unknown_codes_do_nothing,
    repeats_do_nothing,
    needs_closed_by_somebody,
    replies_are_answered,
    open_needs_do_not_vanish,
    handovers_are_as_told,
    silent_after_death,
)
