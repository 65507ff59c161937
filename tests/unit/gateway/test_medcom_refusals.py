"""What the MedCom door does not take, or not in full; and that nothing personal leaves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import FHIR, MESSAGES, Gateway, a_gateway, a_message, response_code

if TYPE_CHECKING:
    from pathlib import Path


async def test_an_acknowledgement_is_taken_without_an_answer(gateway: Gateway) -> None:
    answer = await gateway.message(a_message("ack-21-ok"), gateway.token())

    assert (answer.status_code, answer.content) == (202, b"")
    assert gateway.publisher.records == []


async def test_a_patient_of_no_programmes_age_is_acknowledged_counted_and_not_published(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as running:
        desk = running.app.state.desk
        object.__setattr__(desk, "ages", lambda: range(12, 26))
        headers = running.token()
        answer = await running.message(a_message(), headers)
        metrics = (await running.http.get("/metrics")).text

    assert response_code(answer) == "ok"
    assert running.publisher.records == []
    assert 'brobygger_events_total{outcome="out_of_scope",topic="discharges"} 1.0' in metrics


async def test_a_sender_that_is_not_the_clients_is_turned_away(gateway: Gateway) -> None:
    answer = await gateway.message(a_message(), gateway.token(senders=("123456789016001",)))

    assert answer.status_code == 403
    assert gateway.publisher.records == []


async def test_a_client_sends_the_messages_of_the_organisations_that_it_is_bound_to(gateway: Gateway) -> None:
    answer = await gateway.message(a_message(), gateway.token(senders=("123456789016001", "265161000016000")))

    assert response_code(answer) == "ok"


async def test_a_source_that_is_bound_to_no_organisation_sends_no_messages(gateway: Gateway) -> None:
    headers = gateway.token(senders=())
    message = await gateway.message(a_message(), headers)
    statement = await gateway.statement("discharges", headers)

    assert (message.status_code, message.json()["refused"]["code"]) == (403, "forbidden")
    assert [record.topic for record in gateway.publisher.records] == ["persons", "discharges"]
    assert statement.status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b"<Bundle/>", "not_a_bundle"),
        ('{"a":"æ"}'.encode("windows-1252"), "wrong_encoding"),
        ('{"a":1}'.encode("utf-16"), "nul_byte"),
        (b'{"a":' + b"[" * 100_000, "nesting_too_deep"),
        (b'{"a":1,"a":2}', "duplicate_key"),
        (b'{"a":NaN}', "not_a_number"),
        (b'{"resourceType":"Bundle"}', None),
    ],
)
async def test_what_cannot_be_addressed_gets_an_operation_outcome(
    gateway: Gateway,
    body: bytes,
    code: str | None,
) -> None:
    answer = await gateway.message(body, gateway.token())

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    metrics = (await gateway.http.get("/metrics")).text
    assert code is None or f'brobygger_refusals_total{{code="{code}",door="medcom"}} 1.0' in metrics


async def test_another_media_type_is_turned_away(gateway: Gateway) -> None:
    answer = await gateway.http.post(
        "/medcom/fhir", content=b"{}", headers=gateway.token() | {"content-type": "application/fhir+turtle"}
    )

    assert (answer.status_code, answer.json()["refused"]["code"]) == (415, "unsupported_media_type")


async def test_a_programme_has_no_business_at_this_door(gateway: Gateway) -> None:
    answer = await gateway.message(a_message(), gateway.token(ClientKind.PROGRAMME, "headspace"))

    assert (answer.status_code, answer.json()["refused"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in MESSAGES.glob("*.json") if not path.stem.startswith("ack"))
)
async def test_nothing_personal_leaves_the_door(
    gateway: Gateway,
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = (MESSAGES / f"{name}.json").read_bytes()
    answer = await gateway.http.post("/medcom/fhir", content=message, headers=FHIR | gateway.token())

    assert response_code(answer) in {"ok", "fatal-error"}
    files = [path.read_bytes() for path in gateway.settings.data_folder.glob("*.sqlite*")]
    records = [record.value + record.key + repr(record.headers).encode() for record in gateway.publisher.records]
    log = capsys.readouterr().out.encode()
    for secret in _personal_values(json.loads(message)):
        assert not any(secret.encode() in content for content in [answer.content, *files, *records, log])


def _personal_values(message: dict[str, Any]) -> list[str]:
    [patient] = [entry["resource"] for entry in message["entry"] if entry["resource"]["resourceType"] == "Patient"]
    names = [part for name in patient["name"] for part in (name.get("family"), *name.get("given", ())) if part]
    said = [
        part["contentString"]
        for entry in message["entry"]
        for part in entry["resource"].get("payload", ())
        if "contentString" in part
    ]
    return [identifier["value"] for identifier in patient["identifier"]] + names + said
