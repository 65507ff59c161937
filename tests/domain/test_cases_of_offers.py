"""Cases by number (docs/specification/cases.md): to whom a need is offered, what is answered, and what silence does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.instants import days_of
from schemas.pathway import replace
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


@pytest.mark.parametrize(
    ("closed_site", "reminded"), [("helsingoer", "2026-02-04 10:15"), ("other", "2026-02-03 10:15")]
)
def test_case_24_the_closing_days_of_the_offers_own_site_do_not_count(closed_site: str, reminded: str) -> None:
    catalogue = a_catalogue()
    closed = {closed_site: (days_of(date(2026, 2, 3)),)}
    programme = replace(catalogue.programmes["ungevaerftet"], site_closing_days=closed)
    programmes = catalogue.programmes | {"ungevaerftet": programme}
    story = a_discharged_story(an_anonymous_consent(), catalogue=replace(catalogue, programmes=programmes))

    assert story.wait_until(at("2026-02-04 12:00")).when("reminded")[0] == at(reminded)


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
            a_named_consent("c", "2026-02-01 09:00", "young_person"),
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
    for day, status in (("03", "first_contact"), ("20", "fulfilled")):
        story.reply(at(f"2026-02-{day} 12:00"), "ungevaerftet", status)
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


@pytest.mark.parametrize("before", [None, "0665"])
def test_rule_n2_who_moves_while_a_person_has_the_need_is_looked_after_where_they_live(before: str | None) -> None:
    discharged = (an_anonymous_consent(), a_step("slhj", MONDAY, "discharged_home"))
    story = Story().tell(MONDAY, a_person(municipality=before), *discharged).wait_until(SETTLED)
    taken = story.decide(SETTLED + timedelta(hours=1), "assigned", actor="operations")
    again = taken.tell(SETTLED + timedelta(hours=2), a_person("again", municipality=before))
    owners = [need.owner for need in again.pathway.needs]

    moved = again.tell(SETTLED + timedelta(hours=3), a_person("moved", occurred_at=SETTLED, municipality="0360"))

    assert owners == ["operations"]
    assert [need.owner for need in moved.pathway.needs] == ["municipality-0360"]
    assert moved.notices()[-1] == ("escalated", "municipality-0360")
    assert len(moved.notices()) == 2


def test_whoever_reaches_a_programmes_lowest_age_is_offered_it_that_day() -> None:
    story = Story().tell(
        MONDAY,
        a_person(birth_date=date(2014, 2, 20), municipality="0101"),
        a_named_consent("holder", "2026-02-01 12:00", "custody_holder", custody="sole"),
        a_step("slhj", MONDAY, "discharged_home"),
    )
    story.wait_until(at("2026-02-19 23:59"))
    before = story.offers()
    story.wait_until(at("2026-02-20 00:00"))

    assert before == []
    assert story.offers() == [("headspace", "koebenhavn")]
