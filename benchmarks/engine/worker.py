"""Runs the benchmark's job on the engine: `python -m benchmarks.engine.worker BOOTSTRAP INPUT APP STATE [COMMIT_MS]`.

Output and changelog are `APP-out` and `APP-changelog`; they must exist.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from benchmarks.engine.shuffle import Shuffle
from connectors.kafka.connection import KafkaConnection
from streams.engine.app import build_app, run_worker
from streams.engine.limits import MIB
from streams.engine.stage import EngineSettings, FetchSettings, MembershipSettings, Stage, TransactionSettings


def main() -> None:
    """Runs until SIGTERM."""
    bootstrap, source, app_id, state_dir = sys.argv[1:5]
    commit_ms = int(sys.argv[5]) if len(sys.argv) > 5 else 0  # noqa: PLR2004
    stage = Stage("shuffle", (source,), f"{app_id}-changelog", lambda: Shuffle(f"{app_id}-out"))
    settings = EngineSettings(
        Path(state_dir),
        transaction=TransactionSettings(interval=timedelta(milliseconds=commit_ms) if commit_ms else None),
        fetch=FetchSettings(partition_bytes_max=2 * MIB, bytes_min=100_000, wait_max=timedelta(milliseconds=10)),
        membership=MembershipSettings(instance_id=f"{app_id}-1"),
    )
    run_worker(build_app(app_id, KafkaConnection(bootstrap=bootstrap), [stage], settings))


if __name__ == "__main__":
    main()
