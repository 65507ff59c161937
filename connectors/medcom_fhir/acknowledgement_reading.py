"""MedCom Acknowledgement 2.0, read: which letter it answers, how, and from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.medcom_fhir.bundle import Bundle, read_bundle
from connectors.medcom_fhir.codes import ACKNOWLEDGEMENT, ErrorCode, ResponseCode
from connectors.medcom_fhir.decoding import decode
from connectors.medcom_fhir.identifiers import checked_id
from connectors.medcom_fhir.letters import event_code, sender_of
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.outcomes import ReceivedAcknowledgement
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from connectors.medcom_fhir.organisations import Organisation


def read_acknowledgement(bundle: Bundle, header: Node) -> ReceivedAcknowledgement:
    """Returns what an Acknowledgement says; raises RefusedError where it doesn't say what it answers, or how."""
    response = header.child("response")
    code = response.text("code")
    if code not in {member.value for member in ResponseCode}:
        raise fhir_refusal(
            ErrorCode.NOT_IN_VALUE_SET, "MessageHeader.response.code", "the code is one of response-code"
        )
    identifier = checked_id(response.text("identifier"), "MessageHeader.response.identifier")
    return ReceivedAcknowledgement(bundle.id, identifier, ResponseCode(code), _sender_or_none(bundle, header))


def acknowledgement_in(answer: bytes) -> ReceivedAcknowledgement | None:
    """Returns the Acknowledgement that the answer to a message holds, or None where it is anything else."""
    try:
        bundle = read_bundle(decode(answer))
        header = bundle.header
        return read_acknowledgement(bundle, header) if event_code(header) == ACKNOWLEDGEMENT else None
    except RefusedError:
        return None


def _sender_or_none(bundle: Bundle, header: Node) -> Organisation | None:
    try:
        return sender_of(bundle, header)
    except RefusedError:
        return None
