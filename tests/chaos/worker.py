"""A worker that kills itself on request: `python -m tests.chaos.worker BOOTSTRAP APP INSTANCE STATE [POINT AFTER]`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.kafka.connection import KafkaConnection
from streams.engine.app import build_app, run_worker
from streams.engine.stage import EngineSettings, MembershipSettings, never_crash
from tests.chaos.pipeline import stages

if TYPE_CHECKING:
    from collections.abc import Callable


def dies_at(point: str, after: int) -> Callable[[str], None]:
    """Returns a hook that kills the process when the point is reached for the `after`th time."""
    reached = 0

    def count(name: str) -> None:
        nonlocal reached
        reached += name == point
        if reached == after:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def main() -> None:
    """Runs until a signal, or its own end."""
    bootstrap, app_id, instance_id, state_dir = sys.argv[1:5]
    crash_point = dies_at(sys.argv[5], int(sys.argv[6])) if len(sys.argv) > 5 else never_crash
    settings = EngineSettings(
        Path(state_dir), membership=MembershipSettings(instance_id=instance_id), crash_point=crash_point
    )
    run_worker(build_app(app_id, KafkaConnection(bootstrap=bootstrap), stages(), settings))


if __name__ == "__main__":
    main()
