"""Cases by number (docs/specification/cases.md): what is decided for good, and what comes afterwards is another."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.events import UNNUMBERED, Discharge, Enrolment
from tests.domain.story import (
    MONDAY,
    SETTLED,
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
    voided,
)

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LISTED: dict[str, Any] = {"episode_id": UNNUMBERED, "source": "municipality-0217"}
_HOME = a_step("slhj", MONDAY - _HOUR, "discharged_home")
_HOME_ON_LIST = a_step("letter", at("2026-02-02 00:00"), "discharged_home", occurred_on=date(2026, 2, 2), **_LISTED)
_PLAN = a_step("plan", MONDAY - 2 * _DAY, "discharge_planned", planned_at=MONDAY + 5 * _DAY)
_PLAN_ON_LIST = a_step("plan", MONDAY - 2 * _DAY, "discharge_planned", planned_at=MONDAY + 5 * _DAY, **_LISTED)
#: By who tells one end twice: what is told first and then; the first is taken back.
_TOLD_TWICE = {
    "a plan, and the discharge": (_PLAN, _HOME),
    "a list's plan, and the hospital's discharge": (_PLAN_ON_LIST, _HOME),
    "a list, and then the hospital": (_HOME_ON_LIST, _HOME),
    "the hospital, and then a list": (_HOME, _HOME_ON_LIST),
    "the hospital twice": (_HOME, a_step("again", MONDAY + _HOUR, "discharged_home")),
}


def _a_story_of(first: Discharge) -> Story:
    consent = a_consent("consent", MONDAY - 3 * _DAY)
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), consent, a_step("stin", MONDAY - 9 * _DAY, "admitted"))
    return story.tell(MONDAY, first).wait_until(SETTLED)


@pytest.mark.parametrize("name", _TOLD_TWICE)
def test_case_83_what_was_accepted_goes_on_where_one_of_two_tellings_is_taken_back(name: str) -> None:
    first, then = _TOLD_TWICE[name]
    story = _a_story_of(first).tell(MONDAY + _HOUR, then).wait_until(MONDAY + 2 * _HOUR)
    story.reply(MONDAY + 3 * _HOUR, "ungevaerftet", "accepted")

    story.tell(MONDAY + 4 * _HOUR, voided(first)).wait_until(MONDAY + 2 * _DAY)

    assert story.to_programmes("withdrawn") == []
    assert [one.state for one in story.pathway.handovers] == ["accepted"]


@pytest.mark.parametrize("name", _TOLD_TWICE)
@pytest.mark.parametrize("who", ["young_person", "person"])
def test_case_83_what_was_declined_or_closed_is_not_offered_again(name: str, who: str) -> None:
    first, then = _TOLD_TWICE[name]
    story = _a_story_of(first).tell(MONDAY + _HOUR, then).wait_until(MONDAY + 2 * _HOUR)
    if who == "person":
        story.decide(MONDAY + 3 * _HOUR, "closed", reason_code="done")
    else:
        story.reply(MONDAY + 3 * _HOUR, "ungevaerftet", "declined", side="young_person")

    story.tell(MONDAY + 4 * _HOUR, voided(first)).wait_until(MONDAY + 2 * _DAY)

    assert len(story.offers()) == 1


def test_case_83_what_tells_the_same_once_it_was_declined_raises_nothing_either() -> None:
    story = _a_story_of(_HOME)
    story.reply(MONDAY + _HOUR, "ungevaerftet", "declined", side="young_person")
    story.tell(MONDAY + 2 * _HOUR, _HOME_ON_LIST).wait_until(MONDAY + 3 * _HOUR)

    story.tell(MONDAY + 4 * _HOUR, voided(_HOME)).wait_until(MONDAY + 2 * _DAY)

    assert len(story.offers()) == 1


def test_case_83_a_plan_of_the_day_on_which_a_list_says_home_is_of_the_stay_that_ended() -> None:
    begun = at("2026-02-02 02:00")
    plan = a_step("plan", begun + _HOUR, "discharge_planned", planned_at=begun + _DAY, episode_id=UNNUMBERED)
    story = Story().tell(begun, a_person(), an_anonymous_consent(), a_step("stin", begun, "admitted"))
    story.tell(MONDAY, plan, _HOME_ON_LIST).wait_until(SETTLED)

    story.reply(MONDAY + _HOUR, "ungevaerftet", "declined", side="young_person").wait_until(MONDAY + 2 * _DAY)

    assert [need.state for need in story.pathway.needs if need.reason_code != "carried_on"] == ["closed"]


def test_case_83_an_end_told_twice_beside_a_stay_that_nobody_believes_in_any_more_is_one() -> None:
    long_ago = MONDAY - timedelta(days=400)
    story = Story().tell(long_ago, a_person(), a_step("beside", long_ago, "admitted", episode_id="episode-9"))
    story.tell(long_ago + _DAY, a_step("home", long_ago + _DAY, "discharged_home", episode_id="episode-8"))
    story.wait_until(MONDAY).tell(MONDAY, a_consent("consent", MONDAY - _DAY), _HOME).wait_until(SETTLED)
    story.reply(MONDAY + _HOUR, "ungevaerftet", "declined", side="young_person")

    story.tell(MONDAY + 2 * _HOUR, a_step("again", MONDAY - _HOUR, "discharged_home")).wait_until(MONDAY + 3 * _HOUR)

    assert len(story.offers()) == 1


@pytest.mark.parametrize("name", _TOLD_TWICE)
def test_case_83_an_offer_that_waits_for_its_answer_stays(name: str) -> None:
    first, then = _TOLD_TWICE[name]
    story = _a_story_of(first).tell(MONDAY + _HOUR, then).wait_until(MONDAY + 2 * _HOUR)

    story.tell(MONDAY + 4 * _HOUR, voided(first)).wait_until(MONDAY + 8 * _HOUR)

    assert story.to_programmes("withdrawn") == []
    assert len(story.offers()) == 1


@pytest.mark.parametrize("how", ["fulfilled", "ended by Y", "closed by a person"])
@pytest.mark.parametrize("planned", [False, True], ids=["not told ahead", "told ahead"])
def test_case_84_the_end_of_a_stay_after_the_decision_is_a_need_of_its_own(how: str, *, planned: bool) -> None:
    second = {"episode_id": "episode-2"}
    home = MONDAY + 5 * _DAY
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + _HOUR, "ungevaerftet", "accepted").reply(MONDAY + 2 * _HOUR, "ungevaerftet", "first_contact")
    story.tell(MONDAY + 3 * _HOUR, a_step("stin-2", MONDAY + 3 * _HOUR, "admitted", **second))
    if planned:
        plan = a_step("plan-2", MONDAY + 4 * _HOUR, "discharge_planned", planned_at=home, **second)
        story.tell(MONDAY + 4 * _HOUR, plan).wait_until(MONDAY + 5 * _HOUR)
    if how == "fulfilled":
        story.reply(MONDAY + _DAY, "ungevaerftet", "fulfilled")
    elif how == "ended by Y":
        story.reply(MONDAY + _DAY, "ungevaerftet", "ended", side="young_person")
    else:
        story.decide(MONDAY + _DAY, "closed", reason_code="done")

    story.tell(home, a_step("slhj-2", home, "discharged_home", **second)).wait_until(home + _HOUR)

    assert [state for _, state, _ in story.needs()] == ["closed", "offered"]


@pytest.mark.parametrize("by", ["fulfilled", "declined"])
@pytest.mark.parametrize("home", ["2026-04-20 10:00", "2026-03-25 10:00"], ids=["after the heads-up", "before it"])
def test_case_85_a_course_that_ends_after_the_decision_is_a_need_of_its_own(home: str, by: str) -> None:
    ended, done = at(home), at("2026-06-01 10:00")
    active = a_course("active", at("2024-06-01 09:00"), "opus-young", "active")
    story = Story().tell(
        at("2026-03-21 10:00"), a_person(), active, a_named_consent("named", "2026-03-20 12:00", "young_person")
    )
    story.tell(ended, a_step("stin", ended - 5 * _DAY, "admitted"), a_step("slhj", ended, "discharged_home"))
    story.wait_until(ended + _HOUR)
    if by == "fulfilled":
        story.reply(ended + 2 * _HOUR, "ungevaerftet", "accepted")
        story.reply(ended + 3 * _HOUR, "ungevaerftet", "first_contact")
        story.tell(done, a_course("done", done, "opus-young", "completed")).wait_until(done + _HOUR)
        assert story.to_programmes("updated") == []
        story.reply(done + 5 * _DAY, "ungevaerftet", "fulfilled").wait_until(done + 6 * _DAY)
    else:
        story.reply(ended + 2 * _HOUR, "ungevaerftet", "declined", side="young_person")
        story.tell(done, a_course("done", done, "opus-young", "completed")).wait_until(done + _HOUR)

    assert story.offers()[-1] == ("unik-recovery-young", None)


_NEXT = MONDAY + _DAY
#: What a source says later by which nothing is raised any more; it takes back nothing that it said.
_LATER = {
    "STIME active again": (a_course("a", MONDAY, "stime", "dropped_out"), a_course("b", _NEXT, "stime", "active")),
    "STIME waiting": (a_course("a", MONDAY, "stime", "dropped_out"), a_course("b", _NEXT, "stime", "waiting")),
    "STIME completed": (a_course("a", MONDAY, "stime", "dropped_out"), a_course("b", _NEXT, "stime", "completed")),
    "OPUS active again": (
        a_course("a", MONDAY, "opus-young", "dropped_out"),
        a_course("b", _NEXT, "opus-young", "active"),
    ),
    "accepted after all": (
        a_referral("a", MONDAY, subject="r"),
        a_referral("b", _NEXT, subject="r", decision="accepted"),
    ),
}


@pytest.mark.parametrize("name", _LATER)
def test_case_86_what_was_taken_over_goes_on_at_a_later_word(name: str) -> None:
    first, then = _LATER[name]
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), first).wait_until(SETTLED)
    story.reply(MONDAY + _HOUR, "ungevaerftet", "accepted")

    story.tell(_NEXT, then).wait_until(_NEXT + _DAY)

    assert story.to_programmes("withdrawn") == []
    assert story.needs()[-1] == ("aftercare", "taken_over", None)


@pytest.mark.parametrize("status", ["active", "waiting"])
def test_case_86_what_was_taken_over_ends_where_the_source_corrects_what_raised_it(status: str) -> None:
    ended: Enrolment = a_course("a", MONDAY, "stime", "dropped_out")
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), ended).wait_until(SETTLED)
    story.reply(MONDAY + _HOUR, "ungevaerftet", "accepted")

    story.tell(_NEXT, a_course("b", MONDAY, "stime", status, revises=an_id("a"), sent_at=_NEXT)).wait_until(
        _NEXT + _DAY
    )

    assert story.needs() == [("aftercare", "closed", "course_corrected")]


@pytest.mark.parametrize("scope", ["named", "anonymous"])
def test_case_87_nobody_is_reminded_of_a_first_contact_while_in_hospital(scope: str) -> None:
    named = a_named_consent("named", "2026-02-01 12:00", "young_person")
    story = Story().tell(MONDAY, a_person(municipality="0101"), named if scope == "named" else an_anonymous_consent())
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)
    story.reply(MONDAY + _HOUR, "headspace", "accepted")
    story.tell(MONDAY + _DAY, a_step("stin-2", MONDAY + _DAY, "admitted", episode_id="episode-2"))

    story.wait_until(MONDAY + 30 * _DAY)
    assert story.to_programmes("updated") == [("updated", "headspace", "readmitted")]
    assert story.to_programmes("reminded") == []
    assert story.notices() == []

    home = MONDAY + 30 * _DAY
    story.tell(home, a_step("slhj-2", home, "discharged_home", episode_id="episode-2")).wait_until(home + 3 * _DAY)
    asked = story.when("reminded") if scope == "named" else story.when("code_unclaimed")
    assert [when.date() for when in asked[:1]] == [home.date()]


def test_case_27_the_owner_hears_of_an_unclaimed_code_after_fourteen_days_though_the_seventh_was_a_holiday() -> None:
    story = a_discharged_story(a_consent("c", at("2026-03-20 12:00")), "2026-03-26 10:00")
    story.wait_until(at("2026-03-26 11:00")).reply(at("2026-03-26 11:00"), "ungevaerftet", "accepted")

    story.wait_until(at("2026-04-15 12:00"))

    # The seventh day is Maundy Thursday, the next working day 7 April; the fourteenth is Thursday 9 April.
    assert [when.date() for when in story.when("code_unclaimed")] == [date(2026, 4, 7), date(2026, 4, 9)]
