"""A connector to copy: a made-up school system's lines ``case|cpr|municipality|programme|status|when``, and its door.

1. The mapping is pure: bytes in, a statement's form or a Refusal out; no text repeats a value.
2. The door admits its client, reads the body within its limits, and translates.
3. What is accepted goes through the gateway's acceptance: the vault is asked there, and nothing is taken before the
   broker has confirmed it.
4. The receipt is in the sender's own format and derived from what was accepted: the same again gets the same.
5. ``WAY`` below enters it into the contract suite.

In the product the mapping is a folder of ``connectors`` and the door a module of ``connectors/gateway``.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from connectors.gateway.clients.clients import Role
from connectors.gateway.doors.bodies import check_media_type, read_body
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.gateway.statements.acceptance import accept_statements
from schemas.refusals import Refusal
from tests.unit.gateway.builders import Gateway
from tests.unit.ways_in.way_in import NotNow, Receipt, Sending, WayIn

_FIELDS = ("subject", "cpr", "municipality", "programme", "status", "status_at")
_MEDIA_TYPE = "text/plain"
router = APIRouter()


def statement_of(body: bytes) -> dict[str, Any] | Refusal:
    """Returns the form of an enrolment that a line is, or why it is none."""
    try:
        values = body.decode("utf-8").strip().split("|")
    except UnicodeDecodeError:
        return Refusal("wrong_encoding", "line", "a line is UTF-8", "set the school system's encoding")
    if len(values) != len(_FIELDS):
        rule = f"a line has {len(_FIELDS)} fields with | between them"
        return Refusal("wrong_form", "line", rule, f"send {'|'.join(_FIELDS)}")
    said = dict(zip(_FIELDS, values, strict=True))
    person = {"cpr": said.pop("cpr"), "municipality": said.pop("municipality")}
    return said | {"occurred_at": said["status_at"], "person": person}


@router.post("/template")
async def receive(request: Request) -> Response:
    """Takes a line and answers ``TAKEN id`` or ``REFUSED code: rule; help``, after the broker has confirmed."""
    desk: Desk = request.app.state.desk
    client = await desk.entrance.admit(request, Role.STATEMENTS)
    check_media_type(request, {_MEDIA_TYPE})
    body = await read_body(request, desk.limits.body_bytes_max, desk.limits)
    statement = statement_of(body)
    if isinstance(statement, Refusal):
        return _refused(statement)
    try:
        [outcome] = await accept_statements(desk, client, "enrolments", [json.dumps(statement).encode()])
    except STORE_ERRORS:
        return Response("LATER\n", 503, media_type=_MEDIA_TYPE)
    if outcome.outcome == "unavailable":
        return Response("LATER\n", 503, media_type=_MEDIA_TYPE)
    if outcome.refusal is not None:
        return _refused(outcome.refusal)
    return Response(f"TAKEN {outcome.event_id}\n", 200, media_type=_MEDIA_TYPE)


def _refused(refusal: Refusal) -> Response:
    return Response(f"REFUSED {refusal.code}: {refusal.rule}; {refusal.help}\n", 422, media_type=_MEDIA_TYPE)


def _opened(gateway: Gateway, _folder: object) -> Sending:
    gateway.app.include_router(router)
    headers = gateway.token() | {"content-type": _MEDIA_TYPE}

    async def send(content: bytes) -> Receipt:
        answer = await gateway.http.post("/template", content=content, headers=headers)
        if answer.status_code == 503:
            raise NotNow
        return Receipt(answer.status_code == 200, answer.content)

    return send


WAY = WayIn(
    name="connector template",
    opened=_opened,
    good=b"case-1|0105109996|0217|stime|active|2026-01-05T10:00:00+01:00\n",
    bad=b"case-1|0105109996|0217|stime|dancing|2026-01-05T10:00:00+01:00\n",
    topic="enrolments",
    is_own=lambda receipt: receipt.startswith((b"TAKEN ", b"REFUSED ")),
)
