"""Runs the gateway: one process, uvicorn, JSON logs without addresses or bodies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import uvicorn

from connectors.gateway.app import build_gateway

if TYPE_CHECKING:
    from connectors.gateway.ports import Ports
    from connectors.gateway.settings import GatewaySettings

_STOP_TIME_MAX = timedelta(seconds=15)
_IDLE_TIME_MAX = timedelta(seconds=65)
_CONNECTIONS_MAX = 512


def serve(settings: GatewaySettings, host: str, port: int, ports: Ports | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it began, for at most 15 seconds.

    One process alone: rate limits and Idempotency-Keys in progress are known to it only. uvicorn's access log is
    off, since an address can be personal; the doors log what they did.
    """
    uvicorn.run(
        build_gateway(settings, ports),
        host=host,
        port=port,
        workers=1,
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=int(_IDLE_TIME_MAX.total_seconds()),
        timeout_graceful_shutdown=int(_STOP_TIME_MAX.total_seconds()),
    )
