"""``brobygger deliver``: brings handovers to webhooks and notices to mailboxes, and tells which source is silent."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated, Protocol

import typer

from connectors.kafka.reachability import BrokerWatch, MetadataProbe
from connectors.source_silence.monitor import SilenceMonitor, set_rhythms
from connectors.webhooks.deliverer import Deliverer, DelivererSettings
from schemas.topics import PREFIX
from streams.instance import broker_of
from streams.letter_service import letter_service
from streams.settings import settings_of_process
from streams.telemetry import serve_health, set_up_logging


class _Part(Protocol):
    """One part of what the process does."""

    @property
    def ready(self) -> bool:
        """Returns whether it does its part."""
        ...  # pragma: no cover

    async def run(self) -> None:
        """Runs until it is cancelled; any failure of its own ends it."""
        ...  # pragma: no cover


def deliver(
    health_port: Annotated[int, typer.Option(help="port of /health, /ready and /metrics")] = 8462,
    health_host: Annotated[str, typer.Option(help="address of the health server")] = "127.0.0.1",
) -> None:
    """Delivers to every endpoint of `brobygger webhooks` and `mailboxes` until SIGTERM. One runs on a data folder."""
    settings = settings_of_process()
    connection = broker_of(settings)
    set_up_logging()
    deliverer = Deliverer(
        DelivererSettings(
            data_folder=settings.data_folder,
            kafka=connection,
            loopback_allowed=settings.webhooks_loopback,
        )
    )
    letters = letter_service(settings, deliverer.metrics.registry)
    set_to = set_rhythms(settings.data_folder / "silence.toml")
    silence = SilenceMonitor(connection, set_to, deliverer.metrics.registry)
    broker = BrokerWatch(MetadataProbe(connection, PREFIX))
    parts: dict[str, _Part] = {"broker": broker, "silence": silence, **({"letters": letters} if letters else {})}
    asyncio.run(run_until_told(deliverer, (health_host, health_port), **parts))


async def run_until_told(deliverer: Deliverer, health: tuple[str, int], **others: _Part) -> None:
    """Runs a deliverer, others beside it and its health server until SIGTERM or SIGINT; raises what one ended with."""
    parts: dict[str, _Part] = {"webhooks": deliverer, **others}
    await serve_health(health, lambda: {name: part.ready for name, part in parts.items()}, deliverer.metrics.registry)
    running = asyncio.create_task(_together(tuple(parts.values())))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return


async def _together(parts: tuple[_Part, ...]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part.run())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
