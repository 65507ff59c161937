"""Runs the gateway: one process, uvicorn, JSON logs without addresses or bodies."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import uvicorn

from connectors.gateway.app import build_gateway, end_waiting

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from fastapi import FastAPI

    from connectors.gateway.ports import Ports
    from connectors.gateway.settings import GatewaySettings

_STOP_TIME_MAX = timedelta(seconds=15)
_IDLE_TIME_MAX = timedelta(seconds=65)
_CONNECTIONS_MAX = 512
_NOT_STARTED = 3


def serve(
    settings: GatewaySettings,
    host: str,
    port: int,
    ports: Ports | None = None,
    attach: Callable[[FastAPI], None] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it began, for at most 15 seconds.

    ``attach`` adds to the application before it starts: the pages, which stand above the gateway.

    One process alone: rate limits and Idempotency-Keys in progress are known to it only. uvicorn's access log is
    off, since an address can be personal; the doors log what they did.
    """
    app = build_gateway(settings, ports)
    if attach is not None:
        attach(app)
    server = _Server(configured(app, settings, host, port), app)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def configured(app: FastAPI, settings: GatewaySettings, host: str, port: int) -> uvicorn.Config:
    """Returns how the application is served; where a request comes from is its socket's address, or a proxy's word."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        workers=1,
        access_log=False,
        log_config=None,
        server_header=False,
        # Given in any case: without it uvicorn believes whoever is on this machine, or the environment.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=int(_IDLE_TIME_MAX.total_seconds()),
        timeout_graceful_shutdown=int(_STOP_TIME_MAX.total_seconds()),
    )


class _Server(uvicorn.Server):
    """Sends those who wait or follow away before it waits for requests to end: a stream would never end by itself."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Ends streams, then everything else."""
        end_waiting(self._app)
        await super().shutdown(sockets)
