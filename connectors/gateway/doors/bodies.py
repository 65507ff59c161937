"""Reads request bodies within a limit of bytes and time; what is too large is never held."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.gateway.api_errors import ApiError
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from fastapi import Request

    from connectors.gateway.settings import Limits

UTF_8 = frozenset({"utf-8", "utf8"})
_DRAINED_BYTES_MAX = 256 * 1024 * 1024
_DRAIN_TIME_MAX = timedelta(seconds=10)


async def read_body(request: Request, bytes_max: int, limits: Limits) -> bytes:
    """Returns the body; raises ApiError with 413 where it is larger, with 408 where it comes too slowly.

    It has ``limits.body_time_max`` as a whole, and ``limits.silence_max`` until more of it comes.
    """
    chunks: list[bytes] = []
    size, now = 0, asyncio.get_running_loop().time
    too_large = declared_bytes(request) > bytes_max
    ends_at, silence = now() + limits.body_time_max.total_seconds(), limits.silence_max.total_seconds()
    try:
        async with asyncio.timeout_at(min(ends_at, now() + silence)) as until:
            async for chunk in request.stream():
                until.reschedule(min(ends_at, now() + silence))
                size += len(chunk)
                if too_large or size > bytes_max:
                    too_large = True
                    break
                chunks.append(chunk)
    except TimeoutError as error:
        raise ApiError(408, _too_slow(limits), {"connection": "close"}) from error
    if too_large:
        chunks.clear()
        await _drain(request)
        raise ApiError(413, _too_large(bytes_max), {"connection": "close"})
    return b"".join(chunks)


def declared_bytes(request: Request) -> int:
    """Returns how many bytes the body has by its Content-Length; 0 where none is declared."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


def check_media_type(request: Request, allowed: Collection[str], charsets: Collection[str] = UTF_8) -> str:
    """Returns the body's media type; raises ApiError with 415 for another, another charset, or compression."""
    media_type, charset = request.headers.get("content-type", "").lower().partition(";")[0], charset_of(request) or ""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if media_type.strip() in allowed and charset in {"", *charsets} and encoding == "identity":
        return media_type.strip()
    names = " or ".join(sorted(allowed))
    raise ApiError(
        415,
        Refusal(
            "unsupported_media_type",
            "content-type",
            f"the body is {names}, in {' or '.join(sorted(charsets))}, not compressed",
            "set Content-Type to what the body is",
        ),
    )


def charset_of(request: Request) -> str | None:
    """Returns the charset that Content-Type names, in lower case; None where it names none."""
    parameters = request.headers.get("content-type", "").lower().partition(";")[2]
    return parameters.replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0] or None


async def _drain(request: Request) -> None:
    # A client that is still sending when the connection closes may never see the answer, so the rest is
    # read and dropped, up to a limit.
    dropped = 0
    with suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(_DRAIN_TIME_MAX.total_seconds()):
            while dropped < _DRAINED_BYTES_MAX:
                message = await request.receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


def _too_large(bytes_max: int) -> Refusal:
    return Refusal("body_too_large", "body", f"a body has at most {bytes_max} bytes", "send less at once")


def _too_slow(limits: Limits) -> Refusal:
    whole, silence = (time_max.total_seconds() for time_max in (limits.body_time_max, limits.silence_max))
    rule = f"a body arrives within {whole:g} seconds, and is never silent for {silence:g}"
    return Refusal("body_too_slow", "body", rule, "send less at once, or over a better connection")
