"""Cases of docs/specification/cases.md about what consents and persons can't do, and what an end reaches."""

from __future__ import annotations

from datetime import date, timedelta

from tests.domain.story import (
    MONDAY,
    SETTLED,
    Story,
    a_consent,
    a_discharged_story,
    a_named_consent,
    a_person,
    a_step,
    an_anonymous_consent,
    at,
)


def a_named_story(*consents: object, **person: object) -> Story:
    """Tells of a discharge in København, where headspace takes names, with consents."""
    story = Story().tell(MONDAY, a_person(**({"municipality": "0101"} | person)), *consents)  # type: ignore[arg-type]
    return story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)


def test_case_45_a_custody_holders_withdrawal_ends_nothing_of_who_is_seventeen() -> None:
    own = a_named_consent("own", "2026-02-01 12:00", "young_person")
    story = a_named_story(own, birth_date=date(2008, 6, 1))
    story.reply(MONDAY + timedelta(hours=1), "headspace", "accepted")
    told = MONDAY + timedelta(hours=2)
    withdrawn = a_named_consent("no", "2026-02-02 11:30", "custody_holder", custody="sole", decision="withdrawn")
    story.tell(told, withdrawn).wait_until(told + timedelta(days=1))

    assert story.needs() == [("aftercare", "taken_over", None)]
    assert story.to_programmes("withdrawn") == []


def test_case_46_one_of_two_joint_holders_lets_nothing_leave_and_the_other_is_wanted() -> None:
    one = a_named_consent("one", "2026-02-01 12:00", "custody_holder", custody="joint")
    story = a_named_story(one, birth_date=date(2012, 6, 1))
    waiting = story.needs()
    other = a_named_consent("other", "2026-02-02 11:00", "other_custody_holder", custody="joint")
    story.tell(MONDAY + timedelta(hours=2), other)

    assert waiting == [("aftercare", "awaiting_consent", "custody_holders_wanted")]
    assert story.offers() == [("headspace", "koebenhavn")]


def test_case_47_named_refused_and_anonymous_given_on_one_form_is_offered_anonymously() -> None:
    form = {"subject": "form"}
    refused = a_named_consent("no", "2026-02-01 12:00", "young_person", decision="refused", **form)
    story = a_named_story(refused, a_consent("yes", at("2026-02-01 12:00"), **form))

    assert [one.identity for one in story.pathway.handovers] == ["anonymous"]
    assert story.needs() == [("aftercare", "offered", None)]


def test_case_48_a_consent_to_a_plan_at_headspace_covers_no_aftercare() -> None:
    story = a_named_story(
        a_named_consent("plan", "2026-02-01 12:00", "young_person", receiver="headspace", purpose="plan")
    )

    assert story.offers() == []
    assert story.needs() == [("aftercare", "awaiting_consent", "consent_wanted")]


def test_case_51_a_withdrawal_dated_by_the_day_ends_what_was_given_that_day() -> None:
    withdrawn = a_consent("no", at("2026-02-01 00:00"), decision="withdrawn", occurred_on=date(2026, 2, 1))
    story = a_discharged_story(an_anonymous_consent()).tell(MONDAY, withdrawn).wait_until(SETTLED)

    assert story.offers() == []
    assert story.needs() == [("aftercare", "closed", "consent_withdrawn")]


def test_case_59_a_need_that_is_in_contact_is_not_reopened() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.reply(MONDAY + timedelta(hours=2), "ungevaerftet", "first_contact")
    said = len(story.to_programmes())
    story.decide(MONDAY + timedelta(hours=3), "reopened")

    assert story.needs() == [("aftercare", "taken_over", None)]
    assert story.said[-1][1].fields["reason_code"] == "taken_over"
    assert len(story.to_programmes()) == said


def test_case_60_an_offer_by_name_names_the_named_consent_though_an_anonymous_one_is_newer() -> None:
    story = a_named_story(a_named_consent("named", "2026-01-20 12:00", "young_person"), an_anonymous_consent())

    assert [one.identity for one in story.pathway.handovers] == ["named"]
    assert [one["consent_id"] for one in story.disclosures] == ["named"]
