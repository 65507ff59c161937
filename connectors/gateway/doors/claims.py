"""``POST /claims``: a young person has come to a programme with a claim code, and that is the first contact."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.gateway.api_errors import (
    BROKER_UNAVAILABLE,
    RETRY_SECONDS,
    ApiError,
    refused_answer,
    status_of,
    unavailable,
)
from connectors.gateway.clients.clients import ClientKind, Role
from connectors.gateway.doors.bodies import check_media_type, read_body
from connectors.gateway.doors.handover_forms import SECURED
from connectors.gateway.doors.handovers import json_answer
from connectors.gateway.doors.replies import refusal_of_reply, reply_result_of
from connectors.gateway.doors.sent_replies import SentReply
from connectors.gateway.doors.vouched_replies import SystemReply, answer_to_vouched
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.gateway.publisher import Unavailable
from connectors.strict_json import read_json_object
from schemas.codes import ReplyStatus
from schemas.identifiers import derived_id
from schemas.refusals import Refusal, RefusedError
from schemas.rules import first_refusal_of

if TYPE_CHECKING:
    from uuid import UUID

    from connectors.gateway.clients.clients import Client
    from connectors.read_model.answers import TopicRecord
    from connectors.vault.claims import Claim

_JSON = "application/json"
_EXAMPLE = {"code": "7K3Q-X9M2-TDF"}
CLAIM_STATEMENT = "claim"
_STATUSES = {"code_unknown": 404, "code_used": 409, "code_expired": 410, "too_many_attempts": 429}
_ONLY_PROGRAMMES = Refusal("forbidden", "authorization", "a programme claims codes", "use a programme's token")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/ClaimForm"}, "example": _EXAMPLE}},
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The young person's handover to this programme is in contact; `answer` names it"},
    202: {"description": "Taken; its answer has not come yet: claim again, or ask at Location"},
    404: {"description": "No such code was given out"},
    409: {"description": "Another has claimed the code; or it fits no handover now, and may be claimed again"},
    410: {"description": "The code has expired"},
    422: {"description": "It can't be a code: a character is wrong, missing or exchanged"},
    429: {"description": "Too many wrong codes, or too many requests"},
    503: {"description": "Not confirmed: claim again"},
}
router = APIRouter(tags=["Programmes"])
_log = structlog.get_logger(__name__)


class ClaimForm(BaseModel):
    """A claim code as the young person shows it; hyphens, blanks and case don't matter."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: str = Field(min_length=1, max_length=64)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that went out as a reply under that event id; ``answer`` is None where none has come in time."""

    event_id: UUID
    answer: TopicRecord | None

    def as_dict(self) -> dict[str, Any]:
        """Returns what became of it, as programmes are told."""
        return reply_result_of(self.event_id, self.answer)


@router.post("/claims", openapi_extra=SECURED | _BODY, responses=_RESPONSES)
async def claim_code(request: Request) -> Response:
    """Claims a code, and waits up to 5 seconds for what becomes of it.

    A claim that was refused leaves the code as it was; the same programme may repeat a claim at any time.
    """
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("claims").time():
        client = await desk.entrance.admit(request, Role.REPLIES)
        if client.kind is not ClientKind.PROGRAMME:
            raise ApiError(403, _ONLY_PROGRAMMES)
        check_media_type(request, {_JSON})
        form = _form_of(desk, await read_body(request, desk.limits.body_bytes_max, desk.limits))
        try:
            return _answered(await claim_by_code(desk, client, form.code, client.client_id))
        except STORE_ERRORS as error:
            return unavailable(error)


def _form_of(desk: Desk, body: bytes) -> ClaimForm:
    try:
        return ClaimForm.model_validate(read_json_object(body, desk.limits.nesting_max), strict=True)
    except RefusedError as error:
        raise ApiError(status_of(error.refusal), error.refusal) from error
    except ValidationError as error:
        raise ApiError(422, first_refusal_of(error, "send {code}")) from error


async def claim_by_code(desk: Desk, client: Client, typed: str, guesser: str) -> Claimed | Refusal | Unavailable:
    """Returns what became of a code that a programme's client typed in, by this door or on its page.

    ``guesser`` is who typed it: a token, or at the pages one session of it. A claim that the domain refused gives its
    code back. Raises what the vault, the ledger and the read model raise.
    """
    claim = await asyncio.to_thread(desk.claim_codes.claim, typed, client.name, desk.ports.clock(), guesser)
    if isinstance(claim, Refusal):
        desk.metrics.refusals.labels("claims", claim.code).inc()
        _log.info("claim_refused", code=claim.code, client=client.client_id)
        return claim
    vouched = _vouched(desk, client, claim)
    sent = SentReply(vouched.event_id, client.name, desk.fingerprints.of("claim", claim.code_hash), vouched.at)
    await asyncio.to_thread(desk.sent_replies.enter, sent)
    answer = await answer_to_vouched(desk, vouched)
    if isinstance(answer, Unavailable):
        return answer
    claimed = Claimed(vouched.event_id, answer)
    outcome = claimed.as_dict()["outcome"]
    _log.info("code_claimed", outcome=outcome, event_id=str(vouched.event_id), client=client.client_id)
    if outcome == "refused":
        await asyncio.to_thread(desk.claim_codes.give_back, claim)
    return claimed


def _answered(claimed: Claimed | Refusal | Unavailable) -> Response:
    if isinstance(claimed, Refusal):
        return refused_answer(_STATUSES.get(claimed.code, 422), claimed)
    if isinstance(claimed, Unavailable):
        return refused_answer(503, BROKER_UNAVAILABLE, {"retry-after": str(RETRY_SECONDS)})
    outcome = claimed.as_dict()
    if claimed.answer is None:
        return json_answer(202, outcome, {"location": f"/replies/{claimed.event_id}"})
    if outcome["outcome"] == "refused":
        return json_answer(409, outcome | {"refused": refusal_of_reply(outcome["reason_code"]).as_dict()})
    return json_answer(200, outcome)


def _vouched(desk: Desk, client: Client, claim: Claim) -> SystemReply:
    event_id = derived_id("claim", claim.code_hash, client.name, str(claim.attempt))
    return SystemReply(
        event_id=event_id,
        programme=client.name,
        # Of this claim alone: a refusal must not tell whose code it is.
        pseudonym=desk.pseudonyms.pseudonym_of(client.name, claim.youth_id, str(event_id)),
        subject=CLAIM_STATEMENT,
        status=ReplyStatus.CODE_CLAIMED,
        at=claim.claimed_at,
    )
