"""Letters in free text: who is told to read them, and when; and letters before FHIR, which name no episode."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from schemas.events import UNNUMBERED
from tests.domain.story import (
    MONDAY,
    SETTLED,
    SOMATIC,
    Story,
    a_course,
    a_discharged_story,
    a_letter,
    a_person,
    a_step,
    an_anonymous_consent,
    an_id,
)


def read_by(story: Story) -> list[tuple[str, str | None]]:
    """Returns who was told to read which kind of letter."""
    notices = [said.fields for _, said in story.said if said.topic == "notices"]
    return [(one["recipient"], one["reason_code"]) for one in notices if one["kind"] == "correspondence"]


def test_a_letter_about_psychiatry_is_shown_to_the_home_municipality_once_settled() -> None:
    story = Story().tell(MONDAY, a_letter("letter", MONDAY, "psychiatry_social_disability"), a_person())

    assert read_by(story) == []
    story.wait_until(SETTLED)
    assert read_by(story) == [("municipality-0217", "psychiatry_social_disability")]
    assert read_by(story.wait_until(MONDAY + timedelta(days=60))) == read_by(story)


@pytest.mark.parametrize(
    "category", ["regarding_referral", "discharge", "carecoordination", "dis91", "of_a_later_guide"]
)
def test_any_other_letter_is_shown_where_the_young_person_has_a_stay_or_course_that_concerns_us(category: str) -> None:
    alone = Story().tell(MONDAY, a_letter("letter", MONDAY, category), a_person()).wait_until(SETTLED)
    known = Story().tell(MONDAY, a_course("course", MONDAY, "stime", "active"), a_person())
    known.tell(MONDAY, a_letter("letter", MONDAY, category)).wait_until(SETTLED)

    assert (read_by(alone), alone.outcomes[0]) == ([], "out_of_scope")
    assert (read_by(known), known.outcomes[-1]) == ([("municipality-0217", category)], "folded")


def test_a_letter_about_care_at_home_is_out_of_scope_whoever_it_is_about() -> None:
    story = a_discharged_story(an_anonymous_consent())
    story.tell(MONDAY, a_letter("letter", MONDAY, "medicine"))

    assert story.outcomes[-1] == "out_of_scope"
    assert read_by(story.wait_until(MONDAY + timedelta(days=20))) == []


def test_a_letter_that_comes_before_what_makes_it_concern_us_is_shown_then_but_not_weeks_later() -> None:
    soon = Story().tell(MONDAY, a_letter("letter", MONDAY), a_person())
    soon.tell(MONDAY + timedelta(days=2), a_step("stin", MONDAY, "admitted"))
    late = Story().tell(MONDAY, a_letter("letter", MONDAY), a_person())
    late.tell(MONDAY + timedelta(days=20), a_step("stin", MONDAY, "admitted"))

    assert read_by(soon) == [("municipality-0217", "regarding_referral")]
    assert read_by(late) == []


@pytest.mark.parametrize("first", ["letter", "retracted"])
def test_a_letter_that_is_taken_back_before_it_has_settled_is_shown_to_nobody(first: str) -> None:
    letter = a_letter("letter", MONDAY, "psychiatry_social_disability")
    retracted = a_letter("retracted", MONDAY, "psychiatry_social_disability", cancels=an_id("letter"))
    order = (letter, retracted) if first == "letter" else (retracted, letter)
    story = Story().tell(MONDAY, a_person(), *order).wait_until(MONDAY + timedelta(days=2))

    assert read_by(story) == []


def test_a_letter_that_is_corrected_is_shown_as_it_stands_and_again_where_it_changes_later() -> None:
    letter = a_letter("letter", MONDAY, "regarding_referral")
    changed = a_letter("changed", MONDAY, "psychiatry_social_disability", revises=an_id("letter"))
    later = MONDAY + timedelta(days=1)
    again = a_letter("again", later, "psychiatry_social_disability", revises=an_id("changed"))
    story = Story().tell(MONDAY, a_person(), letter, changed).wait_until(SETTLED)
    before = read_by(story)
    story.tell(later, again).wait_until(later + timedelta(minutes=15))

    assert before == [("municipality-0217", "psychiatry_social_disability")]
    assert len(read_by(story)) == 2


def test_a_letter_leaves_the_pathway_after_400_days() -> None:
    story = Story().tell(MONDAY, a_letter("letter", MONDAY, "psychiatry_social_disability"), a_person())
    story.wait_until(MONDAY + timedelta(days=401))

    assert [fact.event_id for fact in story.pathway.facts if fact.subject == "letter"] == []
    assert story.pathway.said == ()


ADMITTED = MONDAY - timedelta(days=9)
SAME_STAY = (
    a_step("stin", ADMITTED, "admitted"),
    a_step("dis20", ADMITTED + timedelta(minutes=20), "admitted", episode_id=UNNUMBERED),
    a_step("slhj", MONDAY, "discharged_home"),
    a_step("dis17", MONDAY + timedelta(minutes=40), "discharged_home", episode_id=UNNUMBERED),
)


def test_letters_without_an_episode_are_of_the_stay_that_notifications_tell_in_any_order() -> None:
    told = []
    for order in permutations(SAME_STAY):
        story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), *order).wait_until(SETTLED)
        told.append((story.needs(), story.offers(), [need.need_id for need in story.pathway.needs]))

    assert told[0][:2] == ([("aftercare", "offered", None)], [("ungevaerftet", "helsingoer")])
    assert all(one == told[0] for one in told)


@pytest.mark.parametrize("first", ["slhj", "dis17"])
def test_the_other_telling_of_an_end_that_comes_after_the_offer_makes_no_second_need(first: str) -> None:
    by_name = {step.subject: step for step in SAME_STAY}
    other = {"slhj": "dis17", "dis17": "slhj"}[first]
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), by_name["stin"], by_name[first])
    story.wait_until(SETTLED).tell(MONDAY + timedelta(hours=3), by_name[other]).wait_until(MONDAY + timedelta(hours=9))

    assert story.needs() == [("aftercare", "offered", None)]
    assert len(story.offers()) == 1
    assert story.to_programmes("withdrawn") == []


def test_a_stay_told_by_letters_alone_makes_a_need_and_a_later_one_another_once_that_is_over() -> None:
    later = MONDAY + timedelta(days=30)
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), SAME_STAY[1], SAME_STAY[3]).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=3), "ungevaerftet", "declined", side="young_person")
    story.tell(later, a_step("dis17-2", later, "discharged_home", episode_id=UNNUMBERED))

    assert len(story.wait_until(later + timedelta(minutes=15)).pathway.needs) == 2


def test_a_planned_end_without_an_episode_is_of_the_stay_that_goes_on() -> None:
    planned = {"planned_at": MONDAY + timedelta(days=3), "episode_id": UNNUMBERED}
    plan = a_step("plan", MONDAY, "discharge_planned", **planned)
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), SAME_STAY[0], plan).wait_until(SETTLED)
    ended = MONDAY + timedelta(days=3)
    story.tell(ended, a_step("slhj", ended, "discharged_home")).wait_until(ended + timedelta(minutes=15))

    assert story.needs() == [("aftercare", "offered", None)]
    assert [one[0] for one in story.to_programmes()] == ["announced", "offered"]


def test_a_discharge_from_a_somatic_unit_that_names_no_episode_makes_no_need() -> None:
    step = a_step("dis17", MONDAY, "discharged_home", episode_id=UNNUMBERED, unit=SOMATIC)
    story = Story().tell(MONDAY, a_person(), step).wait_until(SETTLED)

    assert (story.outcomes[-1], story.needs()) == ("out_of_scope", [])
