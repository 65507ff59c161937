"""Sends one record to one endpoint over HTTPS, and says what came of it, within strict bounds."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from connectors.webhooks.addresses import is_allowed
from connectors.webhooks.backoff import asked_delay
from connectors.webhooks.waiting import UNREACHABLE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from aiohttp.connector import AddrInfoType

    from connectors.webhooks.urls import Resolve

_OK, _REDIRECT, _CLIENT_ERROR, _GONE = 200, 300, 400, 410


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver answered 2xx; ``answer`` is as much of its body as could be read within the bound."""

    answer: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver answered 410: it wants no more."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Anything else. ``code`` says what, ``retry_after`` how long the receiver asks to be left alone."""

    code: str
    retry_after: timedelta | None = None


SendingOutcome = Delivered | Gone | Failed


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """What is sent where."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Sender(Protocol):
    """Sends messages to one endpoint."""

    async def send(self, message: WebhookMessage) -> SendingOutcome:
        """Returns what came of one attempt, after a bounded time; never raises for what the receiver does."""
        ...  # pragma: no cover

    async def close(self) -> None:
        """Closes what is open."""
        ...  # pragma: no cover


class ForbiddenAddressError(OSError):
    """Raised inside the client where a host leads to an address that a webhook may not reach."""


@dataclass(frozen=True, slots=True)
class SendingRules:
    """Bounds of one endpoint's connections. ``time_max`` is for everything, from look-up to the answer's end.

    ``anywhere`` allows every address: for endpoints that operations chose, in their own network too.
    """

    concurrency_max: int = 4
    time_max: timedelta = timedelta(seconds=15)
    connect_time_max: timedelta = timedelta(seconds=5)
    loopback_allowed: bool = False
    anywhere: bool = False
    answer_bytes_max: int = 16 * 1024

    def allows(self, address: str) -> bool:
        """Returns whether a numeric address may be connected to."""
        return self.anywhere or is_allowed(address, loopback_allowed=self.loopback_allowed)


class HttpSender:
    """Sends over connections of its own, so that one endpoint's trouble is no other's.

    Every address of a host is checked after each look-up, and the one that is connected to once more when its
    socket is made: a name that leads elsewhere between registration and now reaches nothing. The certificate
    is verified for the host's name. Redirects are not followed, cookies not kept, proxies not used.
    """

    def __init__(self, rules: SendingRules, resolve: Resolve, tls: ssl.SSLContext) -> None:
        """Takes what looks hosts up, and what certificates are verified against; call it where a loop runs."""
        self._resolver = _CheckedResolver(rules, resolve)
        self._rules = rules
        connector = aiohttp.TCPConnector(
            ssl=tls,
            resolver=self._resolver,
            use_dns_cache=False,
            limit=rules.concurrency_max,
            force_close=True,
            socket_factory=self._socket_of,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=rules.time_max.total_seconds(), sock_connect=rules.connect_time_max.total_seconds()
            ),
            auto_decompress=False,
            headers={
                "User-Agent": "brobygger-webhooks",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    async def send(self, message: WebhookMessage) -> SendingOutcome:
        """Sends one message; see ``Sender``."""
        try:
            async with self._session.post(
                URL(message.url, encoded=True), data=message.body, headers=message.headers, allow_redirects=False
            ) as answer:
                outcome = _outcome_of(answer.status, answer.headers.get("Retry-After", ""))
                body = b""
                # What the status says stands, whatever becomes of the rest.
                with suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    body = await _body_of(answer, self._rules.answer_bytes_max)
                answer.close()
                return Delivered(body) if isinstance(outcome, Delivered) else outcome
        except aiohttp.ConnectionTimeoutError:
            return Failed(UNREACHABLE)
        except TimeoutError:
            return Failed("timed_out")
        except aiohttp.ClientSSLError:
            return Failed("tls_failed")
        except aiohttp.ClientConnectorError as error:
            forbidden = isinstance(error.os_error, ForbiddenAddressError)
            return Failed("internal_address" if forbidden else UNREACHABLE)
        except (aiohttp.ClientError, ValueError):
            return Failed("broken_answer")

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()
        await self._resolver.close()

    def _socket_of(self, address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, place = address
        if not self._rules.allows(str(place[0])):
            raise ForbiddenAddressError("the address is not a public one")
        return socket.socket(family, kind, protocol)


class _CheckedResolver(AbstractResolver):
    """Looks hosts up on threads of its own: a slow name service of one endpoint delays no other."""

    def __init__(self, rules: SendingRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(rules.concurrency_max, thread_name_prefix="webhook-names")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 aiohttp's own
    ) -> list[ResolveResult]:
        try:
            loop = asyncio.get_running_loop()
            addresses = await loop.run_in_executor(self._threads, self._resolve, host, port)
        except UnicodeError as error:
            raise OSError("the host is no name") from error
        if not all(self._rules.allows(one) for one in addresses):
            raise ForbiddenAddressError("not every address of the host is a public one")
        return [_result_of(host, one, port) for one in addresses]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result_of(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


async def _body_of(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Returns the answer's body up to the bound; what comes after it is left."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(bytes_max):
        body += chunk
        if len(body) >= bytes_max:
            break
    return bytes(body[:bytes_max])


def _outcome_of(status: int, retry_after: str) -> SendingOutcome:
    if _OK <= status < _REDIRECT:
        return Delivered()
    if _REDIRECT <= status < _CLIENT_ERROR:
        return Failed("redirected")
    if status == _GONE:
        return Gone()
    # A status is three digits on the wire; a receiver may send any.
    code = f"http_{status}" if _CLIENT_ERROR <= status < 600 else "broken_answer"  # noqa: PLR2004
    return Failed(code, asked_delay(retry_after, datetime.now(UTC)))
