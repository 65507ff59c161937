"""Cases by number (docs/specification/cases.md): the next end is another, whatever id or plan it shares."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from schemas.events import EventHeader
from tests.domain.story import (
    MONDAY,
    SETTLED,
    Story,
    a_course,
    a_person,
    a_referral,
    a_step,
    an_anonymous_consent,
    an_id,
    at,
    voided,
)

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LATER = MONDAY + 60 * _DAY
_PLAN = a_step("plan", MONDAY - 2 * _DAY, "discharge_planned", planned_at=MONDAY + _DAY)
#: By what ends: what began and foretold it, the end, and the next one.
_ENDS: dict[str, tuple[list[EventHeader], EventHeader, EventHeader]] = {
    "a stay with a plan": (
        [a_step("stin", MONDAY - 9 * _DAY, "admitted"), _PLAN],
        a_step("slhj", MONDAY, "discharged_home"),
        a_step("slhj-2", _LATER, "discharged_home"),
    ),
    "a course": (
        [a_course("active", MONDAY - 90 * _DAY, "stime", "active")],
        a_course("dropped", MONDAY, "stime", "dropped_out"),
        a_course("dropped-2", _LATER, "stime", "dropped_out"),
    ),
    "a referral": (
        [a_referral("referred", MONDAY - 9 * _DAY, subject="referral", decision=None)],
        a_referral("rejected", MONDAY, subject="referral"),
        a_referral("rejected-2", _LATER, subject="referral"),
    ),
}
#: What goes on between two ends under one id.
_GOES_ON: dict[str, EventHeader] = {
    "a course": a_course("again", MONDAY + 30 * _DAY, "stime", "active"),
    "a referral": a_referral("again", MONDAY + 30 * _DAY, subject="referral", decision=None),
}


def _decided(name: str, how: str) -> Story:
    """Returns the story of an end that was offered, and decided for good."""
    begun, end, _ = _ENDS[name]
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), an_anonymous_consent(), *begun)
    return _decide(story.tell(MONDAY, end).wait_until(SETTLED), how)


def _decide(story: Story, how: str) -> Story:
    """Has what was offered decided for good."""
    if how == "closed by a person":
        return story.decide(MONDAY + _HOUR, "closed", reason_code="done")
    if how == "declined by Y":
        return story.reply(MONDAY + _HOUR, "ungevaerftet", "declined", side="young_person")
    for hours, status in enumerate(("accepted", "first_contact", "fulfilled"), 1):
        story.reply(MONDAY + hours * _HOUR, "ungevaerftet", status)
    return story


_HOW = pytest.mark.parametrize("how", ["closed by a person", "declined by Y", "fulfilled"])


@pytest.mark.parametrize("name", _ENDS)
@_HOW
def test_case_88_the_end_after_one_that_was_taken_back_is_a_need_of_its_own(name: str, how: str) -> None:
    _, end, following = _ENDS[name]
    story = _decided(name, how)
    story.tell(MONDAY + 9 * _HOUR, voided(end, sent_at=MONDAY + 9 * _HOUR)).wait_until(_LATER)

    story.tell(_LATER, following).wait_until(_LATER + _HOUR)

    assert [need.state for need in story.pathway.needs if need.kind == "aftercare"] == ["closed", "offered"]
    assert len({need.need_id for need in story.pathway.needs}) == len(story.pathway.needs)


def test_case_88_while_the_stay_goes_on_its_plan_that_has_not_come_is_told_to_a_person() -> None:
    story = _decided("a stay with a plan", "fulfilled")

    story.tell(MONDAY + 9 * _HOUR, voided(_ENDS["a stay with a plan"][1])).wait_until(MONDAY + 20 * _DAY)

    assert [(need.state, need.reason_code) for need in story.pathway.needs] == [
        ("closed", "fulfilled"),
        ("with_person", "planned_end_overdue"),
    ]


@pytest.mark.parametrize("name", _GOES_ON)
@_HOW
def test_case_89_one_id_may_hold_several_ends_and_each_is_a_need_of_its_own(name: str, how: str) -> None:
    story = _decided(name, how)
    story.tell(MONDAY + 30 * _DAY, _GOES_ON[name]).wait_until(_LATER)

    story.tell(_LATER, _ENDS[name][2]).wait_until(_LATER + _HOUR)

    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


@pytest.mark.parametrize("name", _GOES_ON)
def test_case_89_what_was_taken_over_goes_on_and_the_next_end_waits_for_it(name: str) -> None:
    begun, end, following = _ENDS[name]
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), an_anonymous_consent(), *begun).tell(MONDAY, end)
    story.wait_until(SETTLED).reply(MONDAY + _HOUR, "ungevaerftet", "accepted")
    story.reply(MONDAY + 2 * _HOUR, "ungevaerftet", "first_contact")

    story.tell(MONDAY + 30 * _DAY, _GOES_ON[name]).tell(_LATER, following).wait_until(_LATER + _HOUR)
    assert [need.state for need in story.pathway.needs] == ["taken_over"]

    story.reply(_LATER + 2 * _HOUR, "ungevaerftet", "fulfilled").wait_until(_LATER + 3 * _HOUR)
    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


@pytest.mark.parametrize("name", _GOES_ON)
def test_case_90_what_looked_like_the_same_end_is_another_once_what_came_between_is_told(name: str) -> None:
    story = _decided(name, "fulfilled").tell(_LATER, _ENDS[name][2]).wait_until(_LATER + _DAY)
    assert [need.state for need in story.pathway.needs] == ["closed"]

    story.tell(_LATER + _DAY, _GOES_ON[name]).wait_until(_LATER + _DAY + _HOUR)

    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


def test_case_90_so_is_a_second_end_within_a_day_once_the_admission_between_is_told() -> None:
    story = _decided("a stay with a plan", "declined by Y")
    second = a_step("slhj-2", MONDAY + 5 * _HOUR, "discharged_home")
    story.tell(MONDAY + 6 * _HOUR, second).wait_until(MONDAY + _DAY)
    assert [need.state for need in story.pathway.needs] == ["closed"]

    story.tell(MONDAY + 2 * _DAY, a_step("stin-2", MONDAY + 2 * _HOUR, "admitted"))

    story.wait_until(MONDAY + 2 * _DAY + _HOUR)
    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


def test_case_90_so_it_is_where_the_first_end_was_taken_back_and_stands_as_another_told_it() -> None:
    story = _decided("a course", "closed by a person")
    again = a_course("told-again", MONDAY, "stime", "dropped_out")
    story.tell(MONDAY + 9 * _HOUR, again).tell(MONDAY + 10 * _HOUR, voided(_ENDS["a course"][1])).wait_until(
        MONDAY + _DAY
    )
    story.tell(_LATER, _ENDS["a course"][2]).wait_until(_LATER + _DAY)
    assert [need.state for need in story.pathway.needs] == ["closed"]

    story.tell(_LATER + _DAY, _GOES_ON["a course"]).wait_until(_LATER + _DAY + _HOUR)

    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("days", [1 / 4, 3, 20])
def test_case_91_a_closed_heads_up_settles_the_end_that_it_was_about_in_any_order(
    order: tuple[int, ...], days: float
) -> None:
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), an_anonymous_consent(), *_ENDS["a stay with a plan"][0])
    story.wait_until(MONDAY - _DAY).decide(MONDAY - _DAY, "closed", reason_code="done")
    second = MONDAY + days * _DAY
    told = [
        a_step("slhj", MONDAY, "discharged_home"),
        a_step("stin-2", MONDAY + _HOUR, "admitted"),
        a_step("slhj-2", second, "discharged_home"),
    ]
    for number, which in enumerate(order):
        story.tell(MONDAY + (30 + number) * _DAY, told[which]).wait_until(MONDAY + (30 + number) * _DAY + _HOUR)

    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_case_91_so_does_one_of_a_course(order: tuple[int, ...]) -> None:
    begun, ended = at("2024-06-01 09:00"), at("2026-04-10 10:00")
    active = a_course("active", begun, "opus-young", "active")
    story = Story().tell(at("2026-03-21 10:00"), a_person(), an_anonymous_consent(), active)
    story.wait_until(ended - _DAY).decide(ended - _DAY, "closed", reason_code="done")
    told = [
        a_course("dropped", ended, "opus-young", "dropped_out"),
        a_course("again", ended + 5 * _DAY, "opus-young", "active"),
        a_course("dropped-2", ended + 8 * _DAY, "opus-young", "dropped_out"),
    ]
    for number, which in enumerate(order):
        story.tell(ended + (10 + number) * _DAY, told[which]).wait_until(ended + (10 + number) * _DAY + _HOUR)

    assert [need.state for need in story.pathway.needs] == ["closed", "offered"]


@pytest.mark.parametrize("days", [1 / 12, 2, 20])
def test_case_91_and_no_end_that_comes_after_that_was_taken_back(days: float) -> None:
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), an_anonymous_consent(), *_ENDS["a stay with a plan"][0])
    story.wait_until(MONDAY - _DAY).decide(MONDAY - _DAY, "closed", reason_code="done")
    end = a_step("slhj", MONDAY, "discharged_home")
    story.tell(MONDAY, end).wait_until(MONDAY + _HOUR)
    assert [need.state for need in story.pathway.needs] == ["closed"]
    story.tell(MONDAY + _HOUR, voided(end))

    second = MONDAY + days * _DAY
    story.tell(second, a_step("slhj-2", second, "discharged_home")).wait_until(second + _HOUR)

    assert [need.state for need in story.pathway.needs if need.reason_code != "carried_on"] == ["closed", "offered"]


@_HOW
def test_case_83_an_end_told_again_stays_decided_beside_an_older_one_of_another_course(how: str) -> None:
    older = a_course("older", MONDAY - 20 * _DAY, "stime", "dropped_out", subject="older")
    end, again = (a_course(name, MONDAY, "stime", "dropped_out") for name in ("end", "again"))
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), an_anonymous_consent()).tell(MONDAY, older, end)
    _decide(story.wait_until(SETTLED), how)

    story.tell(MONDAY + 5 * _HOUR, again).wait_until(MONDAY + 6 * _HOUR)
    story.tell(MONDAY + 7 * _HOUR, voided(end))

    story.wait_until(MONDAY + _DAY)
    assert ([need.state for need in story.pathway.needs], len(story.offers())) == (["closed"], 1)


@pytest.mark.parametrize("again", ["x", "y", "z", "by day"])
@pytest.mark.parametrize("name", _GOES_ON)
def test_case_83_what_was_accepted_goes_on_though_the_other_telling_came_moments_before(name: str, again: str) -> None:
    begun, end, _ = _ENDS[name]
    story = Story().tell(MONDAY - 2 * _DAY, a_person(), an_anonymous_consent(), *begun).tell(MONDAY, end)
    story.wait_until(SETTLED).reply(MONDAY + _HOUR, "ungevaerftet", "accepted")
    changes: dict[str, object] = {"event_id": an_id(f"told-{again}")}
    if again == "by day":
        day = at("2026-02-02 00:00")
        changes |= {"occurred_at": day, "status_at": day, "occurred_on": day.date()}

    story.tell(MONDAY + 2 * _HOUR, end.model_copy(update=changes))
    story.tell(
        MONDAY + 2 * _HOUR + timedelta(minutes=2),
        voided(end),
    )

    story.wait_until(MONDAY + _DAY)
    assert (story.to_programmes("withdrawn"), len(story.offers())) == ([], 1)
