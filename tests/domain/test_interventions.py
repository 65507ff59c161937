"""What a person decides, and what is told back where it can't be done."""

from __future__ import annotations

from datetime import timedelta

from tests.domain.story import a_discharged_story, an_anonymous_consent, at

MONDAY = at("2026-02-02 10:00")
SETTLED = MONDAY + timedelta(minutes=15)


def test_a_person_offers_a_need_elsewhere_and_it_stays_there() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.decide(at("2026-02-02 11:00"), "offered", programme="headspace")

    assert story.to_programmes() == [
        ("offered", "ungevaerftet", None),
        ("withdrawn", "ungevaerftet", "offered_elsewhere"),
        ("offered", "headspace", None),
    ]


def test_a_person_closes_a_need_and_reopens_it() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.decide(at("2026-02-02 11:00"), "closed", reason_code="moved_abroad")
    assert story.needs() == [("aftercare", "closed", "moved_abroad")]
    assert story.to_programmes()[-1] == ("withdrawn", "ungevaerftet", "moved_abroad")

    story.decide(at("2026-02-02 12:00"), "reopened")
    assert story.offers()[-1] == ("ungevaerftet", "helsingoer")


def test_an_offer_without_consent_is_refused_and_told_back() -> None:
    story = a_discharged_story().wait_until(SETTLED)
    story.decide(at("2026-02-02 11:00"), "offered", programme="headspace")

    assert story.offers() == []
    assert story.notices()[-1] == ("escalated", "municipality-0217")
    assert story.said[-1][1].fields["reason_code"] == "consent_wanted"


def test_a_decision_about_a_need_that_is_not_there_is_told_back() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.decide(at("2026-02-02 11:00"), "closed", statement_id="7d9f3a52-0000-5000-8000-000000000000")

    assert story.needs() == [("aftercare", "offered", None)]
    assert story.said[-1][1].fields["reason_code"] == "unknown_need"
