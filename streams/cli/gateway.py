"""``brobygger gateway``: serves the doors."""

from __future__ import annotations

from streams.instance import connection_of
from streams.settings import Settings, settings_of_process
from streams.telemetry import set_up_logging


def gateway() -> None:
    """Runs the gateway until SIGTERM."""
    from connectors.gateway.server import serve  # noqa: PLC0415

    settings = settings_of_process()
    set_up_logging()
    serve(gateway_settings(settings), settings.gateway_host, settings.gateway_port)


def gateway_settings(settings: Settings):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Returns the gateway's part of the settings."""
    from connectors.gateway.settings import GatewaySettings  # noqa: PLC0415

    return GatewaySettings(
        data_folder=settings.data_folder,
        kafka=connection_of(settings),
        reference_folder=settings.reference_folder,
    )
