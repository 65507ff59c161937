"""Cases by number (docs/specification/cases.md): any order, repeats, and ids that come again with other content."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

from schemas.events import EventHeader
from schemas.facts import StayFact
from schemas.instants import milliseconds_of
from streams.domain.stays import stays_of
from tests.domain.story import (
    MONDAY,
    SETTLED,
    Story,
    a_discharged_story,
    a_person,
    a_step,
    an_anonymous_consent,
    an_id,
)


def told_in_order(order: tuple[EventHeader, ...]) -> list[dict[str, Any]]:
    """Tells events a minute apart, then each of them again, and returns what was said but for the log's times."""
    story = Story()
    for number, event in enumerate((*order, *reversed(order))):
        story.tell(MONDAY + timedelta(minutes=number), event)
    story.wait_until(MONDAY + timedelta(minutes=40))
    times = {"occurred_at", "sent_at", "recorded_at", "reply_by"}
    return [{name: value for name, value in said.fields.items() if name not in times} for _, said in story.said]


def test_case_21_same_id_with_other_content_is_a_conflict_the_first_stands_and_its_source_is_told() -> None:
    story = a_discharged_story(an_anonymous_consent())
    story.tell(MONDAY, a_step("slhj", MONDAY + timedelta(hours=1), "discharged_home"))

    assert story.outcomes[-1] == "conflicting_duplicate"
    assert story.notices() == [("conflicting_duplicate", "sor:900000000000001")]
    assert [fact.occurred_at for fact in story.pathway.facts if fact.event_id == str(an_id("slhj"))] == [
        int(MONDAY.timestamp() * 1000)
    ]


def test_case_02_the_same_events_in_any_order_each_twice_say_what_case_01_says() -> None:
    events = (
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=20), "admitted"),
        a_step("slhj", MONDAY, "discharged_home"),
    )
    once = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)

    [said] = told_in_order(events)
    assert (said["programme"], said["event_id"]) == ("ungevaerftet", once.said[0][1].fields["event_id"])
    assert [order for order in permutations(events) if told_in_order(order) != [said]] == []


def test_rule_f14_a_correction_is_about_nothing_that_itself_revises_it() -> None:
    thursday = MONDAY + timedelta(days=3)
    sent = [thursday + timedelta(hours=hours) for hours in (1, 2)]
    wrong = a_step("slhj", MONDAY, "discharged_home", subject="course")
    right = wrong.model_copy(update={"occurred_at": thursday, "event_id": an_id("right"), "sent_at": sent[1]})
    again = right.model_copy(update={"event_id": an_id("again"), "sent_at": sent[0], "revises": right.event_id})
    right = right.model_copy(update={"revises": an_id("never told")})
    for order in permutations((wrong, again, right)):
        story = Story().tell(thursday + timedelta(hours=3), *order)

        stays = stays_of([fact for fact in story.pathway.facts if isinstance(fact, StayFact)]).stays
        assert [stay.ended_at for stay in stays] == [milliseconds_of(thursday)]


def test_case_02_a_repeat_is_a_duplicate_whenever_it_comes() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=1), a_step("slhj", MONDAY, "discharged_home"), an_anonymous_consent())

    assert story.outcomes[-2:] == ["duplicate", "duplicate"]
    assert len(story.said) == 1
