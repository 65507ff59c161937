"""Laws 1 and 2 over whole pathways: any order, any repetition, the same result; and nobody is ever without a state."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import EventHeader
from schemas.pathway import NEVER, Pathway
from streams.domain.work import LIVE_HANDOVERS
from tests.domain.story import (
    SOMATIC,
    Story,
    a_consent,
    a_course,
    a_person,
    a_referral,
    a_step,
    an_id,
    at,
)

START = at("2026-02-02 10:00")
EARLIER = START - timedelta(days=1)


def facts() -> list[EventHeader]:
    """Returns every kind of fact about one young person, several of them contradicting each other."""
    return [
        a_person(),
        a_person("moved", occurred_at=EARLIER, municipality="0101"),
        a_person("moved-far", occurred_at=EARLIER + timedelta(hours=1), municipality="0751"),
        a_step("stin", START - timedelta(days=9), "admitted"),
        a_step("stor", START - timedelta(days=5), "on_leave"),
        a_step("slor", START - timedelta(days=4), "back"),
        a_step("stin-b", START - timedelta(days=3), "admitted", episode_id="episode-b", unit=SOMATIC),
        a_step("plan", START - timedelta(days=2), "discharge_planned", planned_at=START + timedelta(days=1)),
        a_step("slhj", START, "discharged_home"),
        a_step("slhj-b", START, "discharged_home", episode_id="episode-b", unit=SOMATIC),
        a_step("re-slhj", START - timedelta(hours=1), "discharged_home", revises=an_id("slhj")),
        a_step("an-slhj", START, "discharged_home", cancels=an_id("re-slhj")),
        a_step("mors", START + timedelta(minutes=1), "deceased"),
        a_step(
            "an-mors",
            START + timedelta(minutes=1),
            "deceased",
            cancels=an_id("mors"),
            sent_at=START + timedelta(hours=1),
        ),
        a_consent("consent", EARLIER),
        a_consent("named", EARLIER, scope="named"),
        a_consent("plan", EARLIER, scope="named", purpose="plan"),
        a_consent("withdrawal", EARLIER + timedelta(hours=1), decision="withdrawn", subject="consent"),
        a_consent("refusal", EARLIER + timedelta(hours=2), decision="refused", subject="refusal"),
        a_consent("again", EARLIER + timedelta(hours=3)),
        a_course("opus", EARLIER, "opus-young", "active"),
        a_course("opus-end", START, "opus-young", "completed"),
        a_course("stime-end", START, "stime", "dropped_out"),
        a_referral("referral", START),
    ]


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[list[EventHeader], random.Random]:
    """Draws a set of facts with a shuffling of its own."""
    chosen = draw(st.lists(st.sampled_from(facts()), min_size=1, max_size=12, unique_by=lambda one: one.event_id))
    return chosen, draw(st.randoms(use_true_random=False))


def told(events: list[EventHeader], spread: timedelta) -> Story:
    """Tells events at evenly spread log times, from START on."""
    story = Story()
    for number, event in enumerate(events):
        story.tell(START + spread * number / len(events), event)
    return story


def shuffled(events: list[EventHeader], chance: random.Random) -> list[EventHeader]:
    """Returns the events in another order, some of them repeated."""
    again = [*events, *chance.sample(events, k=chance.randrange(len(events) + 1))]
    chance.shuffle(again)
    return again


def masked(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns what was said without the fields that tell the log's time."""
    times = {"occurred_at", "sent_at", "recorded_at", "reply_by", "due_at"}
    return {name: value for name, value in fields.items() if name not in times}


def by_statement(fields: dict[str, Any]) -> str:
    return str(fields["event_id"])


def live(pathway: Pathway) -> set[tuple[str, str, str | None]]:
    return {(one.need_id, one.programme, one.site) for one in pathway.handovers if one.state in LIVE_HANDOVERS}


def open_needs(pathway: Pathway) -> set[tuple[str, str, str | None]]:
    return {(need.need_id, need.state, need.reason_code) for need in pathway.needs if need.state != "closed"}


@given(mixtures())
def test_law_1_inside_the_settle_time_any_order_says_the_same(drawn: tuple[list[EventHeader], random.Random]) -> None:
    events, chance = drawn
    until = START + timedelta(minutes=40)
    one = told(events, timedelta(minutes=14)).wait_until(until)
    other = told(shuffled(events, chance), timedelta(minutes=14)).wait_until(until)

    def said(story: Story) -> list[dict[str, Any]]:
        return sorted((masked(said.fields) for _, said in story.said), key=by_statement)

    assert said(one) == said(other)
    assert open_needs(one.pathway) == open_needs(other.pathway)


@given(mixtures())
def test_law_1_after_the_settle_time_any_order_ends_the_same_through_recalls(
    drawn: tuple[list[EventHeader], random.Random],
) -> None:
    """But for a plan, which changes nothing where it comes after what it planned has settled: it is told first."""
    events, chance = drawn
    plans = [event for event in events if event.subject == "plan"]
    rest = [event for event in events if event not in plans]
    until = START + timedelta(hours=7)
    one = told([*plans, *rest], timedelta(hours=6)).wait_until(until)
    other = told([*plans, *shuffled(rest, chance)], timedelta(hours=6)).wait_until(until)

    assert live(one.pathway) == live(other.pathway)
    assert open_needs(one.pathway) == open_needs(other.pathway)


@given(mixtures(), st.integers(1, 40))
def test_law_2_no_open_need_is_ever_without_owner_and_clock(
    drawn: tuple[list[EventHeader], random.Random], rounds: int
) -> None:
    story = told(shuffled(*drawn), timedelta(hours=6)).wait_for_the_last_clock(rounds)

    for need in story.pathway.needs:
        handovers = [one for one in story.pathway.handovers if one.need_id == need.need_id]
        offers = [one for one in handovers if one.state in ("announced", "offered", "waitlisted")]
        assert len(offers) <= 1
        if need.state in ("closed", "taken_over"):
            continue
        assert need.owner
        clocks = [need.clock_at, *(one.clock_at for one in offers)]
        assert min(clocks) < NEVER, need


@given(mixtures())
def test_case_39_after_the_last_clock_every_open_need_is_with_a_person(
    drawn: tuple[list[EventHeader], random.Random],
) -> None:
    story = told(shuffled(*drawn), timedelta(hours=6)).wait_until(START + timedelta(days=120))

    assert {need.state for need in story.pathway.needs} <= {"with_person", "closed"}


def test_birth_dates_are_plain_dates() -> None:
    assert a_person().birth_date == date(2010, 5, 1)
    assert isinstance(START, datetime)
