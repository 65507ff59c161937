"""``brobygger gateway``: serves the doors."""

from __future__ import annotations

from connectors.gateway.server import serve
from streams.instance import gateway_settings
from streams.settings import settings_of_process
from streams.telemetry import set_up_logging


def gateway() -> None:
    """Runs the gateway until SIGTERM."""
    settings = settings_of_process()
    set_up_logging()
    serve(gateway_settings(settings), settings.gateway_host, settings.gateway_port)
