"""Every metric of the deliverer, in one place. Base units; no young person is a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from connectors.webhooks.deliveries import Backlog, LastAttempts


class DelivererMetrics:
    """The metrics of one deliverer, in a registry of their own."""

    def __init__(self) -> None:
        """Registers them, all at zero."""
        self.registry = CollectorRegistry()
        # Every attempt by its outcome: delivered, http_<status>, redirected, unreachable, timed_out, tls_failed,
        # internal_address, broken_answer, secret_unreadable.
        self.attempts = Counter(
            "brobygger_webhook_attempts", "Attempts by outcome", ("programme", "outcome"), registry=self.registry
        )
        # Records whose handovers were escalated because they could not be delivered.
        self.given_up = Counter(
            "brobygger_webhook_given_up", "Records given up", ("programme",), registry=self.registry
        )
        # Records on a handover topic that no one can read; the log names their place.
        self.unreadable = Counter(
            "brobygger_webhook_unreadable", "Unreadable records passed over", ("programme",), registry=self.registry
        )
        self.waiting = self._gauge("waiting_records", "Records not delivered yet")
        # Of those, records of which an attempt has failed.
        self.failing = self._gauge("failing_records", "Records that wait for another attempt")
        self.oldest = self._gauge("oldest_age_seconds", "Age of the oldest that waits")
        # 1 where the endpoint receives, 0 where it is paused.
        self.active = self._gauge("active", "Whether the endpoint receives")
        # Absent where no attempt has failed yet.
        self.last_error = self._gauge("last_error_seconds", "When an attempt last failed, in Unix time", "outcome")
        # Absent where nothing waits.
        self.next_attempt = self._gauge("next_attempt_seconds", "When the next attempt is made, in Unix time")

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"brobygger_webhook_{name}", what, ("programme", *labels), registry=self.registry)

    def last_attempts_observed(self, last: Mapping[str, LastAttempts], backlogs: Iterable[Backlog]) -> None:
        """Sets when an attempt last failed, by what it ended with, and when the next one is made."""
        self.last_error.clear()
        self.next_attempt.clear()
        for programme, one in last.items():
            if one.error is not None and one.error_at is not None:
                self.last_error.labels(programme, one.error).set(one.error_at.timestamp())
        for backlog in backlogs:
            self.next_attempt.labels(backlog.programme).set(backlog.next_attempt_at.timestamp())

    def backlogs_observed(self, backlogs: Iterable[Backlog], active: dict[str, bool], now: datetime) -> None:
        """Sets what waits for each programme that has an endpoint, zero where nothing does."""
        for gauge in (self.waiting, self.failing, self.oldest, self.active):
            gauge.clear()
        for programme, receives in active.items():
            self.active.labels(programme).set(receives)
            for gauge in (self.waiting, self.failing, self.oldest):
                gauge.labels(programme)
        for one in backlogs:
            self.waiting.labels(one.programme).set(one.waiting)
            self.failing.labels(one.programme).set(one.failing)
            self.oldest.labels(one.programme).set((now - one.oldest_at).total_seconds())
