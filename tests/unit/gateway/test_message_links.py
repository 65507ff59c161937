"""Patient.link in a message: one number replaces another, from those alone who may say so."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from connectors.gateway.clients.clients import Role
from tests.unit.gateway.builders import MESSAGES, Gateway, a_message
from tests.unit.gateway.test_identities_kept import desk_of

pytestmark = pytest.mark.long

OTHER = "0105109997"
SYSTEM = "urn:oid:1.2.208.176.1.2"


def linked(relation: str, value: str = OTHER, system: str = SYSTEM) -> dict[str, Any]:
    """Returns a link of a patient."""
    return {"type": relation, "other": {"identifier": {"system": system, "value": value}}}


def a_linking_message(*links: Any, name: str = "hn-06-SLHJ-discharge-home") -> dict[str, Any]:
    """Returns a published message whose patient has links."""
    message = a_message(name)
    for entry in message["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["link"] = list(links)
    return message


def may_link(gateway: Gateway) -> dict[str, str]:
    """Returns the headers of a hospital that may link numbers."""
    return gateway.token(roles={Role.PERSONS, Role.MEDCOM}, any_sender=True)


def link_events(gateway: Gateway) -> list[dict[str, Any]]:
    """Returns the published person events that link somebody."""
    return [one for one in gateway.published("persons") if one["linked_to"] or one["unlinked_from"]]


@pytest.mark.parametrize(("relation", "replaced_is_other"), [("replaces", True), ("replaced-by", False)])
async def test_a_number_that_a_message_links_is_kept_and_published(
    gateway: Gateway, relation: str, replaced_is_other: bool
) -> None:
    answer = await gateway.message(a_linking_message(linked(relation)), may_link(gateway))

    own = gateway.published("discharges")[0]["youth_id"]
    other = desk_of(gateway).vault.known_youth_id(SYSTEM, OTHER)
    assert answer.status_code == 200
    [event] = link_events(gateway)
    expected = (other, own) if replaced_is_other else (own, other)
    assert (event["youth_id"], event["linked_to"]) == expected
    assert desk_of(gateway).links.linked_with(own) == {other}
    assert [record.topic for record in gateway.publisher.records] == ["persons", "persons", "discharges"]


async def test_from_who_may_not_link_the_message_is_taken_without_it(gateway: Gateway) -> None:
    answer = await gateway.message(a_linking_message(linked("replaces")), gateway.token())

    assert answer.status_code == 200
    assert len(gateway.published("discharges")) == 1
    assert link_events(gateway) == []
    assert desk_of(gateway).vault.known_youth_id(SYSTEM, OTHER) is None


async def test_the_same_message_again_links_nothing_more(gateway: Gateway) -> None:
    headers, message = may_link(gateway), a_linking_message(linked("replaces"))

    first, again = [await gateway.message(message, headers) for _ in range(2)]

    assert first.content == again.content
    assert len(link_events(gateway)) == 1


async def test_a_link_the_other_way_round_is_passed_over(gateway: Gateway) -> None:
    headers = may_link(gateway)
    await gateway.message(a_linking_message(linked("replaces"), linked("replaced-by")), headers)

    back = a_linking_message(linked("replaced-by"), name="hn-01-STIN-admit")
    answer = await gateway.message(back, headers)

    assert answer.status_code == 200
    assert len(gateway.published("discharges")) == 2
    assert len({one["youth_id"] for one in gateway.published("discharges")}) == 1
    [event] = link_events(gateway)
    assert event["linked_to"] == gateway.published("discharges")[0]["youth_id"]


@pytest.mark.parametrize(
    "link",
    [
        linked("seealso"),
        linked("refer"),
        linked("replaces", value="no number"),
        linked("replaces", value="3102109989"),
        linked("replaces", system="urn:oid:1.2.3"),
        {"type": "replaces"},
        {"type": "replaces", "other": None},
        {"type": "replaces", "other": {"identifier": [SYSTEM]}},
        {"type": ["replaces"], "other": {"identifier": {"system": [], "value": 3}}},
        {"type": ["replaces"], "other": {"identifier": {"system": SYSTEM, "value": OTHER}}},
        "replaces",
        None,
    ],
)
async def test_what_links_no_number_is_passed_over(gateway: Gateway, link: Any) -> None:
    answer = await gateway.message(a_linking_message(link), may_link(gateway))

    assert answer.status_code == 200
    assert link_events(gateway) == []


async def test_a_message_links_a_limited_number(gateway: Gateway) -> None:
    message = a_linking_message(*(linked("replaces", f"010510{number:04}") for number in range(9990, 10_000)))

    await gateway.message(message, may_link(gateway))

    assert len(link_events(gateway)) == 8


async def test_a_link_in_xml_is_one_in_json(gateway: Gateway) -> None:
    link = f"""<link><other><identifier><system value="{SYSTEM}"/><value value="{OTHER}"/></identifier></other>
        <type value="replaces"/></link></Patient>"""
    message = (MESSAGES / "cc-14-new.xml").read_text(encoding="utf-8").replace("</Patient>", link)
    headers = may_link(gateway) | {"content-type": "application/fhir+xml"}

    answer = await gateway.http.post("/medcom/fhir", content=message.encode(), headers=headers)

    assert answer.status_code == 200
    assert len(link_events(gateway)) == 1


async def test_a_letter_sent_again_that_links_another_number_says_something_else(gateway: Gateway) -> None:
    headers = may_link(gateway)
    first, again, other = (a_linking_message(linked("replaces", value)) for value in (OTHER, OTHER, "0105109998"))
    again["id"], other["id"] = str(uuid4()), str(uuid4())

    answers = [await gateway.message(one, headers) for one in (first, again, other)]

    codes = [answer.json()["entry"][0]["resource"]["response"]["code"] for answer in answers]
    assert codes == ["ok", "ok", "fatal-error"]
    assert len(link_events(gateway)) == 1
