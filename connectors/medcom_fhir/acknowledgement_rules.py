"""The rules that an Acknowledgement 2.0 keeps, checked on a Bundle; for tests alone.

Sources: medcomdk/dk-medcom-acknowledgement (medcom-acknowledgement-1 and -2, MedComAcknowledgement-
MessageHeader), medcomdk/dk-medcom-messaging (medcom-messaging-1 and -2, MedComMessagingOrganization).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.medcom_fhir.bundle import Bundle, read_bundle
from connectors.medcom_fhir.codes import ACKNOWLEDGEMENT, ERROR_CODES, ErrorCode, ResponseCode
from connectors.medcom_fhir.identifiers import checked_id, resource_id
from connectors.medcom_fhir.letters import event_code, receiver_of, sender_of
from connectors.medcom_fhir.nodes import Node
from connectors.medcom_fhir.provenance import current_link
from connectors.medcom_fhir.times import required_time
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.medcom_fhir.writing import Json


def defects_of_acknowledgement(bundle: Json, provenances: int = 2) -> tuple[str, ...]:
    """Returns every rule that a Bundle breaks as an Acknowledgement, none where it is valid.

    ``provenances``: two for a HospitalNotification, its latest retold and the Acknowledgement's own.
    """
    try:
        message = read_bundle(Node(bundle, "Bundle"))
        return tuple(_defects(message, message.header, provenances))
    except RefusedError as error:
        return (f"{error.refusal.field}: {error.refusal.rule}",)


def _defects(bundle: Bundle, header: Node, provenances: int) -> Iterator[str]:
    resource_id(bundle.node)
    required_time(bundle.node, "timestamp")
    if event_code(header) != ACKNOWLEDGEMENT:
        yield "MessageHeader.eventCoding.code: the event is acknowledgement-message"
    if len(header.children("destination")) != 1:
        yield "MessageHeader.destination: an acknowledgement has no carbon copy"
    if sender_of(bundle, header) == receiver_of(bundle, header):
        yield "MessageHeader.sender: sender and receiver are two organisations"
    if len(bundle.of_type("Provenance")) != provenances:
        yield f"Bundle.entry: an acknowledgement carries {provenances} Provenances"
    own = current_link(bundle, resource_id(header))
    if own.activity != "acknowledgement" or own.follows is None:
        yield "Provenance: its own names the activity acknowledgement and the message it acknowledges"
    yield from _response_defects(bundle, header.child("response"))


def _response_defects(bundle: Bundle, response: Node) -> Iterator[str]:
    checked_id(response.text("identifier"), "MessageHeader.response.identifier")
    code = response.text("code")
    if code not in {member.value for member in ResponseCode}:
        yield "MessageHeader.response.code: the code is one of response-code"
    outcomes, details = bundle.of_type("OperationOutcome"), response.optional_child("details")
    if (code == ResponseCode.OK) != (not outcomes) or (details is None) != (not outcomes):
        yield "OperationOutcome: one is there, and referred to, if and only if the code is not ok"
    if details is not None:
        yield from _outcome_defects(bundle.resolve(details, "OperationOutcome"))


def _outcome_defects(outcome: Node) -> Iterator[str]:
    issues = outcome.children("issue")
    if not issues:
        yield "OperationOutcome.issue: at least one"
    for issue in issues:
        issue.text("code")
        if issue.text("severity") not in {"fatal", "error", "warning", "information"}:
            yield f"{issue.path}.severity: one of issue-severity"
        for coding in issue.child("details").children("coding"):
            is_medcom = coding.optional_text("system") == ERROR_CODES
            if is_medcom and coding.text("code") not in {member.value for member in ErrorCode}:
                yield f"{coding.path}.code: one of MedCom's error codes"
