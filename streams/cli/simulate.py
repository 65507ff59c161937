"""``brobygger simulate``: the demo's traffic against the running instance."""

from __future__ import annotations

import threading

from rich.console import Console

from streams.instance import broker_of
from streams.settings import settings_of_process


def simulate() -> None:
    """Sends a month of simulated regions, municipalities and programmes through the real doors."""
    from streams.demo.run import run_demo  # noqa: PLC0415

    settings = settings_of_process()
    run_demo(settings, broker_of(settings), threading.Event(), Console())
