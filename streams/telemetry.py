"""Logs and metrics: every metric's name in one place, and structlog set up for lines that hold nothing personal.

Names, units and labels follow Prometheus' conventions: base units, and no young person as a label.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_RECORDS = (1, 10, 100, 1_000, 5_000, 20_000)


class WorkerMetrics:
    """The engine's metrics port, on Prometheus. Everything is labelled by stage or topic, never by person."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers every metric of a worker."""
        # What became of each record: merged (stage 1), folded, duplicate, out_of_scope, conflicting_duplicate.
        self.events = Counter("brobygger_events", "Records by outcome", ["topic", "outcome"], registry=registry)
        self.dead_letters = Counter("brobygger_dead_letters", "Dead letters", ["reason"], registry=registry)
        self.stuck = Counter("brobygger_stuck", "Pathways put aside", ["reason"], registry=registry)
        self.transactions = Histogram(
            "brobygger_transaction_seconds", "Begin to commit", ["stage"], buckets=_SECONDS, registry=registry
        )
        self.batches = Histogram(
            "brobygger_batch_records", "Records in one fold", ["stage"], buckets=_RECORDS, registry=registry
        )
        self.uncommitted = Gauge(
            "brobygger_uncommitted_age_seconds",
            "Age of the oldest fold not committed",
            ["stage", "partition"],
            registry=registry,
        )
        self.produce_errors = Counter(
            "brobygger_produce_errors", "Failed sends, commits and fences", ["stage", "reason"], registry=registry
        )
        self.recovery = Gauge(
            "brobygger_recovery_remaining_records",
            "Changelog offsets left to restore",
            ["stage", "partition"],
            registry=registry,
        )
        self.rebalances = Counter("brobygger_rebalances", "New assignments", registry=registry)
        self.lag = Gauge(
            "brobygger_consumer_lag_records", "Offsets not folded yet", ["topic", "partition"], registry=registry
        )

    def batch_folded(self, stage: str, partition: int, records: int) -> None:  # noqa: ARG002
        """Observes a batch's size."""
        self.batches.labels(stage).observe(records)

    def transaction_committed(self, stage: str, partition: int, seconds: float) -> None:  # noqa: ARG002
        """Observes a transaction's duration."""
        self.transactions.labels(stage).observe(seconds)

    def counted(self, stage: str, counts: Mapping[tuple[str, ...], int]) -> None:  # noqa: ARG002
        """Adds what a processor counted, by the name it gave."""
        counters = {"events": self.events, "dead_letters": self.dead_letters, "stuck": self.stuck}
        for (name, *labels), number in counts.items():
            counters[name].labels(*labels).inc(number)

    def produce_failed(self, stage: str, reason: str) -> None:
        """Counts a failure that ends the process."""
        self.produce_errors.labels(stage, reason).inc()

    def recovery_remaining(self, stage: str, partition: int, records: int) -> None:
        """Sets what is left to restore."""
        self.recovery.labels(stage, str(partition)).set(records)

    def rebalanced(self) -> None:
        """Counts a new assignment."""
        self.rebalances.inc()

    def task_observed(self, stage: str, partition: int, uncommitted_seconds: float) -> None:
        """Sets the age of the oldest fold not committed."""
        self.uncommitted.labels(stage, str(partition)).set(uncommitted_seconds)

    def lag_observed(self, topic: str, partition: int, records: int) -> None:
        """Sets how far a partition is behind."""
        self.lag.labels(topic, str(partition)).set(records)


def set_up_logging(file: Path | None = None) -> None:
    """Writes one JSON line an event to stderr, or to a file that is opened for appending."""
    stream = sys.stderr if file is None else file.open("a", encoding="utf-8")
    logging.basicConfig(stream=stream, level=logging.WARNING, format="%(name)s %(levelname)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(stream),
    )


async def serve_health(
    address: tuple[str, int], parts: Callable[[], Mapping[str, bool]], registry: CollectorRegistry
) -> None:
    """Serves /health, /ready and /metrics on the loop that does the work, so that a stuck loop shows.

    ``parts`` are what the process needs for its work, by name, and whether each does its part now: it is ready where
    all do. The metrics get the process' own, its start time among them.
    """
    ProcessCollector("brobygger", registry=registry)

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "up"})

    async def readiness(_: web.Request) -> web.Response:
        found = parts()
        is_ready = all(found.values())
        return web.json_response({"ready": is_ready, **found}, status=200 if is_ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes([web.get("/health", health), web.get("/ready", readiness), web.get("/metrics", metrics)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, *address).start()
