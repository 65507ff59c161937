"""The Idempotency-Key: the same key and body get the same answer; the same key with another body gets none."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.gateway.api_errors import ApiError
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connectors.gateway.ports import Desk
    from connectors.gateway.statements.ledger import StoredResponse

_KEY_CHARACTERS_MAX = 255
_SERVER_FAULTS = 500
_locks: weakref.WeakValueDictionary[bytes, asyncio.Lock] = weakref.WeakValueDictionary()


async def answered_once(
    desk: Desk,
    key: tuple[str, str | None],
    body: tuple[str, str, bytes],
    process: Callable[[], Awaitable[StoredResponse]],
) -> StoredResponse:
    """Returns the answer of ``process``, or the one given before to the same client, key and body.

    Without a key it is processed each time. Answers with a 5xx status are not kept: the client may try again.
    Two requests with the same key at once wait for each other. A kept answer is sealed under key and body. Raises
    ApiError with 422 where the key came with another body before.
    """
    client_id, idempotency_key = key
    if idempotency_key is None:
        return await process()
    check_key(idempotency_key)
    request = desk.fingerprints.of("request", client_id, idempotency_key)
    content = desk.fingerprints.of("body", *body)
    seal = desk.fingerprints.seal_of("answer", client_id, idempotency_key, *body)
    lock = _locks.setdefault(request, asyncio.Lock())
    async with lock:
        known = await asyncio.to_thread(desk.ledger.answer_to, request)
        if known is not None:
            return replace(known, content=seal.opened(_the_same(known, content).content))
        answer = replace(await process(), body=content)
        if answer.status < _SERVER_FAULTS:
            sealed = replace(answer, content=seal.sealed(answer.content))
            await asyncio.to_thread(desk.ledger.keep_answer, request, sealed, desk.ports.clock())
        return answer


def _the_same(known: StoredResponse, content: bytes) -> StoredResponse:
    if known.body == content:
        return known
    raise key_reused()


def key_reused() -> ApiError:
    """Returns the answer to a key that came with another body before."""
    rule = "a key stands for one body on one topic"
    refusal = Refusal("idempotency_key_reused", "Idempotency-Key", rule, "use a new key for another body")
    return ApiError(422, refusal)


def check_key(key: str) -> None:
    """Raises ApiError with 400 where a key is too long or can't be printed."""
    if not (0 < len(key) <= _KEY_CHARACTERS_MAX and key.isprintable()):
        raise ApiError(
            400,
            Refusal(
                "wrong_form",
                "Idempotency-Key",
                f"a key has 1 to {_KEY_CHARACTERS_MAX} printable characters",
                "use a UUID",
            ),
        )
