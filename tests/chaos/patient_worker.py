"""A worker whose tasks take long to open.

`python -m tests.chaos.patient_worker BOOTSTRAP APP INSTANCE STATE SESSION_SECONDS REQUEST_SECONDS HEARTBEATS`
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka.consumer.group_coordinator import GroupCoordinator

from connectors.kafka.connection import KafkaConnection
from streams.engine import supervise
from streams.engine.app import build_app, run_worker
from streams.engine.opening import open_task
from streams.engine.stage import EngineSettings, MembershipSettings
from tests.chaos.pipeline import stages

if TYPE_CHECKING:
    from streams.engine.opening import OpenTask


_HEARTBEAT_SECONDS = 0.5


def opens_after_heartbeats(number: int) -> None:
    """Makes every task wait, before it opens, until the group has answered so many heartbeats of this member."""
    answered = 0
    heartbeat = GroupCoordinator._do_heartbeat

    async def count(coordinator: GroupCoordinator) -> bool:
        nonlocal answered
        success = bool(await heartbeat(coordinator))
        answered += success
        return success

    async def open_late(*arguments: Any) -> OpenTask:
        while answered < number:  # noqa: ASYNC110 - heartbeats are counted in another thread
            await asyncio.sleep(0.05)
        return await open_task(*arguments)

    setattr(GroupCoordinator, "_do_heartbeat", count)  # noqa: B010 - mypy would have the method's own type
    setattr(supervise, "open_task", open_late)  # noqa: B010


def main() -> None:
    """Runs until a signal, or its own end."""
    bootstrap, app_id, instance_id, state_dir, session, request, heartbeats = sys.argv[1:]
    opens_after_heartbeats(int(heartbeats))
    membership = MembershipSettings(
        instance_id=instance_id,
        session_timeout=timedelta(seconds=float(session)),
        rebalance_timeout=timedelta(seconds=min(20.0, float(session))),
    )
    settings = EngineSettings(Path(state_dir), membership=membership)
    app = build_app(app_id, KafkaConnection(bootstrap=bootstrap), stages(), settings)
    app.conf.broker_request_timeout = float(request)
    # However long the session: by its heartbeat a member hears that the others wait for it to join again.
    app.conf.broker_heartbeat_interval = _HEARTBEAT_SECONDS
    run_worker(app)


if __name__ == "__main__":
    main()
