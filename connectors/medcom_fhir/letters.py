"""Who wrote what to whom: the identity of a letter, and what an Acknowledgement of it needs.

Bundle and MessageHeader ids are opaque, and one published header id stands in many Bundles of different
episodes: the identity of a letter is sender SOR + header id + episode, all normalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import ACKNOWLEDGEMENT, ErrorCode
from connectors.medcom_fhir.identifiers import resource_id
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.organisations import Organisation, messaging_organisation
from connectors.medcom_fhir.provenance import ProvenanceEntry, current_link, told_links
from connectors.sender_ids import normalised
from schemas.identifiers import derived_id
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from uuid import UUID

    from connectors.medcom_fhir.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Addressing:
    """What an Acknowledgement needs of a message; nothing in it is personal.

    ``receiver`` is the message's primary receiver, or the service's own organisation where the message
    names none. ``latest`` is the message's latest Provenance, absent where none can be read.
    """

    bundle_id: str
    header_id: str
    sender: Organisation
    receiver: Organisation
    latest: ProvenanceEntry | None


def message_id_of(sender_sor: str, header_id: str, episode: str) -> UUID:
    """Returns a letter's identity, which is the ``event_id`` of the step it tells."""
    return derived_id("letter", sender_sor, normalised(header_id), episode)


def sender_of(bundle: Bundle, header: Node) -> Organisation:
    """Returns MessageHeader.sender; raises RefusedError where it lacks SOR or GLN."""
    holder = header.optional_child("sender")
    if holder is None:
        raise fhir_refusal("sender_identifier_missing", "MessageHeader.sender", "a message names its sender")
    return messaging_organisation(bundle.resolve(holder, "Organization"), "sender_identifier_missing")


def receiver_of(bundle: Bundle, header: Node) -> Organisation:
    """Returns the primary receiver; carbon copies are passed over.

    Raises RefusedError with MedCom's ``MSG_Receiver_Identifier_MISSING`` where there is not exactly one
    primary destination, or its organisation lacks SOR or GLN.
    """
    primary = [destination for destination in header.children("destination") if _is_primary(destination)]
    holder = primary[0].optional_child("receiver") if len(primary) == 1 else None
    if holder is None:
        raise fhir_refusal(
            ErrorCode.RECEIVER_MISSING, "MessageHeader.destination.receiver", "a message has one primary receiver"
        )
    return messaging_organisation(bundle.resolve(holder, "Organization"), ErrorCode.RECEIVER_MISSING)


def addressing_of(bundle: Bundle, own: Organisation | None) -> Addressing | None:
    """Returns how to answer a message, also a defective one; None where it cannot be answered.

    It cannot where ids or sender are missing, and it must not where it is an Acknowledgement itself.
    """
    try:
        header = next(iter(bundle.of_type("MessageHeader")), None)
        if header is None or event_code(header) == ACKNOWLEDGEMENT:
            return None
        header_id, sender = resource_id(header), sender_of(bundle, header)
        receiver = _receiver_or(bundle, header, own)
        latest = _latest_link(bundle, header_id)
        return Addressing(bundle.id, header_id, sender, receiver, latest) if receiver else None
    except RefusedError:
        return None


def event_code(header: Node) -> str | None:
    """Returns MessageHeader.eventCoding.code in lower case, or None where it is absent."""
    coding = header.optional_child("eventCoding")
    code = coding.optional_text("code") if coding is not None else None
    return code.lower() if code else None


def _is_primary(destination: Node) -> bool:
    uses = [extension.optional_child("valueCoding") for extension in destination.children("extension")]
    return any(use is not None and use.optional_text("code") == "primary" for use in uses)


def _receiver_or(bundle: Bundle, header: Node, own: Organisation | None) -> Organisation | None:
    try:
        return receiver_of(bundle, header)
    except RefusedError:
        return own


def _latest_link(bundle: Bundle, header_id: str) -> ProvenanceEntry | None:
    try:
        return current_link(bundle, header_id)
    except RefusedError:
        links = told_links(bundle)
        return max(links, key=lambda link: (link.sent_at or "", link.header_id), default=None)
