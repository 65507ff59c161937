"""Cases of docs/specification/cases.md about bridging: one wish after another, and beside stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domain.story import MONDAY, SETTLED, Story, a_bridging, a_consent, a_person, a_step, at

SETTLE = timedelta(minutes=15)


def a_bridged_story() -> Story:
    """Tells of a bridging on a Monday at 10, and waits until it was offered to headspace."""
    consent = a_consent("bridging", at("2026-02-01 10:00"), purpose="bridging")
    return Story().tell(MONDAY, a_person(), consent, a_bridging("wish", MONDAY, "ungevaerftet")).wait_until(SETTLED)


def test_case_36_bridging_goes_either_way_and_a_third_time_within_thirty_days_to_a_person() -> None:
    consent = a_consent("bridging", at("2026-02-01 10:00"), purpose="bridging")
    story = Story().tell(MONDAY, a_person(), consent)
    for number, (day, asker) in enumerate((("02", "headspace"), ("09", "ungevaerftet"), ("16", "headspace"))):
        when = f"2026-02-{day} 10:00"
        story.tell(at(when), a_bridging(f"bridging-{number}", at(when), asker)).wait_until(at(when) + SETTLE)
    offered = [one for one in story.to_programmes() if one[0] == "offered"]
    assert offered[:2] == [("offered", "ungevaerftet", None), ("offered", "headspace", None)]
    assert story.needs()[2] == ("bridging", "with_person", "bridging_loop")
    roots = {one.need_id: one.root for one in story.pathway.needs}
    assert len(roots) == len(set(roots.values())) == 3


@pytest.mark.parametrize("told", [["slhj"], ["stin"], ["stin", "slhj"]])
def test_case_74_a_bridging_goes_on_while_a_stay_does_or_its_end_settles(told: list[str]) -> None:
    steps = {
        "stin": a_step("stin", MONDAY + timedelta(hours=1), "admitted"),
        "slhj": a_step("slhj", MONDAY + timedelta(hours=2), "discharged_home"),
    }
    story = a_bridged_story().tell(MONDAY + timedelta(hours=3), *(steps[name] for name in told))
    assert story.needs() == [("bridging", "offered", None)]

    story.reply(MONDAY + timedelta(hours=3, minutes=5), "headspace", "declined", side="programme")
    assert [need for need in story.needs() if need[0] == "bridging"] == [("bridging", "with_person", "no_answer")]

    story.decide(MONDAY + timedelta(hours=3, minutes=6), "offered", programme="headspace")
    assert [need for need in story.needs() if need[0] == "bridging"] == [("bridging", "offered", None)]


@pytest.mark.parametrize(("wished", "state"), [("2026-02-02 12:00", "taken_over"), ("2026-02-03 12:00", "closed")])
def test_case_76_what_was_wished_for_before_a_programme_took_over_hands_nobody_on(wished: str, state: str) -> None:
    story = a_bridged_story()
    story.tell(at("2026-02-02 13:00"), a_person("elsewhere")).reply(at("2026-02-02 14:00"), "headspace", "accepted")

    story.tell(at("2026-02-03 13:00"), a_bridging("onward", at(wished), "headspace")).wait_until(at("2026-02-03 13:15"))

    assert story.needs()[0][1] == state


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0)])
def test_rule_f9_the_third_wish_to_bridge_within_thirty_days_is_a_persons_in_any_order(order: tuple[int, ...]) -> None:
    days = (("02", "headspace"), ("09", "ungevaerftet"), ("16", "headspace"))
    wishes = [a_bridging(f"wish-{day}", at(f"2026-02-{day} 10:00"), asker) for day, asker in days]
    told = at("2026-02-17 10:00")
    story = Story().tell(told, a_person(), a_consent("bridging", at("2026-02-01 10:00"), purpose="bridging"))
    for number, index in enumerate(order):
        when = told + timedelta(hours=2 * number)
        story.tell(when, wishes[index]).wait_until(when + SETTLE)
        for one in [one for one in story.pathway.handovers if one.state == "offered" and not number]:
            story.reply(when + timedelta(minutes=30), one.programme, "declined", side="programme")

    assert [need.state for need in story.pathway.needs if need.root == str(wishes[2].event_id)] == ["with_person"]
