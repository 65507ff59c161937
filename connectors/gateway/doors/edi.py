"""``POST /medcom/edifact`` and ``/medcom/oioxml``: letters in, their receipt out, after the broker has confirmed.

An interchange holds several letters, each taken or refused by itself. What is answered to each is kept with it, and
the receipt is written from that, so that an interchange that comes again gets its receipt byte for byte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, assert_never

import structlog
from fastapi import APIRouter, Request, Response

from connectors.gateway.api_errors import BROKER_UNAVAILABLE, RETRY_SECONDS, refused_answer, unavailable
from connectors.gateway.clients.clients import Client, Role
from connectors.gateway.doors.bodies import charset_of, check_media_type, read_body
from connectors.gateway.letters.answers import (
    LETTER_CHANGED,
    StoredAnswer,
    fingerprint_of,
    receipt_for,
    unreadable_letter_of,
)
from connectors.gateway.letters.enveloped import enveloped, message_in, network_receipt_answer
from connectors.gateway.letters.publishing import publish_letter
from connectors.gateway.letters.receipts import ReceiptStatus
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.medcom_edi.envelopes import ContentKind, InEnvelopeError, Unwrapped
from connectors.medcom_edi.fields import Interchange, Syntax
from connectors.medcom_edi.outcomes import (
    EdiOutcome,
    EdiOutOfScope,
    EdiRefused,
    EdiTranslation,
    InterchangeOutcome,
    LetterOutcome,
    ReceivedReceipt,
    Unreadable,
)
from connectors.medcom_edi.receipts import MEDIA_TYPES
from connectors.medcom_edi.refusing import BODY_BYTES_MAX
from connectors.medcom_edi.translate import EdiMappingContext, translate_interchange
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime

_XML = frozenset({"application/xml", "text/xml"})
_TAKEN = {
    Syntax.EDIFACT: _XML | {"application/edifact", "text/plain", "application/octet-stream"},
    Syntax.OIOXML: _XML,
}
_CONTENTS = {Syntax.EDIFACT: ContentKind.EDIFACT, Syntax.OIOXML: ContentKind.OIOXML}
_CHARSETS = frozenset({"iso-8859-1", "windows-1252", "utf-8"})
_OTHER_CONTENT = Refusal(
    "unknown_content",
    "document",
    "a door takes letters of its syntax, in an envelope or without",
    "send EDIFACT to /medcom/edifact, OIOXML to /medcom/oioxml and FHIR to /medcom/fhir",
)
_FOREIGN_SENDER = Refusal(
    "foreign_source",
    "sender",
    "the sender is one that this client may send for",
    "ask operations for a token with the sender's location number: `brobygger clients create source --sender`",
)
_RETRY = {"retry-after": str(RETRY_SECONDS)}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The receipt: CTL03 for what is taken, CTL02 for what is refused, in the sender's syntax; "
        "in an envelope where the letters were"
    },
    202: {"description": "Receipts alone, or a network's receipt, were received; they are never acknowledged"},
    400: {"description": "Nobody can be answered"},
    403: {"description": "The client may not send for this sender"},
    413: {"description": "The body is too large"},
    503: {"description": "Send the same again: what was taken of it is known by its receipt"},
}
router = APIRouter(tags=["MedCom"])
_log = structlog.get_logger(__name__)


def _body(media_type: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": {"type": "string"}}}}}


@router.post("/medcom/edifact", openapi_extra=_body("application/edifact"), responses=_RESPONSES)
async def receive_edifact(request: Request) -> Response:
    """Takes an interchange of letters and answers its CTL receipt."""
    return await _receive(request, Syntax.EDIFACT)


@router.post("/medcom/oioxml", openapi_extra=_body("application/xml"), responses=_RESPONSES)
async def receive_oioxml(request: Request) -> Response:
    """Takes a document of letters and answers its XCTL receipt."""
    return await _receive(request, Syntax.OIOXML)


async def _receive(request: Request, syntax: Syntax) -> Response:
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("letters").time():
        client = await desk.entrance.admit(request, Role.MEDCOM)
        check_media_type(request, _TAKEN[syntax], _CHARSETS)
        body = await read_body(request, min(desk.limits.body_bytes_max, BODY_BYTES_MAX), desk.limits)
        try:
            charset = charset_of(request)
            unwrapped = await asyncio.to_thread(message_in, body, {_CONTENTS[syntax]}, _OTHER_CONTENT, charset)
        except RefusedError as error:
            answer = network_receipt_answer(desk, error.refusal) or _nobody(desk, client, error.refusal)
            envelope = error.envelope if isinstance(error, InEnvelopeError) else None
            return enveloped(answer, _CONTENTS[syntax], envelope, desk.ports.clock())
        try:
            answer = await _answer(desk, client, syntax, unwrapped)
        except STORE_ERRORS as error:
            desk.metrics.messages.labels("unavailable").inc()
            answer = unavailable(error)
        return enveloped(answer, unwrapped.content, unwrapped.envelope, desk.ports.clock())


async def _answer(desk: Desk, client: Client, syntax: Syntax, unwrapped: Unwrapped) -> Response:
    at = desk.ports.clock()
    outcome = await asyncio.to_thread(_translated, desk, syntax, unwrapped, at)
    interchange = outcome.interchange
    if interchange is None:
        return _unaddressed(desk, client, outcome)
    if not client.may_send_for(interchange.sender):
        return refused_answer(403, _FOREIGN_SENDER)
    match outcome:
        case Unreadable(refusal):
            answers = [await _unreadable(desk, interchange, refusal, unwrapped.message, at)]
        case InterchangeOutcome(_, letters):
            desk.quota.charge(client, len(letters))
            answers = []
            for nth, letter in enumerate(letters, start=1):
                if isinstance(letter, ReceivedReceipt):
                    desk.metrics.messages.labels("acknowledgement").inc()
                elif (answer := await _take(desk, interchange, letter, nth, at)) is not None:
                    answers.append(answer)
                else:
                    return refused_answer(503, BROKER_UNAVAILABLE, _RETRY)
        case _:
            assert_never(outcome)
    if not answers:
        return Response(status_code=202)
    return Response(receipt_for(interchange, answers), 200, media_type=MEDIA_TYPES[syntax])


def _translated(desk: Desk, syntax: Syntax, unwrapped: Unwrapped, at: datetime) -> EdiOutcome:
    known = desk.medcom
    door = EdiMappingContext(known.identities.youth_id, known.reference, desk.ages(), known.ahead_max)
    return translate_interchange(unwrapped.message, syntax, door, at, unwrapped.charset)


def _unaddressed(desk: Desk, client: Client, outcome: EdiOutcome) -> Response:
    if not isinstance(outcome, Unreadable):
        raise TypeError("what was delivered has an interchange")
    return _nobody(desk, client, outcome.refusal)


def _nobody(desk: Desk, client: Client, refusal: Refusal) -> Response:
    desk.metrics.messages.labels("unaddressable").inc()
    desk.metrics.refusals.labels("letters", refusal.code).inc()
    _log.info("letters_refused", code=refusal.code, field=refusal.field, client=client.client_id)
    return refused_answer(400, refusal)


async def _unreadable(
    desk: Desk, interchange: Interchange, refusal: Refusal, body: bytes, at: datetime
) -> StoredAnswer:
    """Returns what is answered to an interchange of which nothing is taken; the same bytes get the same answer."""
    letter = unreadable_letter_of(desk.fingerprints, interchange, body)
    opened = await asyncio.to_thread(
        desk.receipts.open, letter, lambda _: StoredAnswer(None, refusal, at).written(), at
    )
    desk.metrics.messages.labels("refused").inc()
    desk.metrics.refusals.labels("letters", refusal.code).inc()
    _log.info("letters_refused", code=refusal.code, field=refusal.field)
    return StoredAnswer.read(opened.acknowledgement)


async def _take(
    desk: Desk, interchange: Interchange, outcome: EdiTranslation | EdiOutOfScope | EdiRefused, nth: int, at: datetime
) -> StoredAnswer | None:
    """Returns what is answered to a letter, None where the broker has not confirmed it."""
    letter = fingerprint_of(desk.fingerprints, interchange, outcome, nth)
    refusal = outcome.refusal if isinstance(outcome, EdiRefused) else None

    def first_answer(case: ReceiptStatus) -> bytes:
        changed = case is ReceiptStatus.CONTENT_CHANGED
        return StoredAnswer(outcome.addressed, LETTER_CHANGED if changed else refusal, at).written()

    opened = await asyncio.to_thread(desk.receipts.open, letter, first_answer, at)
    as_of, delivered = opened.publish_as_of, "repeated"
    if as_of is not None and isinstance(outcome, EdiTranslation):
        delivered = "published"
        if not await publish_letter(desk, letter, outcome.events, outcome.details, as_of):
            delivered = "unavailable"
    answer = StoredAnswer.read(opened.acknowledgement)
    _count(desk, outcome, opened.case, answer, delivered)
    return None if delivered == "unavailable" else answer


def _count(desk: Desk, outcome: LetterOutcome, case: ReceiptStatus, answer: StoredAnswer, delivered: str) -> None:
    """Counts and logs one letter; ids in the log are derived ones."""
    said, event_id, topic = case.value, None, "unknown"
    if isinstance(outcome, EdiTranslation):
        topic, event = outcome.events[0]
        event_id = str(event.event_id)
    if answer.refusal is not None:
        said, delivered = ("refused" if case is ReceiptStatus.NEW else said), "refused"
        desk.metrics.refusals.labels("letters", answer.refusal.code).inc()
    elif isinstance(outcome, EdiOutOfScope) and case is ReceiptStatus.NEW:
        said = delivered = "out_of_scope"
    desk.metrics.messages.labels(said).inc()
    desk.metrics.events.labels(topic, delivered).inc()
    _log.info(
        "letter_received", case=said, outcome=delivered, event_id=event_id, code=answer.refusal and answer.refusal.code
    )
