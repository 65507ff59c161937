"""What a body holds, by its content, and what is inside of envelopes: one message each, in base64.

| Envelope | Message in | Source |
|---|---|---|
| VANSEnvelope | Message/Data | MedCom, "Den gode VANSEnvelope"; medcomdk/MedCom-FHIR-Communication |
| StandardBusinessDocument (EHMI) | BinaryContent | medcomdk/dk-ehmi-sbdh |
| Haendelsesbesked, also in ModtagBeskedInput | Beskeddata/Base64 | KOMBIT Beskedfordeler, urn:oio:besked:kuvert:1.0 |
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from lxml import etree

from connectors.medcom_edi import beskedfordeler, vans_envelope
from connectors.medcom_edi.beskedfordeler import EventMessage, Pushed
from connectors.medcom_edi.oioxml_letter import ROOT
from connectors.medcom_edi.refusing import letter_refusal
from connectors.medcom_edi.vans_envelope import (
    NEGATIVE_TRANSPORT_RECEIPT,
    RECEIPT_HELP,
    TRANSPORT_RECEIPT,
    VansAddress,
)
from connectors.medcom_edi.xml_documents import read_document
from connectors.strict_xml import BLANKS, root_name, trimmed
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from connectors.medcom_edi.xml_documents import Element
    from schemas.refusals import Refusal

#: What is needed of an envelope to answer in one of its kind.
Envelope = VansAddress | EventMessage | Pushed
ENVELOPES_MAX = 3
# A CareCommunication with its attachments may have 50 MB in MedCom's network; what opens it has limits of its own.
ENVELOPE_BYTES_MAX = 70_000_000
_FHIR = "{http://hl7.org/fhir}"
_SIGNALS = "ebbp-signals"
_PAYLOADS = {
    vans_envelope.NAME: ("Message", "Data"),
    "StandardBusinessDocument": ("BinaryContent",),
    beskedfordeler.MESSAGE: ("Beskeddata", "Base64"),
    beskedfordeler.PUSHED: (beskedfordeler.MESSAGE, "Beskeddata", "Base64"),
}
_HELP = "send a letter, or one in VANSEnvelope, StandardBusinessDocument or Beskedfordeler's Haendelsesbesked"


class ContentKind(StrEnum):
    """In what a message is written."""

    FHIR_JSON = "fhir_json"
    FHIR_XML = "fhir_xml"
    EDIFACT = "edifact"
    OIOXML = "oioxml"


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A message without its envelopes, as its sender wrote it.

    ``envelope`` is what is needed of the outermost one to answer in one of its kind; None where there is none, where it
    doesn't say who sent it, or where it is EHMI's, whose answers go their own way. ``charset`` is what the innermost
    envelope, or the transport, says that the message is written in.
    """

    content: ContentKind
    message: bytes = field(repr=False)
    envelope: Envelope | None = None
    charset: str | None = None


class InEnvelopeError(RefusedError):
    """Raised where an envelope was opened and what is in it is no message; ``envelope`` is that of Unwrapped."""

    def __init__(self, refusal: Refusal, envelope: Envelope | None) -> None:
        """Takes what is wrong inside, and what is needed to answer in an envelope of the kind."""
        super().__init__(refusal)
        self.envelope = envelope


def unwrap(body: bytes, charset: str | None = None) -> Unwrapped:
    """Returns the message in a body, whatever envelopes it is in; ``charset`` is what its transport says.

    Raises RefusedError where it is of no known content or an envelope is too large, and InEnvelopeError where envelopes
    are nested too deeply, or one has not one message in base64, or a network's receipt instead. What is inside is not
    read here.
    """
    message, envelope, place = body, None, ""
    try:
        for _ in range(ENVELOPES_MAX + 1):
            content = _content_at_sight(message)
            if content is not None:
                return Unwrapped(content, message, envelope, charset)
            document = read_document(message, ENVELOPE_BYTES_MAX, charset)
            if document.name == ROOT:
                return Unwrapped(ContentKind.OIOXML, message, envelope, charset)
            if not place and document.name in _PAYLOADS:
                envelope, place = _answerable(document), document.name
            _refuse_network_receipt(document)
            message, charset = _payload(document)
            place = ".".join((document.name, *_PAYLOADS[document.name]))
        raise letter_refusal("nesting_too_deep", "document", f"a message is in at most {ENVELOPES_MAX} envelopes")
    except RefusedError as error:
        if not place:
            raise
        is_inside = error.refusal.field == "document"
        raise InEnvelopeError(replace(error.refusal, field=place) if is_inside else error.refusal, envelope) from error


def _content_at_sight(message: bytes) -> ContentKind | None:
    """Returns the content of what is no XML, or FHIR's; None for other XML.

    Raises RefusedError where it is nothing that is known.
    """
    document = trimmed(message)
    if document[:1] in {b"{", b"["}:
        return ContentKind.FHIR_JSON
    if document[:3] in {b"UNA", b"UNB"}:
        return ContentKind.EDIFACT
    if document[:1] == b"<":
        return ContentKind.FHIR_XML if (root_name(document) or "").startswith(_FHIR) else None
    raise letter_refusal(
        "unknown_content", "document", "a message is FHIR in JSON, EDIFACT from UNA or UNB, or XML", _HELP
    )


def _answerable(document: Element) -> Envelope | None:
    match document.name:
        case vans_envelope.NAME:
            return vans_envelope.answer_address(document.node)
        case beskedfordeler.MESSAGE:
            return beskedfordeler.event_message(document.node)
        case beskedfordeler.PUSHED:
            return beskedfordeler.Pushed()
    return None


def _refuse_network_receipt(document: Element) -> None:
    """Raises RefusedError where those who carry envelopes say what became of one: in VANS, or as EHMI's ebBP signal."""
    if document.name == vans_envelope.NAME:
        vans_envelope.refuse_transport_receipt(document.node)
    elif _SIGNALS in (etree.QName(document.node).namespace or ""):
        code = NEGATIVE_TRANSPORT_RECEIPT if "Exception" in document.name else TRANSPORT_RECEIPT
        raise letter_refusal(
            code, document.name, "a signal says what became of another envelope on its way", RECEIPT_HELP
        )


def _payload(document: Element) -> tuple[bytes, str | None]:
    """Returns the message in an envelope, and in what it is written where the envelope says so (EHMI's does)."""
    names = _PAYLOADS.get(document.name)
    if names is None:
        raise letter_refusal(
            "unknown_content", "document", f"the document is {ROOT} or one of {', '.join(_PAYLOADS)}", _HELP
        )
    holders = [document]
    for name in names:
        holders = [child for holder in holders for child in holder.children(name)]
    path = ".".join((document.name, *names))
    if len(holders) != 1:
        raise letter_refusal("payload_count", path, "an envelope holds one message")
    try:
        message = base64.b64decode((holders[0].node.text or "").encode("ascii").translate(None, BLANKS), validate=True)
    except (binascii.Error, ValueError) as error:
        raise letter_refusal("not_base64", path, "the message is in base64") from error
    if not message:
        raise letter_refusal("payload_count", path, "an envelope holds one message")
    return message, holders[0].node.get("encoding")
