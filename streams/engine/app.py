"""Puts the engine together as a Faust app, and runs it.

Faust gives the consumer group (its assignor keeps topics of equal partition count together), the
worker's life cycle and its signals. What it does with messages is replaced, see `transport.py`.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import faust
import uvloop
from faust.transport.drivers import TRANSPORTS

from streams.engine import faust_private
from streams.engine.ending import EXIT_FAILED, end_despite_threads, end_process
from streams.engine.supervise import Tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.stage import BrokerConnection, EngineSettings, Stage

TRANSPORT = "brobygger"

_HEARTBEATS_PER_SESSION = 6
_SETTLE_SECONDS = 5.0
_POLL_INTERVAL_SECONDS = 86_400.0


class EngineApp(faust.App):
    """A Faust app whose messages the engine handles. `engine.ready` says whether all tasks take batches."""

    engine: Tasks
    engine_settings: EngineSettings


def build_app(
    app_id: str, connection: BrokerConnection, stages: Sequence[Stage], settings: EngineSettings
) -> EngineApp:
    """Returns an app that runs the stages in one consumer group, named as the app. Connects to nothing yet.

    Topics must exist. Call it without a running event loop, once a process.
    """
    TRANSPORTS.aliases[TRANSPORT] = "streams.engine.transport:BatchTransport"
    faust_private.install_raw_records()
    faust_private.set_marker_backoff(settings.marker_backoff)
    app = EngineApp(app_id, **_faust_settings(connection, settings))
    app.engine_settings = settings
    app.engine = Tasks(app_id, connection, stages, settings, end_process)
    for stage in stages:
        _subscribe(app, stage)
    app.task(app.engine.watch)
    app.task(_settle_garbage)
    return app


def run_worker(app: EngineApp) -> None:
    """Runs until SIGTERM or SIGINT, then commits what is folded and returns by SystemExit.

    A static member does not leave the group, so that a restart disturbs nobody; see `membership.py`.
    """
    app.engine_settings.state_dir.mkdir(parents=True, exist_ok=True)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    # Logging is the composition root's business: Faust would set it up anew.
    worker = faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        end_despite_threads(end.code if isinstance(end.code, int) else EXIT_FAILED)
        raise


def _subscribe(app: EngineApp, stage: Stage) -> None:
    """Gives the stage an agent, by which Faust subscribes to its topics. Nothing is ever sent to it."""

    async def never_called(stream: faust.StreamT[bytes]) -> None:
        async for _ in stream.events():
            end_process(f"Faust delivered a message to {stage.name}")

    never_called.__name__ = stage.name
    app.agent(app.topic(*stage.inputs, value_type=bytes), name=stage.name)(never_called)


def _faust_settings(connection: BrokerConnection, settings: EngineSettings) -> dict[str, Any]:
    membership = settings.membership
    session = membership.session_timeout
    return {
        **connection.for_faust(TRANSPORT),
        "broker_session_timeout": session.total_seconds(),
        "broker_heartbeat_interval": session.total_seconds() / _HEARTBEATS_PER_SESSION,
        "broker_rebalance_timeout": membership.rebalance_timeout.total_seconds(),
        # aiokafka leaves the group where nothing was fetched for so long, be it for a restore. Progress
        # is the engine's own watchdog's business.
        "broker_max_poll_interval": _POLL_INTERVAL_SECONDS,
        "broker_max_poll_records": settings.fetch.records_max,
        "consumer_group_instance_id": membership.instance_id,
        "consumer_max_fetch_size": settings.fetch.partition_bytes_max,
        "datadir": str(settings.state_dir / "faust"),
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "stream_wait_empty": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
    }


async def _settle_garbage() -> None:
    """Takes what the start has made out of the collector's sight: full collections would scan it for ever."""
    await asyncio.sleep(_SETTLE_SECONDS)
    gc.collect()
    gc.freeze()


__all__ = ["TRANSPORT", "EngineApp", "build_app", "run_worker"]
