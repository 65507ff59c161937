"""Checks of one fold: what was said, to whom, when, and whether it was allowed. A check yields a text a violation.

Each runs when the ledger has taken the fact and before it hears what was said: ``ledger.handovers`` is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from schemas.codes import CourseStatus, HandoverEventType, NeedKind, NoticeKind, ReplyStatus
from schemas.outputs import Disclosure, HandoverEvent, Notice, PathwayView
from schemas.pathway import Need
from streams.domain.work import Emission
from tests.model.ledger import FACTS, Handed, Ledger
from tests.model.reference import Wish
from tests.model.reference_needs import (
    ERASED,
    LIVE,
    SILENT_AFTER_DEATH,
    STATEMENTS,
    Fact,
    in_hospital_since,
    is_dead,
    is_working_day,
    raises,
    standing,
    unknown_code,
)
from tests.model.steps import DAY, EMERGENCY, MINUTE, OTHER_PSYCHIATRY, PSYCHIATRY, SOMATIC, text_of
from tests.model.world import Seen

Found = Iterator[str]
NEW = frozenset({HandoverEventType.ANNOUNCED, HandoverEventType.OFFERED})
TELLING = NEW | {HandoverEventType.IDENTITY_GRANTED}
ANSWERS = frozenset(
    {HandoverEventType.REPLY_ACCEPTED, HandoverEventType.REPLY_REFUSED, HandoverEventType.IDENTITY_GRANTED}
)
_REMINDING = frozenset({NoticeKind.CONSENT_REMINDER, NoticeKind.DELETION_OVERDUE, NoticeKind.CODE_UNCLAIMED})
_BY_CLOCK = frozenset({"consent_missing", "first_contact_overdue", "planned_end_overdue", "no_slot_answer"})
_ABOUT_NEEDS = frozenset({NoticeKind.CONSENT_WANTED, NoticeKind.DISCHARGE_PLANNED})
#: What no programme may see: units, episodes of care (named ``episode-…`` here) and the ids that sources gave.
_UNITS = frozenset({PSYCHIATRY, OTHER_PSYCHIATRY, EMERGENCY, SOMATIC})
_HEADS_UP_CLOSED = ("plan_cancelled", "course_ends")
_FIELDS = {
    "handovers": frozenset(HandoverEvent.model_fields),
    "notices": frozenset(Notice.model_fields),
    "disclosures": frozenset(Disclosure.model_fields),
    "pathways": frozenset(PathwayView.model_fields),
}


def to_programmes(seen: Seen) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (statement, fields) of what programmes were told."""
    return ((one.fields["type"], one.fields) for one in seen.said if one.topic.startswith("handovers."))


def notices(seen: Seen) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (kind, fields) of the notices."""
    return ((one.fields["kind"], one.fields) for one in seen.said if one.topic == "notices")


def states_of(needs: tuple[Need, ...]) -> dict[str, str]:
    """Returns the state of each need by its id."""
    return {need.need_id: need.state for need in needs}


def is_silent(ledger: Ledger, seen: Seen) -> bool:
    """Tells whether the reference has nothing to say, since two birth dates are told."""
    return len(ledger.births(seen.number)) > 1


def wish_of(ledger: Ledger, seen: Seen, fields: dict[str, Any]) -> Wish:
    """Returns what the consent table is asked about what a programme is told."""
    terms = ledger.terms_of(fields["programme"], fields["programme_version"])
    lowest, born = terms.lowest_age if terms else 0, ledger.born(seen.number)
    return Wish(fields["need_kind"], fields["programme"], fields["identity"], seen.now, lowest, born)


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
    """While Y is in hospital again nothing is offered after a discharge, and nobody is reminded (S11)."""
    facts = [fact for fact in ledger.facts if fact.number == seen.number]
    admission = in_hospital_since(facts, ledger.catalogue.units, seen.now)
    if admission is None or len(ledger.group(seen.number)) > 1:
        return
    since = text_of(admission.event["occurred_at"])
    for statement, fields in to_programmes(seen):
        offered = statement == HandoverEventType.OFFERED and fields["trigger"] == "discharge"
        if offered or (statement == HandoverEventType.REMINDED and fields["need_kind"] != NeedKind.BRIDGING):
            yield f"{statement} to {fields['programme']} while in hospital since {since}"
    held = {need.need_id for need in seen.after.needs if need.kind != NeedKind.BRIDGING}
    notices = (one.fields for one in seen.said if one.topic == "notices")
    if any(one["kind"] == NoticeKind.CODE_UNCLAIMED and one["subject"] in held for one in notices):
        yield f"somebody is told that a code is unclaimed while Y is in hospital since {since}"


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
            if statement not in ANSWERS | {HandoverEventType.WITHDRAWN} or statement in TELLING:
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
    first = ledger.firsts.get(seen.event["event_id"]) if seen.model and seen.model != "Signal" else None
    if first is None or seen.number in ledger.silenced or first["occurred_at"] < seen.now - 390 * DAY:
        return
    same = {**first, **_NOT_CONTENT} == {**seen.event, **_NOT_CONTENT}
    expected = "duplicate" if same else "conflicting_duplicate"
    if seen.outcome != expected and not _told_late(ledger, first, seen.now):
        yield f"{seen.model} again, {'same' if same else 'other'} content: {seen.outcome}"
    for statement, fields in to_programmes(seen):
        if not (seen.model == "Reply" and statement in ANSWERS):
            yield f"{seen.model} again: {statement} to {fields['programme']}"


_NOT_CONTENT = dict.fromkeys(("sent_at", "recorded_at", "source_sequence", "correlation_id", "causation_id"))


def _told_late(ledger: Ledger, first: dict[str, Any], now: int) -> bool:
    told = [fact.told_at for fact in ledger.facts if fact.event["event_id"] == first["event_id"]]
    return bool(told) and min(told) < now - 390 * DAY


def consents_told(ledger: Ledger, seen: Seen) -> list[Fact]:
    """Returns what was told of consents under any number of the person."""
    return [fact for fact in ledger.widest(seen.number) if fact.model == "Consent"]


def told_in_sequence(ledger: Ledger, seen: Seen) -> Found:
    """Each programme hears of each handover what its state allows, and of none that is over."""
    states = {one.handover_id: one.state for one in ledger.handovers.values()}
    for statement, fields in to_programmes(seen):
        handover_id = fields["subject"]
        state = states.get(handover_id, "")
        erased = statement == HandoverEventType.WITHDRAWN and fields["reason_code"] == "erased"
        allowed = STATEMENTS.get(ERASED if erased else statement)
        if allowed is not None and state not in allowed:
            yield f"{statement} to {fields['programme']} in state {state or '(never told)'}"
        if statement != HandoverEventType.REPLY_REFUSED:
            states[handover_id] = fields["state"] or state


def ids_name_one_content(ledger: Ledger, seen: Seen) -> Found:
    """An id is used for one content on its topic, ever."""
    mine: dict[tuple[str, str], dict[str, Any]] = {}
    for one in seen.said:
        if one.topic in ("signals", "pathways"):
            continue
        key = (one.topic, one.fields["event_id"])
        known = ledger.said.get(key) or mine.get(key)
        if known is not None and known != one.fields:
            differs = sorted(name for name in known if known[name] != one.fields.get(name))
            what = one.fields.get("kind") or one.fields.get("type") or one.topic
            yield f"{what}: the id of an earlier {known.get('kind') or known.get('type')}, differs in {differs}"
        mine[key] = one.fields


def nothing_private(ledger: Ledger, seen: Seen) -> Found:
    """Outputs have the published fields and no others; programmes see no unit, episode, source or name of an event."""
    for one in seen.said:
        topic = one.topic.partition(".")[0]
        if topic in _FIELDS and not set(one.fields) <= _FIELDS[topic]:
            yield f"{one.topic} holds {sorted(set(one.fields) - _FIELDS[topic])}"
        if topic == "handovers":
            yield from _private(one)


def _private(one: Emission) -> Found:
    for name, value in one.fields.items():
        if isinstance(value, str) and (value in _UNITS or value.startswith(("episode-", "sor:"))):
            yield f"{one.topic} tells a unit, an episode or a source in {name}"
    if one.fields["type"] == HandoverEventType.ANNOUNCED and one.fields["occurred_on"] is not None:
        yield "a heads-up tells a day"


def clocks_are_working_days(ledger: Ledger, seen: Seen) -> Found:
    """What a clock of reminding or escalating says, it says on a working day."""
    if seen.model or is_working_day(seen.now, ledger.catalogue.holidays):
        return
    for statement, fields in to_programmes(seen):
        handed = ledger.handovers.get(fields["subject"])
        expired = statement == HandoverEventType.WITHDRAWN and fields["reason_code"] == "expired"
        expired = expired and handed is not None and not _waitlisted(handed)
        if expired or statement == HandoverEventType.REMINDED:
            yield f"{statement} to {fields['programme']} on a day off"
    told = max([ledger.signal_at, *(fact.told_at for fact in ledger.facts)])
    settling = told + ledger.settle_max_ms + MINUTE > seen.now
    for kind, fields in notices(seen):
        # What brings a need to a person is told when it comes; what is told again is a clock's.
        again = any(need.need_id == fields["subject"] and need.state == "with_person" for need in seen.before.needs)
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
    new = {fields["subject"] for statement, fields in to_programmes(seen) if statement in NEW}
    for statement, fields in to_programmes(seen):
        if statement == HandoverEventType.WITHDRAWN and fields["subject"] in new:
            yield f"offered to {fields['programme']} and withdrawn at once ({fields['reason_code']})"


def notices_have_somebody(ledger: Ledger, seen: Seen) -> Found:
    """A notice names who has to do something."""
    for kind, fields in notices(seen):
        if not fields["recipient"]:
            yield f"notice {kind} to nobody"


def handovers_are_as_told(ledger: Ledger, seen: Seen) -> Found:
    """What the service holds is what the programme was told last."""
    told = {fields["subject"]: fields["state"] for _, fields in to_programmes(seen) if fields["state"]}
    for one in seen.after.handovers:
        handed = ledger.handovers.get(one.handover_id)
        state = told.get(one.handover_id, handed.state if handed else "")
        if one.state != state and {one.state, state} & LIVE:
            yield f"a handover to {one.programme} is {one.state}, its programme was told {state or 'nothing'}"


def catalogues_close_nothing(ledger: Ledger, seen: Seen) -> Found:
    """A need that a course raised is closed as corrected where somebody corrected the course, and by no catalogue."""
    states = states_of(seen.before.needs)
    for need in seen.after.needs:
        of_course = need.reason_code == "course_corrected" or (need.reason_code, need.why) == _HEADS_UP_CLOSED
        known = ledger.needs.get((seen.number, need.need_id))
        if ledger.linked or known is None or not of_course or states.get(need.need_id, "closed") == "closed":
            continue
        told = (fact for fact in ledger.facts if fact.model == "Enrolment" and fact.number == seen.number)
        corrects = (fact.told_at + _is_correction(fact) > known.first_at for fact in told)
        if need.state == "closed" and not any(corrects):
            yield f"a need is closed as {need.reason_code}, and nobody corrected a course"


def _is_correction(fact: Fact) -> bool:
    event = fact.event
    return bool(event["revises"] or event["cancels"] or event["status"] == CourseStatus.ACTIVE)


FOLD_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (
    after_the_settle_time,
    something_raised_it,
    not_in_hospital,
    silent_after_erasure,
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
    open_needs_do_not_vanish,
    handovers_are_as_told,
    catalogues_close_nothing,
    silent_after_death,
)
