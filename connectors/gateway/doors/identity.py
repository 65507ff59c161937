"""``GET /handovers/{handover_id}/identity``: the identity behind a named handover, sealed to its programme.

Asking is an event: only where the domain has granted it, and entered the disclosure, is anything released.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Header, Path, Request, Response

from connectors.gateway.api_errors import (
    BROKER_UNAVAILABLE,
    RETRY_SECONDS,
    ApiError,
    refused_answer,
    unavailable,
)
from connectors.gateway.clients.clients import ClientKind, Role
from connectors.gateway.doors.handover_forms import SECURED
from connectors.gateway.doors.handovers import json_answer, unknown
from connectors.gateway.doors.idempotency import check_key, key_reused
from connectors.gateway.doors.replies import refusal_of_reply, reply_result_of
from connectors.gateway.doors.sent_replies import SentReply
from connectors.gateway.doors.vouched_replies import SystemReply, answer_to_vouched
from connectors.gateway.head_requests import WITHOUT_BODY
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.gateway.publisher import Unavailable
from connectors.read_model.handovers import story
from connectors.vault.release import Binding, seal_identity
from schemas.codes import HandoverEventType, ReplyStatus
from schemas.identifiers import derived_id
from schemas.programmes import ProgrammeFileError
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from sqlalchemy import Row

    from connectors.gateway.clients.clients import Client
    from connectors.read_model.answers import TopicRecord

SERVED_FOR = timedelta(minutes=15)
_SERVED_STATES = ("accepted", "in_contact")
_WITHDRAWN = ("withdrawn", "deleted")
_ONLY_PROGRAMMES = Refusal("forbidden", "authorization", "a programme asks for identities", "use a programme's token")
_KEY_MISSING = Refusal(
    "missing_idempotency_key",
    "Idempotency-Key",
    "asking for an identity is an event, and its key tells a repeat from another",
    "send a new UUID, and the same one again where the answer was lost",
)
_NO_PUBLIC_KEY = Refusal(
    "no_public_key",
    "public_key",
    "an identity is sealed to the programme's public key, and its file has none",
    "run `brobygger identity keypair` and send operations the public key",
)
_OVER = Refusal(
    "grant_expired",
    "Idempotency-Key",
    f"a grant is served again for {SERVED_FOR // timedelta(minutes=1)} minutes",
    "ask with a new key: that is a new disclosure",
)
_NOTHING_KEPT = Refusal("no_identity", "handover_id", "the vault has an identity of the young person", "ask operations")
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The identity, sealed; `brobygger identity open` opens it"},
    202: {"description": "Taken; its answer has not come yet: ask again with the same Idempotency-Key"},
    400: {"description": "The Idempotency-Key is missing or of another form"},
    404: {"description": "There is no such handover, or it is not this programme's"},
    409: {"description": "It is not granted, with the reason and the state; or the programme has no public key"},
    410: {"description": "The grant was served for 15 minutes; or the identity was erased"},
    422: {"description": "The Idempotency-Key came with another handover"},
    503: {"description": "Not confirmed: ask again with the same Idempotency-Key"},
}
router = APIRouter(tags=["Programmes"])
_log = structlog.get_logger(__name__)


@router.get("/handovers/{handover_id}/identity", openapi_extra=SECURED, responses=_RESPONSES)
async def pull_identity(
    request: Request,
    handover_id: Annotated[str, Path(max_length=128)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Asks for the identity behind an accepted, named handover, and waits up to 5 seconds for the grant.

    The same grant is served again under the same Idempotency-Key for 15 minutes, while the handover goes on.
    """
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("identity").time():
        client = await desk.entrance.admit(request, Role.REPLIES)
        if client.kind is not ClientKind.PROGRAMME:
            raise ApiError(403, _ONLY_PROGRAMMES)
        if idempotency_key is None:
            raise ApiError(400, _KEY_MISSING)
        check_key(idempotency_key)
        try:
            found = await asyncio.to_thread(story, desk.read_model.engine, client.reach, handover_id)
            if found is None or found.handover.youth_id is None:
                raise unknown("handover_id")
            # Looked for first: a grant that can't be served would be a disclosure of nothing.
            key = await desk.public_keys.of(client.name)
            if key is None:
                return refused_answer(409, _NO_PUBLIC_KEY)
            if WITHOUT_BODY in request.scope:
                return Response()  # nothing would be released, so nothing is asked
            vouched = await _entered(desk, client, idempotency_key, found.handover)
            return await _answered(desk, client, key, vouched)
        except (*STORE_ERRORS, ProgrammeFileError) as error:
            return unavailable(error)


async def _entered(desk: Desk, client: Client, idempotency_key: str, handover: Row[Any]) -> SystemReply:
    """Returns the wish as it first came under its key; raises ApiError with 410 or 422."""
    at, wanted = desk.ports.clock(), desk.fingerprints.of("identity", handover.handover_id)
    event_id = derived_id("identity wanted", client.name, client.client_id, idempotency_key)
    first = await asyncio.to_thread(desk.sent_replies.enter, SentReply(event_id, client.name, wanted, at))
    if first.body != wanted:
        raise key_reused()
    if at - first.occurred_at >= SERVED_FOR:
        raise ApiError(410, _OVER)
    return SystemReply(
        event_id=event_id,
        programme=client.name,
        pseudonym=handover.youth_id,
        subject=handover.handover_id,
        status=ReplyStatus.IDENTITY_WANTED,
        at=first.occurred_at,
        correlation_id=UUID(handover.need_id),
    )


async def _answered(desk: Desk, client: Client, key: X25519PublicKey, vouched: SystemReply) -> Response:
    answer = await answer_to_vouched(desk, vouched)
    if isinstance(answer, Unavailable):
        return refused_answer(503, BROKER_UNAVAILABLE, {"retry-after": str(RETRY_SECONDS)})
    outcome = reply_result_of(vouched.event_id, answer)
    if answer is None:
        return json_answer(202, outcome)
    if answer.event.type is not HandoverEventType.IDENTITY_GRANTED:
        return json_answer(409, outcome | {"refused": refusal_of_reply(outcome["reason_code"]).as_dict()})
    # A grant is served again for a while: what has ended since then, by a withdrawal above all, ends it too.
    now = await asyncio.to_thread(story, desk.read_model.engine, client.reach, vouched.subject)
    state = now.handover.state if now else None
    if state not in _SERVED_STATES:
        reason = "handover_withdrawn" if state in _WITHDRAWN else "not_in_this_state"
        ended = {"outcome": "refused", "state": state, "reason_code": reason}
        return json_answer(409, outcome | ended | {"refused": refusal_of_reply(reason).as_dict()})
    return await _released(desk, key, answer, vouched.subject)


async def _released(desk: Desk, key: X25519PublicKey, grant: TopicRecord, handover_id: str) -> Response:
    """Returns the identity of whom the grant is about: the handover that it names, and the purpose it was given for."""
    event = grant.event
    youth_id = desk.pseudonyms.youth_of(event.programme, event.youth_id or "")
    details = None if youth_id is None else await asyncio.to_thread(desk.identities.details_of, youth_id)
    if details is None or event.subject != handover_id:
        return refused_answer(410, _NOTHING_KEPT)
    binding = Binding(event.subject, event.need_kind.value, event.programme)
    _log.info("identity_released", grant_id=str(event.event_id), programme=event.programme)
    return json_answer(200, {"grant_id": str(event.event_id)} | seal_identity(key, details, binding))
