"""MedCom's VANSEnvelope 1.0.4: who sends to whom is read of one, and a message is put into one.

Its transport receipts (Receipt) are between those who carry envelopes: none is written here, and none that
comes is a message.

Sources: MedCom, "Den gode VANSEnvelope" (urn:oio:medcom:vans-envelope:1.0.4); for FHIR,
medcomdk/MedCom-FHIR-Communication, "MedComs FHIR-meddelelser og forsendelseskuvert" (the English page still names
FCTL1 and older versions), and the code system medcom-messaging-sorEdiSystem 1.8.1 (FCTL, FDIS91).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from connectors.medcom_edi.refusing import letter_refusal
from schemas.identifiers import derived_text

if TYPE_CHECKING:
    from datetime import datetime

NAME = "VANSEnvelope"
TRANSPORT_RECEIPT, NEGATIVE_TRANSPORT_RECEIPT = "transport_receipt", "negative_transport_receipt"
RECEIPT_HELP = "send it as it is: doors take it unanswered, and count it"
_NAMESPACE = "urn:oio:medcom:vans-envelope:1.0.4"
_END_POINT_TYPES = frozenset({"EAN", "CVR", "VANS"})
_END_POINT_CHARACTERS_MAX = 18


@dataclass(frozen=True, slots=True)
class EndPoint:
    """One end of an envelope's way: a location number, a company's or a network's."""

    kind: str
    number: str


@dataclass(frozen=True, slots=True)
class VansAddress:
    """From whom to whom an envelope goes; ``about`` is the envelope that it answers, where it answers one."""

    sender: EndPoint
    receiver: EndPoint
    about: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """What an envelope says of the message in it (MetaInformation/Document); ``mime`` is FHIR's alone."""

    form: str
    name: str
    version: str
    mime: str | None = None


def fhir_document(message_type: str, variant: str, version: str) -> Document:
    """Returns how a FHIR message in JSON is named: MedCom's type, and the variant by which networks count it.

    >>> fhir_document("FCTL", "ok", "2.0.0").name
    'MCM:FCTL#ok'
    """
    return Document("HL7", f"MCM:{message_type}#{variant}", version, "application/fhir+json")


def answer_address(envelope: etree._Element) -> VansAddress | None:
    """Returns where the answer to an envelope goes: its ends changed.

    None where an end is missing or none that the schema has: the message in it may be good all the same.
    """
    sender, receiver = _end_point(envelope, "SenderID"), _end_point(envelope, "ReceiverID")
    if sender is None or receiver is None:
        return None
    return VansAddress(receiver, sender, (envelope.findtext("{*}EnvelopeIdentifier") or "").strip())


def refuse_transport_receipt(envelope: etree._Element) -> None:
    """Raises RefusedError for an envelope that holds a network's receipt, and no message."""
    receipt = envelope.find("{*}Receipt")
    if receipt is None or envelope.find("{*}Message") is not None:
        return
    came_across = receipt.find("{*}PositiveMessage") is not None
    raise letter_refusal(
        TRANSPORT_RECEIPT if came_across else NEGATIVE_TRANSPORT_RECEIPT,
        f"{NAME}.Receipt",
        "a message is in Message; Receipt says what became of another envelope on its way",
        RECEIPT_HELP,
    )


def in_vans_envelope(message: bytes, document: Document, address: VansAddress, at: datetime) -> bytes:
    """Returns the message in an envelope of its own: at another time (to the millisecond) it is another envelope."""
    root = etree.fromstring(f'<{NAME} xmlns="{_NAMESPACE}"/>')
    for name, end in (("SenderID", address.sender), ("ReceiverID", address.receiver)):
        _under(root, name, end.number).set("EndPointType", end.kind)
    data, sent = base64.b64encode(message).decode(), at.isoformat(timespec="milliseconds")
    identifier = derived_text("vans-message", data)
    ends = (address.sender.number, address.receiver.number)
    _under(root, "EnvelopeIdentifier", derived_text("vans-envelope", identifier, *ends, address.about, sent))
    _under(root, "SentDateTime", sent)
    held = _under(root, "Message")
    meta = _under(held, "MetaInformation")
    _under(meta, "Identifier", identifier)
    described = _under(meta, "Document")
    for name, text in (("Format", document.form), ("Name", document.name), ("Version", document.version)):
        _under(described, name, text)
    _under(described, "SizeInBytes", str(len(message)))
    transport = _under(meta, "Transport")
    _under(transport, "Type", "reliable")
    _under(transport, "TransformMessage", "false")
    if document.mime is not None:
        _under(transport, "ServiceTag", document.mime).set("name", "MCM:MIME")
    _under(held, "Data", data)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _end_point(envelope: etree._Element, name: str) -> EndPoint | None:
    ends = envelope.findall(f"{{*}}{name}")
    if len(ends) != 1 or len(ends[0]):
        return None
    kind, number = ends[0].get("EndPointType", ""), (ends[0].text or "").strip()
    is_one = kind in _END_POINT_TYPES and 1 <= len(number) <= _END_POINT_CHARACTERS_MAX
    return EndPoint(kind, number) if is_one else None


def _under(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}")
    child.text = text
    return child
