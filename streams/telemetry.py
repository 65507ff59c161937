"""Logs, metrics and health: every metric's name in one place, and lines of the log that hold nothing personal.

Names, units and labels follow Prometheus' conventions: base units, and no young person as a label.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import TYPE_CHECKING

import structlog
import uvicorn
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from uvicorn.server import ServerState

from connectors.gateway.connections import ClientConnection, ConnectionWatch
from connectors.gateway.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request

# Few, since each takes a file descriptor from the work: an orchestrator, Prometheus and a person need no more.
HEALTH_LIMITS = Limits(connections_max=32)
_HEALTH_BACKLOG = 64
_LOOK_SECONDS = 0.1
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
    address: tuple[str, int],
    parts: Callable[[], Mapping[str, bool]],
    registry: CollectorRegistry,
    limits: Limits = HEALTH_LIMITS,
) -> asyncio.Server:
    """Serves /health, /ready and /metrics on the loop that does the work, so that a stuck loop shows.

    ``parts`` are what the process needs for its work, by name, and whether each does its part now: it is ready where
    all do. The metrics get the process' own, its start time among them. Returns the listening server, which ends with
    the loop. Connections are bounded and closed as the gateway's are. Raises OSError where the address is taken.
    """
    ProcessCollector("brobygger", registry=registry)
    config = _configured(_health_of(parts, registry), limits)
    watch, state = ConnectionWatch(limits, time.monotonic), ServerState()
    loop = asyncio.get_running_loop()

    def look() -> None:
        watch.look(state.connections)
        loop.call_later(_LOOK_SECONDS, look)

    def connection() -> ClientConnection:
        return ClientConnection(watch, config=config, server_state=state, app_state={})

    server = await loop.create_server(connection, *address, backlog=_HEALTH_BACKLOG)
    look()
    return server


def _health_of(parts: Callable[[], Mapping[str, bool]], registry: CollectorRegistry) -> Router:
    async def health(_: Request) -> Response:
        return JSONResponse({"status": "up"})

    async def readiness(_: Request) -> Response:
        found = parts()
        is_ready = all(found.values())
        return JSONResponse({"ready": is_ready, **found}, 200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    routes = [Route("/health", health), Route("/ready", readiness), Route("/metrics", metrics)]
    # A redirect would go wherever the Host header says.
    return Router(routes, redirect_slashes=False)


def _configured(app: Router, limits: Limits) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        # uvicorn warns at every request that is none: whoever sends such would fill the log.
        log_level=logging.ERROR,
        proxy_headers=False,
        limit_concurrency=limits.connections_max + 1,
        timeout_keep_alive=int(limits.idle_max.total_seconds()),
    )
    config.load()
    return config
