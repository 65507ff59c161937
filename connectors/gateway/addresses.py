"""Turns requests away whose address nobody can read, be it the host or the path.

In place of a Host header that is none Starlette would put the server's own address; and PostgreSQL takes no NUL, so
that a look-up by a path that holds one would end as if the database were away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import URL
from starlette.requests import Request

from connectors.gateway.api_errors import ApiError
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

_UNREADABLE_HOST = Refusal(
    "unreadable_host",
    "host",
    "the Host header is a name in ASCII or an IP address, with or without a port (RFC 9110 §7.2)",
    "send the address that you reach this service by; a proxy in front of it passes on what its client sent",
)
_UNREADABLE_PATH = Refusal(
    "unreadable_path",
    "path",
    "the path of an address holds no NUL",
    "send the address that /docs tells, with ids as given",
)


class ReadableAddresses:
    """Middleware: answers 400 to a Host header or a path that is none, before anything else looks at the request.

    One without the header, as HTTP/1.0 allows, goes on: a probe has none.
    """

    def __init__(self, app: ASGIApp, turn_away: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        """Takes the application, and what answers whoever is turned away."""
        self._app = app
        self._turn_away = turn_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the application."""
        app: ASGIApp = self._app
        refusal = _refusal_of(scope) if scope["type"] == "http" else None
        if refusal is not None:
            app = await self._turn_away(Request(scope), ApiError(400, refusal))
        await app(scope, receive, send)


def _refusal_of(scope: Scope) -> Refusal | None:
    if not all(map(_is_readable, _hosts_in(scope))):
        return _UNREADABLE_HOST
    return _UNREADABLE_PATH if "\x00" in scope["path"] else None


def _hosts_in(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"host"]


def _is_readable(host: bytes) -> bool:
    """Tells whether Starlette reads a host: without a server to put in its place, the address has one then only."""
    alone = {"scheme": "http", "server": None, "path": "/", "query_string": b"", "headers": [(b"host", host)]}
    return bool(URL(scope=alone).netloc)
