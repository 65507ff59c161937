"""MedCom Acknowledgement 2.0, built and checked.

Sources: medcomdk/dk-medcom-acknowledgement (MedComAcknowledgementMessage, -MessageHeader,
-OperationOutcome), medcomdk/MedCom-FHIR-Communication ("The response message SHALL also quote the request
MessageHeader.id in MessageHeader.response.identifier").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import ACKNOWLEDGEMENT, ERROR_CODES, ErrorCode, ResponseCode
from connectors.medcom_fhir.writing import (
    MESSAGING_PROFILES,
    Json,
    endpoint,
    entry,
    event_coding,
    narrative,
    organisation,
    primary_destination,
    provenance,
)
from connectors.sender_ids import normalised
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.medcom_fhir.letters import Addressing
    from connectors.medcom_fhir.provenance import ProvenanceEntry
    from schemas.refusals import Refusal

_CANONICAL = "https://medcomfhir.dk/ig/acknowledgement"
_ACKNOWLEDGEMENT_PROFILES = "http://medcomfhir.dk/ig/acknowledgement/StructureDefinition"
_ISSUE_TYPES = {
    ErrorCode.RECEIVER_UNKNOWN: "not-found",
    ErrorCode.RECEIVER_MISSING: "required",
    ErrorCode.MESSAGE_TYPE_NOT_TAKEN: "not-supported",
    ErrorCode.NOT_IN_VALUE_SET: "code-invalid",
    ErrorCode.NOT_IN_CODE_SYSTEM: "code-invalid",
    ErrorCode.ELEMENT_TOO_LONG: "too-long",
    ErrorCode.OUT_OF_OPERATION: "transient",
}
_NEAREST = {
    "too_many_entries": ErrorCode.ELEMENT_TOO_LONG,
    "body_too_large": ErrorCode.ELEMENT_TOO_LONG,
    "invalid_cpr": ErrorCode.NOT_IN_CODE_SYSTEM,
    "not_json": ErrorCode.DAMAGED,
    "not_xml": ErrorCode.DAMAGED,
    "wrong_encoding": ErrorCode.DAMAGED,
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer; all its ids are derived from it, so that a rebuilt Acknowledgement is identical."""

    addressing: Addressing
    code: ResponseCode
    at: str

    def id_of(self, part: str) -> str:
        addressing = self.addressing
        return str(
            derived_id(
                "acknowledgement",
                addressing.sender.sor,
                normalised(addressing.bundle_id),
                normalised(addressing.header_id),
                self.code.value,
                part,
            )
        )

    def reference(self, resource_type: str, part: str) -> Json:
        return {"reference": f"{resource_type}/{self.id_of(part)}"}


def build_acknowledgement(
    addressing: Addressing | None,
    code: ResponseCode,
    refusal: Refusal | None,
    at: datetime,
) -> Json | None:
    """Returns the Acknowledgement of a message, or None where it cannot be addressed (answer HTTP 400).

    The same arguments give the same Bundle; a message that is resent gets the original one, so keep
    ``at``. ``refusal`` is given if and only if the code is not ok.
    """
    if addressing is None:
        return None
    if (refusal is None) is not (code is ResponseCode.OK):
        raise ValueError("an Acknowledgement has an OperationOutcome if and only if it is not ok")
    answer = _Answer(addressing, code, at.isoformat(timespec="milliseconds"))
    resources = [
        ("message-header", _header(answer)),
        *([("retold", _retold(answer, addressing.latest))] if addressing.latest else []),
        ("provenance", _own_provenance(answer)),
        ("sender", organisation(answer.id_of("sender"), addressing.receiver)),
        ("receiver", organisation(answer.id_of("receiver"), addressing.sender)),
        *([("outcome", operation_outcome(refusal))] if refusal else []),
    ]
    return {
        "resourceType": "Bundle",
        "id": answer.id_of("bundle"),
        "meta": {"profile": [f"{_ACKNOWLEDGEMENT_PROFILES}/medcom-messaging-acknowledgement"]},
        "type": "message",
        "timestamp": answer.at,
        "entry": [entry(_CANONICAL, answer.id_of(part), resource) for part, resource in resources],
    }


def operation_outcome(refusal: Refusal) -> Json:
    """Returns the OperationOutcome of a refusal, for an Acknowledgement or for HTTP 400.

    The coding is MedCom's; where the refusal's code is our own, MedCom's nearest stands there (the value
    set is a required binding) and ours in the text.
    """
    error = _medcom_code(refusal.code)
    return {
        "resourceType": "OperationOutcome",
        "meta": {"profile": [f"{_ACKNOWLEDGEMENT_PROFILES}/medcom-acknowledgement-operationoutcome"]},
        "text": narrative(f"error: {error.value}", refusal.rule),
        "issue": [
            {
                "severity": "error",
                "code": _ISSUE_TYPES.get(error, "structure"),
                "details": {
                    "coding": [{"system": ERROR_CODES, "code": error.value}],
                    "text": f"{refusal.code}: {refusal.rule}",
                },
                "diagnostics": refusal.help,
                "expression": [refusal.field],
            }
        ],
    }


def _medcom_code(code: str) -> ErrorCode:
    if code in {member.value for member in ErrorCode}:
        return ErrorCode(code)
    return _NEAREST.get(code, ErrorCode.DATATYPE_WRONG)


def _header(answer: _Answer) -> Json:
    addressing, refused = answer.addressing, answer.code is not ResponseCode.OK
    response: Json = {"identifier": addressing.header_id, "code": answer.code.value}
    if refused:
        response["details"] = answer.reference("OperationOutcome", "outcome")
    return {
        "resourceType": "MessageHeader",
        "meta": {"profile": [f"{_ACKNOWLEDGEMENT_PROFILES}/medcom-messaging-acknowledgementHeader"]},
        "text": narrative(
            answer.id_of("message-header"),
            ACKNOWLEDGEMENT,
            endpoint(addressing.sender),
            endpoint(addressing.receiver),
            addressing.header_id,
            answer.code.value,
        ),
        "eventCoding": event_coding(ACKNOWLEDGEMENT),
        "destination": [primary_destination(addressing.sender, answer.reference("Organization", "receiver"))],
        "sender": answer.reference("Organization", "sender"),
        "source": {"endpoint": endpoint(addressing.receiver)},
        "response": response,
    }


def _own_provenance(answer: _Answer) -> Json:
    followed = f"MessageHeader/{answer.addressing.header_id}"
    return {
        **_provenance(answer.reference("MessageHeader", "message-header")["reference"], answer.at, "acknowledgement"),
        "agent": [{"who": answer.reference("Organization", "sender")}],
        "entity": [{"role": "revision", "what": {"reference": followed}}],
    }


def _retold(answer: _Answer, link: ProvenanceEntry) -> Json:
    """Returns the acknowledged message's latest Provenance, with this Bundle's organisations."""
    retold = _provenance(f"MessageHeader/{link.header_id_as_sent}", link.sent_at or answer.at, link.activity)
    retold["agent"] = [{"who": answer.reference("Organization", "receiver")}]
    if link.follows is not None:
        retold["entity"] = [{"role": link.role, "what": {"reference": f"MessageHeader/{link.follows_as_sent}"}}]
    return retold


def _provenance(target: str, at: str, activity: str) -> Json:
    return provenance(f"{MESSAGING_PROFILES}/medcom-messaging-provenance", target, at, activity)
