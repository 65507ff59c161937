"""Puts the deliverer together and runs it: one process of a data folder, ended by any failure that is its own."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from connectors.kafka.connection import KafkaConnection
from connectors.local_times import utc_now
from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.endpoints import Endpoints
from connectors.webhooks.escalating import Escalator, KafkaReplies
from connectors.webhooks.following import Follower
from connectors.webhooks.lanes import Bench, Lane
from connectors.webhooks.lock import only_one
from connectors.webhooks.metrics import DelivererMetrics
from connectors.webhooks.sending import HttpSender, SendingRules
from connectors.webhooks.signing import SecretBox
from connectors.webhooks.tables import ACTIVE, webhooks_database_of
from connectors.webhooks.urls import Resolve, resolved_by_system
from connectors.webhooks.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

_OBSERVE = timedelta(seconds=2)


class DelivererSettings(BaseModel):
    """Where the deliverer keeps its data, and how it behaves.

    ``kept`` is how long what ended can be sent again, ``attempt_time_max`` how long one attempt may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_folder: Path
    kafka: KafkaConnection
    database_url: str | None = None
    loopback_allowed: bool = False
    retry: RetryRules = RetryRules()
    kept: timedelta = timedelta(days=30)
    attempt_time_max: timedelta = SendingRules().time_max


def open_endpoints(data_folder: Path, url: str | None = None) -> Endpoints:
    """Returns the endpoints of a data folder; no broker and no deliverer need run."""
    return Endpoints(webhooks_database_of(data_folder, url), SecretBox(data_folder / "keys"))


def _nothing() -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class DelivererPorts:
    """The outside world, as far as tests replace it."""

    clock: Callable[[], datetime] = utc_now
    resolve: Resolve = resolved_by_system
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    after_answer: Callable[[], None] = field(default=_nothing)


class Deliverer:
    """Follows topics, delivers, escalates. ``ready`` once the topics are read from where they were left."""

    def __init__(self, settings: DelivererSettings, ports: DelivererPorts | None = None) -> None:
        """Opens database and keys; raises WebhooksUnavailableError or KeyFileError."""
        self._settings = settings
        self._ports = ports or DelivererPorts()
        self.metrics = DelivererMetrics()
        database = webhooks_database_of(settings.data_folder, settings.database_url)
        self._rules = SendingRules(time_max=settings.attempt_time_max, loopback_allowed=settings.loopback_allowed)
        self._bench = Bench(
            Endpoints(database, SecretBox(settings.data_folder / "keys")),
            Waiting(database),
            settings.retry,
            self._rules.concurrency_max,
            self._ports.clock,
            self.metrics,
            self._ports.after_answer,
        )
        self._lanes: dict[str, Lane] = {}
        self._follower = Follower(settings.kafka, self._bench, self._wake)

    @property
    def ready(self) -> bool:
        """Returns whether the topics are followed."""
        return self._follower.ready

    async def run(self) -> None:
        """Runs until it is cancelled; attempts under way are finished then. Any failure of its own ends it.

        Raises AlreadyRunningError where another one runs on the data folder.
        """
        with only_one(self._settings.data_folder / "deliverer.lock"):
            allowed = self._settings.loopback_allowed
            await asyncio.to_thread(self._bench.endpoints.note_deliverer, self._ports.clock(), loopback_allowed=allowed)
            replies = KafkaReplies(self._settings.kafka)
            await replies.start()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._follower.run())
                    group.create_task(Escalator(self._bench, replies).run())
                    await self._open_lanes(group)
            except ExceptionGroup as group_of_errors:
                raise group_of_errors.exceptions[0] from group_of_errors
            finally:
                await replies.stop()

    async def _open_lanes(self, group: asyncio.TaskGroup) -> None:
        while True:
            now = self._ports.clock()
            endpoints = await asyncio.to_thread(self._bench.endpoints.listed, now)
            for programme in (one.programme for one in endpoints):
                if programme not in self._lanes:
                    sender = HttpSender(self._rules, self._ports.resolve, self._ports.tls())
                    self._lanes[programme] = Lane(programme, self._bench, sender)
                    group.create_task(self._lanes[programme].run())
            backlogs = await asyncio.to_thread(self._bench.waiting.backlogs)
            self.metrics.last_attempts_observed(await asyncio.to_thread(self._bench.waiting.last_attempts), backlogs)
            self.metrics.backlogs_observed(backlogs, {one.programme: one.state == ACTIVE for one in endpoints}, now)
            await asyncio.to_thread(self._bench.waiting.forget_before, now - self._settings.kept)
            await asyncio.sleep(_OBSERVE.total_seconds())

    def _wake(self, programme: str) -> None:
        if programme in self._lanes:
            self._lanes[programme].wake()
