"""Cases of docs/specification/cases.md where a code or a unit isn't known: it neither routes nor takes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.events import EventHeader
from tests.domain.story import (
    MONDAY,
    SETTLED,
    UNKNOWN_UNIT,
    Story,
    a_consent,
    a_course,
    a_discharged_story,
    a_named_consent,
    a_person,
    a_referral,
    a_step,
    an_anonymous_consent,
    an_id,
    at,
)

LATER = MONDAY + timedelta(hours=3)


@pytest.mark.parametrize(
    "unreadable",
    [
        {"decision": "UNKNOWN"},
        {"scope": "UNKNOWN"},
        {"purpose": "UNKNOWN", "receiver": "ungevaerftet"},
        {"given_by": ("UNKNOWN",)},
        {"given_by": ("young_person", "UNKNOWN")},
    ],
)
def test_case_49_a_consent_with_a_code_that_is_not_known_offers_nothing_and_tells_its_source(
    unreadable: dict[str, Any],
) -> None:
    story = a_discharged_story(an_anonymous_consent().model_copy(update=unreadable)).wait_until(SETTLED)

    assert story.offers() == []
    assert ("unknown_code", "sor:900000000000001") in story.notices()


def test_case_49_of_a_custody_that_is_not_known_nothing_leaves_by_name_below_fifteen() -> None:
    story = Story().tell(
        MONDAY,
        a_person(birth_date="2013-01-01", municipality="0101"),
        a_named_consent("holder", "2026-02-01 12:00", "custody_holder", "other_custody_holder", custody="UNKNOWN"),
        a_step("slhj", MONDAY, "discharged_home"),
    )
    story.wait_until(SETTLED)

    assert story.offers() == []
    assert story.said[-1][1].fields["reason_code"] == "custody_unknown"


def courses(status: str, **changes: Any) -> EventHeader:
    return a_course("course-later", LATER, "stime", status, **changes)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (a_course("course", MONDAY, "stime", "dropped_out"), courses("UNKNOWN")),
        (a_course("course", MONDAY, "stime", "dropped_out"), courses("UNKNOWN", revises=an_id("course"))),
        (a_course("course", MONDAY, "stime", "dropped_out"), courses("UNKNOWN", cancels=an_id("course"))),
        (a_referral("referral", MONDAY), a_referral("more", LATER, status="UNKNOWN", subject="referral")),
        (a_referral("referral", MONDAY), a_referral("more", LATER, decision="UNKNOWN", subject="referral")),
        (a_referral("referral", MONDAY), a_referral("more", LATER, status="UNKNOWN", revises=an_id("referral"))),
        (a_step("slhj", MONDAY, "discharged_home"), a_step("re", LATER, "UNKNOWN", revises=an_id("slhj"))),
        (a_step("slhj", MONDAY, "discharged_home"), a_step("an", LATER, "UNKNOWN", cancels=an_id("slhj"))),
    ],
)
@pytest.mark.parametrize("accepted", [False, True])
def test_case_50_what_is_not_known_takes_nothing_back(first: EventHeader, later: EventHeader, accepted: bool) -> None:
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), first).wait_until(SETTLED)
    if accepted:
        story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.tell(LATER, later).wait_until(LATER + timedelta(minutes=20))

    assert story.to_programmes("withdrawn") == []
    assert story.needs() == [("aftercare", "taken_over" if accepted else "offered", None)]
    assert ("unknown_code", "sor:900000000000001") in story.notices()


def test_case_50_a_later_code_that_is_known_counts_though_one_between_was_not() -> None:
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), a_step("slhj", MONDAY, "discharged_home"))
    story.tell(MONDAY, a_step("re", LATER, "UNKNOWN", revises=an_id("slhj")))
    earlier = MONDAY - timedelta(days=1)
    story.tell(MONDAY, a_step("re-re", earlier, "discharged_home", revises=an_id("re"))).wait_until(SETTLED)

    assert story.pathway.handovers[0].occurred_at == int(earlier.timestamp() * 1000)


def an_accepted_story_at_a_unit_that_is_not_known() -> Story:
    """Tells of a named handover, accepted, whose discharge is revised to be from a unit that nobody knows."""
    story = Story().tell(MONDAY, a_person(municipality="0101"))
    story.tell(MONDAY, a_named_consent("named", "2026-02-01 12:00", "young_person"))
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "headspace", "accepted")
    return story.tell(LATER, a_step("re", MONDAY, "discharged_home", unit=UNKNOWN_UNIT, revises=an_id("slhj")))


def test_case_57_a_unit_that_is_not_known_stops_nothing_that_was_taken_over_and_no_withdrawal() -> None:
    story = an_accepted_story_at_a_unit_that_is_not_known()
    meanwhile = story.needs()
    told = LATER + timedelta(hours=1)
    story.tell(told, a_named_consent("no", "2026-02-02 13:30", "young_person", decision="withdrawn"))

    assert meanwhile == [("aftercare", "taken_over", None)]
    assert story.notices() == [("unknown_unit", "operations")]
    assert story.to_programmes()[-1] == ("withdrawn", "headspace", "consent_withdrawn")
    assert story.needs() == [("aftercare", "closed", "consent_withdrawn")]
    story.reply(told + timedelta(hours=1), "headspace", "identity_wanted")
    assert story.to_programmes()[-1] == ("reply_refused", "headspace", "handover_withdrawn")


def test_case_57_a_unit_that_is_not_known_withdraws_no_pending_offer() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    units = {"unit": UNKNOWN_UNIT}
    story.tell(LATER, a_step("re", MONDAY, "discharged_home", revises=an_id("slhj"), **units))
    story.tell(LATER, a_step("re-stin", at("2026-01-13 10:00"), "admitted", revises=an_id("stin"), **units))

    assert story.to_programmes() == [("offered", "ungevaerftet", None)]
    assert story.needs() == [("aftercare", "offered", None)]


def test_case_73_what_a_programme_itself_tells_brings_it_no_anonymous_offer() -> None:
    told = a_course("course", MONDAY, "headspace", "dropped_out", source="headspace")
    story = Story().tell(MONDAY, a_person(municipality="0101"), a_consent("consent", MONDAY - timedelta(days=1)), told)
    story.wait_until(SETTLED)

    assert story.offers() == []
    assert story.needs() == [("aftercare", "awaiting_consent", "named_consent_wanted")]
    story = Story().tell(MONDAY, a_person(municipality="0217"), a_consent("consent", MONDAY - timedelta(days=1)), told)
    assert story.wait_until(SETTLED).offers() == [("ungevaerftet", "helsingoer")]
