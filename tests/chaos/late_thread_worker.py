"""A worker that is asked to stop while its consumer's thread begins.

`python -m tests.chaos.late_thread_worker BOOTSTRAP APP INSTANCE STATE`

Faust stops a thread only where its service has begun, so that this one is stopped by nobody.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from connectors.kafka.connection import KafkaConnection
from streams.engine.app import build_app, run_worker
from streams.engine.fetch_thread import BatchThread
from streams.engine.stage import EngineSettings, MembershipSettings
from tests.chaos.pipeline import stages


def begins_after_the_stop() -> None:
    """Has the thread ask for the worker's end, and begin its service once Faust believes that it has stopped it."""
    stopped = threading.Event()
    begin, stop = BatchThread._start_thread, BatchThread.stop

    def begin_late(thread: BatchThread) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        stopped.wait()
        begin(thread)

    async def stop_and_tell(thread: BatchThread) -> None:
        await stop(thread)
        stopped.set()

    setattr(BatchThread, "_start_thread", begin_late)  # noqa: B010 - mypy would have the method's own type
    setattr(BatchThread, "stop", stop_and_tell)  # noqa: B010


def main() -> None:
    """Runs until its own end."""
    bootstrap, app_id, instance_id, state_dir = sys.argv[1:]
    begins_after_the_stop()
    settings = EngineSettings(Path(state_dir), membership=MembershipSettings(instance_id=instance_id))
    run_worker(build_app(app_id, KafkaConnection(bootstrap=bootstrap), stages(), settings))


if __name__ == "__main__":
    main()
