"""Runs a deliverer as a process of its own: ``deliverer_process.py SETTINGS_JSON PORT CRASH_FILE``.

Where the crash file exists, the process removes it and kills itself at a receiver's next answer, before that is noted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from connectors.webhooks.deliverer import Deliverer, DelivererPorts, DelivererSettings
from streams.cli.deliver import run_until_told


def main(settings_json: str, port: str, crash_file: str) -> None:
    """Delivers until it is told to stop, or is killed."""
    settings = DelivererSettings.model_validate_json(settings_json)
    deliverer = Deliverer(settings, DelivererPorts(after_answer=lambda: _die_if(Path(crash_file))))
    asyncio.run(run_until_told(deliverer, ("127.0.0.1", int(port))))


def _die_if(crash_file: Path) -> None:
    if crash_file.exists():
        crash_file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
