"""Checks of courses that end early and referrals that are turned away, whatever came of the one before (T3, T4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schemas.codes import ConsentDecision, CourseStatus, NeedKind, VisitationDecision
from tests.model.checks_of_states import dead_ever
from tests.model.ledger import Ledger
from tests.model.reference_needs import DAY, Fact, standing, unknown_code
from tests.model.steps import MINUTE, NUMBERS
from tests.model.world import World

Found = Iterator[str]
_LATE = 2 * MINUTE
_EARLY = (CourseStatus.DROPPED_OUT, CourseStatus.REFERRED_ELSEWHERE)


def early_ends_become_needs(ledger: Ledger, world: World) -> Found:
    """A course that ended early, or a referral turned away, has a need that was open since, each time that it does."""
    if ledger.linked or ledger.erased:
        return
    for group in {frozenset({NUMBERS.index(one)}) for one in ledger.met_numbers}:
        facts = ledger.of(group)
        told = max((fact.told_at for fact in facts), default=0)
        settled = ledger.now > max(told, ledger.signal_at) + ledger.settle_max_ms + _LATE
        refused = any(fact.model == "Consent" and fact.event["decision"] != ConsentDecision.GIVEN for fact in facts)
        if not settled or told < ledger.now - 300 * DAY or refused or dead_ever(ledger, group):
            continue
        mine = [one for one in ledger.needs.values() if one.number in group and one.need.kind == NeedKind.AFTERCARE]
        if any(one.need.trigger == "discharge_planned" for one in mine):
            continue  # whoever closed a heads-up has settled the end that it was about, too (T7)
        for fact in _early_ends(facts, ledger.now):
            if fact.told_at >= told - 100 * DAY and not any(one.live_at >= fact.told_at for one in mine):
                yield f"{fact.event['event_id']} has no need"


def _early_ends(facts: list[Fact], now: int) -> Iterator[Fact]:
    """Yields the last words on courses and referrals, where they say beyond doubt that one has ended early."""
    stand = [fact for fact in standing(facts) if fact.model in ("Enrolment", "Referral")]
    for fact in stand:
        event = fact.event
        same = [one for one in facts if one.model == fact.model and _name(one) == _name(fact) and one is not fact]
        doubtful = any(
            one.event["status_at"] >= event["status_at"]
            or event["event_id"] in (one.event["revises"], one.event["cancels"])
            or unknown_code(one)
            for one in same
        )
        ended = event["status"] in _EARLY if fact.model == "Enrolment" else _is_turned_away(event)
        ordered = event["status_at"] <= now and event.get("occurred_on") is None and not event["revises"]
        if ended and ordered and not doubtful and _is_news(fact, same):
            yield fact


def _is_turned_away(event: dict[str, object]) -> bool:
    return event["decision"] == VisitationDecision.REJECTED and not event["bridging"]


def _is_news(fact: Fact, same: list[Fact]) -> bool:
    """Tells whether the word before it was another: one end told twice is one end."""
    before = max(same, key=lambda one: int(one.event["status_at"]), default=None)
    if before is None:
        return True
    if fact.model == "Enrolment":
        return before.event["status"] in (CourseStatus.ACTIVE, CourseStatus.WAITING) and not before.event["cancels"]
    return before.event["decision"] is None and not before.event["bridging"] and not before.event["cancels"]


def _name(fact: Fact) -> tuple[object, ...]:
    event = fact.event
    owner = event["programme"] if fact.model == "Enrolment" else event["source"]
    return owner, event["subject"]


COURSE_CHECKS: tuple[Callable[[Ledger, World], Found], ...] = (early_ends_become_needs,)
