"""Cases by number (docs/specification/cases.md): programmes, planned ends, identity and erasure close the loop."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.codes import Disclosed
from schemas.events import Consent
from schemas.instants import milliseconds_of
from streams.domain.work import SOURCE
from tests.domain.story import (
    COPENHAGEN,
    Story,
    a_consent,
    a_course,
    a_discharged_story,
    a_person,
    a_step,
    an_anonymous_consent,
    an_id,
    at,
)

MONDAY = at("2026-02-02 10:00")
SETTLE = timedelta(minutes=15)


def a_plan(name: str, told_at: str, planned_at: str, **changes: Any) -> Any:
    """Builds a planned discharge of the stay that is going on."""
    return a_step(name, at(told_at), "discharge_planned", planned_at=at(planned_at), **changes)


def a_planned_story(*consents: Consent) -> Story:
    """Tells of an admission and of a discharge planned for Saturday 7 February."""
    admitted = a_step("stin", MONDAY - timedelta(days=20), "admitted")
    plan = a_plan("plan", "2026-02-02 10:00", "2026-02-07 12:00")
    return Story().tell(MONDAY, a_person(), admitted, plan, *consents).wait_until(MONDAY + SETTLE)


def a_named_consent(name: str = "named", given_at: str = "2026-02-01 12:00", **changes: Any) -> Consent:
    """Builds a named consent by a young person of 15 and the holder of a sole custody."""
    fields = {"scope": "named", "given_by": ("young_person", "custody_holder"), "custody": "sole"}
    return a_consent(name, at(given_at), **(fields | changes))


def an_accepted_named_story() -> Story:
    """Tells of a named offer to headspace København that was accepted."""
    story = Story().tell(
        MONDAY,
        a_person(municipality="0101"),
        a_named_consent(),
        a_step("slhj", MONDAY, "discharged_home"),
    )
    story.wait_until(MONDAY + SETTLE)
    return story.reply(MONDAY + timedelta(hours=1), "headspace", "accepted")


def test_case_13_without_consent_a_planned_discharge_asks_for_it_and_nothing_leaves() -> None:
    story = a_planned_story()
    assert story.notices() == [("consent_wanted", "sor:900000000000001")]
    assert story.to_programmes() == []


def test_case_13_with_consent_the_best_programme_gets_week_age_band_and_municipality_and_no_more() -> None:
    story = a_planned_story(an_anonymous_consent())
    assert story.to_programmes() == [("announced", "ungevaerftet", None)]
    said = story.said[0][1].fields
    assert (said["expected_week"], said["age_band"], said["municipality"]) == ("2026-W06", "15-17", "0217")
    assert (said["occurred_on"], said["reply_by"], said["state"]) == (None, None, "announced")


def test_case_13_a_moved_plan_is_updated_once_and_a_cancelled_one_withdrawn() -> None:
    story = a_planned_story(an_anonymous_consent())
    moved = a_plan("moved", "2026-02-03 10:00", "2026-02-10 12:00", revises=an_id("plan"))
    story.tell(at("2026-02-03 10:00"), moved).wait_until(at("2026-02-04 10:00"))
    assert story.to_programmes("updated") == [("updated", "ungevaerftet", None)]
    assert story.said[-1][1].fields["expected_week"] == "2026-W07"

    story.tell(at("2026-02-04 10:00"), a_plan("cancel", "2026-02-04 10:00", "2026-02-10 12:00", cancels=an_id("moved")))
    assert story.to_programmes()[-1] == ("withdrawn", "ungevaerftet", "plan_cancelled")
    assert story.needs() == [("aftercare", "closed", "plan_cancelled")]


def test_case_13_the_heads_up_becomes_the_offer_with_the_same_correlation() -> None:
    story = a_planned_story(an_anonymous_consent())
    discharged = at("2026-02-06 14:00")
    story.tell(discharged, a_step("slhj", discharged, "discharged_home"))
    assert story.to_programmes() == [("announced", "ungevaerftet", None)]
    story.wait_until(discharged + SETTLE)
    assert story.to_programmes() == [("announced", "ungevaerftet", None), ("offered", "ungevaerftet", None)]
    announced, offered = (one.fields for _, one in story.said)
    for field in ("subject", "correlation_id", "youth_id"):
        assert announced[field] == offered[field]
    assert offered["reply_by"] == milliseconds_of(at("2026-02-10 14:15"))
    assert story.needs() == [("aftercare", "offered", None)]


def test_case_13_a_discharge_known_before_its_plan_settled_says_nothing_of_the_plan() -> None:
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), a_step("slhj", MONDAY, "discharged_home"))
    story.tell(MONDAY + timedelta(minutes=5), a_plan("plan", "2026-01-30 10:00", "2026-02-02 12:00"))
    story.wait_until(MONDAY + timedelta(days=1) - timedelta(minutes=1))
    assert story.to_programmes() == [("offered", "ungevaerftet", None)]
    story.tell(MONDAY + timedelta(hours=30), a_plan("late", "2026-01-29 10:00", "2026-02-03 12:00"))
    assert [what for what, *_ in story.to_programmes()] == ["offered", "reminded"]


def test_case_13_a_discharge_cancelled_again_is_a_plan_again() -> None:
    story = a_planned_story(an_anonymous_consent())
    discharged = at("2026-02-06 14:00")
    story.tell(discharged, a_step("slhj", discharged, "discharged_home")).wait_until(discharged + SETTLE)
    story.tell(discharged + timedelta(hours=1), a_step("an", discharged, "discharged_home", cancels=an_id("slhj")))
    assert story.to_programmes()[2:] == [
        ("withdrawn", "ungevaerftet", "discharge_cancelled"),
        ("announced", "ungevaerftet", None),
    ]


def test_case_13_a_plan_that_nothing_follows_is_told_to_its_owner() -> None:
    story = a_planned_story(an_anonymous_consent()).wait_until(at("2026-02-16 11:59"))
    assert story.notices() == []  # a week after its day is a Saturday
    story.wait_until(at("2026-02-16 12:00"))
    assert story.to_programmes()[-1] == ("withdrawn", "ungevaerftet", "planned_end_overdue")
    assert story.notices() == [("escalated", "municipality-0217")]
    assert story.needs() == [("aftercare", "with_person", "planned_end_overdue")]
    discharged = at("2026-02-20 10:00")
    story.tell(discharged, a_step("slhj", discharged, "discharged_home")).wait_until(discharged + SETTLE)
    assert story.to_programmes()[-1] == ("offered", "ungevaerftet", None)


def test_case_16_the_consent_is_checked_again_at_the_pull() -> None:
    story = an_accepted_named_story()
    lapsed = at("2027-02-02 10:00")
    story.reply(lapsed, "headspace", "identity_wanted")
    assert story.to_programmes()[-1] == ("reply_refused", "headspace", "consent_lapsed")
    assert [one["disclosed"] for one in story.disclosures] == [Disclosed.HANDOVER]


def test_a_pull_of_identity_is_granted_by_name_in_answer_to_its_reply_and_disclosed() -> None:
    story = an_accepted_named_story()
    story.reply(MONDAY + timedelta(hours=2), "headspace", "identity_wanted", event_id=an_id("pull"))
    granted = story.said[-1][1].fields
    assert (granted["type"], granted["causation_id"]) == ("identity_granted", str(an_id("pull")))
    disclosed = story.disclosures[-1]
    assert (disclosed["disclosed"], disclosed["receiver"], disclosed["consent_id"], disclosed["grant_id"]) == (
        Disclosed.IDENTITY,
        "headspace",
        "named",
        granted["event_id"],
    )


def test_no_identity_is_granted_for_an_anonymous_handover_nor_before_it_is_accepted() -> None:
    anonymous = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    anonymous.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "identity_wanted")
    assert anonymous.to_programmes()[-1] == ("reply_refused", "ungevaerftet", "not_in_this_state")
    anonymous.reply(MONDAY + timedelta(hours=2), "ungevaerftet", "accepted")
    anonymous.reply(MONDAY + timedelta(hours=3), "ungevaerftet", "identity_wanted")
    assert anonymous.to_programmes()[-1] == ("reply_refused", "ungevaerftet", "handover_anonymous")


def test_case_17_a_withdrawal_before_the_answer_recalls_and_a_late_acceptance_is_refused() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    told = MONDAY + timedelta(hours=1)
    story.tell(told, a_consent("withdrawal", told, decision="withdrawn", subject="consent"))
    assert story.to_programmes()[-1] == ("withdrawn", "ungevaerftet", "consent_withdrawn")
    assert story.said[-1][1].fields["reply_by"] == milliseconds_of(at("2026-02-09 11:00"))
    story.reply(told + timedelta(hours=1), "ungevaerftet", "accepted")
    assert story.to_programmes()[-1] == ("reply_refused", "ungevaerftet", "handover_withdrawn")


def test_a_consent_dated_ahead_of_the_log_counts_from_its_date_on() -> None:
    story = a_discharged_story(a_consent("ahead", at("2026-02-04 10:00"))).wait_until(at("2026-02-04 09:59"))
    assert story.to_programmes() == []
    story.wait_until(at("2026-02-04 10:00"))
    assert story.to_programmes() == [("offered", "ungevaerftet", None)]


def test_a_consent_given_after_a_withdrawal_lapses_into_waiting_and_not_into_a_withdrawal() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    told = MONDAY + timedelta(hours=1)
    story.tell(told, a_consent("withdrawal", told, decision="withdrawn", subject="consent"))
    assert story.needs() == [("aftercare", "closed", "consent_withdrawn")]
    story.tell(told + timedelta(hours=1), a_consent("again", told + timedelta(hours=1)))
    later = at("2027-02-10 10:00")
    story.wait_until(later).tell(later, a_person("again-person", occurred_at=later))
    assert [state for _, state, _ in story.needs()] == ["with_person"]


@pytest.mark.parametrize("pulled", [False, True])
def test_case_18_after_acceptance_or_pull_a_recall_ends_with_a_receipt_or_a_person(pulled: bool) -> None:
    def withdrawn() -> Story:
        story = an_accepted_named_story()
        if pulled:
            story.reply(MONDAY + timedelta(hours=2), "headspace", "identity_wanted")
        told = at("2026-02-03 10:00")
        return story.tell(told, a_consent("withdrawal", told, decision="withdrawn", subject="named"))

    receipt = withdrawn().reply(at("2026-02-05 10:00"), "headspace", "recalled_and_deleted")
    receipt.wait_until(at("2026-03-30 10:00"))
    assert receipt.notices() == []
    assert [one.state for one in receipt.pathway.handovers] == ["deleted"]

    silent = withdrawn().wait_until(at("2026-02-10 09:59"))
    assert silent.notices() == []
    silent.wait_until(at("2026-02-10 10:00"))
    assert silent.notices() == [("deletion_overdue", "municipality-0101")]


def test_case_27_the_claim_code_is_the_first_contact() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.reply(MONDAY + timedelta(days=3), "ungevaerftet", "code_claimed", subject="claim")
    assert [one.state for one in story.pathway.handovers] == ["in_contact"]
    story.wait_until(MONDAY + timedelta(days=30))
    assert story.notices() == []


def test_a_claim_code_entered_before_the_answer_accepts_and_one_without_a_handover_is_refused() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "code_claimed", subject="claim")
    assert story.needs() == [("aftercare", "taken_over", None)]
    story.reply(MONDAY + timedelta(hours=2), "ungevaerftet", "code_claimed", subject="claim")
    assert story.to_programmes()[-1] == ("reply_refused", "ungevaerftet", "unknown_handover")


def test_what_cannot_be_delivered_goes_to_the_next_programme_and_operations_are_told() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    story.reply(MONDAY + timedelta(hours=5), "ungevaerftet", "undeliverable", source=SOURCE)
    assert story.offers() == [("ungevaerftet", "helsingoer"), ("headspace", "helsingoer")]
    assert ("delivery_failed", "operations") in story.notices()
    said = len(story.said)
    story.reply(MONDAY + timedelta(hours=6), "ungevaerftet", "undeliverable", source=SOURCE)
    assert [one.fields["reason_code"] for _, one in story.said[said:]] == ["withdrawn_undeliverable"]
    story.reply(MONDAY + timedelta(hours=7), "ungevaerftet", "undeliverable", source=SOURCE)
    assert len(story.said) == said + 1


def test_a_programme_cannot_say_undeliverable_itself() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(MONDAY + SETTLE)
    story.reply(MONDAY + timedelta(hours=5), "ungevaerftet", "undeliverable")
    assert story.to_programmes()[-1] == ("reply_refused", "ungevaerftet", "not_an_answer")


def test_case_33_two_months_before_the_longest_duration_a_course_gives_a_heads_up_to_what_follows_it() -> None:
    started = at("2024-06-01 10:00")
    story = Story().tell(started, a_person(), a_course("opus", started, "opus-young", "active"))
    story.wait_until(at("2026-03-31 23:59"))
    assert story.said == []
    story.wait_until(at("2026-04-01 00:00"))
    assert story.notices() == [("consent_wanted", "sor:900000000000001")]
    given = at("2026-04-02 10:00")
    story.tell(given, a_named_consent("named", "2026-04-02 10:00", given_by=("young_person",)))
    assert story.to_programmes() == [("announced", "unik-recovery-young", None)]
    assert story.said[-1][1].fields["expected_week"] == "2026-W23"
    ended = at("2026-06-01 10:00")
    story.tell(ended, a_course("end", ended, "opus-young", "completed")).wait_until(ended + SETTLE)
    assert story.to_programmes()[-1] == ("offered", "unik-recovery-young", None)
    assert len({one.fields["correlation_id"] for _, one in story.said if one.topic.startswith("handovers")}) == 1


def test_case_32_who_turns_18_before_the_course_ends_is_passed_over() -> None:
    started = at("2024-06-01 10:00")
    story = Story().tell(
        started, a_person(birth_date=date(2008, 5, 1)), a_course("opus", started, "opus-young", "active")
    )
    story.tell(at("2026-03-01 10:00"), a_named_consent("named", "2026-03-01 10:00"))
    story.wait_until(at("2026-04-15 10:00"))
    assert story.to_programmes() == [("announced", "unik-recovery-young", None)]
    story.wait_until(at("2026-05-01 00:00"))
    assert story.to_programmes("withdrawn") == [("withdrawn", "unik-recovery-young", "over_age")]
    assert story.to_programmes()[-1] == ("announced", "ungevaerftet", None)


def test_turning_18_under_way_is_told_and_asks_for_the_young_persons_own_consent() -> None:
    born, day = date(2008, 2, 10), at("2026-02-10 00:00")
    holders = a_named_consent(given_by=("custody_holder",), youth_unable=True)
    story = Story().tell(
        MONDAY,
        a_person(municipality="0101", birth_date=born),
        holders,
        a_step("slhj", MONDAY, "discharged_home"),
    )
    story.wait_until(MONDAY + SETTLE).reply(MONDAY + timedelta(hours=1), "headspace", "accepted")
    story.reply(MONDAY + timedelta(hours=2), "headspace", "first_contact")
    story.wait_until(day + timedelta(days=30))
    assert story.to_programmes("updated") == [("updated", "headspace", "turned_18")]
    assert story.notices() == [("consent_wanted", "sor:900000000000001")]
    assert story.when("updated") == [day.astimezone(COPENHAGEN)]


def test_erasure_closes_withdraws_recalls_and_forgets() -> None:
    story = an_accepted_named_story()
    story.decide(at("2026-02-03 10:00"), "erased", subject=story.pathway.youth_id)
    assert story.to_programmes()[-1] == ("withdrawn", "headspace", "erased")
    assert story.pathway.facts == ()
    assert story.needs() == [("aftercare", "closed", "erased")]
    assert (story.views[-1]["age_band"], story.views[-1]["municipality"], story.views[-1]["stays"]) == (None, None, [])
    story.tell(at("2026-02-04 10:00"), a_step("again", MONDAY, "discharged_home"))
    assert (story.outcomes[-1], story.pathway.facts) == ("out_of_scope", ())
    story.reply(at("2026-02-05 10:00"), "headspace", "recalled_and_deleted")
    story.wait_until(at("2026-04-05 10:00"))
    assert story.notices() == []
