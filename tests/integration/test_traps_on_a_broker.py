"""Traps that only a real broker shows, without workers: each docstring names one, each test fails where it opens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.topics import TopicSpec, ensure_topics
from streams.engine import faust_private, opening
from streams.engine.clock import TickWriter
from streams.engine.input_log import Bounds
from streams.engine.opening import OpenTask, TaskRuntime
from streams.engine.outputs import Outgoing
from streams.engine.recovery import Restoration, restore
from streams.engine.stage import EngineSettings, Stage, TransactionSettings, never_crash
from streams.engine.store import MemoryStore
from streams.engine.transaction import TransactionalWriter, Writes
from tests.chaos.harness import group_offsets, read_topic
from tests.chaos.pipeline import PARTITIONS, Merge

pytestmark = pytest.mark.integration

_SMALL_BYTES = 1000
Answer = TypeVar("Answer")


@dataclass
class Place:
    """Topics, a group and transactional ids of one test's own."""

    connection: KafkaConnection
    name: str
    writers: list[TransactionalWriter] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        return Stage("stage", (f"{self.name}-in",), f"{self.name}-log", Merge)

    @property
    def changelog(self) -> TopicPartition:
        return TopicPartition(self.stage.changelog, 0)

    @property
    def source(self) -> TopicPartition:
        return TopicPartition(self.stage.inputs[0], 0)

    def create_topics(self) -> None:
        small = TopicSpec(f"{self.name}-out", PARTITIONS, {"max.message.bytes": str(_SMALL_BYTES)})
        names = (self.source.topic, self.changelog.topic)
        ensure_topics(self.connection, [small, *(TopicSpec(name, PARTITIONS) for name in names)])

    async def a_writer(
        self, crash_point: Callable[[str], None] = never_crash, *, transactional_id: str | None = None
    ) -> TransactionalWriter:
        own_id = transactional_id or f"{self.name}-stage-0"
        writer = TransactionalWriter(self.connection, own_id, TransactionSettings(), crash_point)
        self.writers.append(writer)
        await writer.fence()
        return writer

    def writes(self, value: bytes, output_bytes: int = 10) -> Writes:
        outputs = {(f"{self.name}-out", 0): [Outgoing(b"key", bytes(output_bytes), 1)]}
        return Writes(outputs, {b"key": value}, self.changelog, {self.source: 7})

    async def committed(self) -> tuple[int, int, int | None]:
        """Returns how many outputs and states a consumer sees, and the group's offset."""
        outputs, states = [
            await read_topic(self.connection.bootstrap, f"{self.name}-{topic}") for topic in ("out", "log")
        ]
        offsets = await group_offsets(self.connection.bootstrap, self.name)
        return len(outputs[0]), len(states[0]), offsets.get(self.source)

    async def sent(self) -> tuple[int, int]:
        """Returns how many outputs and states lie in the logs, committed or not."""
        outputs, states = [
            await read_topic(self.connection.bootstrap, f"{self.name}-{topic}", "read_uncommitted")
            for topic in ("out", "log")
        ]
        return len(outputs[0]), len(states[0])


@pytest.fixture
async def place(broker: EmbeddedBroker, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    place = Place(KafkaConnection(bootstrap=broker.bootstrap), name)
    await asyncio.to_thread(place.create_topics)
    yield place
    for writer in place.writers:
        await writer.stop()


@dataclass
class BrokerInputs:
    """Answers from the broker."""

    connection: KafkaConnection
    group: str

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        offsets = await group_offsets(self.connection.bootstrap, self.group)
        return {partition: offsets[partition] for partition in partitions if partition in offsets}

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        async with _consumer(self.connection) as consumer:
            ends = await consumer.end_offsets(list(partitions))
        return {partition: Bounds(0, end) for partition, end in ends.items()}

    async def written_end(self, partition: TopicPartition) -> int:
        async with _consumer(self.connection, "read_uncommitted") as consumer:
            [end] = (await consumer.end_offsets([partition])).values()
        return int(end)

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        raise NotImplementedError

    def log_end(self, partition: TopicPartition) -> int | None:
        raise NotImplementedError


@dataclass
class RivalledInputs(BrokerInputs):
    """Lets the partition's old owner try to commit right after the first answer."""

    old_owner: TransactionalWriter
    tried: bool = False

    async def committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return await self._then_the_old_owner_commits(await super().committed(partitions))

    async def bounds(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        return await self._then_the_old_owner_commits(await super().bounds(partitions))

    async def _then_the_old_owner_commits(self, answer: Answer) -> Answer:
        if not self.tried:
            self.tried = True
            with suppress(KafkaError):
                await self.old_owner._producer.commit_transaction()
        return answer


async def test_an_old_owner_commits_nothing_behind_the_back_of_the_new_one(place: Place, tmp_path: Path) -> None:
    """The trap: fenced after the offset was read, the old owner's last commit goes missing: wrong state."""
    zombie = await place.a_writer()
    await zombie._producer.begin_transaction()
    await zombie._send(place.name, place.writes(b"of the old owner"))
    inputs = RivalledInputs(place.connection, place.name, zombie)

    opened = await opened_task(place, inputs, tmp_path)

    assert inputs.tried
    outputs, states, offset = await place.committed()
    seen = int(opened.store.get(b"key") is not None)
    assert (states, offset or 0) == (seen, opened.meta.offsets[place.source.topic])
    assert outputs == states
    await opened.close()


async def test_a_record_that_the_broker_refuses_takes_the_transaction_with_it(place: Place) -> None:
    """The trap: `commit_transaction` succeeds over a failed produce, and offset and state move on without it."""
    writer = await place.a_writer()
    with pytest.raises(MessageSizeTooLargeError):
        await writer.write(place.name, place.writes(b"value", output_bytes=5 * _SMALL_BYTES))
    await place.a_writer()

    assert await place.committed() == (0, 0, None)
    assert await place.sent() == (0, 1)


@pytest.mark.parametrize("point", ["after_send", "before_commit"])
async def test_outputs_state_and_offset_appear_together_or_not_at_all(place: Place, point: str) -> None:
    """The trap: outputs to topics that the app doesn't consume go outside any transaction."""

    def crash(reached: str) -> None:
        if reached == point:
            raise InterruptedError

    writer = await place.a_writer(crash)
    with pytest.raises(InterruptedError):
        await writer.write(place.name, place.writes(b"lost"))
    successor = await place.a_writer()
    before = await place.sent(), await place.committed()
    await successor.write(place.name, place.writes(b"kept"))

    assert before == ((1, 1), (0, 0, None))
    assert await place.committed() == (1, 1, 7)


async def test_a_restore_passes_over_aborted_states_and_ends_behind_them(place: Place) -> None:
    """The trap: aborted batches and markers leave gaps, and a count of offsets never comes to the end."""
    writer = await place.a_writer()
    mark = await writer.write(place.name, place.writes(b"committed"))
    await writer._producer.begin_transaction()
    await writer._send(place.name, place.writes(b"aborted"))
    await place.a_writer()
    async with _consumer(place.connection) as consumer:
        [end] = (await consumer.end_offsets([place.changelog])).values()
    store = MemoryStore()
    faust_private.install_raw_records()
    restoration = Restoration(place.changelog, Bounds(0, end), lambda key, value: None, lambda left: None)

    async with asyncio.timeout(30):
        restored = await restore(place.connection, store, 0, restoration)

    assert (restored, store.get(b"key"), mark, end) == (1, b"committed", 1, 4)
    assert (found := store.mark()) is not None
    assert found.changelog_offset == end


@asynccontextmanager
async def _consumer(connection: KafkaConnection, isolation: str = "read_committed") -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**connection.for_aiokafka(), isolation_level=isolation)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def opened_task(place: Place, inputs: BrokerInputs, folder: Path) -> OpenTask:
    settings = EngineSettings(folder)
    ticks = TickWriter(place.connection)
    runtime = TaskRuntime(
        place.name, place.connection, settings, inputs, ticks, asyncio.Semaphore(1), lambda: None, _end
    )
    return await opening.open_task(place.stage, 0, runtime)


def _end(reason: str, error: BaseException | None = None) -> NoReturn:
    raise AssertionError(reason) from error
