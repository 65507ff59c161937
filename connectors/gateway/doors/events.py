"""``POST /events/{topic}``: statements in the public JSON form, one, or many as NDJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import APIRouter, Header, Path, Request, Response

from connectors.gateway.api_errors import (
    BROKER_UNAVAILABLE,
    RETRY_SECONDS,
    ApiError,
    status_of,
    unavailable,
)
from connectors.gateway.clients.permissions import check_may_submit, role_for
from connectors.gateway.doors.bodies import check_media_type, read_body
from connectors.gateway.doors.idempotency import answered_once
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.gateway.statements.acceptance import LineOutcome, accept_statements
from connectors.gateway.statements.forms import EXAMPLES, FORMS
from connectors.gateway.statements.ledger import StoredResponse
from connectors.strict_xml import PADDING
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gateway.clients.clients import Client

JSON = "application/json"
NDJSON = "application/x-ndjson"
_MEDIA_TYPES = frozenset({JSON, NDJSON})
_LINES_AT_ONCE = 500
_TOPIC_EXAMPLES = {topic: {"summary": topic, "value": example} for topic, example in EXAMPLES.items()}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"oneOf": [{"$ref": f"#/components/schemas/{form.__name__}"} for form in FORMS.values()]},
                "examples": _TOPIC_EXAMPLES,
            },
            NDJSON: {"schema": {"type": "string", "description": "one statement a line"}},
        },
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Known already, with a consent's `claim_code` for a day; or, for NDJSON, every line's outcome"
    },
    201: {"description": "Taken: the broker has confirmed it. An anonymous consent's `claim_code` is shown here"},
    400: {"description": "The body can't be read as JSON"},
    403: {"description": "The statement is not this client's to make"},
    409: {"description": "The event_id stands for another statement"},
    413: {"description": "The body is too large"},
    422: {"description": "A field breaks a rule, or the Idempotency-Key came with another body"},
    503: {"description": "Not confirmed: send the same again"},
}
router = APIRouter(tags=["Statements"])
_log = structlog.get_logger(__name__)


@router.post("/events/{topic}", openapi_extra=_BODY, responses=_RESPONSES)
async def receive_statements(
    request: Request,
    topic: Annotated[str, Path(examples=list(FORMS))],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Takes statements; answers once the broker has confirmed them, per line for NDJSON."""
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("events").time():
        client = await desk.entrance.admit(request, role_for(topic))
        _check_topic(client, topic)
        media_type = check_media_type(request, _MEDIA_TYPES)
        bytes_max = desk.limits.lines_bytes_max if media_type == NDJSON else desk.limits.body_bytes_max
        body = (await read_body(request, bytes_max, desk.limits)).rstrip(PADDING)

        async def process() -> StoredResponse:
            answer = _answer_lines if media_type == NDJSON else _answer_one
            return await answer(desk, client, topic, body)

        try:
            answer = await answered_once(desk, (client.client_id, idempotency_key), (topic, media_type, body), process)
        except STORE_ERRORS as error:
            return unavailable(error)
        return _response(answer)


async def _answer_one(desk: Desk, client: Client, topic: str, body: bytes) -> StoredResponse:
    desk.quota.charge(client, 1)
    [outcome] = await accept_statements(desk, client, topic, [body])
    status = {"accepted": 201, "repeated": 200, "unavailable": 503}.get(outcome.outcome)
    if outcome.refusal is not None:
        return _json_answer(status or status_of(outcome.refusal), {"refused": outcome.refusal.as_dict()})
    return _json_answer(status or 200, outcome.as_dict())


async def _answer_lines(desk: Desk, client: Client, topic: str, body: bytes) -> StoredResponse:
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not lines:
        return _json_answer(
            400,
            {
                "refused": Refusal(
                    "empty_body", "body", "the body has at least one line", "send one statement a line"
                ).as_dict()
            },
        )
    if len(lines) > desk.limits.lines_max:
        raise ApiError(
            413,
            Refusal("too_many_lines", "body", f"a body has at most {desk.limits.lines_max} lines", "send less at once"),
        )
    desk.quota.charge(client, len(lines))
    outcomes: list[LineOutcome] = []
    for start in range(0, len(lines), _LINES_AT_ONCE):
        some = [line for _, line in lines[start : start + _LINES_AT_ONCE]]
        given_up = any(outcome.outcome == "unavailable" for outcome in outcomes)
        outcomes += [_NOT_TRIED] * len(some) if given_up else await accept_statements(desk, client, topic, some)
    report = [{"line": number} | outcome.as_dict() for (number, _), outcome in zip(lines, outcomes, strict=True)]
    return StoredResponse(b"", _status_of_all(outcomes), NDJSON, b"".join(map(_line, report)))


_NOT_TRIED = LineOutcome("unavailable", None, BROKER_UNAVAILABLE)


def _status_of_all(outcomes: Sequence[LineOutcome]) -> int:
    return 503 if any(outcome.outcome == "unavailable" for outcome in outcomes) else 200


def _check_topic(client: Client, topic: str) -> None:
    if topic not in FORMS:
        raise ApiError(404, Refusal("unknown_topic", "topic", f"the topic is one of: {', '.join(FORMS)}", "see /docs"))
    check_topic_of(client, topic)


def check_topic_of(client: Client, topic: str) -> None:
    """Raises ApiError with 403 where nothing on the topic is this client's to state."""
    try:
        check_may_submit(client, topic)
    except RefusedError as error:
        raise ApiError(403, error.refusal) from error


def _json_answer(status: int, content: dict[str, Any]) -> StoredResponse:
    return StoredResponse(b"", status, JSON, json.dumps(content, separators=(",", ":")).encode())


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _response(answer: StoredResponse) -> Response:
    unavailable = answer.status == 503  # noqa: PLR2004 HTTP's own number
    headers = {"retry-after": str(RETRY_SECONDS)} if unavailable else None
    return Response(answer.content, answer.status, headers, media_type=answer.media_type)
