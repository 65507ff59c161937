"""Linked numbers are one pathway, and two again when they are not linked (docs/specification/cases.md 20)."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from tests.agents.test_signals import findings
from tests.domain.story import MONDAY, a_consent, a_letter, a_person, header


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("twice", [False, True])
def test_case_20_a_changed_number_is_one_pathway_that_events_under_either_reach(
    partitions: int, *, twice: bool
) -> None:
    town = a_town(partitions, twice=twice)
    stin, slhj = a_discharge(MONDAY)
    town.tell(BEGINS, *known(OLD), *of(OLD, stin), *of(NEW, a_person()), a_link("link", BEGINS))
    town.tell(MONDAY, *of(NEW, slhj))
    town.wait_until(MONDAY + SETTLED)

    assert needs_of(town, NEW) == [("offered", None)]
    assert needs_of(town, OLD) == []
    assert [one[:2] for one in town.handovers()] == [("offered", "ungevaerftet")]
    later = MONDAY + timedelta(days=1)
    town.tell(later, *of(OLD, a_consent("no", later, decision="withdrawn")))
    assert needs_of(town, NEW) == [("closed", "consent_withdrawn")]


def test_case_20_the_link_cancelled_they_are_two_again_each_with_its_own_events() -> None:
    town = a_town()
    other = a_discharge(MONDAY, "-of-the-other")
    town.tell(BEGINS, *known(OLD, NEW), a_link("link", BEGINS))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)), *of(NEW, *other))
    town.wait_until(MONDAY + SETTLED)
    linked = (len(town.pathway(OLD).needs), len(town.pathway(NEW).needs))
    later = MONDAY + timedelta(hours=2)
    town.tell(later, a_link("undone", later, undone=True))
    town.wait_until(later + SETTLED)

    assert linked == (0, 1)  # one stay in the end, told by both numbers
    assert town.pathway(NEW).borrowed == ()
    assert needs_of(town, OLD) == [("offered", None)]
    assert [state for state, _ in needs_of(town, NEW)].count("offered") == 1
    assert {need.root for need in town.pathway(OLD).needs} == {str(of(OLD, a_discharge(MONDAY)[1])[0].event_id)}


def test_what_waits_in_the_absorbed_pathway_ends_there_and_is_offered_from_the_other_without_a_word_of_why() -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)))
    town.wait_until(MONDAY + SETTLED)
    later = MONDAY + timedelta(hours=1)
    town.tell(later, a_link("link", later))
    town.wait_until(later + SETTLED)

    assert needs_of(town, OLD) == [("closed", "linked")]
    assert needs_of(town, NEW) == [("offered", None)]
    assert [one[:3] for one in town.handovers()] == [
        ("offered", "ungevaerftet", None),
        ("withdrawn", "ungevaerftet", "decided_anew"),
        ("offered", "ungevaerftet", None),
    ]
    handovers = [one.handover_id for youth in (OLD, NEW) for one in town.pathway(youth).handovers]
    assert len(set(handovers)) == 2


def test_what_a_programme_has_taken_over_goes_on_and_is_the_others_only_when_it_gives_up() -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)))
    town.wait_until(MONDAY + SETTLED)
    town.tell(MONDAY + timedelta(hours=1), a_reply(town, MONDAY + timedelta(hours=1), "accepted"))
    later = MONDAY + timedelta(hours=2)
    town.tell(later, a_link("link", later))
    town.wait_until(later + timedelta(days=1))
    while_taken = (needs_of(town, OLD), needs_of(town, NEW))
    end = later + timedelta(days=2)
    town.tell(end, a_reply(town, end, "ended", side="programme", reason_code="no_show"))
    town.wait_until(end + SETTLED)

    assert while_taken == ([("taken_over", None)], [])
    assert needs_of(town, OLD) == [("closed", "linked")]
    assert needs_of(town, NEW) == [("offered", None)]


def test_letters_in_free_text_are_read_once_where_they_came() -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW))
    town.tell(MONDAY, *of(OLD, a_letter("letter", MONDAY, "psychiatry_social_disability")))
    town.wait_until(MONDAY + SETTLED)
    later = MONDAY + timedelta(days=1)
    town.tell(later, a_link("link", later))
    town.wait_until(later + timedelta(days=1))

    assert [one["kind"] for one in town.notices()] == ["correspondence"]


def test_an_erased_pathway_takes_its_facts_back() -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW), *of(OLD, *a_discharge(MONDAY)), a_link("link", BEGINS))
    lent = len(town.pathway(NEW).borrowed)
    erased = header("erased", MONDAY, youth_id=OLD) | {
        "action": "erased",
        "actor": "operations",
        "role": "operations",
    }
    town.tell(MONDAY, Intervention.model_validate(erased))

    assert lent > 0
    assert (town.pathway(OLD).facts, town.pathway(NEW).borrowed) == ((), ())


def test_an_erased_pathway_borrows_nothing() -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW))
    erased = header("erased", MONDAY, youth_id=NEW) | {
        "action": "erased",
        "actor": "operations",
        "role": "operations",
    }
    town.tell(MONDAY, Intervention.model_validate(erased), a_link("link", MONDAY))

    assert town.pathway(NEW).borrowed == ()


@pytest.mark.parametrize("order", list(permutations([(OLD, NEW), (NEW, THIRD)])))
def test_a_number_replaced_twice_is_one_pathway_at_the_last(order: list[tuple[str, str]]) -> None:
    town = a_town()
    town.tell(BEGINS, *known(OLD, NEW, THIRD))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)))
    town.tell(MONDAY, *(a_link(f"link-{old}", BEGINS, old, new) for old, new in order))
    town.wait_until(MONDAY + SETTLED)
    joined = [needs_of(town, youth) for youth in (OLD, NEW, THIRD)]
    later = MONDAY + timedelta(hours=2)
    town.tell(later, a_link("undone", later, OLD, NEW, undone=True))
    town.wait_until(later + SETTLED)

    assert joined == [[], [], [("offered", None)]]
    assert {one.owner for one in town.pathway(THIRD).borrowed} == {NEW}
    assert needs_of(town, OLD) == [("offered", None)]
    assert needs_of(town, THIRD) == [("closed", "unlinked")]


@pytest.mark.parametrize("circle", [(OLD, NEW), (OLD, NEW, THIRD)])
def test_of_numbers_that_replace_each_other_in_a_circle_one_stays_by_itself(circle: tuple[str, ...]) -> None:
    town = a_town()
    town.tell(BEGINS, *known(*circle))
    town.tell(MONDAY, *of(OLD, *a_discharge(MONDAY)))
    town.tell(
        MONDAY,
        *(a_link(f"{one}-{two}", BEGINS, one, two) for one, two in zip(circle, (*circle[1:], OLD), strict=True)),
    )
    town.wait_until(MONDAY + SETTLED)

    assert [town.pathway(youth).merged_into is None for youth in circle].count(True) == 1
    assert [needs_of(town, youth) for youth in circle] == [*[[] for _ in circle[1:]], [("offered", None)]]


_ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("link", "unlink")), st.sampled_from((OLD, NEW)), st.sampled_from((NEW, OLD, THIRD))),
        st.tuples(st.sampled_from(("discharge", "consent", "withdraw")), st.sampled_from((OLD, NEW, THIRD)), st.none()),
        st.tuples(st.just("wait"), st.none(), st.none()),
    ),
    max_size=14,
)


@given(_ACTS, st.sampled_from((1, 3)))
def test_whatever_is_linked_and_undone_facts_lie_where_links_say_and_no_need_is_lost(
    acts: list[tuple[str, str | None, str | None]], partitions: int
) -> None:
    town, now, links = a_town(partitions), MONDAY, dict[str, str]()
    town.tell(BEGINS, *known(OLD, NEW, THIRD))
    for step, (act, one, other) in enumerate(acts):
        now += timedelta(minutes=7)
        match act, one, other:
            case "link" | "unlink", str(), str() if one != other:
                town.tell(now, a_link(f"{act}-{step}", now, one, other, undone=act == "unlink"))
                if act == "link":
                    links[one] = other
                elif links.get(one) == other:
                    del links[one]
            case "discharge", str(), _:
                town.tell(now, *of(one, *a_discharge(now, f"-{step}")))
            case (("consent" | "withdraw"), str(), _):
                decision = "given" if act == "consent" else "withdrawn"
                town.tell(now, *of(one, a_consent(f"{act}-{step}", now, decision=decision)))
            case _:
                town.wait_until(now := now + timedelta(hours=9))
    town.wait_until(now + SETTLED)

    for pathway in town.pathways():
        assert all(need.state == "closed" or (need.owner and need.clock_at) for need in pathway.needs)
        if pathway.merged_into is not None:
            assert all(need.state in ("taken_over", "closed") for need in pathway.needs)
            lent = {
                one.fact.event_id
                for one in town.pathway(pathway.merged_into).borrowed
                if one.lender == pathway.youth_id
            }
            assert lent == {fact.event_id for fact in pathway.facts} | {
                one.fact.event_id for one in pathway.borrowed if one.owner != pathway.merged_into
            }
        lenders = {one.lender for one in pathway.borrowed}
        assert all(town.pathway(lender).merged_into == pathway.youth_id for lender in lenders)
    heads = [one for one in town.pathways() if one.merged_into is None]
    assert heads
    assert sum(len(one.facts) for one in heads) + sum(
        len({borrowed.fact.event_id for borrowed in one.borrowed} - {fact.event_id for fact in one.facts})
        for one in heads
    ) >= len({fact.event_id for one in town.pathways() for fact in one.facts})


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_log_with_links_replayed_writes_the_signals_that_stand_in_it(partitions: int) -> None:
    town = a_town(partitions)
    town.tell(BEGINS, *known(OLD, NEW), *of(OLD, *a_discharge(MONDAY)), a_link("link", BEGINS))
    later = MONDAY + timedelta(days=2)
    town.tell(later, a_link("undone", later, undone=True))

    without = [[one for one in log if b"loan_ended" not in (one.value or b"")] for log in town.logs]

    assert findings(town, town.logs) == []
    assert findings(town, without) == [("missing", 1)]
