"""Cases by number (docs/specification/cases.md): who consents, to what, how long, and who takes it back."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from schemas.events import Consent
from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    MONDAY,
    SETTLED,
    Story,
    a_consent,
    a_course,
    a_discharged_story,
    a_named_consent,
    a_person,
    a_step,
    an_anonymous_consent,
    at,
)


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


def a_named_only_story(birth_date: date, consent: Consent) -> Story:
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
    return Story(catalogue).tell(told, *events, consent).wait_until(told + timedelta(minutes=15))


def test_case_15_named_consent_by_a_fourteen_year_old_alone_is_not_in_force_and_the_notice_says_who_is_wanted() -> None:
    story = a_named_only_story(date(2012, 5, 1), a_named_consent("consent", "2026-05-30 09:00", "young_person"))

    assert story.offers() == []
    assert story.notices() == [("consent_wanted", "sor:900000000000001")]
    assert story.said[-1][1].fields["reason_code"] == "custody_unknown"
    story.tell(at("2026-06-01 10:00"), a_named_consent("more", "2026-06-01 09:50", "custody_holder", custody="joint"))
    assert story.said[-1][1].fields["reason_code"] == "custody_holders_wanted"
    assert story.offers() == []
    story.tell(
        at("2026-06-01 11:00"), a_named_consent("both", "2026-06-01 10:50", "other_custody_holder", custody="joint")
    )
    assert story.offers() == [("unik-recovery-young", None)]


def test_case_15_a_sole_custody_holder_is_enough() -> None:
    story = a_named_only_story(
        date(2012, 5, 1), a_named_consent("c", "2026-05-30 09:00", "custody_holder", custody="sole")
    )

    assert story.offers() == [("unik-recovery-young", None)]


def test_case_15_turned_fifteen_and_giving_it_puts_it_in_force() -> None:
    story = a_named_only_story(
        date(2011, 6, 3), a_named_consent("c", "2026-05-30 09:00", "young_person", custody="joint")
    )

    assert story.offers() == []
    story.tell(at("2026-06-03 12:00"), a_named_consent("again", "2026-06-03 11:00", "young_person"))
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


def test_case_16_a_lapse_is_not_looked_at_where_nothing_new_is_told() -> None:
    story = discharged_at("2027-01-10 23:30", "2026-01-10 12:00")
    story.reply(at("2027-01-11 09:00"), "ungevaerftet", "accepted")

    assert story.to_programmes()[1:] == [("reply_accepted", "ungevaerftet", "accepted")]
    assert story.needs() == [("aftercare", "taken_over", None)]


def test_case_17_consent_withdrawn_before_acceptance_recalls_and_refuses_the_late_acceptance() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    withdrawal = a_consent("withdrawal", at("2026-02-02 12:00"), decision="withdrawn", subject="consent")
    story.tell(at("2026-02-02 12:05"), withdrawal)
    story.reply(at("2026-02-02 13:00"), "ungevaerftet", "accepted")

    assert story.to_programmes()[1:] == [
        ("withdrawn", "ungevaerftet", "consent_withdrawn"),
        ("reply_refused", "ungevaerftet", "handover_withdrawn"),
    ]
    assert story.needs() == [("aftercare", "closed", "consent_withdrawn")]


def test_case_17_named_consent_withdrawn_leaves_the_anonymous_one_and_the_offer_goes_on_without_identity() -> None:
    story = _offered_by_name_beside_an_anonymous_agreement()
    withdrawal = a_consent("gone", at("2026-02-02 12:00"), scope="named", decision="withdrawn", subject="named")
    story.tell(at("2026-02-02 12:05"), withdrawal)

    assert story.needs() == [("aftercare", "open", None)]
    story.wait_until(at("2026-02-02 13:00"))
    assert [row[0] for row in story.to_programmes()] == ["offered", "withdrawn", "offered"]
    assert story.when("offered") == [SETTLED, at("2026-02-02 12:20")]
    assert [one.identity for one in story.pathway.handovers] == ["named", "anonymous"]


def test_case_82_nothing_leaves_between_the_two_withdrawals_of_one_form() -> None:
    story = _offered_by_name_beside_an_anonymous_agreement()
    taken_back = {"decision": "withdrawn", "purpose": None}
    story.tell(at("2026-02-02 12:05"), a_consent("not-named", at("2026-02-02 12:00"), scope="named", **taken_back))
    story.tell(at("2026-02-02 12:07"), a_consent("not-at-all", at("2026-02-02 12:00"), **taken_back))

    assert [row[0] for row in story.wait_until(MONDAY + timedelta(days=9)).to_programmes()] == ["offered", "withdrawn"]
    assert story.needs() == [("aftercare", "closed", "consent_withdrawn")]


def _offered_by_name_beside_an_anonymous_agreement() -> Story:
    story = Story().tell(
        MONDAY,
        a_person(municipality="0101"),
        a_step("stin", MONDAY - timedelta(days=2), "admitted"),
        a_step("slhj", MONDAY, "discharged_home"),
        a_consent("anonymous", at("2026-02-01 12:00")),
        a_consent("named", at("2026-02-01 12:00"), scope="named"),
    )
    return story.wait_until(SETTLED)


def test_case_17_withdrawal_that_names_the_consent_alone_recalls_too() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    told = {"decision": "withdrawn", "purpose": None, "subject": "consent"}
    story.tell(at("2026-02-02 12:05"), a_consent("withdrawal", at("2026-02-02 12:00"), **told))

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", "consent_withdrawn")]
