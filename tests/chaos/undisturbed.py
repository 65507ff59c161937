"""Two workers under load brought to rest, and held against an offline fold of the same input."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from streams.engine.offline import OfflineTask
from streams.engine.store import MemoryStore, RocksStore
from tests.chaos.harness import EXPECTED_EXITS, eventually, group_offsets, log_ends, read_topic, tell_to_stop
from tests.chaos.pipeline import INTAKE, OUTPUT, PARTITIONS, SOURCES, Join

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from streams.engine.processor import StoredRecord
    from tests.chaos.harness import Worker

APP = "chaos"
#: Long enough for a rebalance after a session time-out, on a busy machine.
PATIENCE_SECONDS = 90.0
#: What is still under way when nothing is due any more, such as a write of a worker that was paused, shows by then.
_QUIET_SECONDS = 3.0


async def revive(workers: list[Worker]) -> None:
    """Starts those that have ended, as a supervisor does."""
    for worker in workers:
        if not worker.runs:
            worker.start()


async def until_moving(bootstrap: str, workers: list[Worker]) -> None:
    """Waits until every partition of every input has moved on. Starts those of `workers` that end meanwhile."""
    before = await group_offsets(bootstrap, APP)

    still: list[TopicPartition] = []

    async def moved() -> bool:
        await revive(workers)
        now = await group_offsets(bootstrap, APP)
        inputs = [TopicPartition(topic, number) for topic in (*SOURCES, INTAKE) for number in range(PARTITIONS)]
        still[:] = [partition for partition in inputs if now.get(partition, -1) <= before.get(partition, -1)]
        return not still

    try:
        await eventually(moved, PATIENCE_SECONDS, "every partition moves")
    except AssertionError as error:
        error.add_note(f"these stand still: {still}")
        raise


async def until_drained(bootstrap: str, workers: list[Worker]) -> None:
    """Waits until all inputs are folded, no deadline is left, and no topic grows and no offset moves for a while.

    Starts those of `workers` that end meanwhile.
    """
    last: object = None
    since = time.monotonic()

    async def settled() -> bool:
        nonlocal last, since
        await revive(workers)
        topics = (*SOURCES, INTAKE, OUTPUT)
        ends, offsets = await log_ends(bootstrap, topics), await group_offsets(bootstrap, APP)
        # A transaction that a fault left open hides what is behind it until it is aborted.
        whole = ends == await log_ends(bootstrap, topics, "read_uncommitted")
        if not whole or (ends, offsets) != last:
            last, since = (ends, offsets), time.monotonic()
        return time.monotonic() - since >= _QUIET_SECONDS and await _nothing_is_left(bootstrap, offsets)

    await eventually(settled, PATIENCE_SECONDS, "nothing changes any more")


async def _nothing_is_left(bootstrap: str, offsets: Mapping[TopicPartition, int]) -> bool:
    """Tells whether all inputs are folded and no key is to fall silent; where workers are away it is quiet too."""
    for topic in (*SOURCES, INTAKE):
        for number, records in (await read_topic(bootstrap, topic)).items():
            # Markers behind the last record are never folded.
            if records and offsets.get(TopicPartition(topic, number), 0) <= records[-1].offset:
                return False
            if topic == INTAKE and _folded(records, number).state.next_due() is not None:
                return False
    return True


def _folded(records: Sequence[StoredRecord], number: int) -> OfflineTask:
    task = OfflineTask(Join(), number, MemoryStore())
    for _ in task.fold(INTAKE, records):
        pass
    return task


async def stop(workers: list[Worker]) -> None:
    """Asks all to stop, and waits until they have."""
    for worker in workers:
        worker.send(signal.SIGCONT)
        await tell_to_stop(worker, PATIENCE_SECONDS)
    for worker in workers:
        await asyncio.to_thread(worker.wait, PATIENCE_SECONDS)


async def check(
    bootstrap: str, workers: list[Worker], sent: int, exits: Collection[int] = frozenset(EXPECTED_EXITS)
) -> None:
    """Fails unless intake, outputs and states are what an undisturbed fold of `sent` records gives.

    `exits` are the codes with which the faults let workers end.
    """
    intake = await read_topic(bootstrap, INTAKE)
    await _check_intake(intake, sent, bootstrap)
    await _check_outputs(bootstrap, intake)
    _check_states(workers, intake)
    unexpected = {code for worker in workers for code in worker.exits} - set(exits)
    assert not unexpected, f"workers ended with {unexpected}: {[worker.exits for worker in workers]}"


async def _check_intake(intake: dict[int, list[StoredRecord]], sent: int, bootstrap: str) -> None:
    """Every source record arrived once, in its partition's order per key, with its right number."""
    origins = Counter(
        record.headers[0][1] or b"" for records in intake.values() for record in records if record.headers
    )
    expected: Counter[bytes] = Counter()
    for topic in SOURCES:
        for number, records in (await read_topic(bootstrap, topic)).items():
            counts: Counter[bytes | None] = Counter()
            for record in records:
                counts[record.key] += 1
                expected[f"{topic}/{number}/{record.offset}/{counts[record.key]}".encode()] += 1
    assert expected.total() == sent
    lost, doubled = expected - origins, origins - expected
    assert (sorted(lost)[:20], sorted(doubled)[:20]) == ([], []), (lost.total(), doubled.total())


async def _check_outputs(bootstrap: str, intake: dict[int, list[StoredRecord]]) -> None:
    outputs = await read_topic(bootstrap, OUTPUT)
    for number, records in intake.items():
        task = OfflineTask(Join(), number, MemoryStore())
        expected = [
            (message.key, message.value, message.timestamp_ms)
            for changes in task.fold(INTAKE, records)
            for message in changes.outputs.get((OUTPUT, number), ())
        ]
        found = [(record.key, record.value, record.timestamp) for record in outputs[number]]
        same = next((at for at, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
        assert found == expected, (number, len(found), len(expected), same, found[same or 0], expected[same or 0])


def _check_states(workers: list[Worker], intake: dict[int, list[StoredRecord]]) -> None:
    """Whoever owned a partition last holds exactly the oracle's state of it."""
    for number, records in intake.items():
        oracle = MemoryStore()
        for _ in OfflineTask(Join(), number, oracle).fold(INTAKE, records):
            pass
        stores = [RocksStore(path) for worker in workers if (path := worker.state_dir / "join" / str(number)).exists()]
        latest = max(stores, key=lambda store: meta.log_time if (meta := store.meta()) else 0)
        assert dict(latest.states()) == dict(oracle.states())
        for store in stores:
            store.close()
