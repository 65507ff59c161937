"""The broker is away, or stands still, while workers fold under load: nothing is lost, nothing doubled.

Workers may live through it or end themselves and be started again; that is up to how long it takes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.chaos.harness import EXPECTED_EXITS, Load, Worker
from tests.chaos.undisturbed import APP, check, stop, until_drained, until_moving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connectors.kafka.connection import KafkaConnection
    from connectors.kafka.embedded import EmbeddedBroker

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

_SEED = 20261123
_LOAD_PER_SECOND = 300
_PAUSE_SECONDS = 5
#: A worker that finds no broker when it starts ends with status 1, and is started again; at the end of the test it
#: may be asked to stop before it listens.
_EXITS = EXPECTED_EXITS | {1, -signal.SIGTERM}


def _stop(broker: EmbeddedBroker) -> None:
    broker.stop()
    broker.start()


def _kill(broker: EmbeddedBroker) -> None:
    broker.kill()
    broker.start()


def _pause(broker: EmbeddedBroker) -> None:
    """Suspends it for longer than its session with its controller lasts."""
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    time.sleep(_PAUSE_SECONDS)  # the fault itself
    os.kill(broker.pid, signal.SIGCONT)


@pytest.mark.parametrize("fault", [_stop, _kill, _pause])
async def test_a_broker_that_is_away_under_load_loses_and_doubles_nothing(
    fault: Callable[[EmbeddedBroker], None],
    broker: EmbeddedBroker,
    connection: KafkaConnection,
    tmp_path: Path,
    *,
    soak: bool,
) -> None:
    bootstrap = connection.bootstrap
    workers = [Worker(bootstrap, APP, f"worker-{number}", tmp_path) for number in range(2)]
    for worker in workers:
        worker.start()
    enough = asyncio.Event()
    load = asyncio.create_task(Load(bootstrap, _SEED, _LOAD_PER_SECOND).run(enough))
    try:
        await until_moving(bootstrap, workers)
        for _ in range(5 if soak else 1):
            await asyncio.to_thread(fault, broker)
            await until_moving(bootstrap, workers)
        enough.set()
        sent = await load
        await until_drained(bootstrap, workers)
    finally:
        enough.set()
        await stop(workers)

    await check(bootstrap, workers, sent, _EXITS)
