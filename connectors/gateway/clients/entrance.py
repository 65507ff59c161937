"""The entrance: who is there, may they, and not too often."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from connectors.gateway.api_errors import ApiError
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from fastapi import Request

    from connectors.gateway.clients.at_once import AtOnce
    from connectors.gateway.clients.clients import Client, Clients, Role
    from connectors.gateway.clients.rate import RateLimit

_TOKEN_CHARACTERS_MAX = 256
_THREADS = 2
# How many times as long as a list kept a reader to no end its sender states nothing: others get the readers meanwhile.
_SUSPENDED_FOR = 10


class Entrance:
    """Admits clients by their bearer tokens."""

    def __init__(self, clients: Clients, rate_limit: RateLimit, at_once: AtOnce) -> None:
        """Takes the known clients and the limits on each."""
        self.clients = clients
        self._rate_limit = rate_limit
        self._at_once = at_once
        # Threads of its own: who is there is asked before anything else, and never waits for other work of the gateway.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="entrance")

    def close(self) -> None:
        """Lets the threads go; nobody is admitted any more."""
        self._threads.shutdown(wait=False)

    async def admit(self, request: Request, role: Role) -> Client:
        """Returns the client; raises ApiError with 401, 403 or 429, before the body is read."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not 0 < len(token) <= _TOKEN_CHARACTERS_MAX:
            raise _unauthenticated("a request carries `Authorization: Bearer` and a token")
        client = await asyncio.get_running_loop().run_in_executor(self._threads, self.clients.authenticated, token)
        if client is None:
            raise _unauthenticated("the token is known and not revoked")
        if role not in client.roles:
            raise ApiError(
                403,
                Refusal(
                    "forbidden",
                    "authorization",
                    f"the token has the role {role}",
                    "ask operations: `brobygger clients` makes tokens",
                ),
            )
        if not client.may_submit(role):
            rule = "who tells of young people has named its data controller and its legal basis"
            advice = "ask operations for a token made with --data-controller and --legal-basis"
            raise ApiError(403, Refusal("missing_data_controller", "authorization", rule, advice))
        if wait_seconds := self._rate_limit.wait_seconds(client.client_id):
            rule = f"a client makes at most so many requests: {self._rate_limit}"
            refusal = Refusal("too_many_requests", "", rule, "wait as Retry-After says, or send NDJSON")
            raise ApiError(429, refusal, {"retry-after": str(wait_seconds)})
        if not self._at_once.begin(request, client.client_id):
            rule = f"a client has at most {self._at_once.per_client_max} requests under way at once"
            refusal = Refusal("too_many_at_once", "", rule, "wait for the answers to the others")
            raise ApiError(429, refusal, {"retry-after": "1"})
        return client


class Quota:
    """How much each client may state in the long run, so that no source floods topics and vault."""

    def __init__(self, rate_limit: RateLimit) -> None:
        """Takes the limit on each client's statements."""
        self._rate_limit = rate_limit

    def is_spent(self, client: Client, count: int) -> int:
        """Returns 0 and counts so many statements, or the whole seconds after which to try again."""
        return self._rate_limit.wait_seconds(client.client_id, count)

    async def let_in(self, client: Client, count: int, take: Callable[[], Awaitable[bool]]) -> bool:
        """Returns what ``take`` does; False, with nothing taken, where so many are more than the client may state.

        What it returns False for comes again, and is counted then: while a store is away nobody's quota goes.
        """
        if self.is_spent(client, count):
            return False
        taken = await take()
        if not taken:
            self._rate_limit.give_back(client.client_id, count)
        return taken

    def charge(self, client: Client, count: int) -> None:
        """Counts so many statements; raises ApiError with 429 where that is more than the client may state."""
        if wait_seconds := self.is_spent(client, count):
            rule = f"a client states at most so many lines, rows and letters: {self._rate_limit}"
            refusal = Refusal("too_many_statements", "", rule, "send the same again after what Retry-After says")
            raise ApiError(429, refusal, {"retry-after": str(wait_seconds)})

    def charge_time(self, client: Client, spent: timedelta) -> None:
        """Counts a reading that was ended since it took too long: as all that is left, and ten times its time."""
        self._rate_limit.suspend(client.client_id, _SUSPENDED_FOR * spent.total_seconds())

    def refuse_suspended(self, client: Client) -> None:
        """Raises ApiError with 429, before anything is read, until ``charge_time`` is paid off."""
        if wait_seconds := self._rate_limit.suspended_seconds(client.client_id):
            rule = (
                "a list that takes too long to read counts as many statements, and the next is read when they are over"
            )
            refusal = Refusal(
                "too_many_statements", "", rule, "split the list, and send it after what Retry-After says"
            )
            raise ApiError(429, refusal, {"retry-after": str(wait_seconds)})


def _unauthenticated(rule: str) -> ApiError:
    refusal = Refusal("unauthenticated", "authorization", rule, "ask operations: `brobygger clients` makes tokens")
    return ApiError(401, refusal, {"www-authenticate": "Bearer"})
