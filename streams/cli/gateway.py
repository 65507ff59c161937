"""``brobygger gateway``: serves the doors and the pages."""

from __future__ import annotations

from connectors.gateway.server import serve
from connectors.pages.attach import attach_pages
from streams.instance import gateway_settings
from streams.settings import settings_of_process
from streams.telemetry import set_up_logging


def gateway() -> None:
    """Runs the gateway until SIGTERM."""
    settings = settings_of_process()
    set_up_logging()
    doors = gateway_settings(settings)
    serve(doors, settings.gateway_host, settings.gateway_port, attach=lambda app: attach_pages(app, doors))
