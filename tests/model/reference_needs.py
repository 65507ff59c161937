"""The reference model of stays, needs, handovers and clocks, as far as the specification decides them without a doubt.

Each function answers one question that a check asks. Where the specification leaves room it answers None or "no", so
that a check speaks only of what must be. Events are in their raw form (``schemas.codec.raw_of``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.codes import (
    CourseStatus,
    HandoverEventType,
    NeedKind,
    NoticeKind,
    ReplyStatus,
    StayClass,
    StayStatus,
    VisitationDecision,
)
from schemas.events import UNNUMBERED

DAY = 24 * 60 * 60 * 1000
_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_EPOCH = date(1970, 1, 1).toordinal()
_HOME_OR_DEAD = (StayStatus.DISCHARGED_HOME, StayStatus.DECEASED)
PENDING = frozenset({"announced", "offered", "waitlisted"})
TAKEN = frozenset({"accepted", "in_contact"})
LIVE = PENDING | TAKEN
PSYCHIATRIC = frozenset({"child_psychiatry", "adult_psychiatry", "psychiatric_emergency"})
#: An open stay holds nothing back any more once its missing end was told, which is after seven days at the earliest.
OPEN_STAY_COUNTS = 7 * DAY

#: What a reply does to a handover: the state that follows, by the state it finds. What isn't here is refused.
REPLIES: dict[tuple[str, str], str] = {
    **{(state, ReplyStatus.ACCEPTED): "accepted" for state in ("offered", "waitlisted")},
    **{(state, ReplyStatus.DECLINED): "declined" for state in ("offered", "waitlisted")},
    **{(state, ReplyStatus.WAITLISTED): "waitlisted" for state in ("offered", "waitlisted")},
    ("accepted", ReplyStatus.FIRST_CONTACT): "in_contact",
    ("accepted", ReplyStatus.NO_SHOW): "accepted",
    **{(state, ReplyStatus.ENDED): "ended" for state in TAKEN},
    **{(state, ReplyStatus.IDENTITY_WANTED): state for state in TAKEN},
    ("in_contact", ReplyStatus.FULFILLED): "fulfilled",
    ("withdrawn", ReplyStatus.RECALLED_AND_DELETED): "deleted",
}
#: What an erasure tells every programme that has not been told to delete yet (V17).
ERASED = "withdrawn as erased"
#: In which states a programme may hear what, beside answers to its replies; "" is a handover it never heard of.
STATEMENTS: dict[str, frozenset[str]] = {
    HandoverEventType.ANNOUNCED: frozenset({""}),
    HandoverEventType.OFFERED: frozenset({"", "announced"}),
    HandoverEventType.REMINDED: frozenset({"offered", "waitlisted", "accepted"}),
    HandoverEventType.UPDATED: LIVE,
    HandoverEventType.WITHDRAWN: LIVE,
    ERASED: frozenset({"declined", "ended", "fulfilled"}) | LIVE,
    HandoverEventType.IDENTITY_GRANTED: TAKEN,
}
#: Withdrawals tell a programme to stop; answers tell it what became of its own reply. Both may follow a death.
SILENT_AFTER_DEATH = frozenset(
    {
        HandoverEventType.ANNOUNCED,
        HandoverEventType.OFFERED,
        HandoverEventType.REMINDED,
        HandoverEventType.UPDATED,
        HandoverEventType.IDENTITY_GRANTED,
        NoticeKind.CONSENT_WANTED,
        NoticeKind.CONSENT_REMINDER,
        NoticeKind.DISCHARGE_PLANNED,
        NoticeKind.ESCALATED,
        NoticeKind.CODE_UNCLAIMED,
        NoticeKind.DELETION_OVERDUE,
        NoticeKind.STAY_END_MISSING,
        NoticeKind.CORRESPONDENCE,
    }
)
#: What a person's decision, a cancellation, or the law itself may end although a programme has taken over.
OF_CONSENT = frozenset({"consent_withdrawn", "declined_by_young_person", "declined_by_custody_holder"})
RECALLS = OF_CONSENT | {"erased"}
#: Why facts close a need: a reply or an act that comes at that moment has not.
BY_FACTS = frozenset(
    {
        "bridging_withdrawn",
        "carried_on",
        "consent_withdrawn",
        "course_corrected",
        "declined_by_custody_holder",
        "discharge_cancelled",
        "linked",
        "moved",
        "plan_cancelled",
        "readmitted",
        "referral_corrected",
        "unlinked",
    }
)
MAY_END_TAKEN = OF_CONSENT | {"deceased", "withdrawn", "erased"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement that was taken: what it says, which number it was told of, and when it came in."""

    model: str
    event: dict[str, Any]
    number: int
    told_at: int


def standing(facts: Sequence[Fact]) -> list[Fact]:
    """Returns the statements that are neither revised nor cancelled, by chains: a cancellation voids all of its chain.

    A statement that says UNKNOWN, in what decides about it, takes nothing back and says nothing.
    """
    known = [fact for fact in facts if not unknown_code(fact)]
    root = _revised(known, facts)
    latest: dict[str, Fact] = {}
    for fact in known:
        revised = root.get(fact.event["event_id"])
        if revised is not None:
            before = latest.get(revised)
            if before is None or _sent(before.event) <= _sent(fact.event):
                latest[revised] = fact
    void = {_root_of(_meant(fact, facts, root), root) for fact in known if fact.event["cancels"]}
    return [
        fact
        for fact in known
        if not fact.event["cancels"]
        and fact.event["event_id"] not in root.values()
        and latest.get(root.get(fact.event["event_id"], ""), fact) is fact
        and _root_of(fact.event["event_id"], root) not in void
    ]


def _revised(facts: Sequence[Fact], among: Sequence[Fact]) -> dict[str, str]:
    """Returns what each statement that revises one revises."""
    revising = [fact for fact in facts if fact.event["revises"] and not fact.event["cancels"]]
    root = {fact.event["event_id"]: str(fact.event["revises"]) for fact in revising}
    for fact in sorted(revising, key=lambda fact: _sent(fact.event)):
        root[fact.event["event_id"]] = _meant(fact, among, root)
    return root


def _meant(fact: Fact, facts: Sequence[Fact], root: dict[str, str]) -> str:
    """Returns the id of the statement that one revises or cancels: by name, else the nearest like it (F14).

    What itself revises it, directly or through others, is never meant.
    """
    event = fact.event
    named = str(event["revises"] or event["cancels"])
    if fact.model != "Discharge" or any(other.event["event_id"] == named for other in facts):
        return named
    like = [
        other.event
        for other in facts
        if other.model == "Discharge"
        and not other.event["cancels"]
        and not unknown_code(other)
        and all(other.event[name] == event[name] for name in ("source", "subject", "unit"))
        and (other.event["status"] in _HOME_OR_DEAD) is (event["status"] in _HOME_OR_DEAD)
        and _sent(other.event) < (event["sent_at"], True, event["event_id"])
        and not _descends(other.event["event_id"], event["event_id"], root)
    ]
    nearest = min(
        like,
        key=lambda other: (abs(other["occurred_at"] - event["occurred_at"]), -other["sent_at"], other["event_id"]),
        default={"event_id": named},
    )
    return str(nearest["event_id"])


def _sent(event: dict[str, Any]) -> tuple[int, bool, str]:
    """Returns the place of a statement among those of its source; one that revises comes after what it revises."""
    return event["sent_at"], bool(event["revises"]), event["event_id"]


def _descends(event_id: str, other: str, root: dict[str, str]) -> bool:
    for _ in range(len(root)):
        event_id = root.get(event_id, "")
        if event_id == other:
            return True
    return False


def _root_of(event_id: str, root: dict[str, str]) -> str:
    for _ in range(len(root) + 1):
        if event_id not in root:
            break
        event_id = root[event_id]
    return event_id


def unknown_code(fact: Fact) -> bool:
    """Tells whether a statement holds a code this release doesn't know where it decides something."""
    event = fact.event
    match fact.model:
        case "Discharge" | "Enrolment":
            return bool(event["status"] == "UNKNOWN")
        case "Referral":
            return "UNKNOWN" in (event["status"], event["decision"])
        case "Consent":
            return "UNKNOWN" in (event["decision"], event["scope"], event["purpose"], *event["given_by"])
        case _:
            return False


def raises(fact: Fact, kind: str) -> bool:
    """Tells whether a statement could raise a need of a kind at all."""
    event = fact.event
    if event["cancels"]:
        return False
    match fact.model:
        case "Discharge" if kind != NeedKind.BRIDGING:
            planned = event["status"] == StayStatus.DISCHARGE_PLANNED and kind == NeedKind.AFTERCARE
            return bool(planned or event["status"] == StayStatus.DISCHARGED_HOME)
        case "Enrolment":
            return kind == NeedKind.AFTERCARE and event["status"] not in (CourseStatus.UNKNOWN, CourseStatus.WAITING)
        case "Referral":
            rejected = event["decision"] == VisitationDecision.REJECTED and kind == NeedKind.AFTERCARE
            return bool(rejected or (event["bridging"] and kind == NeedKind.BRIDGING))
        case _:
            return False


def is_dead(facts: Sequence[Fact], now: int) -> bool:
    """Tells whether a death was told and nothing that could undo it."""
    steps = [fact.event for fact in facts if fact.model == "Discharge"]
    deaths = [event for event in steps if event["status"] == StayStatus.DECEASED and event["occurred_at"] <= now]
    ids = {event["event_id"] for event in deaths}
    doubtful = any(
        ids & {event["cancels"], event["revises"]}
        or event["said_alive"]
        or (event in deaths and (event["cancels"] or event["revises"]))
        for event in steps
    )
    return bool(deaths) and not doubtful


def last_discharge(facts: Sequence[Fact], units: dict[str, str], now: int, missed: Sequence[int]) -> Fact | None:
    """Returns the discharge home from psychiatry that the stays told of end with, or None where there is any doubt.

    No doubt: every unit is known, all is told by time and past, nobody died, nothing is said after the discharge, and
    every admission has an end, was moved on from, or had its missing end told to a person (at ``missed``) before.
    """
    steps = [fact for fact in standing(facts) if fact.model == "Discharge"]
    for fact in steps:
        event = fact.event
        odd = event["status"] == StayStatus.DECEASED or event["episode_id"] == UNNUMBERED
        if odd or event["occurred_at"] > now or event["unit"] not in units or _is_midnight(event["occurred_at"]):
            return None
    said = [fact for fact in steps if fact.event["status"] != StayStatus.DISCHARGE_PLANNED]
    latest = max(said, key=lambda fact: int(fact.event["occurred_at"]), default=None)
    if latest is None or latest.event["status"] != StayStatus.DISCHARGED_HOME:
        return None
    admissions = [fact for fact in said if fact.event["status"] == StayStatus.ADMITTED]
    begun_at = max((fact.event["occurred_at"] for fact in admissions), default=0)
    newest = {fact.event["episode_id"] for fact in admissions if fact.event["occurred_at"] == begun_at}
    if newest - {latest.event["episode_id"]}:
        return None  # a transfer, or two stays that overlap: which of them it was the ids alone don't tell
    psychiatric = units[latest.event["unit"]] in PSYCHIATRIC
    others = [fact for fact in said if fact is not latest]
    open_beside = any(_is_open_beside(fact, said, latest, missed) for fact in others)
    return None if open_beside or not psychiatric or _is_told_again(latest, others) else latest


def _is_open_beside(fact: Fact, steps: Sequence[Fact], latest: Fact, missed: Sequence[int]) -> bool:
    """Tells whether a step lies beside the latest discharge, or is an admission that may go on."""
    event, moment = fact.event, fact.event["occurred_at"]
    if moment >= latest.event["occurred_at"]:
        return True
    goes_on = event["status"] in (StayStatus.ADMITTED, StayStatus.ON_LEAVE, StayStatus.BACK)
    if not goes_on or any(fact.told_at < when < latest.told_at for when in missed):
        return False
    later = [one.event for one in steps if one.event["occurred_at"] > moment]
    ended = any(
        one["status"] == StayStatus.DISCHARGED_HOME and one["episode_id"] == event["episode_id"] for one in later
    )
    inpatient = StayClass.INPATIENT
    moved = event["stay_class"] == inpatient and any(
        one["status"] == StayStatus.ADMITTED
        and one["stay_class"] == inpatient
        and one["episode_id"] == latest.event["episode_id"]
        for one in later
    )
    return not ended and not moved


def _is_told_again(latest: Fact, others: Iterable[Fact]) -> bool:
    """Tells whether a discharge may be one that was told before: days apart, and no admission between."""
    since = latest.event["occurred_at"] - 2 * DAY
    between = [one.event for one in others if one.event["occurred_at"] >= since]
    home = any(one["status"] == StayStatus.DISCHARGED_HOME for one in between)
    return home and not any(one["status"] == StayStatus.ADMITTED for one in between)


def chain_of(fact: Fact, facts: Sequence[Fact]) -> list[Fact]:
    """Returns the statements that a statement revises or is revised by, itself among them."""
    root = _revised(facts, facts)
    mine = _root_of(fact.event["event_id"], root)
    return [one for one in facts if _root_of(one.event["event_id"], root) == mine]


def in_hospital_since(facts: Sequence[Fact], units: dict[str, str], now: int) -> Fact | None:
    """Returns the admission by which Y is in a psychiatric unit now beyond doubt, or None."""
    admitted = [
        fact
        for fact in standing(facts)
        if fact.model == "Discharge"
        and fact.event["status"] == StayStatus.ADMITTED
        and fact.event["stay_class"] == StayClass.INPATIENT
        and units.get(fact.event["unit"]) in PSYCHIATRIC
        and fact.event["occurred_at"] <= now < fact.told_at + OPEN_STAY_COUNTS
        and now < fact.event["occurred_at"] + OPEN_STAY_COUNTS
    ]
    latest = max(admitted, key=lambda fact: int(fact.event["occurred_at"]), default=None)
    if latest is None or _is_midnight(latest.event["occurred_at"]):
        return None
    moment = latest.event["occurred_at"]
    others = [fact for fact in facts if fact.model == "Discharge" and fact is not latest]
    doubtful = any(
        fact.event["occurred_at"] >= moment
        or _is_midnight(fact.event["occurred_at"])
        or latest.event["event_id"] in (fact.event["cancels"], fact.event["revises"])
        for fact in others
    )
    return None if doubtful else latest


def _is_midnight(moment: int) -> bool:
    local = _local(moment)
    return (local.hour, local.minute, local.second) == (0, 0, 0)


def is_working_day(moment: int, closed: frozenset[int]) -> bool:
    """Tells whether a time lies on a Danish working day that isn't among closed days."""
    local = _local(moment)
    return local.weekday() < 5 and local.date().toordinal() - _EPOCH not in closed


def after_working_days(moment: int, count: int, closed: frozenset[int]) -> int:
    """Returns the same Danish time of day so many working days later; days that don't count are passed over.

    A clock that would start on another day starts with the next working day (K3).
    """
    local = _local(moment)
    while not (local.weekday() < 5 and local.date().toordinal() - _EPOCH not in closed):
        local = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=_COPENHAGEN)
    day = local.date().toordinal()
    while count:
        day += 1
        count -= date.fromordinal(day).weekday() < 5 and day - _EPOCH not in closed
    moved = datetime.combine(date.fromordinal(day), local.time(), tzinfo=_COPENHAGEN)
    return round(moved.timestamp() * 1000)


def _local(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(_COPENHAGEN)


def linked_groups(facts: Sequence[Fact], numbers: Sequence[str]) -> list[frozenset[int]]:
    """Returns which numbers are one person: of a replaced number the latest word stands, an undoing before a link."""
    latest: dict[tuple[int, str], tuple[int, bool]] = {}
    for fact in facts:
        if fact.model == "Person":
            for name, linked in (("unlinked_from", False), ("linked_to", True)):
                if fact.event[name]:
                    pair = (fact.number, fact.event[name])
                    latest[pair] = max(latest.get(pair, (0, False)), (fact.event["occurred_at"], linked))
    groups = [frozenset({number}) for number in range(len(numbers))]
    for (number, other), (_, linked) in latest.items():
        if linked:
            joined = [one for one in groups if number in one or numbers.index(other) in one]
            groups = [one for one in groups if one not in joined] + [frozenset().union(*joined)]
    return groups
