"""Traps of transactions in aiokafka and of commits in Faust: a docstring names each, a test fails where it opens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.engine import transaction
from streams.engine.outputs import Outgoing
from streams.engine.processor import Record
from streams.engine.stage import TransactionSettings, never_crash
from streams.engine.state import PartitionState
from streams.engine.store import Mark
from streams.engine.transaction import TransactionalWriter, Writes

from .builders import Counting
from .fakes import Bench, EndedError, NoConnection, until

CHANGELOG, INPUT, OUTPUT = (TopicPartition(name, 0) for name in ("changelog", "in", "out"))
_BATCH_BYTES = 300
#: Three output batches of one message each, and one batch of states.
_WRITES = Writes({("out", 0): [Outgoing(b"key", bytes(200), 1)] * 3}, {b"key": b"value"}, CHANGELOG, {INPUT: 7})
_BATCHES = 4


class ScriptedProducer:
    """Stands for aiokafka's producer: notes each call, answers when and what it is told to."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.calls: list[str] = []
        self.deliveries: list[asyncio.Future[Any]] = []
        self.holds_deliveries = False
        self.delivered_at = 40
        self.stuck_in = ""

    async def begin_transaction(self) -> None:
        await self._answer("begin")

    async def send_offsets_to_transaction(self, offsets: object, group: str) -> None:
        await self._answer("offsets")

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(_BATCH_BYTES, 0)

    async def send_batch(self, batch: object, topic: str, partition: int) -> asyncio.Future[Any]:
        await self._answer("send")
        self.deliveries.append(asyncio.get_running_loop().create_future())
        if not self.holds_deliveries:
            self.deliver(self.deliveries[-1])
        return self.deliveries[-1]

    async def commit_transaction(self) -> None:
        await self._answer("commit")

    def deliver(self, delivery: asyncio.Future[Any]) -> None:
        delivery.set_result(SimpleNamespace(offset=self.delivered_at))

    async def _answer(self, call: str) -> None:
        self.calls.append(f"{call} asked")
        if self.stuck_in == call:
            await asyncio.get_running_loop().create_future()
        for _ in range(3):
            await asyncio.sleep(0)
        self.calls.append(f"{call} answered")


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> ScriptedProducer:
    producer = ScriptedProducer()
    monkeypatch.setattr(
        transaction, "AIOKafkaProducer", lambda **options: vars(producer).update(options=options) or producer
    )
    return producer


@pytest.fixture
def writer(producer: ScriptedProducer) -> TransactionalWriter:
    return TransactionalWriter(NoConnection(), "id", TransactionSettings(), never_crash)


async def test_a_commit_waits_for_every_delivery(writer: TransactionalWriter, producer: ScriptedProducer) -> None:
    """The trap: a flush that gives up after a while lets the commit proceed over messages still queued."""
    producer.holds_deliveries = True
    writing = asyncio.create_task(writer.write("group", _WRITES))
    for number in range(_BATCHES):
        await until(lambda: len(producer.deliveries) == _BATCHES)
        await _some_turns()
        assert "commit asked" not in producer.calls
        producer.deliver(producer.deliveries[_BATCHES - 1 - number])

    await writing
    assert producer.calls[-1] == "commit answered"


@pytest.mark.parametrize("failing", range(_BATCHES))
async def test_a_failed_delivery_prevents_the_commit(
    failing: int, writer: TransactionalWriter, producer: ScriptedProducer
) -> None:
    """The trap: a failed send is only logged, and `commit_transaction` succeeds over it."""
    producer.holds_deliveries = True
    writing = asyncio.create_task(writer.write("group", _WRITES))
    await until(lambda: len(producer.deliveries) == _BATCHES)
    for number, delivery in enumerate(producer.deliveries):
        if number == failing:
            delivery.set_exception(KafkaError("refused"))
        else:
            producer.deliver(delivery)

    with pytest.raises(KafkaError, match="refused"):
        await writing
    assert "commit asked" not in producer.calls


async def test_nothing_is_sent_outside_the_transaction(writer: TransactionalWriter, producer: ScriptedProducer) -> None:
    """The trap: outputs go outside any transaction, or state into the one after that of its offsets."""
    await writer.write("group", _WRITES)

    assert producer.calls[:2] == ["begin asked", "begin answered"]
    assert producer.calls[-2:] == ["commit asked", "commit answered"]
    assert producer.calls.count("send answered") == _BATCHES
    assert producer.calls.count("offsets answered") == 1


async def test_records_are_sent_once_the_offsets_stand(writer: TransactionalWriter, producer: ScriptedProducer) -> None:
    """The trap: a broker refuses a transaction's records while its offsets are being added, and the retry is slow."""
    await writer.write("group", _WRITES)

    assert producer.calls.index("offsets answered") < producer.calls.index("send asked")


def test_a_retry_waits_no_longer_than_ten_ms(writer: TransactionalWriter, producer: ScriptedProducer) -> None:
    """The trap: aiokafka's retry backoff of 100 ms is added to the latency of every retried request."""
    assert 0 < producer.options["retry_backoff_ms"] <= 10


@pytest.mark.parametrize("stuck_in", ["begin", "offsets", "send", "delivery", "commit"])
async def test_a_transaction_that_gets_no_answer_ends_at_its_deadline(
    stuck_in: str, producer: ScriptedProducer
) -> None:
    """The trap: aiokafka retries requests of a transaction without limit."""
    settings = TransactionSettings(deadline=timedelta(milliseconds=50))
    writer = TransactionalWriter(NoConnection(), "id", settings, never_crash)
    producer.stuck_in, producer.holds_deliveries = stuck_in, stuck_in == "delivery"

    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError, match=r"^$"):
            await writer.write("group", _WRITES)

    assert "commit answered" not in producer.calls


async def test_a_changelog_offset_is_told_after_the_last_state(
    writer: TransactionalWriter, producer: ScriptedProducer
) -> None:
    """The trap: a mark that counts records instead of asking for offsets forgets batches and markers between them."""
    assert await writer.write("group", _WRITES) == producer.delivered_at + 1


async def test_a_delivery_without_an_offset_tells_none(writer: TransactionalWriter, producer: ScriptedProducer) -> None:
    """The trap: a duplicate sequence is a success whose offset the broker does not tell."""
    producer.delivered_at = -1

    assert await writer.write("group", _WRITES) is None
    assert producer.calls[-1] == "commit answered"


async def test_a_commit_without_an_offset_keeps_the_old_mark() -> None:
    """The trap: a duplicate sequence tells no offset, and a mark made up from it would skip states at a restore."""
    bench = Bench()
    await bench.task.start()
    bench.feed(0, 1)
    await until(lambda: bench.task.committed == {"in": 1})
    mark = bench.store.mark()

    bench.writer.knows_offsets = False
    bench.feed(1, 2)
    await until(lambda: bench.task.committed == {"in": 2})

    assert isinstance(mark, Mark)
    assert bench.store.mark() == mark
    assert len(list(bench.store.states())) == 2
    await bench.task.close()


async def test_a_transaction_holds_what_was_folded_when_it_was_decided_on() -> None:
    """The trap: a coroutine given to a task or a time-out starts a turn later; what it snapshots has moved on."""
    bench = Bench()
    await bench.task.start()
    bench.feed(0, 1)
    bench.feed(1, 2)
    await until(lambda: bench.task.committed == {"in": 2})

    assert [
        (writes.offsets[INPUT], [message.key for message in writes.outputs["out", 0]])
        for writes in bench.writer.written
    ] == [(1, [b"key-0"]), (2, [b"key-1"])]
    await bench.task.close()


async def test_a_refused_commit_advances_no_books() -> None:
    """The trap: after a refused commit the offsets count as committed, and the store keeps what never was."""
    bench = Bench()
    await bench.task.start()
    bench.writer.failure = KafkaError("refused")
    bench.feed(0, 1)
    await until(lambda: bench.ended)
    await _some_turns()

    assert bench.task.committed == {"in": 0}
    assert (list(bench.store.states()), bench.store.meta(), bench.store.mark()) == ([], None, None)


class _Raising(Counting):
    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        super().fold(state, topic, records[:2], start)
        raise LookupError("a bug in a fold")


async def test_a_fold_that_raises_ends_the_process_and_commits_nothing() -> None:
    """The trap: an exception in the body of an agent acknowledges the event."""
    bench = Bench(processor=_Raising())
    await bench.task.start()
    bench.feed(0, 3)
    await until(lambda: bench.ended)
    await _some_turns()

    assert [(reason, type(error)) for reason, error in bench.ended] == [("fold stage 0", LookupError)]
    assert (bench.writer.written, bench.task.committed) == ([], {"in": 0})


async def test_deadlines_wait_for_the_time_of_the_log() -> None:
    """The trap: windows and timers run on the wall clock, which no replay can repeat."""
    bench = Bench()
    await bench.task.start()
    bench.feed(0, 1)  # in 1970: the wall clock has passed its deadline long ago
    await until(lambda: bench.ticks.sent)
    await _some_turns()
    before = bench.task.state.next_due()
    assert bench.task.feed is not None
    bench.feed(1, 2)
    bench.feed(2, 12)
    await until(lambda: bench.task.committed == {"in": 12})

    outputs = [message for writes in bench.writer.written for message in writes.outputs.get(("out", 0), ())]
    assert before == 100
    assert [(message.key, message.timestamp_ms) for message in outputs if message.value == b"fired"] == [
        (b"key-0", 100),
        (b"key-1", 110),
    ]
    assert outputs[-2].value == b"fired"
    await bench.task.close()


async def test_a_batch_that_skips_offsets_never_read_ends_the_process() -> None:
    """The trap: offsets are committed past messages that were never folded; without a first commit nobody checks."""
    bench = Bench()
    await bench.task.start()

    with pytest.raises(EndedError, match="continues at 3, expected 0"):
        bench.feed(3, 4)

    assert bench.writer.written == []
    await bench.task.close()


async def _some_turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
