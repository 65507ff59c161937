"""Numbers of one person: links in any order, taken back, and what is read of a person who has several."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import pytest

from connectors.vault.erasure import erase_from_vault
from connectors.vault.number_links import NUMBERS_MAX, NumberLink, NumberLinks
from connectors.vault.tables import ErasedMeanwhileError
from tests.unit.vault.builders import AT, SYSTEM, allotted, details, stated, the_identities, the_vault

if TYPE_CHECKING:
    from sqlalchemy import Engine

OLD, NEW, NEWER, OTHER = "a" * 32, "b" * 32, "c" * 32, "d" * 32
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(database: str) -> Engine:
    """Returns the engine of a new vault, in which four numbers are known."""
    return allotted(the_vault(database).engine, OLD, NEW, NEWER, OTHER)


def test_numbers_that_replace_each_other_are_one_persons(engine: Engine) -> None:
    links = NumberLinks(engine)

    links.record(
        [NumberLink(OLD, NEW, linked=True, occurred_at=AT), NumberLink(NEW, NEWER, linked=True, occurred_at=AT)]
    )

    assert links.linked_with(OLD) == {NEW, NEWER}
    assert links.linked_with(NEWER) == {OLD, NEW}
    assert links.linked_with(OTHER) == frozenset()


def test_the_latest_statement_stands_in_whatever_order_and_how_often_they_come(engine: Engine) -> None:
    said = [
        NumberLink(OLD, NEW, linked=True, occurred_at=AT),
        NumberLink(OLD, NEW, linked=False, occurred_at=AT + HOUR),
        NumberLink(OLD, NEW, linked=False, occurred_at=AT + 2 * HOUR),
        NumberLink(OLD, NEW, linked=True, occurred_at=AT + 2 * HOUR),
    ]
    links = NumberLinks(engine)

    for order in permutations(said):
        links.record([*order, order[0]])
        assert links.linked_with(OLD) == frozenset()

    links.record([NumberLink(OLD, NEW, linked=True, occurred_at=AT + 3 * HOUR)])
    assert links.linked_with(OLD) == {NEW}


def test_a_number_that_would_replace_itself_in_the_end_is_known(engine: Engine) -> None:
    links = NumberLinks(engine)
    links.record(
        [NumberLink(OLD, NEW, linked=True, occurred_at=AT), NumberLink(NEW, NEWER, linked=True, occurred_at=AT)]
    )

    assert links.leads_back(NEWER, OLD)
    assert links.leads_back(OLD, OLD)
    assert not links.leads_back(OLD, NEWER)


def test_what_is_known_under_any_number_is_read_under_each_the_newest_of_it(engine: Engine) -> None:
    identities = the_identities(engine)
    identities.keep([stated(OLD, number="1", address="Nyvej 1", sent_at=AT + HOUR), stated(NEW, number="2")])
    NumberLinks(engine).record([NumberLink(OLD, NEW, linked=True, occurred_at=AT)])

    assert identities.details_of(NEW) == details(number="2", address="Nyvej 1")
    assert identities.details_of(OLD) == details(number="1", address="Nyvej 1")


def test_an_address_that_is_protected_under_one_number_is_under_all_whatever_is_newer(engine: Engine) -> None:
    identities = the_identities(engine)
    later = stated(NEW, protected=False, sent_at=AT + HOUR)
    identities.keep([stated(OLD, protected=True), later])
    links = NumberLinks(engine)

    links.record([NumberLink(OLD, NEW, linked=True, occurred_at=AT)])
    linked = identities.details_of(NEW)
    links.record([NumberLink(OLD, NEW, linked=False, occurred_at=AT + HOUR)])
    apart = identities.details_of(NEW)

    assert linked is not None
    assert apart is not None
    assert (linked.protected, apart.protected) == (True, False)


def test_erasing_one_number_leaves_the_other_alone_and_no_link(engine: Engine) -> None:
    links = NumberLinks(engine)
    links.record([NumberLink(OLD, NEW, linked=True, occurred_at=AT)])

    erase_from_vault(engine, OLD)

    assert links.linked_with(NEW) == frozenset()
    with pytest.raises(ErasedMeanwhileError):
        links.record([NumberLink(OLD, NEW, linked=True, occurred_at=AT)])


def test_a_person_has_a_limited_number_of_numbers(engine: Engine) -> None:
    many = [f"{number:032}" for number in range(2 * NUMBERS_MAX)]
    allotted(engine, *many)
    chain = [NumberLink(one, other, linked=True, occurred_at=AT) for one, other in pairwise(many)]
    links = NumberLinks(engine)

    links.record(chain)

    assert NUMBERS_MAX - 1 <= len(links.linked_with(many[0])) <= NUMBERS_MAX


def test_a_change_of_number_moves_no_youth_id(database: str) -> None:
    vault = the_vault(database)
    before = [vault.youth_id(SYSTEM, number) for number in ("0105109996", "0105109997")]

    NumberLinks(vault.engine).record([NumberLink(before[0], before[1], linked=True, occurred_at=AT)])

    assert [vault.youth_id(SYSTEM, number) for number in ("0105109996", "0105109997")] == before
