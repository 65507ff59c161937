"""Sends files through the gateway's doors, as often as it takes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import httpx

from connectors.webhooks.backoff import asked_delay
from streams.cli.sending.door_answers import DoorError, Finality, GatewayResponse, finality_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.cli.sending.file_kinds import OutgoingFile

_TIMEOUT = timedelta(seconds=60)
_PROBE_TIMEOUT = timedelta(seconds=3)
_ANSWER_TIMEOUT = timedelta(seconds=5)
_ATTEMPTS_MAX = 8
_PAUSE_SECONDS_MAX = 30.0
_UNAUTHENTICATED = 401
_UNAVAILABLE = 503


def _nothing(_text: str) -> None:
    """Does nothing."""


class GatewayClient:
    """The gateway over HTTP, with one token. Use as a context manager; calls block up to some minutes."""

    def __init__(self, gateway: str, token: str, pause: Callable[[float], object] = time.sleep) -> None:
        """Takes the gateway's address, e.g. http://127.0.0.1:8460, and how to wait so many seconds.

        Where ``pause`` returns True nothing is tried again. ``tell`` is called once, where something has to wait.
        Raises DoorError where the address or the token can't be one.
        """
        self._gateway = gateway
        self._pause = pause
        self.tell: Callable[[str], object] = _nothing
        self._has_answered = self._has_waited = False
        if not (token.isascii() and token.isprintable()):
            raise DoorError("the token has signs that no token has; give it as `brobygger clients create` printed it")
        headers = {"authorization": f"Bearer {token}"}
        try:
            self._client = httpx.Client(base_url=gateway, headers=headers, timeout=_TIMEOUT.total_seconds())
        except httpx.InvalidURL as error:
            raise _no_address() from error

    def __enter__(self) -> Self:
        """Opens nothing yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Closes the connections."""
        self._client.close()

    def send(self, letter: OutgoingFile) -> GatewayResponse:
        """Sends a file and returns what was answered; sending the same again is safe.

        Raises DoorError where no door answers, the token is not known, or an answer stays transient.
        """
        # The same bytes have the same key, so that a second run is answered as the first was.
        key = {"idempotency-key": letter.digest} if letter.is_statement else {}
        return self.post(letter.door, letter.content, {"content-type": letter.media_type} | key)

    def post(
        self, door: str, content: bytes, headers: dict[str, str], timeout: timedelta = _TIMEOUT
    ) -> GatewayResponse:
        """Returns what a door answers to these headers and bytes; raises DoorError as ``send`` does.

        A transient answer is returned only where it shows claim codes, and has to be kept.
        """
        why, seconds = "", 1.0
        for attempt in range(_ATTEMPTS_MAX):
            if attempt and self._pause(min(seconds, _PAUSE_SECONDS_MAX)) is True:
                break
            try:
                response = self._client.post(door, content=content, headers=headers, timeout=timeout.total_seconds())
            except httpx.HTTPError as error:
                why, seconds = type(error).__name__, 2.0**attempt
                if not self._has_answered:  # an address where nothing was ever heard is more likely a wrong one
                    raise self._silent(why) from error
                continue
            answered = _answered(response)
            self._has_answered = True
            self._check_token(answered)
            if finality_of(answered) is not Finality.TRANSIENT or answered.shows_codes:
                return answered
            why, seconds = f"status {answered.status}", _asked_seconds(response, 2.0**attempt)
            self._say_that_it_waits(why)
        raise self._silent(why)

    def _check_token(self, answered: GatewayResponse) -> None:
        if answered.status == _UNAUTHENTICATED:
            raise DoorError("the token is not known, or was revoked; operations make one: `brobygger clients create`")

    def _say_that_it_waits(self, why: str) -> None:
        if not self._has_waited:
            self.tell(
                f"the gateway takes nothing now ({why}), as it does while it can't reach its broker or a database: "
                "each file is tried again for two minutes"
            )
        self._has_waited = True

    def _silent(self, why: str) -> DoorError:
        return _silent(self._gateway, why)


def require_answer(gateway: str) -> None:
    """Raises DoorError where something takes connections there and says nothing for five seconds; blocks as long.

    Where the address can't be one it raises DoorError, too.
    """
    try:
        httpx.get(f"{gateway}/health", timeout=_ANSWER_TIMEOUT.total_seconds())
    except httpx.TimeoutException as error:
        raise _silent(gateway, type(error).__name__) from error
    except httpx.InvalidURL as error:
        raise _no_address() from error
    except httpx.HTTPError:
        return  # what is sent will say so


def _no_address() -> DoorError:
    return DoorError("the gateway's address is no URL; give one as --gateway http://127.0.0.1:8460")


def _silent(gateway: str, why: str) -> DoorError:
    return DoorError(
        f"the gateway at {gateway} does not answer ({why}); `brobygger doctor` tells whether it runs. "
        "What it has taken is not sent again by the same command"
    )


def fault_of(gateway: str) -> str | None:
    """Returns why nothing can be sent now, None where the gateway is ready. Blocks three seconds at most."""
    try:
        answer = httpx.get(f"{gateway}/ready", timeout=_PROBE_TIMEOUT.total_seconds())
    except httpx.HTTPError as error:
        return type(error).__name__
    # Where a proxy keeps this address for itself, another status says nothing of the gateway.
    return f"status {answer.status_code}" if answer.status_code == _UNAVAILABLE else None


def _answered(response: httpx.Response) -> GatewayResponse:
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    return GatewayResponse(response.status_code, kind, response.content)


def _asked_seconds(response: httpx.Response, otherwise: float) -> float:
    """Returns how long the gateway, or a proxy before it, asks to wait."""
    asked = asked_delay(response.headers.get("retry-after", ""), datetime.now(UTC))
    return otherwise if asked is None else asked.total_seconds()
