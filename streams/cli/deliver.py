"""``brobygger deliver``: brings handovers to the programmes' webhooks."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from connectors.webhooks.deliverer import Deliverer, DelivererSettings
from streams.instance import connection_of
from streams.settings import settings_of_process
from streams.telemetry import serve_health, set_up_logging


def deliver(
    health_port: Annotated[int, typer.Option(help="port of /health, /ready and /metrics")] = 8462,
    health_host: Annotated[str, typer.Option(help="address of the health server")] = "127.0.0.1",
) -> None:
    """Delivers to every endpoint of `brobygger webhooks` until SIGTERM. One runs on a data folder."""
    settings = settings_of_process()
    set_up_logging()
    deliverer = Deliverer(
        DelivererSettings(
            data_folder=settings.data_folder,
            kafka=connection_of(settings),
            loopback_allowed=settings.webhooks_loopback,
        )
    )
    asyncio.run(run_until_told(deliverer, (health_host, health_port)))


async def run_until_told(deliverer: Deliverer, health: tuple[str, int]) -> None:
    """Runs a deliverer with its health server until SIGTERM or SIGINT; raises what it ended with."""
    await serve_health(health, lambda: deliverer.ready, deliverer.metrics.registry)
    running = asyncio.create_task(deliverer.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return
