"""``GET /handovers``: a programme pulls its own topic, in pages or as server-sent events; and one handover's story."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from connectors.gateway.api_errors import ApiError, unavailable
from connectors.gateway.clients.clients import Role
from connectors.gateway.doors.handover_forms import (
    SECURED,
    HandoverHistoryBody,
    HandoverPage,
    HandoverState,
    RefusedAnswer,
)
from connectors.gateway.doors.handover_stream import Stream, stream_events
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.read_model.cursors import CURSOR_CHARACTERS_MAX, Cursor
from connectors.read_model.handovers import records_after, story
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from connectors.gateway.clients.clients import Client

EVENT_STREAM = "text/event-stream"
_LIMIT, _LIMIT_MAX, _LIMIT_DIGITS_MAX = 100, 500, 9
_CURSOR_FORM = {"type": "string", "maxLength": CURSOR_CHARACTERS_MAX}
_PARAMETERS = [
    {
        "name": "cursor",
        "in": "query",
        "schema": _CURSOR_FORM,
        "description": "`next` of an earlier answer; without it, from the oldest record on",
    },
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": _LIMIT_MAX, "default": _LIMIT},
        "description": "at most so many records in a page",
    },
    {
        "name": "Last-Event-ID",
        "in": "header",
        "schema": _CURSOR_FORM,
        "description": "for server-sent events: the id of the last one that was dealt with; goes before `cursor`",
    },
]
_TURNED_AWAY: dict[int | str, dict[str, Any]] = {
    401: {"model": RefusedAnswer, "description": "The token is missing, unknown or revoked"},
    403: {"model": RefusedAnswer, "description": "The token is no programme's"},
    429: {"model": RefusedAnswer, "description": "Too many requests, or streams, at once"},
    503: {"model": RefusedAnswer, "description": "The read model can't be read: ask again"},
}
NOT_FOUND = {"model": RefusedAnswer, "description": "There is none, or it is not this programme's"}
_PAGE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": HandoverPage,
        "description": "A page; or a stream of events, the id of each being the cursor behind it",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    },
    422: {"model": RefusedAnswer, "description": "The cursor or the limit breaks a rule"},
}
router = APIRouter(tags=["Programmes"])
_log = structlog.get_logger(__name__)


@router.get("/handovers", openapi_extra=SECURED | {"parameters": _PARAMETERS}, responses=_TURNED_AWAY | _PAGE_ANSWERS)
async def pull_handovers(request: Request) -> Response:
    """Returns the records of the programme's topic behind the cursor, oldest first and in order per young person.

    A token that is bound to a site gets that site's alone, here and at every other door.
    With `Accept: text/event-stream` they come as server-sent events, and those that are still to come too.
    """
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("handovers").time():
        client = await desk.entrance.admit(request, Role.REPLIES)
        streams = EVENT_STREAM in request.headers.get("accept", "")
        try:
            given = request.headers.get("last-event-id") if streams else None
            cursor = Cursor.read(client.name, given or request.query_params.get("cursor"))
            limit = _limit_of(request)
        except RefusedError as error:
            raise ApiError(422, error.refusal) from error
        if streams:
            return _streamed(request, desk, client, cursor)
        try:
            found = await asyncio.to_thread(records_after, desk.read_model.engine, cursor, limit, client.site)
        except STORE_ERRORS as error:
            return unavailable(error)
        return json_answer(
            200, {"records": [record.record for record, _ in found.records], "next": found.following.text}
        )


@router.get(
    "/handovers/{handover_id}",
    openapi_extra=SECURED,
    responses=_TURNED_AWAY | {200: {"model": HandoverHistoryBody, "description": "The handover"}, 404: NOT_FOUND},
)
async def show_handover(request: Request, handover_id: Annotated[str, Path(max_length=128)]) -> Response:
    """Returns a handover as it is now, and all that was said about it."""
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("handovers").time():
        client = await desk.entrance.admit(request, Role.REPLIES)
        try:
            found = await asyncio.to_thread(story, desk.read_model.engine, client.reach, handover_id)
        except STORE_ERRORS as error:
            return unavailable(error)
        if found is None:
            raise unknown("handover_id")
        state = HandoverState.model_validate(found.handover).model_dump(mode="json")
        return json_answer(200, {"handover": state, "events": [one.record for one in found.events]})


def json_answer(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Returns a JSON answer; what a programme was told is not for caches."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, {"cache-control": "no-store"} | (headers or {}), media_type="application/json")


def unknown(field: str) -> ApiError:
    """Returns the one answer to what does not exist and what is another programme's."""
    rule = "it names something that this programme was told of"
    return ApiError(404, Refusal("not_found", field, rule, "`GET /handovers` shows all that there is"))


def _streamed(request: Request, desk: Desk, client: Client, cursor: Cursor) -> Response:
    if not desk.streams.begin(request, client.client_id):
        rule = f"a client has at most {desk.limits.streams_per_client_max} streams open"
        raise ApiError(429, Refusal("too_many_streams", "", rule, "close one, or pull pages"))
    limits = desk.limits

    def is_admitted() -> bool:
        return desk.entrance.clients.valid(client.client_id) is not None

    stream = Stream(is_admitted, cursor, limits.stream_heartbeat, limits.stream_time_max, client.site)
    content = stream_events(desk.read_model, stream)
    return StreamingResponse(content, headers={"cache-control": "no-store"}, media_type=EVENT_STREAM)


def _limit_of(request: Request) -> int:
    given = request.query_params.get("limit", str(_LIMIT))
    if given.isascii() and given.isdecimal() and len(given) <= _LIMIT_DIGITS_MAX and 1 <= int(given) <= _LIMIT_MAX:
        return int(given)
    rule = f"a page has 1 to {_LIMIT_MAX} records"
    raise RefusedError(Refusal("wrong_limit", "limit", rule, "give such a number, or leave it out"))
