"""Cases of docs/specification/cases.md where stays follow and overlap: one need at a time, and nobody lost."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from schemas.events import UNNUMBERED, Discharge
from tests.domain.story import (
    EMERGENCY,
    MONDAY,
    SETTLED,
    SOMATIC,
    Story,
    a_consent,
    a_course,
    a_discharged_story,
    a_person,
    a_referral,
    a_step,
    an_anonymous_consent,
    an_id,
    an_overlapping_story,
    at,
)

SETTLE = timedelta(minutes=15)


def readmitted(when: datetime, name: str = "stin-2", **changes: Any) -> Discharge:
    """Builds an admission after the first discharge, in an episode of its own."""
    return a_step(name, when, "admitted", **({"episode_id": "episode-2"} | changes))


def test_case_52_a_day_in_a_list_and_the_hospitals_time_on_it_are_one_discharge_in_any_order() -> None:
    told_by_list = {"episode_id": UNNUMBERED, "source": "municipality-0217", "occurred_on": date(2026, 2, 2)}
    events = (
        a_step("stin", at("2026-02-02 08:00"), "admitted"),
        a_step("list", at("2026-02-02 00:00"), "discharged_home", **told_by_list),
        a_step("slhj", at("2026-02-02 16:00"), "discharged_home"),
    )
    found = []
    for order in permutations(events):
        story = Story().tell(at("2026-02-02 08:00"), a_person(), an_anonymous_consent())
        for number, event in enumerate(order):
            story.tell(at("2026-02-02 17:00") + timedelta(hours=number), event)
        story.wait_until(at("2026-02-02 20:00"))
        found.append((story.needs(), [need.need_id for need in story.pathway.needs if need.state != "closed"]))
        assert len([one for one in story.pathway.handovers if one.state == "offered"]) == 1

    assert {len(ids) for _, ids in found} == {1}


@pytest.mark.parametrize("episode", [UNNUMBERED, "row-of-the-list"])
def test_case_52_an_end_told_by_day_is_that_of_the_stay_that_began_on_it(episode: str) -> None:
    listed = a_step("list", at("2026-02-02 00:00"), "discharged_home", episode_id=episode, occurred_on=date(2026, 2, 2))
    stin = a_step("stin", at("2026-02-02 08:00"), "admitted", episode_id=episode)
    story = Story().tell(at("2026-02-02 18:00"), a_person(), an_anonymous_consent(), listed, stin)
    story.wait_until(at("2026-02-02 18:15"))

    assert story.needs() == [("aftercare", "offered", None)]
    assert story.views[-1]["stays"][-1]["state"] == "ended"


def test_case_52_an_end_told_by_day_is_that_of_the_stay_before_the_readmission_of_that_day() -> None:
    told = at("2026-02-02 20:00")
    listed = {"episode_id": UNNUMBERED, "source": "municipality-0217", "occurred_on": date(2026, 2, 2)}
    story = Story().tell(
        told,
        a_person(),
        an_anonymous_consent(),
        a_step("stin", told - timedelta(days=9), "admitted"),
        a_step("list", at("2026-02-02 00:00"), "discharged_home", **listed),
        readmitted(at("2026-02-02 18:00")),
    )
    story.wait_until(told + SETTLE)

    assert story.offers() == []
    assert [stay["state"] for stay in story.views[-1]["stays"]] == ["ended", "open"]


def test_case_52_a_course_that_ended_on_a_day_ended_after_what_was_told_of_it_that_day() -> None:
    day = {"occurred_on": date(2026, 2, 2)}
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_course("active", at("2026-02-02 08:00"), "stime", "active"),
        a_course("ended", at("2026-02-02 00:00"), "stime", "dropped_out", **day),
    )

    assert story.wait_until(SETTLED).offers() == [("ungevaerftet", "helsingoer")]


def test_case_52_a_referral_that_was_rejected_on_a_day_was_rejected_after_what_was_told_of_it_that_day() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_referral("active", at("2026-02-02 08:00"), decision=None, subject="referral"),
        a_referral("no", at("2026-02-02 00:00"), subject="referral", occurred_on=date(2026, 2, 2)),
    )

    assert story.wait_until(SETTLED).offers() == [("ungevaerftet", "helsingoer")]


def test_case_53_a_stay_whose_end_was_told_to_be_missing_holds_nothing_back() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        a_consent("consent", MONDAY - timedelta(days=1)),
        a_step("stin", MONDAY, "admitted", episode_id="somatic", unit=SOMATIC),
    )
    for days in (120, 200, 300):
        ended = MONDAY + timedelta(days=days)
        visit = {"episode_id": f"visit-{days}", "unit": EMERGENCY, "stay_class": "emergency"}
        story.tell(ended, a_step(f"staa-{days}", ended - timedelta(hours=6), "admitted", **visit))
        story.tell(ended, a_step(f"slhj-{days}", ended, "discharged_home", **visit)).wait_until(ended + SETTLE)
        assert story.to_programmes()[-1] == ("offered", "ungevaerftet", None)
        story.reply(ended + timedelta(hours=1), "ungevaerftet", "declined", side="young_person")

    assert [state for _, state, _ in story.needs()] == ["closed"] * 3


def test_case_53_an_end_beside_a_stay_that_lasts_raises_its_need_once_the_missing_end_was_told() -> None:
    story = an_overlapping_story()
    story.wait_until(MONDAY + timedelta(days=7) - timedelta(minutes=1))
    before = (story.needs(), story.notices())
    story.wait_until(MONDAY + timedelta(days=7))

    assert before == ([], [])
    assert story.notices() == [("stay_end_missing", "municipality-0217")]
    assert story.offers() == [("ungevaerftet", "helsingoer")]
    later = MONDAY + timedelta(days=8)
    story.tell(later, a_step("slhj-2", later, "discharged_home", episode_id="episode-2")).wait_until(later + SETTLE)
    assert [state for _, state, _ in story.needs()] == ["offered"]
    assert len(story.offers()) == 1


@pytest.mark.parametrize("episode", ["episode-1", UNNUMBERED])
def test_case_54_a_second_discharge_under_the_same_episode_is_a_need_of_its_own(episode: str) -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=9), "admitted", episode_id=episode),
        a_step("slhj", MONDAY, "discharged_home", episode_id=episode),
    )
    story.wait_until(SETTLED)
    for hours, status in ((1, "accepted"), (2, "first_contact"), (3, "fulfilled")):
        story.reply(MONDAY + timedelta(hours=hours), "ungevaerftet", status)
    later = MONDAY + timedelta(days=60)
    story.tell(later, a_step("slhj-2", later, "discharged_home", episode_id=episode)).wait_until(later + SETTLE)

    assert [state for _, state, _ in story.needs()] == ["closed", "offered"]


def test_case_54_the_same_end_told_again_within_a_day_is_the_same_end() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    later = MONDAY + timedelta(hours=6)
    story.tell(later, a_step("slhj-again", later, "discharged_home")).wait_until(later + SETTLE)

    assert len(story.offers()) == len(story.needs()) == 1


def test_case_55_two_discharges_that_have_settled_are_one_offer_carried_on_by_the_newest() -> None:
    story = Story().tell(
        at("2026-02-02 16:00"),
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=9), "admitted"),
        a_step("slhj", MONDAY, "discharged_home"),
        readmitted(at("2026-02-02 11:00")),
        a_step("slhj-2", at("2026-02-02 15:00"), "discharged_home", episode_id="episode-2"),
    )
    story.wait_until(at("2026-02-02 16:15"))

    assert story.needs() == [("aftercare", "offered", None)]
    assert len(story.offers()) == 1
    assert story.pathway.handovers[0].occurred_at == story.pathway.needs[0].covers


@pytest.mark.parametrize("other", ["discharge", "course", "referral"])
def test_case_55_whatever_else_is_told_while_one_is_under_way_makes_no_second(other: str) -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    later = MONDAY + timedelta(hours=3)
    told = {
        "discharge": a_step("of-a-list", later, "discharged_home", episode_id="of-a-list", source="municipality-0217"),
        "course": a_course("course", later, "stime", "dropped_out"),
        "referral": a_referral("referral", later),
    }
    story.tell(later, told[other]).wait_until(MONDAY + timedelta(days=1))

    assert len(story.needs()) == 1
    live = [one for one in story.pathway.handovers if one.state in ("offered", "accepted", "in_contact")]
    assert len(live) == len(story.offers()) == 1


def test_case_55_what_another_office_told_after_a_programme_took_over_is_offered_when_that_is_done() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.reply(MONDAY + timedelta(hours=2), "ungevaerftet", "first_contact")
    later = MONDAY + timedelta(days=10)
    story.tell(later, a_course("course", later, "stime", "dropped_out")).wait_until(later + timedelta(days=1))
    meanwhile = len(story.offers())
    story.reply(later + timedelta(days=2), "ungevaerftet", "fulfilled")

    assert meanwhile == 1
    assert len(story.offers()) == 2
    assert [row[1:] for row in story.needs()] == [("closed", "fulfilled"), ("offered", None)]


def test_case_56_nothing_is_offered_in_hospital_and_the_next_discharge_goes_on_with_the_same_need() -> None:
    story = a_discharged_story(an_anonymous_consent())
    story.tell(MONDAY + timedelta(minutes=10), readmitted(MONDAY + timedelta(minutes=10)))
    story.wait_until(MONDAY + timedelta(days=4))
    waiting = (story.offers(), story.needs(), story.pathway.needs[0].need_id)
    ended = MONDAY + timedelta(days=5)
    story.tell(ended, a_step("slhj-2", ended, "discharged_home", episode_id="episode-2")).wait_until(ended + SETTLE)

    assert waiting[:2] == ([], [("aftercare", "in_hospital", "readmitted")])
    assert [need.need_id for need in story.pathway.needs] == [waiting[2]]
    assert story.offers() == [("ungevaerftet", "helsingoer")]


@pytest.mark.parametrize("status", ["offered", "waitlisted"])
def test_case_56_a_pending_offer_is_withdrawn_on_readmission_and_offered_after_the_next_discharge(status: str) -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    if status == "waitlisted":
        story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "waitlisted", waitlisted_until=date(2026, 2, 20))
    again = MONDAY + timedelta(hours=2)
    story.tell(again, readmitted(again)).wait_until(again + timedelta(days=3))
    meanwhile = story.to_programmes()[-1]
    ended = again + timedelta(days=4)
    story.tell(ended, a_step("slhj-2", ended, "discharged_home", episode_id="episode-2")).wait_until(ended + SETTLE)

    assert meanwhile == ("withdrawn", "ungevaerftet", "readmitted")
    assert story.to_programmes()[-1] == ("offered", "ungevaerftet", None)
    assert len({need.need_id for need in story.pathway.needs}) == 1


def test_case_56_an_accepted_one_goes_on_and_is_told_of_the_readmission_once() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    again = MONDAY + timedelta(hours=2)
    story.tell(again, readmitted(again), a_person("touch", occurred_at=again)).wait_until(again + timedelta(days=2))
    ended = again + timedelta(days=4)
    story.tell(ended, a_step("slhj-2", ended, "discharged_home", episode_id="episode-2")).wait_until(ended + SETTLE)

    assert story.to_programmes("updated")[0] == ("updated", "ungevaerftet", "readmitted")
    assert [reason for _, _, reason in story.to_programmes("updated")].count("readmitted") == 1
    assert story.needs() == [("aftercare", "taken_over", None)]
    assert len(story.offers()) == 1


def test_case_64_readmitted_under_the_same_episode_an_accepted_plan_goes_on_and_empty_events_say_nothing() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=20), "admitted"),
        a_step("plan", MONDAY, "discharge_planned", planned_at=MONDAY + timedelta(days=5)),
    )
    ended = MONDAY + timedelta(days=5)
    story.tell(ended, a_step("slhj", ended, "discharged_home")).wait_until(ended + SETTLE)
    story.reply(ended + timedelta(hours=1), "ungevaerftet", "accepted")
    again = ended + timedelta(hours=2)
    story.tell(again, a_step("stin-2", again, "admitted"))
    said = len(story.to_programmes())
    for hour in range(4):
        story.tell(again + timedelta(hours=hour), a_person(f"touch-{hour}"))

    assert story.to_programmes()[-1] == ("updated", "ungevaerftet", "readmitted")
    assert len(story.to_programmes()) == said
    assert story.needs() == [("aftercare", "taken_over", None)]


def test_case_67_a_revision_between_two_that_comes_last_keeps_need_and_handover() -> None:
    middle, last = an_id("middle"), an_id("last")
    first = a_step("first", MONDAY, "discharged_home")
    between = a_step("middle", MONDAY, "discharged_home", revises=first.event_id, event_id=middle)
    latest = a_step("last", MONDAY, "discharged_home", revises=middle, event_id=last)
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), latest).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    need_id = story.pathway.needs[0].need_id
    story.tell(MONDAY + timedelta(hours=2), between)
    between_told = [need.need_id for need in story.pathway.needs]
    story.tell(MONDAY + timedelta(hours=3), first).wait_until(MONDAY + timedelta(days=1))

    assert between_told == [need_id]
    assert story.pathway.needs[-1].state == "taken_over"
    assert {need_id, story.pathway.needs[-1].need_id} >= {need.need_id for need in story.pathway.needs}
    assert story.to_programmes("withdrawn") == []


def test_case_56_what_was_corrected_while_in_hospital_says_so() -> None:
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), a_referral("referral", MONDAY)).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=1), a_step("stin", MONDAY + timedelta(hours=1), "admitted"))
    later = MONDAY + timedelta(hours=2)
    story.tell(later, a_referral("decided", later, decision="accepted", subject="referral"))

    assert story.needs() == [("aftercare", "closed", "referral_corrected")]


def test_case_53_what_was_decided_of_an_end_beside_a_stay_decides_nothing_of_the_next_admissions_end() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin-1", MONDAY - timedelta(days=9), "admitted"),
        a_step("stin-2", MONDAY - timedelta(days=8), "admitted", episode_id="episode-2", stay_class="emergency"),
        a_step("slhj-2", MONDAY, "discharged_home", episode_id="episode-2", stay_class="emergency"),
    )
    story.wait_until(MONDAY + timedelta(days=7, hours=1))
    story.reply(MONDAY + timedelta(days=7, hours=1), "ungevaerftet", "declined", side="young_person")
    again, ended = MONDAY + timedelta(days=40), MONDAY + timedelta(days=46)
    story.tell(again, a_step("stin-3", again, "admitted", episode_id="episode-2"))
    story.tell(ended, a_step("slhj-3", ended, "discharged_home", episode_id="episode-2")).wait_until(ended + SETTLE)

    assert [state for _, state, _ in story.needs()] == ["closed", "offered"]


def test_case_75_a_second_plan_of_a_stay_that_has_ended_takes_nothing_from_who_has_taken_over() -> None:
    planned: dict[str, Any] = {"status": "discharge_planned", "planned_at": at("2026-02-10 10:00")}
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=9), "admitted"),
        readmitted(MONDAY - timedelta(days=8)),
        a_step("plan", MONDAY, **planned),
        a_step("letter", MONDAY - timedelta(hours=1), "discharged_home", episode_id=UNNUMBERED),
    )
    story.wait_until(SETTLED).reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")

    story.tell(
        MONDAY + timedelta(hours=5), a_step("plan-2", MONDAY + timedelta(hours=4), episode_id="episode-2", **planned)
    )
    story.wait(hours=1)

    assert story.needs() == [("aftercare", "taken_over", None)]
    assert story.to_programmes("withdrawn") == []


@pytest.mark.parametrize("answer", ["fulfilled", "declined"])
def test_case_79_the_end_of_a_stay_raises_a_need_though_one_of_an_episode_beside_it_was_decided(answer: str) -> None:
    story = an_overlapping_story()
    told = MONDAY + timedelta(days=7, hours=1)
    story.wait_until(told)
    if answer == "fulfilled":
        story.reply(told, "ungevaerftet", "accepted").reply(told, "ungevaerftet", "first_contact")
        story.reply(told + timedelta(days=9), "ungevaerftet", "fulfilled")
    else:
        story.reply(told, "ungevaerftet", "declined", side="young_person")
    ended = MONDAY + timedelta(days=50)

    story.tell(ended, a_step("slhj-2", ended, "discharged_home", episode_id="episode-2")).wait_until(ended + SETTLE)

    assert [state for _, state, _ in story.needs()] == ["closed", "offered"]


def test_case_80_what_waited_goes_on_at_once_when_what_a_programme_had_turns_out_void() -> None:
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent(), a_referral("rejected", MONDAY)).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    later = MONDAY + timedelta(days=1)
    story.tell(later, a_course("course", later, "stime", "dropped_out")).wait_until(later + timedelta(hours=1))

    story.tell(later + timedelta(days=1), a_referral("void", MONDAY, cancels=an_id("rejected")))

    assert [row[1:] for row in story.needs()] == [("closed", "referral_corrected"), ("offered", None)]


def test_case_81_the_end_of_a_stay_raises_a_need_though_one_that_seemed_it_was_declined_before() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(SETTLED + timedelta(minutes=30), "ungevaerftet", "declined", side="young_person")
    beside = a_step("stin-2", MONDAY - timedelta(days=5), "admitted", episode_id="episode-2")
    ended = MONDAY + timedelta(days=2)

    story.tell(MONDAY + timedelta(hours=2), beside).wait_until(ended)
    assert [need[1:] for need in story.needs()] == [("closed", "declined_by_young_person")]
    story.tell(ended, a_step("slhj-2", ended, "discharged_home", episode_id="episode-2")).wait_until(ended + SETTLE)

    assert [state for _, state, _ in story.needs()] == ["closed", "offered"]


def test_case_81_what_was_declined_once_the_stay_had_ended_is_not_offered_again() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    ended = MONDAY + timedelta(days=2)
    story.tell(MONDAY + timedelta(hours=2), a_step("stin-2", MONDAY - timedelta(days=5), "admitted", episode_id="e-2"))
    story.tell(ended, a_step("slhj-2", ended, "discharged_home", episode_id="e-2")).wait_until(ended + SETTLE)
    story.reply(ended + timedelta(hours=1), "ungevaerftet", "declined", side="young_person")

    story.tell(ended + timedelta(hours=2), a_step("slhj-1-again", MONDAY, "discharged_home")).wait(days=30)

    assert [need[1:] for need in story.needs()] == [("closed", "declined_by_young_person")]
