"""What the doors have the vault keep: before anything is published, and nothing of what is not taken."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.person_details import PersonDetails
from connectors.vault.tables import IDENTITIES
from tests.unit.gateway.builders import Gateway, a_message, a_statement
from tests.unit.vault.builders import everything_in

if TYPE_CHECKING:
    from connectors.gateway.ports import Desk

CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"
PERSON = {"cpr": "010510-9996", "name": "Testine Testesen", "address": "Prøvevej 7", "phone": "+45 20123456"}
KNOWN = PersonDetails(CPR_SYSTEM, "0105109996", "Testine Testesen", "Prøvevej 7", "+45 20123456")


def desk_of(gateway: Gateway) -> Desk:
    """Returns the gateway's desk."""
    desk: Desk = gateway.app.state.desk
    return desk


def kept_of(gateway: Gateway, number: str) -> PersonDetails | None:
    """Returns what the vault has of a number."""
    youth_id = desk_of(gateway).vault.known_youth_id(CPR_SYSTEM, number)
    return None if youth_id is None else desk_of(gateway).identities.details_of(youth_id)


def identities_kept(gateway: Gateway) -> int:
    """Returns how many people the vault has an identity of."""
    with desk_of(gateway).vault.engine.connect() as connection:
        return len(connection.execute(IDENTITIES.select()).all())


def patient_of(message: dict[str, Any]) -> dict[str, Any]:
    """Returns the Patient of a message, to be changed in place."""
    [patient] = [one["resource"] for one in message["entry"] if one["resource"]["resourceType"] == "Patient"]
    found: dict[str, Any] = patient
    return found


async def test_a_statement_s_person_is_kept_and_published_nowhere(gateway: Gateway) -> None:
    await gateway.statement("enrolments", gateway.token(), person=PERSON)

    assert kept_of(gateway, "0105109996") == KNOWN
    published = b"".join(record.value + record.key for record in gateway.publisher.records)
    on_disk = everything_in(gateway.settings.data_folder)
    for text in ("Testine", "Testesen", "Prøvevej", "20123456", "0105109996", "010510-9996"):
        assert text.encode() not in published
        assert text.encode() not in on_disk


async def test_a_later_statement_adds_and_an_older_one_changes_nothing(gateway: Gateway) -> None:
    headers = gateway.token()
    await gateway.statement("enrolments", headers, person=PERSON)
    newer = {"cpr": "0105109996", "phone": "+45 99", "protected": True}
    gateway.clock.now += timedelta(hours=1)
    await gateway.statement("enrolments", headers, subject="course-9", person=newer)
    older = {"cpr": "0105109996", "phone": "+45 11"}
    sent_at = "2026-01-01T00:00:00Z"
    await gateway.statement("enrolments", headers, subject="course-10", person=older, sent_at=sent_at)

    assert kept_of(gateway, "0105109996") == PersonDetails(
        CPR_SYSTEM, "0105109996", KNOWN.name, KNOWN.address, "+45 99", True
    )


async def test_the_patient_of_a_message_is_kept(gateway: Gateway) -> None:
    message = a_message()
    patient_of(message).update(
        name=[{"use": "old", "family": "Before"}, {"use": "official", "given": ["Nancy", "Ann"], "family": "Testesen"}],
        address=[{"line": ["Prøvevej 7", "2. tv."], "postalCode": "3000", "city": "Helsingør"}],
        telecom=[{"system": "email", "value": "a@example.dk"}, {"system": "phone", "value": "+45 20123456"}],
    )
    number = patient_of(message)["identifier"][0]["value"]

    await gateway.message(message, gateway.token())

    assert kept_of(gateway, number) == PersonDetails(
        CPR_SYSTEM, number, "Nancy Ann Testesen", "Prøvevej 7, 2. tv., 3000 Helsingør", "+45 20123456", None
    )


async def test_a_message_without_the_label_lifts_no_protection(gateway: Gateway) -> None:
    protected, later = a_message(), a_message()
    patient_of(protected)["meta"]["security"] = [{"code": "R"}]
    later["id"] = "another-bundle"
    for entry in later["entry"]:
        if entry["resource"]["resourceType"] == "MessageHeader":
            entry["resource"]["id"] = "another-letter"

    await gateway.message(protected, gateway.token())
    await gateway.message(later, gateway.token())

    kept = kept_of(gateway, patient_of(protected)["identifier"][0]["value"])
    assert kept is not None
    assert kept.protected is True


async def test_a_protected_patient_is_kept_as_such(gateway: Gateway) -> None:
    message = a_message()
    patient_of(message)["meta"]["security"] = [{"code": "R"}]

    await gateway.message(message, gateway.token())

    kept = kept_of(gateway, patient_of(message)["identifier"][0]["value"])
    assert kept is not None
    assert kept.protected is True


@pytest.mark.parametrize(
    "odd",
    [{"name": "Nancy"}, {"name": [{"family": 7}]}, {"telecom": [{"system": "phone"}]}, {"address": [{"line": 1}]}],
)
async def test_a_message_is_not_refused_for_a_name_of_another_form(gateway: Gateway, odd: dict[str, Any]) -> None:
    message = a_message()
    patient_of(message).update(odd)

    await gateway.message(message, gateway.token())

    assert len(gateway.published("discharges")) == 1
    assert kept_of(gateway, patient_of(message)["identifier"][0]["value"]) is not None


async def test_what_is_refused_or_out_of_scope_is_not_kept(gateway: Gateway) -> None:
    await gateway.statement("enrolments", gateway.token(), person=PERSON, status="unheard_of")
    await gateway.message(a_message(type="collection"), gateway.token())

    assert identities_kept(gateway) == 0


async def test_nothing_is_published_where_the_vault_cannot_keep(gateway: Gateway) -> None:
    await gateway.statement("enrolments", gateway.token(), person=PERSON)
    published = len(gateway.publisher.records)
    with desk_of(gateway).vault.engine.begin() as connection:
        connection.execute(IDENTITIES.update().values(sealed=b"altered"))

    answer = await gateway.statement("enrolments", gateway.token(), subject="course-9", person=PERSON)

    assert (answer.status_code, answer.json()["refused"]["code"]) == (503, "store_unavailable")
    assert len(gateway.publisher.records) == published


async def test_a_name_with_a_line_break_is_refused_without_being_repeated(gateway: Gateway) -> None:
    statement = a_statement("enrolments", person=PERSON | {"name": "Testine\nTestesen"})

    answer = await gateway.http.post("/events/enrolments", json=statement, headers=gateway.token())

    assert (answer.status_code, answer.json()["refused"]["field"]) == (422, "person.name")
    assert "Testine" not in answer.text


async def test_that_name_and_address_are_protected_is_said_for_routing_too(gateway: Gateway) -> None:
    person = {"cpr": "0105109996", "municipality": "0217"}
    headers = gateway.token()

    await gateway.statement("consents", headers, person=person | {"protected": True})
    await gateway.statement("enrolments", headers, person=person)

    assert [one["protected"] for one in gateway.published("persons")] == [True, False]
