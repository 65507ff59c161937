"""What a body holds is known by its content, in envelopes and without, and nothing in an envelope is believed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.medcom_edi.envelopes import ContentKind, unwrap
from schemas.refusals import RefusedError
from tests.unit.medcom_edi.builders import MESSAGES, ROOT, a_letter
from tests.unit.medcom_fhir.builders import outcome_of

FHIR = (ROOT / "tests" / "messages" / "medcom-fhir" / "hn-06-SLHJ-discharge-home.json").read_bytes()
FHIR_IN_XML = (ROOT / "tests" / "messages" / "medcom-fhir" / "cc-14-new.xml").read_bytes()
_ROOT = b'<Bundle xmlns="http://hl7.org/fhir">'
_HEAD, _, _REST = FHIR_IN_XML.partition(_ROOT)
_MADE_FOR_A_BROWSER = b'<?xml-stylesheet type="text/xsl" href="fhir.xsl"?>\n'
#: The same message, each as another writer of XML has it.
DRESSES = {
    "an instruction": _HEAD + _MADE_FOR_A_BROWSER + _ROOT + _REST,
    "two comments": _HEAD + b"<!-- a --><!-- b -->\n" + _ROOT + _REST,
    "a long comment": _HEAD + b"<!--" + b" <Emessage> " * 1_000 + b"-->" + _ROOT + _REST,
    "other quotes and a line break": _HEAD + b"<Bundle xmlns='http://hl7.org/fhir'\n>" + _REST,
    "other declarations first": _HEAD + b'<Bundle xmlns:x="urn:x" a="1>2" xmlns="http://hl7.org/fhir">' + _REST,
    "no declaration": _ROOT + _REST,
    "fillings": b"\r\n" + FHIR_IN_XML + b"\x00\x1a",
}
CONTENTS = [
    (FHIR, ContentKind.FHIR_JSON),
    (FHIR_IN_XML, ContentKind.FHIR_XML),
    (b"\xef\xbb\xbf<!-- a letter -->\n" + FHIR_IN_XML.partition(b"?>")[2].lstrip(), ContentKind.FHIR_XML),
    (a_letter("DIS17_1"), ContentKind.EDIFACT),
    (a_letter("DIS20_ok_UNA"), ContentKind.EDIFACT),
    (a_letter("DIS17_1", ".xml"), ContentKind.OIOXML),
]


def in_vans_envelope(message: bytes) -> bytes:
    """Returns a message in a VANSEnvelope, as MedCom's standard and networks have it."""
    data = base64.b64encode(message).decode()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><VANSEnvelope xmlns="urn:oio:medcom:vans-envelope:1.0.4">'
        '<SenderID EndPointType="EAN">5790002515200</SenderID><ReceiverID EndPointType="EAN">5790002508226</ReceiverID>'
        "<EnvelopeIdentifier>EPIC1</EnvelopeIdentifier><SentDateTime>2026-06-24T07:34:00</SentDateTime><Message>"
        "<MetaInformation><Identifier>EPIC1</Identifier><Document><Format>XML</Format><Name>XDIS17</Name>"
        f"<Version>XD1730C</Version></Document></MetaInformation><Data>\n{data[:40]}\n{data[40:]}\n</Data></Message>"
        "</VANSEnvelope>"
    ).encode()


def in_beskedfordeler(message: bytes) -> bytes:
    """Returns a message in the envelope of KOMBIT's Beskedfordeler."""
    return (
        '<b:Haendelsesbesked xmlns:b="urn:oio:besked:kuvert:1.0"><b:BeskedId/><b:Beskedkuvert/><b:Beskeddata>'
        f"<b:Base64>{base64.b64encode(message).decode()}</b:Base64></b:Beskeddata></b:Haendelsesbesked>"
    ).encode()


def pushed_by_beskedfordeler(message: bytes) -> bytes:
    """Returns a message as Beskedfordeler's push has it."""
    return b'<s:ModtagBeskedInput xmlns:s="urn:oio:sts:1.0.0">' + in_beskedfordeler(message) + b"</s:ModtagBeskedInput>"


def in_ehmi(message: bytes) -> bytes:
    """Returns a message in EHMI's StandardBusinessDocument."""
    return (
        '<StandardBusinessDocument xmlns="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">'
        '<StandardBusinessDocumentHeader/><BinaryContent mimeType="text/xml" encoding="ISO-8859-1">'
        f"{base64.b64encode(message).decode()}</BinaryContent></StandardBusinessDocument>"
    ).encode()


def _bare(message: bytes) -> bytes:
    return message


Wrapping = Callable[[bytes], bytes]
WRAPPINGS: list[Wrapping] = [_bare, in_vans_envelope, in_beskedfordeler, pushed_by_beskedfordeler, in_ehmi]


@pytest.mark.parametrize("dress", DRESSES)
def test_fhir_in_xml_is_known_by_the_namespace_of_its_root(dress: str) -> None:
    assert _ROOT in FHIR_IN_XML
    assert unwrap(DRESSES[dress]).content is ContentKind.FHIR_XML
    assert outcome_of(DRESSES[dress]) == outcome_of(FHIR_IN_XML)


def test_a_prefix_for_the_namespace_makes_no_difference() -> None:
    root = _ROOT.replace(b"xmlns=", b"xmlns:f=")
    prefixed = re.sub(rb"<(/?)([A-Za-z])", rb"<\1f:\2", FHIR_IN_XML.replace(_ROOT, root))

    assert unwrap(prefixed).content is ContentKind.FHIR_XML
    assert outcome_of(prefixed) == outcome_of(FHIR_IN_XML)


@pytest.mark.parametrize(
    "body",
    [
        b'<!-- <Bundle xmlns="http://hl7.org/fhir"> -->' + a_letter("DIS17_1", ".xml").partition(b"?>")[2],
        a_letter("DIS17_1", ".xml").replace(b"<Emessage ", b'<Emessage xmlns:f="http://hl7.org/fhir" ', 1),
    ],
)
def test_a_letter_that_only_names_fhir_is_a_letter(body: bytes) -> None:
    assert unwrap(body).content is ContentKind.OIOXML


@pytest.mark.parametrize("wrapped", WRAPPINGS)
@pytest.mark.parametrize(("message", "content"), CONTENTS)
def test_a_message_is_the_same_in_every_envelope(message: bytes, content: ContentKind, wrapped: Wrapping) -> None:
    unwrapped = unwrap(wrapped(message))

    assert (unwrapped.content, unwrapped.message) == (content, message)


def test_an_envelope_in_an_envelope_is_opened_too() -> None:
    assert unwrap(in_ehmi(in_vans_envelope(FHIR))).message == FHIR


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "unknown_content"),
        (b"hello", "unknown_content"),
        (b"<Bundle/>", "unknown_content"),
        (b"<VANSEnvelope/>", "payload_count"),
        (
            in_vans_envelope(FHIR).replace(b"</Message>", b"</Message><Message><Data>YQ==</Data></Message>"),
            "payload_count",
        ),
        (b"<VANSEnvelope><Message><Data>a</Data></Message></VANSEnvelope>", "not_base64"),
        (b"<VANSEnvelope><Message><Data>\xc3\xa6</Data></Message></VANSEnvelope>", "not_base64"),
        (b"<VANSEnvelope><Message><Data/></Message></VANSEnvelope>", "payload_count"),
        (b"<!DOCTYPE x><VANSEnvelope/>", "document_type"),
        (in_ehmi(in_ehmi(in_ehmi(in_ehmi(b"{}")))), "nesting_too_deep"),
    ],
)
def test_what_is_no_message_in_an_envelope_is_refused_by_name(body: bytes, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        unwrap(body)

    assert caught.value.refusal.code == code


@given(name=st.sampled_from(sorted(path.name for path in MESSAGES.glob("*.xml"))), data=st.data())
def test_no_change_of_an_envelope_ends_in_another_exception(name: str, data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from(WRAPPINGS))((MESSAGES / name).read_bytes()))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    assert _content_or_rule(bytes(body))


def _content_or_rule(body: bytes) -> str:
    """Returns what content a body has, or the rule that it breaks."""
    try:
        return unwrap(body).content
    except RefusedError as error:
        return error.refusal.rule


def test_a_letter_with_attachments_is_found_in_its_envelope() -> None:
    letter = b'{"data": "' + b"QUJD" * 4_000_000 + b'"}'

    assert unwrap(in_vans_envelope(letter)).message == letter


def test_an_envelope_of_millions_of_elements_is_refused_before_it_is_read() -> None:
    with pytest.raises(RefusedError) as caught:
        unwrap(b"<VANSEnvelope>" + b"<a/>" * 5_000_000 + b"</VANSEnvelope>")

    assert caught.value.refusal.code == "too_many_elements"


def test_what_an_envelope_says_of_its_message_is_kept_for_who_reads_it() -> None:
    letter = a_letter("DIS17_1", ".xml")

    assert unwrap(letter, "utf-8").charset == "utf-8"
    assert unwrap(in_ehmi(letter), "utf-8").charset == "ISO-8859-1"
    assert unwrap(in_vans_envelope(letter), "utf-8").charset is None
