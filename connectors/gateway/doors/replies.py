"""``POST /handovers/{handover_id}/replies``: a programme answers in short, and is told what became of the answer."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import ValidationError

from connectors.gateway.api_errors import RETRY_SECONDS, ApiError, refused_answer, status_of, unavailable
from connectors.gateway.clients.clients import Role
from connectors.gateway.doors.bodies import check_media_type, read_body
from connectors.gateway.doors.handover_forms import SECURED, HandoverReply, RefusedAnswer, RefusedReply, ReplyOutcome
from connectors.gateway.doors.handovers import NOT_FOUND, json_answer, unknown
from connectors.gateway.doors.idempotency import check_key, key_reused
from connectors.gateway.doors.sent_replies import SentReply
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.gateway.statements.acceptance import accept_statements
from connectors.read_model.handovers import story
from connectors.strict_json import read_json_object
from schemas.codes import HandoverEventType
from schemas.identifiers import derived_id
from schemas.refusals import Refusal, RefusedError
from schemas.rules import first_refusal_of

if TYPE_CHECKING:
    from sqlalchemy import Row

    from connectors.gateway.clients.clients import Client
    from connectors.read_model.answers import TopicRecord

_JSON = "application/json"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {"$ref": "#/components/schemas/HandoverReply"},
                "examples": {
                    "accepted": {"value": {"status": "accepted"}},
                    "declined": {"value": {"status": "declined", "side": "programme", "reason_code": "no_capacity"}},
                    "waitlisted": {
                        "summary": "waitlisted until a day from tomorrow to 366 days ahead",
                        "value": {"status": "waitlisted", "waitlisted_until": "2027-06-01"},
                    },
                },
            }
        },
    }
}
_WAITING = {"model": ReplyOutcome, "description": "Taken; its answer has not come yet"}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": ReplyOutcome, "description": "The reply was accepted"},
    202: _WAITING
    | {"headers": {"Location": {"schema": {"type": "string"}, "description": "where to ask what became of it"}}},
    400: {"model": RefusedAnswer, "description": "The body can't be read as JSON"},
    401: {"model": RefusedAnswer, "description": "The token is missing, unknown or revoked"},
    403: {"model": RefusedAnswer, "description": "The token is no programme's"},
    404: NOT_FOUND,
    409: {"model": RefusedReply, "description": "The reply was refused and has changed nothing"},
    413: {"model": RefusedAnswer, "description": "The body is too large"},
    415: {"model": RefusedAnswer, "description": "The body is no JSON"},
    422: {
        "model": RefusedAnswer,
        "description": "A field breaks a rule, or the Idempotency-Key came with another body",
    },
    429: {"model": RefusedAnswer, "description": "Too many requests"},
    503: {"model": RefusedAnswer, "description": "Not confirmed: send the same again"},
}
_ASKED: dict[int | str, dict[str, Any]] = {status: _ANSWERS[status] for status in (401, 403, 404, 429, 503)}
_OUTCOMES = {
    HandoverEventType.REPLY_ACCEPTED: "accepted",
    HandoverEventType.REPLY_REFUSED: "refused",
    HandoverEventType.IDENTITY_GRANTED: "granted",
}
_HELP = "see /docs for the form of a reply"
router = APIRouter(tags=["Programmes"])


@router.post("/handovers/{handover_id}/replies", openapi_extra=SECURED | _BODY, responses=_ANSWERS)
async def reply_to_handover(
    request: Request,
    handover_id: Annotated[str, Path(max_length=128)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Takes an answer and waits up to 5 seconds for what becomes of it.

    With an `Idempotency-Key` a repeat is the same reply and gets its answer, also one that came in between.
    """
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("replies").time():
        client = await desk.entrance.admit(request, Role.REPLIES)
        check_media_type(request, {_JSON})
        body = await read_body(request, desk.limits.body_bytes_max, desk.limits)
        try:
            found = await asyncio.to_thread(story, desk.read_model.engine, client.reach, handover_id)
            if found is None:
                raise unknown("handover_id")
            form = _form_of(desk, body)
            sent = await _entered(desk, client, (found.handover.handover_id, idempotency_key), body)
            return await _answered(desk, client, sent, _statement(form, sent, found.handover))
        except STORE_ERRORS as error:
            return unavailable(error)


@router.get(
    "/replies/{event_id}",
    openapi_extra=SECURED,
    responses=_ASKED | {200: {"model": ReplyOutcome, "description": "Its answer"}, 202: _WAITING},
)
async def show_reply(request: Request, event_id: Annotated[str, Path(max_length=36)]) -> Response:
    """Returns what became of a reply of this programme."""
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("replies").time():
        client = await desk.entrance.admit(request, Role.REPLIES)
        try:
            wanted = UUID(event_id)
        except ValueError as error:
            raise unknown("event_id") from error
        try:
            answer = await _answer_to(desk, client, wanted, timedelta())
            sent = answer is not None or await asyncio.to_thread(desk.sent_replies.is_from, wanted, client.name)
        except STORE_ERRORS as error:
            return unavailable(error)
        if not sent:
            raise unknown("event_id")
        return json_answer(202 if answer is None else 200, reply_result_of(wanted, answer))


def _form_of(desk: Desk, body: bytes) -> HandoverReply:
    try:
        read_json_object(body, desk.limits.nesting_max)
        return HandoverReply.model_validate_json(body.removeprefix(b"\xef\xbb\xbf"), strict=True)
    except RefusedError as error:
        raise ApiError(status_of(error.refusal), error.refusal) from error
    except ValidationError as error:
        refusal = first_refusal_of(error, _HELP)
        raise ApiError(status_of(refusal), refusal) from error


async def _entered(desk: Desk, client: Client, about: tuple[str, str | None], body: bytes) -> SentReply:
    """Returns the reply as it first came: with a key a repeat has its event id and time, without one it is another."""
    handover_id, key = about
    at, fingerprint = desk.ports.clock(), desk.fingerprints.of("reply", body)
    if key is not None:
        check_key(key)
    mark = f"at {at.isoformat()} {fingerprint.hex()}" if key is None else f"key {key}"
    event_id = derived_id("reply", client.name, client.client_id, handover_id, mark)
    first = await asyncio.to_thread(desk.sent_replies.enter, SentReply(event_id, client.name, fingerprint, at))
    if first.body != fingerprint:
        raise key_reused()
    return first


def _statement(form: HandoverReply, sent: SentReply, handover: Row[Any]) -> bytes:
    """Returns the reply in the public JSON form, with everything that the handover says already."""
    filled_in = {
        "event_id": str(sent.event_id),
        "correlation_id": handover.need_id,
        "subject": handover.handover_id,
        "youth_id": handover.youth_id,
        "programme": handover.programme,
        "occurred_at": sent.occurred_at.isoformat(),
    }
    return json.dumps(form.model_dump(mode="json", exclude_none=True) | filled_in).encode()


async def _answered(desk: Desk, client: Client, sent: SentReply, statement: bytes) -> Response:
    [taken] = await accept_statements(desk, client, "replies", [statement])
    if taken.refusal is not None:
        headers = {"retry-after": str(RETRY_SECONDS)} if taken.outcome == "unavailable" else None
        return refused_answer(status_of(taken.refusal), taken.refusal, headers)
    answer = await _answer_to(desk, client, sent.event_id, desk.limits.answer_time_max)
    outcome = reply_result_of(sent.event_id, answer)
    if answer is None:
        return json_answer(202, outcome, {"location": f"/replies/{sent.event_id}"})
    if outcome["outcome"] == "refused":
        return json_answer(409, outcome | {"refused": refusal_of_reply(outcome["reason_code"]).as_dict()})
    return json_answer(200, outcome)


async def _answer_to(desk: Desk, client: Client, event_id: UUID, time_max: timedelta) -> TopicRecord | None:
    answer = await desk.read_model.answers.answer_to(event_id, time_max)
    if answer is None or answer.programme != client.name or client.site not in (None, answer.event.site):
        return None
    return answer


def reply_result_of(event_id: UUID, answer: TopicRecord | None) -> dict[str, Any]:
    """Returns what became of a reply, as programmes are told; None means that no answer has come yet."""
    if answer is None:
        return {"event_id": str(event_id), "outcome": "waiting"}
    event = answer.event
    refused = event.type is HandoverEventType.REPLY_REFUSED
    return {
        "event_id": str(event_id),
        "outcome": _OUTCOMES[event.type],
        "state": event.state,
        "reason_code": event.reason_code if refused else None,
        "answer": answer.record,
    }


def refusal_of_reply(reason_code: str | None) -> Refusal:
    """Returns the refusal of a reply that the domain has refused for this reason."""
    rule = "a reply fits the state that the handover is in"
    return Refusal(reason_code or "refused", "status", rule, "`GET /handovers/{handover_id}` shows how it came there")
