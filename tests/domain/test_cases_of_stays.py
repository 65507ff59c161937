"""Cases by number (docs/specification/cases.md): stays, what they are and what ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    EMERGENCY,
    MONDAY,
    SETTLED,
    SOMATIC,
    UNKNOWN_UNIT,
    Story,
    a_discharged_story,
    a_person,
    a_step,
    an_anonymous_consent,
    an_id,
    an_overlapping_story,
)


def test_case_01_discharge_with_anonymous_consent_is_offered_once_to_ungevaerftet_when_settled() -> None:
    story = a_discharged_story(an_anonymous_consent())

    assert story.needs() == []
    story.wait_until(SETTLED)
    assert story.offers() == [("ungevaerftet", "helsingoer")]
    assert story.when("offered") == [SETTLED]
    assert story.needs() == [("aftercare", "offered", None)]


def test_case_03_discharge_before_its_admission_is_as_case_01() -> None:
    told = MONDAY
    story = Story().tell(
        told,
        a_step("slhj", told, "discharged_home"),
        a_step("stin", told - timedelta(days=20), "admitted"),
        an_anonymous_consent(),
        a_person(),
    )

    story.wait_until(SETTLED)
    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_04_cancelled_discharge_within_the_settle_time_makes_no_need() -> None:
    story = a_discharged_story(an_anonymous_consent())
    story.tell(MONDAY + timedelta(minutes=5), a_step("an-slhj", MONDAY, "discharged_home", cancels=an_id("slhj")))

    story.wait_until(MONDAY + timedelta(days=3))
    assert story.needs() == []
    assert story.said == []


def test_case_04_cancelled_discharge_after_the_offer_withdraws_it_and_the_stay_is_open_again() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=2), a_step("an-slhj", MONDAY, "discharged_home", cancels=an_id("slhj")))

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", "discharge_cancelled")]
    assert story.needs() == [("aftercare", "closed", "discharge_cancelled")]
    again = story.tell(MONDAY + timedelta(days=1), a_step("slhj-2", MONDAY + timedelta(days=1), "discharged_home"))
    again.wait(minutes=15)
    assert len(again.wait_until(MONDAY + timedelta(days=1, minutes=15)).offers()) == 2


def test_case_05_cancel_before_the_discharge_it_cancels_makes_no_need_ever() -> None:
    story = Story().tell(MONDAY, a_person(), a_step("an-slhj", MONDAY, "discharged_home", cancels=an_id("slhj")))
    story.tell(MONDAY, a_step("stin", MONDAY - timedelta(days=3), "admitted"), an_anonymous_consent())
    story.tell(MONDAY + timedelta(hours=1), a_step("slhj", MONDAY, "discharged_home"))

    story.wait_until(MONDAY + timedelta(days=5))
    assert story.needs() == []


@pytest.mark.parametrize("pointer", ["cancels", "revises"])
@pytest.mark.parametrize("first", [True, False])
def test_nobody_corrects_what_another_source_has_said(pointer: str, *, first: bool) -> None:
    story = Story().tell(MONDAY, a_person(), an_anonymous_consent())
    own = a_step("slhj", MONDAY, "discharged_home")
    foreign = a_step(
        "foreign", MONDAY - timedelta(days=9), "admitted", source="sor:another", **{pointer: an_id("slhj")}
    )
    story.tell(MONDAY, *((foreign, own) if first else (own, foreign)))
    story.wait_until(SETTLED)

    assert [row[:2] for row in story.to_programmes()] == [("offered", "ungevaerftet")]
    assert story.needs() == [("aftercare", "offered", None)]


def test_a_programme_moves_nobody_whose_municipality_others_have_said() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    later = MONDAY + timedelta(hours=2)
    story.tell(later, a_person("moved", municipality="0101", source="headspace", occurred_at=later))

    assert [row[:2] for row in story.to_programmes()] == [("offered", "ungevaerftet")]


def test_a_programme_may_say_where_somebody_lives_of_whom_nobody_else_does() -> None:
    story = Story().tell(MONDAY, a_person(source="headspace"), an_anonymous_consent())
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)

    assert [programme for programme, _ in story.offers()] == ["ungevaerftet"]


def test_case_06_revised_discharge_updates_the_one_offer() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    earlier = MONDAY - timedelta(days=1)
    story.tell(MONDAY + timedelta(hours=1), a_step("re-slhj", earlier, "discharged_home", revises=an_id("slhj")))

    assert [row[0] for row in story.to_programmes()] == ["offered", "updated"]
    assert len(story.pathway.needs) == 1
    assert story.said[-1][1].fields["occurred_on"] == story.said[0][1].fields["occurred_on"] - 1


def test_case_06_revised_before_it_is_settled_makes_one_need_with_the_new_time() -> None:
    story = a_discharged_story(an_anonymous_consent())
    earlier = MONDAY - timedelta(days=1)
    story.tell(MONDAY + timedelta(minutes=3), a_step("re-slhj", earlier, "discharged_home", revises=an_id("slhj")))

    story.wait_until(SETTLED)
    assert [row[0] for row in story.to_programmes()] == ["offered"]


def test_case_07_transfer_goes_on_as_one_stay_and_the_second_hospitals_discharge_makes_the_need() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin-a", MONDAY - timedelta(days=9), "admitted"),
        a_step(
            "stin-b",
            MONDAY - timedelta(days=3),
            "admitted",
            episode_id="episode-b",
            unit=SOMATIC,
            source="sor:900000000000002",
        ),
    )

    story.wait_until(MONDAY + timedelta(days=1))
    assert story.needs() == []
    story.tell(
        MONDAY + timedelta(days=1),
        a_step("slhj-b", MONDAY + timedelta(days=1), "discharged_home", episode_id="episode-b", unit=SOMATIC),
    )
    story.wait_until(MONDAY + timedelta(days=1, minutes=15))
    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_08_leave_is_no_discharge() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("stin", MONDAY - timedelta(days=9), "admitted"),
        a_step("stor", MONDAY - timedelta(days=3), "on_leave"),
        a_step("slor", MONDAY - timedelta(days=1), "back"),
    )

    story.wait_until(MONDAY + timedelta(days=20))
    assert story.needs() == []


def test_case_09_death_closes_every_need_withdraws_every_offer_and_says_no_more_than_that() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=3), a_step("mors", MONDAY + timedelta(hours=2), "deceased"))

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", None)]
    assert story.needs() == [("aftercare", "closed", "deceased")]
    story.wait_until(MONDAY + timedelta(days=40))
    assert len(story.offers()) == 1


def test_case_09_death_cancelled_reopens_the_need_which_is_decided_anew() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.tell(MONDAY + timedelta(hours=3), a_step("mors", MONDAY + timedelta(hours=2), "deceased"))
    first = story.handover_id("ungevaerftet")
    story.tell(
        MONDAY + timedelta(hours=4), a_step("an-mors", MONDAY + timedelta(hours=2), "deceased", cancels=an_id("mors"))
    )

    assert story.offers() == [("ungevaerftet", "helsingoer")] * 2
    assert story.handover_id("ungevaerftet") != first
    assert [one.state for one in story.pathway.handovers] == ["withdrawn", "offered"]


def test_case_10_somatic_discharge_is_out_of_scope() -> None:
    story = Story().tell(
        MONDAY,
        a_step("stin", MONDAY - timedelta(days=2), "admitted", unit=SOMATIC),
        a_step("slhj", MONDAY, "discharged_home", unit=SOMATIC),
        a_person(),
        an_anonymous_consent(),
    )

    assert story.outcomes[:2] == ["out_of_scope", "out_of_scope"]
    story.wait_until(MONDAY + timedelta(days=2))
    assert story.needs() == []


def test_case_10_discharge_home_from_a_psychiatric_emergency_unit_is_a_need() -> None:
    story = Story().tell(
        MONDAY,
        a_person(),
        an_anonymous_consent(),
        a_step("staa", MONDAY - timedelta(hours=6), "admitted", unit=EMERGENCY, stay_class="emergency"),
        a_step("slhj", MONDAY, "discharged_home", unit=EMERGENCY, stay_class="emergency"),
    )

    assert len(story.wait_until(SETTLED).offers()) == 1


def test_case_11_unknown_unit_waits_with_operations_until_reference_data_names_it() -> None:
    story = (
        Story()
        .tell(
            MONDAY,
            a_person(),
            an_anonymous_consent(),
            a_step("stin", MONDAY - timedelta(days=2), "admitted", unit=UNKNOWN_UNIT),
            a_step("slhj", MONDAY, "discharged_home", unit=UNKNOWN_UNIT),
        )
        .wait_until(SETTLED)
    )

    assert story.notices() == [("unknown_unit", "operations")]
    assert story.needs() == [("aftercare", "awaiting_reference", "unknown_unit")]
    assert story.pathway.needs[0].owner == "operations"
    story = story.under(a_catalogue(2, units={UNKNOWN_UNIT: "child_psychiatry"}))
    story.tell(MONDAY + timedelta(days=1), a_person("touch"))
    assert story.offers() == [("ungevaerftet", "helsingoer")]


def test_case_12_no_need_while_an_overlapping_stay_lasts_and_its_missing_end_is_noticed_after_a_week() -> None:
    story = an_overlapping_story()

    story.wait_until(MONDAY + timedelta(days=6))
    assert story.needs() == []
    story.wait_until(MONDAY + timedelta(days=8))
    assert story.notices() == [("stay_end_missing", "municipality-0217")]


def test_case_12_a_stay_without_news_for_sixty_days_is_noticed() -> None:
    story = Story().tell(MONDAY, a_person(), a_step("stin", MONDAY, "admitted"))

    assert story.wait_until(MONDAY + timedelta(days=59)).notices() == []
    assert story.wait_until(MONDAY + timedelta(days=61)).notices() == [("stay_end_missing", "municipality-0217")]


@pytest.mark.parametrize("died", [True, False])
def test_that_a_patient_is_not_dead_undoes_a_death_that_was_told_and_nothing_else(*, died: bool) -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    if died:
        story.tell(MONDAY + timedelta(hours=1), a_step("mors", MONDAY + timedelta(hours=1), "deceased"))
    told = MONDAY + timedelta(hours=2)
    story.tell(told, a_step("re-slhj", MONDAY, "discharged_home", revises=an_id("slhj"), said_alive=True, sent_at=told))

    assert story.needs() == [("aftercare", "offered", None)]
    assert len(story.offers()) == (2 if died else 1)
