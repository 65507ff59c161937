"""What comes in an envelope is answered in one of its kind, with the receipt in it that it would have got without."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.medcom_edi.beskedfordeler import read_push_answer
from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.xml_documents import Element, read_document
from tests.unit.gateway.builders import MESSAGES
from tests.unit.medcom_edi.builders import Notice, a_letter, an_interchange
from tests.unit.medcom_edi.test_envelopes import in_beskedfordeler, in_ehmi, in_vans_envelope, pushed_by_beskedfordeler

if TYPE_CHECKING:
    from httpx import Response

    from tests.unit.gateway.builders import Gateway

NOTIFICATION = (MESSAGES / "hn-06-SLHJ-discharge-home.json").read_bytes()
ACKNOWLEDGEMENT = (MESSAGES / "ack-21-ok.json").read_bytes()
UNBORN = NOTIFICATION.replace(b"2509479989", b"3913479989")
LETTER, BAD_LETTER = Notice(), Notice(number="3113109999")
FHIR, EDIFACT, OIOXML = "/medcom/fhir", "/medcom/edifact", "/medcom/oioxml"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def send(gateway: Gateway, door: str, body: bytes, headers: dict[str, str]) -> Response:
    kind = "application/json" if body.startswith(b"{") else "application/xml"
    return await gateway.http.post(door, content=body, headers=headers | {"content-type": kind})


def in_the_network(told: bytes) -> bytes:
    """Returns what the VANS network itself says of an envelope."""
    receipt = b"<Receipt>" + told + b"</Receipt>"
    return re.sub(rb"<Message>.*</Message>", receipt, in_vans_envelope(b"x"), flags=re.DOTALL)


def texts(parent: Element, *names: str) -> list[str | None]:
    """Returns the texts of an element's children, whose names are these, in this order."""
    assert [one.tag.rpartition("}")[2] for one in parent.node] == list(names)
    return [one.text for one in parent.node]


@pytest.mark.parametrize(
    ("door", "message", "document"),
    [
        (FHIR, NOTIFICATION, ("HL7", "MCM:FCTL#ok", "2.0.0")),
        (FHIR, UNBORN, ("HL7", "MCM:FCTL#fatal-error", "2.0.0")),
        (EDIFACT, LETTER.edifact(), ("EDIFACT", "MCM:CTL03", "C0330Q")),
        (EDIFACT, BAD_LETTER.edifact(), ("EDIFACT", "MCM:CTL02", "C0230Q")),
        (OIOXML, LETTER.oioxml(), ("XML", "MCM:XCTL03", "XC0330Q")),
        (OIOXML, BAD_LETTER.oioxml(), ("XML", "MCM:XCTL02", "XC0230Q")),
    ],
)
async def test_a_vans_envelope_is_answered_in_one_back_to_its_sender(
    gateway: Gateway, door: str, message: bytes, document: tuple[str, ...]
) -> None:
    headers = gateway.token()
    answer = await send(gateway, door, in_vans_envelope(message), headers)
    bare = await gateway.http.post(
        door, content=message, headers=headers | {"content-type": "text/plain" if door == EDIFACT else "text/xml"}
    )

    envelope = read_document(answer.content)
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    names = ("SenderID", "ReceiverID", "EnvelopeIdentifier", "SentDateTime", "Message")
    sender, receiver, identifier, sent, _ = texts(envelope, *names)
    assert (sender, receiver, sent) == (
        "5790002508226",
        "5790002515200",
        gateway.clock.now.isoformat(timespec="milliseconds"),
    )
    assert [one.node.get("EndPointType") for one in envelope.children("SenderID")] == ["EAN"]
    meta = envelope.child("Message").child("MetaInformation")
    number, _, _ = texts(meta, "Identifier", "Document", "Transport")
    assert all(UUID.fullmatch(one or "") for one in (identifier, number))
    described = texts(meta.child("Document"), "Format", "Name", "Version", "SizeInBytes")
    assert described == [*document, str(len(unwrap(answer.content).message))]
    assert unwrap(answer.content).message == bare.content


async def test_a_repeat_gets_the_original_receipt_in_an_envelope_of_its_own(gateway: Gateway) -> None:
    headers, body = gateway.token(), in_vans_envelope(LETTER.edifact())
    first = await send(gateway, EDIFACT, body, headers)
    gateway.clock.now += timedelta(minutes=30)

    again = await send(gateway, EDIFACT, body, headers)

    assert unwrap(again.content).message == unwrap(first.content).message
    ids = [read_document(one.content).said("EnvelopeIdentifier").text for one in (first, again)]
    inside = [
        read_document(one.content).said("Message", "MetaInformation", "Identifier").text for one in (first, again)
    ]
    assert len(set(ids)) == 2
    assert len(set(inside)) == 1


async def test_a_haendelsesbesked_is_answered_in_one_for_who_may_receive_it(gateway: Gateway) -> None:
    headers = gateway.token()
    filters = (
        '<b:Beskedkuvert><b:Filtreringsdata><b:Beskedtype><o:UUIDIdentifikator xmlns:o="urn:oio:sagdok:3.0.0">1'
        "</o:UUIDIdentifikator></b:Beskedtype><b:BeskedAnsvarligAktoer/><b:TilladtModtager><o:URNIdentifikator "
        'xmlns:o="urn:oio:sagdok:3.0.0">urn:oio:cvr-nr:29189366</o:URNIdentifikator></b:TilladtModtager>'
        '<b:RelateretObjekt><o:URNIdentifikator xmlns:o="urn:oio:sagdok:3.0.0">urn:oio:cpr-nr:2509479989'
        "</o:URNIdentifikator></b:RelateretObjekt></b:Filtreringsdata></b:Beskedkuvert>"
    )
    body = in_beskedfordeler(NOTIFICATION).replace(b"<b:Beskedkuvert/>", filters.encode())
    answer = await send(gateway, FHIR, body, headers)
    bare = await gateway.message(NOTIFICATION, headers)

    event = read_document(answer.content)
    assert event.name == "Haendelsesbesked"
    texts(event, "BeskedId", "BeskedVersion", "Beskedkuvert", "Beskeddata")
    assert UUID.fullmatch(event.said("BeskedId", "UUIDIdentifikator").text or "")
    kept = event.child("Beskedkuvert").child("Filtreringsdata")
    assert [one.text() for one in kept.child("TilladtModtager").children("URNIdentifikator")] == [
        "urn:oio:cvr-nr:29189366"
    ]
    texts(kept, "TilladtModtager")
    assert unwrap(answer.content).message == bare.content
    assert b"2509479989" not in answer.content


@pytest.mark.parametrize(
    ("door", "message", "code", "words"),
    [
        (FHIR, NOTIFICATION, 20, "OK"),
        (FHIR, UNBORN, 40, "Patient.identifier"),
        (FHIR, b'{"resourceType": "Bundle"}', 40, "Bundle"),
        (FHIR, ACKNOWLEDGEMENT, 20, "OK"),
        (FHIR, LETTER.edifact(), 40, "/medcom/edifact"),
        (FHIR, b"no message", 40, "unknown_content"),
        (FHIR, in_vans_envelope(b""), 40, "payload_count"),
        (EDIFACT, in_the_network(b"<PositiveMessage/>"), 20, "OK"),
        (EDIFACT, NOTIFICATION, 40, "/medcom/fhir"),
        (EDIFACT, an_interchange(LETTER, BAD_LETTER), 40, "taken: 1; invalid_cpr"),
        (OIOXML, BAD_LETTER.oioxml(), 40, "invalid_cpr"),
    ],
)
async def test_a_push_is_answered_by_a_status_and_why(
    gateway: Gateway, door: str, message: bytes, code: int, words: str
) -> None:
    answer = await send(gateway, door, pushed_by_beskedfordeler(message), gateway.token())

    told = read_push_answer(answer.content)
    assert told is not None
    assert (answer.status_code, told[0]) == (200, code)
    assert words in told[1]


async def test_a_push_that_is_not_in_base64_is_told_so(gateway: Gateway) -> None:
    body = re.sub(rb"<b:Base64>.*</b:Base64>", b"<b:Base64>?</b:Base64>", pushed_by_beskedfordeler(NOTIFICATION))

    answer = await send(gateway, FHIR, body, gateway.token())

    code, text = read_push_answer(answer.content) or (0, "")
    assert (code, "not_base64" in text) == (40, True)


@pytest.mark.parametrize(("door", "message"), [(FHIR, NOTIFICATION), (OIOXML, LETTER.oioxml())])
async def test_a_push_while_the_broker_is_away_is_to_be_pushed_again(
    gateway: Gateway, door: str, message: bytes
) -> None:
    headers, body = gateway.token(), pushed_by_beskedfordeler(message)
    gateway.publisher.reachable = False
    away = await send(gateway, door, body, headers)
    gateway.publisher.reachable = True

    back = await send(gateway, door, body, headers)

    assert (away.status_code, (read_push_answer(away.content) or (0,))[0]) == (503, 53)
    assert (back.status_code, read_push_answer(back.content)) == (200, (20, "OK"))


async def test_what_is_no_receipt_goes_without_an_envelope(gateway: Gateway) -> None:
    headers = gateway.token()
    told = await send(gateway, EDIFACT, in_vans_envelope(a_letter("CTL03_1")), headers)
    nobody = await send(gateway, FHIR, in_vans_envelope(b"{}"), headers)
    in_ehmis = await send(gateway, FHIR, in_ehmi(NOTIFICATION), headers)

    assert (told.status_code, told.content) == (202, b"")
    assert (nobody.status_code, nobody.json()["resourceType"]) == (400, "OperationOutcome")
    assert in_ehmis.json()["resourceType"] == "Bundle"


@pytest.mark.parametrize("door", [FHIR, EDIFACT, OIOXML])
async def test_a_receipt_of_the_network_itself_is_counted_and_never_answered(gateway: Gateway, door: str) -> None:
    headers = gateway.token()
    answers = [
        await send(gateway, door, in_the_network(told), headers)
        for told in (b"<PositiveMessage/>", b"<NegativeMessage/>", b"<NegativeVans/>")
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 3
    counted = [
        gateway.app.state.desk.metrics.messages.labels(case)._value.get()
        for case in ("transport_receipt", "negative_transport_receipt")
    ]
    assert counted == [1, 2]


@pytest.mark.parametrize("signal", ["ReceiptAcknowledgement", "Exception"])
async def test_a_receipt_of_ehmi_is_never_answered(gateway: Gateway, signal: str) -> None:
    told = f'<s:{signal} xmlns:s="http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0"/>'

    answer = await send(gateway, FHIR, in_ehmi(told.encode()), gateway.token())

    assert (answer.status_code, answer.content) == (202, b"")


async def test_a_message_beside_a_receipt_of_the_network_is_taken(gateway: Gateway) -> None:
    body = in_vans_envelope(NOTIFICATION).replace(b"</VANSEnvelope>", b"<Receipt/></VANSEnvelope>")

    answer = await send(gateway, FHIR, body, gateway.token())

    assert answer.status_code == 200
    assert gateway.published("discharges")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'<SenderID EndPointType="EAN">5790002515200</SenderID>', b""),
        (b'<SenderID EndPointType="EAN">', b"<SenderID>"),
        (b'<ReceiverID EndPointType="EAN">', b'<ReceiverID EndPointType="GLN">'),
        (b"5790002515200</SenderID>", b" </SenderID>"),
        (b"5790002515200</SenderID>", b"579<a/></SenderID>"),
        (b"<ReceiverID", b'<SenderID EndPointType="EAN">1</SenderID><ReceiverID'),
        (b"5790002515200</SenderID>", b"1234567890123456789</SenderID>"),
    ],
)
async def test_an_envelope_that_does_not_say_between_whom_it_goes_gets_the_receipt_without(
    gateway: Gateway, was: bytes, becomes: bytes
) -> None:
    body = in_vans_envelope(NOTIFICATION)
    assert body.replace(was, becomes) != body

    answer = await send(gateway, FHIR, body.replace(was, becomes), gateway.token())

    assert answer.json()["entry"][0]["resource"]["response"]["code"] == "ok"


async def test_the_outermost_envelope_is_answered(gateway: Gateway) -> None:
    body = in_vans_envelope(in_beskedfordeler(NOTIFICATION))

    answer = await send(gateway, FHIR, body, gateway.token())

    assert read_document(answer.content).name == "VANSEnvelope"
    assert unwrap(answer.content).message.startswith(b'{"resourceType":"Bundle"')
