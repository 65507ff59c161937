"""Cases by number (docs/specification/cases.md): courses, referrals and plans that ask for a handover."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    MONDAY,
    SETTLED,
    Story,
    a_consent,
    a_course,
    a_letter,
    a_named_consent,
    a_person,
    a_referral,
    a_step,
    an_anonymous_consent,
    an_id,
    at,
)


def an_opus_story(birth_date: date) -> Story:
    told = at("2026-06-01 09:00")
    return (
        Story()
        .tell(
            told,
            a_person(birth_date=birth_date),
            a_course("active", at("2024-06-01 09:00"), "opus-young", "active"),
            a_course("completed", told, "opus-young", "completed"),
            a_named_consent("consent", "2026-05-30 09:00", "young_person"),
        )
        .wait_until(told + timedelta(minutes=15))
    )


def test_case_32_opus_young_completed_is_offered_to_unik() -> None:
    assert an_opus_story(date(2010, 5, 1)).offers() == [("unik-recovery-young", None)]


def test_case_32_turned_18_passes_unik_over_and_the_next_fits() -> None:
    story = an_opus_story(date(2008, 5, 1))

    assert story.offers() == [("ungevaerftet", "helsingoer")]
    assert story.pathway.needs[0].options[0].outcome == "over_age"


def test_case_34_stime_rejected_or_ended_otherwise_than_completed_is_a_need() -> None:
    for event, reason in (
        (a_referral("referral", MONDAY), "rejected"),
        (a_course("course", MONDAY, "stime", "referred_elsewhere"), "referred_elsewhere"),
        (a_course("course", MONDAY, "stime", "dropped_out"), "dropped_out"),
    ):
        story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), event).wait_until(SETTLED)
        assert story.offers() == [("ungevaerftet", "helsingoer")], reason
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), a_course("c", MONDAY, "stime", "completed"))
    assert story.wait_until(SETTLED).needs() == []


def test_case_34_a_revised_reason_replaces_the_one_that_a_need_carries() -> None:
    story = Story().tell(MONDAY, a_person(), a_course("course", MONDAY, "stime", "dropped_out")).wait_until(SETTLED)
    later = MONDAY + timedelta(hours=1)
    revised = a_course("again", MONDAY, "stime", "referred_elsewhere", revises=an_id("course"), sent_at=later)

    story.tell(later, revised).wait_until(later + timedelta(minutes=15))

    assert story.views[-1]["needs"][0]["trigger_reason"] == "referred_elsewhere"


def test_case_37_region_midtjylland_makes_a_plan_with_aarhus_and_an_aftercare_need() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(municipality="0751"),
            a_step("stin", MONDAY - timedelta(days=2), "admitted"),
            a_step("slhj", MONDAY, "discharged_home"),
            a_named_consent("plan", "2026-02-01 09:00", "young_person", purpose="plan"),
        )
        .wait_until(SETTLED)
    )

    assert story.offers() == [("alliancen-plan", "0751")]
    assert story.needs() == [("aftercare", "with_person", "no_programme"), ("plan", "offered", None)]


def test_case_77_an_offer_of_what_was_cancelled_is_withdrawn_though_a_course_of_no_need_was_carried() -> None:
    told = [
        a_course("active", at("2023-04-12 14:00"), "opus-young", "active"),
        a_course("first", at("2025-02-05 13:00"), "stime", "referred_elsewhere", subject="first"),
        a_course("put-right", at("2025-02-05 14:00"), "stime", "completed", subject="first", revises=an_id("first")),
        a_course("second", at("2025-02-25 13:00"), "stime", "dropped_out", subject="second"),
        a_course("void", at("2025-02-25 14:00"), "stime", "dropped_out", subject="second", cancels=an_id("second")),
    ]
    story = Story().tell(at("2025-02-25 14:00"), a_person(), a_consent("consent", at("2025-02-07 13:00")))
    for number, one in enumerate(told):
        story.tell(at("2025-02-25 15:00") + timedelta(hours=number), one)
    story.wait(hours=1)

    assert story.to_programmes()[-2:] == [
        ("withdrawn", "ungevaerftet", "discharge_cancelled"),
        ("announced", "ungevaerftet", None),
    ]


@pytest.mark.parametrize("consented", [True, False])
def test_case_78_a_catalogue_without_the_programme_closes_no_need_of_a_course_that_nears_its_end(
    consented: bool,
) -> None:
    told, later, done = at("2026-04-20 10:00"), at("2026-04-21 10:00"), at("2026-05-04 10:00")
    consents = [a_named_consent("consent", "2026-04-20 09:00", "young_person")] if consented else []
    active = a_course("active", at("2024-06-01 09:00"), "opus-young", "active")
    story = Story().tell(told, a_person(), active, *consents).wait_until(told + timedelta(hours=1))
    before = story.needs()

    story = story.under(a_catalogue(2, without=("unik-recovery-young",))).tell(later, a_letter("letter", later))
    under_way = story.needs()
    story.tell(done, a_course("done", done, "opus-young", "completed")).wait_until(done + timedelta(hours=1))

    expected = ["announced"] * 2 if consented else ["awaiting_consent", "with_person"]
    assert [state for _, state, _ in (*before, *under_way)] == expected
    assert [state for _, state, _ in story.needs() if state != "closed"] == [
        "offered" if consented else "awaiting_consent"
    ]
