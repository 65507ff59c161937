"""CASES.md, by number, through the pure core."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import msgspec

from schemas.events import Envelope
from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    EMERGENCY,
    SOMATIC,
    UNKNOWN_UNIT,
    Story,
    a_consent,
    a_course,
    a_discharged_story,
    a_person,
    a_referral,
    a_step,
    an_anonymous_consent,
    an_id,
    at,
)

MONDAY = at("2026-02-02 10:00")
SETTLED = MONDAY + timedelta(minutes=15)


def test_case_01_discharge_with_anonymous_consent_is_offered_once_to_ungevaerftet_when_settled() -> None:
    story = a_discharged_story(an_anonymous_consent())

    assert story.needs() == []
    story.wait_until(SETTLED)
    assert story.offers() == [("ungevaerftet", "helsingoer")]
    assert story.when("offered") == [SETTLED]
    assert story.needs() == [("aftercare", "offered", None)]


def test_case_03_discharge_before_its_admission_is_as_case_01() -> None:
    told = MONDAY
    story = Story().tell(
        told,
        a_step("slhj", told, "discharged_home"),
        a_step("stin", told - timedelta(days=20), "admitted"),
        an_anonymous_consent(),
        a_person(),
    )

    story.wait_until(SETTLED)
    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_04_cancelled_discharge_within_the_settle_time_makes_no_need() -> None:
    story = a_discharged_story(an_anonymous_consent())
    story.tell(MONDAY + timedelta(minutes=5), a_step("an-slhj", MONDAY, "discharged_home", cancels=an_id("slhj")))

    story.wait_until(MONDAY + timedelta(days=3))
    assert story.needs() == []
    assert story.said == []


def test_case_04_cancelled_discharge_after_the_offer_withdraws_it_and_the_stay_is_open_again() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=2), a_step("an-slhj", MONDAY, "discharged_home", cancels=an_id("slhj")))

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", "discharge_cancelled")]
    assert story.needs() == [("aftercare", "closed", "discharge_cancelled")]
    again = story.tell(MONDAY + timedelta(days=1), a_step("slhj-2", MONDAY + timedelta(days=1), "discharged_home"))
    again.wait(minutes=15)
    assert len(again.wait_until(MONDAY + timedelta(days=1, minutes=15)).offers()) == 2


def test_case_05_cancel_before_the_discharge_it_cancels_makes_no_need_ever() -> None:
    story = Story().tell(MONDAY, a_person(), a_step("an-slhj", MONDAY, "discharged_home", cancels=an_id("slhj")))
    story.tell(MONDAY, a_step("stin", MONDAY - timedelta(days=3), "admitted"), an_anonymous_consent())
    story.tell(MONDAY + timedelta(hours=1), a_step("slhj", MONDAY, "discharged_home"))

    story.wait_until(MONDAY + timedelta(days=5))
    assert story.needs() == []


def test_case_06_revised_discharge_updates_the_one_offer() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    earlier = MONDAY - timedelta(days=1)
    story.tell(MONDAY + timedelta(hours=1), a_step("re-slhj", earlier, "discharged_home", revises=an_id("slhj")))

    assert [row[0] for row in story.to_programmes()] == ["offered", "updated"]
    assert len(story.pathway.needs) == 1
    assert story.said[-1][1].fields["occurred_on"] == story.said[0][1].fields["occurred_on"] - 1


def test_case_06_revised_before_it_is_settled_makes_one_need_with_the_new_time() -> None:
    story = a_discharged_story(an_anonymous_consent())
    earlier = MONDAY - timedelta(days=1)
    story.tell(MONDAY + timedelta(minutes=3), a_step("re-slhj", earlier, "discharged_home", revises=an_id("slhj")))

    story.wait_until(SETTLED)
    assert [row[0] for row in story.to_programmes()] == ["offered"]


def test_case_07_transfer_goes_on_as_one_stay_and_the_second_hospitals_discharge_makes_the_need() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin-a", MONDAY - timedelta(days=9), "admitted"),
        a_step(
            "stin-b",
            MONDAY - timedelta(days=3),
            "admitted",
            episode_id="episode-b",
            unit=SOMATIC,
            source="sor:900000000000002",
        ),
    )

    story.wait_until(MONDAY + timedelta(days=1))
    assert story.needs() == []
    story.tell(
        MONDAY + timedelta(days=1),
        a_step("slhj-b", MONDAY + timedelta(days=1), "discharged_home", episode_id="episode-b", unit=SOMATIC),
    )
    story.wait_until(MONDAY + timedelta(days=1, minutes=15))
    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_08_leave_is_no_discharge() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=9), "admitted"),
        a_step("stor", MONDAY - timedelta(days=3), "on_leave"),
        a_step("slor", MONDAY - timedelta(days=1), "back"),
    )

    story.wait_until(MONDAY + timedelta(days=20))
    assert story.needs() == []


def test_case_09_death_closes_every_need_withdraws_every_offer_and_says_no_more_than_that() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=3), a_step("mors", MONDAY + timedelta(hours=2), "deceased"))

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", None)]
    assert story.needs() == [("aftercare", "closed", "deceased")]
    story.wait_until(MONDAY + timedelta(days=40))
    assert len(story.offers()) == 1


def test_case_09_death_cancelled_reopens_the_need_which_is_decided_anew() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=3), a_step("mors", MONDAY + timedelta(hours=2), "deceased"))
    first = story.handover_id("ungevaerftet")
    story.tell(
        MONDAY + timedelta(hours=4), a_step("an-mors", MONDAY + timedelta(hours=2), "deceased", cancels=an_id("mors"))
    )

    assert story.offers() == [("ungevaerftet", "helsingoer")] * 2
    assert story.handover_id("ungevaerftet") != first
    assert [one.state for one in story.pathway.handovers] == ["withdrawn", "offered"]


def test_case_10_somatic_discharge_is_out_of_scope() -> None:
    story = Story().tell(
        MONDAY,
        a_step("stin", MONDAY - timedelta(days=2), "admitted", unit=SOMATIC),
        a_step("slhj", MONDAY, "discharged_home", unit=SOMATIC),
        a_person(),
        an_anonymous_consent(),
    )

    assert story.outcomes[:2] == ["out_of_scope", "out_of_scope"]
    story.wait_until(MONDAY + timedelta(days=2))
    assert story.needs() == []


def test_case_10_discharge_home_from_a_psychiatric_emergency_unit_is_a_need() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("staa", MONDAY - timedelta(hours=6), "admitted", unit=EMERGENCY, stay_class="emergency"),
        a_step("slhj", MONDAY, "discharged_home", unit=EMERGENCY, stay_class="emergency"),
    )

    assert len(story.wait_until(SETTLED).offers()) == 1


def test_case_11_unknown_unit_waits_with_operations_until_reference_data_names_it() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(),
            an_anonymous_consent(),
            a_step("stin", MONDAY - timedelta(days=2), "admitted", unit=UNKNOWN_UNIT),
            a_step("slhj", MONDAY, "discharged_home", unit=UNKNOWN_UNIT),
        )
        .wait_until(SETTLED)
    )

    assert story.notices() == [("unknown_unit", "operations")]
    assert story.needs() == [("aftercare", "awaiting_reference", "unknown_unit")]
    assert story.pathway.needs[0].owner == "operations"
    story = story.under(a_catalogue(2, units={UNKNOWN_UNIT: "child_psychiatry"}))
    story.tell(MONDAY + timedelta(days=1), a_person("touch"))
    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_12_no_need_while_an_overlapping_stay_lasts_and_its_missing_end_is_noticed_after_a_week() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin-1", MONDAY - timedelta(days=9), "admitted"),
        a_step("stin-2", MONDAY - timedelta(days=5), "admitted", episode_id="episode-2"),
        a_step("slhj-1", MONDAY, "discharged_home"),
    )

    story.wait_until(MONDAY + timedelta(days=6))
    assert story.needs() == []
    story.wait_until(MONDAY + timedelta(days=8))
    assert story.notices() == [("stay_end_missing", "municipality-0217")]


def test_case_12_a_stay_without_news_for_sixty_days_is_noticed() -> None:
    story = Story().tell(MONDAY, a_person(), a_step("stin", MONDAY, "admitted"))

    assert story.wait_until(MONDAY + timedelta(days=59)).notices() == []
    assert story.wait_until(MONDAY + timedelta(days=61)).notices() == [("stay_end_missing", "municipality-0217")]


def test_case_14_without_consent_the_unit_is_asked_reminded_and_then_a_person() -> None:
    story = a_discharged_story()

    story.wait_until(MONDAY + timedelta(days=10))
    assert story.notices() == [
        ("consent_wanted", "sor:900000000000001"),
        ("consent_reminder", "sor:900000000000001"),
        ("escalated", "municipality-0217"),
    ]
    assert story.when("consent_wanted") == [SETTLED]
    assert story.when("consent_reminder") == [at("2026-02-04 10:15")]
    assert story.when("escalated") == [at("2026-02-09 10:15")]
    assert story.needs() == [("aftercare", "with_person", "consent_missing")]


def test_case_14_consent_on_day_three_is_offered_then() -> None:
    story = a_discharged_story().wait_until(SETTLED)
    story.tell(at("2026-02-05 09:00"), a_consent("consent", at("2026-02-05 08:50")))

    assert story.when("offered") == [at("2026-02-05 09:00")]


def test_case_14_consent_after_the_person_was_told_is_offered_too() -> None:
    story = a_discharged_story().wait_until(at("2026-02-12 09:00"))
    story.tell(at("2026-02-12 09:00"), a_consent("consent", at("2026-02-12 08:50")))

    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_14_refusal_closes_the_need() -> None:
    story = a_discharged_story().wait_until(SETTLED)
    story.tell(at("2026-02-05 09:00"), a_consent("consent", at("2026-02-05 08:50"), decision="refused"))

    assert story.needs() == [("aftercare", "closed", "declined_by_young_person")]
    assert story.wait_until(at("2026-03-05 09:00")).offers() == []


def named(name: str, when: str, *givers: str, custody: str = "UNKNOWN", **changes: object) -> object:
    return a_consent(name, at(when), scope="named", given_by=givers, custody=custody, **changes)


def a_named_only_story(birth_date: date, consent: object) -> Story:
    """Tells of an OPUS Young course that ended: UNIK takes only named handovers."""
    told = at("2026-06-01 09:00")
    events = [
        a_person(birth_date=birth_date, municipality="0360"),
        a_course("active", at("2024-06-01 09:00"), "opus-young", "active"),
        a_course("completed", told, "opus-young", "completed"),
    ]
    unik = a_catalogue().programmes["unik-recovery-young"]
    wider = msgspec.structs.replace(unik, sites={**unik.sites, "0360": None})
    catalogue = a_catalogue()
    catalogue.programmes["unik-recovery-young"] = wider
    return Story(catalogue).tell(told, *events, consent).wait_until(told + timedelta(minutes=15))  # type: ignore[arg-type]


def test_case_15_named_consent_by_a_fourteen_year_old_alone_is_not_in_force_and_the_notice_says_who_is_wanted() -> None:
    story = a_named_only_story(date(2012, 5, 1), named("consent", "2026-05-30 09:00", "young_person"))

    assert story.offers() == []
    assert story.notices() == [("consent_wanted", "sor:900000000000001")]
    assert story.said[-1][1].fields["reason_code"] == "custody_unknown"
    story.tell(at("2026-06-01 10:00"), named("more", "2026-06-01 09:50", "custody_holder", custody="joint"))  # type: ignore[arg-type]
    assert story.said[-1][1].fields["reason_code"] == "custody_holders_wanted"
    assert story.offers() == []
    story.tell(at("2026-06-01 11:00"), named("both", "2026-06-01 10:50", "other_custody_holder", custody="joint"))  # type: ignore[arg-type]
    assert story.offers() == [("unik-recovery-young", None)]


def test_case_15_a_sole_custody_holder_is_enough() -> None:
    story = a_named_only_story(date(2012, 5, 1), named("c", "2026-05-30 09:00", "custody_holder", custody="sole"))

    assert story.offers() == [("unik-recovery-young", None)]


def test_case_15_turned_fifteen_and_giving_it_puts_it_in_force() -> None:
    story = a_named_only_story(date(2011, 6, 3), named("c", "2026-05-30 09:00", "young_person", custody="joint"))

    assert story.offers() == []
    story.tell(at("2026-06-03 12:00"), named("again", "2026-06-03 11:00", "young_person"))  # type: ignore[arg-type]
    assert story.offers() == [("unik-recovery-young", None)]


def test_case_15_anonymous_consent_by_a_fourteen_year_old_is_in_force() -> None:
    story = Story().tell(
        MONDAY,
        a_person(birth_date=date(2012, 1, 1)),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=2), "admitted"),
        a_step("slhj", MONDAY, "discharged_home"),
    )

    assert story.wait_until(SETTLED).offers() == [("ungevaerftet", "helsingoer")]


def discharged_at(leaving: str, given: str) -> Story:
    """Tells of a discharge whose offer leaves at a time, with a consent given at another."""
    told = at(leaving) - timedelta(minutes=15)
    return (
        Story()
        .tell(
            told,
            a_person(),
            a_step("stin", told - timedelta(days=3), "admitted"),
            a_step("slhj", told, "discharged_home"),
            a_consent("consent", at(given)),
        )
        .wait_until(at(leaving))
    )


def test_case_16_consent_holds_through_its_day_a_year_later_and_not_a_minute_longer() -> None:
    assert len(discharged_at("2027-01-10 23:59", "2026-01-10 12:00").offers()) == 1
    assert discharged_at("2027-01-11 00:00", "2026-01-10 12:00").needs()[0][1] == "awaiting_consent"


def test_case_16_consent_of_29_february_lapses_on_28_february() -> None:
    assert len(discharged_at("2029-02-28 23:59", "2028-02-29 12:00").offers()) == 1
    assert discharged_at("2029-03-01 00:00", "2028-02-29 12:00").offers() == []


def test_case_16_consent_is_checked_again_at_acceptance() -> None:
    story = discharged_at("2027-01-10 23:30", "2026-01-10 12:00")
    story.reply(at("2027-01-11 09:00"), "ungevaerftet", "accepted")

    assert story.to_programmes()[1:] == [
        ("withdrawn", "ungevaerftet", "consent_lapsed"),
        ("reply_refused", "ungevaerftet", "consent_lapsed"),
    ]
    assert story.needs()[0][1] == "awaiting_consent"


def test_case_17_consent_withdrawn_before_acceptance_recalls_and_refuses_the_late_acceptance() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    withdrawal = a_consent("withdrawal", at("2026-02-02 12:00"), decision="withdrawn", statement_id="consent")
    story.tell(at("2026-02-02 12:05"), withdrawal)
    story.reply(at("2026-02-02 13:00"), "ungevaerftet", "accepted")

    assert story.to_programmes()[1:] == [
        ("withdrawn", "ungevaerftet", "consent_withdrawn"),
        ("reply_refused", "ungevaerftet", "handover_withdrawn"),
    ]
    assert story.needs() == [("aftercare", "closed", "consent_withdrawn")]


def test_case_17_named_consent_withdrawn_leaves_the_anonymous_one_and_the_offer_goes_on_without_identity() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(municipality="0101"),
            a_step("stin", MONDAY - timedelta(days=2), "admitted"),
            a_step("slhj", MONDAY, "discharged_home"),
            a_consent("anonymous", at("2026-02-01 12:00")),
            a_consent("named", at("2026-02-01 12:00"), scope="named"),
        )
        .wait_until(SETTLED)
    )
    withdrawal = a_consent("gone", at("2026-02-02 12:00"), scope="named", decision="withdrawn", statement_id="named")
    story.tell(at("2026-02-02 12:05"), withdrawal)

    assert [row[0] for row in story.to_programmes()] == ["offered", "withdrawn", "offered"]
    assert [one.identity for one in story.pathway.handovers] == ["named", "anonymous"]


def test_case_17_withdrawal_that_names_the_consent_alone_recalls_too() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    told = {"decision": "withdrawn", "purpose": None, "statement_id": "consent"}
    story.tell(at("2026-02-02 12:05"), a_consent("withdrawal", at("2026-02-02 12:00"), **told))

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", "consent_withdrawn")]


def test_case_19_programme_that_takes_only_named_is_passed_over_and_the_record_says_so() -> None:
    told = at("2026-06-01 09:00")
    story = (
        Story()
        .tell(
            told,
            a_person(),
            a_course("active", at("2024-06-01 09:00"), "opus-young", "active"),
            a_course("completed", told, "opus-young", "completed"),
            a_consent("consent", at("2026-05-30 12:00")),
        )
        .wait_until(told + timedelta(minutes=15))
    )

    assert story.offers() == [("ungevaerftet", "helsingoer")]
    options = {one.programme: one.outcome for one in story.pathway.needs[0].options}
    assert options == {"unik-recovery-young": "named_consent_wanted", "ungevaerftet": "offered"}


def test_case_21_same_id_with_other_content_is_a_conflict_the_first_stands_and_its_source_is_told() -> None:
    story = a_discharged_story(an_anonymous_consent())
    story.tell(MONDAY, a_step("slhj", MONDAY + timedelta(hours=1), "discharged_home"))

    assert story.outcomes[-1] == "conflicting_duplicate"
    assert story.notices() == [("conflicting_duplicate", "sor:900000000000001")]
    assert [fact.occurred_at for fact in story.pathway.facts if fact.event_id == str(an_id("slhj"))] == [
        int(MONDAY.timestamp() * 1000)
    ]


def test_case_22_municipality_that_no_programme_covers_goes_to_a_person_with_the_why_nots() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(municipality="0360"),
            an_anonymous_consent(),
            a_step("stin", MONDAY - timedelta(days=2), "admitted"),
            a_step("slhj", MONDAY, "discharged_home"),
        )
        .wait_until(SETTLED)
    )

    assert story.needs() == [("aftercare", "with_person", "no_programme")]
    assert story.notices() == [("escalated", "municipality-0360")]
    assert story.said[0][1].fields["options"] == [
        {"programme": "ungevaerftet", "outcome": "municipality_not_covered"},
        {"programme": "headspace", "outcome": "municipality_not_covered"},
    ]


def test_case_23_koebenhavn_is_offered_to_headspace_koebenhavn() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(municipality="0101"),
            an_anonymous_consent(),
            a_step("stin", MONDAY - timedelta(days=2), "admitted"),
            a_step("slhj", MONDAY, "discharged_home"),
        )
        .wait_until(SETTLED)
    )

    assert story.offers() == [("headspace", "koebenhavn")]


def test_case_24_silence_is_reminded_expires_goes_on_and_ends_with_a_person() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(at("2026-02-13 12:00"))

    assert story.to_programmes() == [
        ("offered", "ungevaerftet", None),
        ("reminded", "ungevaerftet", None),
        ("withdrawn", "ungevaerftet", "expired"),
        ("offered", "headspace", None),
        ("reminded", "headspace", None),
        ("withdrawn", "headspace", "expired"),
    ]
    assert story.when("reminded") == [at("2026-02-03 10:15"), at("2026-02-05 10:15")]
    assert story.when("withdrawn") == [at("2026-02-04 10:15"), at("2026-02-06 10:15")]
    assert story.needs() == [("aftercare", "with_person", "no_answer")]


def test_case_24_the_weekend_does_not_count() -> None:
    story = a_discharged_story(an_anonymous_consent(), "2026-02-06 14:45").wait_until(at("2026-02-11 12:00"))

    assert story.when("offered")[0] == at("2026-02-06 15:00")
    assert story.when("reminded")[0] == at("2026-02-09 15:00")
    assert story.when("withdrawn")[0] == at("2026-02-10 15:00")


def test_case_24_easter_does_not_count() -> None:
    story = a_discharged_story(a_consent("c", at("2026-03-01 12:00")), "2026-04-01 10:00").wait_until(
        at("2026-04-09 12:00")
    )

    assert story.when("reminded")[0] == at("2026-04-07 10:15")
    assert story.when("withdrawn")[0] == at("2026-04-08 10:15")


def test_case_25_declined_goes_to_the_next_at_once_and_the_reason_stands() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(at("2026-02-02 11:00"), "ungevaerftet", "declined", side="programme", reason_code="no_capacity")

    assert story.offers() == [("ungevaerftet", "helsingoer"), ("headspace", "helsingoer")]
    assert story.when("offered")[1] == at("2026-02-02 11:00")
    assert story.pathway.handovers[0].reason_code == "no_capacity"


def test_case_26_waitlisted_runs_to_its_day_and_is_then_as_silent() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(at("2026-02-02 11:00"), "ungevaerftet", "waitlisted", waitlisted_until=date(2026, 2, 20))

    assert len(story.wait_until(at("2026-02-20 23:59")).offers()) == 1
    story.wait_until(at("2026-02-21 00:00"))
    assert story.to_programmes()[-2:] == [("withdrawn", "ungevaerftet", "expired"), ("offered", "headspace", None)]


def a_named_acceptance() -> Story:
    """Tells of a named handover that headspace København accepted at 11."""
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(municipality="0101"),
            named("c", "2026-02-01 09:00", "young_person"),  # type: ignore[arg-type]
            a_step("stin", MONDAY - timedelta(days=2), "admitted"),
            a_step("slhj", MONDAY, "discharged_home"),
        )
        .wait_until(SETTLED)
    )
    return story.reply(at("2026-02-02 11:00"), "headspace", "accepted")


def test_case_27_no_first_contact_reminds_the_programme_then_a_person_and_late_contact_is_normal_again() -> None:
    story = a_named_acceptance().wait_until(at("2026-02-20 12:00"))

    assert story.when("reminded") == [at("2026-02-09 11:00")]
    assert story.notices() == [("escalated", "municipality-0101")]
    assert story.when("escalated") == [at("2026-02-12 11:00")]
    story.reply(at("2026-02-20 13:00"), "headspace", "first_contact")
    assert story.pathway.handovers[0].state == "in_contact"
    assert story.pathway.handovers[0].overdue


def test_case_28_no_show_ends_it_and_the_next_programme_is_offered_once_then_a_person() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(at("2026-02-02 11:00"), "ungevaerftet", "accepted")
    story.reply(at("2026-02-03 11:00"), "ungevaerftet", "no_show")
    story.reply(at("2026-02-04 11:00"), "ungevaerftet", "ended", reason_code="no_show")
    assert story.offers()[-1] == ("headspace", "helsingoer")
    story.reply(at("2026-02-04 12:00"), "headspace", "accepted")
    story.reply(at("2026-02-05 11:00"), "headspace", "ended", reason_code="no_show")

    assert story.needs() == [("aftercare", "with_person", "no_show")]


def test_case_29_deadline_fires_before_an_acceptance_at_the_same_instant() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(at("2026-02-04 10:15"), "ungevaerftet", "accepted")

    assert ("withdrawn", "ungevaerftet", "expired") in story.to_programmes()
    assert ("reply_refused", "ungevaerftet", "handover_withdrawn") in story.to_programmes()


def test_case_30_open_handover_runs_on_under_its_version_and_new_needs_use_the_next() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story = story.under(a_catalogue(2, without=("ungevaerftet",)))
    story.reply(at("2026-02-02 12:00"), "ungevaerftet", "accepted")

    assert story.pathway.handovers[0].state == "accepted"
    assert story.pathway.handovers[0].version == 1
    later = at("2026-03-02 10:00")
    story.tell(later, a_step("stin-2", later - timedelta(days=1), "admitted", episode_id="episode-2"))
    story.tell(later, a_step("slhj-2", later, "discharged_home", episode_id="episode-2"))
    story.wait_until(later + timedelta(minutes=15))
    assert story.offers()[-1] == ("headspace", "helsingoer")
    assert story.pathway.handovers[-1].version == 2


def test_case_31_moved_while_offered_is_withdrawn_and_offered_where_the_young_person_lives() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(at("2026-02-02 12:00"), a_person("moved", occurred_at=at("2026-02-02 11:00"), municipality="0101"))

    assert story.to_programmes()[1:] == [("withdrawn", "ungevaerftet", "moved"), ("offered", "headspace", None)]
    assert story.offers()[-1] == ("headspace", "koebenhavn")


def test_case_31_moved_while_accepted_updates_the_programme_and_a_person_decides() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(at("2026-02-02 11:00"), "ungevaerftet", "accepted")
    story.tell(at("2026-02-02 12:00"), a_person("moved", occurred_at=at("2026-02-02 11:30"), municipality="0101"))

    assert story.to_programmes()[-1] == ("updated", "ungevaerftet", "moved")
    assert story.notices() == [("escalated", "municipality-0101")]


def an_opus_story(birth_date: date) -> Story:
    told = at("2026-06-01 09:00")
    return (
        Story()
        .tell(
            told,
            a_person(birth_date=birth_date),
            a_course("active", at("2024-06-01 09:00"), "opus-young", "active"),
            a_course("completed", told, "opus-young", "completed"),
            named("consent", "2026-05-30 09:00", "young_person"),  # type: ignore[arg-type]
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


def test_case_37_region_midtjylland_makes_a_plan_with_aarhus_and_an_aftercare_need() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(municipality="0751"),
            a_step("stin", MONDAY - timedelta(days=2), "admitted"),
            a_step("slhj", MONDAY, "discharged_home"),
            named("plan", "2026-02-01 09:00", "young_person", purpose="plan"),  # type: ignore[arg-type]
        )
        .wait_until(SETTLED)
    )

    assert story.offers() == [("alliancen-plan", "0751")]
    assert story.needs() == [("aftercare", "with_person", "no_programme"), ("plan", "offered", None)]


def told_in_order(order: tuple[Envelope, ...]) -> list[dict[str, Any]]:
    """Tells events a minute apart, then each of them again, and returns what was said but for the log's times."""
    story = Story()
    for number, event in enumerate((*order, *reversed(order))):
        story.tell(MONDAY + timedelta(minutes=number), event)
    story.wait_until(MONDAY + timedelta(minutes=40))
    times = {"occurred_at", "sent_at", "recorded_at", "reply_by"}
    return [{name: value for name, value in said.fields.items() if name not in times} for _, said in story.said]


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


def test_case_02_a_repeat_is_a_duplicate_whenever_it_comes() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=1), a_step("slhj", MONDAY, "discharged_home"), an_anonymous_consent())

    assert story.outcomes[-2:] == ["duplicate", "duplicate"]
    assert len(story.said) == 1
