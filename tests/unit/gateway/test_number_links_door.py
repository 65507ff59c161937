"""``POST /events/persons``: two numbers of one person, told by those alone who may, and kept before it is published."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.gateway.clients.clients import ClientKind, Role
from tests.unit.gateway.builders import Gateway, refused
from tests.unit.gateway.test_identities_kept import desk_of

OLD, NEW = "0105109996", "0105109997"
SYSTEM = "urn:oid:1.2.208.176.1.2"


def may_link(gateway: Gateway) -> dict[str, str]:
    """Returns the headers of a source that may link numbers."""
    return gateway.token(roles={Role.PERSONS, Role.STATEMENTS})


def youth_id(gateway: Gateway, number: str) -> str:
    """Returns the vault's id of a number."""
    found = desk_of(gateway).vault.known_youth_id(SYSTEM, number)
    assert found is not None
    return found


async def test_a_link_is_kept_and_published_under_the_replaced_number(gateway: Gateway) -> None:
    answer = await gateway.statement("persons", may_link(gateway))

    assert (answer.status_code, answer.json()["outcome"]) == (201, "accepted")
    [event] = gateway.published("persons")
    old, new = youth_id(gateway, OLD), youth_id(gateway, NEW)
    assert (event["youth_id"], event["linked_to"], event["unlinked_from"]) == (old, new, None)
    assert (event["birth_date"], event["municipality"]) == (None, None)
    assert [record.key for record in gateway.publisher.records] == [old.encode()]
    assert desk_of(gateway).links.linked_with(new) == {old}
    assert all(OLD.encode() not in record.value + (record.key or b"") for record in gateway.publisher.records)


async def test_a_link_that_is_undone_says_so(gateway: Gateway) -> None:
    headers = may_link(gateway)
    await gateway.statement("persons", headers)

    undone = {"linked_to": ..., "unlinked_from": {"cpr": NEW}, "occurred_at": "2026-01-10T09:31:00+01:00"}
    answer = await gateway.statement("persons", headers, **undone)

    assert answer.status_code == 201
    assert gateway.published("persons")[-1]["unlinked_from"] == youth_id(gateway, NEW)
    assert desk_of(gateway).links.linked_with(youth_id(gateway, OLD)) == frozenset()


async def test_the_same_again_is_a_repeat_and_publishes_nothing(gateway: Gateway) -> None:
    headers = may_link(gateway)

    outcomes = [(await gateway.statement("persons", headers)).json()["outcome"] for _ in range(2)]

    assert outcomes == ["accepted", "repeated"]
    assert len(gateway.publisher.records) == 1


async def test_both_numbers_have_an_identity_afterwards_and_protection_holds_for_both(gateway: Gateway) -> None:
    headers = may_link(gateway)
    person = {"cpr": OLD, "municipality": "0217", "name": "Nancy Ann Testesen", "protected": True}
    await gateway.statement("consents", headers, person=person)

    await gateway.statement("persons", headers)

    found = desk_of(gateway).identities.details_of(youth_id(gateway, NEW))
    assert found is not None
    assert (found.number, found.name, found.protected) == (NEW, "Nancy Ann Testesen", True)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (ClientKind.SOURCE, {}),
        (ClientKind.PROGRAMME, {"name": "headspace"}),
        (ClientKind.SOURCE, {"roles": {Role.STATEMENTS}}),
    ],
)
async def test_who_was_not_given_the_role_by_name_links_nobody(
    gateway: Gateway, kind: ClientKind, changes: dict[str, Any]
) -> None:
    answer = await gateway.statement("persons", gateway.token(kind, **changes))

    assert (answer.status_code, refused(answer)[1]) == (403, "forbidden")
    assert gateway.publisher.records == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"linked_to": ...}, (422, "wrong_form", "body")),
        ({"unlinked_from": {"cpr": NEW}}, (422, "wrong_form", "body")),
        ({"linked_to": {"cpr": OLD}}, (422, "impossible_link", "linked_to")),
        ({"linked_to": {"cpr": "3102109989"}}, (422, "invalid_cpr", "linked_to.cpr")),
        (
            {"linked_to": {"system": "urn:oid:1.2", "value": "1"}},
            (422, "unknown_identifier_system", "linked_to.system"),
        ),
        ({"subject": f"change-{NEW}"}, (422, "identifier_in_text", "subject")),
        ({"cancels": "6f1c2f7a-53c0-5e63-8a58-0f9c1a1c6a34"}, (422, "unknown_field", "cancels")),
        ({"occurred_at": "2036-01-10T09:30:00+01:00"}, (422, "time_ahead", "occurred_at")),
    ],
)
async def test_what_links_nothing_is_refused_by_field_and_rule(
    gateway: Gateway, changes: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    answer = await gateway.statement("persons", may_link(gateway), **changes)

    assert refused(answer) == expected
    assert gateway.publisher.records == []
    assert OLD not in answer.text


async def test_a_number_that_would_replace_itself_in_the_end_is_refused(gateway: Gateway) -> None:
    headers = may_link(gateway)
    await gateway.statement("persons", headers)

    answer = await gateway.statement("persons", headers, person={"cpr": NEW}, linked_to={"cpr": OLD})

    assert refused(answer) == (422, "circular_link", "linked_to")
