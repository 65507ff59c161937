"""What came in an envelope is answered in one: its receipt, as it is without, is put into an envelope of that kind.

A receipt is the original one however often it is asked for; the envelope around it is new at every time of sending, as
MedCom's reliable messaging has it. Beskedfordeler's push reads a status, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from fastapi import Response

from connectors.medcom_edi.beskedfordeler import EventMessage, Pushed, PushStatus, in_event_message, push_answer
from connectors.medcom_edi.envelopes import Content
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.receipt_reading import read_receipt
from connectors.medcom_edi.vans_envelope import Document, VansAddress, fhir_document, in_vans_envelope
from connectors.medcom_fhir.codes import ResponseCode

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.medcom_edi.envelopes import Unwrapped

XML = "application/xml; charset=utf-8"
_OK, _NO_BODY, _UNAVAILABLE = 200, 202, 503
_ACKNOWLEDGEMENT_VERSION = "2.0.0"
_LETTERS = {Content.EDIFACT: (Syntax.EDIFACT, "EDIFACT", ""), Content.OIOXML: (Syntax.OIOXML, "XML", "X")}
_STATUSES = {
    ResponseCode.OK: PushStatus.TAKEN,
    ResponseCode.FATAL_ERROR: PushStatus.REFUSED,
    ResponseCode.TRANSIENT_ERROR: PushStatus.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a receipt says, as an envelope tells it."""

    document: Document
    status: PushStatus
    why: str


def enveloped(answer: Response, unwrapped: Unwrapped, at: datetime) -> Response:
    """Returns a door's answer in an envelope of the kind in which the message came, or as it is where it came bare.

    What is no receipt (a status alone, or why there is none) goes bare, but to a push.
    """
    envelope = unwrapped.envelope
    if envelope is None or (answer.status_code != _OK and not isinstance(envelope, Pushed)):
        return answer
    receipt = bytes(answer.body)
    match envelope:
        case VansAddress():
            return Response(in_vans_envelope(receipt, _told(unwrapped, receipt).document, envelope, at), media_type=XML)
        case EventMessage():
            return Response(in_event_message(receipt, envelope, at), media_type=XML)
        case Pushed():
            return _pushed(answer, unwrapped, receipt)
        case _:
            assert_never(envelope)


def _pushed(answer: Response, unwrapped: Unwrapped, content: bytes) -> Response:
    code, why = answer.status_code, ""
    if code == _OK:
        told = _told(unwrapped, content)
        status, why = told.status, told.why
    elif code == _NO_BODY:
        code, status = _OK, PushStatus.TAKEN
    else:
        status = PushStatus.UNAVAILABLE if code >= _UNAVAILABLE else PushStatus.REFUSED
        why = _why(json.loads(content))
    if status is PushStatus.UNAVAILABLE:
        code = _UNAVAILABLE
    return Response(push_answer(status, why or "OK"), code, media_type=XML)


def _told(unwrapped: Unwrapped, receipt: bytes) -> _Told:
    if unwrapped.content in _LETTERS:
        syntax, form, mark = _LETTERS[unwrapped.content]
        refused = read_receipt(receipt, syntax).refused
        number, status = ("02", PushStatus.REFUSED) if refused else ("03", PushStatus.TAKEN)
        document = Document(form, f"MCM:{mark}CTL{number}", f"{mark}C{number}30Q")
        return _Told(document, status, next((one.reason for one in refused), ""))
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
