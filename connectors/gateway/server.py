"""Runs the gateway: one process, uvicorn, JSON logs without addresses or bodies."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import uvicorn

from connectors.gateway.app import build_gateway, end_waiting
from connectors.gateway.connections import ClientConnection, ConnectionWatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from fastapi import FastAPI

    from connectors.gateway.ports import GatewayPorts
    from connectors.gateway.settings import GatewaySettings

_STOP_TIME_MAX = timedelta(seconds=15)
# What a flood may open before the next look, beside the connections that have a place: each costs a file descriptor.
_BACKLOG = 256
_NOT_STARTED = 3


def serve(
    settings: GatewaySettings,
    host: str,
    port: int,
    ports: GatewayPorts | None = None,
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
    server = server_of(app, settings, host, port)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def server_of(app: FastAPI, settings: GatewaySettings, host: str, port: int) -> uvicorn.Server:
    """Returns the application's server, which closes connections whose clients have stopped."""
    watch = ConnectionWatch(settings.limits, time.monotonic)
    config = configured(app, settings, host, port)
    # uvicorn calls it as it would a protocol's class.
    config.http = partial(ClientConnection, watch)  # type: ignore[assignment]
    return _Server(config, app, watch)


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
        # Above it uvicorn answers 503: only where none of those that have a place waits for its client.
        limit_concurrency=settings.limits.connections_max + 1,
        backlog=_BACKLOG,
        timeout_keep_alive=int(settings.limits.idle_max.total_seconds()),
        timeout_graceful_shutdown=int(_STOP_TIME_MAX.total_seconds()),
    )


class _Server(uvicorn.Server):
    """Sends those who wait or follow away before it waits for requests to end: a stream would never end by itself."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, watch: ConnectionWatch) -> None:
        super().__init__(config)
        self._app = app
        self._watch = watch

    async def on_tick(self, counter: int) -> bool:
        """Looks at all connections, ten times a second."""
        self._watch.look(self.server_state.connections)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Ends streams, then everything else."""
        end_waiting(self._app)
        await super().shutdown(sockets)
