"""What came in an envelope is answered in one: its receipt, as it is without, is put into an envelope of that kind.

A receipt is the original one however often it is asked for; the envelope around it is new at every time of sending, as
MedCom's reliable messaging has it. Beskedfordeler's push reads a status, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import structlog
from fastapi import Response

from connectors.medcom_edi.beskedfordeler import EventMessage, Pushed, PushStatus, in_event_message, push_answer
from connectors.medcom_edi.envelopes import ContentKind, InEnvelopeError, unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.receipt_reading import read_receipt
from connectors.medcom_edi.vans_envelope import (
    NEGATIVE_TRANSPORT_RECEIPT,
    TRANSPORT_RECEIPT,
    Document,
    VansAddress,
    fhir_document,
    in_vans_envelope,
)
from connectors.medcom_fhir.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import datetime

    from connectors.gateway.ports import Desk
    from connectors.medcom_edi.envelopes import Envelope, Unwrapped
    from schemas.refusals import Refusal

XML = "application/xml; charset=utf-8"
_OK, _NO_BODY, _UNAVAILABLE = 200, 202, 503
_ACKNOWLEDGEMENT_VERSION = "2.0.0"
_LETTERS = {ContentKind.EDIFACT: (Syntax.EDIFACT, "EDIFACT", ""), ContentKind.OIOXML: (Syntax.OIOXML, "XML", "X")}
_STATUSES = {
    ResponseCode.OK: PushStatus.TAKEN,
    ResponseCode.FATAL_ERROR: PushStatus.REFUSED,
    ResponseCode.TRANSIENT_ERROR: PushStatus.UNAVAILABLE,
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a receipt says, as an envelope tells it."""

    document: Document
    status: PushStatus
    why: str


def message_in(body: bytes, contents: Container[ContentKind], other: Refusal, charset: str | None = None) -> Unwrapped:
    """Returns the message in a body; raises RefusedError, with ``other`` where its content is none of these."""
    unwrapped = unwrap(body, charset)
    if unwrapped.content not in contents:
        raise InEnvelopeError(other, unwrapped.envelope)
    return unwrapped


def network_receipt_answer(desk: Desk, refusal: Refusal) -> Response | None:
    """Returns the answer to an envelope in which the network says what became of another one; None for all else."""
    if refusal.code not in {TRANSPORT_RECEIPT, NEGATIVE_TRANSPORT_RECEIPT}:
        return None
    desk.metrics.messages.labels(refusal.code).inc()
    if refusal.code == NEGATIVE_TRANSPORT_RECEIPT:
        _log.warning(refusal.code)
    return Response(status_code=_NO_BODY)


def enveloped(answer: Response, content: ContentKind, envelope: Envelope | None, at: datetime) -> Response:
    """Returns a door's answer in an envelope of the kind in which the message came, or as it is where it came bare.

    What is no receipt (a status alone, or why there is none) goes bare, but to a push.
    """
    if envelope is None or (answer.status_code != _OK and not isinstance(envelope, Pushed)):
        return answer
    receipt = bytes(answer.body)
    match envelope:
        case VansAddress():
            return Response(in_vans_envelope(receipt, _told(content, receipt).document, envelope, at), media_type=XML)
        case EventMessage():
            return Response(in_event_message(receipt, envelope, at), media_type=XML)
        case Pushed():
            return _pushed(answer, content, receipt)
        case _:
            assert_never(envelope)


def _pushed(answer: Response, content: ContentKind, receipt: bytes) -> Response:
    if answer.status_code == _OK:
        told = _told(content, receipt)
        status, why = told.status, told.why
    elif answer.status_code == _NO_BODY:
        status, why = PushStatus.TAKEN, ""
    else:
        status = PushStatus.UNAVAILABLE if answer.status_code >= _UNAVAILABLE else PushStatus.REFUSED
        why = _why(json.loads(receipt))
    if status is PushStatus.UNAVAILABLE:
        return Response(push_answer(status, why), _UNAVAILABLE, media_type=XML)
    return Response(push_answer(status, why or "OK"), media_type=XML)


def _told(content: ContentKind, receipt: bytes) -> _Told:
    if content in _LETTERS:
        syntax, form, mark = _LETTERS[content]
        read = read_receipt(receipt, syntax)
        number, status = ("02", PushStatus.REFUSED) if read.refused else ("03", PushStatus.TAKEN)
        why = f"taken: {read.taken}; {read.refused[0].reason}" if read.refused else ""
        return _Told(Document(form, f"MCM:{mark}CTL{number}", f"{mark}C{number}30Q"), status, why)
    bundle = json.loads(receipt)
    code = ResponseCode(bundle["entry"][0]["resource"]["response"]["code"])
    document = fhir_document("FCTL", code, _ACKNOWLEDGEMENT_VERSION)
    return _Told(document, _STATUSES[code], _why(bundle))


def _why(said: dict[str, Any]) -> str:
    """Returns why something is not taken, by an Acknowledgement, an OperationOutcome or a refusal; empty: it is."""
    if "refused" in said:
        return "; ".join(filter(None, (said["refused"][part] for part in ("code", "field", "rule", "help"))))
    resources = [said, *(entry["resource"] for entry in said.get("entry", ()))]
    issues = [issue for one in resources if one["resourceType"] == "OperationOutcome" for issue in one["issue"]]
    parts = [(*issue["expression"], issue["details"]["text"], issue["diagnostics"]) for issue in issues]
    return "; ".join(part for issue in parts for part in issue if part)
