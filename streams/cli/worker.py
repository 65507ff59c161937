"""``brobygger worker``: runs both stages for the partitions that the group gives it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from streams.instance import broker_of
from streams.settings import settings_of_process
from streams.telemetry import set_up_logging


def worker(
    instance_id: Annotated[str, typer.Option(help="unique in the group, and kept over restarts")] = "worker-1",
    health_port: Annotated[int, typer.Option(help="port of /health, /ready and /metrics")] = 8461,
    health_host: Annotated[str, typer.Option(help="address of the health server")] = "127.0.0.1",
    leave: Annotated[bool, typer.Option("--leave", help="leave the group for good (scaling down) and end")] = False,  # noqa: FBT002
) -> None:
    """Runs a worker until SIGTERM. Ends by itself where a transaction fails; start it again."""
    from streams.app import WorkerOptions, build_worker, require_provisioned  # noqa: PLC0415
    from streams.engine.app import run_worker  # noqa: PLC0415

    settings = settings_of_process()
    connection = broker_of(settings)
    if leave:
        from streams.engine.membership import leave_group  # noqa: PLC0415
        from streams.settings import APP_ID  # noqa: PLC0415

        leave_group(connection, APP_ID, instance_id)
        return
    set_up_logging()
    asyncio.run(require_provisioned(connection, settings.partitions))
    options = WorkerOptions(instance_id, (health_host, health_port))
    run_worker(build_worker(settings, connection, options))
