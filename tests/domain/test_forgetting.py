"""What leaves a pathway after 400 days, and what never does."""

from __future__ import annotations

import random
from datetime import timedelta
from unittest.mock import patch

import pytest
from hypothesis import given

from schemas.events import UNNUMBERED, EventHeader
from schemas.facts import ConsentFact, PersonFact
from streams.domain import forgetting
from streams.domain.forgetting import WINDOW_DAYS
from tests.domain.story import (
    SOMATIC,
    Story,
    a_consent,
    a_course,
    a_person,
    a_step,
    an_anonymous_consent,
    at,
)
from tests.domain.test_laws import START, mixtures, told

WINDOW = timedelta(days=WINDOW_DAYS)


def test_case_10_a_somatic_stay_leaves_the_state_with_the_window_for_duplicates() -> None:
    discharge = a_step("slhj", START, "discharged_home", unit=SOMATIC)
    story = Story().tell(START, discharge)
    story.tell(START + WINDOW - timedelta(seconds=1), discharge)
    assert story.outcomes == ["out_of_scope", "duplicate"]
    story.wait_until(START + WINDOW)
    assert story.pathway.facts == ()


def test_a_closed_need_leaves_with_its_facts_its_handover_and_its_ids_and_the_view_says_so() -> None:
    story = Story().tell(START, a_person(), a_consent("consent", START), a_step("slhj", START, "discharged_home"))
    story.wait_until(START + timedelta(hours=1))
    for number, status in enumerate(("accepted", "first_contact", "fulfilled"), 2):
        story.reply(START + timedelta(hours=number), "ungevaerftet", status)
    assert [need.state for need in story.pathway.needs] == ["closed"]
    story.wait_until(START + WINDOW + timedelta(days=1))
    assert [type(fact) for fact in story.pathway.facts] == [PersonFact, ConsentFact]
    assert (story.pathway.needs, story.pathway.handovers, story.pathway.seen) == ((), (), ())
    assert (story.views[-1]["stays"], story.views[-1]["needs"]) == ([], [])


def test_an_open_need_keeps_its_facts_however_long_it_waits() -> None:
    story = Story().tell(START, a_person(), a_step("slhj", START, "discharged_home"))
    story.wait_until(START + 3 * WINDOW)
    assert [(need.state, need.owner) for need in story.pathway.needs][:1] == [("with_person", "municipality-0217")]
    assert len(story.pathway.facts) == 2


def test_a_refusal_stays_as_long_as_the_discharge_that_it_answers() -> None:
    story = Story().tell(START, a_person(), a_step("stin", START, "admitted"))
    story.tell(START, a_consent("refusal", START, decision="refused"))
    later = START + timedelta(days=300)
    story.tell(later, a_step("slhj", later, "discharged_home"))
    story.wait_until(START + WINDOW + timedelta(days=1))
    assert [need.reason_code for need in story.pathway.needs] == ["declined_by_young_person"]
    assert not story.offers()


def test_rule_g3_where_somebody_lived_is_kept_as_long_as_what_happened_then_is() -> None:
    story = Story().tell(
        START, a_person(municipality="0101", birth_date=None), a_step("slhj", START, "discharged_home")
    )
    moved = START + timedelta(days=100)
    story.tell(moved, a_person("moved", municipality="0751", birth_date=None, occurred_at=moved))

    story.wait_until(START + 2 * WINDOW)

    assert [kind for kind, _, _ in story.needs()] == ["aftercare"]


def test_rule_g3_a_letter_leaves_with_the_stay_whose_end_it_told_too() -> None:
    story = Story().tell(START, a_person(), a_consent("consent", START), a_step("slhj", START, "discharged_home"))
    story.wait_until(START + timedelta(hours=1))
    story.reply(START + timedelta(hours=2), "ungevaerftet", "declined", side="young_person")
    story.tell(START + timedelta(hours=5), a_step("letter", START, "discharged_home", episode_id=UNNUMBERED))
    before = story.needs()

    story.tell(START + WINDOW + timedelta(hours=3), a_person("again", occurred_at=START + WINDOW))

    assert story.needs() == before == [("aftercare", "closed", "declined_by_young_person")]
    story.wait_until(START + WINDOW + timedelta(hours=5))
    assert (story.needs(), len(story.offers())) == ([], 1)


def test_rule_g2_a_refusal_in_a_stay_holds_for_its_end_however_long_that_goes_on() -> None:
    story = Story().tell(START, a_person(), a_step("stin", START, "admitted"))
    story.tell(START, a_consent("refusal", START + timedelta(hours=1), decision="refused"))
    end = START + WINDOW + timedelta(days=90)

    story.wait_until(end).tell(end, a_step("slhj", end, "discharged_home")).wait_until(end + timedelta(hours=1))

    assert story.needs() == [("aftercare", "closed", "declined_by_young_person")]


def test_rule_g3_what_was_refused_together_leaves_together() -> None:
    home = START + timedelta(days=20)
    story = Story().tell(START, a_person(), a_step("stin", START, "admitted"))
    story.tell(START, a_consent("refusal", START + timedelta(hours=1), decision="refused"))
    story.tell(home, a_step("slhj", home, "discharged_home")).wait_until(home + timedelta(days=10))
    story.tell(home + timedelta(days=10), a_course("course", home, "stime", "dropped_out"))

    story.wait_until(home + WINDOW + timedelta(days=5))
    assert story.needs() == [("aftercare", "closed", "declined_by_young_person")]

    story.wait_until(home + WINDOW + timedelta(days=15))
    assert (story.needs(), [type(fact) for fact in story.pathway.facts]) == ([], [PersonFact, ConsentFact])


def test_rule_g1_a_consent_leaves_400_days_after_it_has_lapsed() -> None:
    story = Story().tell(START, a_person(), a_consent("consent", START))
    lapsed = START + timedelta(days=365)

    story.wait_until(lapsed + WINDOW - timedelta(days=1))
    assert [type(fact) for fact in story.pathway.facts] == [PersonFact, ConsentFact]

    story.wait_until(lapsed + WINDOW + timedelta(days=2))
    assert [type(fact) for fact in story.pathway.facts] == [PersonFact]


@pytest.mark.parametrize("decision", ["withdrawn", "refused"])
def test_rule_g1_an_end_that_names_a_consent_that_lapsed_ends_no_other(decision: str) -> None:
    later = START + timedelta(days=450)
    story = Story().tell(START, a_person(), a_consent("old", START)).tell(later, a_consent("new", later))
    home = later + timedelta(days=10)
    story.tell(home, a_step("slhj", home, "discharged_home")).wait_until(home + timedelta(hours=1))

    ended = home + timedelta(hours=2)
    story.tell(ended, a_consent("end", ended, purpose=None, decision=decision, subject="old"))

    assert (story.to_programmes("withdrawn"), len(story.offers())) == ([], 1)


@pytest.mark.parametrize(("home", "kinds"), [("0751", ["aftercare", "plan"]), ("0101", ["aftercare"])])
def test_rule_g3_a_plan_is_made_where_somebody_lived_though_a_stay_began_long_ago(home: str, kinds: list[str]) -> None:
    story = Story().tell(START, a_person(municipality=home)).tell(START, a_step("stin", START, "admitted"))
    moved, ended = START + WINDOW + timedelta(days=20), START + WINDOW + timedelta(days=18)
    other = "0101" if home == "0751" else "0751"
    story.tell(moved, a_person("moved", municipality=other, occurred_at=moved))

    told = moved + timedelta(days=1)
    story.tell(told, a_step("slhj", ended, "discharged_home")).wait_until(told + timedelta(days=9))

    assert [kind for kind, _, _ in story.needs()] == kinds


def test_rule_g2_what_waits_until_a_programme_is_done_is_kept_however_long_that_takes() -> None:
    story = Story().tell(START, a_person(), an_anonymous_consent(), a_course("ended", START, "stime", "dropped_out"))
    story.wait_until(START + timedelta(hours=1))
    for hours, status in ((2, "accepted"), (3, "first_contact")):
        story.reply(START + timedelta(hours=hours), "ungevaerftet", status)
    later = START + timedelta(days=30)
    story.tell(later, a_course("dropped", later, "opus-young", "dropped_out"))
    done = later + WINDOW + timedelta(days=10)

    story.wait_until(done).reply(done, "ungevaerftet", "fulfilled").wait_until(done + timedelta(days=1))

    assert [(kind, state) for kind, state, _ in story.needs()] == [
        ("aftercare", "closed"),
        ("aftercare", "awaiting_consent"),
    ]


@given(mixtures())
def test_forgetting_changes_nothing_that_is_still_said(drawn: tuple[list[EventHeader], random.Random]) -> None:
    """Told on with and without a memory: the same is said to programmes and people, and the same needs are open.

    Somatic stays that were never told to have ended are left out: those alone are forgotten while they go on.
    """
    events = [event for event in drawn[0] if getattr(event, "unit", None) != SOMATIC]
    end = START + WINDOW + timedelta(days=90)
    again = a_step("later", end, "discharged_home", episode_id="later")

    def ends() -> object:
        story = told(events, timedelta(days=60)).wait_until(end).tell(end, again).wait_until(end + timedelta(days=40))
        said = [(when, one.topic, one.fields) for when, one in story.said if one.topic != "pathways"]
        return said, {need.need_id for need in story.pathway.needs if need.state != "closed"}

    forgetful = ends()
    with patch.object(forgetting, "_WINDOW_MS", 2**60):
        assert ends() == forgetful


def test_the_window_is_longer_than_any_consent_holds() -> None:
    assert timedelta(days=WINDOW_DAYS) > at("2025-01-01 00:00") - at("2024-01-01 00:00") + timedelta(days=1)
