"""What a person decides (docs/specification/rules.md), and what is told back where it can't be done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    MONDAY,
    SETTLED,
    UNKNOWN_UNIT,
    Story,
    a_discharged_story,
    a_named_consent,
    a_person,
    a_step,
    an_anonymous_consent,
    at,
)

NOW = at("2026-02-03 10:00")


def awaiting_consent() -> Story:
    return a_discharged_story().wait_until(SETTLED)


def awaiting_reference() -> Story:
    discharge = a_step("slhj", MONDAY, "discharged_home", unit=UNKNOWN_UNIT)
    return Story().tell(MONDAY, a_person(), an_anonymous_consent(), discharge).wait_until(SETTLED)


def in_hospital() -> Story:
    again = MONDAY + timedelta(hours=2)
    return offered().tell(again, a_step("stin-2", again, "admitted", episode_id="episode-2"))


def with_person() -> Story:
    catalogue = a_catalogue(without=("ungevaerftet",))
    headspace = catalogue.programmes.pop("headspace")
    story = a_discharged_story(an_anonymous_consent(), catalogue=catalogue).wait_until(SETTLED)
    catalogue.programmes["headspace"] = headspace
    return story


def announced() -> Story:
    plan = a_step("plan", MONDAY, "discharge_planned", planned_at=MONDAY + timedelta(days=5))
    admitted = a_step("stin", MONDAY - timedelta(days=9), "admitted")
    return Story().tell(MONDAY, a_person(), an_anonymous_consent(), admitted, plan).wait_until(SETTLED)


def offered() -> Story:
    return a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)


def waitlisted() -> Story:
    story = offered()
    return story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "waitlisted", waitlisted_until=date(2026, 2, 20))


def taken_over() -> Story:
    return offered().reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")


def in_contact() -> Story:
    return taken_over().reply(MONDAY + timedelta(hours=2), "ungevaerftet", "first_contact")


def closed() -> Story:
    return offered().reply(MONDAY + timedelta(hours=1), "ungevaerftet", "declined", side="young_person")


def deceased() -> Story:
    return taken_over().tell(MONDAY + timedelta(hours=3), a_step("mors", MONDAY, "deceased"))


WAITING = (awaiting_consent, awaiting_reference, with_person)
PENDING = (announced, offered, waitlisted)
TAKEN = (taken_over, in_contact)


def refused(story: Story, action: str, **changes: Any) -> str | None:
    """Returns why an act was refused; then nothing but that was said, and nothing has changed but the count of it."""
    story.wait_until(NOW)
    before, said = story.pathway, len(story.said)
    story.decide(NOW, action, **changes)
    told = [one.fields for _, one in story.said[said:]]
    if not told or told[-1]["kind" if "kind" in told[-1] else "type"] != "escalated":
        return None
    assert [one["recipient"] for one in told] == ["municipality-0217"]
    assert [need.state for need in story.pathway.needs] == [need.state for need in before.needs]
    assert story.pathway.handovers == before.handovers
    return str(told[0]["reason_code"])


@pytest.mark.parametrize("state", [*WAITING, in_hospital, *PENDING, *TAKEN])
def test_rule_m1_whoever_is_assigned_owns_whatever_is_open(state: Any) -> None:
    story = state().wait_until(NOW)
    clock = story.pathway.needs[0].clock_at
    story.decide(NOW, "assigned", actor="anne")

    assert (story.pathway.needs[0].owner, story.pathway.needs[0].clock_at) == ("anne", clock)


@pytest.mark.parametrize("state", [awaiting_reference, with_person, offered, waitlisted])
def test_rule_m2_an_offer_that_a_person_makes_stays_there(state: Any) -> None:
    story = state().wait_until(NOW)
    story.decide(NOW, "offered", programme="headspace").tell(NOW, a_person("touch"))

    assert story.to_programmes()[-1] == ("offered", "headspace", None)
    assert [one.programme for one in story.pathway.handovers if one.state == "offered"] == ["headspace"]


def test_case_58_of_a_planned_discharge_a_person_gives_another_programme_the_heads_up_and_it_stays() -> None:
    story = announced().decide(NOW, "offered", programme="headspace").tell(NOW, a_person("touch"))
    meanwhile = story.to_programmes()
    ended = MONDAY + timedelta(days=5)
    story.tell(ended, a_step("slhj", ended, "discharged_home")).wait_until(ended + timedelta(minutes=15))

    assert meanwhile == [
        ("announced", "ungevaerftet", None),
        ("withdrawn", "ungevaerftet", "offered_elsewhere"),
        ("announced", "headspace", None),
    ]
    assert story.to_programmes()[3:] == [("offered", "headspace", None)]


@pytest.mark.parametrize(
    ("state", "action", "changes", "reason"),
    [
        (in_hospital, "offered", {"programme": "headspace"}, "in_hospital"),
        (awaiting_consent, "offered", {"programme": "headspace"}, "consent_wanted"),
        (with_person, "offered", {"programme": "nobody"}, "unknown_programme"),
        (with_person, "offered", {"programme": "alliancen-plan"}, "wrong_kind"),
        (offered, "offered", {"programme": "ungevaerftet"}, "already_offered"),
        (taken_over, "offered", {"programme": "headspace"}, "taken_over"),
        (in_contact, "offered", {"programme": "headspace"}, "taken_over"),
        (closed, "offered", {"programme": "headspace"}, "need_closed"),
        (announced, "reopened", {}, "already_offered"),
        (offered, "reopened", {}, "already_offered"),
        (taken_over, "reopened", {}, "taken_over"),
        (in_contact, "reopened", {}, "taken_over"),
        (closed, "closed", {}, "need_closed"),
        (closed, "assigned", {}, "need_closed"),
        (closed, "consent_asked", {}, "need_closed"),
        (offered, "consent_asked", {}, "consent_not_wanted"),
        (with_person, "consent_asked", {}, "consent_not_wanted"),
        (taken_over, "consent_asked", {}, "consent_not_wanted"),
        (closed, "escalation_answered", {}, "nothing_to_answer"),
        (offered, "escalation_answered", {}, "nothing_to_answer"),
        (offered, "UNKNOWN", {}, "unknown_action"),
    ],
)
def test_what_a_needs_state_does_not_allow_is_told_back_and_changes_nothing(
    state: Any, action: str, changes: dict[str, Any], reason: str
) -> None:
    assert refused(state(), action, **changes) == reason


@pytest.mark.parametrize(
    "action", ["assigned", "offered", "reopened", "closed", "escalation_answered", "consent_asked"]
)
def test_rule_m11_after_a_death_nothing_is_done_and_nobody_hears(action: str) -> None:
    story = deceased().wait_until(NOW)
    said, before = len(story.said), story.pathway.needs
    story.decide(NOW, action, programme="headspace")

    assert (len(story.said), story.pathway.needs) == (said, before)


def test_rule_m4_a_need_that_was_closed_is_opened_again_and_decided_anew() -> None:
    story = offered()
    story.decide(at("2026-02-02 11:00"), "closed", reason_code="moved_abroad")
    assert story.needs() == [("aftercare", "closed", "moved_abroad")]
    assert story.to_programmes()[-1] == ("withdrawn", "ungevaerftet", "moved_abroad")

    story.decide(at("2026-02-02 12:00"), "reopened")
    assert story.offers()[-1] == ("ungevaerftet", "helsingoer")


def test_rule_m4_a_need_that_waits_for_a_person_has_every_programme_tried_again() -> None:
    story = offered().wait_until(at("2026-02-10 10:00"))
    assert story.needs() == [("aftercare", "with_person", "no_answer")]

    story.decide(at("2026-02-10 10:00"), "reopened")
    assert story.offers()[-1] == ("ungevaerftet", "helsingoer")


def test_rule_m4_what_was_refused_since_is_not_opened_again_by_a_person() -> None:
    story = offered().decide(at("2026-02-02 11:00"), "closed")
    refusal = an_anonymous_consent().model_copy(
        update={"decision": "refused", "event_id": a_person("refusal").event_id, "occurred_at": at("2026-02-02 12:00")}
    )
    story.tell(at("2026-02-02 12:00"), refusal)

    assert refused(story, "reopened") == "declined_by_young_person"


def test_rule_m7_consent_is_asked_for_again_with_its_clock_anew() -> None:
    story = awaiting_consent().wait_until(at("2026-02-12 10:00"))
    assert story.needs() == [("aftercare", "with_person", "consent_missing")]

    story.decide(at("2026-02-12 10:00"), "consent_asked").wait_until(at("2026-02-20 10:00"))
    assert story.when("consent_wanted")[-1] == at("2026-02-12 10:00")
    assert story.when("consent_reminder")[-1] == at("2026-02-16 10:00")
    assert story.when("escalated")[-1] == at("2026-02-19 10:00")


def test_rule_m7_of_what_is_under_way_the_young_persons_own_consent_is_asked_for_again() -> None:
    story = Story().tell(
        MONDAY,
        a_person(birth_date=date(2011, 2, 3), municipality="0101"),
        a_named_consent("holder", "2026-02-01 12:00", "custody_holder", custody="sole"),
        a_step("slhj", MONDAY, "discharged_home"),
    )
    story.wait_until(SETTLED).reply(MONDAY + timedelta(hours=1), "headspace", "accepted")
    story.decide(NOW, "consent_asked")

    assert story.notices()[-1] == ("consent_wanted", "sor:900000000000001")
    assert story.said[-1][1].fields["reason_code"] == "own_consent_wanted"


def test_rule_m6_an_answer_puts_the_next_reminder_off_to_the_longest() -> None:
    story = with_person().decide(NOW, "escalation_answered").wait_until(NOW + timedelta(days=90))
    assert len(story.when("escalated")) == 1

    story.wait_until(NOW + timedelta(days=92))
    assert len(story.when("escalated")) == 2


def test_an_act_about_a_need_that_is_not_there_is_told_back() -> None:
    story = offered()
    story.decide(at("2026-02-02 11:00"), "closed", subject="7d9f3a52-0000-5000-8000-000000000000")

    assert story.needs() == [("aftercare", "offered", None)]
    assert story.said[-1][1].fields["reason_code"] == "unknown_need"
