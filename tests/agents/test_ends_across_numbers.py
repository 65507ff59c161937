"""What is told under one number of a person reaches what goes on under the others (docs/specification/cases.md)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from schemas.events import Intervention
from tests.agents.numbers import (
    BEGINS,
    NEW,
    OLD,
    SETTLED,
    THIRD,
    a_discharge,
    a_link,
    a_reply,
    a_town,
    known,
    needs_of,
    of,
)
from tests.agents.town import Town
from tests.domain.story import MONDAY, a_consent, a_named_consent, a_person, a_step, header


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("told_under", [(OLD, NEW), (NEW, OLD)])
def test_case_42_a_link_of_410_days_ago_still_makes_one_pathway(partitions: int, told_under: tuple[str, str]) -> None:
    town = a_town(partitions)
    town.tell(BEGINS, *known(OLD, NEW), a_link("link", BEGINS))
    consented, discharged = told_under
    later = BEGINS + timedelta(days=410)
    town.tell(later, *of(consented, a_consent("consent-later", later)))
    town.tell(later, *of(discharged, *a_discharge(later)))
    town.wait_until(later + SETTLED)

    assert needs_of(town, NEW) == [("offered", None)]
    assert needs_of(town, OLD) == []
    assert len(town.handovers()) == 1


@pytest.mark.parametrize("kept_busy", [OLD, NEW])
def test_rule_i3_a_link_is_remembered_as_long_as_either_pathway_is_and_is_undone_as_late(kept_busy: str) -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW), a_link("link", BEGINS))
    for days in (300, 600, 900):
        now = BEGINS + timedelta(days=days)
        town.tell(now, *of(kept_busy, a_step(f"step-{days}", now, "admitted", episode_id=f"episode-{days}")))
    linked = town.pathway(OLD).merged_into
    undone = BEGINS + timedelta(days=930)
    town.tell(undone, a_link("undone", undone, undone=True))

    assert linked == NEW
    assert town.pathway(OLD).merged_into is None
    assert town.pathway(NEW).borrowed == ()


def taken_over_and_linked(town: Town) -> datetime:
    """Has headspace take over by name under the old number, which is replaced then; returns a time after that."""
    person = a_person(municipality="0101")
    by_name = a_named_consent("named", "2026-01-05 08:00", "young_person")
    town.tell(BEGINS, *of(OLD, person, by_name), *of(NEW, person))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)))
    town.wait_until(MONDAY + SETTLED)
    accepted = MONDAY + timedelta(hours=1)
    town.tell(accepted, a_reply(town, accepted, "accepted"))
    linked = MONDAY + timedelta(hours=2)
    town.tell(linked, a_link("link", linked))
    return linked + timedelta(days=1)


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(
    ("decision", "reason"), [("withdrawn", "consent_withdrawn"), ("refused", "declined_by_young_person")]
)
def test_case_44_a_withdrawal_under_the_new_number_recalls_what_goes_on_under_the_old(
    partitions: int, decision: str, reason: str, *, twice: bool
) -> None:
    town = a_town(partitions, twice=twice)
    later = taken_over_and_linked(town)
    ended = a_named_consent("no", "2026-02-03 11:00", "young_person", decision=decision)
    town.tell(later, *of(NEW, ended))
    town.tell(later + timedelta(hours=1), a_reply(town, later + timedelta(hours=1), "identity_wanted"))

    assert [one[:3] for one in town.handovers()] == [
        ("offered", "headspace", None),
        ("reply_accepted", "headspace", "accepted"),
        ("withdrawn", "headspace", reason),
        ("reply_refused", "headspace", "handover_withdrawn"),
    ]
    assert [one.state for one in town.pathway(OLD).handovers] == ["withdrawn"]
    assert {state for youth in (OLD, NEW) for state, _ in needs_of(town, youth)} == {"closed"}


def test_case_44_a_consent_given_afterwards_brings_one_offer_under_the_new_number() -> None:
    town = a_town()
    later = taken_over_and_linked(town)
    town.tell(later, *of(NEW, a_named_consent("no", "2026-02-03 11:00", "young_person", decision="withdrawn")))
    again = later + timedelta(days=1)
    town.tell(again, *of(OLD, a_named_consent("again", "2026-02-04 11:00", "young_person")))
    town.wait_until(again + SETTLED)

    assert [one[0] for one in town.handovers()].count("offered") == 2
    assert needs_of(town, OLD) == [("closed", "consent_withdrawn")]
    assert needs_of(town, NEW) == [("offered", None)]


@pytest.mark.parametrize("linked_first", [True, False])
@pytest.mark.parametrize("chain_first", [True, False])
def test_rule_i5_a_withdrawal_under_the_last_of_three_numbers_reaches_the_first_whichever_came_before(
    *, linked_first: bool, chain_first: bool
) -> None:
    town = a_town()
    town.tell(BEGINS, *of(THIRD, a_person(municipality="0101")))
    if chain_first:
        town.tell(BEGINS, a_link("onward", BEGINS, NEW, THIRD))
    later = taken_over_and_linked(town)
    ended = of(THIRD, a_named_consent("no", "2026-02-03 11:00", "young_person", decision="withdrawn"))
    onward = [] if chain_first else [a_link("onward", later, NEW, THIRD)]
    town.tell(later, *([*onward, *ended] if linked_first else [*ended, *onward]))

    assert town.handovers()[-1][:3] == ("withdrawn", "headspace", "consent_withdrawn")
    assert [one.state for one in town.pathway(OLD).handovers] == ["withdrawn"]


def test_rule_i5_a_birthday_told_under_the_new_number_asks_for_the_young_persons_own_consent() -> None:
    town = a_town()
    holder = a_named_consent("holder", "2026-01-05 08:00", "custody_holder", custody="sole")
    town.tell(BEGINS, *of(OLD, a_person(municipality="0101", birth_date=date(2011, 6, 1)), holder))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)))
    town.wait_until(MONDAY + SETTLED)
    accepted = MONDAY + timedelta(hours=1)
    town.tell(accepted, a_reply(town, accepted, "accepted"))
    linked = MONDAY + timedelta(hours=2)
    corrected = a_person("corrected", occurred_at=linked, municipality="0101", birth_date=date(2011, 2, 3))
    town.tell(linked, a_link("link", linked), *of(NEW, corrected))
    town.wait_until(MONDAY + timedelta(days=2))
    pulled = MONDAY + timedelta(days=2)
    town.tell(pulled, a_reply(town, pulled, "identity_wanted"))

    assert [one["reason_code"] for one in town.notices()] == ["own_consent_wanted"]
    assert town.handovers()[-1][:3] == ("reply_refused", "headspace", "own_consent_wanted")


@pytest.mark.parametrize("partitions", [1, 4])
def test_rule_i5_a_death_under_the_new_number_withdraws_what_goes_on_under_the_old_without_a_reason(
    partitions: int,
) -> None:
    town = a_town(partitions)
    later = taken_over_and_linked(town)
    town.tell(later, *of(NEW, a_step("mors", later, "deceased", episode_id="elsewhere")))
    said = len(town.handovers())
    town.wait_until(later + timedelta(days=200))

    assert needs_of(town, OLD) == [("closed", "deceased")]
    assert town.handovers()[-1][:3] == ("withdrawn", "headspace", None)
    assert len(town.handovers()) == said
    assert town.notices() == []


@pytest.mark.parametrize("partitions", [1, 4])
def test_rule_i5_a_move_under_the_new_number_is_told_to_whom_has_taken_over_under_the_old(partitions: int) -> None:
    town = a_town(partitions)
    later = taken_over_and_linked(town)
    town.tell(later, *of(NEW, a_person("moved", occurred_at=later, municipality="0217")))
    town.wait_until(later + timedelta(days=1))

    assert needs_of(town, OLD) == [("taken_over", None)]
    assert town.handovers()[-1][:3] == ("updated", "headspace", "moved")
    assert [(one["recipient"], one["reason_code"]) for one in town.notices()] == [("municipality-0217", "moved")]


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("told_under", [OLD, NEW])
def test_rule_i5_an_erasure_under_either_number_recalls_and_forgets_under_both(
    partitions: int, told_under: str
) -> None:
    town = a_town(partitions)
    later = taken_over_and_linked(town)
    fields = {"action": "erased", "actor": "operations", "role": "operations"}
    town.tell(later, Intervention.model_validate(header("erased", later, youth_id=told_under) | fields))

    assert town.handovers()[-1][:3] == ("withdrawn", "headspace", "erased")
    for youth in (OLD, NEW):
        pathway = town.pathway(youth)
        assert pathway.erased
        assert (pathway.facts, pathway.borrowed, pathway.shared) == ((), (), ())
    assert needs_of(town, OLD) == [("closed", "erased")]


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("told_first", [True, False])
def test_case_67_a_revision_passed_on_without_its_original_has_need_and_handover_ids_of_its_own(
    partitions: int, *, told_first: bool
) -> None:
    town = a_town(partitions)
    original = a_step("slhj", MONDAY, "discharged_home")
    revision = a_step("re-slhj", MONDAY, "discharged_home", revises=original.event_id)
    town.tell(BEGINS, *known(OLD, NEW))
    town.tell(MONDAY, revision.model_copy(update={"youth_id": OLD}))
    if told_first:
        town.tell(MONDAY, original.model_copy(update={"youth_id": NEW}))
    town.wait_until(MONDAY + SETTLED)
    linked = MONDAY + timedelta(hours=1)
    town.tell(linked, a_link("link", linked))
    town.wait_until(linked + SETTLED)
    if not told_first:
        town.tell(linked + SETTLED, original.model_copy(update={"youth_id": NEW}))
    town.wait_until(linked + timedelta(days=1))

    for kept in ("needs", "handovers"):
        ids = [
            {one.need_id if kept == "needs" else one.handover_id for one in getattr(town.pathway(youth), kept)}
            for youth in (OLD, NEW)
        ]
        assert ids[0]
        assert ids[1]
        assert ids[0].isdisjoint(ids[1])
    assert needs_of(town, OLD) == [("closed", "linked")]
    assert [state for state, _ in needs_of(town, NEW) if state != "closed"] == ["offered"]
    live = [one for youth in (OLD, NEW) for one in town.pathway(youth).handovers if one.state == "offered"]
    assert len(live) == 1


@pytest.mark.parametrize("partitions", [1, 4])
def test_rule_i2_what_was_taken_back_before_the_link_offers_nothing_for_a_moment(partitions: int) -> None:
    town = a_town(partitions)
    town.tell(BEGINS, *of(OLD, a_person()), *of(NEW, a_person()))
    town.tell(MONDAY, *of(NEW, *a_discharge(MONDAY)))
    [mistaken] = of(OLD, a_consent("mistaken", MONDAY))
    town.tell(MONDAY, mistaken, *of(OLD, a_consent("void", MONDAY, cancels=mistaken.event_id)))
    town.wait_until(MONDAY + SETTLED)

    linked = MONDAY + timedelta(hours=2)
    town.tell(linked, a_link("link", linked))
    town.wait_until(linked + timedelta(days=1))

    assert town.handovers() == []
