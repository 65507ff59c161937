"""One programme's deliveries: attempts side by side for different handovers, one after the other within each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

import structlog

from connectors.vault.key_files import KeyFileError
from connectors.webhooks.sending import Delivered, Failed, Gone, WebhookMessage
from connectors.webhooks.signing import signed_headers
from connectors.webhooks.tables import ACTIVE
from connectors.webhooks.waiting import BY_RECEIVER, UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.webhooks.backoff import RetryRules
    from connectors.webhooks.deliveries import Delivery
    from connectors.webhooks.endpoints import Endpoint, Endpoints
    from connectors.webhooks.metrics import DelivererMetrics
    from connectors.webhooks.sending import Sender, SendingOutcome
    from connectors.webhooks.waiting import Waiting

_SAY_EVERY = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


def _nothing() -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every lane works with. ``after_answer`` is called between an answer and its note in the database."""

    endpoints: Endpoints
    waiting: Waiting
    retry: RetryRules
    concurrency_max: int
    clock: Callable[[], datetime]
    metrics: DelivererMetrics
    after_answer: Callable[[], None] = field(default=_nothing)


class Lane:
    """Delivers to one programme. It shares nothing with another but the database."""

    def __init__(self, programme: str, bench: Bench, sender: Sender) -> None:
        """Takes the programme's own sender."""
        self._programme = programme
        self._bench = bench
        self._sender = sender
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        # Records may have been left without a connection by the run before this one.
        self._was_unreachable = True
        self._failing: str | None = None
        self._said_at = bench.clock()
        self._unsaid = 0

    async def run(self) -> None:
        """Delivers until it is cancelled, and then finishes the attempts that are under way."""
        try:
            while True:
                self._wake.clear()
                await self.turn()
                await self._wait_until_woken()
        finally:
            await self.finish()
            await self._sender.close()

    def wake(self) -> None:
        """Says that something new waits."""
        self._wake.set()

    async def turn(self) -> None:
        """Begins an attempt for each handover whose time has come, as far as there is room.

        Raises what an attempt under way ended with, where that is not the receiver's doing.
        """
        self._reap()
        bench, now = self._bench, self._bench.clock()
        endpoint = await asyncio.to_thread(bench.endpoints.found, self._programme, now)
        if endpoint is None:
            return
        if endpoint.state != ACTIVE:
            await asyncio.to_thread(bench.waiting.give_up_older, self._programme, now - bench.retry.age_max, now)
            return
        room = bench.concurrency_max - len(self._running)
        if room <= 0:
            return
        for delivery in await asyncio.to_thread(bench.waiting.due, self._programme, now, set(self._running), room):
            self._running[delivery.handover] = asyncio.create_task(self._attempt(endpoint, delivery))

    async def finish(self) -> None:
        """Waits until no attempt is under way; each lasts a bounded time."""
        await asyncio.gather(*self._running.values())
        self._running.clear()

    def _reap(self) -> None:
        for handover, task in list(self._running.items()):
            if task.done():
                del self._running[handover]
                task.result()

    async def _wait_until_woken(self) -> None:
        # What another process does to the database (resume, send-again) sets no event here.
        try:
            async with asyncio.timeout(self._bench.retry.look_again.total_seconds()):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> None:
        try:
            outcome = await self._outcome(endpoint, delivery)
            self._bench.after_answer()
            await self._note(endpoint, delivery, outcome)
        finally:
            self.wake()

    async def _outcome(self, endpoint: Endpoint, delivery: Delivery) -> SendingOutcome:
        try:
            keys = self._bench.endpoints.keys_of(endpoint)
        except KeyFileError as error:
            # One programme's secret that can't be read is no reason to leave the others without deliveries.
            _log.error("secret_unreadable", programme=self._programme, help=str(error))
            return Failed("secret_unreadable")
        headers = signed_headers(keys, delivery.event_id, self._bench.clock(), delivery.body)
        return await self._sender.send(WebhookMessage(endpoint.url, headers, delivery.body))

    async def _note(self, endpoint: Endpoint, delivery: Delivery, outcome: SendingOutcome) -> None:
        waiting, retry, now = self._bench.waiting, self._bench.retry, self._bench.clock()
        match outcome:
            case Delivered():
                self._count("delivered")
                self._say_delivered()
                await asyncio.to_thread(waiting.note_delivered, delivery, now)
                await self._pull_forward(now)
            case Gone():
                self._count(BY_RECEIVER)
                _log.warning("endpoint_gone", programme=self._programme)
                next_at = now + retry.delay_after(delivery.event_id, delivery.attempts + 1)
                await asyncio.to_thread(waiting.note_gone, delivery, endpoint.url, next_at, now)
            case Failed(code, retry_after):
                self._count(code)
                self._was_unreachable |= code == UNREACHABLE
                attempts = delivery.attempts + 1
                if retry.is_over(attempts, delivery.queued_at, now):
                    _log.warning("delivery_given_up", programme=self._programme, event_id=delivery.event_id, code=code)
                    await asyncio.to_thread(waiting.note_given_up, delivery, code, now)
                    return
                next_at = now + retry.delay_after(delivery.event_id, attempts, retry_after)
                self._say_failed(code, delivery, next_at, now)
                await asyncio.to_thread(waiting.note_failed, delivery, code, next_at, now)
            case _:
                assert_never(outcome)

    async def _pull_forward(self, now: datetime) -> None:
        if self._was_unreachable:
            self._was_unreachable = False
            await asyncio.to_thread(self._bench.waiting.pull_forward, self._programme, now)

    def _say_failed(self, code: str, delivery: Delivery, next_at: datetime, now: datetime) -> None:
        """Says in the log what fails: at once where it is something new, once a minute where it goes on."""
        self._unsaid += 1
        if code == self._failing and now - self._said_at < _SAY_EVERY:
            return
        _log.warning(
            "delivery_failed",
            programme=self._programme,
            code=code,
            failed=self._unsaid,
            event_id=delivery.event_id,
            attempts=delivery.attempts + 1,
            next_attempt_at=next_at.isoformat(),
        )
        self._failing, self._said_at, self._unsaid = code, now, 0

    def _say_delivered(self) -> None:
        if self._failing is not None:
            _log.info("delivery_works_again", programme=self._programme, after=self._failing)
        self._failing, self._unsaid = None, 0

    def _count(self, outcome: str) -> None:
        self._bench.metrics.attempts.labels(self._programme, outcome).inc()
