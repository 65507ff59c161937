"""The broker goes away and comes back while workers fold under load: nothing is lost, nothing doubled.

Workers may live through it or end themselves and be started again; that is up to how long it takes.
"""

from __future__ import annotations

import asyncio
import signal
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
#: A worker that finds no broker when it starts ends with status 1, and is started again; at the end of the test it
#: may be asked to stop before it listens.
_EXITS = EXPECTED_EXITS | {1, -signal.SIGTERM}


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_broker_restarted_under_load_loses_and_doubles_nothing(
    end: str, broker: EmbeddedBroker, connection: KafkaConnection, tmp_path: Path, *, soak: bool
) -> None:
    bootstrap = connection.bootstrap
    workers = [Worker(bootstrap, APP, f"worker-{number}", tmp_path) for number in range(2)]
    for worker in workers:
        worker.start()
    enough = asyncio.Event()
    load = asyncio.create_task(Load(bootstrap, _SEED, _LOAD_PER_SECOND).run(enough))
    end_broker: Callable[[], None] = getattr(broker, end)
    try:
        await until_moving(bootstrap, workers)
        for _ in range(5 if soak else 1):
            await asyncio.to_thread(end_broker)
            await asyncio.to_thread(broker.start)
            await until_moving(bootstrap, workers)
        enough.set()
        sent = await load
        await until_drained(bootstrap, workers)
    finally:
        enough.set()
        await stop(workers)

    await check(bootstrap, workers, sent, _EXITS)
