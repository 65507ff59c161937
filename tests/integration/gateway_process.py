"""Runs a gateway as a process of its own: ``gateway_process.py SETTINGS_JSON PORT CRASH_FILE``.

Where the crash file exists, the process removes it and ends at once after the broker's next confirmation.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import structlog

from connectors.gateway.ports import GatewayPorts
from connectors.gateway.server import serve
from connectors.gateway.settings import GatewaySettings

CRASH_STATUS = 70


def main(settings_json: str, port: str, crash_file: str) -> None:
    """Serves until it is told to stop, or crashes."""
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    settings = GatewaySettings.model_validate_json(settings_json)
    serve(settings, "127.0.0.1", int(port), GatewayPorts(after_confirmation=lambda: _crash_if(Path(crash_file))))


def _crash_if(crash_file: Path) -> None:
    if crash_file.exists():
        crash_file.unlink()
        os._exit(CRASH_STATUS)


if __name__ == "__main__":
    main(*sys.argv[1:])
