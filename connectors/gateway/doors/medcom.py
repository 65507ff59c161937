"""``POST /medcom/fhir``: a MedCom message in, its Acknowledgement out, after the broker has confirmed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

import structlog
from fastapi import APIRouter, Request, Response

from connectors.gateway.api_errors import RETRY_SECONDS, STORE_UNAVAILABLE
from connectors.gateway.clients.clients import Client, Role
from connectors.gateway.doors.bodies import check_media_type, declared_bytes, read_body
from connectors.gateway.letters.enveloped import enveloped, message_in, network_receipt_answer
from connectors.gateway.letters.message_links import MessageLinks, links_of
from connectors.gateway.letters.publishing import publish_letter
from connectors.gateway.letters.receipts import MessageFingerprint, Opened, ReceiptStatus
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.medcom_edi.envelopes import ContentKind, InEnvelopeError, Unwrapped
from connectors.medcom_fhir.acknowledgement import build_acknowledgement, operation_outcome
from connectors.medcom_fhir.codes import ErrorCode, ResponseCode
from connectors.medcom_fhir.decoding import BODY_BYTES_MAX
from connectors.medcom_fhir.outcomes import (
    FhirOutcome,
    FhirOutOfScope,
    FhirRefused,
    FhirTranslation,
    ReceivedAcknowledgement,
)
from connectors.medcom_fhir.resubmission import BUNDLE_ID_REUSED, CONTENT_CHANGED, OUT_OF_OPERATION
from connectors.medcom_fhir.translate import translate_bundle
from connectors.sender_ids import normalised
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.medcom_fhir.letters import Addressing

FHIR_JSON, FHIR_XML, XML = "application/fhir+json", "application/fhir+xml", "application/xml"
_MEDIA_TYPES = frozenset({FHIR_JSON, FHIR_XML, "application/json", XML, "text/xml"})
_CASE_REFUSALS = {ReceiptStatus.BUNDLE_REUSED: BUNDLE_ID_REUSED, ReceiptStatus.CONTENT_CHANGED: CONTENT_CHANGED}
_FOREIGN_SENDER = Refusal(
    "foreign_source",
    "MessageHeader.sender",
    "the sender is one that this client may send for",
    "ask operations for a token with the sender's SOR code: `brobygger clients create source --sender`",
)
_NO_ENVELOPE = {"unknown_content", "not_xml", "wrong_encoding"}
_OTHER_CONTENT = Refusal(
    "unknown_content",
    "document",
    "this door takes FHIR in JSON or XML, in an envelope or without",
    "send EDIFACT to /medcom/edifact and OIOXML to /medcom/oioxml",
)
_MESSAGES = "a message Bundle: HospitalNotification, CareCommunication or Acknowledgement"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FHIR_JSON: {"schema": {"type": "object", "description": _MESSAGES}},
            FHIR_XML: {"schema": {"type": "string", "description": _MESSAGES}},
            XML: {"schema": {"type": "string", "description": f"{_MESSAGES}; or an envelope with one"}},
        },
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The Acknowledgement: ok, fatal-error or transient-error; in an envelope where the message was",
        "content": {FHIR_JSON: {}, XML: {}},
    },
    202: {"description": "An Acknowledgement, or a network's receipt, was received; it is never acknowledged"},
    400: {"description": "Nobody can be answered: an OperationOutcome", "content": {FHIR_JSON: {}}},
    413: {"description": "The body is too large"},
    503: {"description": "The gateway's databases can't be reached: an OperationOutcome", "content": {FHIR_JSON: {}}},
}
router = APIRouter(tags=["MedCom"])
_log = structlog.get_logger(__name__)


@router.post("/medcom/fhir", openapi_extra=_BODY, responses=_RESPONSES)
async def receive_message(request: Request) -> Response:
    """Takes a message and answers its Acknowledgement; a repeat gets the original one, byte for byte."""
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("medcom").time():
        client = await desk.entrance.admit(request, Role.MEDCOM)
        check_media_type(request, _MEDIA_TYPES)
        if declared_bytes(request) <= desk.limits.body_bytes_max:
            return await _take(desk, client, request, desk.limits.body_bytes_max)
        async with desk.large_letters.of(client.client_id):  # each is held several times over while it is read
            return await _take(desk, client, request, desk.limits.letter_bytes_max)


async def _take(desk: Desk, client: Client, request: Request, bytes_max: int) -> Response:
    body = await read_body(request, min(bytes_max, BODY_BYTES_MAX), desk.limits)
    try:
        unwrapped = await asyncio.to_thread(_without_envelope, body)
    except InEnvelopeError as error:
        answer = network_receipt_answer(desk, error.refusal) or _nobody(desk, client, error.refusal)
        return enveloped(answer, ContentKind.FHIR_JSON, error.envelope, desk.ports.clock())
    try:
        answer = await _answer(desk, client, unwrapped.message)
    except STORE_ERRORS as error:
        _log.error("store_unavailable", error=type(error).__name__)
        desk.metrics.messages.labels("unavailable").inc()
        answer = _outcome_answer(503, STORE_UNAVAILABLE, {"retry-after": str(RETRY_SECONDS)})
    return enveloped(answer, unwrapped.content, unwrapped.envelope, desk.ports.clock())


def _without_envelope(body: bytes) -> Unwrapped:
    """Returns a message, out of its envelope where it is in one; raises InEnvelopeError."""
    try:
        return message_in(body, {ContentKind.FHIR_JSON, ContentKind.FHIR_XML}, _OTHER_CONTENT)
    except InEnvelopeError:
        raise
    except RefusedError as error:
        if error.refusal.code in _NO_ENVELOPE:
            return Unwrapped(ContentKind.FHIR_JSON, body)  # what reads JSON says what is wrong with it
        raise InEnvelopeError(error.refusal, None) from error


def _nobody(desk: Desk, client: Client, refusal: Refusal) -> Response:
    desk.metrics.messages.labels("unaddressable").inc()
    desk.metrics.refusals.labels("medcom", refusal.code).inc()
    _log.info("message_refused", code=refusal.code, field=refusal.field, client=client.client_id)
    return _outcome_answer(400, refusal)


async def _answer(desk: Desk, client: Client, message: bytes) -> Response:
    at = desk.ports.clock()
    outcome = await asyncio.to_thread(_translated, desk, message, at)
    match outcome:
        case ReceivedAcknowledgement():
            await _settle(desk, client, outcome)
            return Response(status_code=202)
        case FhirRefused(refusal, None):
            return _nobody(desk, client, refusal)
        case FhirTranslation() | FhirOutOfScope() | FhirRefused():
            addressing = outcome.addressing
        case _:
            assert_never(outcome)
    if addressing is None or not client.may_send_for(addressing.sender.sor):
        return _outcome_answer(403, _FOREIGN_SENDER)
    if isinstance(outcome, FhirRefused) and outcome.refusal.code == ErrorCode.RECEIVER_UNKNOWN:
        receiver = addressing.receiver
        await asyncio.to_thread(desk.unknown_receivers.note, receiver.sor, receiver.gln, at)
    links = MessageLinks()
    desk.quota.charge(client, 1)
    if isinstance(outcome, FhirTranslation):
        links = await asyncio.to_thread(links_of, desk, client, outcome)
    return await _acknowledge(desk, outcome, addressing, links)


async def _settle(desk: Desk, client: Client, told: ReceivedAcknowledgement) -> None:
    """Notes what became of a letter of ours, where the organisation that it went to acknowledges it."""
    desk.metrics.messages.labels("acknowledgement").inc()
    if told.sender is None or not client.may_send_for(told.sender.sor):
        return
    letter_id = told.response_identifier.lower().removeprefix("urn:uuid:")
    ours = await asyncio.to_thread(desk.outbox.acknowledge, letter_id, told.sender.sor, told.response_code)
    _log.info("acknowledgement_received", code=told.response_code.value, ours=ours)


def _translated(desk: Desk, message: bytes, at: datetime) -> FhirOutcome:
    return translate_bundle(message, replace(desk.medcom, ages=desk.ages()), at)


async def _acknowledge(
    desk: Desk,
    outcome: FhirTranslation | FhirOutOfScope | FhirRefused,
    addressing: Addressing,
    links: MessageLinks,
) -> Response:
    letter, at = _letter(desk, outcome, addressing), desk.ports.clock()

    def acknowledgement(case: ReceiptStatus) -> bytes:
        refusal = outcome.refusal if isinstance(outcome, FhirRefused) else None
        return _acknowledgement(addressing, _CASE_REFUSALS.get(case, refusal), at)

    opened = await asyncio.to_thread(desk.receipts.open, letter, acknowledgement, at)
    as_of, confirmed = opened.publish_as_of, True
    if as_of is not None and isinstance(outcome, FhirTranslation):
        await links.keep(desk)
        confirmed = await publish_letter(desk, letter, (*outcome.events, *links.events), outcome.details, as_of)
    if not confirmed:
        _count(desk, outcome, opened, "unavailable")
        return _fhir_answer(
            200, _bytes(build_acknowledgement(addressing, ResponseCode.TRANSIENT_ERROR, OUT_OF_OPERATION, at))
        )
    _count(desk, outcome, opened, "published" if opened.publish_as_of else "repeated")
    return _fhir_answer(200, opened.acknowledgement)


def _content_of(translation: FhirTranslation) -> str:
    linked = (text for one in translation.linked for text in (one.relation, one.number.system, one.number.number))
    return " ".join((translation.content_digest, *linked))


def _letter(
    desk: Desk, outcome: FhirTranslation | FhirOutOfScope | FhirRefused, addressing: Addressing
) -> MessageFingerprint:
    """Returns the message as fingerprints, ids brought to one form; bundle and header are the sender's own."""
    of, sor = desk.fingerprints.of, addressing.sender.sor
    bundle_id, header_id = normalised(addressing.bundle_id), normalised(addressing.header_id)
    if isinstance(outcome, FhirTranslation):
        letter, content = of("letter", str(outcome.letter_id)), _content_of(outcome)
    elif isinstance(outcome, FhirOutOfScope):
        letter, content = of("letter", str(outcome.letter_id)), outcome.reason
    else:
        letter, content = None, outcome.refusal.code
    return MessageFingerprint(
        bundle=of("bundle", sor, bundle_id),
        header=of("header", sor, header_id),
        letter=letter,
        content=of("content", content),
        publishes=isinstance(outcome, FhirTranslation),
        seal=desk.fingerprints.seal_of("message", sor, bundle_id, header_id),
    )


def _count(desk: Desk, outcome: FhirTranslation | FhirOutOfScope | FhirRefused, opened: Opened, delivered: str) -> None:
    """Counts and logs one message; ids in the log are derived ones."""
    case = opened.case.value
    if opened.case is ReceiptStatus.NEW and isinstance(outcome, FhirOutOfScope):
        case = delivered = "out_of_scope"
    elif isinstance(outcome, FhirRefused) or opened.case in _CASE_REFUSALS:
        case = "refused" if opened.case is ReceiptStatus.NEW else case
        delivered = "repeated" if opened.case is ReceiptStatus.REPEAT else "refused"
        refusal = outcome.refusal if isinstance(outcome, FhirRefused) else _CASE_REFUSALS[opened.case]
        desk.metrics.refusals.labels("medcom", refusal.code).inc()
    desk.metrics.messages.labels(case).inc()
    topic = outcome.events[0][0] if isinstance(outcome, FhirTranslation) else outcome.topic
    desk.metrics.events.labels(topic, delivered).inc()
    event_id = None if isinstance(outcome, FhirRefused) else str(outcome.letter_id)
    _log.info("message_received", case=case, outcome=delivered, event_id=event_id)


def _acknowledgement(addressing: Addressing, refusal: Refusal | None, at: datetime) -> bytes:
    code = ResponseCode.OK if refusal is None else ResponseCode.FATAL_ERROR
    return _bytes(build_acknowledgement(addressing, code, refusal, at))


def _bytes(resource: dict[str, Any] | None) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def _fhir_answer(status: int, content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, status, headers, media_type=f"{FHIR_JSON}; charset=utf-8")


def _outcome_answer(status: int, refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    return _fhir_answer(status, _bytes(operation_outcome(refusal)), headers)
