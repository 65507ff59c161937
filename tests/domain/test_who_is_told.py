"""Who is told what, and who is asked: what a lawyer found who read the specification and had not seen the code."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas.events import EventHeader
from tests.domain.story import (
    MONDAY,
    SETTLED,
    YOUTH,
    Story,
    a_consent,
    a_course,
    a_named_consent,
    a_person,
    a_step,
    an_id,
    at,
)

HOLDER, OTHER = "custody_holder", "other_custody_holder"
TOLD = at("2026-02-02 11:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = "sor:900000000000001"


def discharged(*facts: EventHeader, municipality: str = "0101", born: date = date(2010, 5, 1)) -> Story:
    """Tells of a person, of a stay that ended on a Monday at 10, and of more, and waits until it has settled."""
    story = Story().tell(
        MONDAY,
        a_person(birth_date=born, municipality=municipality),
        a_step("stin", MONDAY - timedelta(days=20), "admitted"),
        a_step("slhj", MONDAY, "discharged_home"),
        *facts,
    )
    return story.wait_until(SETTLED)


def anonymous(name: str = "anonymous", when: str = "2026-02-01 12:00", **changes: Any) -> EventHeader:
    return a_consent(name, at(when), **changes)


def by_holder(**changes: Any) -> EventHeader:
    return a_named_consent("holder", "2026-01-20 12:00", HOLDER, **{"custody": "sole", **changes})


def last_need(story: Story) -> tuple[str, str | None]:
    return story.needs()[-1][1:]


def asked(story: Story) -> list[tuple[str, str, str | None]]:
    said = (one.fields for _, one in story.said if one.topic == "notices")
    return [(fields["kind"], fields["recipient"], fields["reason_code"]) for fields in said]


@pytest.mark.parametrize("answer", [None, "waitlisted"])
def test_rule_v8_what_a_programme_says_of_a_number_changes_nothing_of_its_anonymous_offer(answer: str | None) -> None:
    story = discharged(anonymous())
    if answer is not None:
        story.reply(TOLD, "headspace", answer, waitlisted_until=date(2026, 2, 20))
    before = story.to_programmes()
    course = a_course("course", TOLD, "headspace", "dropped_out", source="headspace")

    story.tell(TOLD + HOUR, course).wait_until(TOLD + 2 * HOUR)
    story.tell(
        TOLD + 3 * HOUR, a_course("void", TOLD, "headspace", "dropped_out", cancels=course.event_id, source="headspace")
    )

    assert story.wait_until(TOLD + 5 * HOUR).to_programmes() == before
    assert asked(story) == []


@pytest.mark.parametrize("answer", [None, "accepted"])
def test_rule_v8_nor_does_what_it_says_of_where_somebody_lives(answer: str | None) -> None:
    known = a_person("other", municipality="0101", birth_date=None, source="ungevaerftet")
    story = Story().tell(
        MONDAY, a_person(municipality=None), known, anonymous(), a_step("slhj", MONDAY, "discharged_home")
    )
    story.wait_until(SETTLED)
    if answer is not None:
        story.reply(TOLD, "headspace", answer)
    before = story.to_programmes()

    moved = a_person("own", occurred_at=TOLD, municipality="0175", birth_date=None, source="headspace")
    story.tell(TOLD + HOUR, moved).wait_until(TOLD + 3 * HOUR)

    assert before[0] == ("offered", "headspace", None)
    assert story.to_programmes() == before


def test_rule_t11_a_programme_gets_no_anonymous_offer_that_rests_on_its_own_word_of_a_home() -> None:
    own = a_person("own", municipality="0101", birth_date=None, source="headspace")
    story = Story().tell(
        MONDAY, a_person(municipality=None), own, anonymous(), a_step("slhj", MONDAY, "discharged_home")
    )
    story.wait_until(SETTLED)

    assert story.to_programmes() == []
    assert last_need(story) == ("awaiting_consent", "named_consent_wanted")


def test_rule_c4_a_parent_without_custody_ends_no_need() -> None:
    plan = a_named_consent("plan", "2026-01-20 12:00", HOLDER, custody="sole", purpose="plan")
    story = discharged(plan, born=date(2013, 1, 1))

    story.tell(TOLD, a_named_consent("no", "2026-02-02 10:50", OTHER, decision="refused"))

    assert story.needs()[-1][1] == "awaiting_consent"


@pytest.mark.parametrize(
    ("powerless", "born"),
    [
        (by_holder(), date(2011, 2, 1)),
        (by_holder(youth_unable=True), date(2008, 2, 1)),
        (by_holder(custody="joint"), date(2013, 1, 1)),
        (by_holder(custody="UNKNOWN"), date(2013, 1, 1)),
    ],
    ids=["outgrown at 15", "outgrown at 18", "one of two holders", "no custody told"],
)
def test_rule_c26_a_consent_without_force_keeps_no_need_open(powerless: EventHeader, born: date) -> None:
    story = discharged(anonymous(), powerless, born=born)

    story.tell(TOLD, anonymous("no", "2026-02-02 10:50", decision="withdrawn")).wait_until(TOLD + 20 * DAY)

    assert last_need(story) == ("closed", "consent_withdrawn")
    assert {kind for kind, _, _ in asked(story)} == {"deletion_overdue"}


def test_rule_c26_one_that_had_force_keeps_it_open_and_one_given_later_opens_it() -> None:
    story = discharged(anonymous(), by_holder(), born=date(2013, 1, 1))
    story.tell(TOLD, anonymous("no", "2026-02-02 10:50", decision="withdrawn"))
    assert story.needs()[-1][1] == "offered"

    closed = discharged(anonymous()).tell(TOLD, anonymous("no", "2026-02-02 10:50", decision="withdrawn"))
    closed.tell(TOLD + HOUR, anonymous("yes", "2026-02-02 11:50")).wait_until(TOLD + 2 * HOUR)

    assert closed.needs()[-1][1] == "offered"


def test_rule_h6_what_goes_on_under_a_consent_that_nobody_has_ended_stays() -> None:
    both = a_named_consent("both", "2026-02-01 12:00", HOLDER, OTHER, custody="joint")
    story = discharged(both, born=date(2011, 2, 3)).reply(TOLD, "headspace", "accepted")
    own = a_named_consent("own", "2026-02-04 12:00", "young_person", youth_unable=True)

    story.tell(at("2026-02-04 13:00"), own)
    story.tell(at("2026-02-04 14:00"), a_named_consent("no", "2026-02-04 13:50", HOLDER, OTHER, decision="withdrawn"))

    assert story.to_programmes("withdrawn") == []
    assert story.needs()[-1][1] == "taken_over"


@pytest.mark.parametrize("repeated", [True, False])
def test_rule_c3_a_holders_withdrawal_closes_the_need_of_who_cannot_judge(*, repeated: bool) -> None:
    story = discharged(by_holder(youth_unable=True))
    no = a_named_consent(
        "no",
        "2026-02-02 10:50",
        HOLDER,
        custody="sole",
        decision="withdrawn",
        subject="holder",
        youth_unable=repeated,
    )

    story.tell(TOLD, no)

    assert story.to_programmes()[-1] == ("withdrawn", "headspace", "consent_withdrawn")
    assert last_need(story) == ("closed", "consent_withdrawn")


def two_plans() -> Story:
    """Tells of a stay with two episodes, of which each has its planned end."""
    story = Story().tell(
        MONDAY,
        a_person(),
        anonymous(),
        a_step("stin-1", MONDAY - 9 * DAY, "admitted"),
        a_step("stin-2", MONDAY - 5 * DAY, "admitted", episode_id="episode-2", stay_class="emergency"),
        a_step("plan-1", MONDAY, "discharge_planned", planned_at=MONDAY + 2 * DAY),
        a_step("plan-2", MONDAY, "discharge_planned", planned_at=MONDAY + 4 * DAY, episode_id="episode-2"),
    )
    return story.wait_until(SETTLED)


@pytest.mark.parametrize("happens", ["ended", "cancelled"])
@pytest.mark.parametrize("chosen", ["headspace", "ungevaerftet"])
def test_rule_s9_the_plans_of_a_stay_are_one_heads_up_that_stays_where_it_is(happens: str, chosen: str) -> None:
    story = two_plans()
    if chosen == "headspace":
        story.decide(TOLD, "offered", programme="headspace")
    before, ended = story.to_programmes(), MONDAY + 2 * DAY
    step = {
        "ended": a_step("slhj-1", ended, "discharged_home"),
        "cancelled": a_step("void-1", MONDAY, "discharge_planned", cancels=an_id("plan-1")),
    }[happens]

    story.tell(ended, step).wait_until(ended + HOUR)

    assert before[-1][:2] == ("announced", chosen)
    assert [said[:2] for said in story.to_programmes()[len(before) :]] in ([], [("updated", chosen)])
    assert len([need for need in story.pathway.needs if need.state != "closed"]) == 1
    last = MONDAY + 4 * DAY
    if happens == "cancelled":
        story.tell(last, a_step("slhj-1", last, "discharged_home"))
    story.tell(last, a_step("slhj-2", last, "discharged_home", episode_id="episode-2")).wait_until(last + HOUR)
    assert story.to_programmes()[-1][:2] == ("offered", chosen)


@pytest.mark.parametrize("something_else_is_told", [True, False])
def test_rule_n22_a_birthday_that_changes_what_is_wanted_is_told_on_it(*, something_else_is_told: bool) -> None:
    born = date(2011, 2, 5)
    story = discharged(a_named_consent("holder", "2026-02-01 12:00", HOLDER, custody="joint"), born=born)
    story.wait_until(at("2026-02-05 09:00"))
    if something_else_is_told:
        story.tell(at("2026-02-05 09:00"), a_person("again", birth_date=born, municipality="0101"))

    story.wait_until(at("2026-02-05 10:00"))

    assert asked(story)[-1] == ("consent_wanted", SOURCE, "own_consent_wanted")
    assert [reason for _, _, reason in asked(story)].count("own_consent_wanted") == 1


def test_rule_h26_who_agreed_to_nothing_is_asked_at_fifteen_though_the_handover_names_nobody() -> None:
    holder = a_named_consent("holder", "2026-02-01 12:00", HOLDER, custody="sole")
    story = discharged(holder, born=date(2011, 2, 4), municipality="0217").reply(TOLD, "ungevaerftet", "accepted")

    story.wait_until(at("2026-02-05 12:00"))

    assert [one["consent_id"] for one in story.disclosures] == ["holder"]
    assert ("consent_wanted", SOURCE, "own_consent_wanted") in asked(story)


def test_rule_h26_who_agreed_anonymously_is_not_asked() -> None:
    story = discharged(anonymous(), born=date(2011, 2, 4), municipality="0217").reply(TOLD, "ungevaerftet", "accepted")

    assert asked(story.wait_until(at("2026-02-05 12:00"))) == []


def test_rule_v17_who_holds_an_identity_is_asked_to_delete_it_though_the_handover_is_over() -> None:
    story = discharged(a_named_consent("named", "2026-02-01 12:00", "young_person"))
    for minutes, status in enumerate(("accepted", "identity_wanted", "first_contact", "fulfilled")):
        story.reply(TOLD + timedelta(minutes=minutes), "headspace", status)

    story.decide(TOLD + DAY, "erased", subject=YOUTH)

    assert story.to_programmes()[-1] == ("withdrawn", "headspace", "erased")
    story.wait_until(TOLD + 20 * DAY)
    assert story.notices()[-1][0] == "deletion_overdue"
    story.reply(TOLD + 21 * DAY, "headspace", "recalled_and_deleted")
    assert story.to_programmes()[-1][:2] == ("reply_accepted", "headspace")


@pytest.mark.parametrize("answers", [("declined",), ("accepted", "ended")])
def test_rule_v17_so_is_every_programme_that_was_told_something(answers: tuple[str, ...]) -> None:
    story = discharged(anonymous(), municipality="0217")
    for minutes, status in enumerate(answers):
        story.reply(TOLD + timedelta(minutes=minutes), "ungevaerftet", status, side="programme", reason_code="other")

    story.decide(TOLD + DAY, "erased", subject=YOUTH)

    assert ("withdrawn", "ungevaerftet", "erased") in story.to_programmes()


@pytest.mark.parametrize("told_at", [TOLD + HOUR, TOLD + 3 * HOUR])
def test_rule_n8_what_was_refused_while_a_death_was_believed_says_so(told_at: datetime) -> None:
    story = discharged(anonymous(), municipality="0217").tell(TOLD, a_step("mors", TOLD, "deceased"))
    refusal = anonymous("no", "2026-02-02 11:50", decision="refused")
    undone = a_step("an", TOLD, "deceased", cancels=an_id("mors"))
    for when, event in sorted([(told_at, refusal), (TOLD + 2 * HOUR, undone)], key=lambda one: one[0]):
        story.tell(when, event)

    assert last_need(story.wait_until(TOLD + DAY)) == ("closed", "declined_by_young_person")


def test_rule_c16_a_consent_for_a_date_ahead_that_was_taken_back_since_offers_nothing() -> None:
    ahead = a_consent("ahead", at("2026-02-02 20:00"), sent_at=at("2026-02-02 09:00"))
    story = discharged(ahead, municipality="0217")

    story.tell(TOLD, anonymous("no", "2026-02-02 10:50", decision="withdrawn", subject="ahead"))

    assert story.wait_until(at("2026-02-03 12:00")).to_programmes() == []
