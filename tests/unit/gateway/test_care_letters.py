"""CareCommunications at the MedCom door: taken once, in any order, with attachments; nothing of their text is kept."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from connectors.medcom_fhir.acknowledgement_rules import defects_of_acknowledgement
from connectors.source_letters.mailboxes import Mailbox, Mailboxes
from connectors.source_letters.outbox import Outbox, Read
from connectors.source_letters.tables import letters_database_of
from connectors.webhooks.signing import SecretBox
from tests.unit.gateway.builders import MESSAGES, Gateway, a_gateway, a_message, response_code
from tests.unit.source_letters.builders import HOSPITAL, NOW, RECIPIENT, a_letter, a_statement, acknowledging

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

MEGABYTE = 1024 * 1024


async def test_a_letter_is_published_as_correspondence_and_acknowledged(gateway: Gateway) -> None:
    answer = await gateway.message(a_message("cc-14-new"), gateway.token())

    assert response_code(answer) == "ok"
    assert defects_of_acknowledgement(answer.json()) == ()
    assert [record.topic for record in gateway.publisher.records] == ["persons", "correspondence"]
    [event] = gateway.published("correspondence")
    assert (event["category"], event["form"]) == ("examination_results", "new")


async def test_a_letter_that_is_resent_in_a_new_bundle_is_acknowledged_and_published_once(gateway: Gateway) -> None:
    headers = gateway.token()
    first = await gateway.message(a_message("K1-resend-same-header"), headers)
    again = await gateway.message(a_message("K2-resend-same-header-new-bundle"), headers)

    assert [response_code(answer) for answer in (first, again)] == ["ok", "ok"]
    assert first.json()["id"] != again.json()["id"]
    assert len(gateway.published("correspondence")) == 1


async def test_a_letter_that_is_resent_with_another_text_is_a_fatal_error(gateway: Gateway) -> None:
    headers = gateway.token()
    await gateway.message(a_message("K1-resend-same-header"), headers)
    changed = a_message("K2-resend-same-header-new-bundle")
    _communication(changed)["payload"][0]["contentString"] = "Another text"

    answer = await gateway.message(changed, headers)

    assert response_code(answer) == "fatal-error"
    assert len(gateway.published("correspondence")) == 1


async def test_a_reply_is_taken_before_what_it_answers(gateway: Gateway) -> None:
    headers = gateway.token()
    for name in ("H-reply-before-original", "I-original-after-reply"):
        assert response_code(await gateway.message(a_message(name), headers)) == "ok"

    reply, original = gateway.published("correspondence")
    assert reply["causation_id"] == original["event_id"]
    assert reply["correlation_id"] == original["correlation_id"]


async def test_an_invalid_letter_is_acknowledged_negatively_each_time(gateway: Gateway) -> None:
    message, headers = a_message("cc-R-Tek-M-invalid-no-segment-id"), gateway.token()
    first = await gateway.message(message, headers)
    again = await gateway.message(message, headers)

    assert response_code(first) == "fatal-error"
    assert again.content == first.content
    assert gateway.publisher.records == []


def _communication(message: dict[str, Any]) -> dict[str, Any]:
    return next(entry["resource"] for entry in message["entry"] if entry["resource"]["resourceType"] == "Communication")


def _with_attachment(size: int) -> dict[str, Any]:
    message = a_message("cc-14-new")
    payload = _communication(message)["payload"]
    data = base64.b64encode(bytes(size)).decode()
    attachment = {"contentType": "application/pdf", "title": "Plan", "data": data}
    payload.append({"extension": payload[0]["extension"], "contentAttachment": attachment})
    return message


async def test_a_letter_with_large_attachments_is_taken(gateway: Gateway) -> None:
    answer = await gateway.message(_with_attachment(6 * MEGABYTE), gateway.token())

    assert response_code(answer) == "ok"


async def test_a_large_letter_leaves_room_for_the_next(tmp_path: Path) -> None:
    async with a_gateway(tmp_path, large_letters_max=1) as running:
        headers = running.token()
        broken = json.dumps(_with_attachment(3 * MEGABYTE)).encode()[:-1]
        first = await running.message(broken, headers)
        answer = await running.message(_with_attachment(3 * MEGABYTE), headers)

    assert first.status_code == 400
    assert response_code(answer) == "ok"


@pytest.mark.parametrize("declares", [True, False])
async def test_a_letter_beyond_the_limit_is_turned_away(tmp_path: Path, declares: bool) -> None:
    async with a_gateway(tmp_path, body_bytes_max=1_000, letter_bytes_max=10_000) as running:
        content = json.dumps(a_message("cc-14-new")).encode()

        async def in_parts() -> Any:
            yield content

        answer = await running.http.post(
            "/medcom/fhir",
            content=content if declares else in_parts(),
            headers={"content-type": "application/fhir+json"} | running.token(),
        )

    assert (answer.status_code, answer.json()["refused"]["code"]) == (413, "body_too_large")


async def test_a_letter_about_nobody_of_the_ages_is_counted_by_its_own_topic(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as running:
        object.__setattr__(running.app.state.desk, "ages", lambda: range(12, 26))
        await running.message(a_message("cc-14-new"), running.token())
        metrics = (await running.http.get("/metrics")).text

    assert 'brobygger_events_total{outcome="out_of_scope",topic="correspondence"} 1.0' in metrics
    assert running.publisher.records == []


async def test_nothing_that_a_letter_says_leaves_the_door(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    message = a_message("cc-16-reply-of-reply")
    answer = await gateway.message(message, gateway.token())

    said = [part["contentString"] for part in _communication(message)["payload"] if "contentString" in part]
    left = b"".join(record.value for record in gateway.publisher.records) + answer.content + caplog.text.encode()
    assert len(said) == 3
    assert not [text for text in said if text.encode() in left]


def _mailbox(gateway: Gateway) -> Outbox:
    database = letters_database_of(gateway.settings.data_folder)
    mailbox = Mailbox(RECIPIENT, HOSPITAL, "https://post.example.dk", has_token=False, since=NOW)
    Mailboxes(database, SecretBox(gateway.settings.keys_folder)).put(mailbox, None)
    outbox = Outbox(database)
    outbox.take(Read((a_statement(),), (a_letter(),), {}), NOW)
    return outbox


async def test_an_acknowledgement_of_a_letter_of_ours_settles_it(gateway: Gateway) -> None:
    outbox = _mailbox(gateway)

    answer = await gateway.message(acknowledging(), gateway.token())

    assert (answer.status_code, answer.content) == (202, b"")
    assert outbox.counts() == {"acknowledged": 1}


@pytest.mark.parametrize("senders", [("953741000016009",), ()])
async def test_a_client_acknowledges_for_nobody_but_its_own_organisations(
    gateway: Gateway, senders: tuple[str, ...]
) -> None:
    outbox = _mailbox(gateway)

    await gateway.message(acknowledging(), gateway.token(senders=senders))

    assert outbox.counts() == {"waiting": 1}


async def test_an_acknowledgement_of_something_else_settles_nothing(gateway: Gateway) -> None:
    outbox = _mailbox(gateway)

    answer = await gateway.message(acknowledging(a_letter(2)), gateway.token())

    assert answer.status_code == 202
    assert outbox.counts() == {"waiting": 1}


@pytest.mark.parametrize("media_type", ["application/fhir+xml", "application/xml", "text/xml; charset=utf-8"])
async def test_a_letter_in_xml_is_taken_as_in_json(gateway: Gateway, media_type: str) -> None:
    headers = gateway.token()
    content = (MESSAGES / "cc-14-new.xml").read_bytes()
    first = await gateway.http.post("/medcom/fhir", content=content, headers=headers | {"content-type": media_type})
    again = await gateway.message(a_message("cc-14-new"), headers)

    assert response_code(first) == "ok"
    assert again.content == first.content
    assert len(gateway.published("correspondence")) == 1


async def test_xml_that_declares_entities_is_turned_away(gateway: Gateway) -> None:
    content = b'<!DOCTYPE Bundle [<!ENTITY a "b">]>' + (MESSAGES / "cc-14-new.xml").read_bytes()
    headers = gateway.token() | {"content-type": "application/fhir+xml"}

    answer = await gateway.http.post("/medcom/fhir", content=content, headers=headers)

    assert answer.status_code == 400
    assert gateway.publisher.records == []


async def test_a_letter_with_attachments_is_taken_out_of_its_envelope(gateway: Gateway) -> None:
    data = base64.b64encode(json.dumps(_with_attachment(3 * MEGABYTE)).encode()).decode()
    content = f"<VANSEnvelope><Message><Data>{data}</Data></Message></VANSEnvelope>".encode()
    headers = gateway.token() | {"content-type": "application/xml"}

    answer = await gateway.http.post("/medcom/fhir", content=content, headers=headers)

    assert response_code(answer) == "ok"
