"""Ids and names of places that say who somebody is: refused at every door, and left nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.over_kafka.inboxes import Received, RecordPosition
from connectors.gateway.over_kafka.source_statements import take_statements
from tests.unit.gateway.builders import Gateway, a_message, a_statement, refused, with_header_id
from tests.unit.gateway.sent_lists import Sender, map_courses
from tests.unit.medcom_edi.builders import Notice, an_interchange
from tests.unit.medcom_fhir.builders import the

pytestmark = pytest.mark.long

PERSON = {"cpr": "0105109996", "name": "Testine Testesen", "address": "Prøvevej 7", "phone": "20123456"}
OWN = ("01.05.10/9996", "x_0105109996", "\uff101051\u201309996", "Testine Testesen", "testesen.testine", "Prøvevej 7")
OTHERS = ("02.05.10-9996", "020510 9996", "0/2/0/5/1/0/9/9/9/6", "620510_9996", "\u0660205109996")
FIELDS = {
    "discharges": ("subject", "episode_id", "unit"),
    "referrals": ("subject", "referred_from", "referred_to", "track", "site"),
    "enrolments": ("subject", "track", "site"),
    "consents": ("subject", "recorded_by", "receiver"),
}
MEDCOM_NUMBER = "2509479989"


def left_in(gateway: Gateway, *texts: str) -> list[str]:
    """Returns which of the texts stand in what was published, or in a file of the gateway's other than the vault's."""
    folder = gateway.settings.data_folder
    files = [path for path in folder.rglob("*") if path.is_file() and "vault" not in path.name]
    kept = [path.read_bytes() for path in files] + [record.value for record in gateway.publisher.records]
    return [text for text in texts if any(text.encode() in content for content in kept)]


@pytest.mark.parametrize("text", [*OWN, *OTHERS])
@pytest.mark.parametrize(("topic", "field"), [(topic, field) for topic, fields in FIELDS.items() for field in fields])
@pytest.mark.asyncio(loop_scope="module")
async def test_no_field_of_a_statement_says_who(refusing: Gateway, topic: str, field: str, text: str) -> None:
    answer = await refusing.statement(topic, refusing.token(), person=PERSON, **{field: text})

    assert refused(answer) == (422, "identifier_in_text", field)
    assert text not in answer.text
    assert left_in(refusing, text) == []


@pytest.mark.parametrize("field", ["event_id", "correlation_id", "source_sequence"])
async def test_neither_does_an_id_or_a_count(gateway: Gateway, field: str) -> None:
    value = 105109996 if field == "source_sequence" else "00000000-0000-4000-8000-000105109996"

    answer = await gateway.statement("enrolments", gateway.token(), person=PERSON, **{field: value})

    assert refused(answer) == (422, "identifier_in_text", field)


@pytest.mark.parametrize("count", [70105109996, 20123456, 4520123456])
async def test_no_count_holds_a_number_of_the_persons(gateway: Gateway, count: int) -> None:
    answer = await gateway.statement("enrolments", gateway.token(), person=PERSON, source_sequence=count)

    assert refused(answer) == (422, "identifier_in_text", "source_sequence")


async def test_no_two_fields_hold_the_number_between_them(gateway: Gateway) -> None:
    divided = {"subject": "sag 109996", "site": "01-05"}

    answer = await gateway.statement("enrolments", gateway.token(), person=PERSON, **divided)

    assert refused(answer) == (422, "identifier_in_text", "subject")
    assert gateway.publisher.records == []


@pytest.mark.parametrize("text", OTHERS)
async def test_nor_does_a_programmes_reply(gateway: Gateway, text: str) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")
    reply = {"youth_id": gateway.pseudonym("headspace"), "site": text}

    assert refused(await gateway.statement("replies", headers, **reply)) == (422, "identifier_in_text", "site")


@pytest.mark.parametrize("text", [*OWN, *OTHERS])
async def test_nor_does_a_row_of_a_list(gateway: Gateway, text: str) -> None:
    map_courses(gateway)
    mapping = gateway.settings.lists_folder / "courses.toml"
    more = 'Dato = "status_at"\nNavn = "person.name"\nAdresse = "person.address"'
    mapping.write_text(mapping.read_text(encoding="utf-8").replace('Dato = "status_at"', more), encoding="utf-8")
    row = f"{PERSON['cpr']};{text};active;01-11-2025;{PERSON['name']};{PERSON['address']}"

    answer = await Sender(gateway).send(row, names="CPR;Sag;Status;Dato;Navn;Adresse")

    [told] = answer.json()["report"]
    assert [(one["column"], one["code"]) for one in told["refused"]] == [("Sag", "identifier_in_text")]
    assert left_in(gateway, text) == []


async def test_nor_does_a_source_over_kafka(gateway: Gateway) -> None:
    gateway.token(name="helsingor-kommune", kafka_id="helsingor")
    body = json.dumps(a_statement("enrolments", person=PERSON, subject=OTHERS[0])).encode()
    record = Received(RecordPosition("statements", 0, 0), body, {"ce_type": b"brobygger.enrolments.v1"})

    assert await take_statements(gateway.app.state.desk, "helsingor", [record])

    assert left_in(gateway, OTHERS[0]) == []
    assert gateway.published("enrolments") == []


def _ids(message: dict[str, Any], where: str, held: str) -> dict[str, Any]:
    if where == "Bundle.id":
        return message | {"id": held}
    if where == "MessageHeader.id":
        return with_header_id(message, held)
    the(message, "Encounter")["episodeOfCare"][0]["identifier"]["value"] = held
    return message


@pytest.mark.parametrize("held", [MEDCOM_NUMBER, "0205109996", "02-05-10-9996", "02.05.10.9996", "x.020510-9996"])
@pytest.mark.parametrize("where", ["Bundle.id", "MessageHeader.id", "Encounter.episodeOfCare.identifier"])
async def test_no_id_of_a_message_says_who(gateway: Gateway, where: str, held: str) -> None:
    answer = await gateway.message(_ids(a_message(), where, held), gateway.token())

    assert "identifier_in_id" in answer.text
    assert where in answer.text
    assert gateway.publisher.records == []
    assert left_in(gateway, held, held.replace("-", "")) == []
    assert (await gateway.message(_ids(a_message(), where, held), gateway.token())).content == answer.content


async def test_no_two_ids_of_a_message_hold_the_number_between_them(gateway: Gateway) -> None:
    message = _ids(a_message(), "MessageHeader.id", f"a-{MEDCOM_NUMBER[:5]}")

    answer = await gateway.message(
        _ids(message, "Encounter.episodeOfCare.identifier", MEDCOM_NUMBER[5:]), gateway.token()
    )

    assert "identifier_in_id" in answer.text
    assert gateway.publisher.records == []


async def test_no_id_of_a_message_is_the_patients_name(gateway: Gateway) -> None:
    message = a_message()
    the(message, "Patient")["name"] = [{"given": ["Testine"], "family": "Testesen"}]

    answer = await gateway.message(_ids(message, "MessageHeader.id", "Testine-Testesen.1"), gateway.token())

    assert "identifier_in_id" in answer.text
    assert left_in(gateway, "estesen") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "020510-9996"},
        {"identifier": "01.05.10 4840"},
        {"notification": "02/05/10-9996"},
        {"notification": "02.05.10-1AB9"},
        {"notification": "02051099-9600-4000-8000-000000000000"},
        {"identifier": "0105-b", "notification": "104840"},
        {"sender": ("0205109996", "SKS:SST", "sygehusafdelingsnummer")},
    ],
)
async def test_no_number_of_a_letter_says_who(gateway: Gateway, changes: dict[str, Any]) -> None:
    body = an_interchange(Notice().but(**changes))
    headers = gateway.token() | {"content-type": "application/edifact"}

    answer = await gateway.http.post("/medcom/edifact", content=body, headers=headers)

    assert (answer.status_code, gateway.publisher.records) == (200, [])
    assert left_in(gateway, *(str(held) for held in changes.values() if isinstance(held, str))) == []
    assert (await gateway.http.post("/medcom/edifact", content=body, headers=headers)).content == answer.content


async def test_nothing_of_what_was_answered_can_be_read_from_the_gateways_database(gateway: Gateway) -> None:
    message = a_message()
    await gateway.message(message, gateway.token())
    headers = gateway.token() | {"idempotency-key": "one"}
    taken = await gateway.statement("enrolments", headers, person=PERSON)

    assert taken.status_code == 201
    assert left_in_ledger(gateway.settings.data_folder, message["id"], "OperationOutcome", "outcome", "accepted") == []


def left_in_ledger(folder: Path, *texts: str) -> list[str]:
    kept = b"".join(path.read_bytes() for path in folder.glob("gateway.sqlite*"))
    return [text for text in texts if text.encode() in kept]
